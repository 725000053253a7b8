"""A relay: an SMTP server we hand mail to. Connect, TLS and AUTH by smtplib; the transactions are in smtp_session.py.

TLS is what was asked for or nothing: a relay that does not offer STARTTLS, or shows a certificate for another name, is an
error, never a reason to go on in clear.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import ConfigurationError, RelayRefusedUs, RelayUnreachable
from digest.mail.smtp.journal import SendLog
from digest.mail.smtp.poll_loop import AT_ONCE, Dialogue, Pace, always, finished, in_thread, run_one, turn
from digest.mail.smtp.relay_settings import RelaySettings
from digest.mail.smtp.smtp_session import Session
from digest.mail.smtp.wire import EhloExtensions, Replies, SessionLost, reply_of

if TYPE_CHECKING:
    from digest.mail.smtp.relay_settings import RelaySettings


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
        replies, extensions = handshake.detach()
        settings = self.settings
        if extensions.pipelining and (
            not settings.pipelining or (self._record is not None and self._record.without_pipelining())
        ):
            extensions = replace(extensions, pipelining=False)
        return Session(self.name, replies, extensions, settings.timeouts, settings.max_per_connection, self._clock, pace)

    def _refusal(self, step: str, error: smtplib.SMTPResponseException) -> RelayUnreachable:
        text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        reply = reply_of(error.smtp_code, text.split("\n"))
        if step == "AUTH" and reply.code != 421:
            return _LoginRefused(self.name, f"{step} was answered {reply}", str(reply))
        kind = RelayRefusedUs if reply.code // 100 == 5 else RelayUnreachable
        return kind(self.name, f"{step} was answered {reply}")

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


_UNUSABLE = (500, 501, 502, 503, 504)
"""What a mechanism is answered with that the server does not know or like; nothing is said of the password."""


class Handshake(smtplib.SMTP):
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

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        code, text = super().ehlo(name)
        if code == 421:  # it hangs up: HELO would only lose its words
            raise smtplib.SMTPHeloError(code, text)
        return code, text

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """One attempt. smtplib goes on with the next mechanism after a wrong password, which locks accounts; we only where a
        mechanism cannot be used at all.
        """
        self.user, self.password = user, password
        offered = self.esmtp_features.get("auth", "").upper().split()
        known: dict[str, Any] = {"CRAM-MD5": self.auth_cram_md5, "PLAIN": self.auth_plain, "LOGIN": self.auth_login}
        usable = [name for name in known if name in offered]
        if not usable:
            extensions = f"the login methods {', '.join(offered)}; we know {', '.join(known)}" if offered else "no login (AUTH)"
            raise smtplib.SMTPNotSupportedError(f"the relay offers {extensions}")
        for name in usable:
            try:
                return self.auth(name, known[name], initial_response_ok=initial_response_ok)
            except ValueError:  # a host without MD5: the challenge is left unanswered (RFC 4954 §4)
                self.docmd("*")
            except smtplib.SMTPAuthenticationError as error:
                if error.smtp_code not in _UNUSABLE or name == usable[-1]:
                    raise
        raise smtplib.SMTPNotSupportedError(f"none of the login methods {', '.join(usable)} works on this host")

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

    def detach(self) -> tuple[Replies, EhloExtensions]:
        """The connection, no longer ours to close, and what was promised over it."""
        assert self._replies is not None
        assert self.sock is not None
        self.sock.setblocking(False)
        self.sock = None
        features = self.esmtp_features
        size = features.get("size", "").split()
        return self._replies, EhloExtensions(
            pipelining="pipelining" in features,
            size_known="size" in features,
            size=int(size[0]) if size and size[0].isdecimal() else 0,
            eight_bit="8bitmime" in features,
            smtputf8="smtputf8" in features,
            enhanced="enhancedstatuscodes" in features,
        )


@lru_cache(maxsize=1)
def _own_name() -> str:
    """Asked once: the look-up can take seconds where DNS is slow."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"
