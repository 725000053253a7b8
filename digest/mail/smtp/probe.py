"""How far a relay goes with us, without sending anything: greeting, TLS, login, MAIL, RCPT, then RSET."""

from __future__ import annotations

import contextlib
import socket
import ssl

from digest.domain.delivery import Envelope, Reply, Stage
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.mail.smtp.poll_loop import finished
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_settings import TLS_PORTS, RelaySettings
from digest.mail.smtp.reply_classifier import classify
from digest.mail.smtp.smtp_session import Session
from digest.mail.smtp.wire import EhloExtensions, SessionLost, commands

_PATIENCE = 5.0
"""Seconds for a TLS handshake that tells what a port speaks."""


def probe(relay: Relay, sender: str, recipient: str) -> None:
    """Raises RelayUnreachable, RelayRefusedUs: one line with the relay's words and the setting to change."""
    settings = relay.settings
    if settings.port in TLS_PORTS and settings.tls != "tls" and _speaks_tls(settings):
        raise RelayRefusedUs(relay.name, _needs_tls(settings))
    try:
        session = relay.connect()
    except RelayUnreachable as error:
        if settings.tls != "tls" and error.reason.startswith("no greeting") and _speaks_tls(settings):
            raise RelayRefusedUs(relay.name, _needs_tls(settings)) from None
        raise
    with contextlib.closing(session):
        mail, rcpt, _ = commands(Envelope(0, sender, recipient, ()), EhloExtensions(smtputf8=session.extensions.smtputf8))
        for stage, command in ((Stage.MAIL, mail), (Stage.RCPT, rcpt)):
            reply = _asked(relay.name, session, command)
            if reply.code >= 400:
                verdict = classify(stage, reply)
                words = f"{command.decode().strip()} was answered {reply}"
                raise RelayRefusedUs(relay.name, "; ".join(filter(None, (words, verdict.remedy))))
        _asked(relay.name, session, b"RSET\r\n")


def _asked(relay: str, session: Session, command: bytes) -> Reply:
    try:
        return finished(session.ask(command))
    except SessionLost as lost:
        raise RelayUnreachable(relay, f"{command.decode().strip()}: {lost}") from None


def _needs_tls(settings: RelaySettings) -> str:
    return f'port {settings.port} speaks TLS from the start: set relays.tls = "tls", or relays.port = 587'


def _speaks_tls(settings: RelaySettings) -> bool:
    """Whether the port answers a TLS handshake that nobody announced. Nothing is sent over it, so no certificate is asked for."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((settings.host, settings.port), _PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=settings.host),
        ):
            return True
    except OSError:
        return False
