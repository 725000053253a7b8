"""The lint: a good mail passes, and for each rule there is a mail that breaks exactly that one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.edition import Rendered
from digest.mail.lint.lint import RULES, lint
from digest.render.edition.personalise import own_picks, selected, subject_of
from digest.render.text.text_wrap import breakable
from digest.render.transactional.messages import Message, NoticeView, render_message
from tests.editions import LIST, SENDER, TEMPLATES, WHY, Reader, edition, many, rendered
from tests.mails import assemble, personal
from tests.tables import every_row

HEADER = """\
From: Reading Group <digest@papers.example>
To: reader@example.org
Subject: {subject}
Date: Thu, 06 Nov 2025 07:00:00 +0000
Message-ID: <17.sig@papers.example>
List-Id: Trending papers <daily.papers.example>
List-Unsubscribe: <https://papers.example/unsubscribe/17.sig>, <mailto:unsubscribe+17@papers.example>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: 2025-11-06:daily:digest:papersexample
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_b"
"""
PART = "--=_b\nContent-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n"


SAID = Path(__file__).resolve().parents[1] / "golden/lint.txt"


def composed(header: str, text: str, html: str) -> bytes:
    parts = PART.format(kind="plain", body=text) + PART.format(kind="html", body=html)
    return f"{header}\n{parts}--=_b--\n".replace("\n", "\r\n").encode()


def parts_of(mail: Rendered) -> tuple[str, str]:
    html, text = assemble(mail, personal(mail, own_picks(mail), Reader(), WHY))
    return text, html


def header_of(mail: Rendered) -> str:
    return HEADER.format(subject=subject_of(mail, selected(mail, own_picks(mail))))


MAIL = rendered(edition())
GOOD_HEADER = header_of(MAIL)
GOOD_TEXT, GOOD_HTML = parts_of(MAIL)


def in_header(old: str, new: str) -> Callable[[], bytes]:
    assert old in GOOD_HEADER
    return lambda: composed(GOOD_HEADER.replace(old, new, 1), GOOD_TEXT, GOOD_HTML)


def in_text(old: str, new: str) -> Callable[[], bytes]:
    assert old in GOOD_TEXT
    return lambda: composed(GOOD_HEADER, GOOD_TEXT.replace(old, new, 1), GOOD_HTML)


def in_html(old: str, new: str) -> Callable[[], bytes]:
    assert old in GOOD_HTML, old
    return lambda: composed(GOOD_HEADER, GOOD_TEXT, GOOD_HTML.replace(old, new, 1))


def raw(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(composed(GOOD_HEADER, GOOD_TEXT, GOOD_HTML))


def in_both(text: str, html: str) -> Callable[[], bytes]:
    return lambda: composed(
        GOOD_HEADER, GOOD_TEXT.replace("Preferences", f"{text}\nPreferences"), GOOD_HTML.replace("</h1>", f"</h1>{html}")
    )


def large() -> bytes:
    mail = rendered(edition(many(80)))
    text, html = parts_of(mail)
    return composed(header_of(mail), text, html)


H1 = "<h1 "
BREAKING = [
    ("line-length", in_header("List-Id:", "X-Long: " + "a" * 1000 + "\nList-Id:")),
    (
        "line-ends",
        raw(lambda data: data.replace(b"\r\n1 Long", b"\n1 Long").replace(b"Reading Group, 1", b"Reading Group,\n1", 1)),
    ),
    ("line-ends", raw(lambda data: data.replace(b"You get", b"You\0get"))),
    ("ascii-header", in_header("Reading Group", "Lesegruppe Tübingen")),
    ("header-count", in_header("To: reader@example.org\n", "To: reader@example.org\nTo: other@example.org\n")),
    ("header-count", in_header("Auto-Submitted: auto-generated\n", "")),
    ("header-count", in_header("List-Id: Trending papers <daily.papers.example>\n", "")),
    ("header-count", in_header("To:", "Bcc: all@example.org\nTo:")),
    ("date", in_header("Thu, 06 Nov 2025 07:00:00 +0000", "tomorrow")),
    ("message-id", in_header("<17.sig@papers.example>", "<17.sig@localhost>")),
    ("message-id", in_header("<17.sig@papers.example>", "<17.sig@elsewhere.example>")),
    ("message-id", in_header("Reading Group <digest@papers.example>", "a@papers.example, b@papers.example")),
    ("one-click", in_header("<https://papers.example/unsubscribe/17.sig>, ", "")),
    ("unsubscribe-mailbox", in_header(", <mailto:unsubscribe+17@papers.example>", "")),
    ("one-click", in_header("=One-Click", "=Two-Click")),
    ("one-click-https", in_header("<https://papers", "<http://papers")),
    ("structure", raw(lambda data: data.replace(b"text/plain; charset=utf-8", b"text/plain; charset=utf8", 1))),
    ("structure", raw(lambda data: data.replace(b"multipart/alternative", b"multipart/mixed", 1))),
    ("size", large),
    ("doctype", in_html("<!DOCTYPE html>", "<!doctype html>")),
    ("lang", in_html('<html lang="en"', "<html")),
    ("title", in_html("<title>", "<title>Other ")),
    ("preheader", lambda: composed(GOOD_HEADER, GOOD_TEXT, re.sub(r'(class="preheader"[^>]*>)[^<]*', r"\1short", GOOD_HTML))),
    ("markers", in_html("Computation and", "m0123456789-reasons-m")),
    ("markers", in_text("Computation and", "m0123456789-more-url-m")),
    ("placeholders", in_html("Computation and", "{{ card.topic }}")),
    ("placeholders", in_text("Computation and", "{% if x %}")),
    ("elements", in_html(H1, "<form></form><h1 ")),
    ("elements", in_html(H1, '<h1 onclick="x()" ')),
    ("links", in_both("/relative", '<a href="/relative">x</a>')),
    ("remote", in_html(H1, '<img src="https://tracker.example/1.gif" alt=""><h1 ')),
    ("remote", in_html("color-scheme: light", "background: url('https://tracker.example/x.png'); color-scheme: light")),
    ("unsubscribe", in_html(">Unsubscribe<", ">Stop<")),
    ("unsubscribe", in_text("Unsubscribe", "Stop")),
    ("agreement", in_text("A Clock That Never Lies", "A Clock That Often Lies")),
    ("agreement", in_text("https://github.com/ada/clock", "https://github.com/ada/watch")),
    ("agreement", in_text("    https://github.com/ada/clock\n", "")),
    ("agreement", in_text("\nPreferences", "\nhttps://extra.example/\n\nPreferences")),
    ("text-width", in_text("You get this because", "You get this because " + "and because " * 6)),
    ("text-width", in_text("    https://github.com", "    Code: https://github.com")),
    ("css", in_html(H1, '<div style="display:flex">x</div><h1 ')),
    ("css", in_html("color-scheme: light", "margin: calc(1px + 2px); color-scheme: light")),
    ("css", in_html(H1, '<p style="font-size:1.2rem">x</p><h1 ')),
    ("css-decoration", in_html(H1, '<p style="box-shadow:0 0 1px #000">x</p><h1 ')),
    ("small-print", in_html(H1, '<p style="font-size:9px">x</p><h1 ')),
    ("contrast", in_html(H1, '<p style="color:#999999">faint</p><h1 ')),
    ("contrast", in_html(".reason { color: #e5bb76", ".reason { color: #303030")),
    ("dark", in_html('<meta name="color-scheme" content="light dark">', "")),
    ("alt", in_html(H1, '<img src="cid:logo"><h1 ')),
]


def test_a_good_mail_passes() -> None:
    findings = lint(composed(GOOD_HEADER, GOOD_TEXT, GOOD_HTML))
    assert (findings.errors, findings.warnings) == ((), ())


@pytest.mark.parametrize("style", ["full", "compact"])
@pytest.mark.parametrize("count", [1, 5, 30])
def test_editions_of_any_length_pass(style: str, count: int) -> None:
    mail = rendered(edition(many(count)), style)
    findings = lint(composed(header_of(mail), *parts_of(mail)))
    assert (findings.errors, findings.warnings) == ((), ())


@every_row(("rule", "mail"), BREAKING, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(BREAKING)])
def test_each_rule_is_broken_alone(rule: str, mail: Callable[[], bytes]) -> None:
    findings = lint(mail())
    broken = {finding.partition(":")[0] for finding in (*findings.errors, *findings.warnings)}
    assert broken == {rule}, (findings.errors, findings.warnings)
    is_error = all(known.is_error for known in RULES if known.name == rule)
    assert bool(findings.errors) is is_error


def test_what_it_says_is_what_a_person_can_act_on() -> None:
    """Every finding of every broken mail, word by word. A change is a change of what operators read: look at it."""
    said = []
    for number, (rule, mail) in enumerate(BREAKING):
        findings = lint(mail())
        said += [
            f"{number}-{rule}",
            *(re.sub(r"has [\d,]+ bytes", "has N bytes", f"  {each}") for each in (*findings.errors, *findings.warnings)),
        ]
    assert said == SAID.read_text("utf-8").splitlines()


def test_every_rule_has_a_mail_that_breaks_it() -> None:
    assert {rule for rule, _ in BREAKING} == {rule.name for rule in RULES}


def test_a_title_that_looks_like_a_marker_is_no_error_where_the_edition_is_known() -> None:
    data = in_both("A Clock That Never Lies", "On m0123456789-cards-m tokens")()
    assert lint(data, nonces=("abcdef0123",)).errors == ()
    assert [each for each in lint(data, nonces=("0123456789",)).errors if each.startswith("markers")] != []
    assert lint(data).errors == (), "nobody knows which edition a file on the command line is of"


def test_an_address_in_an_abstract_is_in_both_parts() -> None:
    """Also where the html has it after an element, and lets it break."""
    address = "https://github.com/ada/clocks-that-never-lie"
    text = GOOD_TEXT.replace("\n\n", f"\n\n    {address}\n\n", 1)
    html = GOOD_HTML.replace("</h1>", f"</h1><p>Of <b>ours</b>: {breakable(address)}</p>", 1)
    assert lint(composed(GOOD_HEADER, text, html)).errors == ()


@pytest.mark.parametrize("kind", ["confirm", "welcome", "goodbye", "link", "address", "moved"])
def test_a_mail_to_one_person_owes_no_list_fields(kind: str) -> None:
    view = NoticeView(
        title=LIST.title,
        description=LIST.description,
        address="reader@example.org",
        sender=SENDER,
        confirm_url="https://papers.example/confirm/17.sig",
        manage_url=Reader().manage,
        unsubscribe_url=Reader().unsubscribe,
    )
    message: Message = render_message(TEMPLATES, kind, view)
    lines = [line for line in HEADER.format(subject=message.subject).splitlines() if not line.startswith("List-")]
    header = "\n".join(lines).replace("2025-11-06:daily:digest", f"{kind}:transactional:{kind}") + "\n"
    data = composed(header, message.text, message.html)
    assert lint(data) == lint(data, listed=False)
    assert (lint(data).errors, lint(data).warnings) == ((), ())
    assert any("List-Unsubscribe" in error for error in lint(data, listed=True).errors)


@given(st.binary(max_size=400), st.integers(0, 4000))
def test_whatever_the_bytes_it_says_so_and_does_not_raise(noise: bytes, at: int) -> None:
    good = composed(GOOD_HEADER, GOOD_TEXT, GOOD_HTML)
    assert lint(noise).errors
    lint(good[:at] + noise + good[at + len(noise) :])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>x",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: multipart/alternative\r\n\r\nno boundary",
        b"Subject: =?utf-8?b?////?=\r\nDate: \r\nMessage-ID:\r\nFrom:\r\n\r\n",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<a href='http://[::1'>x</a><img src='//[x'>" + b"<div>" * 3000,
    ],
)
def test_broken_mails_are_judged_too(data: bytes) -> None:
    assert lint(data).errors
