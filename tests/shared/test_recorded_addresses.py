"""Addresses that other projects collected, valid and not, through the three doors that ours come in."""

from __future__ import annotations

import json
import re

from tests.doors import check_every_door, check_the_short_way
from tests.servers.website import Website
from tests.shared_data import SHARED

LOCALLY_FINE = {
    " test@iana.org": "a blank typed before it is dropped",
    "test@iana.org ": "a blank typed after it is dropped",
}
REFUSED_ALL_THE_SAME = [
    (r'"', "quoted local parts: RFC 5321 §4.1.2 asks that nobody has one"),
    (r"<.*>$", "a display name is not part of an address"),
    (r"@[^.]+$", "a domain without a dot cannot be reached from outside (RFC 7085)"),
]
TAKEN_ALL_THE_SAME = {
    "test@g--a.com": "hyphens may stand in a row but in third and fourth place, where xn-- does",
    "me@test.test.test": "reserved for tests, like those of this suite; mail to it goes nowhere",
    "me\N{LATIN SMALL LETTER E WITH GRAVE}x@example.com": "composed, as Unicode's normal form C has it",
    "me\N{COMBINING GRAVE ACCENT}x@example.com": "the same, to be composed",
    "m\N{LATIN SMALL LETTER E WITH GRAVE}x@example.com": "the same",
    "\N{GREEK SMALL LETTER LAMDA}ambda\N{KATAKANA LETTER TU}@test": "international: SMTPUTF8 (RFC 6531)",
}


def _expected() -> dict[str, bool]:
    """By address: should it be taken? Where two of the sources differ about one, it is fine if one of them says so."""
    found: dict[str, bool] = {}
    for line in (SHARED / "data/addresses/addresses.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if not row["address"].isascii() and re.search("[\ud800-\udfff]", row["address"]):
            continue  # half a character: no form and no file in UTF-8 can hold it
        found[row["address"]] = found.get(row["address"], False) or row["deliverable_style"]
    for address in found:
        if address in LOCALLY_FINE or address in TAKEN_ALL_THE_SAME:
            found[address] = True
        elif any(re.search(pattern, address) for pattern, _ in REFUSED_ALL_THE_SAME):
            found[address] = False
    return found


def test_addresses_of_every_kind_through_every_door(site: Website) -> None:
    expected = _expected()
    assert len(expected) > 300
    check_every_door(site, expected)


def test_the_short_way_to_read_an_address_is_the_long_way() -> None:
    check_the_short_way(address.rpartition("@")[2] for address in _expected())
