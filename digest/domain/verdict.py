"""Whom a relay's refusal is about. mail/smtp/reply_classifier.py reads a reply; RetryPolicy decides what follows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from digest.domain.delivery import Attempt
from digest.domain.errors import RelayRefusedUs


class About(StrEnum):
    READER = "reader"
    """The mailbox: gone, full, disabled, busy."""
    US = "us"
    """Our sender address, login, permission to relay, reputation, quota or rate."""
    MESSAGE = "message"
    """Its size or form."""
    CONNECTION = "connection"
    """The relay itself, the network, or the SMTP dialogue."""
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Whom a refusal stands for that is not surely about the reader or the message."""

    ALL = "all"
    """Every other message would be refused as well."""
    ONE = "one"
    """This delivery alone: the relay takes the others."""
    OPEN = "open"
    """Not known yet: the relay took nothing so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    about: About = About.UNKNOWN
    cause: str = ""
    """One or two words: "no such mailbox", "our quota"."""
    mailbox_gone: bool = False
    """The mailbox surely does not exist: the only thing that suppresses a reader."""
    scope: Scope = Scope.ONE
    """Anything but ONE only where it is, or may be, about us or the connection."""
    slower: bool = False
    """The relay takes the same message later, when it gets fewer."""
    wait: timedelta | None = None
    """How long a quota lasts."""
    remedy: str = ""
    """What the operator may do."""

    def refusal(self, attempt: Attempt) -> RelayRefusedUs:
        """The relay's own words and what to do about them, in one line."""
        return RelayRefusedUs(attempt.relay, f"{attempt.reply}; {self.remedy}")

    @property
    def elsewhere(self) -> bool:
        """Whether the next relay may well take this message."""
        return (self.about in (About.US, About.CONNECTION) or self.scope is not Scope.ONE) and not self.slower


UNJUDGED = Verdict(about=About.MESSAGE)
"""Of what needs no verdict: an accepted message, or one without a reply. A refusal counts against this delivery alone."""

_IN_A_ROW = 5
"""So many refusals about us without an accepted message in between: the relay refuses us, not one reader."""
_RARELY_ONE = frozenset({"relaying", "our address", "protocol"})
"""Causes that one reader's server seldom gives: the first is enough where the relay took nothing yet."""


class RefusalStreak:
    """Tells the refusal of one reader's mail from the refusal of all our mail, by what each relay took in this run."""

    def __init__(self) -> None:
        self._took: set[str] = set()
        self._in_a_row: Counter[str] = Counter()
        self._first: RelayRefusedUs | None = None

    @property
    def nothing_taken(self) -> RelayRefusedUs | None:
        """The first refusal about us whose scope stayed open, where no relay took anything."""
        return None if self._took else self._first

    def narrowed(self, attempt: Attempt, verdict: Verdict, attempts_before: int = 0) -> Verdict:
        """The verdict with its scope settled, as far as it can be. Who was refused before, alone, is refused alone again."""
        relay = attempt.relay
        if attempt.accepted:
            self._took.add(relay)
            self._in_a_row[relay] = 0
            return verdict
        if verdict.scope is not Scope.OPEN:
            return verdict
        self._in_a_row[relay] += 1
        if self._in_a_row[relay] >= _IN_A_ROW or (verdict.cause in _RARELY_ONE and relay not in self._took):
            return replace(verdict, scope=Scope.ALL)
        if relay in self._took or attempts_before:
            return replace(verdict, scope=Scope.ONE)
        if verdict.about is not About.UNKNOWN or self._in_a_row[relay] > 1:  # one odd refusal is no alarm yet
            self._first = self._first or verdict.refusal(attempt)
        return verdict
