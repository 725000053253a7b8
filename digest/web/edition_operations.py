"""/admin/editions/…: an edition that is on its way or went out, and what an operator can still do about it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.edition import Edition
from digest.domain.errors import DigestError, InvalidInput
from digest.web.forms import Form
from digest.web.operator_auth import require_operator
from digest.web.site import Site

router = APIRouter(prefix="/admin/editions", dependencies=[Depends(require_operator)])


@router.get("/{name}/{day}")
def shown(request: Request, name: str, day: str) -> Response:
    """Where its copies are, and the three doors: cancel, correct, send again."""
    return _page(Site.of(request), f"{name}/{day}")


@router.post("/{name}/{day}")
async def act(request: Request, name: str, day: str) -> Response:
    """Does what the form's `action` names; doing it twice is as good as once."""
    site = Site.of(request)
    sent = await Form.read(request)
    named = f"{name}/{day}"
    try:
        return _page(site, named, await run_in_threadpool(_done, site, sent, named))
    except DigestError as error:
        return _page(site, named, str(error), 400)


def _done(site: Site, sent: Form, named: str) -> str:
    container, now = site.container, site.clock()
    edition = container.editions.edition_named(named)
    match sent.line("action"):
        case "cancel":
            return f"Cancelled. Deliveries withheld: {container.operations.cancel(edition, sent.line('reason')).withheld}."
        case "correct":
            return f"Corrections queued: {container.operations.correct(edition, sent.lines('text'), now).queued}."
        case "redeliver":
            again = container.operations.redeliver(edition, now, reinstate=bool(sent.line("reinstate")))
            return f"Deliveries queued again: {again.queued}."
    raise InvalidInput("action", "should be cancel, correct or redeliver")


def _page(site: Site, named: str, text: str = "", code: int = 200) -> Response:
    edition: Edition = site.container.editions.edition_named(named)
    delivery_counts = site.container.operations.delivery_counts(edition)
    paper_list = site.container.adapters.paper_list(edition.list)
    return site.page("undo.html", code, edition=edition, paper_list=paper_list, delivery_counts=delivery_counts, message=text)
