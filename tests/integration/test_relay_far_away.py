"""Several messages under way on one connection, asked for or to a relay far away: every envelope has one end, the true one."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import pytest

from digest.domain.delivery import Attempt, Stage
from digest.domain.errors import MailError
from digest.mail.chunked import ChunkedSession
from digest.mail.relay import Relay, RelaySettings
from digest.mail.session import Session
from tests.integration.test_relay_faults import AT, IMPATIENT, Notes, envelopes, everything, relay_to, said, take_all
from tests.servers import postfix
from tests.servers.smtp import OFFERS, Do, Script, SmtpServer

CHUNKING = (*OFFERS, "CHUNKING")
IN_FLIGHT = 4


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "accepted.jsonl"


def test_all_arrive_as_they_were_over_one_connection(store: Path) -> None:
    mails = envelopes(20)
    notes = Notes()
    with SmtpServer(store, Script(offers=CHUNKING)) as server:
        attempts = list(relay_to(server, in_flight=IN_FLIGHT).send(mails, notes))
        kept = server.accepted()
    assert [a.delivery_id for a in attempts if a.accepted] == list(range(1, 21))
    assert [(k.sender, k.recipients, k.data) for k in kept] == [(m.sender, (m.recipient,), m.data) for m in mails]
    assert server.connections == 1
    assert server.commands[-1] == "QUIT"
    assert notes.lines[:5] == [*(("dot", n) for n in range(1, IN_FLIGHT + 1)), ("reply", 1)]
    assert under_way(notes) == IN_FLIGHT


def under_way(notes: Notes) -> int:
    """How many dots were out at most without a word of what became of them."""
    most, now = 0, 0
    for verb, _ in notes.lines:
        now += 1 if verb == "dot" else -1
        most = max(most, now)
    return most


NEAR, NOT_QUITE_FAR, FAR = 0.0, 0.001, 0.01
"""Seconds between one look at the clock and the next; there are one to nine of them from EHLO to its answer."""


@pytest.mark.parametrize(
    ("offers", "in_flight", "answered_in", "under_way_at_most"),
    [
        (CHUNKING, 3, NEAR, 3),
        (CHUNKING, 1, FAR, 1),
        (OFFERS, 3, FAR, 1),
        (CHUNKING, None, NEAR, 1),
        (CHUNKING, None, NOT_QUITE_FAR, 1),
        (CHUNKING, None, FAR, 4),
        (OFFERS, None, FAR, 1),
    ],
    ids=["asked", "asked for one", "asked, not offered", "near", "not quite far", "far", "far, not offered"],
)
def test_only_where_the_relay_is_far_or_it_is_asked_for_and_offered(
    store: Path, offers: tuple[str, ...], in_flight: int | None, answered_in: float, under_way_at_most: int
) -> None:
    notes = Notes()
    looks = count()
    begun = time.monotonic()
    with SmtpServer(store, Script(offers=offers)) as server:
        settings = RelaySettings(host="127.0.0.1", port=server.port, tls="none", helo="me.test", in_flight=in_flight)
        relay = Relay(settings, lambda: AT, lambda: begun + answered_in * next(looks))
        session = relay.connect()
        session.close()
        list(relay.send(envelopes(6), notes))
    assert type(session) is (ChunkedSession if under_way_at_most > 1 else Session)
    assert under_way(notes) == under_way_at_most


@pytest.mark.parametrize(
    ("verb", "reply", "tells"),
    [
        ("MAIL", "451 4.3.0 not now", "mail 451"),
        ("MAIL", "550 5.7.1 not you", "mail 550"),
        ("RCPT", "550 5.1.1 nobody here", "rcpt 550"),
        ("RCPT", "450-4.2.0 grey\r\n450 4.2.0 listed", "rcpt 450"),
        ("DOT", "554 5.7.1 looks like spam", "dot 554"),
    ],
)
@pytest.mark.parametrize("nth", [1, 3, 9])
def test_one_refused_spoils_no_other(store: Path, verb: str, reply: str, tells: str, nth: int) -> None:
    notes = Notes()
    with SmtpServer(store, Script(offers=CHUNKING, nth={(verb, nth): Do(reply)})) as server:
        attempts = list(relay_to(server, in_flight=IN_FLIGHT).send(envelopes(9), notes))
        kept = server.accepted()
    assert [said(a) for a in attempts] == [tells if n == nth else "dot 250" for n in range(1, 10)]
    assert len(kept) == 8
    assert server.connections == 1
    assert sorted(notes.lines) == sorted((what, n) for n in range(1, 10) for what in ("dot", "reply")), "a crash finds it settled"


def test_421_ends_the_connection_and_who_was_behind_it_is_uncertain(store: Path) -> None:
    with SmtpServer(store, Script(offers=CHUNKING, most_per_connection=3)) as server:
        attempts = list(relay_to(server, in_flight=IN_FLIGHT).send(envelopes(5), Notes()))
    by_id = {a.delivery_id: said(a) for a in attempts}
    assert by_id == {1: "dot 250", 2: "dot 250", 3: "dot 250", 4: "mail 421", 5: "dot -"}


@pytest.mark.parametrize("after", [*range(60, 700, 23), 901, 1502])
def test_a_server_that_hangs_up_anywhere(store: Path, after: int) -> None:
    """Whatever was accepted is told as accepted or uncertain; what is told as not sent was not accepted."""
    with SmtpServer(store, Script(offers=CHUNKING, hang_up_after=(after,))) as server:
        attempts = everything(relay_to(server, in_flight=IN_FLIGHT).send(envelopes(12), Notes()))
        kept = [int(k.sender.split("+")[1].split("@")[0]) for k in server.accepted()]
    true_ends(attempts, kept, 12)


@pytest.mark.parametrize("after", [*range(200, 1000, 31)])
def test_a_server_that_falls_silent_anywhere(store: Path, after: int) -> None:
    with SmtpServer(store, Script(offers=CHUNKING, mute_after=(after,))) as server:
        attempts = everything(relay_to(server, IMPATIENT, in_flight=IN_FLIGHT).send(envelopes(12), Notes()))
        kept = [int(k.sender.split("+")[1].split("@")[0]) for k in server.accepted()]
    true_ends(attempts, kept, 12)


def true_ends(attempts: list[Attempt], kept: list[int], count: int) -> None:
    assert sorted(a.delivery_id for a in attempts) == list(range(1, count + 1))
    assert len(kept) == len(set(kept))
    told = {a.delivery_id: a for a in attempts}
    assert {n for n in kept if not (told[n].accepted or told[n].uncertain)} == set()
    assert {n for n, a in told.items() if a.accepted} <= set(kept)
    assert sum(a.uncertain for a in attempts) <= IN_FLIGHT


@pytest.mark.parametrize("garbage", ["hello there", "354 go on", "999 what"])
def test_garbage_instead_of_an_answer(store: Path, garbage: str) -> None:
    with SmtpServer(store, Script(offers=CHUNKING, nth={("DOT", 2): Do(garbage, accept=True)})) as server:
        attempts = everything(relay_to(server, in_flight=IN_FLIGHT).send(envelopes(8), Notes()))
    assert sorted(a.delivery_id for a in attempts) == list(range(1, 9))
    assert next(a for a in attempts if a.delivery_id == 2).uncertain


@pytest.mark.parametrize("verb", ["dot", "reply"])
def test_a_full_disk_stops_sending_and_hides_nothing(store: Path, verb: str) -> None:
    """What is not in the log is not sent; what had been sent is still told of."""
    found: list[Attempt] = []
    with SmtpServer(store, Script(offers=CHUNKING)) as server:
        attempts = relay_to(server, in_flight=IN_FLIGHT).send(envelopes(9), Notes(full_at=(verb, 5)))
        with pytest.raises(MailError, match="disk is full"):
            take_all(found, attempts)
        kept = [int(k.sender.split("+")[1].split("@")[0]) for k in server.accepted()]
    accepted = [a.delivery_id for a in found if a.accepted]
    assert accepted == kept
    assert (5 in kept) is (verb == "reply")


@pytest.mark.skipif(postfix.missing() is not None, reason=postfix.missing() or "")
def test_a_real_postfix_takes_chunks_and_refuses_some(tmp_path: Path) -> None:
    mails = envelopes(30, b"Subject: hello\r\n\r\n" + b"x" * 70 + b"\r\n.\r\nend\r\n")
    with postfix.postfix(None, {"r7@y.test": "550 5.1.1 no such user", "r8@y.test": "451 4.2.0 later"}) as server:
        settings = RelaySettings(host="127.0.0.1", port=server.port, tls="none", helo="me.test", in_flight=IN_FLIGHT)
        relay = Relay(settings, lambda: AT)
        session = relay.connect()
        session.close()
        attempts = list(relay.send(mails, Notes()))
    assert isinstance(session, ChunkedSession)
    assert [said(a) for a in attempts] == [{7: "rcpt 550", 8: "rcpt 451"}.get(n, "dot 250") for n in range(1, 31)]


def test_a_cap_is_kept(store: Path) -> None:
    with SmtpServer(store, Script(offers=CHUNKING)) as server:
        attempts = list(relay_to(server, in_flight=IN_FLIGHT, max_per_connection=3).send(envelopes(8), Notes()))
    assert all(a.accepted for a in attempts)
    assert server.connections == 3


def test_a_message_that_broke_off_before_its_end_is_no_doubt(store: Path) -> None:
    """Longer than what sockets hold: the server hangs up in the middle of it."""
    long = b"Subject: hello\r\n\r\n" + b"x" * 70 + (b"\r\n" + b"x" * 70) * 100_000
    with SmtpServer(store, Script(offers=CHUNKING, hang_up_after=(1_000_000,))) as server:
        attempts = everything(relay_to(server, in_flight=IN_FLIGHT).send(envelopes(1, long), Notes()))
        kept = server.accepted()
    assert [a.stage for a in attempts] in ([Stage.BODY], [Stage.CONNECT])
    assert not kept
