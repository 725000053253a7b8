"""/api/v1: papers, search, trending, lists and editions for everybody; subscriptions for the operator's programs.

An application of its own inside the pages', so that its OpenAPI document holds nothing else. Errors are JSON: {"error": "…"}.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from digest.domain.edition import Edition, PaperList
from digest.domain.errors import DigestError, InvalidInput, NotFound
from digest.domain.paper import Paper, Ranked
from digest.domain.schedule import Frequency, format_weekdays
from digest.domain.search_result import Match
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.web import api_subscriptions
from digest.web.operator_auth import require_operator
from digest.web.response_cache import Answer, ResponseCache
from digest.web.search import asked, must_ask
from digest.web.site import Site

router = APIRouter()

ListName = Annotated[str, Path(max_length=100, description="A list's name, as /lists gives it")]
Limit = Annotated[int, Query(ge=1, le=100)]
KEPT_SECONDS = 60.0
"""A ranking reads a week of papers with their signals: asked for by many, it is made once a minute."""


TOKEN = HTTPBearer(scheme_name="operator", description="The token of web.admin_token", auto_error=False)
"""Only told of in the OpenAPI document: `require_operator` does the asking, and takes Basic too."""


class Error(BaseModel):
    error: str


class PaperOut(BaseModel):
    """A paper, in the words of the papers JSONL format."""

    id: str
    identifiers: list[str]
    title: str
    abstract: str
    authors: list[str]
    published_at: datetime | None
    first_seen_at: datetime
    categories: list[str]
    url: str
    pdf_url: str
    code_url: str
    summary: str
    summary_by: str
    venue: str

    @classmethod
    def of(cls, paper: Paper) -> PaperOut:
        return cls(
            id=str(paper.identifier),
            identifiers=[str(each) for each in paper.identifiers],
            title=readable(paper.title),
            abstract=readable(paper.abstract),
            authors=[readable(author) for author in paper.authors],
            published_at=paper.published_at,
            first_seen_at=paper.first_seen_at,
            categories=list(paper.categories),
            url=paper.url,
            pdf_url=paper.pdf_url,
            code_url=paper.code_url,
            summary=readable(paper.summary.text) if paper.summary else "",
            summary_by=paper.summary.provenance if paper.summary else "",
            venue=readable(paper.venue),
        )


class Found(BaseModel):
    id: str
    title: str
    score: float


class Searched(Found):
    """A paper that a search found."""

    authors: list[str]
    date: str
    """When it was published, or first seen: "2026-11-30"."""
    votes: int | None
    """Upvotes when they were counted last; null where nobody counted."""
    sentence: str
    """The one of the abstract that holds most of the words."""
    missing: list[str]
    """Words of the query that the paper does not hold; empty: it holds all that was asked for."""

    @classmethod
    def of(cls, match: Match) -> Searched:
        paper = match.paper
        return cls(
            id=str(paper.identifier),
            title=readable(paper.title),
            score=round(match.score, 6),
            authors=[readable(author) for author in paper.authors],
            date=f"{paper.published_at or paper.first_seen_at:%Y-%m-%d}",
            votes=match.votes,
            sentence=readable(match.sentence),
            missing=list(match.missing),
        )


class Trending(BaseModel):
    id: str
    title: str
    url: str
    score: float
    reasons: list[str]

    @classmethod
    def of(cls, ranked: Ranked) -> Trending:
        paper, reasons = ranked.paper, [readable(reason.text) for reason in ranked.reasons]
        title, score = readable(paper.title), round(ranked.score, 6)
        return cls(id=str(paper.identifier), title=title, url=paper.url, score=score, reasons=reasons)


class Pick(Trending):
    rank: int


class ListOut(BaseModel):
    name: str
    title: str
    description: str
    cutoff: str
    timezone: str
    weekdays: str
    frequency: Frequency
    picks: int

    @classmethod
    def of(cls, each: PaperList) -> ListOut:
        return cls(
            name=each.name,
            title=each.title,
            description=each.description,
            cutoff=f"{each.cutoff:%H:%M}",
            timezone=each.timezone,
            weekdays=format_weekdays(each.weekdays),
            frequency=each.frequency,
            picks=each.picks,
        )


class EditionOut(BaseModel):
    list: str
    date: date
    edition: str
    """Its own name: a day may have several."""
    cutoff: datetime
    frequency: Frequency
    picks: Sequence[Pick]
    notes: Sequence[str]
    content_hash: str

    @classmethod
    def of(cls, edition: Edition) -> EditionOut:
        picks = [Pick(rank=pick.rank, **Trending.of(pick.ranked).model_dump()) for pick in edition.picks]
        return cls(
            list=edition.list,
            date=edition.date,
            edition=edition.slug,
            cutoff=edition.cutoff,
            frequency=edition.frequency,
            picks=picks,
            notes=[*edition.notes],
            content_hash=edition.content_hash,
        )


@router.get("/papers/{identifier:path}/similar")
def similar(request: Request, identifier: Annotated[str, Path(max_length=500)], limit: Limit = 20) -> list[Found]:
    """The papers most like one, best first; `score` is their likeness, from 0 to 1."""
    alike = Site.of(request).container.papers.similar(identifier, limit)
    return [Found(id=str(paper.identifier), title=readable(paper.title), score=round(score, 6)) for paper, score in alike]


@router.get("/papers/{identifier:path}")
def paper(request: Request, identifier: Annotated[str, Path(max_length=500)]) -> PaperOut:
    """One paper, by an arXiv id, a DOI or `source:key`."""
    return PaperOut.of(Site.of(request).container.papers.paper(identifier))


@router.get("/search")
def search(request: Request, q: Annotated[str, Query(max_length=1000)], limit: Limit = 20) -> list[Searched]:
    """Papers that hold every word, best first; then those that come nearest, each with the words that are `missing`.

    Also "a phrase", author:, cat:, since:, until:, source: and like: (similar papers). A minus leaves out what follows it.
    """
    query = asked(q)
    must_ask(query)
    return [Searched.of(match) for match in Site.of(request).container.papers.search(query, limit).matches]


@router.get("/trending", response_model=list[Trending])
async def trending(request: Request, list: str | None = None, limit: Limit = 20) -> Response:  # noqa: A002 - as in the contract
    """The ranking of a list (default: the first one) now."""
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(list)

    def make() -> Answer:
        ranked = site.container.papers.ranking(paper_list, site.clock())[:limit]
        return _json([Trending.of(each) for each in ranked])

    kept: ResponseCache = request.app.state.kept
    return (await run_in_threadpool(kept.get, f"{paper_list.name}/{limit}", make)).to(request)


def _json(models: list[Trending]) -> Answer:
    body = "[" + ",".join(model.model_dump_json() for model in models) + "]"
    return Answer.of(body, "application/json", max_age=int(KEPT_SECONDS))


@router.get("/lists")
def lists(request: Request) -> list[ListOut]:
    """What one can subscribe to."""
    return [ListOut.of(each) for each in Site.of(request).container.adapters.lists]


@router.get("/lists/{name}/editions")
def editions(request: Request, name: ListName, before: date | None = None, limit: Limit = 10) -> list[EditionOut]:
    """The last of each day, newest first; `before` (not included) pages on."""
    container = Site.of(request).container
    paper_list = container.adapters.paper_list(name)
    return [EditionOut.of(each) for each in container.editions.history(paper_list, limit, before)]


@router.get("/lists/{name}/editions/{day}")
def edition(
    request: Request, name: ListName, day: Annotated[str, Path(pattern=r"^\d{4}-\d\d-\d\d(T\d{4}(-weekly|-monthly)?)?$")]
) -> EditionOut:
    """The last edition of one day (2026-11-30), or one of several (2026-11-30T1100)."""
    container = Site.of(request).container
    paper_list = container.adapters.paper_list(name)
    found = container.editions.published(paper_list, day)
    if found is None:
        raise NotFound(f"edition of {paper_list.name} for {day}")
    return EditionOut.of(found)


def create_api(site: Site, keep_seconds: float = KEPT_SECONDS) -> FastAPI:
    """The application to mount at /api/v1."""
    api = FastAPI(
        title=f"{site.container.adapters.lists[0].title} API",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={status: {"model": Error} for status in (400, 404, 413, 422, 500, 503)},
    )
    api.state.site = site
    api.state.kept = ResponseCache(keep_seconds)
    api.include_router(router)
    operators = [Security(TOKEN), Depends(require_operator)]
    api.include_router(
        api_subscriptions.router, dependencies=operators, responses={status: {"model": Error} for status in (401, 429)}
    )
    api.add_exception_handler(DigestError, _explained)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(Exception, _broken)
    return api


def _explained(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in ((InvalidInput, 400), (NotFound, 404)) if isinstance(error, kind)), 503)
    return JSONResponse({"error": clean(str(error)) if status != 503 else "out of order just now"}, status)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "this did not work just now; try again in a minute"}, 500)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"error": f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"}, 422)
