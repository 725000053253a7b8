"""How to reach a relay, and how long each step of a dialogue with it may take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from digest.domain.errors import ConfigurationError

TLS_PORTS = frozenset({465, 994, 2465})
"""Where TLS begins with the connection, before the server says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. The defaults are the least that RFC 5321 §4.5.3.2 allows; `connect` and `block` are for our side of it."""

    connect: float = 60.0
    greeting: float = 300.0
    command: float = 300.0
    """MAIL, RCPT, EHLO, AUTH, RSET."""
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0

    @classmethod
    def within(cls, longest: float) -> Timeouts:
        """The defaults, none longer than `longest`; the final dot gets twice as much, as RFC 5321 gives it."""
        usual = cls()
        waits = {name: min(getattr(usual, name), longest) for name in ("connect", "greeting", "command", "data", "block")}
        return cls(**waits, dot=min(usual.dot, 2 * longest))


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
    access_token: Callable[[], str] | None = field(default=None, repr=False)
    """Logs in with XOAUTH2 and this token, made when it is needed; instead of the password."""
    login_advice: str = "set relays.username and relays.password"
    """What to do where the login is refused."""
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


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
