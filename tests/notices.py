"""Notices of our own making: .eml files in the shapes of the servers there are, and what servers say when they refuse, each put
into the shapes in which it comes back.

Names and addresses are invented; a machine's fixed sentences are the format's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind
from digest.mail.inbound.bounce_patterns.stages import ReplyStage
from tests.answers import FIXTURES

FOLDER = FIXTURES / "bounces"
READER = "ada@reader.test"


@dataclass(frozen=True)
class Notice:
    """A mail that came back, and what is right about it: its kind, and the class of each recipient (None: a complaint)."""

    name: str
    data: bytes
    kind: FeedbackKind
    recipients: Mapping[str, BounceClass | None]


@dataclass(frozen=True)
class Refusal:
    cause: str
    bounce: BounceClass
    finding: ReplyStage
    words: str


def notices() -> list[Notice]:
    """Every .eml file of the folder, as expected.txt says."""
    found = []
    for line in (FOLDER / "expected.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, kind, *about = (part.strip() for part in line.split("|"))
        said = (each.rpartition(" ") for each in about)
        recipients = {address: BounceClass(bounce) if bounce != "complains" else None for address, _, bounce in said}
        found.append(Notice(name, (FOLDER / f"{name}.eml").read_bytes(), FeedbackKind(kind), recipients))
    return found


def refusals() -> list[Refusal]:
    """Every line of refusals.txt."""
    found = []
    for line in (FOLDER / "refusals.txt").read_text("utf-8").splitlines():
        if line.startswith("== "):
            cause, bounce, when = line.removeprefix("== ").split(" | ")
            group = cause, BounceClass(bounce), ReplyStage("" if when == "none" else when)
        elif line and not line.startswith("#"):
            found.append(Refusal(*group, line.replace("{A}", f"<{READER}>")))
    return found


def foreign() -> list[Notice]:
    """Every line of languages.txt as the mail of a server that writes no report."""
    found: list[Notice] = []
    for line in (FOLDER / "languages.txt").read_text("utf-8").splitlines():
        if line.startswith("== "):
            language = line.removeprefix("== ")
        elif line and not line.startswith("#"):
            bounce, subject, words = line.split(" | ", maxsplit=2)
            data = (
                f"Return-Path: <>\nFrom: postmaster@mx.reader.test\nTo: bounces@ours.example.org\nSubject: {subject}\n"
                "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
                f"{words.replace('{A}', READER)}\n"
            )
            name = f"{language}: {subject}"
            found.append(Notice(name, data.encode(), FeedbackKind.BOUNCE, {READER: BounceClass(bounce)}))
    return found


def every_mail() -> list[bytes]:
    returned = [put(refusal) for refusal in refusals() for put in SHAPES.values()]
    return [*(notice.data for notice in (*notices(), *foreign())), *returned]


# ---- shapes ----------------------------------------------------------------------------------------------------------------

_REPORT = """\
Return-Path: <>
Date: Mon, 9 Mar 2026 08:00:09 +0000 (UTC)
From: {author}
To: bounces@ours.example.org
Subject: {subject}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="9F3.1773043209/mx.ours.example.org"
Content-Transfer-Encoding: 8bit

--9F3.1773043209/mx.ours.example.org
Content-Type: text/plain; charset=utf-8

{notice}

--9F3.1773043209/mx.ours.example.org
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.ours.example.org

{fields}

--9F3.1773043209/mx.ours.example.org
Content-Type: message/rfc822

{returned}

--9F3.1773043209/mx.ours.example.org--
"""
RETURNED = f"""\
Received: from digest.ours.example.org (localhost [127.0.0.1]) by mx.ours.example.org with ESMTP id 9F3
From: Trending papers <digest@ours.example.org>
To: {READER}
Subject: Trending papers, 9 March 2026
Message-ID: <17.invented@ours.example.org>

Three papers about lighthouses."""
_DAEMON = "MAILER-DAEMON@mx.ours.example.org (Mail Delivery System)"
_POSTFIX_WHEN = {
    ReplyStage.EARLY: " (in reply to MAIL FROM command)",
    ReplyStage.RCPT: " (in reply to RCPT TO command)",
    ReplyStage.DATA: " (in reply to end of DATA command)",
    ReplyStage.UNKNOWN: "",
}
_EXIM_WHEN = {
    ReplyStage.EARLY: "SMTP error from remote mail server after MAIL FROM:<bounces@ours.example.org> SIZE=1543:\n    ",
    ReplyStage.RCPT: f"SMTP error from remote mail server after RCPT TO:<{READER}>:\n    ",
    ReplyStage.DATA: "SMTP error from remote mail server after end of data:\n    ",
    ReplyStage.UNKNOWN: "",
}
_QMAIL_WHEN = {
    ReplyStage.EARLY: "Connected to 192.0.2.7 but sender was rejected.\nRemote host said: ",
    ReplyStage.RCPT: "192.0.2.7 does not like recipient.\nRemote host said: ",
    ReplyStage.DATA: "192.0.2.7 failed after end of data.\nRemote host said: ",
    ReplyStage.UNKNOWN: "",
}
_SENDMAIL_WHEN = {
    ReplyStage.EARLY: ">>> MAIL From:<bounces@ours.example.org> SIZE=1543\n<<< ",
    ReplyStage.RCPT: f">>> RCPT To:<{READER}>\n<<< ",
    ReplyStage.DATA: ">>> DATA\n<<< ",
    ReplyStage.UNKNOWN: "",
}


def _status(words: str) -> str:
    return "4.0.0" if words.startswith("4") else "5.0.0"


def postfix(refusal: Refusal) -> bytes:
    words, when = refusal.words, _POSTFIX_WHEN[refusal.finding]
    remote = words[:3].isdigit()
    notice = (
        "This is the mail system at host mx.ours.example.org.\n\n"
        "I'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\n"
        "For further assistance, please send mail to postmaster.\n\n                   The mail system\n\n"
        f"<{READER}>: {'host mx.reader.test[192.0.2.7] said: ' if remote else ''}{words}{when}"
    )
    fields = (
        f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}\nAction: failed\nStatus: {_status(words)}\n"
        f"Diagnostic-Code: {'smtp' if remote else 'X-Postfix'}; {words}"
    )
    return _REPORT.format(
        author=_DAEMON, subject="Undelivered Mail Returned to Sender", notice=notice, fields=fields, returned=RETURNED
    ).encode()


def sendmail(refusal: Refusal) -> bytes:
    notice = (
        "The original message was received at Mon, 9 Mar 2026 08:00:01 GMT\nfrom localhost [127.0.0.1]\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{READER}>\n"
        f"    (reason: {refusal.words})\n\n   ----- Transcript of session follows -----\n"
        f"... while talking to mx.reader.test.:\n{_SENDMAIL_WHEN[refusal.finding]}{refusal.words}"
    )
    fields = (
        f"Final-Recipient: RFC822; {READER}\nAction: failed\nStatus: {_status(refusal.words)}\n"
        f"Diagnostic-Code: SMTP; {refusal.words}"
    )
    return _REPORT.format(
        author="Mail Delivery Subsystem <MAILER-DAEMON@mx.ours.example.org>",
        subject="Returned mail: see transcript for details",
        notice=notice,
        fields=fields,
        returned=RETURNED,
    ).encode()


def exim(refusal: Refusal) -> bytes:
    host = "host mx.reader.test [192.0.2.7]\n    " if refusal.finding else ""
    return (
        f"Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@mx.ours.example.org>\nTo: bounces@ours.example.org\n"
        f"X-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
        "Subject: Mail delivery failed: returning message to sender\n\n"
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The "
        f"following address(es) failed:\n\n  {READER}\n    {host}{_EXIM_WHEN[refusal.finding]}{refusal.words}\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{RETURNED}\n"
    ).encode()


def qmail(refusal: Refusal) -> bytes:
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.ours.example.org\nTo: bounces@ours.example.org\nSubject: failure notice\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
        "Hi. This is the qmail-send program at mx.ours.example.org.\nI'm afraid I wasn't able to deliver your message to the "
        "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{READER}>:\n{_QMAIL_WHEN[refusal.finding]}{refusal.words}\n\n"
        f"--- Below this line is a copy of the message.\n\n{RETURNED}\n"
    ).encode()


SHAPES = {"postfix": postfix, "sendmail": sendmail, "exim": exim, "qmail": qmail}


# ---- damage ----------------------------------------------------------------------------------------------------------------


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy cut, pierced, spliced, in another line end or charset, or within another mail."""
    way, place = chance.randrange(7), chance.randrange(len(data) + 1)
    if way == 0:
        return data[:place]
    if way == 1:
        return data[place:]
    if way == 2:
        return data[:place] + bytes(chance.randrange(256) for _ in range(40)) + data[place:]
    if way == 3:
        return data[:place] + data[place + chance.randrange(400) :]
    if way == 4:
        return data.replace(b"\n", b"\r\n" if b"\r\n" not in data else b"\r")
    if way == 5:
        return data.replace(b"charset=", b"charset=utf-16; was=").replace(b"us-ascii", b"no-such-charset")
    return b"Content-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: message/rfc822\n\n" + data + b"\n--outer--\n"


def hard(feedback: Feedback) -> set[str]:
    """Whose mailbox is gone, as the feedback says."""
    return {each.address.lower() for each in feedback.recipients if each.bounce is BounceClass.HARD}


def unnamed(data: bytes, feedback: Feedback) -> Iterator[str]:
    """Addresses given up for that the mail does not spell: nothing may be joined, guessed or completed."""
    folded = data.lower()
    for address in hard(feedback):
        local = address.partition("@")[0].encode("utf-8", "replace")
        if not (local in folded or b"base64" in folded or b"quoted-printable" in folded):
            yield address
