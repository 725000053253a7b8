"""What all pages share: the wired parts, the clock, the frame around a page, and the answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response

from digest.domain.edition import PaperList
from digest.domain.errors import NotFound
from digest.domain.feedback import LIFTED_BY_READER, SuppressionReason
from digest.domain.subscriber import Address, Subscription
from digest.links import Purpose
from digest.render.edition.views import SenderView, in_words
from digest.render.text.one_line import clean
from digest.services.editions.acknowledgements import acknowledgements
from digest.web.response_cache import Answer, ResponseCache

if TYPE_CHECKING:
    from digest.container import Container


STOPPED = {
    SuppressionReason.BOUNCE: "an email to it came back: the receiving server said that there is no such mailbox",
    SuppressionReason.SOFT_BOUNCES: "emails to it came back several days in a row",
    SuppressionReason.COMPLAINT: "an email to it was marked as spam",
    SuppressionReason.ASKED: "we were asked to send it no more email",
    SuppressionReason.OPERATOR: "we blocked it",
}
"""Why mail to an address is stopped, as a reader is told."""


class Site:
    """One for an application. `clock` gives aware instants; public pages are remade after `keep_seconds`."""

    def __init__(
        self, container: Container, clock: Callable[[], datetime], keep_seconds: float, wake_sender: Callable[[], None]
    ) -> None:
        self.container = container
        self.wake_sender = wake_sender
        """Says that a notice is due. No page talks to a relay: whoever delivers sends it."""
        self.clock = clock
        self.kept = ResponseCache(keep_seconds)
        self.kept_longer = ResponseCache(12 * keep_seconds)
        """For what takes long to make and changes slowly."""
        sender, links = container.adapters.sender, container.adapters.links
        self.root_path = links.root_path
        self._sender = SenderView(
            name=sender.name,
            home_url=links.base_url,
            postal_address=sender.postal_address,
            acknowledgements=acknowledgements(container.settings.source_kinds),
        )
        self.contact = (sender.reply_to or sender.address).text
        """Where somebody who reads the pages can write to."""

    @classmethod
    def of(cls, request: Request) -> Site:
        site: Site = request.app.state.site
        return site

    def render(self, template: str, **values: object) -> str:
        """A page in its frame. Raises TemplateError."""
        lists = self.container.adapters.lists
        return self.container.adapters.templates.render(
            f"web/{template}", root=self.root_path, lists=lists, site_name=lists[0].title, sender=self._sender, **values
        )

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page that is made for one request."""
        return HTMLResponse(self.render(template, **values), status)

    def refusal(self, path: str, status: int, title: str, text: str) -> Response:
        """No, with one line that says why: as a page, or as JSON to whoever asked the API at `path`."""
        if path.startswith("/api/"):
            return JSONResponse({"error": clean(text)}, status)
        return self.page("error.html", status, title=title, message=sentence(clean(text)))

    def subscription(self, purpose: Purpose, token: str) -> Subscription:
        """The one a link is for. Raises InvalidToken; NotFound where it was erased."""
        public_id = self.container.adapters.links.verify(purpose, token, self.clock())
        return self.container.subscriptions.linked(public_id, self.clock())

    def stopped(self, address: Address) -> Mapping[str, object] | None:
        """Why no mail goes to an address, in words; None where some does."""
        found = self.container.subscriptions.suppression(address)
        if found is None:
            return None
        lifted = found.reason in LIFTED_BY_READER
        return {"since": in_words(found.at.date()), "why": STOPPED[found.reason], "lifted": lifted, "contact": self.contact}

    def list_of(self, subscription: Subscription) -> PaperList:
        """Its list; one that is configured no more still has its name."""
        with suppress(NotFound):
            return self.container.adapters.paper_list(subscription.list)
        return PaperList(name=subscription.list, title=subscription.list)

    async def public(
        self, request: Request, key: str, make: Callable[[], Answer], cache: ResponseCache | None = None
    ) -> Response:
        """An answer that is the same for everybody: the kept one, or made in a thread (it reads the store) and kept."""
        kept = cache or self.kept
        answer = kept.fresh(key)
        if answer is None:
            answer = await run_in_threadpool(kept.get, key, make)
        return answer.to(request)


def client_of(request: Request) -> str:
    """The address a request comes from, which limits count by."""
    return request.client.host if request.client else "unknown"


def attachment(text: str, media_type: str, name: str) -> Response:
    """What a browser saves under a name."""
    return Response(text, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def sentence(text: str) -> str:
    """The line of an error, as people write."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
