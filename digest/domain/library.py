"""A reader's library: the works they named as theirs. A work is no paper of ours: no source showed it, no edition weighs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digest.domain.identifier import Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One work, shared by all libraries that hold it. Without title or abstract as long as nobody could tell them."""

    name: str
    """The identifier that libraries list it by ("arxiv:…", "doi:…", or "reference:…" for one that only its title names)."""
    identifiers: tuple[Identifier, ...]
    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    title_key: str | None = None
    """What it meets a paper by that shares no identifier with it: see domain/identity.py."""
    terms: Mapping[str, int] | None = None
    """How often it says what, counted when its text changed last (ranking/terms.py)."""
    vector: bytes = b""
    """Its sentence vector, where it has one and was asked for."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be understood of a library somebody brought. `where` is a line or an entry."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeptLibrary:
    """What became of it: (name, title) of each work kept, those of them without abstract (looked up later), and the rest."""

    works: tuple[tuple[str, str], ...] = ()
    without_abstract: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    def __add__(self, other: KeptLibrary) -> KeptLibrary:
        return KeptLibrary(
            tuple(dict((*self.works, *other.works)).items()),
            tuple(dict.fromkeys((*self.without_abstract, *other.without_abstract))),
            (*self.rejected, *other.rejected),
        )
