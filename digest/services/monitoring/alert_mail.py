"""A finding as a mail to the operator."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from digest.domain.delivery import Envelope
from digest.domain.errors import RelayUnreachable
from digest.domain.subscriber import Address
from digest.mail.message.headers import Sender
from digest.mail.verp import VerpSigner
from digest.render.edition.views import SenderView, in_words
from digest.render.environment import Templates
from digest.render.transactional.messages import AlertView, render_message
from digest.services.delivery.run import Transport
from digest.services.editions.message_composer import Sign, unsigned
from digest.services.monitoring.alerts import Finding
from digest.services.notices.envelope import EnvelopeBuilder


def alert(
    templates: Templates,
    sender: Sender,
    verp_signer: VerpSigner,
    home_url: str,
    to: Address,
    finding: Finding,
    at: datetime,
    sign: Sign = unsigned,
) -> Envelope:
    """The mail; the same cause on the same day has the same Message-ID. Raises TemplateError."""
    view = AlertView(
        headline=finding.headline,
        seen=finding.seen,
        fix=finding.fix,
        at=f"{in_words(at.astimezone(UTC).date())}, {at.astimezone(UTC):%H:%M} UTC",
        sender=SenderView(name=sender.name, home_url=home_url, postal_address=sender.postal_address),
    )
    message = render_message(templates, "alert", view)
    key = f"{at:%Y%m%d}-{hashlib.sha256(finding.cause.encode()).hexdigest()[:16]}"
    return EnvelopeBuilder(sender, verp_signer, sign).envelop(message, to, at, kind="alert", key=key)


def tell(transport: Transport, envelope: Envelope) -> None:
    """Hands it over. Raises RelayUnreachable where no relay took it."""
    attempt = next(iter(list(transport.send_many([envelope]))), None)
    if attempt is None or not attempt.accepted:
        text = "no relay took it" if attempt is None else str(attempt.reply or attempt.error)
        raise RelayUnreachable(attempt.relay if attempt else "none", text)
