"""A relay: an SMTP server we hand mail to. Connect, TLS and AUTH by smtplib; the transactions are in session.py.

TLS is what was asked for or nothing: a relay that does not offer STARTTLS, or shows a certificate for another name, is an
error, never a reason to go on in clear.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import ConfigurationError, RelayRefusedUs, RelayUnreachable
from digest.mail.replies import Replies, SessionLost, reply_of
from digest.mail.session import SendLog, Session, Timeouts
from digest.mail.waiting import Telling, alone, aside, finished
from digest.mail.wire import Offers

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
        if self.max_per_connection < 1:
            raise ConfigurationError(f"{where}.max_per_connection", "should be at least 1")
        if self.username and self.tls == "none" and not (self.cleartext_login or _is_loopback(self.host)):
            raise ConfigurationError(f"{where}.tls", "should be starttls or tls: the password would cross the network in clear")
        if not (self.username + self.password).isascii():
            raise ConfigurationError(f"{where}.password", "should be ASCII: SMTP AUTH here knows no other")


class Relay:
    """Opens sessions with one relay, and sends through as many as it takes. `clock` gives the attempts' instants, in UTC."""

    def __init__(
        self, settings: RelaySettings, clock: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._tls = None if settings.tls == "none" else _tls_context(settings)

    @property
    def name(self) -> str:
        return self.settings.name

    def connect(self) -> Session:
        """A session ready for MAIL. Raises RelayUnreachable; RelayRefusedUs where asking again would be refused again."""
        settings = self.settings
        try:
            handshake = _Handshake(settings, self._tls, self._monotonic)
        except SessionLost as lost:
            raise RelayUnreachable(self.name, f"no greeting: {lost}") from None
        except smtplib.SMTPConnectError as error:
            raise self._refusal("greeting", error) from None
        except OSError as error:
            raise RelayUnreachable(self.name, f"cannot connect to {settings.host}:{settings.port}: {_why(error)}") from None
        try:
            return self._introduced(handshake)
        except BaseException:
            handshake.close()
            raise

    def _introduced(self, handshake: _Handshake) -> Session:
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
        return Session(self.name, replies, offers, settings.timeouts, settings.max_per_connection, self._clock)

    def _refusal(self, step: str, error: smtplib.SMTPResponseException) -> RelayUnreachable:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        reply = reply_of(error.smtp_code, said.split("\n"))
        kind = RelayRefusedUs if reply.code // 100 == 5 else RelayUnreachable
        return kind(self.name, f"{step} was answered {reply}")

    def send(self, envelopes: Iterable[Envelope], log: SendLog) -> Iterator[Attempt]:
        """Sends all, over as many sessions as caps and dropped connections ask for. One Attempt for every envelope taken.

        When no session can be had, those already taken come out as attempts at CONNECT, which cost them nothing, and
        RelayUnreachable is raised; the rest was never taken.
        """
        return alone(self.sending(envelopes, log))

    def sending(self, envelopes: Iterable[Envelope], log: SendLog) -> Telling[Attempt, None]:
        """`send` in steps, for a thread that holds several connections."""
        taking = iter(envelopes)
        waiting: list[Envelope] = []
        barren = 0
        while True:
            if not waiting:
                waiting = [envelope for envelope in (next(taking, None),) if envelope is not None]
            if not waiting:
                return
            try:
                if barren >= _BARREN_SESSIONS:
                    raise RelayUnreachable(self.name, f"{barren} sessions in a row ended before a message was answered")
                session = yield from aside(self.connect)
            except RelayUnreachable as unreachable:
                for envelope in waiting:
                    yield Attempt(envelope.delivery_id, self._clock(), self.name, Stage.CONNECT, None, unreachable.reason)
                raise
            with contextlib.closing(session):
                yield from session.sending(chain(_drained(waiting), taking), log)
                yield from session.quitting()
            waiting += session.unsent
            barren = 0 if session.answered else barren + 1


class _Handshake(smtplib.SMTP):
    """smtplib up to the first MAIL, reading through our own reader so that nothing the server says is read twice or lost."""

    def __init__(self, settings: RelaySettings, tls: ssl.SSLContext | None, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._tls = tls if settings.tls == "tls" else None
        self._monotonic = monotonic
        self._replies: Replies | None = None
        self._patience = settings.timeouts.greeting
        try:
            super().__init__(settings.host, settings.port, settings.helo or _own_name(), timeout=settings.timeouts.connect)
        except BaseException:
            self.close()
            raise
        self._patience = settings.timeouts.command

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        try:
            # A message's last bytes must not wait for the acknowledgement of those before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock
        except BaseException:
            sock.close()
            raise

    def getreply(self) -> tuple[int, bytes]:
        assert self.sock is not None
        if self._replies is None or self._replies.sock is not self.sock:
            if self._replies is not None and self._replies.unread:
                raise SessionLost("something was said in clear that would be believed under TLS")
            self._replies = Replies(self.sock, self._monotonic)
        patience = self.sock.gettimeout()
        self.sock.setblocking(False)
        code, texts = finished(self._replies.read_lines(self._patience))
        self.sock.settimeout(patience)  # smtplib itself writes as if it were alone
        return code, "\n".join(texts).encode()

    def hand_over(self) -> tuple[Replies, Offers]:
        """The connection, no longer ours to close, and what was promised over it."""
        assert self._replies is not None
        assert self.sock is not None
        self.sock.setblocking(False)
        self.sock = None
        features = self.esmtp_features
        size = features.get("size", "").split()
        return self._replies, Offers(
            pipelining="pipelining" in features,
            size_known="size" in features,
            size=int(size[0]) if size and size[0].isdecimal() else 0,
            eight_bit="8bitmime" in features,
            smtputf8="smtputf8" in features,
            enhanced="enhancedstatuscodes" in features,
        )


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


@lru_cache(maxsize=1)
def _own_name() -> str:
    """Asked once: the look-up can take seconds where DNS is slow."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"
