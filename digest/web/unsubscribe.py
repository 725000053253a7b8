"""A reader's way out, and what they say about a paper: pages with one button, because links are opened by more than readers."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.domain.errors import NotFound
from digest.domain.phrase import phrase
from digest.domain.subscriber import SubscriptionState
from digest.links import Purpose
from digest.render.text.latex import readable
from digest.services.subscriptions.subscribe import Step
from digest.web.forms import Form
from digest.web.manage import masked
from digest.web.search import card
from digest.web.site import Site

router = APIRouter()

WHY = {"often": "too many emails", "off-topic": "not relevant to me", "other": "another reason"}
"""As it is kept, in English."""
CHOICES = {"often": phrase("Too many emails"), "off-topic": phrase("Not relevant to me"), "other": phrase("Another reason")}


@router.get("/unsubscribe/{token}")
def leaving(request: Request, token: str) -> Response:
    site = Site.of(request)
    subscription = site.subscription(Purpose.UNSUBSCRIBE, token)
    ended = subscription.state is SubscriptionState.ENDED
    return site.page(
        "unsubscribe.html",
        list=site.list_of(subscription),
        address=masked(subscription.address.text),
        token=token,
        ended=ended,
        why=CHOICES,
    )


@router.post("/unsubscribe/{token}")
async def left(request: Request, token: str) -> Response:
    """RFC 8058: no cookie, no redirect, any body, any number of times; from the commit on nothing queued is sent either.

    Whoever is not there any more has what they want too, so that is no error.
    """
    site = Site.of(request)
    sent = Form()
    with suppress(HTTPException):  # a body we cannot read does not keep anybody in
        sent = await Form.read(request)
    one_click = sent.line("List-Unsubscribe").lower() == "one-click"
    why = WHY.get(sent.line("why"))
    reason = "unsubscribed with one click" if one_click else "unsubscribed on the web" + (f": {why}" if why else "")
    step = await run_in_threadpool(_end, site, token, reason)
    if step and step.notice:
        site.wake_sender()
    return site.page("unsubscribed.html")


def _end(site: Site, token: str, reason: str) -> Step | None:
    try:
        subscription = site.subscription(Purpose.UNSUBSCRIBE, token)
        return site.container.subscriptions.end(subscription, reason, site.clock())
    except NotFound:
        return None


@router.post("/unsubscribe/{token}/link")
def link_from_unsubscribing(request: Request, token: str) -> Response:
    return _mail_link(Site.of(request), Purpose.UNSUBSCRIBE, token)


@router.post("/feedback/{token}/link")
def link_from_feedback(request: Request, token: str) -> Response:
    return _mail_link(Site.of(request), Purpose.FEEDBACK, token)


def _mail_link(site: Site, purpose: Purpose, token: str) -> Response:
    """The link to all that we hold goes to the reader's own mailbox: whoever has this weaker one may be somebody else."""
    subscription = site.subscription(purpose, token)
    step = site.container.subscriptions.send_link(subscription, site.clock())
    address = masked(subscription.address.text)
    answer = site.page(
        "link_sent.html", address=address, sent=step.notice is not None, stopped=site.stopped(subscription.address)
    )
    if step.notice:
        site.wake_sender()
    return answer


@router.get("/more/{token}/{identifier:path}")
def more(request: Request, token: str, identifier: str) -> Response:
    return _asking(Site.of(request), token, identifier, like=True)


@router.get("/less/{token}/{identifier:path}")
def less(request: Request, token: str, identifier: str) -> Response:
    return _asking(Site.of(request), token, identifier, like=False)


@router.post("/more/{token}/{identifier:path}")
async def liked(request: Request, token: str, identifier: str) -> Response:
    return await _reacted(request, token, identifier, like=True)


@router.post("/less/{token}/{identifier:path}")
async def disliked(request: Request, token: str, identifier: str) -> Response:
    return await _reacted(request, token, identifier, like=False)


def _asking(site: Site, token: str, identifier: str, *, like: bool) -> Response:
    site.subscription(Purpose.FEEDBACK, token)
    paper = site.container.papers.paper(identifier)
    authors = [(author, readable(author)) for author in paper.authors[:10]]
    return site.page(
        "react.html",
        card=card(paper, site.translation),
        like=like,
        other=_other(site, token, identifier, like=like),
        authors=authors,
    )


def _other(site: Site, token: str, identifier: str, *, like: bool) -> str:
    """Where the opposite is posted."""
    return f"{site.root_path}/{'less' if like else 'more'}/{token}/{quote(identifier, safe='/:')}"


async def _reacted(request: Request, token: str, identifier: str, *, like: bool) -> Response:
    site = Site.of(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.FEEDBACK, token)
    sent = await Form.read(request)
    author, words = sent.line("mute_author"), sent.line("mute_words")
    liking = None if author or words else like
    await run_in_threadpool(
        lambda: site.container.subscriptions.react(subscription, identifier, like=liking, mute_author=author, mute_words=words)
    )
    if author:
        done = phrase("We’ll hide papers by %(name)s from the next email on.", name=author)
    elif words:
        done = phrase("We’ll hide papers about %(words)s from the next email on.", words=words)
    elif like:
        done = phrase("You’ll see more papers like this from the next email on.")
    else:
        done = phrase("You’ll see fewer papers like this from the next email on.")
    other = "" if author or words else _other(site, token, identifier, like=like)
    return site.page("reacted.html", like=like, done=done, other=other, token=token)


@router.get("/unsubscribe/stop/{token}")
def stopping(request: Request, token: str) -> Response:
    """The way out of a mail that was sent once, to an address without a subscription: no more mail to it, whatever the list."""
    site = Site.of(request)
    site.container.adapters.links.verify_stop(token)
    return site.page("stop.html", token=token, stopped=False)


@router.post("/unsubscribe/stop/{token}")
async def stopped(request: Request, token: str) -> Response:
    """RFC 8058, as for subscriptions: any body, any number of times."""
    site = Site.of(request)
    hashed = site.container.adapters.links.verify_stop(token)
    await run_in_threadpool(site.container.subscriptions.stop, hashed, site.clock())
    return site.page("stop.html", token=token, stopped=True)
