"""What templates may see, and nothing else: values ready to be shown, in words, cleaned of what could harm a mail."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol
from urllib.parse import quote

from digest.domain.edition import Edition, PaperList, Pooled, Update
from digest.domain.identifier import page_of
from digest.domain.paper import MODELS, Paper, Ranked, Summary, for_readers
from digest.domain.schedule import Frequency
from digest.ranking.summary import summarise
from digest.render.edition.acknowledgements import AcknowledgementView
from digest.render.edition.excerpt import excerpt, shorten
from digest.render.edition.growth_plot import bar_heights
from digest.render.edition.topics import topic
from digest.render.text.latex import readable
from digest.render.text.letters import in_other_letters, is_right_to_left
from digest.render.text.one_line import clean
from digest.render.text.web_url import web_url
from digest.translation import Translation, translation

MOST_AUTHORS = 3
ENGLISH = translation("en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many characters a card may spend on words that could be fewer."""

    summary: int = 280
    abstract: int = 320

    @classmethod
    def of(cls, style: str, brevity: int = 0) -> Lengths:
        """For "full" or "compact"; `brevity` counts from 0 (as designed) upwards to ever shorter."""
        steps = [cls(), cls(abstract=160), cls(abstract=0, summary=200), cls(abstract=0, summary=110)]
        lengths = steps[min(brevity, len(steps) - 1)]
        return lengths if style == "full" else cls(abstract=0, summary=lengths.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderView:
    """Who sends. `home_url` is where the list can be read and subscribed to."""

    name: str
    home_url: str
    postal_address: str = ""
    """Shown in one line; line ends become commas."""
    acknowledgements: tuple[AcknowledgementView, ...] = ()

    def __post_init__(self) -> None:
        lines = (clean(line).strip(", ") for line in self.postal_address.splitlines())
        object.__setattr__(self, "postal_address", ", ".join(line for line in lines if line))
        object.__setattr__(self, "name", clean(self.name))


class EditionLinks(Protocol):
    """Addresses that are the same for every reader."""

    def edition(self, list_name: str, date: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """One paper. Addresses are absolute http(s) in ASCII, or empty."""

    paper_id: int
    identifier: str
    feedback_path: str
    """The identifier as the end of a feedback address."""
    title: str
    section: str
    """Of a list made of lists: the title of the one it is in."""
    title_dir: str
    """"rtl" where the title is written from right to left, else empty."""
    language: str
    """Of title and abstract, where it can be told ("en"); else empty."""
    summary_language: str
    """Of the summary."""
    authors: tuple[str, ...]
    more_authors: int
    summary: str
    summary_by: str
    """Whose words the summary is, where they are not the authors' own: "AI summary by Hugging Face"; else empty."""
    excerpt: str
    topic: str
    venue: str
    date: str
    url: str
    pdf_url: str
    code_url: str
    project_url: str
    reasons: tuple[str, ...]
    bars: tuple[int, ...]
    """Heights of the growth plot in pixels, oldest first; empty when there is too little to plot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateView:
    """What became of a paper sent before. `url` may be empty."""

    title: str
    what: str
    url: str

    @classmethod
    def of(cls, update: Update, spoken: Translation = ENGLISH) -> UpdateView:
        what = readable(spoken.phrase(update.what))
        return cls(title=shorten(readable(update.title), 120), what=what, url=web_url(update.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """A dated digest. `cards` hold the papers to be rendered now, in order of the pool."""

    list: str
    title: str
    description: str
    date: str
    """"Thursday, 6 November 2025"."""
    short_date: str
    """"6 November 2025"."""
    period: str
    """"Week of 23 November" or "November"; empty for a day's."""
    considered: str
    """How many papers were weighed for it: "1,204"."""
    style: str
    feedback: bool
    """Whether cards ask for more or less like this: only where a reader can be told apart."""
    cards: tuple[CardView, ...]
    positions: tuple[int, ...]
    """Where in the pool each card's paper is."""
    pool_size: int
    unseen: tuple[str, ...]
    """What the papers of the pool say that get their card later: no marker may look like it."""
    picks: tuple[int, ...]
    """The list's own choice: positions in the pool."""
    summaries_by: str
    """Who wrote all summaries that are not the authors' words ("Hugging Face"), so that it need be said only once; else empty."""
    notes: tuple[str, ...]
    updates: tuple[UpdateView, ...]
    view_url: str
    sender: SenderView
    seed: str
    lang: str = "en"
    dir: str = "ltr"

    @classmethod
    def from_edition(
        cls,
        edition: Edition,
        paper_list: PaperList,
        links: EditionLinks,
        sender: SenderView,
        *,
        style: str | None = None,
        brevity: int = 0,
        feedback: bool = True,
        only: Collection[int] | None = None,
        spoken: Translation = ENGLISH,
    ) -> EditionView:
        """`style` is "full" or "compact" (default: the list's); `brevity` 0…3 shortens what a card says; `only` positions of the
        pool get a card (None: all). `spoken` is the language of the mail.
        """
        style = style or paper_list.style
        lengths = Lengths.of(style, brevity)
        pool = _pool(edition)
        positions = {pooled.ranked.paper.id: position for position, pooled in enumerate(pool)}
        shown = tuple(position for position in range(len(pool)) if only is None or position in only)
        return cls(
            list=paper_list.name,
            title=clean(paper_list.title),
            description=clean(paper_list.description),
            date=spoken.date(edition.date, "full"),
            short_date=spoken.date(edition.date),
            period=period_in_words(edition, paper_list, spoken),
            considered=spoken.number(edition.considered),
            style=style,
            feedback=feedback and style == "full",
            cards=tuple(
                card_view(each.ranked, lengths, style, edition.date, clean(each.section), spoken)
                for each in (pool[position] for position in shown)
            ),
            positions=shown,
            pool_size=len(pool),
            unseen=tuple(
                "\n".join((each.ranked.paper.title, each.ranked.paper.abstract, *each.ranked.paper.authors))
                for position, each in enumerate(pool)
                if only is not None and position not in only
            ),
            summaries_by=_one_voice(pool),
            picks=tuple(positions[pick.ranked.paper.id] for pick in edition.picks),
            notes=tuple(clean(spoken.phrase(note)) for note in edition.notes),
            updates=tuple(UpdateView.of(update, spoken) for update in edition.updates),
            view_url=web_url(links.edition(paper_list.name, edition.slug)),
            sender=sender,
            seed=f"{edition.list}/{edition.slug}/{edition.content_hash}",
            lang=spoken.language,
            dir=spoken.direction,
        )


def _pool(edition: Edition) -> Sequence[Pooled]:
    """The pool, with the picks' own words for them (they may have been summarised), and picks that it lacks."""
    known = {pooled.ranked.paper.id for pooled in edition.pool}
    missing = [pick.ranked for pick in edition.picks if pick.ranked.paper.id not in known]
    return [*edition.pool, *(Pooled(len(edition.pool) + n, ranked) for n, ranked in enumerate(missing))]


def period_in_words(edition: Edition, paper_list: PaperList, spoken: Translation = ENGLISH) -> str:
    """What a week's or month's edition covers; "" for a day's."""
    began = edition.window.start.astimezone(paper_list.zone).date()
    if edition.frequency is Frequency.DAILY:
        return ""
    if edition.frequency is Frequency.WEEKLY:
        return spoken.gettext("Week of %(day)s", day=spoken.date(began, "MMMMd"))
    return spoken.month(began) if began.day == 1 else spoken.gettext("Month from %(day)s", day=spoken.date(began, "MMMMd"))


def card_view(
    ranked: Ranked,
    lengths: Lengths,
    style: str,
    today: date | None = None,
    section: str = "",
    spoken: Translation = ENGLISH,
) -> CardView:
    """`today`: the year of a date in the same year goes without saying."""
    paper = ranked.paper
    title = shorten(readable(paper.title), 300)
    authors = tuple(name for author in paper.authors if (name := _name(author)))
    words = readable(paper.summary.text) if paper.summary else ""
    language = "" if in_other_letters(title) else "en"
    return CardView(
        paper_id=paper.id,
        identifier=str(paper.identifier),
        feedback_path=quote(str(paper.identifier), safe="/:"),
        title=title,
        section=section,
        title_dir="rtl" if is_right_to_left(title) else "",
        language=language,
        summary_language=_language_of(paper.summary) or language,
        authors=authors[:MOST_AUTHORS],
        more_authors=max(len(authors) - MOST_AUTHORS, 0),
        summary=shorten(words, lengths.summary),
        summary_by=_provenance(paper, spoken),
        excerpt=_excerpt(paper, lengths.abstract),
        topic=clean(topic(paper.categories[0])) if paper.categories else "",
        venue=shorten(readable(paper.venue), 60),
        date=_shorter(paper.published_at.date(), today, spoken) if paper.published_at else "",
        url=web_url(paper.url) or web_url(page_of(paper.identifier)),
        pdf_url=web_url(paper.pdf_url),
        code_url=web_url(paper.code_url),
        project_url=web_url(paper.project_url),
        reasons=tuple(text for reason in for_readers(ranked.reasons) if (text := readable(spoken.phrase(reason.text)))),
        bars=bar_heights(ranked.growth) if style == "full" else (),
    )


def _language_of(summary: Summary | None) -> str:
    """ "" where it is the abstract's."""
    return (summary.language or ("en" if summary.is_by_model else "")) if summary else ""


def _one_voice(pool: Sequence[Pooled]) -> str:
    voices = {_whose(pooled.ranked.paper) for pooled in pool} - {("", False)}
    voice, by_model = voices.pop() if len(voices) == 1 else ("", False)
    return voice if by_model else ""


def _provenance(paper: Paper, spoken: Translation) -> str:
    whose, by_model = _whose(paper)
    if not whose:
        return ""
    return (
        spoken.gettext("AI summary by %(whose)s", whose=whose)
        if by_model
        else spoken.gettext("summary by %(whose)s", whose=whose)
    )


def _whose(paper: Paper) -> tuple[str, bool]:
    """Whose words a paper's summary is, and whether a model's; "" for its authors'."""
    if paper.summary is None or paper.summary.provenance == "abstract":
        return "", False
    whose = paper.summary.provenance
    return clean(MODELS.get(whose, whose.removeprefix("model:"))), paper.summary.is_by_model


def _excerpt(paper: Paper, longest: int) -> str:
    """Of the abstract: what follows the sentence that the summary is; or, where the summary is in other words, from the
    sentence on that says what the paper contributes.
    """
    if longest <= 0 or (key := summarise(replace(paper, summary=None))) is None:
        return ""
    summary = paper.summary or replace(key, text="", provenance="")
    after = summary.provenance == "abstract"
    return excerpt(readable(paper.abstract), readable(key.text), longest, after=after, above=readable(summary.text))


def _shorter(day: date, today: date | None, spoken: Translation) -> str:
    return spoken.date(day, "MMMMd" if today and day.year == today.year else "long")


def in_words(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _name(author: str) -> str:
    """A name; after one from right to left comes a mark, so that the comma and the next name keep their places."""
    name = shorten(readable(author), 80)
    return f"{name}\N{LEFT-TO-RIGHT MARK}" if any(unicodedata.bidirectional(c) in ("R", "AL") for c in name) else name
