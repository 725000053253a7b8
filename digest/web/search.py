"""Papers by words, for a reader and for their feed reader."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.interest import understand
from digest.domain.paper import Paper, Ranked
from digest.domain.query import LONGEST, parse_query, told
from digest.render.views import CardView, Lengths, card_view, clean
from digest.web.kept import Answer
from digest.web.site import Site

router = APIRouter()

FOUND = 30


@router.get("/papers")
async def papers(request: Request, q: str = "") -> Response:
    """The search page; without words, only its box."""
    site, query = Site.of(request), asked(q)

    def make() -> Answer:
        cards = [card(paper) for paper in find(site, query)]
        understood = told(parse_query(query))
        return Answer.of(
            site.render("papers.html", query=query, understood=understood, wish=as_wish(query), cards=cards, most=FOUND)
        )

    # not kept: anybody can ask for any words, and the front page should not be pushed out by them
    return (await run_in_threadpool(make)).to(request)


def asked(text: str) -> str:
    """What is searched for: one line, without what could confuse, cut where no question is so long."""
    return clean(text.encode("utf-8", "replace").decode())[:LONGEST].strip()


def as_wish(query: str) -> str:
    """The search as one interest of a subscriber: without what would part it into several, or make a mute of it."""
    wish = " ".join(query.replace(",", " ").replace(";", " ").split())
    found = understand(wish).interests
    return f"search: {wish}" if found.muted_words or found.muted_authors else wish


def find(site: Site, query: str) -> Sequence[Paper]:
    """Best first; nothing for an empty query."""
    if not query:
        return []
    with site.wiring.store.read() as unit:
        return [paper for paper, _ in unit.papers.search(query, FOUND)]


@lru_cache(maxsize=2000)
def card(paper: Paper) -> CardView:
    """Remembered: reading a paper's LaTeX and choosing its sentences is most of what a page of results takes."""
    return card_view(Ranked(paper, 0.0), Lengths.of("full"), "full")
