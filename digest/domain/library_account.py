"""A library that somebody keeps elsewhere and lets us read: Zotero, the works of an ORCID iD, of an author at OpenAlex."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from digest.domain.errors import InvalidInput
from digest.domain.phrase import phrase


class AccountKind(StrEnum):
    ZOTERO = "zotero"
    ORCID = "orcid"
    OPENALEX = "openalex"


TITLES = {AccountKind.ZOTERO: "Zotero", AccountKind.ORCID: "ORCID", AccountKind.OPENALEX: "OpenAlex"}


@dataclass(frozen=True, slots=True)
class AccountName:
    """`library` is "users/475425" or "groups/4711" ("": the key's own library), an ORCID iD, or an author's id at OpenAlex."""

    kind: AccountKind
    library: str = ""
    collections: tuple[str, ...] = ()
    """Keys of Zotero collections; none: the whole library."""

    def __str__(self) -> str:
        collections = f", collections {', '.join(self.collections)}" if self.collections else ""
        return f"{TITLES[self.kind]} {self.library or 'library of the key'}{collections}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryAccount:
    """One that a subscription is connected with, and how far it is read."""

    id: int
    subscription_id: int
    name: AccountName
    encrypted_key: str = field(repr=False)
    """ "" where none is needed."""
    state: Mapping[str, Any]
    """What its reader must remember (sources/port.py)."""
    connected_at: datetime
    started_at: datetime | None = None
    """When the read under way began."""
    read_at: datetime | None = None
    """When it was last read to its end."""
    problem: str = ""
    """Why it cannot be read, and what its owner can do."""
    papers: int = 0
    without_abstract: int = 0
    not_understood: int = 0

    @property
    def library(self) -> str:
        """Whose it is; "" as long as a key has not told."""
        return self.name.library or str(self.state.get("library", ""))

    def __str__(self) -> str:
        return str(replace(self.name, library=self.library))


_ZOTERO_ID = re.compile(r"[1-9]\d{0,14}")
_COLLECTIONS = re.compile(r"[A-Z0-9]{8}(?:,[A-Z0-9]{8})*")
_ORCID = re.compile(r"(?:https?://(?:www\.)?orcid\.org/|orcid:\s*)?(\d{4}-?\d{4}-?\d{4}-?\d{3}[\dX])/?", re.IGNORECASE)
_OPENALEX = re.compile(r"(?:https?://(?:api\.)?openalex\.org/)?(?:authors/|people/)?(A\d{4,12})/?", re.IGNORECASE)
_KEY = re.compile(r"[!-~]{1,128}")
_LONGEST = 300


def zotero_library(text: str) -> AccountName:
    """Reads "users/475425", "groups/4711/collections/ABCD2345,BCDE3456" or an address at zotero.org; "": the key's own library.

    Raises InvalidInput.
    """
    given = text.strip()[:_LONGEST]
    problem = InvalidInput(
        phrase("Zotero library %(given)s", given=repr(given[:80])),
        phrase("should be like users/475425, groups/4711 or its address at www.zotero.org"),
    )
    parts = [part for part in urlsplit(given if "://" in given else f"//zotero.org/{given}").path.split("/") if part]
    if "://" in given and not f".{urlsplit(given).hostname}".endswith(".zotero.org"):
        raise problem
    collections: tuple[str, ...] = ()
    if "collections" in parts:
        named = parts[parts.index("collections") + 1 :][:1]
        if not named or not _COLLECTIONS.fullmatch(named[0]):
            raise InvalidInput(
                phrase("Zotero collection %(given)s", given=repr("".join(named)[:80])),
                phrase("should be its key, such as ABCD2345"),
            )
        collections = tuple(dict.fromkeys(named[0].split(",")))
        parts = parts[: parts.index("collections")]
    if len(parts) == 1 and _ZOTERO_ID.fullmatch(parts[0]):
        parts = ["users", *parts]
    if parts and parts[0].rstrip("s") in ("user", "group"):
        if len(parts) < 2 or not _ZOTERO_ID.fullmatch(parts[1]) or ("://" not in given and len(parts) > 2):
            raise problem
        return AccountName(AccountKind.ZOTERO, f"{parts[0].rstrip('s')}s/{parts[1]}", collections)
    if parts and "://" not in given:
        raise problem
    return AccountName(AccountKind.ZOTERO, "", collections)  # www.zotero.org/a-name/library: its key says whose it is


def zotero_key(text: str) -> str:
    """Raises InvalidInput, which does not repeat what was given."""
    if (given := text.strip()) and not _KEY.fullmatch(given):
        raise InvalidInput(
            phrase("Zotero key"), phrase("should be the 24 letters and digits that www.zotero.org/settings/keys shows")
        )
    return given


def orcid_account(text: str) -> AccountName:
    """Reads an ORCID iD or its address. Raises InvalidInput, also where the last digit does not fit (ISO 7064, 11-2)."""
    found = _ORCID.fullmatch(text.strip()[:_LONGEST])
    digits = found[1].replace("-", "").upper() if found else ""
    if not digits or _check_digit(digits[:-1]) != digits[-1]:
        what = phrase("has a digit that is wrong") if digits else phrase("should be like 0000-0002-1825-0097")
        raise InvalidInput(phrase("ORCID iD %(given)s", given=repr(text.strip()[:80])), what)
    return AccountName(AccountKind.ORCID, "-".join(digits[at : at + 4] for at in range(0, 16, 4)))


def _check_digit(digits: str) -> str:
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def openalex_account(text: str) -> AccountName:
    """Reads an author's id at OpenAlex or its address. Raises InvalidInput."""
    found = _OPENALEX.fullmatch(text.strip()[:_LONGEST])
    if found is None:
        raise InvalidInput(
            phrase("OpenAlex author %(given)s", given=repr(text.strip()[:80])), phrase("should be like A5023888391")
        )
    return AccountName(AccountKind.OPENALEX, found[1].upper())
