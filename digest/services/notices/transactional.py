"""The mails that answer one person: confirm, welcome, goodbye. When they are sent is services/notices/pending.py's.

A confirmation holds nothing a visitor typed, not even the address (win.example.org+you@… is one too): it carries no message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from digest.domain.delivery import Envelope
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.notice import Notice, NoticeKind
from digest.domain.schedule import format_weekdays
from digest.domain.subscriber import Subscription
from digest.links import CONFIRM_LIFETIME, Links
from digest.mail.message.headers import Sender
from digest.mail.verp import VerpSigner
from digest.render.edition.views import SenderView
from digest.render.environment import Templates
from digest.render.transactional.messages import NoticeView, render_message, render_welcome
from digest.services.editions.message_composer import Sign, unsigned
from digest.services.notices.envelope import EnvelopeBuilder


class NoticeComposer:
    def __init__(
        self,
        templates: Templates,
        links: Links,
        sender: Sender,
        verp_signer: VerpSigner,
        lists: Mapping[str, PaperList],
        sign: Sign = unsigned,
    ) -> None:
        self._templates, self._links, self._sender, self._lists = templates, links, sender, lists
        self._envelope_builder = EnvelopeBuilder(sender, verp_signer, sign)

    def envelope(self, notice: Notice, at: datetime) -> Envelope:
        """The mail for a notice. Raises TemplateError."""
        subscription = notice.subscription
        templates = self._templates.in_language(self.language_of(notice.subscription))
        message = render_message(templates, notice.kind, self.view(notice, at))
        key = f"{subscription.id}-{at:%Y%m%d%H%M%S}"
        return self._envelope_builder.build(
            message,
            subscription.address,
            at,
            kind=str(notice.kind),
            key=key,
            number=subscription.id,
            language=templates.translation.language,
        )

    def welcome(self, notice: Notice, edition: Edition, rendered: Rendered, at: datetime) -> Rendered:
        """The welcome as a shell around an edition's cards, in their language. Raises TemplateError."""
        templates = self._templates.in_language(rendered.language)
        return render_welcome(templates, self.view(notice, at), rendered, templates.translation.date(edition.date))

    def list_of(self, subscription: Subscription) -> PaperList:
        """Its list; one that is configured no more still has its name."""
        return self._lists.get(subscription.list) or PaperList(name=subscription.list, title=subscription.list)

    def language_of(self, subscription: Subscription) -> str:
        return subscription.preferences.language or self.list_of(subscription).language

    def _confirm_url(self, notice: Notice, at: datetime) -> str:
        if notice.kind is NoticeKind.ADDRESS:
            return self._links.address(notice.subscription.request, at)
        return self._links.confirm(notice.subscription.request, at) if notice.kind is NoticeKind.CONFIRM else ""

    def view(self, notice: Notice, at: datetime) -> NoticeView:
        subscription = notice.subscription
        paper_list = self.list_of(subscription)
        reader = self._links.for_reader(subscription.public_id)
        return NoticeView(
            title=paper_list.title,
            description=paper_list.description,
            address=str(subscription.address),
            hour=f"{subscription.preferences.hour:%H:%M}",
            timezone=subscription.preferences.timezone,
            weekdays=format_weekdays(subscription.preferences.weekdays),
            frequency=subscription.preferences.frequency,
            confirm_url=self._confirm_url(notice, at),
            confirm_days=CONFIRM_LIFETIME.days,
            manage_url=reader.manage,
            unsubscribe_url=reader.unsubscribe,
            sender=SenderView(name=self._sender.name, home_url=self._links.home, postal_address=self._sender.postal_address),
        )
