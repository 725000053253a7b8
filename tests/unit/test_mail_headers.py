"""Header bytes: each field once, readable again, folded, and nothing anybody says can add one."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import ConfigurationError, InvalidAddress, InvalidInput, InvalidInstant
from digest.domain.subscriber import Address
from digest.mail.message.header_encoding import field, phrase, text
from digest.mail.message.headers import Addressed, HeaderTemplate, Sender, transactional
from digest.mail.verp import VerpSigner
from tests.tables import every_row

KEY = b"a key of thirty-two bytes, ......"
DUE = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
ONE_EACH = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "List-Help",
    "Auto-Submitted",
    "Content-Language",
    "Feedback-ID",
]
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)


def sender(name: str = "Trending papers", **more: object) -> Sender:
    return Sender(name=name, address=Address("digest@papers.test"), **more)  # type: ignore[arg-type]


def template(who: Sender | None = None, subject: str = "Papers of the day", title: str = "Daily papers") -> HeaderTemplate:
    return HeaderTemplate(
        who or sender(),
        VerpSigner(KEY),
        subject=subject,
        boundary="=_abc",
        list_name="daily",
        list_title=title,
        campaign="2026-11-23",
        archive_url="https://papers.test/lists/daily",
        help_url="https://papers.test/about",
    )


def addressed(made: HeaderTemplate, to: str = "ann@reader.test") -> Addressed:
    return made.address(17, Address(to), DUE, "https://papers.test/unsubscribe/" + "t" * 90)


def read(header: bytes) -> EmailMessage:
    return email.message_from_bytes(header + b"--=_abc--\r\n", policy=email.policy.default)


def assert_lines(header: bytes) -> None:
    assert header.endswith(b"\r\n\r\n")
    assert header.count(b"\r\n\r\n") == 1
    assert header.count(b"\r\n") == header.count(b"\r") == header.count(b"\n")
    for line in header.split(b"\r\n"):
        assert len(line) <= 998
        assert len(line) <= 78 or b" " not in line.strip().partition(b": ")[2]
        for word in line.split():
            assert not word.startswith(b"=?") or len(word) <= 75


def test_one_each_and_no_precedence() -> None:
    names = [
        line.partition(b":")[0].decode() for line in addressed(template()).header.split(b"\r\n") if line and line[:1] != b" "
    ]
    assert sorted(names) == sorted(ONE_EACH)


def test_what_each_says() -> None:
    made = addressed(template())
    message = read(made.header)
    assert message["From"] == "Trending papers <digest@papers.test>"
    assert message["To"] == made.envelope_recipient == "ann@reader.test"
    assert message["Date"].datetime == DUE
    assert message["Message-ID"] == f"<{made.message_id}>"
    assert message["List-Id"] == "Daily papers <daily.papers.test>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == "2026-11-23:daily:digest:paperstest"
    assert message["Content-Type"].params["boundary"] == "=_abc"
    web, mailto = message["List-Unsubscribe"].split(", ")
    assert web == f"<https://papers.test/unsubscribe/{'t' * 90}>"
    assert mailto.startswith("<mailto:unsubscribe+17.")
    assert mailto.endswith("@papers.test?subject=unsubscribe>")


def test_the_same_delivery_has_the_same_bytes() -> None:
    assert addressed(template()) == addressed(template())


@given(subject=TEXT, title=TEXT)
def test_hostile_subjects_and_titles_read_back(subject: str, title: str) -> None:
    header = addressed(template(subject=subject, title=title)).header
    assert_lines(header)
    message = read(header)
    assert str(make_header(decode_header(email.message_from_bytes(header)["Subject"].replace("\r\n", "")))) == subject
    assert message["Subject"] == subject
    assert [message.get_all(name) and len(message.get_all(name)) for name in ONE_EACH] == [1] * len(ONE_EACH)
    assert message["List-Id"].endswith("<daily.papers.test>")


@given(name=TEXT.filter(str.strip))
def test_hostile_sender_names_read_back(name: str) -> None:
    header = addressed(template(sender(name))).header
    assert_lines(header)
    (address,) = read(header)["From"].addresses
    assert address.addr_spec == "digest@papers.test"
    # The parser of Python 3.11 keeps the space between two encoded-words of a phrase (RFC 2047 §6.2 drops it).
    assert address.display_name.replace(" ", "") == name.replace(" ", "")


WORDS = [
    # value, how it is spelled: what is shorter of Q and B, each word as full as it may be, no character in two
    ("Papers of the day", "Papers of the day"),
    ("naïve Bayes", "=?utf-8?q?na=C3=AFve_Bayes?="),
    ("a  b", "=?utf-8?q?a__b?="),
    ("=?utf-8?q?no?=", "=?utf-8?b?PT91dGYtOD9xP25vPz0=?="),
    ("é" + "x" * 44, f"=?utf-8?q?=C3=A9{'x' * 44}?="),
    ("é" + "x" * 45, f"=?utf-8?q?=C3=A9{'x' * 44}?= =?utf-8?q?x?="),
    ("x" * 45 + "é", f"=?utf-8?q?{'x' * 45}?= =?utf-8?q?=C3=A9?="),
    ("今日の論文", "=?utf-8?b?5LuK5pel44Gu6KuW5paH?="),
    ("論" * 12, f"=?utf-8?b?{'6KuW' * 12}?="),
    ("論" * 12 + "a", f"=?utf-8?b?{'6KuW' * 12}?= =?utf-8?b?YQ==?="),
    ("論é", "=?utf-8?b?6KuWw6k=?="),
    ("x" * 900, "x" * 900),
    ("x" * 600 + " " + "y" * 600, "x" * 600 + " " + "y" * 600),
    ("x" * 901, " ".join([f"=?utf-8?q?{'x' * 50}?="] * 18 + ["=?utf-8?q?x?="])),
]


@every_row(("value", "spelled"), WORDS)
def test_words_on_the_wire(value: str, spelled: str) -> None:
    """RFC 2047: an encoded-word has 75 characters at most; ours have 62, so that one stands beside "Subject: "."""
    assert text(value) == spelled
    assert text(value).isascii()


NAMES = [
    ("Ada Lovelace", "Ada Lovelace"),
    ("Lovelace, Ada", '"Lovelace, Ada"'),
    ('Ada "the first" L.', '"Ada \\"the first\\" L."'),
    ("a\\b", '"a\\\\b"'),
    ("A. " + "x" * 55, '"A. ' + "x" * 55 + '"'),
    ("A. " + "x" * 56, f"=?utf-8?q?A=2E_{'x' * 45}?= =?utf-8?q?{'x' * 11}?="),
    ("x" * 78, "x" * 78),
    ("x" * 79, f"=?utf-8?q?{'x' * 50}?= =?utf-8?q?{'x' * 29}?="),
    ("Zoë", "=?utf-8?q?Zo=C3=AB?="),
]


@every_row(("name", "spelled"), NAMES)
def test_names_on_the_wire(name: str, spelled: str) -> None:
    """RFC 5322 §3.2.5: atoms, else a quoted string, else encoded-words."""
    assert phrase(name) == spelled


def test_a_field_is_folded_where_it_would_pass_column_78() -> None:
    assert field("X", "a" * 75) == b"X: " + b"a" * 75 + b"\r\n"
    assert field("X", "a" * 37 + " " + "b" * 37) == b"X: " + b"a" * 37 + b" " + b"b" * 37 + b"\r\n"
    assert field("X", "a" * 37 + " " + "b" * 38) == b"X: " + b"a" * 37 + b"\r\n " + b"b" * 38 + b"\r\n"
    assert field("X", "a" * 90 + " b") == b"X: " + b"a" * 90 + b"\r\n b\r\n", "a word that fits nowhere stays whole"


SLUG, URL = "should be letters, digits, hyphens and dots, at most 63", "should be an http(s) URL of at most 900 ASCII characters"
EDITION = {
    "subject": "Papers",
    "boundary": "=_abc",
    "list_name": "daily",
    "list_title": "Daily",
    "campaign": "2026-11-23",
    "archive_url": "https://papers.test/lists/daily",
    "help_url": "https://papers.test/about",
}
NO_EDITION = [
    ("list_name", "da ily", SLUG),
    ("list_name", "-daily", SLUG),
    ("list_name", "d" * 64, SLUG),
    ("campaign", "", SLUG),
    ("campaign", "a:b", SLUG),
    ("archive_url", "ftp://papers.test/", URL),
    ("help_url", "https://papers.test/a>b", URL),
    ("help_url", "https://papers.test/" + "a" * 881, URL),
    ("boundary", "a b", "should be 1 to 70 of the characters of RFC 2046 §5.1.1"),
    ("boundary", "b" * 71, "should be 1 to 70 of the characters of RFC 2046 §5.1.1"),
]


@every_row(("where", "value", "said"), NO_EDITION)
def test_what_no_header_may_hold_is_refused_by_name(where: str, value: str, said: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        HeaderTemplate(sender(), VerpSigner(KEY), **EDITION | {where: value})
    assert str(wrong.value) == f"{where}: {value[:80]!r} {said}"


def test_what_just_fits_is_taken() -> None:
    fits = {"list_name": "d" * 63, "boundary": "b" * 70, "help_url": "https://papers.test/" + "a" * 880, "campaign": "7"}
    HeaderTemplate(sender(), VerpSigner(KEY), **EDITION | fits)
    with pytest.raises(InvalidInput) as wrong:
        template().address(17, Address("ann@reader.test"), DUE, "javascript:x")
    assert str(wrong.value) == f"unsubscribe_url: 'javascript:x' {URL}"
    with pytest.raises(InvalidInput, match=r"^kind: 'con firm' should be letters"):
        transactional(
            sender(), VerpSigner(KEY), kind="con firm", key="4", to=Address("a@b.test"), subject="x", at=DUE, boundary="=_abc"
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"domain": "a b.test"}, "sender.domain: 'a b.test' should be like mail.example.org"),
        ({"bounce_domain": ".test"}, "sender.bounce_domain: '.test' should be like mail.example.org"),
        ({"feedback_id": "abcd"}, "sender.feedback_id: 'abcd' should be 5 to 15 letters and digits"),
        ({"feedback_id": "a" * 30}, f"sender.feedback_id: {'a' * 20!r} should be 5 to 15 letters and digits"),
    ],
)
def test_a_sender_that_cannot_be_is_told_which_setting(given: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        sender(**given)
    assert str(wrong.value) == said


def test_a_sender_is_its_address_where_nothing_else_is_said() -> None:
    alone = Sender(name="", address=Address("digest@Büro.test"))
    assert (alone.domain, alone.bounce_domain, alone.feedback_id) == ("xn--bro-hoa.test",) * 2 + ("xnbrohoatest",)
    assert sender(domain="mail.papers.test").bounce_domain == "mail.papers.test"
    assert sender(bounce_domain="B.papers.test").bounce_domain == "b.papers.test"
    assert Sender(name="", address=Address("a@b.c")).feedback_id == "bcxxx"


def test_what_no_header_may_hold_is_told_short() -> None:
    with pytest.raises(InvalidInput) as wrong:
        sender("x" * 50 + "\n")
    assert str(wrong.value).endswith(f"{'x' * 40!r} holds a line break or control character; should be one line of text")
    with pytest.raises(InvalidAddress) as no_domain:
        addressed(template(), f"a@\u0301{'x' * 90}.test")
    assert str(no_domain.value) == f"domain {chr(0x301) + 'x' * 79!r}: has no ASCII form (IDNA)"


@every_row("bad", ["a\r\nBcc: all@victim.test", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\u2029b", "a\x85b", "a\ud800b"])
def test_line_breaks_are_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        sender(bad)
    with pytest.raises(InvalidInput):
        template(subject=bad)
    with pytest.raises(InvalidInput):
        template(title=bad)
    with pytest.raises(InvalidInput):
        template().address(1, Address("a@b.test"), DUE, f"https://x.test/{bad}")
    with pytest.raises(InvalidAddress):
        Address(f"{bad}@x.test")


ADDRESSES = [
    # address, how it is spelled, whether it needs SMTPUTF8
    ("ann@reader.test", "ann@reader.test", False),
    ("ann+papers@reader.test", "ann+papers@reader.test", False),
    ("ann@bücher.test", "ann@xn--bcher-kva.test", False),
    ("ann@faß.test", "ann@xn--fa-hia.test", False),
    ("jörg@reader.test", "jörg@reader.test", True),
    ("a,b@reader.test", '"a,b"@reader.test', False),
    ("a@b@reader.test", '"a@b"@reader.test', False),
    ("a>b@reader.test", '"a>b"@reader.test', False),
    ('"a,b"@reader.test', '"a,b"@reader.test', False),
    ('"plain"@reader.test', "plain@reader.test", False),
    ('a"b@reader.test', '"a\\"b"@reader.test', False),
    (".a..b@reader.test", '".a..b"@reader.test', False),
]


@every_row(("address", "spelled", "utf8"), ADDRESSES)
def test_addresses_are_spelled_so_that_they_end_where_they_should(address: str, spelled: str, utf8: bool) -> None:
    made = addressed(template(), address)
    assert (made.envelope_recipient, made.smtputf8) == (spelled, utf8)
    assert f"\r\nTo: {spelled}\r\n".encode() in made.header
    if not utf8:
        (read_back,) = read(made.header)["To"].addresses
        assert read_back.domain == spelled.rpartition("@")[2]


def test_a_domain_without_an_ascii_form_is_refused() -> None:
    with pytest.raises(InvalidAddress, match="no ASCII form"):
        addressed(template(), "a@\u0301.test")


def test_a_naive_date_is_refused_and_others_are_told_in_utc() -> None:
    with pytest.raises(InvalidInstant):
        template().address(1, Address("a@b.test"), DUE.replace(tzinfo=None), "https://x.test/u")
    tokyo = DUE.astimezone(timezone(timedelta(hours=9)))
    assert (
        b"Date: Mon, 23 Nov 2026 07:00:00 +0000\r\n"
        in template().address(1, Address("a@b.test"), tokyo, "https://x.test/u").header
    )


def test_transactional_mails_have_fewer_fields() -> None:
    made = transactional(
        sender(reply_to=Address("help@papers.test")), VerpSigner(KEY), kind="confirm", key="4",
        to=Address("ann@reader.test"), subject="Confirm", at=DUE, boundary="=_abc",
    )  # fmt: skip
    assert_lines(made.header)
    assert read(made.header).keys() == (
        [
            "From",
            "Reply-To",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "Content-Type",
            "Feedback-ID",
            "Content-Language",
            "Auto-Submitted",
        ]
    )
    assert VerpSigner(KEY).read_bounce(made.envelope_sender) is None


def test_stamps_are_read_only_by_their_key_and_for_their_purpose() -> None:
    verp_signer, made = VerpSigner(KEY), addressed(template())
    unsubscribe = read(made.header)["List-Unsubscribe"].rpartition("mailto:")[2].partition("?")[0]
    assert verp_signer.read_bounce(made.envelope_sender) == 17
    assert verp_signer.read_bounce(made.envelope_sender.upper()) == 17
    assert verp_signer.read_unsubscribe(unsubscribe) == 17
    assert verp_signer.read_message_id(f" <{made.message_id}>\n") == 17
    assert verp_signer.read_bounce(unsubscribe) is verp_signer.read_unsubscribe(made.envelope_sender) is None
    assert VerpSigner(KEY + b"!").read_bounce(made.envelope_sender) is None
    for forged in (made.envelope_sender.replace("17.", "18."), "bounces+17@papers.test", "", "x", "@", "bounces+17.@x"):
        assert verp_signer.read_bounce(forged) is None
    with pytest.raises(ConfigurationError):
        VerpSigner(b"short")


@given(st.text())
def test_reading_stamps_never_fails(text: str) -> None:
    assert VerpSigner(KEY).read_bounce(text) is None


@given(st.integers(0, 2**63 - 1))
def test_every_delivery_can_be_read_back_from_an_address_that_fits(delivery: int) -> None:
    stamp = VerpSigner(KEY).of(delivery)
    assert len(f"unsubscribe+{stamp.unsubscribe}") <= 64
    assert VerpSigner(KEY).read_bounce(f"bounces+{stamp.bounce}@x.test") == delivery


# ---- the envelope sender --------------------------------------------------------------------------------------------------

AT_PROVIDERS = ["papers.of.jane@gmail.com", "j@outlook.de", "j@qq.com", "j@yahoo.co.jp", "j@web.de", "j@ICloud.com", "j@wp.pl"]


@every_row("address", AT_PROVIDERS)
@every_row("kind", ["verp", "plain"])
def test_no_address_is_made_up_at_a_mailbox_provider(address: str, kind: Literal["verp", "plain"]) -> None:
    who = Sender(name="", address=Address(address), envelope=kind)
    made = addressed(template(who))
    assert made.envelope_sender == Address(address).text
    assert b"mailto:" not in made.header
    assert_lines(made.header)
    signal_history = Sender(name="", address=Address(address), inbound=Address(address))
    assert f"<mailto:{address}?subject=unsubscribe>" in " ".join(addressed(template(signal_history)).header.decode().split())
    own = addressed(template(Sender(name="", address=Address(address), bounce_domain="papers.test")))
    assert own.envelope_sender.endswith("@papers.test")
    assert b"@papers.test?subject=unsubscribe>" in own.header


def test_the_envelope_sender_as_set() -> None:
    assert addressed(template(sender())).envelope_sender.startswith("bounces+17.")
    plain = addressed(template(sender(envelope="plain")))
    assert plain.envelope_sender == "digest@papers.test"
    assert b"mailto:" not in plain.header, "a relay that takes one sender delivers nothing to others at its domain"
    assert b"<mailto:unsubscribe+17." in addressed(template(sender(envelope="plain", bounce_domain="back.test"))).header
    fixed = addressed(template(sender(envelope=Address("me@other.test"))))
    assert fixed.envelope_sender == "me@other.test"
    assert b"<mailto:unsubscribe+17." in fixed.header
