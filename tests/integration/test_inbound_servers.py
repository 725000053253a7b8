"""Mail coming in over LMTP, SMTP and IMAP: real clients, a real Dovecot. Nothing is taken before it was kept."""

from __future__ import annotations

import imaplib
import select
import smtplib
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from digest.domain.errors import ConfigurationError, RelayUnreachable, StoreError
from digest.mail.inbound.imap_poll import ImapPoll
from digest.mail.inbound.listener import Listener
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.running import PATIENCE, free_port

MAIL = b"From: a@b.example\r\nSubject: %s\r\n\r\nhello\r\n.dot\r\n"
OURS = "bounces+1.abc@ours.example"


@dataclass
class Kept:
    """Stands for the store: what was committed, in order."""

    mails: list[tuple[bytes, tuple[str, ...]]] = field(default_factory=list)
    broken: bool = False
    errors: list[Exception] = field(default_factory=list)

    def take(self, data: bytes, recipients: Sequence[str]) -> None:
        if self.broken:
            raise StoreError("database gone")
        self.mails.append((data, tuple(recipients)))

    def listener(self, protocol: str, port: int) -> Listener:
        return Listener(
            self.take,
            lambda address: address.endswith("@ours.example"),
            host="127.0.0.1",
            port=port,
            protocol="lmtp" if protocol == "lmtp" else "smtp",
            failed=self.errors.append,
        )


def client(protocol: str, port: int) -> smtplib.SMTP:
    made = smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP
    return made("127.0.0.1", port, timeout=PATIENCE)


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_what_is_taken_was_kept(protocol: str) -> None:
    kept, port = Kept(), free_port()
    with kept.listener(protocol, port), client(protocol, port) as relay:
        assert relay.sendmail("", [OURS], MAIL % b"one") == {}
        assert relay.sendmail("x@y.example", ["hello@ours.example"], MAIL % b"two") == {}
    assert kept.mails == [(MAIL % b"one", (OURS,)), (MAIL % b"two", ("hello@ours.example",))]


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_what_cannot_be_kept_stays_with_its_sender(protocol: str) -> None:
    kept, port = Kept(broken=True), free_port()
    with kept.listener(protocol, port), client(protocol, port) as relay:
        with pytest.raises(smtplib.SMTPException) as refused:
            relay.sendmail("", [OURS], MAIL % b"one")
        assert "451" in str(refused.value)
        kept.broken = False
        relay.sendmail("", [OURS], MAIL % b"again")
    assert [data for data, _ in kept.mails] == [MAIL % b"again"]
    assert [str(error) for error in kept.errors] == ["database gone"]


def test_mail_for_others_is_refused() -> None:
    kept, port = Kept(), free_port()
    with kept.listener("lmtp", port), client("lmtp", port) as relay:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            relay.sendmail("", ["someone@else.example"], MAIL % b"relay me")
        assert refused.value.recipients["someone@else.example"][0] == 550
        assert relay.sendmail("", [OURS, "someone@else.example"], MAIL % b"both").keys() == {"someone@else.example"}
    assert [recipients for _, recipients in kept.mails] == [(OURS,)]


def test_its_greeting_tells_what_it_takes() -> None:
    """RFC 1870: a mail server in front learns how long a mail may be before it sends it."""
    port = free_port()
    with Kept().listener("lmtp", port), client("lmtp", port) as relay:
        relay.ehlo_or_helo_if_needed()
        assert relay.esmtp_features["size"] == "30000000"
        assert "smtputf8" in relay.esmtp_features


def test_a_port_that_cannot_be_had_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listener = Kept().listener("lmtp", port)
        listener._controller.ready_timeout = 0.5  # aiosmtpd tells why only then
        with pytest.raises(ConfigurationError) as wrong, listener:
            pass
    assert str(wrong.value).startswith(f"configuration: inbound.port: 127.0.0.1:{port} cannot be listened on: ")
    assert "in use" in str(wrong.value)


def test_250_is_not_said_before_the_commit() -> None:
    """While the store works the client must wait; only when it is done may it read a reply."""
    committing, commit, port = threading.Event(), threading.Event(), free_port()

    def take(data: bytes, recipients: Sequence[str]) -> None:
        committing.set()
        assert commit.wait(PATIENCE)

    with (
        Listener(take, lambda address: True, host="127.0.0.1", port=port),
        socket.create_connection(("127.0.0.1", port), 10) as wire,
    ):
        talk = wire.makefile("rwb")

        def say(line: bytes) -> bytes:
            talk.write(line + b"\r\n")
            talk.flush()
            answer = talk.readline()
            while answer[3:4] == b"-":
                answer = talk.readline()
            return answer

        talk.readline()
        for line in (b"LHLO me", b"MAIL FROM:<>", b"RCPT TO:<a@ours.example>", b"RCPT TO:<b@ours.example>", b"DATA"):
            assert say(line)[:1] in b"23"
        talk.write(b"Subject: x\r\n\r\nx\r\n.\r\n")
        talk.flush()
        assert committing.wait(PATIENCE)
        assert select.select([wire], [], [], 0.2)[0] == [], "a reply before the commit"
        commit.set()
        # an answer for each recipient (RFC 2033 §4.2)
        assert [talk.readline()[:4] for _ in range(2)] == [b"250 ", b"250 "]


# ---- IMAP ------------------------------------------------------------------------------------------------------------------


def deliver(server: Dovecot, address: str, *subjects: bytes) -> None:
    with smtplib.LMTP("127.0.0.1", server.lmtp_port, timeout=PATIENCE) as relay:
        for subject in subjects:
            relay.sendmail("x@y.example", [address], MAIL % subject)


def subjects(server: Dovecot, address: str, mailbox: str = "INBOX") -> list[bytes]:
    with imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=PATIENCE) as imap:
        imap.login(address, PASSWORD)
        if imap.select(mailbox, readonly=True)[0] != "OK":
            return []
        found = imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        read = [part for part in found if isinstance(part, tuple)]
        return [part[1].split(b": ")[1].strip() + (b" (read)" if rb"\Seen" in part[0] else b"") for part in read]


class WithoutMove(imaplib.IMAP4):
    """A client of a server that cannot move."""

    def capability(self) -> tuple[str, list[bytes]]:  # type: ignore[override]  # typeshed: whatever the server says
        status, told = super().capability()
        return status, [told[0].replace(b" MOVE", b"")]


def poll_of(server: Dovecot, address: str, client: type[imaplib.IMAP4] = imaplib.IMAP4) -> ImapPoll:
    def connect() -> imaplib.IMAP4:
        connection = client("127.0.0.1", server.imap_port, timeout=PATIENCE)
        connection.login(address, PASSWORD)
        return connection

    return ImapPoll(connect, "inbox of tests")


def is_bounce(data: bytes) -> bool:
    return b"bounce" in data


@pytest.mark.parametrize("client", [imaplib.IMAP4, WithoutMove])
def test_processed_mail_leaves_and_other_mail_is_untouched(dovecot_server: Dovecot, client: type[imaplib.IMAP4]) -> None:
    address = f"processes-{client.__name__.lower()}@ours.example"
    deliver(dovecot_server, address, b"bounce 1", b"from a friend", b"bounce 2")
    asked: list[bytes] = []

    def take(data: bytes) -> bool:
        asked.append(data)
        return is_bounce(data)

    poll = poll_of(dovecot_server, address, client)
    assert poll.poll(take) == 2
    assert subjects(dovecot_server, address) == [b"from a friend"]
    assert subjects(dovecot_server, address, "Processed") == [b"bounce 1", b"bounce 2"]
    assert poll.poll(take) == 0
    assert len(asked) == 3, "what is none of ours is not fetched again"
    deliver(dovecot_server, address, b"bounce 3")
    assert poll.poll(take) == 1


def test_a_mail_that_could_not_be_kept_stays(dovecot_server: Dovecot) -> None:
    address = "stays@ours.example"
    deliver(dovecot_server, address, b"bounce 1", b"bounce 2")
    poll = poll_of(dovecot_server, address)
    taken = []

    def take(data: bytes) -> bool:
        if b"bounce 2" in data:
            raise StoreError("database gone")
        taken.append(data)
        return True

    with pytest.raises(StoreError):
        poll.poll(take)
    assert subjects(dovecot_server, address) == [b"bounce 2"]
    assert poll.poll(is_bounce) == 1
    assert len(taken) == 1
    assert subjects(dovecot_server, address) == []


def test_what_others_marked_as_deleted_is_not_expunged(dovecot_server: Dovecot) -> None:
    address = "others@ours.example"
    deliver(dovecot_server, address, b"marked by somebody", b"bounce 1")
    with imaplib.IMAP4("127.0.0.1", dovecot_server.imap_port, timeout=PATIENCE) as imap:
        imap.login(address, PASSWORD)
        imap.select("INBOX")
        imap.store("1", "+FLAGS", r"(\Deleted)")
        imap.unselect()
    assert poll_of(dovecot_server, address, WithoutMove).poll(is_bounce) == 1
    assert subjects(dovecot_server, address) == [b"marked by somebody"]


def test_a_server_that_is_not_there_is_named() -> None:
    poll = ImapPoll(lambda: imaplib.IMAP4("127.0.0.1", free_port(), timeout=5), "imap.ours.example")
    with pytest.raises(RelayUnreachable, match=r"imap\.ours\.example: IMAP: "):
        poll.poll(is_bounce)
