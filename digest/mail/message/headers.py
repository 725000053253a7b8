"""The header of every mail we send: constant fields encoded once an edition, the few personal ones per recipient.

RFC 5322 (one each of From, To, Subject, Date, Message-ID), RFC 2919 and 2369 (List-*), RFC 8058 (one-click unsubscribe),
RFC 3834 (Auto-Submitted), Google's Feedback-ID. Everything is a function of the edition and the delivery: composed twice, a
mail has the same bytes and the same Message-ID.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache
from typing import Literal

from digest.domain.errors import InvalidInput
from digest.domain.instant import as_utc
from digest.domain.subscriber import Address
from digest.mail.message.address import is_public
from digest.mail.message.header_encoding import ascii_domain, field, mailbox, named_mailbox, phrase, refuse_controls, text
from digest.mail.verp import BOUNCES, UNSUBSCRIBE, Stamp, VerpSigner

_URL = re.compile(r"https?://[!-;=?-~]+")
"""No space, no angle bracket, no control: it stands between angle brackets in a header."""
_LONGEST_URL = 900


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who the mail is from. Raises InvalidInput for text that could break out of its header field."""

    name: str
    address: Address
    domain: str = ""
    """Of Message-ID and List-Id; default: the address's own, so that DKIM and DMARC align."""
    bounce_domain: str = ""
    """Of the envelope sender and of the unsubscribe mailbox; default: `domain`. No address is made up at a mailbox provider's."""
    envelope: Literal["verp", "plain"] | Address = "verp"
    """The envelope sender: an address for each delivery, the address itself, or another."""
    inbound: Address | None = None
    """Takes unsubscribe mails where we cannot make addresses up."""
    reply_to: Address | None = None
    postal_address: str = ""
    """For the footer: many lines allowed, never a header."""
    pages: bool = True
    """Whether there are pages to unsubscribe on. Where there are none, it is always possible by mail."""
    feedback_id: str = ""
    """Google's SenderId, 5 to 15 letters and digits; default: made from the domain."""

    def __post_init__(self) -> None:
        refuse_controls("sender.name", self.name)
        for key, default in (("domain", self.address.domain), ("bounce_domain", self.domain or self.address.domain)):
            value = ascii_domain(getattr(self, key) or default)
            if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", value):
                raise InvalidInput(f"sender.{key}", f"{value[:80]!r} should be like mail.example.org")
            object.__setattr__(self, key, value.lower())
        if not self.feedback_id:
            made = re.sub(r"[^A-Za-z0-9]", "", self.domain)[:15].ljust(5, "x")
            object.__setattr__(self, "feedback_id", made)
        if not re.fullmatch(r"[A-Za-z0-9]{5,15}", self.feedback_id):
            raise InvalidInput("sender.feedback_id", f"{self.feedback_id[:20]!r} should be 5 to 15 letters and digits")

    @cached_property
    def at_provider(self) -> bool:
        """Whether addresses at `bounce_domain` are other people's."""
        return is_public(self.bounce_domain)

    @cached_property
    def makes_addresses(self) -> bool:
        """Whether addresses may be made up at `bounce_domain`; not at our own where the relay takes one sender."""
        own = ascii_domain(self.address.domain).lower()
        return not self.at_provider and (self.envelope != "plain" or self.bounce_domain != own)

    @cached_property
    def fixed_envelope(self) -> str:
        """The envelope sender of all mails; "" where each has its own (VERP)."""
        if isinstance(self.envelope, Address):
            return mailbox(self.envelope)[0]
        return mailbox(self.address)[0] if self.envelope == "plain" or self.at_provider else ""

    @property
    def envelope_domain(self) -> str:
        return ascii_domain(self.fixed_envelope.rpartition("@")[2]) if self.fixed_envelope else self.bounce_domain

    def envelope_sender(self, stamp: Stamp) -> str:
        return self.fixed_envelope or f"{BOUNCES}+{stamp.bounce}@{self.bounce_domain}"

    def unsubscribe_mailbox(self, stamp: Stamp) -> str:
        """Where a mail unsubscribes; "" where there is no such mailbox."""
        if not self.pages and (self.inbound or self.fixed_envelope):  # a mailbox that somebody reads
            return mailbox(self.inbound or self.reply_to or self.address)[0]
        if not self.makes_addresses:
            return mailbox(self.inbound)[0] if self.inbound else ""
        return f"{UNSUBSCRIBE}+{stamp.unsubscribe}@{self.bounce_domain}"


@dataclass(frozen=True, slots=True)
class Addressed:
    """One recipient's header and envelope."""

    header: bytes
    """Every field and the empty line that ends them."""
    message_id: str
    """Without angle brackets."""
    envelope_sender: str
    envelope_recipient: str
    smtputf8: bool


class HeaderTemplate:
    """The header of one edition of one list. `verp_signer` makes what only we can make: Message-IDs and VERP addresses."""

    def __init__(
        self,
        sender: Sender,
        verp_signer: VerpSigner,
        *,
        subject: str,
        boundary: str,
        list_name: str,
        list_title: str,
        campaign: str,
        archive_url: str,
        help_url: str,
        language: str = "en",
    ) -> None:
        """`campaign` names the edition in Feedback-ID ("2026-11-23"). Raises InvalidInput for text that is no header text."""
        self._sender = sender
        self._verp_signer = verp_signer
        _slug("list_name", list_name)
        _slug("campaign", campaign)
        self._before = _from_fields(sender) + b"To: "
        self._after_to = b"\r\n" + field("Subject", text(refuse_controls("subject", subject))) + b"Date: "
        list_id = f"<{list_name}.{sender.domain}>"
        title = phrase(refuse_controls("list_title", list_title))
        self._after_id = b"".join(
            (
                b">\r\n",
                _mime_fields(boundary),
                field("List-Id", f"{title} {list_id}" if list_title else list_id),
                field("List-Archive", f"<{_url('archive_url', archive_url)}>") if archive_url else b"",
                field("List-Help", f"<{_url('help_url', help_url)}>") if help_url else b"",
                b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if sender.pages else b"",
                field("Feedback-ID", f"{campaign}:{list_name}:digest:{sender.feedback_id}"),
                field("Content-Language", language),
                b"Auto-Submitted: auto-generated\r\n",
                b"List-Unsubscribe: <",
            )
        )

    def address(self, delivery_id: int, to: Address, due_at: datetime, unsubscribe_url: str) -> Addressed:
        """The header for one delivery. `unsubscribe_url` is the one-click link; a POST to it must unsubscribe (RFC 8058).

        Where the sender has no pages, it is the mailto: address.
        """
        spelled, smtputf8 = mailbox(to)
        stamp = self._verp_signer.of(delivery_id)
        message_id = f"{stamp.message}@{self._sender.domain}"
        to_leave = self._sender.unsubscribe_mailbox(stamp)
        mailto = f",\r\n <mailto:{to_leave}?subject=unsubscribe>" if to_leave and self._sender.pages else ""
        header = b"".join(
            (
                self._before,
                spelled.encode(),
                self._after_to,
                _date(due_at),
                b"\r\nMessage-ID: <",
                message_id.encode(),
                self._after_id,
                (_url("unsubscribe_url", unsubscribe_url) if self._sender.pages else unsubscribe_url).encode(),
                b">",
                mailto.encode(),
                b"\r\n\r\n",
            )
        )
        return Addressed(header, message_id, self._sender.envelope_sender(stamp), spelled, smtputf8)


def unsubscribe_by_mail(sender: Sender, verp_signer: VerpSigner, delivery_id: int) -> str:
    """A mailto: address for one delivery."""
    return f"mailto:{sender.unsubscribe_mailbox(verp_signer.of(delivery_id))}?subject=unsubscribe"


def transactional(
    sender: Sender,
    verp_signer: VerpSigner,
    *,
    kind: str,
    key: str,
    to: Address,
    subject: str,
    at: datetime,
    boundary: str,
    language: str = "en",
) -> Addressed:
    """The header of a mail that answers one person (confirm, welcome, goodbye, an alarm): no list fields.

    `kind` and `key` name the occasion ("confirm", "17"): the same occasion has the same Message-ID. Bounces come back to a
    stamped address that belongs to no delivery.
    """
    spelled, smtputf8 = mailbox(to)
    stamp = verp_signer.of(f"{_slug('kind', kind)}:{key}:{to.key}")
    message_id = f"{stamp.message}@{sender.domain}"
    header = b"".join(
        (
            _from_fields(sender),
            field("To", spelled),
            field("Subject", text(refuse_controls("subject", subject))),
            b"Date: " + _date(at) + b"\r\n",
            field("Message-ID", f"<{message_id}>"),
            _mime_fields(boundary),
            field("Feedback-ID", f"{kind}:transactional:{kind}:{sender.feedback_id}"),
            field("Content-Language", language),
            b"Auto-Submitted: auto-generated\r\n\r\n",
        )
    )
    return Addressed(header, message_id, sender.envelope_sender(stamp), spelled, smtputf8)


def _from_fields(sender: Sender) -> bytes:
    fields = field("From", named_mailbox(sender.name, sender.address))
    if sender.reply_to is not None:
        fields += field("Reply-To", named_mailbox("", sender.reply_to))
    return fields


def _mime_fields(boundary: str) -> bytes:
    if not re.fullmatch(r"[0-9A-Za-z'()+_,./:=?-]{1,70}", boundary):
        raise InvalidInput("boundary", f"{boundary[:80]!r} should be 1 to 70 of the characters of RFC 2046 §5.1.1")
    return b"MIME-Version: 1.0\r\n" + f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode()


def _slug(where: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", value):
        raise InvalidInput(where, f"{value[:80]!r} should be letters, digits, hyphens and dots, at most 63")
    return value


def _url(where: str, value: str) -> str:
    if not _URL.fullmatch(value) or len(value) > _LONGEST_URL:
        raise InvalidInput(where, f"{value[:80]!r} should be an http(s) URL of at most {_LONGEST_URL} ASCII characters")
    return value


@lru_cache(maxsize=256)
def _date(at: datetime) -> bytes:
    return format_datetime(as_utc(at, "Date")).encode()
