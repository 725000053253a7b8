"""The servers that other tests rely on do what those tests take for granted."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import GONE
from tests.servers.postfix import Postfix
from tests.servers.running import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def _message(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "digest@example.test"
    message["To"] = "reader@example.org"
    message["Subject"] = subject
    message.set_content("Ünïcode, a line\n.with a dot at its start\n")
    message.add_alternative("<p>Ünïcode</p>", subtype="html")
    return message


def test_what_postfix_takes_is_read_back_by_imap(postfix_server: Postfix, dovecot_server: Dovecot) -> None:
    with smtplib.SMTP("127.0.0.1", postfix_server.port, timeout=PATIENCE) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("pipelining")
        assert smtp.has_extn("smtputf8")
        smtp.send_message(_message("Café today"), "bounce@example.test", ["reader@example.org"])
    received = dovecot_server.parsed("reader@example.org", at_least=1)
    assert [mail["Subject"] for mail in received] == ["Café today"], postfix_server.maillog
    plain, html = received[0].iter_parts()
    assert plain.get_content().splitlines() == ["Ünïcode, a line", ".with a dot at its start"]
    assert html.get_content().splitlines() == ["<p>Ünïcode</p>"]
    assert received[0]["Return-Path"] == "<bounce@example.test>"


def test_mailboxes_are_told_apart(postfix_server: Postfix, dovecot_server: Dovecot) -> None:
    with smtplib.SMTP("127.0.0.1", postfix_server.port, timeout=PATIENCE) as smtp:
        for name in ("ada", "grace", "ada"):
            smtp.send_message(_message(f"for {name}"), "bounce@example.test", [f"{name}@elsewhere.example"])
    assert [m["Subject"] for m in dovecot_server.parsed("ada@elsewhere.example", at_least=2)] == ["for ada"] * 2
    assert [m["Subject"] for m in dovecot_server.parsed("grace@elsewhere.example", at_least=1)] == ["for grace"]
    assert dovecot_server.messages("nobody@elsewhere.example") == []


def test_an_unknown_mailbox_is_refused(postfix_server: Postfix) -> None:
    with (
        smtplib.SMTP("127.0.0.1", postfix_server.port, timeout=PATIENCE) as smtp,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        smtp.send_message(_message("nobody"), "bounce@example.test", [GONE])
    code, text = refused.value.recipients[GONE]
    assert (code, text.startswith(b"5.1.1")) == (550, True)


def test_the_browser_shows_a_page_of_ours_and_dark_when_asked(browser: Browser, tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    page_file.write_text("<!DOCTYPE html><style>@media (prefers-color-scheme: dark){p{color:#fff}}</style><p>Hello")
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(page_file.as_uri())
        assert page.inner_text("p") == "Hello"
        assert page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(255, 255, 255)"
