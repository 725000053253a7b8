"""Pages that anybody may read: the current edition, the archive by day, week and month, one edition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from digest.domain.edition import Edition, PaperList
from digest.domain.errors import NotFound
from digest.domain.phrase import Month, Phrase, joined, phrase
from digest.render.edition.views import EditionView
from digest.render.text.latex import readable
from digest.web.language import OFFERED
from digest.web.plots import votes_curve
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

NOT_PERSONAL = frozenset({"readings", "cards"})
"""Of the retention table: kept of papers, not of people."""
FIRST_PAPERS = 5
"""Of each edition, in the archive."""
_EXACT = re.compile(r"(\d{4}-\d\d-\d\d)T\d{4}(?:-weekly|-monthly)?")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a week or a month of a list's archive: [`first`, `last`]. `slug` is how it stands in an address."""

    slug: str
    title: Phrase
    first: date
    last: date

    @classmethod
    def month(cls, day: date) -> Period:
        first = day.replace(day=1)
        return cls(f"{first:%Y-%m}", _month(first), first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @classmethod
    def week(cls, day: date) -> Period:
        monday = day - timedelta(days=day.weekday())
        year, number, _ = monday.isocalendar()
        return cls(f"{year}-W{number:02}", phrase("Week of %(day)s", day=monday), monday, monday + timedelta(days=6))

    @classmethod
    def read(cls, slug: str) -> Period:
        """ "2026-05-27", "2026-W22" or "2026-05"; an edition's slug is its day's. Raises NotFound, saying so."""
        try:
            if exact := _EXACT.fullmatch(slug):
                day = date.fromisoformat(exact[1])
                return cls(slug, joined([day]), day, day)
            if week := _WEEK.fullmatch(slug):
                return cls.week(date.fromisocalendar(int(week[1]), int(week[2]), 1))
            if month := _MONTH.fullmatch(slug):
                return cls.month(date(int(month[1]), int(month[2]), 1))
            day = date.fromisoformat(slug)
            return cls(day.isoformat(), joined([day]), day, day)
        except (ValueError, OverflowError):
            what = phrase("edition %(given)s", given=repr(slug[:20]))
            raise NotFound(what, phrase("dates are like 2026-05-27, 2026-W22 or 2026-05")) from None

    @property
    def is_exact(self) -> bool:
        """Whether it names one of a day's editions."""
        return "T" in self.slug

    @property
    def is_day(self) -> bool:
        return self.first == self.last


@router.get("/")
async def home(request: Request) -> Response:
    """The newest edition of the first list, with the way to subscribe."""
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(None)

    def make() -> Answer:
        newest = site.container.editions.history(paper_list, 1)
        if not newest:
            return site.answer("waiting.html", list=paper_list)
        return _edition_page(site, paper_list, newest[0], home=True)

    return await site.public(request, "/", make)


@router.get("/lists/{name}")
async def archive(request: Request, name: str) -> Response:
    """The list's newest month."""
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(name)
    site.speak_of(paper_list)
    return await site.public(request, f"/lists/{name}", lambda: _period_page(site, paper_list, None))


@router.get("/lists/{name}/{period}")
async def edition(request: Request, name: str, period: str) -> Response:
    """One day's edition, or those of a week or month."""
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(name)
    site.speak_of(paper_list)
    wanted = Period.read(period)

    def make() -> Answer:
        if not wanted.is_day:
            return _period_page(site, paper_list, wanted)
        return _edition_page(site, paper_list, find_edition(site, paper_list, wanted))

    return await site.public(request, f"/lists/{name}/{wanted.slug}", make)


@router.get("/style.css")
async def style(request: Request) -> Response:
    site = Site.of(request)
    make = lambda: Answer.of(site.render("style.css"), "text/css; charset=utf-8", max_age=3600)  # noqa: E731 - one line reads best
    return await site.public(request, "/style.css", make)


@router.get("/script.js")
async def script(request: Request) -> Response:
    site = Site.of(request)
    make = lambda: Answer.of(site.render("script.js"), "text/javascript; charset=utf-8", max_age=3600)  # noqa: E731
    return await site.public(request, "/script.js", make)


@router.get("/privacy")
async def privacy(request: Request) -> Response:
    """What is kept of people and for how long, in words."""
    site = Site.of(request)
    kept = [each for each in site.container.privacy.kept if each.name not in NOT_PERSONAL]
    return await site.public(
        request,
        "/privacy",
        lambda: site.answer("privacy.html", max_age=3600, kept=kept, contact=site.contact),
    )


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    site = Site.of(request)
    return await site.public(
        request,
        "/robots.txt",
        lambda: Answer.of(
            site.render("robots.txt", in_other_languages=[f"{site.root_path}/{each}" for each in OFFERED]),
            "text/plain; charset=utf-8",
        ),
    )


def find_edition(site: Site, paper_list: PaperList, wanted: Period) -> Edition:
    """The last edition of a day, or the very one that is named. Raises NotFound; a cancelled one is as good as not there."""
    found = site.container.editions.published(paper_list, wanted.slug if wanted.is_exact else wanted.first.isoformat())
    if found is None:
        hint = phrase("none was made then") if wanted.is_exact else phrase("none was made that day")
        raise NotFound(phrase("edition of %(period)s", period=wanted.title), hint)
    return found


def _edition_page(site: Site, paper_list: PaperList, found: Edition, *, home: bool = False) -> Answer:
    view: EditionView = site.container.adapters.edition_renderer.view(found, paper_list, spoken=site.translation)
    days, readings = site.container.editions.dates(paper_list), site.container.editions.readings(found)
    of_day = site.container.editions.of_day(paper_list, found.date)
    older = next((day for day in days if day < found.date), None)
    newer = next((day for day in reversed(days) if day > found.date), None)
    curves = {paper_id: votes_curve(some, found.frozen_at, site.translation) for paper_id, some in readings.items()}
    return site.answer(
        "edition.html",
        max_age=60 if home else 300,
        list=paper_list,
        edition=view,
        day=found.date.isoformat(),
        month=Period.month(found.date),
        curves=curves,
        older=older and older.isoformat(),
        newer=newer and newer.isoformat(),
        others=[(each.slug, each.cutoff.astimezone(paper_list.zone)) for each in of_day if each.id != found.id],
        home=home,
    )


def _period_page(site: Site, paper_list: PaperList, period: Period | None) -> Answer:
    """The editions of a period (default: of the newest month), and the months there are."""
    days = site.container.editions.dates(paper_list)
    shown = period or (Period.month(days[0]) if days else None)
    editions = site.container.editions.history(paper_list, 31, shown.last + timedelta(days=1)) if shown else []
    inside = [each for each in editions if shown and each.date >= shown.first]
    if period and not inside:
        raise NotFound(phrase("edition in %(period)s", period=period.title), phrase("none was made then"))
    weeks = groupby(inside, lambda each: Period.week(each.date))
    same = Period.week if shown and "W" in shown.slug else Period.month
    older = next((same(day) for day in days if shown and day < shown.first), None)
    newer = next((same(day) for day in reversed(days) if shown and day > shown.last), None)
    months = [Period.month(first) for first, _ in groupby(days, lambda day: day.replace(day=1))]
    return site.answer(
        "archive.html",
        max_age=300,
        list=paper_list,
        period=shown,
        whole=period is None,
        weeks=[(week, [(each, _titles(each)) for each in some]) for week, some in weeks],
        months=months,
        older=older,
        newer=newer,
        first_papers=FIRST_PAPERS,
    )


def _month(day: date) -> Phrase:
    return joined([Month(day.year, day.month, 1)])


def _titles(found: Edition) -> list[tuple[str, str]]:
    """(title, where its page is) of each pick."""
    papers = [pick.ranked.paper for pick in found.picks]
    return [(readable(paper.title), quote(str(paper.identifier), safe="/:")) for paper in papers]
