"""What is asked of an IMAP server, command by command: a mail leaves its mailbox only after it was processed."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

import pytest

from digest.domain.errors import RelayUnreachable
from digest.mail.inbound.imap_poll import MAX_A_POLL, ImapPoll
from digest.mail.message.mime import MAX_BYTES
from tests.tables import every_row

Answer = tuple[str, list[Any]]


class Mailbox:
    """An IMAP connection as imaplib has it. `can` is what the server says it can; `no` names commands it refuses."""

    def __init__(
        self, mails: dict[int, bytes], can: str = "IMAP4rev1 MOVE UIDPLUS", no: str = "", validity: bytes = b"7"
    ) -> None:
        self.mails, self._can, self._no, self._validity = mails, can, no.split(), validity
        self.finding: list[str] = []

    def _answer(self, verb: str, line: str, data: list[Any]) -> Answer:
        self.finding.append(line)
        return ("NO" if verb in self._no else "OK"), data

    def select(self, mailbox: str) -> Answer:
        return self._answer("SELECT", f"SELECT {mailbox}", [b"1"])

    def response(self, code: str) -> tuple[str, list[bytes] | None]:
        assert code == "UIDVALIDITY"
        return code, [self._validity]

    def create(self, mailbox: str) -> Answer:
        return self._answer("CREATE", f"CREATE {mailbox}", [b""])

    def capability(self) -> Answer:
        return self._answer("CAPABILITY", "CAPABILITY", [self._can.encode()])

    def uid(self, verb: str, *words: str) -> Answer:
        line = " ".join((verb, *words))
        if verb == "SEARCH":
            return self._answer(verb, line, [b" ".join(b"%d" % uid for uid in self.mails) or None])
        if verb == "FETCH":
            mail = self.mails.get(int(words[0]))
            return self._answer(verb, line, [None] if mail is None else [(b"1 (UID x BODY[]<0> {1}", mail), b")"])
        return self._answer(verb, line, [b""])

    def logout(self) -> Answer:
        return self._answer("LOGOUT", "LOGOUT", [])


def polled(server: Mailbox, take: Callable[[bytes], bool] = lambda data: True, **more: str) -> int:
    return ImapPoll(lambda: server, "imap.example", **more).poll(take)  # type: ignore[arg-type,return-value]


FETCH = f"(BODY.PEEK[]<0.{MAX_BYTES}>)"


def test_a_heeded_mail_is_moved() -> None:
    mailbox = Mailbox({3: b"three", 5: b"five"})
    taken: list[bytes] = []
    assert polled(mailbox, lambda data: bool(taken.append(data)) or data == b"five") == 1
    assert taken == [b"three", b"five"]
    assert mailbox.finding == [
        'SELECT "INBOX"',
        "SEARCH UNDELETED",
        'CREATE "Processed"',
        "CAPABILITY",
        f"FETCH 3 {FETCH}",
        f"FETCH 5 {FETCH}",
        'MOVE 5 "Processed"',
        "LOGOUT",
    ]


REMOVALS = [
    ("IMAP4rev1", ['COPY 3 "Done \\"x\\\\y\\""', r"STORE 3 +FLAGS.SILENT (\Deleted)"]),
    ("IMAP4rev1 uidplus", ['COPY 3 "Done \\"x\\\\y\\""', r"STORE 3 +FLAGS.SILENT (\Deleted)", "EXPUNGE 3"]),
    ("imap4rev1 move", ['MOVE 3 "Done \\"x\\\\y\\""']),
]


@pytest.mark.parametrize(("can", "removed"), REMOVALS)
def test_where_it_cannot_be_moved_it_is_copied_and_only_then_deleted(can: str, removed: list[str]) -> None:
    mailbox = Mailbox({3: b"three"}, can)
    assert polled(mailbox, mailbox="Bounces", done='Done "x\\y"') == 1
    assert mailbox.finding[0] == 'SELECT "Bounces"'
    assert mailbox.finding[5:-1] == removed


def test_nothing_there_makes_no_folder() -> None:
    mailbox = Mailbox({})
    assert polled(mailbox) == 0
    assert mailbox.finding == ['SELECT "INBOX"', "SEARCH UNDELETED", "CAPABILITY", "LOGOUT"]


def test_a_folder_that_is_there_already_is_as_good() -> None:
    assert polled(Mailbox({3: b"three"}, no="CREATE")) == 1


def test_what_is_none_of_ours_is_not_fetched_again_and_stays() -> None:
    first = Mailbox({3: b"three"})
    poll = ImapPoll(lambda: first, "imap.example")  # type: ignore[arg-type,return-value]
    assert poll.poll(lambda data: False) == 0
    first.finding.clear()
    first.mails[5] = b"five"
    assert poll.poll(lambda data: True) == 1
    assert f"FETCH 3 {FETCH}" not in first.finding
    other = Mailbox({3: b"another three"}, validity=b"8")
    poll.connect = lambda: other  # type: ignore[assignment,return-value]
    assert poll.poll(lambda data: True) == 1, "the mailbox was made anew: its numbers mean other mails"


def test_a_mail_that_somebody_removed_meanwhile_is_passed_over() -> None:
    mailbox = Mailbox({3: b"three", 4: b"four"})
    fetched = mailbox.uid

    def uid(verb: str, *words: str) -> Answer:
        if words[0] == "3":
            mailbox.mails.pop(3, None)
        return fetched(verb, *words)

    mailbox.uid = uid  # type: ignore[method-assign]
    assert polled(mailbox) == 1
    assert 'MOVE 4 "Processed"' in mailbox.finding


def test_so_many_at_most_in_one_go() -> None:
    mailbox = Mailbox(dict.fromkeys(range(1, MAX_A_POLL + 3), b"x"))
    assert polled(mailbox) == MAX_A_POLL == 500


REFUSED = [
    ("SELECT", "IMAP4rev1", "cannot open INBOX"),
    ("SEARCH", "IMAP4rev1", "cannot search"),
    ("CAPABILITY", "IMAP4rev1", "cannot tell its capabilities"),
    ("FETCH", "IMAP4rev1", "cannot fetch"),
    ("MOVE", "MOVE", "cannot move to Processed"),
    ("COPY", "IMAP4rev1", "cannot copy to Processed"),
    ("STORE", "IMAP4rev1", "cannot mark as deleted"),
    ("EXPUNGE", "UIDPLUS", "cannot expunge"),
]


@every_row(("no", "can", "why"), REFUSED)
def test_a_server_that_refuses_is_named_with_what_it_refused(no: str, can: str, why: str) -> None:
    mailbox = Mailbox({3: b"three"}, can, no)
    with pytest.raises(RelayUnreachable) as failed:
        polled(mailbox)
    assert str(failed.value) == f"relay imap.example: IMAP: {why}"
    assert mailbox.finding[-1] == "LOGOUT"
    if no == "COPY":
        assert not any(line.startswith("STORE") for line in mailbox.finding), "not deleted before it is somewhere else"


FAILURES = [
    (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
    (OSError("timed out"), "timed out"),
    (imaplib.IMAP4.error("LOGIN  failed\r\nnow"), "LOGIN failed now"),
    (imaplib.IMAP4.error(b"x" * 10), "b'xxxxxxxxxx'"),
    (imaplib.IMAP4.error("x" * 300), "x" * 200),
    (imaplib.IMAP4.abort(), "abort"),
    (TimeoutError(), "TimeoutError"),
]


@pytest.mark.parametrize(("error", "said"), FAILURES)
def test_a_server_that_cannot_be_had(error: Exception, said: str) -> None:
    def connect() -> imaplib.IMAP4:
        raise error

    with pytest.raises(RelayUnreachable) as failed:
        ImapPoll(connect, "imap.example").poll(lambda data: True)
    assert str(failed.value) == f"relay imap.example: IMAP: {said}"


def test_what_taking_raises_leaves_the_mail_and_the_server() -> None:
    mailbox = Mailbox({3: b"three", 4: b"four"})

    def take(data: bytes) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        polled(mailbox, take)
    assert mailbox.finding[-2:] == [f"FETCH 3 {FETCH}", "LOGOUT"]


@pytest.mark.parametrize("error", [OSError("gone"), imaplib.IMAP4.abort("gone")])
def test_a_server_that_does_not_say_goodbye_is_left_all_the_same(error: Exception) -> None:
    mailbox = Mailbox({})
    shut: list[bool] = []

    def logout() -> Answer:
        raise error

    mailbox.logout = logout  # type: ignore[method-assign]
    mailbox.shutdown = lambda: shut.append(True)  # type: ignore[attr-defined]
    assert polled(mailbox) == 0
    assert shut == [True]
