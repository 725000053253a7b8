"""Composed mails: what a parser reads from the bytes is what `assemble` says, whatever the papers and readers say."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from email.message import EmailMessage
from html import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.domain.edition import Card, Rendered
from digest.domain.errors import TemplateError
from digest.render.edition.compose import Composer, boundary_of, compose_message
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS, CardSelection, CardUse, Personal
from digest.render.text.quoted_printable import encode, encode_value
from tests.mails import assemble
from tests.tables import every_row

HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=300),
    st.text("=. \n\r\tFrom e\u20acé漢𝄞", max_size=300),
    st.lists(
        st.sampled_from(["From me ", ".", "..", "\n", " ", "=3D", "=\r\n", "\t", "é" * 40, "𝄞" * 30, "x" * 80, "--=_", "--"])
    ).map("".join),
    st.text("=.&/ax", min_size=60, max_size=160).map("https://x.test/".__add__),
    st.integers(60, 90).map(lambda n: "x" * n + "é.From " + "y" * n),
)


def edition(title: str, abstract: str, cards: int = 3) -> Rendered:
    markers = Markers.for_texts("seed", [title, abstract])
    mark = markers.mark

    def card(number: int) -> Card:
        return Card(
            paper_id=number,
            html=f'<tr><td>{mark("number")} <a href="{mark("more-url")}">{escape(title)}</a>{number}'
            f"<p>{escape(abstract)}\n</p></td></tr>\n",
            text=f"{mark('number')}. {title}\n{abstract}{mark('reasons')}\n{mark('more-url')}\n",
        )

    return Rendered(
        subject=title,
        html=f"<!DOCTYPE html>\n<html><body>{escape(abstract)}{mark(CARDS)}"
        f'<a href="{mark("unsubscribe-url")}">stop</a></body></html>',
        text=f"{title}\n{mark('why')}\n\n{mark(CARDS)}\n{abstract}{mark('unsubscribe-url')}{title}",
        cards=tuple(card(n) for n in range(cards)),
        nonce=markers.nonce,
        picks=(0, 1),
    )


def reader(why: str, url: str, order: tuple[int, ...]) -> Personal:
    return Personal(
        selection=CardSelection(
            shell_html={},
            shell_text={"why": why},
            cards=tuple(
                CardUse(
                    position=position,
                    html={"number": str(n)},
                    text={"number": f"{n:>2}", "reasons": why},
                )
                for n, position in enumerate(order, start=1)
            ),
        ),
        html={"unsubscribe-url": escape(url), "more-url": escape(f"{url}/more?a=1&b=2")},
        text={"unsubscribe-url": url, "more-url": f"{url}/more?a=1&b=2"},
    )


def parsed(composer: Composer, own: Personal) -> tuple[bytes, EmailMessage]:
    header = f'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{composer.boundary}"\r\n\r\n'
    data = header.encode() + b"".join(composer.pieces(own))
    return data, email.message_from_bytes(data, policy=email.policy.default)


def assert_safe_lines(body: bytes) -> None:
    assert body.isascii()
    assert body.count(b"\r\n") == body.count(b"\r") == body.count(b"\n")
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


@given(title=HOSTILE, abstract=HOSTILE, why=HOSTILE, url=HOSTILE, order=st.permutations(range(3)))
@example(title="a" * 75 + "é", abstract="=" * 200, why="\n", url="https://x.test/" + "=" * 90, order=[0, 1, 2])
@example(title=" ", abstract=".", why="From ", url="", order=[])
def test_a_parser_reads_what_assemble_says(title: str, abstract: str, why: str, url: str, order: list[int]) -> None:
    rendered, own = edition(title, abstract), reader(why, url, tuple(order))
    composer = Composer(rendered)
    data, message = parsed(composer, own)
    html, text = assemble(rendered, own)
    plain, rich = message.iter_parts()
    assert not message.defects
    assert not plain.defects
    assert not rich.defects
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().replace("\r\n", "\n") == text
    assert rich.get_content().replace("\r\n", "\n") == html
    assert_safe_lines(data)
    assert data == parsed(Composer(rendered), own)[0]


@given(st.lists(HOSTILE, max_size=6))
def test_pieces_joined_in_any_order_decode_to_their_texts(pieces: list[str]) -> None:
    for encoder in (encode, encode_value):
        body = b"".join(encoder(piece) for piece in pieces)
        assert_safe_lines(body)
        message = email.message_from_bytes(
            b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + body
        )
        decoded = message.get_payload(decode=True)
        assert isinstance(decoded, bytes)
        assert decoded.decode().replace("\r\n", "\n") == "".join(pieces)


@given(HOSTILE)
def test_no_character_is_split_between_lines(text: str) -> None:
    for line in encode(text).split(b"\r\n"):
        octets = re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), line.removesuffix(b"="))
        octets.decode()


def test_lone_surrogates_do_not_stop_a_mail() -> None:
    assert encode("a\ud800b") == b"a?b=\r\n"


def test_readers_do_not_see_each_other() -> None:
    """Values are remembered between mails: the next mail must have its own."""
    rendered = edition("t", "a")
    composer = Composer(rendered)
    for name in ("ann", "bob", "ann"):
        own = reader(f"you are {name}", f"https://x.test/{name}", (1, 0))
        data, _ = parsed(composer, own)
        assert data.count(f"x.test/{name}".encode()) == 2 + 4
        assert {"ann": b"x.test/bob", "bob": b"x.test/ann"}[name] not in data


def test_a_marker_nobody_fills_is_an_error() -> None:
    rendered = edition("t", "a")
    own = replace(reader("w", "u", (0,)), text={"more-url": "m"})
    with pytest.raises(TemplateError, match="unsubscribe-url"):
        Composer(rendered).pieces(own)


def test_the_boundary_follows_from_the_edition() -> None:
    assert Composer(edition("t", "a")).boundary == Composer(edition("t", "a")).boundary
    assert Composer(edition("t", "a")).boundary != Composer(edition("u", "a")).boundary


@given(html=HOSTILE, text=HOSTILE)
def test_a_mail_to_one_person_reads_back(html: str, text: str) -> None:
    boundary = boundary_of(html, text)
    header = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode()
    data = compose_message(header, boundary, html, text)
    plain, rich = email.message_from_bytes(data, policy=email.policy.default).iter_parts()
    assert [part.get_content().replace("\r\n", "\n") for part in (plain, rich)] == [text, html]
    assert_safe_lines(data)


@every_row("odd", [".", "=", "=.", ".=", "é"])
@every_row("length", range(60, 80))
def test_a_link_may_be_cut_anywhere(odd: str, length: int) -> None:
    link = "https://x.test/".ljust(length, "t") + odd + "t" * 90
    encoded = encode_value(link)
    assert_safe_lines(encoded)
    assert re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), encoded.replace(b"=\r\n", b"")).decode() == link


ORDINARY = ["", "You get this.", *("w" * length for length in (74, 75, 76)), "ends with a space ", "two\nlines", "tab\t", "1=1"]


@every_row("value", [*ORDINARY, "é", ".", ".hidden", "From me", "From", "a.b", "x\r", "w" * 74 + " "])
def test_a_value_is_encoded_as_any_text_is(value: str) -> None:
    assert encode_value(value) == encode(value)
