"""From a ranking to the day's picks: spread over topics, near-duplicates folded, with room for what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from digest.domain.edition import LeftOut, Pick, Pooled
from digest.domain.paper import LATELY, UNVOTED, Paper, Ranked, Reason
from digest.domain.phrase import phrase, phrases
from digest.ranking import terms

SAME = 0.80
"""Likeness from which two papers are one story: the lower one is folded into the higher ("also: …")."""
_NAMED = 3
"""Titles of folded papers that a reason says."""
ALIKE = 0.25
"""Likeness from which two papers are on one topic: of a year's pairs, those from here on were, by their titles."""
RELATED = 0.15
"""Likeness from which two papers are on one topic in the course of a week, in a wider sense: agents, image editing, humanoids."""
PER_TOPIC = 2
"""How many picks may be alike; the rest of the topic waits for another day."""
ROOM_FOR_NEW = 10
"""One pick in so many (at least one from five picks on) is kept for new papers that no one has voted on yet."""
CONSIDERED = 10
"""How many papers per pick are looked at: further down no spread is worth the loss."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`pool` is in order of score, featured papers and all picks among it; `left_out` says why for every paper not picked."""

    picks: tuple[Pick, ...]
    pool: tuple[Pooled, ...]
    left_out: tuple[LeftOut, ...]


def stepped_back(ranked: Sequence[Ranked], lately: Sequence[Paper], variety: float, picks: int) -> list[Ranked]:
    """`ranked` (best first), where topics that were picked lately stand further down: each of `lately` that is related takes the
    share `variety` off a score. As it was where that is 0. Only what is considered for so many `picks` changes places.
    """
    considered, rest = ranked[: picks * CONSIDERED], ranked[picks * CONSIDERED :]
    if not (variety and lately):
        return [*ranked]
    papers = {paper.id: paper for paper in (*lately, *(r.paper for r in considered))}
    vectors = dict(zip(papers, terms.vectors(list(papers.values())), strict=True))
    weighed: list[tuple[float, Ranked]] = []
    level = inf  # papers nobody has spoken of are not in order of score: none counts more than those before it
    for each in considered:
        own = vectors[each.paper.id]
        related = [other for other in lately if other.id != each.paper.id and terms.likeness(own, vectors[other.id]) >= RELATED]
        left = (1 - variety) ** len(related)
        level = min(level, each.score)
        changed = replace(each, score=each.score * left, reasons=(*each.reasons, _picked_lately(related))) if related else each
        weighed.append((level * left if level > 0 else level, changed))
    return [*(each for _, each in sorted(weighed, key=lambda pair: -pair[0])), *rest]


def _picked_lately(related: Sequence[Paper]) -> Reason:
    """For operators: no mail or page argues against its own picks."""
    count = f"{len(related)} picks" if len(related) > 1 else "1 pick"
    return Reason(LATELY, f"steps back: {count} of the last seven days on its topic, such as “{related[0].title}”")


def select(ranked: Sequence[Ranked], picks: int, featured: frozenset[int], *, varied: bool = True) -> Selection:
    """Chooses at most `picks` of `ranked` (best first), none in `featured`, nearly the same as one of those, or withdrawn.

    Pure and deterministic: the same ranking gives the same selection. All that could be picked are kept for readers' own picks.
    Not `varied`: the best, whatever their topics and however old.
    """
    able = [r for r in ranked if not r.paper.withdrawn]
    fresh = [r for r in able if r.paper.id not in featured]
    considered, rest = fresh[: picks * CONSIDERED], fresh[picks * CONSIDERED :]
    before = [r.paper for r in able if r.paper.id in featured]
    new = _room_for_new(considered, rest, picks) if varied else []
    chosen, reasons = _choose(considered, picks, new, before, PER_TOPIC if varied else len(considered))
    for paper in ranked:
        if paper.paper.withdrawn:
            reasons[paper.paper.id] = "withdrawn"
        elif paper.paper.id in featured:
            reasons[paper.paper.id] = "featured in an earlier edition"
    picked = tuple(Pick(rank, paper) for rank, paper in enumerate(chosen, start=1))
    by_id = {pick.ranked.paper.id: pick.ranked for pick in picked}
    pooled = [by_id.get(r.paper.id, r) for r in able]
    return Selection(
        picks=picked,
        pool=tuple(Pooled(place, r, featured_before=r.paper.id in featured) for place, r in enumerate(pooled)),
        left_out=tuple(
            LeftOut(r.paper.id, reasons.get(r.paper.id, f"ranked {place}; {len(picked)} were picked"))
            for place, r in enumerate(ranked, start=1)
            if r.paper.id not in by_id
        ),
    )


def select_unsent(pool: Sequence[Pooled], picks: int, sent: frozenset[int], *, varied: bool = True) -> tuple[int, ...]:
    """Positions of the best of a frozen pool for a reader who was sent those at the positions `sent`: as `select` chooses.

    A pool in sections has its share of each, in their order.
    """
    sections: dict[str, list[Pooled]] = {}
    for each in pool:
        sections.setdefault(each.section, []).append(each)
    chosen: list[int] = []
    for part, share in zip(sections.values(), shares(picks, len(sections)), strict=True):
        positions = {each.ranked.paper.id: each.position for each in part}
        before = frozenset(each.ranked.paper.id for each in part if each.position in sent)
        found = select([each.ranked for each in part], share, before, varied=varied)
        chosen += [positions[pick.ranked.paper.id] for pick in found.picks]
    return tuple(chosen)


def shares(picks: int, parts: int) -> list[int]:
    """How many picks each of some parts has: one at least, the first ones more where they cannot be shared out evenly."""
    return [max(1, picks // parts + (place < picks % parts)) for place in range(parts)]


def is_new(ranked: Ranked) -> bool:
    """New, and nobody has voted yet: only its being new speaks for it."""
    return any(reason.kind == UNVOTED for reason in ranked.reasons)


def _room_for_new(considered: Sequence[Ranked], rest: Sequence[Ranked], picks: int) -> list[Ranked]:
    """The best new papers without votes, wherever they are ranked, best first."""
    if picks < 5:
        return []
    return [r for r in (*considered, *rest) if is_new(r)][: 5 * max(1, picks // ROOM_FOR_NEW)]


def _choose(
    considered: Sequence[Ranked], picks: int, new: Sequence[Ranked], before: Sequence[Paper], per_topic: int
) -> tuple[list[Ranked], dict[int, str]]:
    papers = {paper.id: paper for paper in (*(r.paper for r in (*considered, *new)), *before)}
    taken = _Taken(dict(zip(papers, terms.vectors(list(papers.values())), strict=True)), tuple(before), per_topic)
    room = min(max(1, picks // ROOM_FOR_NEW), len(new)) if new else 0
    for ranked in considered:
        if len(taken.chosen) == picks:
            break
        if against := taken.against(ranked.paper):
            taken = taken.past(against)
        elif is_new(ranked) or len(taken.chosen) < picks - max(0, room - sum(map(is_new, taken.chosen))):
            taken = taken.plus(ranked)
    for ranked in new:
        if len(taken.chosen) < picks and ranked not in taken.chosen:
            against = taken.against(ranked.paper)
            taken = taken.past(against) if against else taken.plus(ranked)
    # fewer topics than picks: better two alike than an empty place
    waiting = [r for r in considered if r not in taken.chosen and not taken.has_twin_of(r.paper)]
    chosen = [*taken.chosen, *waiting[: picks - len(taken.chosen)]]
    places = {r.paper.id: place for place, r in reversed(list(enumerate((*considered, *new))))}
    chosen.sort(key=lambda r: places[r.paper.id])
    return [_with_also(r, taken.folded_into(r.paper)) for r in chosen], {n: each.why for n, each in taken.passed.items()}


@dataclass(frozen=True, slots=True)
class _Passed:
    """A paper that adds nothing to what is taken: it tells the story of `twin` again, or (None) its topic has its share."""

    paper: Paper
    why: str
    twin: Paper | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """What has been taken so far, today and in earlier editions, and what was passed over for it (by paper id)."""

    vectors: Mapping[int, Mapping[str, float]]
    before: tuple[Paper, ...]
    per_topic: int
    chosen: tuple[Ranked, ...] = ()
    passed: Mapping[int, _Passed] = field(default_factory=dict)

    def plus(self, ranked: Ranked) -> _Taken:
        return replace(self, chosen=(*self.chosen, ranked))

    def past(self, against: _Passed) -> _Taken:
        return replace(self, passed={**self.passed, against.paper.id: against})

    def against(self, paper: Paper) -> _Passed | None:
        """What speaks against taking a paper as well; None where it adds something."""
        alike = [(self._likeness(paper, each.paper), each.paper) for each in self.chosen]
        closest, twin = max(alike, key=lambda pair: pair[0], default=(0.0, paper))
        if closest >= SAME:
            return _Passed(paper, f"folded into “{twin.title}”, which is nearly the same", twin)
        for other in self.before:
            if self._likeness(paper, other) >= SAME:
                return _Passed(paper, f"nearly the same as “{other.title}”, which an earlier edition featured", other)
        near = [each for how, each in alike if how >= ALIKE]
        if len(near) >= self.per_topic:
            return _Passed(paper, f"{len(near)} picks are on its topic already, such as “{near[0].title}”")
        return None

    def has_twin_of(self, paper: Paper) -> bool:
        """Passed over as nearly the same as something taken: such a paper fills no empty place."""
        return paper.id in self.passed and self.passed[paper.id].twin is not None

    def folded_into(self, paper: Paper) -> list[Paper]:
        return [each.paper for each in self.passed.values() if each.twin and each.twin.id == paper.id]

    def _likeness(self, one: Paper, other: Paper) -> float:
        return terms.likeness(self.vectors[one.id], self.vectors[other.id])


def _with_also(ranked: Ranked, folded: Sequence[Paper]) -> Ranked:
    if not folded:
        return ranked
    return replace(ranked, reasons=(*ranked.reasons, also(folded)))


def also(folded: Sequence[Paper]) -> Reason:
    """Names what is nearly the same as a pick, each title once and on one line; of many the first, and how many more."""
    titles = list(dict.fromkeys(" ".join(paper.title.split()).rstrip(" .") for paper in folded))
    more = len(titles) - _NAMED
    named = "; ".join(titles[:_NAMED])
    if more > 0:
        return Reason("also", phrases("also: %(titles)s; and %(n)s more", "also: %(titles)s; and %(n)s more", more, titles=named))
    return Reason("also", phrase("also: %(titles)s", titles=named))
