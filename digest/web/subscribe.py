"""A reader's way in: the form, the confirmation. The answer is the same whether or not an address is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.edition import PaperList
from digest.domain.errors import DigestError, InvalidAddress, NotFound
from digest.domain.interest import understand, written
from digest.domain.phrase import N_, phrase
from digest.domain.schedule import days_in_words
from digest.domain.subscriber import Address, Interests, Preferences, Subscription, SubscriptionState
from digest.links import CONFIRM_LIFETIME, Purpose
from digest.ranking.summary import summarised
from digest.render.edition.views import CardView, Lengths, card_view
from digest.services.subscriptions.request_limits import Admission, Scope
from digest.web.forms import Form, chosen_days, zones
from digest.web.manage import next_mail
from digest.web.search import asked
from digest.web.site import Site, client_of

router = APIRouter()
TOO_MANY = {
    Scope.NETWORK: (N_("Many requests came from your network. Please try again in an hour."), "3600"),
    Scope.DOMAIN: (N_("Very many requests came for addresses at %(domain)s. Please try again tomorrow."), "86400"),
}
log = structlog.get_logger("digest")


@router.get("/subscribe")
async def form(request: Request, list: str = "", interests: str = "") -> Response:  # noqa: A002 - the field's name in addresses
    """`interests` are written into the form: a search links here to be had by mail."""
    site = Site.of(request)
    try:
        paper_list = site.container.adapters.paper_list(list or None)
    except NotFound:
        paper_list = site.container.adapters.paper_list(None)
    sent = Form({"interests": asked(interests), "list": list} if interests else {"list": list})
    return _form(site, paper_list, sent, site.container.adapters.preferences(None, None))


@router.post("/subscribe")
async def ask(request: Request) -> Response:
    """Starts double opt-in: a confirmation is mailed, or nothing is, and the page does not tell which.

    Whether anybody knows the address is looked up after the answer went out, so not even the time it takes can tell.
    """
    site = Site.of(request)
    sent = await Form.read(request)
    paper_list = site.container.adapters.paper_list(sent.line("list") or None)
    preferences = sent.preferences(site.container.adapters.preferences(None, None))
    if site.language != paper_list.language:
        preferences = replace(preferences, language=site.language)
    understood = await run_in_threadpool(lambda: understand(sent.lines("interests")))
    if understood.rejected:
        sent.wrong["interests"] = understood.rejected[0]
    try:
        address = site.container.adapters.address(sent.values.get("email", ""))
    except InvalidAddress as error:
        sent.wrong["email"] = error.reason
    if sent.wrong:
        return _form(site, paper_list, sent, preferences, 400)
    admitted = await run_in_threadpool(
        site.container.subscriptions.check_request_limits, address, client_of(request), site.clock()
    )
    if refused := too_many(site, admitted, address):
        return refused
    answer = site.page(
        "asked.html", list=paper_list, email=address.text, domain=address.domain, confirm_days=CONFIRM_LIFETIME.days
    )
    if admitted.over is None:
        args = (address, paper_list, preferences, understood.interests, admitted.mail_at)
        answer.background = BackgroundTask(_ask, site, *args)
    return answer


def too_many(site: Site, admitted: Admission, address: Address) -> Response | None:
    """The page for who ran into a limit that may be told."""
    if admitted.over not in TOO_MANY:
        return None
    text, seconds = TOO_MANY[admitted.over]
    refused = site.refusal("/subscribe", 429, N_("Too many requests"), phrase(text, domain=address.domain))
    refused.headers["retry-after"] = seconds
    return refused


@router.post("/subscribe/preview")
async def preview(request: Request) -> Response:
    """What today's mail would have been for these interests. Nothing is kept of them."""
    site = Site.of(request)
    sent = await Form.read(request)
    paper_list = site.container.adapters.paper_list(sent.line("list") or None)
    preferences = sent.preferences(site.container.adapters.preferences(None, None))
    understood = await run_in_threadpool(lambda: understand(sent.lines("interests")))
    if understood.rejected or not understood.interests:
        sent.wrong["interests"] = understood.rejected[0] if understood.rejected else phrase("Say what you care about first.")
        return _form(site, paper_list, sent, preferences, 400)
    if not await run_in_threadpool(site.container.subscriptions.may_preview, client_of(request), site.clock()):
        text, seconds = TOO_MANY[Scope.NETWORK]
        refused = site.refusal("/subscribe", 429, "Too many requests", text)
        refused.headers["retry-after"] = seconds
        return refused
    shown = await run_in_threadpool(_preview, site, paper_list, understood.interests)
    return await run_in_threadpool(lambda: _form(site, paper_list, sent, preferences, preview=shown))


def _preview(site: Site, paper_list: PaperList, interests: Interests) -> list[CardView]:
    edition = site.container.editions.newest(paper_list, site.clock())
    if edition is None:
        return []
    found = site.container.editions.weighed(edition, interests)
    return [
        card_view(summarised(ranked), Lengths.of("compact"), "compact", edition.date, spoken=site.translation)
        for ranked, _ in found
    ]


def _ask(
    site: Site, address: Address, paper_list: PaperList, preferences: Preferences, interests: Interests, mail_at: datetime
) -> None:
    try:
        subscriptions = site.container.subscriptions
        step = subscriptions.request(address, paper_list.name, preferences, interests, site.clock(), mail_at)
    except DigestError as error:
        log.error("request not kept", reason=str(error))
        return
    if step.notice:
        site.wake_sender()


def _form(
    site: Site,
    paper_list: PaperList,
    sent: Form,
    preferences: Preferences,
    status: int = 200,
    preview: Sequence[CardView] | None = None,
) -> Response:
    site.speak_of(paper_list)
    return site.page(
        "subscribe.html",
        status,
        in_address={name: sent.line(name) for name in ("list", "interests") if sent.line(name)},
        list=paper_list,
        sent=sent,
        preferences=preferences,
        days=chosen_days(preferences, sent),
        zones=zones(),
        preview=preview,
    )


@router.get("/confirm/{token}")
def confirming(request: Request, token: str) -> Response:
    """A button: whoever only looks (a scanner, a preview) confirms nothing."""
    site = Site.of(request)
    subscription, preferences, interests = _requested(site, token)
    stopped = site.stopped(subscription.address)
    return site.page(
        "confirm.html",
        list=site.list_of(subscription),
        token=token,
        done=subscription.state is SubscriptionState.ACTIVE and not stopped,
        stopped=stopped,
        preferences=preferences,
        days=days_in_words(preferences.frequency, preferences.weekdays),
        descriptions=understand(written(interests)).descriptions,
    )


@router.post("/confirm/{token}")
def confirmed(request: Request, token: str) -> Response:
    site = Site.of(request)
    subscription, _, _ = _requested(site, token)
    step = site.container.subscriptions.confirm(subscription, "web form", site.clock())
    if step.notice:
        site.wake_sender()
    return site.page(
        "confirmed.html",
        list=site.list_of(subscription),
        stopped=site.stopped(subscription.address),
        welcomed=step.notice is not None,
        next_mail=next_mail(site, step.subscription, welcomed=True),
    )


def _requested(site: Site, token: str) -> tuple[Subscription, Preferences, Interests]:
    """The subscription that a link confirms, and what was asked for. Raises InvalidToken, NotFound."""
    request = site.container.adapters.links.verify(Purpose.CONFIRM, token, site.clock())
    found = site.container.subscriptions.requested(request)
    site.speak_to(found[1], site.list_of(found[0]))
    return found
