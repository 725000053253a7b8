"""What people type as their address: taken and spelled one way, or refused with the reason."""

from __future__ import annotations

import idna
import pytest

from digest.domain.errors import InvalidAddress
from digest.domain.subscriber import Address
from digest.mail.message.address import read_address
from tests.tables import every_row

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


@every_row(("typed", "address"), TAKEN)
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


@every_row("typed", REFUSED)
def test_what_is_no_address_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        read_address(typed)
    said = str(refused.value)
    assert said.startswith(f"address {typed.strip(' ')[:80]!r}: ")
    assert said.endswith("; should be like name@example.org")
    assert "\n" not in said


SAME = [
    ("ada@example.org", "ADA@EXAMPLE.ORG"),
    ("a@faß.de", "a@xn--fa-hia.de"),
    ("a@faß.de", "A@FAẞ.DE"),
    ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
    ("ß@example.org", "ẞ@example.org"),
    ("u\u0308ber@example.org", "Über@example.org"),
    ("a@Ｘ.example", "a@x.example"),
]
DIFFERENT = [
    ("a@faß.de", "a@fass.de"),
    ("ß@example.org", "ss@example.org"),
    ("a@βόλος.com", "a@βόλοσ.com"),
    ("ﬁ@example.org", "fi@example.org"),
    ("ſ@example.org", "s@example.org"),
    ("ı@example.org", "i@example.org"),
    ("Ａ@example.org", "a@example.org"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_mailbox_share_a_key(one: str, other: str) -> None:
    assert read_address(one).key == read_address(other).key


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_mailboxes_share_none(one: str, other: str) -> None:
    assert read_address(one).key != read_address(other).key


@pytest.mark.parametrize("domain", ["faß.de", "münchen.example", "例子.example", "βόλος.com", "пример.рф", "xn--fa-hia.de"])
def test_the_key_holds_the_domain_as_idna_has_it(domain: str) -> None:
    assert read_address(f"a@{domain}").key == f"a@{idna.encode(domain, uts46=True).decode()}"


def test_a_key_is_taken_of_any_domain() -> None:
    """Also of one that no adapter read: a bounce may name it."""
    assert Address("A@MÜNCHEN.Example").key == "a@xn--mnchen-3ya.example"
    assert Address("a@\u0130.example").key.isascii()
