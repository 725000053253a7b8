"""What people type as their address: taken and spelled one way, or refused with the reason."""

from __future__ import annotations

import pytest

from digest.domain.errors import InvalidAddress
from digest.mail.address import read_address

TAKEN = [
    ("ada@example.org", "ada@example.org"),
    (" \tada@example.org\u00a0 ", "ada@example.org"),
    ("Ada.Lovelace+papers@Example.ORG", "Ada.Lovelace+papers@example.org"),
    ("o'brien@example.org", "o'brien@example.org"),
    ("ada@sub.sub.example.org", "ada@sub.sub.example.org"),
    ("ada@MÜNCHEN.example", "ada@münchen.example"),
    ("ada@xn--mnchen-3ya.example", "ada@münchen.example"),
    ("用户@例子.example", "用户@例子.example"),
    ("u\u0308ber@example.org", "\u00fcber@example.org"),
    ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ("ada@" + ".".join(["d" * 60] * 3) + ".example", "ada@" + ".".join(["d" * 60] * 3) + ".example"),
]


@pytest.mark.parametrize(("typed", "address"), TAKEN)
def test_an_address_is_taken(typed: str, address: str) -> None:
    assert read_address(typed).text == address
    assert read_address(typed).text == address, "the second time its domain is known"


REFUSED = [
    "",
    "ada",
    "@example.org",
    "ada@",
    "ada@example",
    "ada@@example.org",
    "ada lovelace@example.org",
    "ada..l@example.org",
    ".ada@example.org",
    "ada.@example.org",
    "ada@exa_mple.org",
    "ada@-example.org",
    "ada@example..org",
    "Ada <ada@example.org>",
    '"ada"@example.org',
    "ada(comment)@example.org",
    "ada@[192.0.2.1]",
    "ada@example.org\n",
    "\nada@example.org",
    "ada@example.org\r\nRCPT TO:<eve@example.org>",
    "ada@example.org\nBcc: eve@example.org",
    "ada,eve@example.org",
    "ada\x00@example.org",
    "a" * 65 + "@example.org",
    "ada@" + ".".join(["d" * 60] * 4) + ".example",
    "a" * 64 + "@" + ".".join(["d" * 60] * 3) + ".example.org",
]


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_address_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        read_address(typed)
    said = str(refused.value)
    assert said.startswith(f"address {typed.strip(' ')[:80]!r}: ")
    assert said.endswith("; should be like name@example.org")
    assert "\n" not in said
