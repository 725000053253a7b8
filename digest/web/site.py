"""What all pages share: the wired parts, the clock, the frame around a page, and the answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from digest.domain.edition import PaperList
from digest.domain.errors import NotFound
from digest.domain.feedback import LIFTED_BY_READER, SuppressionReason
from digest.domain.phrase import N_, phrase
from digest.domain.subscriber import Address, Preferences, Subscription
from digest.links import Purpose
from digest.render.edition.acknowledgements import acknowledgements
from digest.render.edition.views import SenderView
from digest.render.text.one_line import clean
from digest.translation import Translation, translation
from digest.web.language import OFFERED, of_browser
from digest.web.response_cache import Answer, ResponseCache

if TYPE_CHECKING:
    from digest.container import Container


ENGLISH = "en"
_ENDS = (".", "?", "!", "。", "？", "！")
STOPPED = {
    SuppressionReason.BOUNCE: N_(
        "We stopped all email to this address on %(since)s, because an email to it came back: the receiving server said that"
        " there is no such mailbox."
    ),
    SuppressionReason.SOFT_BOUNCES: N_(
        "We stopped all email to this address on %(since)s, because emails to it came back several days in a row."
    ),
    SuppressionReason.COMPLAINT: N_(
        "We stopped all email to this address on %(since)s, because an email to it was marked as spam."
    ),
    SuppressionReason.ASKED: N_(
        "We stopped all email to this address on %(since)s, because we were asked to send it no more email."
    ),
    SuppressionReason.OPERATOR: N_("We stopped all email to this address on %(since)s, because we blocked it."),
}
"""Why mail to an address is stopped, as a reader is told."""


class Site:
    """One for an application, and a copy of it for each request, in that one's language. `clock` gives aware instants; public
    pages are remade after `keep_seconds`.
    """

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
        """What stands before every path of ours, with the language that the address of a page asks for."""
        self.language = ENGLISH
        self.varies = False
        """Whether the language is by what the browser says."""
        self._is_readers = False
        """Whether the language is a reader's choice."""
        self._is_lists = False
        """Whether nobody asks for a language."""
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
        return site.asked_by(request.scope)

    def asked_by(self, scope: Scope) -> Site:
        """A copy that answers a request. What operators and programs read is in English."""
        site = copy(self)
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        if path.startswith(("/admin", "/api/")):
            return site
        if named := scope.get("language"):
            site.language, site.root_path = named, f"{self.root_path}/{named}"
            return site
        asked = of_browser(Headers(scope=scope).get("accept-language", ""))
        site.language, site.varies = asked or self.container.adapters.lists[0].language, True
        site._is_lists = asked is None
        return site

    def speak_to(self, preferences: Preferences, paper_list: PaperList | None = None) -> None:
        """In the language that a reader chose; else where the browser asks for none, in that of the list."""
        if preferences.language:
            self.language, self.varies, self._is_readers, self._is_lists = preferences.language, False, True, False
        elif paper_list:
            self.speak_of(paper_list)

    def speak_of(self, paper_list: PaperList) -> None:
        """In the list's language, where nobody asks for another."""
        if self._is_lists:
            self.language = paper_list.language

    @property
    def translation(self) -> Translation:
        return translation(self.language)

    def render(self, template: str, in_address: Mapping[str, str] = {}, **values: Any) -> str:
        """A page in its frame, in its language. `in_address` is what its address says besides. Raises TemplateError."""
        lists = self.container.adapters.lists
        frame = {
            "root": self.root_path,
            "lists": lists,
            "site_name": lists[0].title,
            "sender": self._sender,
            "sentence": self.sentence,
            "legal": self.legal,
            "languages": () if self._is_readers else OFFERED.items(),
            "in_language": lambda name: f"?{urlencode({**in_address, 'lang': name})}",
            "of_papers": self._marked(ENGLISH),
            "marked": self._marked,
            "of_page": self._marked(self.language) if self.language != ENGLISH else "",
            "of_legal": self._marked(self._legal_language) if self._legal_language != self.language else "",
        }
        return self.container.adapters.templates.in_language(self.language).render(f"web/{template}", **frame, **values)

    def _marked(self, language: str) -> Markup:
        """The attributes of text in another language than the page's."""
        if language == self.language == ENGLISH:
            return Markup("")
        direction, of_page = translation(language).direction, self.translation.direction
        turned = f' dir="{direction}"' if "rtl" in (direction, of_page) else ""
        return Markup(f' lang="{language}"{turned}')  # noqa: S704 - both are ours

    @property
    def _legal_language(self) -> str:
        """Of the words that readers agree to: the page's only where the operator has approved the translation."""
        return self.language if self.language in self.container.settings.web.translations_approved else ENGLISH

    def legal(self, template: str, **values: Any) -> Markup:
        """Words that readers agree to."""
        site = copy(self)
        site.language = self._legal_language
        return Markup(site.render(template, **values).strip())  # noqa: S704 - a template's

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page that is made for one request."""
        return HTMLResponse(self.render(template, **values), status, self._language_headers())

    def answer(self, template: str, max_age: int = 60, **values: Any) -> Answer:
        """A page that is the same for everybody who asks in its language."""
        return Answer.of(self.render(template, **values), max_age=max_age, headers=self._language_headers())

    def _language_headers(self) -> dict[str, str]:
        return {"Content-Language": self.language, **({"Vary": "Accept-Language"} if self.varies else {})}

    def sentence(self, text: str) -> str:
        """A line, in the page's language, as people write."""
        said = clean(self.translation.known(text))
        return said[:1].upper() + said[1:] + ("" if said.endswith(_ENDS) else self.translation.full_stop)

    def refusal(self, path: str, status: int, title: str, text: str) -> Response:
        """No, with one line that says why: as a page, or as JSON to whoever asked the API at `path`."""
        if path.startswith("/api/"):
            return JSONResponse({"error": clean(text)}, status)
        return self.page("error.html", status, title=self.translation.known(title), message=self.sentence(text))

    def subscription(self, purpose: Purpose, token: str) -> Subscription:
        """The one a link is for, in whose language the page is then. Raises InvalidToken; NotFound where it was erased."""
        public_id = self.container.adapters.links.verify(purpose, token, self.clock())
        found = self.container.subscriptions.linked(public_id, self.clock())
        self.speak_to(found.preferences, self.list_of(found))
        return found

    def stopped(self, address: Address) -> Mapping[str, object] | None:
        """Why no mail goes to an address, in words; None where some does."""
        found = self.container.subscriptions.suppression(address)
        if found is None:
            return None
        lifted = found.reason in LIFTED_BY_READER
        why = phrase(STOPPED[found.reason], since=found.at.date())
        return {"why": why, "lifted": lifted, "contact": self.contact}

    def list_of(self, subscription: Subscription) -> PaperList:
        """Its list; one that is configured no more still has its name."""
        with suppress(NotFound):
            return self.container.adapters.paper_list(subscription.list)
        return PaperList(name=subscription.list, title=subscription.list)

    async def public(
        self, request: Request, key: str, make: Callable[[], Answer], cache: ResponseCache | None = None
    ) -> Response:
        """An answer that is the same for everybody who asks in its language: the kept one, or made in a thread (it reads the
        store) and kept.
        """
        key = f"{self.root_path} {self.language} {key}"
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
