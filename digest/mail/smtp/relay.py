"""A relay: an SMTP server we hand mail to. Connect, TLS and AUTH by smtplib; the transactions are in smtp_session.py.

TLS is what was asked for or nothing: a relay that does not offer STARTTLS, or shows a certificate for another name, is an
error, never a reason to go on in clear.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import ConfigurationError, RelayRefusedUs, RelayUnreachable
from digest.mail.smtp.handshake import Handshake
from digest.mail.smtp.journal import SendLog
from digest.mail.smtp.poll_loop import AT_ONCE, Dialogue, Pace, always, in_thread, run_one, turn
from digest.mail.smtp.relay_settings import TLS_PORTS, RelaySettings
from digest.mail.smtp.reply_classifier import classify
from digest.mail.smtp.smtp_session import Session
from digest.mail.smtp.wire import SessionLost, reply_of

_BARREN_SESSIONS = 3
"""So many sessions in a row that ended before a single message was answered, and the relay counts as unreachable."""


class LoginGuard(Protocol):
    """Keeps a refused login from being repeated by every connection. Shared with other processes."""

    def enter(self) -> str:
        """Waits for our turn to log in; "" when it is, or why there is none."""

    def worked(self) -> None: ...
    def refused(self, reply: str) -> None: ...
    def left(self) -> None:
        """The connection ended before the login was answered."""


class ExtensionRecord(Protocol):
    """Remembers which extensions a relay offers and does not keep, by their EHLO keywords."""

    def unusable(self) -> frozenset[str]: ...
    def extension_failed(self, keyword: str) -> None: ...


class Relay:
    """Opens sessions with one relay, and sends through as many as it takes. `clock` gives the attempts' instants, in UTC."""

    def __init__(
        self,
        settings: RelaySettings,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        logins: LoginGuard | None = None,
        record: ExtensionRecord | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._logins = logins
        self._record = record
        self._failed = frozenset[str]()
        self._tls = None if settings.tls == "none" else _tls_context(settings)

    @property
    def name(self) -> str:
        return self.settings.name

    def connect(self, pace: Pace = AT_ONCE) -> Session:
        """A session ready for MAIL. Raises RelayUnreachable; RelayRefusedUs where asking again would be refused again."""
        logins = self._logins if self.settings.username else None
        if logins is None:
            return self._connected(pace)
        if closed := logins.enter():
            raise RelayRefusedUs(self.name, closed)
        try:
            session = self._connected(pace)
        except _LoginRefused as refused:
            logins.refused(refused.reply)
            raise
        except BaseException:
            logins.left()
            raise
        try:
            logins.worked()
        except BaseException:
            session.close()
            raise
        return session

    def _connected(self, pace: Pace) -> Session:
        settings = self.settings
        try:
            handshake = Handshake(settings, self._tls, self._monotonic)
        except SessionLost as lost:
            raise RelayUnreachable(self.name, f"no greeting: {lost}{_mixed_up(settings)}") from None
        except smtplib.SMTPConnectError as error:
            raise self._refusal("greeting", error) from None
        except OSError as error:
            raise RelayUnreachable(self.name, f"cannot connect to {settings.host}:{settings.port}: {_why(error)}") from None
        try:
            return self._introduced(handshake, pace)
        except BaseException:
            handshake.close()
            raise

    def _introduced(self, handshake: Handshake, pace: Pace) -> Session:
        step = "EHLO"
        try:
            handshake.ehlo_or_helo_if_needed()
            if self.settings.tls == "starttls":
                step = "STARTTLS"
                if not handshake.has_extn("starttls"):
                    raise RelayRefusedUs(self.name, 'does not offer STARTTLS; tls should be "tls" (port 465) or "none"')
                handshake.starttls(context=self._tls)
                step = "EHLO"
                handshake.ehlo_or_helo_if_needed()
            if self.settings.username:
                step = "AUTH"
                handshake.login(self.settings.username, self.settings.password)
        except smtplib.SMTPResponseException as error:
            raise self._refusal(step, error) from None
        except smtplib.SMTPServerDisconnected:
            raise RelayUnreachable(self.name, f"{step}: connection lost") from None
        except smtplib.SMTPException as error:
            raise RelayRefusedUs(self.name, f"{step}: {error}") from None
        except (SessionLost, OSError) as error:
            raise RelayUnreachable(self.name, f"{step}: {_why(error)}") from None
        settings = self.settings
        remembered = self._record.unusable() if self._record is not None else frozenset()
        replies, extensions = handshake.detach()  # from here on nothing may fail: the session closes the connection
        turned_off = frozenset() if settings.pipelining else {"PIPELINING"}
        extensions = extensions.without(self._failed | remembered | turned_off)
        return Session(self.name, replies, extensions, settings.timeouts, settings.max_per_connection, self._clock, pace)

    def _refusal(self, step: str, error: smtplib.SMTPResponseException) -> RelayUnreachable:
        text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        reply = reply_of(error.smtp_code, text.split("\n"))
        if step == "AUTH" and reply.code != 421:
            verdict = classify(Stage.MAIL, reply)  # some say so early that there is no more to be had
            advice = verdict.remedy if verdict.cause == "our quota" else self.settings.login_advice
            return _LoginRefused(self.name, f"{step} was answered {reply}; {advice}", str(reply))
        kind = RelayRefusedUs if reply.code // 100 == 5 else RelayUnreachable
        advice = "; if it stays so, set relays.ehlo_name to the name that this host has in the DNS" if step == "EHLO" else ""
        return kind(self.name, f"{step} was answered {reply}{advice}")

    def send(self, envelopes: Iterable[Envelope], log: SendLog) -> Iterator[Attempt]:
        """Sends all, over as many sessions as caps and dropped connections ask for. One Attempt for every envelope taken.

        When no session can be had, those already taken come out as attempts at CONNECT, which cost them nothing, and
        RelayUnreachable is raised; the rest was never taken.
        """
        return run_one(self.sending(envelopes, log))

    def sending(
        self,
        envelopes: Iterable[Envelope],
        log: SendLog,
        wanted: Callable[[int], bool] = always,
        pace: Pace = AT_ONCE,
    ) -> Dialogue[Attempt, None]:
        """`send` in steps, for a thread that holds several connections.

        `wanted` is asked (by delivery id) as a message is about to be begun, also where it waited for a connection: what is not
        wanted any more is left out, without an attempt.
        """
        taking = iter(envelopes)
        waiting: list[Envelope] = []
        barren = 0
        while True:
            if not waiting:
                yield from turn(pace)
                waiting = [envelope for envelope in (next(taking, None),) if envelope is not None]
            if not waiting:
                return
            try:
                if barren >= _BARREN_SESSIONS:
                    raise RelayUnreachable(self.name, f"{barren} sessions in a row ended before a message was answered")
                session = yield from in_thread(lambda: self.connect(pace))
            except RelayUnreachable as unreachable:
                for envelope in waiting:
                    yield Attempt(envelope.delivery_id, self._clock(), self.name, Stage.CONNECT, None, unreachable.reason)
                raise
            with contextlib.closing(session):
                still = (each for each in chain(_drained(waiting), taking) if wanted(each.delivery_id))
                yield from session.sending(still, log)
                yield from session.quitting()
            waiting += session.unsent
            if session.failed_extension:
                self._failed |= {session.failed_extension}
                if self._record is not None:
                    self._record.extension_failed(session.failed_extension)
            barren = 0 if session.answered else barren + 1


class _LoginRefused(RelayRefusedUs):
    def __init__(self, relay: str, reason: str, reply: str) -> None:
        super().__init__(relay, reason)
        self.reply = reply


def _drained(waiting: list[Envelope]) -> Iterator[Envelope]:
    while waiting:
        yield waiting.pop(0)


def _tls_context(settings: RelaySettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"relays.{settings.name}.ca_file", f"{settings.ca_file}: {_why(error)}") from None
    return context


_OWN_AUTHORITY = "; if it is your own server's, name its authority's certificate in relays.ca_file"
_OTHER_NAME = "; set relays.host to a name that it is for"
_CERTIFICATE_ADVICE = {**dict.fromkeys((18, 19, 20, 21), _OWN_AUTHORITY), **dict.fromkeys((62, 64), _OTHER_NAME)}
"""By OpenSSL's number: self-signed or of an unknown authority; for another name or address."""


def _mixed_up(settings: RelaySettings) -> str:
    return '; set relays.tls = "tls"' if settings.port in TLS_PORTS and settings.tls != "tls" else ""


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return 'it answers in clear; set relays.tls = "starttls" (port 587), or relays.port = 465'
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}{_CERTIFICATE_ADVICE.get(error.verify_code, '')}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
