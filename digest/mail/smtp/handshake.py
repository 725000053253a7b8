"""The dialogue with a relay up to the first MAIL: greeting, EHLO, STARTTLS and AUTH, by smtplib."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from digest.mail.smtp.poll_loop import finished
from digest.mail.smtp.relay_settings import RelaySettings
from digest.mail.smtp.wire import EhloExtensions, Replies, SessionLost

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
            super().__init__(settings.host, settings.port, settings.helo or own_name(), timeout=settings.timeouts.connect)
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
        if self._settings.access_token is not None:
            token = self._settings.access_token()
            known = {"XOAUTH2": lambda challenge=None: f"user={user}\1auth=Bearer {token}\1\1" if challenge is None else ""}
        usable = [name for name in known if name in offered]
        if not usable:
            extensions = f"the login methods {', '.join(offered)}; we know {', '.join(known)}" if offered else "no login (AUTH)"
            raise smtplib.SMTPNotSupportedError(f"the relay offers {extensions}")
        for name in usable:
            try:
                return self.auth(name, known[name], initial_response_ok=initial_response_ok)
            except ValueError:  # a host without MD5 (FIPS): the challenge is left unanswered (RFC 4954 §4)
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
def own_name() -> str:
    """Asked once: the look-up can take seconds where DNS is slow."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"
