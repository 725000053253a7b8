"""At a list's cutoff, rank what was seen, choose, and freeze the edition with its rendered cards.

    candidates ─▶ rank ─▶ select ─▶ summarise ─▶ render ─▶ lint ─▶ freeze
    (store)       (ranking: pure, endpoint)      (render)  (mail)  (store, UNIQUE(list, window start, cutoff))

A frozen edition is returned, never rebuilt. Nothing of an edition that fails on the way is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.edition import Edition, PaperList, Pick, Window, foremost
from digest.domain.errors import InvalidInput
from digest.domain.identity import is_daily
from digest.domain.paper import Candidate, Ranked, Summary
from digest.domain.phrase import phrase, phrases
from digest.domain.schedule import Frequency, due_on
from digest.ranking.gained import rank_by_gain
from digest.ranking.selection import Selection, select, shares, stepped_back
from digest.ranking.summary import summarised
from digest.ranking.trending import Ranker, Trending
from digest.services.editions import edition_notes
from digest.services.editions.proofing import broken_alone, content_hash, proofed
from digest.services.papers.summarise import Summaries, nobody
from digest.store.unit_of_work import Store, UnitOfWork

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer

PLAINLY = Trending()
"""The ranking without coefficients."""
CARDS_KEPT = 3
"""For each pick of a list, how many of its first papers' cards are kept. All are made and proofread, and made again on demand."""
WEEK = timedelta(days=7)
LISTED_LATE = timedelta(days=14)
"""How long after its publication a paper may still come to a source's notice (Hugging Face takes them for two weeks)."""


@dataclass(frozen=True, slots=True)
class EditionResult:
    """What `edit` did: the edition (new or found), or why there is none."""

    edition: Edition | None
    new: bool = False
    skipped: str = ""


WINDOW_IN_WORDS = {Frequency.WEEKLY: phrase("this week"), Frequency.MONTHLY: phrase("this month")}


def cutoff_of(paper_list: PaperList, day: date, at: datetime) -> datetime:
    """The last of a day's cutoffs at or before `at`; the first where none has passed."""
    return paper_list.cutoffs.last_of(due_on(day, paper_list.cutoff, paper_list.zone), at)


def instant_for(paper_list: PaperList, day: date, at: datetime) -> datetime:
    """When a hand-made edition of `day` is frozen: now for today, at its cutoff for a day gone by."""
    return at if day >= at.astimezone(paper_list.zone).date() else min(at, cutoff_of(paper_list, day, at))


def edit(
    paper_list: PaperList,
    day: date,
    store: Store,
    edition_renderer: EditionRenderer,
    at: datetime,
    rank: Ranker = PLAINLY,
    summaries: Summaries = nobody,
    frequency: Frequency | None = None,
) -> EditionResult:
    """Finds an edition of `day`, or makes that of its last cutoff by `at`. It sees what is known at `at`: after downtime, more.

    With `frequency` it is for readers who are due: it has their window, and is of that very cutoff. Raises InvalidInput for a day
    that has not begun, TemplateError, LintFailed.
    """
    cutoff = cutoff_of(paper_list, day, at)
    if day > at.astimezone(paper_list.zone).date() and cutoff > at:
        raise InvalidInput(f"edition of {day}", f"that day has not begun in {paper_list.timezone}")
    with store.read() as unit:
        found = (
            unit.editions.newest(paper_list.name, frequency, day, cutoff)
            if frequency
            else unit.editions.find(paper_list.name, day)
        )
        if found is None and frequency:
            found = as_new(unit, paper_list, frequency, day, at)
        if found:
            return EditionResult(found)
        if reason := unit.lists.paused(paper_list.name):
            return EditionResult(None, skipped=f"list {paper_list.name} is paused: {reason}")
        if not unit.papers.count():
            return EditionResult(None, skipped="no papers collected yet")
    draft = drafted(paper_list, day, store, at, rank, summaries, frequency=frequency)
    try:
        draft, rendered = proofed(draft, paper_list, edition_renderer)
    except Exception:
        broken = broken_alone(draft, paper_list, edition_renderer)
        if not broken or len(broken) == len(draft.pool):
            raise  # no single paper is to blame
        for why in broken.values():
            logging.getLogger("digest").warning("list %s, %s: %s", paper_list.name, day, why)
        draft = drafted(paper_list, day, store, at, rank, summaries, frequency=frequency, without=broken)
        draft, rendered = proofed(draft, paper_list, edition_renderer)
    picked = {pick.ranked.paper.id for pick in draft.picks}
    kept = {each.position for each in foremost(draft.pool, CARDS_KEPT * draft.max_picks, picked)}
    with store.begin() as unit:
        return EditionResult(unit.editions.freeze(draft, rendered.with_cards(kept)), new=True)


def as_new(unit: UnitOfWork, paper_list: PaperList, frequency: Frequency, day: date, at: datetime) -> Edition | None:
    """The newest of a day's where nothing was collected since it was made: another one would say the same."""
    last = unit.editions.newest(paper_list.name, frequency, day, due_on(day, paper_list.cutoff, paper_list.zone))
    if last is None or last.state != "frozen":
        return None
    since = min(last.window.start, at) - paper_list.candidates_for
    return None if unit.papers.heard_of(since, last.frozen_at, at) else last


def drafted(
    paper_list: PaperList,
    day: date,
    store: Store,
    at: datetime,
    rank: Ranker = PLAINLY,
    summaries: Summaries = nobody,
    *,
    include_featured: bool = False,
    frequency: Frequency | None = None,
    without: Collection[int] = (),
) -> Edition:
    """The edition as it would be frozen at `at`, with id 0. `include_featured` is for trials: it forgets what was featured.
    `without` leaves out papers by id.
    """
    frequency = frequency or paper_list.frequency
    on_pages = frequency is paper_list.frequency
    cutoff = cutoff_of(paper_list, day, at)
    window = Window(paper_list.window_start(cutoff, frequency), max(at, cutoff))
    since = (at if frequency is Frequency.DAILY else window.start) - paper_list.candidates_for
    with store.read() as unit:
        forget = include_featured or not on_pages
        featured = frozenset() if forget else unit.editions.featured(paper_list.name, at, day)
        lately = unit.editions.past_picks(paper_list.name, at - WEEK, at, day) if paper_list.variety and not forget else []
        parts = [(part.title, _candidates(unit, part, since, at)) for part in paper_list.includes]
        parts = parts or [("", _candidates(unit, paper_list, since, at))]
        notes = edition_notes.edition_notes(paper_list, unit, at, day)
    parts = [(title, [each for each in some if each.paper.id not in without]) for title, some in parts]
    candidates = list({each.paper.id: each for _, some in parts for each in some}.values())
    ranking = rank(candidates, at)
    if frequency is not Frequency.DAILY:
        ranking = rank_by_gain(ranking, candidates, window.start, at, WINDOW_IN_WORDS[frequency])
    else:
        ranking = stepped_back(ranking, lately, paper_list.variety, paper_list.picks * len(parts))
    selection = _in_sections(ranking, parts, paper_list, featured, varied=frequency is Frequency.DAILY)
    pool = selection.pool
    ahead = foremost(pool, paper_list.pool)  # the others are summed up when their card is made
    shown = {each.paper.id: each.paper for each in (*(p.ranked for p in selection.picks), *(p.ranked for p in ahead))}
    written = summaries(list(shown.values()), at, paper_list.language)
    picks = tuple(Pick(pick.rank, _summarised(pick.ranked, written)) for pick in selection.picks)
    chosen = {pick.ranked.paper.id: pick.ranked for pick in picks}
    pool = tuple(
        replace(each, ranked=chosen.get(each.ranked.paper.id) or _summarised(each.ranked, written))
        if each.ranked.paper.id in shown
        else each
        for each in pool
    )
    why = () if picks else (_why_empty(candidates, selection, at, paper_list, store),)
    edition = Edition(
        id=0,
        list=paper_list.name,
        date=day,
        window=window,
        cutoff=cutoff,
        frozen_at=at,
        frequency=frequency,
        on_pages=on_pages,
        considered=len(candidates),
        max_picks=paper_list.picks,
        max_pool=paper_list.pool,
        picks=picks,
        pool=pool,
        notes=(*why, *notes.notes),
        updates=notes.updates if picks and on_pages else (),  # an edition without picks shows none: they wait for the next
    )
    return replace(edition, content_hash=content_hash(edition))


def _candidates(unit: UnitOfWork, paper_list: PaperList, since: datetime, at: datetime) -> list[Candidate]:
    return [each for each in unit.papers.candidates(at, since, paper_list) if is_recent(each, since)]


def _in_sections(
    ranking: Sequence[Ranked],
    parts: Sequence[tuple[str, Sequence[Candidate]]],
    paper_list: PaperList,
    featured: frozenset[int],
    *,
    varied: bool,
) -> Selection:
    """A selection of each part, one after the other; a paper of several parts belongs to the first."""
    whole, taken = Selection((), (), ()), set[int]()
    for (title, candidates), share in zip(parts, shares(paper_list.picks, len(parts)), strict=True):
        own = {each.paper.id for each in candidates} - taken
        taken |= own
        found = select([each for each in ranking if each.paper.id in own], share, featured, varied=varied)
        first, rank = len(whole.pool), len(whole.picks)
        whole = Selection(
            (*whole.picks, *(replace(each, rank=rank + each.rank) for each in found.picks)),
            (*whole.pool, *(replace(each, position=first + each.position, section=title) for each in found.pool)),
            (*whole.left_out, *found.left_out),
        )
    return whole


def is_recent(candidate: Candidate, since: datetime) -> bool:
    """Whether a paper that we first saw after `since` is new to the world too.

    A catch-up or a new version brings old papers to a store that never saw them. What a source lists counts as of the listing.
    A paper without a date is new where a daily source shows it, and not as a revision.
    """
    paper = candidate.paper
    if (dated := paper.listed_at or paper.published_at) is None:
        return paper.updated_at is None and any(map(is_daily, paper.sources))
    return dated >= since - LISTED_LATE


def _summarised(ranked: Ranked, written: Mapping[int, Summary]) -> Ranked:
    summary = written.get(ranked.paper.id)
    return replace(ranked, paper=replace(ranked.paper, summary=summary)) if summary else summarised(ranked)


def _why_empty(candidates: Sequence[Candidate], selection: Selection, at: datetime, paper_list: PaperList, store: Store) -> str:
    days = paper_list.candidates_for.days
    if not candidates:
        return _why_none_seen(paper_list, at, store)
    if len(selection.left_out) >= len(candidates):
        return phrases(
            "the only paper of the last %(days)s days was in an earlier edition",
            "all %(n)s papers of the last %(days)s days were in earlier editions",
            len(candidates),
            days=days,
        )
    return phrases(
        "the only paper of the last %(days)s days was not worth sending",
        "none of the %(n)s papers of the last %(days)s days was worth sending",
        len(candidates),
        days=days,
    )


def _why_none_seen(paper_list: PaperList, at: datetime, store: Store) -> str:
    """Nothing seen at all, or nothing of what was seen is for this list: the difference an operator must know."""
    since, days = at - paper_list.candidates_for, paper_list.candidates_for.days
    with store.read() as unit:
        seen = unit.papers.candidates(at, since, replace(paper_list, sources=frozenset(), categories=frozenset()))
    if not seen:
        return phrase("no paper was seen in the %(days)s days before %(day)s", days=days, day=at.date())
    those = phrases(
        "%(n)s paper was seen in the %(days)s days before %(day)s",
        "%(n)s papers were seen in the %(days)s days before %(day)s",
        len(seen),
        days=days,
        day=at.date(),
    )
    of_sources = [each for each in seen if not paper_list.sources or paper_list.sources.intersection(each.paper.sources)]
    if not of_sources:
        return phrase("%(those)s, none of them by %(sources)s", those=those, sources=", ".join(sorted(paper_list.sources)))
    fitting = [each for each in of_sources if is_recent(each, since)]
    if not fitting:
        return phrase("%(those)s, all of them published long before", those=those)
    bare = sum(not each.paper.categories for each in fitting)
    wanted = ", ".join(sorted(paper_list.categories)) or phrase("any category")
    none_fits = phrase("%(those)s, none of them in %(categories)s", those=those, categories=wanted)
    if not bare:
        return none_fits
    return phrases(
        "%(none)s; the category of %(n)s of them is not known",
        "%(none)s; the categories of %(n)s of them are not known",
        bare,
        none=none_fits,
    )
