"""Pages that anybody may read: the current edition, the archive, one edition."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from digest.domain.edition import Edition, PaperList
from digest.domain.errors import NotFound

if TYPE_CHECKING:
    from digest.wiring import Wiring

router = APIRouter(default_response_class=HTMLResponse)
ARCHIVED = 60


def _wiring(request: Request) -> Wiring:
    wiring: Wiring = request.app.state.wiring
    return wiring


@router.get("/")
def home(request: Request) -> str:
    """The newest edition of the first list."""
    wiring = _wiring(request)
    paper_list = wiring.paper_list(None)
    with wiring.store.read() as unit:
        newest = unit.editions.history(paper_list.name, 1)
    if not newest:
        return wiring.templates.render("web/waiting.html", list=paper_list)
    return _edition_page(wiring, paper_list, newest[0])


@router.get("/lists/{name}")
def archive(request: Request, name: str) -> str:
    wiring = _wiring(request)
    paper_list = wiring.paper_list(name)
    with wiring.store.read() as unit:
        editions = unit.editions.history(paper_list.name, ARCHIVED)
    return wiring.templates.render("web/archive.html", list=paper_list, editions=editions)


@router.get("/lists/{name}/{day}")
def edition(request: Request, name: str, day: str) -> str:
    wiring = _wiring(request)
    paper_list = wiring.paper_list(name)
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise NotFound(f"edition {day[:20]!r}", "dates are like 2026-05-27") from None
    with wiring.store.read() as unit:
        found = unit.editions.find(paper_list.name, wanted)
    if found is None:
        raise NotFound(f"edition of {wanted}", "none was made that day")
    return _edition_page(wiring, paper_list, found)


@router.get("/style.css")
def style(request: Request) -> Response:
    css = _wiring(request).templates.render("web/style.css")
    return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def _edition_page(wiring: Wiring, paper_list: PaperList, found: Edition) -> str:
    return wiring.templates.render("web/edition.html", list=paper_list, edition=wiring.press.view(found, paper_list))
