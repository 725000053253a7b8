"""DKIM signatures, checked by dkimpy: a second implementation that shares no code with ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import ConfigurationError
from digest.mail.auth.dkim import OVERSIGNED, SIGNED, Signer, SigningKey, new_key, relaxed_body
from tests.tables import every_row

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
HEADER = (
    b"From: Papers <digest@papers.test>\r\nTo: ann@reader.test\r\nSubject: =?utf-8?q?Papiere?=\r\n =?utf-8?q?_des_Tages?=\r\n"
    b"Date: Mon, 23 Nov 2026 07:00:00 +0000\r\nMessage-ID: <17.a@papers.test>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_abc"\r\nList-Id: <daily.papers.test>\r\n'
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"List-Unsubscribe: <https://papers.test/u/x>,\r\n <mailto:u@papers.test>\r\n\r\n"
)
BODY = b"--=_abc\r\n\r\n  two  spaces \t and a tab\t\r\n trailing \r\n\r\n--=_abc--\r\n\r\n\r\n"


def pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


RSA = SigningKey.from_pem("papers.test", "r1", pem(rsa.generate_private_key(65537, 2048)))
ED25519 = SigningKey.from_pem("papers.test", "e1", pem(ed25519.Ed25519PrivateKey.generate()))
ZONE = {f"{name}.".encode(): value.encode() for name, value in (RSA.record(), ED25519.record())}


def holds(message: bytes, index: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(index, dnsfunc=lambda name, timeout=5: ZONE.get(name)))
    except dkim.DKIMException:
        return False


def signed(header: bytes = HEADER, body: bytes = BODY, *keys: SigningKey) -> bytes:
    return Signer(keys or (RSA, ED25519)).sign(header, body.splitlines(keepends=True), AT) + header + body


def test_both_signatures_hold() -> None:
    message = signed()
    assert [holds(message, index) for index in (0, 1)] == [True, True]


def test_what_is_signed() -> None:
    fields = Signer([RSA]).sign(HEADER, [BODY], AT).decode()
    tags = dict(tag.strip().split("=", 1) for tag in fields.partition(":")[2].replace("\r\n", "").split(";"))
    names = tags["h"].replace(" ", "").split(":")
    assert names.count("from") == 2
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
    said = tuple(tags[name] for name in "cadst")
    assert said == (
        "relaxed/relaxed",
        "rsa-sha256",
        "papers.test",
        "r1",
        "1795417200",
    )
    assert "l" not in tags
    assert all(len(line) <= 78 for line in fields.split("\r\n"))


def test_the_same_message_has_the_same_signature() -> None:
    signer = Signer([RSA, ED25519])
    assert signer.sign(HEADER, [BODY], AT) == signer.sign(HEADER, BODY.splitlines(keepends=True), AT)


DAMAGE = [
    (b"\r\nSubject: ", b"\r\nSubject: Re: "),
    (b"\r\nTo: ann", b"\r\nTo: bob"),
    (b"u/x>", b"u/y>"),
    (b"One-Click", b"No-Click"),
    (b"and a tab", b"and no tab"),
    (b"--=_abc--\r\n", b"--=_abc--\r\nPS: buy!\r\n"),
    *((b"MIME-Version", name.title().encode() + b": added@papers.test\r\nMIME-Version") for name in OVERSIGNED),
]


@every_row(("before", "after"), DAMAGE)
@every_row("index", [0, 1], ids=["rsa", "ed25519"])
def test_what_is_changed_breaks_the_signature(before: bytes, after: bytes, index: int) -> None:
    message = signed()
    damaged = message.replace(before, after)
    assert damaged != message
    assert not holds(damaged, index)


def test_what_servers_on_the_way_may_do_does_not_break_it() -> None:
    message = signed().replace(b"Subject: ", b"SUBJECT:  ").replace(b"trailing \r\n", b"trailing\r\n") + b"\r\n\r\n"
    assert holds(b"Received: from a by b\r\n" + message)


@given(st.lists(st.sampled_from([b" ", b"\t", b"x", b"\r\n", b".", b"=20", b"\r\n\r\n"]), max_size=40).map(b"".join))
def test_any_body(lines: bytes) -> None:
    body = lines + b"\r\n"  # what we compose always ends its last line
    expected = dkim.canonicalization.Relaxed.canonicalize_body(body)
    assert relaxed_body([body]) == relaxed_body(body.splitlines(keepends=True)) == expected
    assert holds(signed(HEADER, body, ED25519))


NO_PEM = "configuration: dkim.r1: should be an unencrypted PEM private key, RSA or Ed25519"
SMALL = rsa.generate_private_key(65537, 1024)
KEYS = [
    (b"no key", NO_PEM),
    (b"", NO_PEM),
    (pem(SMALL).replace(b"PRIVATE", b"PUBLIC"), NO_PEM),
    (
        SMALL.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        ),
        NO_PEM,
    ),
    (pem(ec.generate_private_key(ec.SECP256R1())), "configuration: dkim.r1: should be an RSA or Ed25519 key"),
]


@pytest.mark.parametrize(("data", "reason"), KEYS)
def test_unusable_keys(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(data)
    with pytest.raises(ConfigurationError) as refused:
        SigningKey.from_file("papers.test", "r1", tmp_path / "key.pem")
    assert str(refused.value) == reason


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SigningKey.from_file("papers.test", "r1", tmp_path / "none.pem")
    assert str(refused.value) == f"configuration: dkim.r1: {tmp_path}/none.pem: No such file or directory"


def test_rsa_of_1024_bits_is_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SigningKey.from_pem("papers.test", "r1", pem(SMALL)).private.key_size == 1024  # type: ignore[union-attr]
    monkeypatch.setattr("digest.mail.auth.dkim._SHORTEST_RSA", 1025)  # shorter ones cannot even be made here
    with pytest.raises(ConfigurationError) as refused:
        SigningKey.from_pem("papers.test", "r1", pem(SMALL))
    assert str(refused.value) == "configuration: dkim.r1: RSA of 1024 bits; verifiers want at least 1025"


NAMES = [
    ("papers.test", "r1", True),
    ("a.b-c.PAPERS.test", "2026-11.r1", True),
    ("papers.test.", "r1", False),
    ("papers..test", "r1", False),
    ("müller.test", "r1", False),
    ("papers.test", "r1;d=evil", False),
    ("papers.test", "", False),
    ("papers.test\n", "r1", False),
    ("papers_x.test", "r1", False),
]


@every_row(("domain", "selector", "taken"), NAMES)
def test_where_a_key_is_published_is_a_name_in_the_dns(domain: str, selector: str, taken: bool) -> None:
    if taken:
        key = SigningKey.from_pem(domain, selector, pem(SMALL))
        assert (key.domain, key.selector) == (domain, selector)
        assert key.record()[0] == f"{selector}._domainkey.{domain}"
        return
    with pytest.raises(ConfigurationError) as refused:
        SigningKey.from_pem(domain, selector, pem(SMALL))
    said = f"domain {domain!r} and selector {selector!r} should be DNS names in ASCII"
    assert str(refused.value) == f"configuration: dkim.{selector}: {said}"


def test_new_keys_are_of_the_kind_asked_for_and_can_be_read() -> None:
    long = SigningKey.from_pem("papers.test", "r1", new_key("rsa"))
    short = SigningKey.from_pem("papers.test", "e1", new_key("ed25519"))
    assert (long.algorithm, short.algorithm) == ("rsa-sha256", "ed25519-sha256")
    assert isinstance(long.private, rsa.RSAPrivateKey)
    assert (long.private.key_size, long.private.public_key().public_numbers().e) == (2048, 65537)
    assert new_key("rsa").startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert new_key("ed25519") != new_key("ed25519")
    assert long.record()[1].startswith("v=DKIM1; k=rsa; p=MIIB")
    assert len(short.record()[1]) == len("v=DKIM1; k=ed25519; p=") + 44


def test_many_names_are_folded_between_names() -> None:
    """A header with every field that is signed, several of them twice."""
    header = b"".join(name.encode() + b": x\r\n" for name in (*SIGNED, *SIGNED)) + b"\r\n"
    fields = Signer([RSA]).sign(header, [BODY], AT)
    lines = fields.decode().split("\r\n")
    first, last = (next(n for n, line in enumerate(lines) if line.startswith(start)) for start in (" h=", " bh="))
    assert last - first > 5
    assert all(len(line) <= 74 and line.endswith(":") for line in lines[first : last - 1])
    assert all(line.startswith("  ") for line in lines[first + 1 : last])
    assert lines[last - 1].endswith(";")
    assert not lines[last - 1].endswith(":;")
    assert holds(fields + header + BODY)


PIECES = [
    ([b"a  b\t c \r\n"], b"a b c\r\n"),
    ([b"a\r\n", b"b \r\n", b"\r\n", b"\r\n"], b"a\r\nb\r\n"),
    ([b"\r\n", b"\r\n"], b""),
    ([b""], b""),
    ([], b""),
    ([b"no end "], b"no end\r\n"),
    ([b"a\r\n", b"no\tend\t"], b"a\r\nno end\r\n"),
    ([b" \t\r\n x\r\n"], b"\r\n x\r\n"),
]


@every_row(("pieces", "relaxed"), PIECES)
def test_the_relaxed_form_of_a_body(pieces: list[bytes], relaxed: bytes) -> None:
    assert relaxed_body(pieces) == relaxed


def test_a_key_in_a_file_signs_as_one_in_memory(tmp_path: Path) -> None:
    (tmp_path / "r1.pem").write_bytes(pem(RSA.private))
    assert SigningKey.from_file("papers.test", "r1", tmp_path / "r1.pem").record() == RSA.record()
