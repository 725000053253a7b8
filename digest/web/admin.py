"""/admin for the operator: what is going on, who comes and goes, a look at the mail, a test send, pausing a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest.domain.delivery import DeliveryState
from digest.domain.edition import Edition, PaperList
from digest.domain.errors import DigestError, InvalidInput
from digest.domain.instant import isoformat
from digest.mail.inbound.message_parts import parts_of
from digest.render.text.one_line import clean
from digest.web.forms import Form
from digest.web.operator_auth import require_operator
from digest.web.pages import Period, find_edition
from digest.web.plots import Plot, days_plot, growth_plot
from digest.web.site import Site

router = APIRouter(prefix="/admin", dependencies=[Depends(require_operator)])

EDITIONS = 10
PLOTTED = timedelta(days=60)
BACK = {
    "hard": "Hard bounces",
    "soft": "Soft bounces",
    "complaint": "Complaints",
    "sender": "Rejections caused by our server",
}
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Progress:
    """An edition and where its deliveries are: (state, how many), those there are."""

    edition: Edition
    states: tuple[tuple[str, int], ...]
    done: int
    """Of a hundred."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The form that takes an action back: what is posted to which of our paths."""

    path: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Managed:
    """A list as its operator sees it."""

    paper_list: PaperList
    paused: str | None
    readers: int
    editions: tuple[Progress, ...]


@router.get("")
def overview(request: Request) -> Response:
    return _page(Site.of(request))


@router.get("/mail/{name}/{day}")
def mail(request: Request, name: str, day: str) -> Response:
    """The mail of an edition as a stranger would get it."""
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(name)
    edition = find_edition(site, paper_list, Period.read(day))
    html, _ = parts_of(site.container.editions.preview(edition, paper_list, None, site.clock()).data)
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


@router.post("/test")
async def test_send(request: Request) -> Response:
    """Sends the newest edition to one address now."""
    site = Site.of(request)
    sent = await Form.read(request)

    def send() -> str:
        paper_list, now = site.container.adapters.paper_list(sent.line("list") or None), site.clock()
        address = site.container.adapters.address(sent.values.get("email", ""))
        newest = site.container.editions.newest(paper_list, now)
        if newest is None:
            raise InvalidInput("list", f"{paper_list.name} has no edition yet")
        (result,) = site.container.delivery.send(paper_list, newest.date, [address], now, dry_run=False)
        return f"{result.to}: {result.state} {result.reply}"

    try:
        return _page(site, await run_in_threadpool(send))
    except DigestError as error:
        return _page(site, str(error), 400)


@router.post("/pause")
async def pause(request: Request) -> Response:
    """Pauses a list (with a reason), or resumes it."""
    site = Site.of(request)
    sent = await Form.read(request)
    name, reason = site.container.adapters.paper_list(sent.line("list")).name, sent.line("reason") or "paused by the operator"

    def act() -> None:
        if sent.line("action") == "resume":
            site.container.operations.resume([name])
        else:
            site.container.operations.pause([name], reason, site.clock())

    await run_in_threadpool(act)
    return RedirectResponse(f"{site.root_path}/admin", 303)


@router.post("/review")
async def review(request: Request) -> Response:
    """Accepts refusals that were held in the same words, or undoes them; what was accepted can be undone."""
    site = Site.of(request)
    sent = await Form.read(request)
    reply, action = sent.values.get("reply", ""), sent.line("action")

    def act() -> tuple[str, Undo | None]:
        operations = site.container.operations
        if action == "accept":
            readers = sum(len(each.addresses) for each in operations.accept_held(reply, exact=True))
            undo = Undo("review", {"reply": reply, "action": "undo"}) if readers else None
            return f"Accepted. Addresses blocked: {readers}.", undo
        if action == "undo":
            _, queued = operations.undo_held(site.clock(), reply, exact=True)
            return f"Undone. Emails queued again: {queued}.", None
        raise InvalidInput("action", "should be accept or undo")

    try:
        message, undo = await run_in_threadpool(act)
    except DigestError as error:
        return _page(site, str(error), 400)
    return _page(site, message, undo=undo)


@router.post("/reader")
async def reader(request: Request) -> Response:
    """Why an address is emailed, or not. By POST: an address of a page is written to logs."""
    site = Site.of(request)
    sent = await Form.read(request)

    def look() -> Response:
        found = site.container.monitoring.explain(site.container.adapters.address(sent.values.get("email", "")), site.clock())
        titles = {each.name: each.title for each in site.container.adapters.lists}
        return site.page("reader.html", found=found, titles=titles)

    try:
        return await run_in_threadpool(look)
    except DigestError as error:
        return _page(site, str(error), 400)


def _page(site: Site, message: str = "", code: int = 200, undo: Undo | None = None) -> Response:
    container, now = site.container, site.clock()
    record = container.monitoring.status(now)
    managed = [_managed(site, paper_list) for paper_list in container.adapters.lists]
    underway = any(record["outbox"].get(state, 0) for state in (DeliveryState.QUEUED, DeliveryState.CLAIMED))
    plots = _plots(site, now.date())
    return site.page(
        "admin.html",
        code,
        overview=record,
        managed=managed,
        held=container.operations.held(),
        sources=_sources(site),
        plots=plots,
        message=clean(message),
        undo=undo,
        underway=underway,
        now=now,
    )


def _sources(site: Site) -> list[dict[str, Any]]:
    """Each source with when it was well last and is asked next."""
    planned = site.container.papers.next_collects()
    found = []
    for each in site.container.monitoring.sources():
        health, following = each.health, planned.get(each.name)
        times = (each.last_news, each.last_good, following and isoformat(following))
        problem = health.get("error") or ("Stale: no new papers" if health.get("stale") else "")
        found.append({"name": each.name, "problem": problem, "asked": bool(health), "times": times})
    return found


def _managed(site: Site, paper_list: PaperList) -> Managed:
    seen = site.container.monitoring.overview(paper_list, EDITIONS)
    progress = tuple(_progress(edition, tally) for edition, tally in seen.editions)
    return Managed(paper_list, seen.paused, seen.readers, progress)


def _progress(edition: Edition, tally: Mapping[DeliveryState, int]) -> Progress:
    total = sum(tally.values())
    open_ = tally.get(DeliveryState.QUEUED, 0) + tally.get(DeliveryState.CLAIMED, 0)
    states = tuple((str(state), count) for state, count in tally.items() if count)
    return Progress(edition, states, round(100 * (total - open_) / total) if total else 0)


def _plots(site: Site, today: date) -> list[Plot]:
    """How the readership grew and shrank, and what came back."""
    seen = site.container.monitoring.readership(site.clock() - PLOTTED)
    growth = growth_plot("Subscribers", seen.readers, seen.confirmed, seen.ended, today)
    plots = [growth, days_plot("New subscribers", seen.confirmed, today), days_plot("Unsubscribed", seen.ended, today)]
    kinds = dict.fromkeys(("hard", "soft", "complaint", *seen.returned))
    plots += [days_plot(BACK.get(kind, f"Returned, {kind}"), seen.returned.get(kind, {}), today) for kind in kinds]
    return plots + [days_plot(f"Blocked: {why}", counts, today) for why, counts in seen.suppressed.items()]


# ---- an edition that is on its way or went out, and what can still be done about it ------------------------------------------


@router.get("/editions/{name}/{day}")
def edition(request: Request, name: str, day: str) -> Response:
    """Where its copies are, and the three doors: cancel, correct, send again."""
    return _edition_page(Site.of(request), f"{name}/{day}")


@router.post("/editions/{name}/{day}")
async def act_on_edition(request: Request, name: str, day: str) -> Response:
    """Does what the form's `action` names; doing it twice is as good as once."""
    site = Site.of(request)
    sent = await Form.read(request)
    named = f"{name}/{day}"
    try:
        return _edition_page(site, named, await run_in_threadpool(_acted, site, sent, named))
    except DigestError as error:
        return _edition_page(site, named, str(error), 400)


def _acted(site: Site, sent: Form, named: str) -> str:
    container, now = site.container, site.clock()
    found = container.editions.edition_named(named)
    match sent.line("action"):
        case "cancel":
            return f"Cancelled. Deliveries withheld: {container.operations.cancel(found, sent.line('reason')).withheld}."
        case "correct":
            return f"Corrections queued: {container.operations.correct(found, sent.lines('text'), now).queued}."
        case "redeliver":
            again = container.operations.redeliver(found, now, reinstate=bool(sent.line("reinstate")))
            return f"Deliveries queued again: {again.queued}."
    raise InvalidInput("action", "should be cancel, correct or redeliver")


def _edition_page(site: Site, named: str, text: str = "", code: int = 200) -> Response:
    found = site.container.editions.edition_named(named)
    delivery_counts = site.container.operations.delivery_counts(found)
    paper_list = site.container.adapters.paper_list(found.list)
    return site.page("undo.html", code, edition=found, paper_list=paper_list, delivery_counts=delivery_counts, message=text)
