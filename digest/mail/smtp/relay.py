"""A relay: an SMTP server we hand mail to. Connect, TLS and AUTH by smtplib; the transactions are in session.py.

TLS is what was asked for or nothing: a relay that does not offer STARTTLS, or shows a certificate for another name, is an
error, never a reason to go on in clear.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import ConfigurationError, RelayRefusedUs, RelayUnreachable
from digest.mail.smtp.handshake import Handshake
from digest.mail.smtp.poll_loop import AT_ONCE, Pace, Telling, alone, always, aside, turn
from digest.mail.smtp.replies import SessionLost, reply_of
from digest.mail.smtp.send_log import SendLog
from digest.mail.smtp.smtp_session import Session, Timeouts

_BARREN_SESSIONS = 3
"""So many sessions in a row that ended before a single message was answered, and the relay counts as unreachable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How to reach a relay. Raises ConfigurationError for what cannot work."""

    host: str
    port: int = 25
    name: str = ""
    """How it is called in reports; default: host:port. One word."""
    tls: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    cleartext_login: bool = False
    """Whether username and password may go over a connection without TLS to another host."""
    ca_file: Path | None = None
    """Certificates to trust beside the system's, for a relay of one's own."""
    helo: str = ""
    """Our name in EHLO; default: this host's."""
    max_per_connection: int = 1000
    pipelining: bool = True
    """Whether to use PIPELINING where it is offered."""
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"{self.host}:{self.port}")
        where = f"relays.{self.name}"
        if not re.fullmatch(r"[!-~]+", self.name):
            raise ConfigurationError("relays.name", f"{self.name!r} should be one word in ASCII")
        if not (1 <= self.port <= 65535):
            raise ConfigurationError(f"{where}.port", f"{self.port} should be between 1 and 65535")
        if self.tls not in ("none", "starttls", "tls"):
            raise ConfigurationError(f"{where}.tls", f"{self.tls!r} should be none, starttls or tls")
        if not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]*", self.helo):
            raise ConfigurationError(f"{where}.ehlo_name", f"{self.helo!r} should be a host name such as mail.example.org")
        if self.max_per_connection < 1:
            raise ConfigurationError(f"{where}.max_per_connection", "should be at least 1")
        if self.username and self.tls == "none" and not (self.cleartext_login or _is_loopback(self.host)):
            raise ConfigurationError(f"{where}.tls", "should be starttls or tls: the password would cross the network in clear")
        if not (self.username + self.password).isascii():
            raise ConfigurationError(f"{where}.password", "should be ASCII: SMTP AUTH here knows no other")


class LoginGuard(Protocol):
    """Keeps a refused login from being repeated by every connection. Shared with other processes."""

    def enter(self) -> str:
        """Waits for our turn to log in; "" when it is, or why there is none."""

    def worked(self) -> None: ...
    def refused(self, reply: str) -> None: ...
    def left(self) -> None:
        """The connection ended before the login was answered."""


class PipeliningRecord(Protocol):
    """Remembers whether PIPELINING works with a relay."""

    def without_pipelining(self) -> bool: ...
    def pipelining_failed(self) -> None: ...


class Relay:
    """Opens sessions with one relay, and sends through as many as it takes. `clock` gives the attempts' instants, in UTC."""

    def __init__(
        self,
        settings: RelaySettings,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        logins: LoginGuard | None = None,
        record: PipeliningRecord | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._logins = logins
        self._record = record
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
        logins.worked()
        return session

    def _connected(self, pace: Pace) -> Session:
        settings = self.settings
        try:
            handshake = Handshake(settings, self._tls, self._monotonic)
        except SessionLost as lost:
            raise RelayUnreachable(self.name, f"no greeting: {lost}") from None
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
        replies, offers = handshake.hand_over()
        settings = self.settings
        if offers.pipelining and (not settings.pipelining or (self._record is not None and self._record.without_pipelining())):
            offers = replace(offers, pipelining=False)
        return Session(self.name, replies, offers, settings.timeouts, settings.max_per_connection, self._clock, pace)

    def _refusal(self, step: str, error: smtplib.SMTPResponseException) -> RelayUnreachable:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        reply = reply_of(error.smtp_code, said.split("\n"))
        if step == "AUTH" and reply.code != 421:
            return _LoginRefused(self.name, f"{step} was answered {reply}", str(reply))
        kind = RelayRefusedUs if reply.code // 100 == 5 else RelayUnreachable
        return kind(self.name, f"{step} was answered {reply}")

    def send(self, envelopes: Iterable[Envelope], log: SendLog) -> Iterator[Attempt]:
        """Sends all, over as many sessions as caps and dropped connections ask for. One Attempt for every envelope taken.

        When no session can be had, those already taken come out as attempts at CONNECT, which cost them nothing, and
        RelayUnreachable is raised; the rest was never taken.
        """
        return alone(self.sending(envelopes, log))

    def sending(
        self,
        envelopes: Iterable[Envelope],
        log: SendLog,
        wanted: Callable[[int], bool] = always,
        pace: Pace = AT_ONCE,
    ) -> Telling[Attempt, None]:
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
                session = yield from aside(lambda: self.connect(pace))
            except RelayUnreachable as unreachable:
                for envelope in waiting:
                    yield Attempt(envelope.delivery_id, self._clock(), self.name, Stage.CONNECT, None, unreachable.reason)
                raise
            with contextlib.closing(session):
                still = (each for each in chain(_drained(waiting), taking) if wanted(each.delivery_id))
                yield from session.sending(still, log)
                yield from session.quitting()
            waiting += session.unsent
            if session.pipelining_failed and self._record is not None:
                self._record.pipelining_failed()
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


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
