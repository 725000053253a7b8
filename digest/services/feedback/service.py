"""What comes back: listened for, looked for, or posted to us; processed in one transaction each."""

from __future__ import annotations

import imaplib
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from digest.config import read_secret
from digest.domain.errors import InvalidInput, NotFound, RelayUnreachable, SourceThrottled
from digest.links import Links, Purpose
from digest.mail.inbound.imap_poll import ImapPoll
from digest.mail.inbound.listener import Listener
from digest.mail.inbound.read_feedback import read_feedback
from digest.mail.inbound.webhooks import Webhook
from digest.services.feedback.process import Action, FeedbackPolicy, FeedbackResult, process_feedback

if TYPE_CHECKING:
    from digest.config.mail import Inbound
    from digest.domain.feedback import Feedback
    from digest.mail.verp import VerpSigner
    from digest.services.delivery.relays import Relays
    from digest.services.notices.service import NoticeService
    from digest.sources.http import PoliteGetter
    from digest.store.unit_of_work import Store

OnFeedback = Callable[[FeedbackResult], None]
"""Is given what was done for each mail: for logs and alarms."""

_TIMEOUT = 60
_CERTIFICATE_SECONDS = 5
_MOST_FETCHES = 20
_HOUR = 3600.0
_SUBSCRIBE_URL = re.compile(r"https://sns\.[a-z]{2}(?:-[a-z]{1,12}){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?/\?[!-~]{1,2000}")


class FeedbackService:
    """Nobody is believed but on a name that only we could have made (process.py). `mailboxes`: the addresses we say we have."""

    def __init__(
        self,
        store: Store,
        settings: Inbound,
        verp_signer: VerpSigner,
        links: Links,
        mailboxes: Callable[[], frozenset[str]],
        getter: Callable[[], PoliteGetter],
        relays: Relays,
        notices: NoticeService,
    ) -> None:
        self._store, self._settings, self._verp_signer, self._links = store, settings, verp_signer, links
        self._mailboxes, self._getter, self._relays, self._notices = mailboxes, getter, relays, notices
        self._certificates: dict[str, bytes] = {}
        self._fetching = threading.Lock()
        self._fetches: list[float] = []

    def process_feedback(self, feedback: Feedback, at: datetime, *, trusted: bool) -> FeedbackResult:
        """Does what a mail that came back asks for; mails the notices that follow where there is a relay."""
        policy = FeedbackPolicy(
            soft_limit=self._settings.soft_limit, settled_after=timedelta(days=self._settings.assume_delivered_after_days)
        )

        def confirming(token: str, instant: datetime) -> str:
            return self._links.verify(Purpose.CONFIRM, token, instant)

        processed = process_feedback(
            feedback, self._store, at, policy, self._verp_signer, trusted=trusted, read_confirmation=confirming
        )
        if self._relays:
            for notice in processed.notices:
                with suppress(RelayUnreachable):  # what was asked for is done; a goodbye that cannot go out undoes nothing
                    self._notices.mail_notice(notice, at)
        return processed

    def take(self, data: bytes, recipients: Sequence[str], at: datetime) -> tuple[FeedbackResult, bool]:
        """Processes one mail; its commit is done on return. Says too whether it was ours at all. Raises StoreError."""
        feedback = read_feedback(data, is_verp=self._verp_signer.made, envelope_to=recipients)
        processed = self.process_feedback(feedback, at, trusted=False)
        ours = bool(feedback.verp) or self._verp_signer.read_message_id(feedback.message_id) is not None
        return processed, ours or processed.action not in (Action.NONE, Action.ALARM)

    def listener(self, clock: Callable[[], datetime], record: OnFeedback, failed: Callable[[Exception], None]) -> Listener | None:
        """Hears LMTP or SMTP between enter and exit; None where no port is set."""
        settings = self._settings
        if settings.port is None:
            return None

        def take(data: bytes, recipients: Sequence[str]) -> None:
            record(self.take(data, recipients, clock())[0])

        return Listener(
            take, self.receives_mail, host=settings.host, port=settings.port, protocol=settings.protocol, failed=failed
        )

    def receives_mail(self, address: str) -> bool:
        """Whether mail to an address is ours to hear: a name that we made, or one of the mailboxes that we say we have."""
        return self._verp_signer.made(address) or address.strip("<>").casefold() in self._mailboxes()

    @cached_property
    def imap(self) -> ImapPoll | None:
        """Looks into the mailbox that is set; None where none is. Raises ConfigurationError for a secret that is not there."""
        settings = self._settings
        if not settings.imap_server:
            return None
        password = read_secret(settings.imap_password, settings.imap_password_file, "inbound.imap_password") or ""

        def connect() -> imaplib.IMAP4:
            trust = ssl.create_default_context()
            if settings.imap_ca_file:
                trust.load_verify_locations(settings.imap_ca_file)
            if settings.imap_tls == "tls":
                imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    settings.imap_server, settings.imap_port, ssl_context=trust, timeout=_TIMEOUT
                )
            else:
                imap = imaplib.IMAP4(settings.imap_server, settings.imap_port, timeout=_TIMEOUT)
                if settings.imap_tls == "starttls":
                    imap.starttls(trust)
            imap.login(settings.imap_user, password)
            return imap

        return ImapPoll(connect, settings.imap_server, settings.imap_mailbox, settings.imap_processed_folder)

    def poll(self, at: datetime, record: OnFeedback) -> int:
        """Looks into the mailbox once; says how many mails were processed. Raises RelayUnreachable, StoreError."""
        if self.imap is None:
            return 0

        def take(data: bytes) -> bool:
            processed, ours = self.take(data, (), at)
            record(processed)
            return ours

        return self.imap.poll(take)

    # --- what providers post

    def posted(
        self, provider: str, headers: Mapping[str, str], body: bytes, at: datetime, guessed: Callable[[bool], None]
    ) -> list[FeedbackResult]:
        """Processes a provider's post, an event after the other. `guessed` is told whether a password was right, and may refuse.

        Raises NotFound for a provider that is not set up, InvalidInput for a post that it did not sign, StoreError.
        """
        webhook = self.webhooks.get(provider)
        if webhook is None:
            raise NotFound("this webhook", "set its key under [inbound]")
        try:
            webhook.verify(headers, body, at)
        except InvalidInput:
            if provider == "postmark":
                guessed(False)
            raise
        if provider == "postmark":  # its posts carry a password; the others' a signature, which nobody guesses
            guessed(True)
        if provider == "ses":
            self._subscribe(webhook, body)
        return [self.process_feedback(feedback, at, trusted=True) for feedback in webhook.parse(body)]

    def _subscribe(self, webhook: Webhook, body: bytes) -> None:
        """SNS asks once, in a post it signed, whether we want its posts."""
        from digest.mail.inbound.webhooks.ses import SesWebhook

        if isinstance(webhook, SesWebhook) and _SUBSCRIBE_URL.fullmatch(url := webhook.subscribe_url(body)):
            self._getter().get("ses", url, public_only=True)

    @cached_property
    def webhooks(self) -> dict[str, Webhook]:
        """Loads the libraries of those that are set up. Raises ConfigurationError for a secret that is not there."""
        settings, found = self._settings, dict[str, Webhook]()
        if settings.ses_topic_arn:
            from digest.mail.inbound.webhooks.ses import SesWebhook

            found["ses"] = SesWebhook(settings.ses_topic_arn, self._certificate)
        if settings.sendgrid_public_key:
            from digest.mail.inbound.webhooks.sendgrid import SendGridWebhook

            found["sendgrid"] = SendGridWebhook(settings.sendgrid_public_key)
        if key := read_secret(settings.mailgun_signing_key, settings.mailgun_signing_key_file, "inbound.mailgun_signing_key"):
            from digest.mail.inbound.webhooks.mailgun import MailgunWebhook

            found["mailgun"] = MailgunWebhook(key)
        if word := read_secret(settings.postmark_password, settings.postmark_password_file, "inbound.postmark_password"):
            from digest.mail.inbound.webhooks.postmark import PostmarkWebhook

            found["postmark"] = PostmarkWebhook(settings.postmark_user, word)
        return found

    def _certificate(self, url: str) -> bytes:
        """SNS's certificate at a URL of its own; asked for once. Anybody can name one: one is fetched at a time, and few an hour.
        Raises SourceThrottled."""
        if url not in self._certificates:
            if not self._fetching.acquire(blocking=False):
                raise SourceThrottled("ses", "another certificate is being fetched")
            try:
                self._count_fetch()
                got = self._getter().get("ses", url, public_only=True, timeout=_CERTIFICATE_SECONDS)
                self._certificates[url] = got.data
            finally:
                self._fetching.release()
        return self._certificates[url]

    def _count_fetch(self) -> None:
        now = time.monotonic()
        self._fetches[:] = [at for at in self._fetches if now - at < _HOUR]
        if len(self._fetches) >= _MOST_FETCHES:
            raise SourceThrottled("ses", f"{_MOST_FETCHES} certificates were fetched within an hour")
        self._fetches.append(now)
