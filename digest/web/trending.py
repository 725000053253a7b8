"""/trending: the papers that gained most votes in the last day, week or month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from digest.domain.errors import InvalidInput
from digest.render.edition.views import Lengths, card_view
from digest.web.plots import votes_curve
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

MOST = 30


@dataclass(frozen=True, slots=True)
class TrendingWindow:
    name: str
    label: str
    length: timedelta
    what: str
    """How a reason names it: "▲ 145 (+102 this week)"."""
    in_words: str


WINDOWS = {
    each.name: each
    for each in (
        TrendingWindow("day", "Today", timedelta(days=1), "today", "the last 24 hours"),
        TrendingWindow("week", "This week", timedelta(days=7), "this week", "the last 7 days"),
        TrendingWindow("month", "This month", timedelta(days=30), "this month", "the last 30 days"),
    )
}


@router.get("/trending")
async def trending(request: Request, window: str = "day") -> Response:
    site = Site.of(request)
    chosen = WINDOWS.get(window)
    if chosen is None:
        raise InvalidInput("window", f"choose {', '.join(WINDOWS)}")

    def make() -> Answer:
        now = site.clock()
        found = site.container.papers.most_voted(chosen.length, chosen.what, now, MOST)
        cards = [card_view(each.ranked, Lengths.of("full", 1), "full", now.date()) for each in found]
        curves = {each.ranked.paper.id: votes_curve(each.readings, now) for each in found}
        return Answer.of(site.render("trending.html", chosen=chosen, windows=WINDOWS.values(), cards=cards, curves=curves))

    return await site.public(request, f"/trending/{chosen.name}", make, site.kept_longer)
