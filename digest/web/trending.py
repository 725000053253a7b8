"""/trending: the papers that gained most votes in the last day, week or month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from digest.domain.errors import InvalidInput
from digest.domain.phrase import Phrase, phrase
from digest.render.edition.views import Lengths, card_view
from digest.web.plots import votes_curve
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

MOST = 30


@dataclass(frozen=True, slots=True)
class TrendingWindow:
    name: str
    label: Phrase
    title: Phrase
    length: timedelta
    what: str
    """How a reason names it: "▲ 145 (+102 this week)"."""
    what_is_shown: Phrase
    none: Phrase


WINDOWS = {
    each.name: each
    for each in (
        TrendingWindow(
            "day",
            phrase("Today"),
            phrase("Trending today"),
            timedelta(days=1),
            phrase("today"),
            phrase("The papers that gained most votes in the last 24 hours."),
            phrase("No votes were counted in the last 24 hours."),
        ),
        TrendingWindow(
            "week",
            phrase("This week"),
            phrase("Trending this week"),
            timedelta(days=7),
            phrase("this week"),
            phrase("The papers that gained most votes in the last 7 days."),
            phrase("No votes were counted in the last 7 days."),
        ),
        TrendingWindow(
            "month",
            phrase("This month"),
            phrase("Trending this month"),
            timedelta(days=30),
            phrase("this month"),
            phrase("The papers that gained most votes in the last 30 days."),
            phrase("No votes were counted in the last 30 days."),
        ),
    )
}


@router.get("/trending")
async def trending(request: Request, window: str = "day") -> Response:
    site = Site.of(request)
    chosen = WINDOWS.get(window)
    if chosen is None:
        raise InvalidInput("window", phrase("choose %(known)s", known=", ".join(WINDOWS)))

    def make() -> Answer:
        now = site.clock()
        found = site.container.papers.most_voted(chosen.length, chosen.what, now, MOST)
        cards = [card_view(each.ranked, Lengths.of("full", 1), "full", now.date(), spoken=site.translation) for each in found]
        curves = {each.ranked.paper.id: votes_curve(each.readings, now, site.translation) for each in found}
        shown: dict[str, Any] = {"chosen": chosen, "windows": WINDOWS.values(), "cards": cards, "curves": curves}
        return site.answer("trending.html", in_address={"window": chosen.name}, **shown)

    return await site.public(request, f"/trending/{chosen.name}", make, site.kept_longer)
