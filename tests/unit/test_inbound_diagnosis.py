"""What well-known servers answer, and whose fault that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_classifier import ReplyStage, diagnose, stage_of
from tests.tables import every_row

HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED

REPLIES = [
    # (words, DSN status, stage, class)
    ("550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking", "5.1.1", "", HARD),
    ("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table", "5.1.1", "rcpt", HARD),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "5.1.10", "", HARD),
    ("550 5.4.310 DNS domain nosuch.example does not exist [Message=InfoDomainNonexistent]", "5.4.310", "", HARD),
    ("550 No such user here", "", "rcpt", HARD),
    ("550 No such user here", "", "", SOFT),
    ("554 delivery error: dd Sorry your message to a@yahoo.example cannot be delivered. This mailbox is disabled", "", "", SOFT),
    ("556 5.1.10 Recipient address has null MX", "5.1.10", "", HARD),
    ("Host or domain name not found. Name service error for name=nosuch.example type=A: Host not found", "5.4.4", "", HARD),
    (
        "Host or domain name not found. Name service error for name=b.example type=MX: Host not found, try again",
        "4.4.3",
        "",
        SOFT,
    ),
    ("551 5.1.6 The recipient has moved to another address", "5.1.6", "rcpt", HARD),
    ("552-5.2.2 The email account that you tried to reach is over quota and inactive.", "5.2.2", "", SOFT),
    ("452 4.2.2 Mailbox full", "4.2.2", "", SOFT),
    ("552 5.3.4 Message size exceeds fixed limit", "5.3.4", "", SOFT),
    ("552-5.2.3 Your message exceeded Google's message size limits", "5.2.3", "", SOFT),
    ("550 5.2.1 The email account that you tried to reach is disabled", "5.2.1", "", SOFT),
    ("connect to mx.b.example[192.0.2.1]:25: Connection timed out", "4.4.1", "", SOFT),
    ("connect to mx.b.example[192.0.2.1]:25: Connection refused", "4.4.1", "", SOFT),
    ("mail for b.example loops back to myself", "5.4.6", "", SOFT),
    ("451 4.3.0 Temporary server error. Please try again later", "4.3.0", "", SOFT),
    ("450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted", "4.2.0", "rcpt", SOFT),
    ("550-5.7.26 Your email has been blocked because the sender is unauthenticated.", "5.7.26", "", SENDER),
    (
        "550-5.7.1 This message does not have authentication information or fails to pass authentication checks",
        "5.7.1",
        "",
        SENDER,
    ),
    ("550 5.7.1 Unauthenticated email from b.example is not accepted due to domain's DMARC policy", "5.7.1", "", SENDER),
    ("550-5.7.1 Our system has detected that this message is likely unsolicited mail", "5.7.1", "data", SENDER),
    ("550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. To request removal", "5.7.1", "", SENDER),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "5.7.1", "rcpt", SENDER),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "5.7.606", "", SENDER),
    ("550 5.7.511 Access denied, banned sender[192.0.2.1]", "5.7.511", "", SENDER),
    ("550 SC-001 (COL004-MC6F29) Unfortunately, messages from 192.0.2.1 weren't sent.", "", "early", SENDER),
    (
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        "4.7.0",
        "",
        SENDER,
    ),
    (
        "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
        "5.7.9",
        "data",
        SENDER,
    ),
    ("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "4.7.1", "rcpt", SENDER),
    ("550 5.7.25 The IP address sending this message does not have a PTR record setup", "5.7.25", "", SENDER),
    ("553 5.1.8 <x@ours.example>... Domain of sender address x@ours.example does not exist", "5.1.8", "early", SENDER),
    ("550 5.1.7 The sender's address was syntactically invalid", "5.1.7", "early", SENDER),
    ("552 5.7.0 This message was blocked because its content presents a potential security issue", "5.7.0", "data", SENDER),
    ("550 High probability of spam", "", "data", SENDER),
    ("554 Your message was rejected because it contains a virus", "", "data", SENDER),
    ("554 5.7.1 <a@b.example>: Relay access denied", "5.7.1", "rcpt", SOFT),
    (
        "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address",
        "4.7.28",
        "",
        SENDER,
    ),
    ("452 4.5.3 Too many recipients", "4.5.3", "", SENDER),
    ("550 5.6.0 Lone CR or LF in body", "5.6.0", "data", SENDER),
    ("550 User unknown", "5.0.0", "early", SENDER),
    ("", "5.1.1", "", HARD),
    ("", "4.1.1", "", SOFT),
    ("", "5.7.1", "", SENDER),
    ("", "", "", SOFT),
]


@every_row(("words", "status", "said", "expected"), REPLIES, ids=[row[0][:40] or row[1] for row in REPLIES])
def test_reply(words: str, status: str, said: str, expected: BounceClass) -> None:
    found = diagnose(words, status, stage=ReplyStage(said))
    assert found.bounce is expected, found


@pytest.mark.parametrize("word", ["spam", "full", "unknown", "nosuchuser", "blocked", "relay-denied"])
def test_an_address_is_no_diagnosis(word: str) -> None:
    assert diagnose(f"250 <{word}@{word}.example> something odd happened").cause == "undefined"


def test_whoever_still_tries_is_delayed_whatever_it_says() -> None:
    assert diagnose("550 5.1.1 User unknown", "4.4.7", delayed=True).bounce is DELAYED


TRANSCRIPTS = [
    ("host mx[192.0.2.1] said: 550 no (in reply to RCPT TO command)", ReplyStage.RCPT),
    ("host mx[192.0.2.1] said: 550 no (in reply to end of DATA command)", ReplyStage.DATA),
    ("SMTP error from remote mail server after MAIL FROM:<x@ours.example> SIZE=1543: 550 no", ReplyStage.EARLY),
    (">>> DATA\n<<< 550 no", ReplyStage.DATA),
    (">>> RCPT To:<a@b.example>\n<<< 550 no", ReplyStage.RCPT),
    ("host mx[192.0.2.1] refused to talk to me: 554 no", ReplyStage.EARLY),
    ("something else", ReplyStage.UNKNOWN),
]


@pytest.mark.parametrize(("transcript", "said"), TRANSCRIPTS)
def test_where_in_the_dialogue_it_was_said(transcript: str, said: ReplyStage) -> None:
    assert stage_of(transcript) is said


@given(st.text(max_size=3000), st.text(max_size=40))
def test_any_words_have_a_class(words: str, status: str) -> None:
    assert diagnose(words, status).bounce in BounceClass
