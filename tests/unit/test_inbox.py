"""The demo's inbox: a real server that keeps what it is given, as it came; and a mail read back as a mail program would."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

from digest.mail.dev_smtp_server import DevSmtpServer
from digest.mail.inbound.message_parts import parts_of


def test_each_mail_is_a_file_in_the_order_they_came(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet" / "inbox"
    with DevSmtpServer(folder) as inbox:
        assert inbox.messages() == []
        with smtplib.SMTP("127.0.0.1", inbox.port) as client:
            client.ehlo()
            for n in (1, 2):
                client.mail("digest@example.org")
                client.rcpt("ada@example.org")
                code, said = client.data(b"Subject: mail %d\r\n\r\n\xc3\xbc\r\n.dot\r\n" % n)
                assert (code, said) == (250, b"2.0.0 kept as %04d.eml" % n)
        assert [path.name for path in inbox.messages()] == ["0001.eml", "0002.eml"]
        assert [path.parent for path in inbox.messages()] == [folder, folder]
        assert inbox.messages()[1].read_bytes() == b"Subject: mail 2\r\n\r\n\xc3\xbc\r\n.dot\r\n"
        assert {path.suffix for path in folder.iterdir()} == {".eml"}, "nothing half written is left"
    with DevSmtpServer(folder) as again, smtplib.SMTP("127.0.0.1", again.port) as client:
        client.sendmail("digest@example.org", ["ada@example.org", "bob@example.org"], b"Subject: third\r\n\r\n")
        assert [path.name for path in again.messages()] == ["0001.eml", "0002.eml", "0003.eml"], "goes on where it was"


def test_it_takes_addresses_that_are_not_ascii(tmp_path: Path) -> None:
    with DevSmtpServer(tmp_path) as inbox, smtplib.SMTP("127.0.0.1", inbox.port) as client:
        client.ehlo()
        assert client.has_extn("smtputf8")


def test_two_bodies_are_read_back_with_plain_line_ends() -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("Grüße\nzwei\n")
    message.add_alternative("<p>Grüße</p>\n", subtype="html")
    as_sent = message.as_bytes().replace(b"\n", b"\r\n")
    assert parts_of(as_sent) == ("<p>Grüße</p>\n", "Grüße\nzwei\n")


def test_a_body_that_is_not_there_is_empty() -> None:
    assert parts_of(b"Subject: x\r\n\r\nonly words\r\n") == ("", "only words\n")
    assert parts_of(b"Content-Type: text/html\r\n\r\n<p>only\r\n") == ("<p>only\n", "")
