"""A reader's new address: asked for on their own page, confirmed by a link that went to the new one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.errors import InvalidAddress
from digest.domain.phrase import phrase
from digest.domain.subscriber import Address, Subscription
from digest.links import CONFIRM_LIFETIME, Purpose
from digest.services.subscriptions.request_limits import Admission
from digest.web.forms import Form
from digest.web.manage import preferences_page
from digest.web.site import Site, client_of
from digest.web.subscribe import too_many

router = APIRouter()


@router.post("/manage/{token}/address")
async def ask(request: Request, token: str) -> Response:
    """Whether anybody knows the new address is looked up after the answer went out, as for a request to subscribe."""
    site = Site.of(request)
    sent = await Form.read(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    try:
        address = site.container.adapters.address(sent.values.get("email", ""))
    except InvalidAddress as error:
        sent.wrong["email"] = error.reason
    else:
        if address.text == subscription.address.text:
            sent.wrong["email"] = phrase("This is your address already.")
    if sent.wrong:
        return await run_in_threadpool(lambda: preferences_page(site, token, subscription, sent, status=400))
    subscriptions = site.container.subscriptions
    admitted = await run_in_threadpool(subscriptions.check_request_limits, address, client_of(request), site.clock())
    if refused := too_many(site, admitted, address):
        return refused
    answer = await run_in_threadpool(lambda: preferences_page(site, token, subscription, Form(), asked_address=address.text))
    if admitted.over is None:
        answer.background = BackgroundTask(_ask, site, subscription, address, admitted)
    return answer


def _ask(site: Site, subscription: Subscription, address: Address, admitted: Admission) -> None:
    if site.container.subscriptions.ask_address(subscription, address, site.clock(), admitted.mail_at):
        site.wake_sender()


@router.get("/address/{token}")
def confirming(request: Request, token: str) -> Response:
    """A button: whoever only looks (a scanner, a preview) confirms nothing."""
    site = Site.of(request)
    public_id = site.container.adapters.links.verify(Purpose.ADDRESS, token, site.clock())
    change, subscription = site.container.subscriptions.address_change(public_id)
    site.speak_to(subscription.preferences, site.list_of(subscription))
    return site.page(
        "address.html",
        list=site.list_of(subscription),
        token=token,
        address=change.address.text,
        stopped=site.stopped(change.address),
        days=CONFIRM_LIFETIME.days,
        done=False,
    )


@router.post("/address/{token}")
def confirmed(request: Request, token: str) -> Response:
    site = Site.of(request)
    public_id = site.container.adapters.links.verify(Purpose.ADDRESS, token, site.clock())
    subscription = site.container.subscriptions.confirm_address(public_id, site.clock())
    site.speak_to(subscription.preferences, site.list_of(subscription))
    site.wake_sender()
    address = subscription.address.text
    return site.page("address.html", list=site.list_of(subscription), address=address, stopped=None, done=True)
