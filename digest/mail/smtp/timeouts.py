"""How long each step of a dialogue may take."""

from __future__ import annotations

from dataclasses import dataclass


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
