"""Papers by words, for a reader and for their feed reader."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

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
from digest.render.edition.views import in_words as in_words_of_day
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.web.facets import facets
from digest.web.response_cache import Answer
from digest.web.site import Site, sentence

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
        cards = [match_card(match) for match in found.whole]
        nearest = [match_card(match) for match in found.partial]
        understood = parse_query(query)
        missing_hint = sentence(understood.missing_hint) if understood.missing_hint else ""
        shown = {
            "words": words,
            "facets": chosen,
            "query": query,
            "understood": describe(understood),
            "lack": missing_hint,
            "interest": one_interest(query),
        }
        return Answer.of(
            site.render("papers.html", **shown, cards=cards, nearest=nearest, longest=LONGEST, notes=found.notes, most=FOUND)
        )

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


def match_card(match: Match) -> CardView:
    """The paper's card with the date, the votes, what is missing and the sentence that was found."""
    paper, known = match.paper, card(match.paper)
    reasons = [] if match.votes is None else [f"{match.votes:,} vote{'' if match.votes == 1 else 's'}"]
    reasons += [f"without {clean(in_words(match.missing))}"] if match.missing else []
    sentence = shorten(readable(match.sentence), Lengths().abstract)
    return replace(
        known,
        date=known.date or in_words_of_day(paper.first_seen_at.date()),
        reasons=tuple(reasons),
        excerpt="" if sentence == known.summary else sentence or known.excerpt,
    )


@lru_cache(maxsize=2000)
def card(paper: Paper) -> CardView:
    """Remembered: reading a paper's LaTeX and choosing its sentences is most of what a page of results takes."""
    return card_view(Ranked(paper, 0.0), Lengths.of("full"), "full")
