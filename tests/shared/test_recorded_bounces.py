"""Real bounces, complaints and automatic answers against what others (sisimai, flufl.bounce) say they are.

sisimai gives a reason per recipient; WANTED maps it to our classes. Where its reason leaves the blame open, more than one class
is right, and the line says why. MISSES is the exact list of where we differ: a new one fails the test, and so does one fewer.
"""

from __future__ import annotations

import json
import random
import time
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind
from digest.mail.inbound.mail_files import read_mailbox
from digest.mail.inbound.read_feedback import read_feedback
from tests.notices import damaged, hard, unnamed
from tests.shared_data import SHARED

BOUNCES = SHARED / "data" / "bounces"
HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED

WANTED: dict[str, set[BounceClass]] = {
    # the mailbox, its domain or its mail service is gone
    "userunknown": {HARD},
    "hostunknown": {HARD},
    "hasmoved": {HARD},
    "notaccept": {HARD},
    # the reader's side, and it may pass
    "mailboxfull": {SOFT},
    "mesgtoobig": {SOFT},
    "exceedlimit": {SOFT},
    "suspend": {SOFT},
    "expired": {SOFT},
    "networkerror": {SOFT},
    "mailererror": {SOFT},
    "systemerror": {SOFT},
    "systemfull": {SOFT},
    "onhold": {SOFT},
    "undefined": {SOFT},
    # our reputation, our authentication, our content
    "authfailure": {SENDER},
    "badreputation": {SENDER},
    "blocked": {SENDER},
    "contenterror": {SENDER},
    "notcompliantrfc": {SENDER},
    "policyviolation": {SENDER},
    "rejected": {SENDER},
    "requireptr": {SENDER},
    "securityerror": {SENDER},
    "spamdetected": {SENDER},
    "virusdetected": {SENDER},
    # open: a filter of the reader's or of the server's; a relay of theirs set up wrongly or one of ours; our rate or their
    # load; a malformed address or a command of ours. Never a reason to suppress.
    "filtered": {SOFT, SENDER},
    "norelaying": {SOFT, SENDER},
    "toomanyconn": {SOFT, SENDER},
    "syntaxerror": {SOFT, SENDER},
}

_AT_RCPT = "the server itself says that there is no such mailbox; sisimai takes it for a filter, we take its word"
MISSES: dict[str, str] = {
    "sisimai/lhost-apachejames-01.eml": "the same words are userunknown in lhost-verizon-02",
    "sisimai/lhost-exchange2003-04.eml": _AT_RCPT,
    "sisimai/lhost-ezweb-02.eml": "“user unknown (in reply to RCPT TO command)”; the notice above it says disabled",
    "sisimai/lhost-mcafee-01.eml": "a bare “550 Unknown user” without code or stage is soft, as in lhost-courier-02",
    "sisimai/lhost-postfix-07.eml": _AT_RCPT,
    "sisimai/lhost-receivingses-01.eml": _AT_RCPT,
    "sisimai/lhost-receivingses-02.eml": _AT_RCPT,
    "sisimai/lhost-sendmail-21.eml": "connection refused for eight hours: a network that may recover, not a block",
    "sisimai/lhost-sendmail-48.eml": _AT_RCPT,
    "sisimai/lhost-v5sendmail-05.eml": "one of four: “you cannot send to yourself” stands far from the address it is about",
    "sisimai/lhost-x2-01.eml": _AT_RCPT,
    "sisimai/rhost-nttdocomo-02.eml": "“unknown user” after DATA: filtered, as in its sister nttdocomo-01",
    "sisimai_not_bounce/rb-issue-368-bug.eml": "a postmaster's notice that a mailbox is full is a bounce, whatever it is titled",
}


def _rows() -> list[dict[str, Any]]:
    lines = (BOUNCES / "manifest.jsonl").read_text("utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] != "mbox"]


def _wanted_kind(row: dict[str, Any]) -> FeedbackKind | None:
    reasons = {each["reason"] for each in row.get("expected") or ()}
    if row["kind"] == "not_bounce":
        return FeedbackKind.OTHER
    if "feedback" in reasons or row["kind"] == "arf":
        return FeedbackKind.COMPLAINT
    if "vacation" in reasons or row["kind"] == "autoreply":
        return FeedbackKind.AUTO_REPLY
    if "delivered" in reasons:  # a report of success: nothing to process
        return FeedbackKind.OTHER
    if row.get("expected_permanent") == [] and row.get("expected_temporary") == []:
        return None  # flufl.bounce recognises nothing: no label
    return FeedbackKind.BOUNCE


def _says_still_trying(data: bytes) -> bool:
    """sisimai gives the reason for a delay, we call it delayed: right only where the mail says that it is one."""
    text = data.lower()
    return any(words in text for words in (b"action: delayed", b"will be retried", b"delay reason:"))


def _difference(row: dict[str, Any], data: bytes, feedback: Feedback) -> str:
    kind = _wanted_kind(row)
    if kind is not None and feedback.kind is not kind:
        return f"is {feedback.kind}, not {kind}"
    if kind is not FeedbackKind.BOUNCE:
        return ""
    classes = [each.bounce for each in feedback.recipients]
    if "expected" in row:
        reasons = [each["reason"] for each in row["expected"]]
        late = {DELAYED} if _says_still_trying(data) else set()
        lacking = [reason for reason in reasons if not any(each in WANTED[reason] | late for each in classes)]
        if lacking:
            return f"{'/'.join(map(str, classes))} instead of {', '.join(lacking)}"
        wrongly_hard = classes.count(HARD) > sum(WANTED[reason] == {HARD} for reason in reasons)
        return "hard without a reason that is" if wrongly_hard else ""
    by_address = {each.address.lower(): each.bounce for each in feedback.recipients}
    permanent = all(by_address.get(a.lower()) in (HARD, SOFT, SENDER) for a in row.get("expected_permanent", ()))
    temporary = all(by_address.get(a.lower()) in (SOFT, SENDER, DELAYED) for a in row.get("expected_temporary", ()))
    return "" if permanent and temporary else f"addresses {by_address}"


def test_what_came_back_is_understood() -> None:
    labelled, differences, slowest = 0, {}, 0.0
    for row in _rows():
        data = (BOUNCES / row["file"]).read_bytes()
        started = time.process_time()
        feedback = read_feedback(data)
        slowest = max(slowest, time.process_time() - started)
        labelled += _wanted_kind(row) is not None and ("expected" in row or "expected_permanent" in row)
        difference = _difference(row, data, feedback)
        if difference:
            differences[row["file"]] = difference
    print(f"{labelled - len(differences)} of {labelled} as labelled; slowest {slowest * 1000:.0f} ms; else:")
    for name, difference in differences.items():
        print(f"  {name}: {difference}: {MISSES.get(name, 'NEW')}")
    assert set(differences) == set(MISSES)
    assert labelled >= 450
    assert len(differences) <= 0.03 * labelled


# ---- damaged copies, and cut ones -----------------------------------------------------------------------------------------


def _real() -> list[bytes]:
    return [path.read_bytes() for path in sorted(BOUNCES.rglob("*")) if path.suffix in (".eml", ".txt")]


def test_damage_never_makes_a_mail_about_somebody_it_does_not_name() -> None:
    chance = random.Random(20261123)
    mails = _real()
    assert len(mails) >= 500
    for data in mails:
        for _ in range(3):
            copy = damaged(data, chance)
            assert list(unnamed(copy, read_feedback(copy))) == []


@given(data=st.data())
def test_a_report_of_a_soft_failure_never_turns_hard_by_truncation(data: st.DataObject) -> None:
    mail = data.draw(st.sampled_from(_full_mailboxes()))
    cut = data.draw(st.integers(min_value=0, max_value=len(mail)))
    assert not hard(read_feedback(mail[:cut]))


@cache
def _full_mailboxes() -> list[bytes]:
    """Reports that name a full mailbox and nothing else."""
    found = [data for data in _real() if b"5.2.2" in data and read_feedback(data).reason.startswith("delivery report (")]
    return [data for data in found if {each.bounce for each in read_feedback(data).recipients} == {BounceClass.SOFT}]


def test_a_mailbox_of_37_mails() -> None:
    assert len(list(read_mailbox(BOUNCES / "mbox" / "mbox-0"))) == 37
