"""Papers by words, for a reader and for their feed reader."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.errors import InvalidInput
from digest.domain.interest import one_interest
from digest.domain.paper import Paper, Ranked
from digest.domain.query import LONGEST, describe, parse_query
from digest.domain.search_result import Match, SearchResult, in_words
from digest.render.edition.excerpt import shorten
from digest.render.edition.views import CardView, Lengths, card_view
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.translation import Translation
from digest.web.facets import facets
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

FOUND = 30


@router.get("/papers")
async def papers(request: Request, q: str = "", topic: str = "", period: str = "", source: str = "") -> Response:
    """The search page; without words or a choice, only its form."""
    site, words = Site.of(request), asked(q)

    def make() -> Answer:
        known, today = [each.name for each in site.container.settings.sources], site.clock().date()
        chosen = facets(topic, period, source, known, (), today)
        query = asked(" ".join([words, *(each.part for each in chosen)]))
        found = find(site, query)
        chosen = facets(topic, period, source, known, (match.paper for match in found.matches), today)
        cards = [match_card(match, site.translation) for match in found.whole]
        nearest = [match_card(match, site.translation) for match in found.partial]
        understood = parse_query(query)
        shown: dict[str, Any] = {
            "words": words,
            "facets": chosen,
            "query": query,
            "understood": describe(understood),
            "lack": site.sentence(understood.missing_hint) if understood.missing_hint else "",
            "interest": one_interest(query),
        }
        asked_for = {"q": words, "topic": topic, "period": period, "source": source}
        in_address = {name: value for name, value in asked_for.items() if value}
        shown |= {"cards": cards, "nearest": nearest, "longest": LONGEST, "notes": found.notes, "most": FOUND}
        return site.answer("papers.html", in_address=in_address, **shown)

    # not kept: anybody can ask for any words, and the front page should not be pushed out by them
    return (await run_in_threadpool(make)).to(request)


def asked(text: str) -> str:
    """What is searched for: one line, without what could confuse, cut where no question is so long."""
    return clean(text.encode("utf-8", "replace").decode())[:LONGEST].strip()


def must_ask(query: str) -> None:
    """For programs. Raises InvalidInput for a search that only leaves papers out."""
    if missing_hint := parse_query(query).missing_hint:
        raise InvalidInput("q", missing_hint)


def find(site: Site, query: str) -> SearchResult:
    """Nothing for an empty query."""
    return site.container.papers.search(query, FOUND) if query else SearchResult()


def match_card(match: Match, spoken: Translation) -> CardView:
    """The paper's card with the date, the votes, what is missing and the sentence that was found."""
    paper, known = match.paper, card(match.paper, spoken)
    reasons = [] if match.votes is None else [spoken.ngettext("%(n)s vote", "%(n)s votes", match.votes)]
    reasons += [spoken.gettext("without %(parts)s", parts=clean(in_words(match.missing)))] if match.missing else []
    sentence = shorten(readable(match.sentence), Lengths().abstract)
    return replace(
        known,
        date=known.date or spoken.date(paper.first_seen_at),
        reasons=tuple(reasons),
        excerpt="" if sentence == known.summary else sentence or known.excerpt,
    )


@lru_cache(maxsize=2000)
def card(paper: Paper, spoken: Translation) -> CardView:
    """Remembered: reading a paper's LaTeX and choosing its sentences is most of what a page of results takes."""
    return card_view(Ranked(paper, 0.0), Lengths.of("full"), "full", spoken=spoken)
