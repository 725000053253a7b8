"""Saved papers: by the link on each card of a mail, listed behind the reader's own link, and taken along.

Links are opened by more than readers, so opening one saves nothing: its page has a button.
"""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from digest.domain.instant import isoformat
from digest.domain.paper import Paper
from digest.domain.phrase import phrase
from digest.links import Purpose
from digest.render.text.latex import readable
from digest.web.feeds import bibliography
from digest.web.forms import Form
from digest.web.search import card
from digest.web.site import Site, attachment

router = APIRouter()

PER_PAGE = 50
_LONGEST_PAGE = 4


@router.get("/save/{token}/{identifier:path}")
def asking(request: Request, token: str, identifier: str) -> Response:
    site = Site.of(request)
    site.subscription(Purpose.FEEDBACK, token)
    return site.page("save.html", card=card(site.container.papers.paper(identifier), site.translation), token=token, done=None)


@router.post("/save/{token}/{identifier:path}")
async def save(request: Request, token: str, identifier: str) -> Response:
    """Saves it; with `remove`, takes it off again."""
    site = Site.of(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.FEEDBACK, token)
    sent = await Form.read(request)
    paper = await run_in_threadpool(site.container.papers.paper, identifier)
    remove, libraries = sent.line("remove") == "yes", site.container.libraries
    if remove:
        await run_in_threadpool(libraries.remove_saved, subscription.id, [identifier])
    else:
        await run_in_threadpool(libraries.save_paper, subscription.id, identifier, site.clock())
    return site.page("save.html", card=card(paper, site.translation), token=token, done="removed" if remove else "saved")


@router.get("/manage/{token}/saved")
def saved(request: Request, token: str, page: str = "") -> Response:
    """Page by page, the newest first."""
    site = Site.of(request)
    return _page(site, token, _page_number(page))


@router.post("/manage/{token}/saved")
async def change(request: Request, token: str) -> Response:
    """Saves the paper in `save`, from a past issue, and takes those in `forget` off."""
    site = Site.of(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    sent = await Form.read(request)
    if identifier := sent.line("save"):
        paper = await run_in_threadpool(site.container.libraries.save_paper, subscription.id, identifier, site.clock())
        return await run_in_threadpool(lambda: _page(site, token, 1, phrase("Saved: %(title)s", title=readable(paper.title))))
    await run_in_threadpool(site.container.libraries.remove_saved, subscription.id, sent.forgotten)
    return RedirectResponse(f"{site.root_path}/manage/{token}/saved", 303)


def _page(site: Site, token: str, number: int, message: str = "") -> Response:
    subscription = site.subscription(Purpose.MANAGE, token)
    shown, count = site.container.libraries.saved_papers(subscription.id, PER_PAGE, PER_PAGE * (number - 1))
    return site.page(
        "saved.html",
        list=site.list_of(subscription),
        token=token,
        message=message,
        in_address={"page": f"{number}"} if number > 1 else {},
        papers=[(card(paper, site.translation), at.date()) for paper, at in shown],
        count=count,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if count > PER_PAGE * number else None,
    )


@router.get("/manage/{token}/saved.bib")
def as_bibtex(request: Request, token: str) -> Response:
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    papers, _ = site.container.libraries.saved_papers(subscription.id)
    return attachment(bibliography(paper for paper, _ in papers), "application/x-bibtex; charset=utf-8", "saved-papers.bib")


@router.get("/manage/{token}/saved.json")
def as_json(request: Request, token: str) -> Response:
    """The fields that papers have wherever they are imported or exported."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    papers, _ = site.container.libraries.saved_papers(subscription.id)
    rows = [{**_record(paper), "saved_at": isoformat(at)} for paper, at in papers]
    return attachment(json.dumps(rows, indent=2, ensure_ascii=False), "application/json; charset=utf-8", "saved-papers.json")


def _record(paper: Paper) -> dict[str, object]:
    doi = next((each.value for each in paper.identifiers if each.scheme == "doi"), "")
    record: dict[str, object] = {
        "id": str(paper.identifier),
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": list(paper.authors),
        "published_at": isoformat(paper.published_at) if paper.published_at else "",
        "categories": list(paper.categories),
        "url": paper.url,
        "code_url": paper.code_url,
        "doi": doi,
        "venue": paper.venue,
    }
    return {name: value for name, value in record.items() if value}


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_PAGE else 1
