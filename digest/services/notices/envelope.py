"""A mail that answers one person, from what it says to what a relay is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.domain.delivery import Envelope
from digest.domain.subscriber import Address
from digest.mail.message.headers import Sender, transactional
from digest.mail.verp import VerpSigner
from digest.render.edition.compose import boundary_of, compose_message
from digest.render.transactional.messages import Message
from digest.services.editions.message_composer import ONE_OFF, Sign, unsigned


@dataclass(frozen=True, slots=True)
class EnvelopeBuilder:
    """Whose mail it is."""

    sender: Sender
    verp_signer: VerpSigner
    sign: Sign = unsigned

    def build(
        self, message: Message, to: Address, at: datetime, *, kind: str, key: str, number: int = 0, language: str = "en"
    ) -> Envelope:
        """`kind` and `key` name the occasion: the same has the same Message-ID. `number` tells apart what goes out together."""
        boundary = boundary_of(message.subject, message.html)
        addressed = transactional(
            self.sender,
            self.verp_signer,
            kind=kind,
            key=key,
            to=to,
            subject=message.subject,
            at=at,
            boundary=boundary,
            language=language,
        )
        body = compose_message(b"", boundary, message.html, message.text)
        pieces = (self.sign(addressed.header, [body], at), addressed.header, body)
        return Envelope(ONE_OFF + number, addressed.envelope_sender, addressed.envelope_recipient, pieces, addressed.smtputf8)
