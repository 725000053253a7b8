"""What a search found: papers that hold all that was asked for, then those that come nearest, and how odd words were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.paper import Paper
from digest.domain.phrase import phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    paper: Paper
    score: float
    """Compares only within one answer."""
    missing: tuple[str, ...] = ()
    """Words of the query that the paper does not hold; none: it holds all that was asked for."""
    sentence: str = ""
    """The one of the abstract that holds most of the words; "" where none holds any."""
    votes: int | None = None
    """Upvotes when they were counted last; None where nobody counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Matches with every word first, then partial ones, each kind best first."""

    matches: tuple[Match, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    """(word that few papers hold or none, the near one that was looked for as well)."""
    known: frozenset[str] = frozenset()
    """Those of the corrected words that some paper does hold."""

    @property
    def whole(self) -> tuple[Match, ...]:
        return tuple(match for match in self.matches if not match.missing)

    @property
    def partial(self) -> tuple[Match, ...]:
        return tuple(match for match in self.matches if match.missing)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of it before the papers are shown."""
        found = [
            phrase("Few papers have “%(typed)s”; showing results for “%(used)s” as well.", typed=typed, used=used)
            if typed in self.known
            else phrase("No paper has “%(typed)s”; showing results for “%(used)s”.", typed=typed, used=used)
            for typed, used in self.corrected
        ]
        if self.matches and not self.whole:
            found.append(phrase("No paper has all the words; the nearest:"))
        return tuple(found)


def in_words(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
