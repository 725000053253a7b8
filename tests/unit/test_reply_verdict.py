"""Whom replies are about, as real relays give them: stage | reply | verdict | source. Readers must not suffer for our trouble."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import thread_time

import pytest

from digest.domain.delivery import Attempt, DeliveryState, Envelope, Stage
from digest.domain.errors import RelayRefusedUs
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.domain.verdict import About, RefusalStreak, Scope, Verdict
from digest.mail.inbound.bounce_classifier import domains_of_ours
from digest.mail.smtp.journal import NullSendLog
from digest.mail.smtp.relay_pool import RelayPool
from digest.mail.smtp.reply_classifier import classify, verdict_of
from digest.mail.smtp.wire import reply_of
from tests.tables import every_row

LINES = (Path(__file__).resolve().parents[1] / "golden/reply_verdicts.txt").read_text("utf-8").splitlines()
TABLE = [tuple(map(str.strip, line.split(" | "))) for line in LINES if not line.startswith("#")]
"""The verdict's words: about whom; "quota" with how long it lasts, "slow", "later", "open" (us, or this reader: the next ones
tell), "gone" (the mailbox, which suppresses)."""

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITS = {"hour": HOUR, "day": DAY, "reset": 3.51 * HOUR}
READERS = 12


class Relay:
    """Refuses as the row says, all of them or one recipient; otherwise accepts."""

    def __init__(self, name: str, stage: str = "", reply: str = "", only: Collection[int] = range(1, 99)) -> None:
        self.name, self.took = name, 0
        self._stage, self._reply, self._only = stage, reply, only

    def sending(self, envelopes: Iterable[Envelope], log: object, *_: object) -> Iterator[Attempt]:
        for each in envelopes:
            if self._reply and each.delivery_id in self._only:
                yield seen(self._stage, self._reply, each.delivery_id, self.name)
            else:
                self.took += 1
                yield seen("dot", "250 2.0.0 ok", each.delivery_id, self.name)


def seen(stage: str, reply: str, number: int = 1, relay: str = "mx") -> Attempt:
    return Attempt(number, NOW, relay, Stage(stage), reply_of(int(reply[:3]), [reply[4:]]))


def delivered(*relays: Relay) -> tuple[list[tuple[Attempt, Decision]], RelayRefusedUs | None]:
    """What becomes of a dozen deliveries, and what stopped the run."""
    envelopes = [Envelope(number, "b@example.org", f"r{number}@example.net", [b"x"]) for number in range(1, READERS + 1)]
    policy, streak, done = RetryPolicy(), RefusalStreak(), list[tuple[Attempt, Decision]]()
    try:
        for attempt in RelayPool(relays, NullSendLog(), 3).send_many(envelopes):  # type: ignore[arg-type]
            done.append((attempt, policy.decide(attempt, 0, NOW + DAY, streak.narrowed(attempt, verdict_of(attempt)))))
    except RelayRefusedUs as refused:
        return done, refused
    return done, streak.nothing_taken


def verdict(stage: str, reply: str) -> Verdict:
    return verdict_of(seen(stage, reply))


@every_row(("stage", "reply", "expected", "source"), TABLE)
def test_whom_it_is_about(stage: str, reply: str, expected: str, source: str) -> None:
    found, (about, *more) = verdict(stage, reply), expected.split()
    assert found.about == About(about), found
    assert found.mailbox_gone is ("gone" in more)
    assert found.slower is ("slow" in more)
    assert (found.wait is not None) is ("quota" in more)
    if found.wait:
        assert abs(found.wait - WAITS[more[1]]) < timedelta(minutes=1)
    refused = about in ("us", "connection") and not {"slow", "later"} & set(more)
    assert found.scope is (Scope.OPEN if "open" in more else Scope.ALL if refused else Scope.ONE)


@every_row(("stage", "reply", "expected", "source"), [row for row in TABLE if row[2].startswith(("us", "connection"))])
def test_no_reader_suffers_for_our_trouble(stage: str, reply: str, expected: str, source: str) -> None:
    done, stopped = delivered(Relay("only", stage, reply))
    assert [d for _, d in done if d.effect is Effect.SUPPRESS] == []
    assert {d.state for _, d in done} == {DeliveryState.QUEUED}
    if "later" in expected:
        return
    assert not any(d.counts for _, d in done)
    if "slow" in expected:
        assert stopped is None
        assert {d.effect for _, d in done} == {Effect.SLOW_RELAY}
        return
    assert stopped is not None
    assert reply[4:40].strip() in str(stopped)
    assert "; " in str(stopped)  # what to do
    if "quota" in expected:
        assert min(d.next_attempt_at for _, d in done if d.next_attempt_at) >= NOW + timedelta(minutes=59)


@every_row(("stage", "reply", "expected", "source"), [row for row in TABLE if row[2].startswith(("us", "connection"))])
def test_the_second_relay_takes_over(stage: str, reply: str, expected: str, source: str) -> None:
    if {"slow", "later"} & set(expected.split()):
        return
    second = Relay("second")
    done, stopped = delivered(Relay("first", stage, reply), second)
    assert stopped is None
    assert second.took == READERS
    assert sorted(attempt.delivery_id for attempt, d in done if d.state is DeliveryState.ACCEPTED) == list(range(1, READERS + 1))


@every_row(("stage", "reply", "expected", "source"), [row for row in TABLE if "open" in row[2]])
def test_one_reader_among_others_waits_alone(stage: str, reply: str, expected: str, source: str) -> None:
    done, stopped = delivered(Relay("only", stage, reply, only=[READERS]))
    assert stopped is None
    last = [d for attempt, d in done if attempt.delivery_id == READERS]
    assert [(d.state, d.counts, d.effect) for d in last] == [(DeliveryState.QUEUED, True, Effect.NONE)]
    assert sum(d.state is DeliveryState.ACCEPTED for _, d in done) == READERS - 1


@every_row("taken", [0, 3])
@every_row(("stage", "reply", "expected", "source"), [row for row in TABLE if row[2] == "unknown open"])
def test_words_that_nobody_knows_end_no_delivery(stage: str, reply: str, expected: str, source: str, taken: int) -> None:
    """They may be about a limit of ours that is reached now."""
    done, stopped = delivered(Relay("only", stage, reply, only=range(taken + 1, 99)))
    assert stopped is not None
    assert {d.state for _, d in done[taken:]} == {DeliveryState.QUEUED}
    second = Relay("second")
    done, stopped = delivered(Relay("first", stage, reply, only=range(taken + 1, 99)), second)
    assert stopped is None
    assert second.took + sum(d.state is DeliveryState.QUEUED for _, d in done) == READERS - taken


OURS = frozenset({"bounces.lab.example", "lab.example"})
NAMED = [
    # words that nobody knows, and our domain: they may be about us
    ("rcpt", "550 5.1.2 lab.example quux", "us open"),
    ("rcpt", "550 5.1.2 bounces.lab.example: zzz", "us open"),
    ("rcpt", "550 5.1.1 quux <bounces+12.k3x@bounces.lab.example>", "us open"),
    ("rcpt", "550 5.1.1 <r@reader.example> quux (mailto lab.example)", "us open"),
    ("rcpt", "550 5.1.10 lab.example zzz", "us open"),
    ("rcpt", "556 5.1.10 LAB.EXAMPLE does nil receive", "us open"),
    # words that are known, of us by the name beside them
    ("rcpt", "550 5.1.2 lab.example: Host unknown", "us open"),
    ("rcpt", "550 5.1.1 <bounces+1.x@bounces.lab.example>: user unknown", "us open"),
    # the reader's: not ours by name, or the nearer name is the reader's
    ("rcpt", "550 5.1.1 <r@reader.example>: user unknown", "reader gone"),
    ("rcpt", "550 5.1.2 reader.example quux", "reader gone"),
    ("rcpt", "550 5.1.1 <r@reader.example>: user unknown; you are mail.elsewhere.example", "reader gone"),
    ("rcpt", "550 5.1.1 <r@notlab.example>: quux", "reader gone"),
]


@every_row(("stage", "reply", "expected"), NAMED)
def test_a_refusal_that_names_our_domain_suppresses_nobody_for_certain(stage: str, reply: str, expected: str) -> None:
    found = verdict_of(replace(seen(stage, reply), our_domains=OURS))
    about, *more = expected.split()
    assert (found.about, found.mailbox_gone) == (About(about), "gone" in more), found
    assert (found.scope is Scope.OPEN) is ("open" in more)


@pytest.mark.parametrize(
    ("sender", "reader", "ours"),
    [
        ("bounces+1.x@bounces.lab.example", "r@reader.example", {"bounces.lab.example", "lab.example"}),
        ("digest@Lab.Example", "r@reader.example", {"lab.example"}),
        ("digest@lab.example", "r@lab.example", set()),
        ("digest@mail.lab.example", "r@lab.example", {"mail.lab.example"}),
        ("digest@mail.lab.example", "r@cs.lab.example", {"mail.lab.example"}),
        ("digest@localhost", "r@reader.example", set()),
        ("", "r@reader.example", set()),
    ],
)
def test_which_domains_are_ours(sender: str, reader: str, ours: set[str]) -> None:
    assert domains_of_ours(sender, reader) == ours


def test_one_odd_refusal_is_no_alarm() -> None:
    streak, attempt = RefusalStreak(), seen("rcpt", "550 quux")
    streak.narrowed(attempt, verdict_of(attempt))
    assert streak.nothing_taken is None
    streak.narrowed(attempt, verdict_of(attempt))
    assert streak.nothing_taken is not None


def test_a_reader_refused_first_does_not_stop_the_others() -> None:
    done, stopped = delivered(
        Relay("only", "rcpt", "554 5.7.1 <r1@example.net>: Recipient address rejected: Access denied", only=[1])
    )
    assert stopped is None
    assert sum(d.state is DeliveryState.ACCEPTED for _, d in done) == READERS - 1


def test_refusals_in_a_row_are_about_us_even_after_others_were_taken() -> None:
    blocked = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"
    done, stopped = delivered(Relay("only", "rcpt", blocked, only=range(3, 99)))
    assert stopped is not None
    assert sum(d.state is DeliveryState.ACCEPTED for _, d in done) == 2
    assert {d.state for _, d in done[2:]} == {DeliveryState.QUEUED}
    assert sum(d.counts for _, d in done[2:]) == 4  # the fifth in a row shows whom it is about


def test_the_bounded_tries_of_one_reader_end() -> None:
    attempt = seen("rcpt", "554 5.7.1 Access denied")
    found = Verdict(about=About.US, scope=Scope.ONE)
    assert RetryPolicy(max_attempts=3).decide(attempt, 2, NOW + DAY, found).state is DeliveryState.FAILED


def test_a_quota_is_tried_once_more_before_the_next_edition() -> None:
    attempt = seen("dot", "550 5.4.5 Daily user sending limit exceeded.")
    decision = RetryPolicy().decide(attempt, 0, NOW + 23 * HOUR, verdict_of(attempt))
    assert (decision.state, decision.next_attempt_at) == (DeliveryState.QUEUED, NOW + 22.5 * HOUR)


def test_a_relay_whose_quota_is_used_up_is_left_alone() -> None:
    relay = Relay("only", "dot", "550 5.4.5 Daily user sending limit exceeded.")
    post = RelayPool([relay], NullSendLog(), 1)  # type: ignore[list-item]
    envelope = Envelope(1, "b@example.org", "r@example.net", [b"x"])
    first = post.send_many([envelope])
    assert next(first).reply is not None
    with pytest.raises(RelayRefusedUs, match=r"Daily user sending limit.*waits 24 h"):
        next(first)
    with pytest.raises(RelayRefusedUs, match=r"Daily user sending limit.*waits 24 h"):
        next(post.send_many([envelope]))


@pytest.mark.parametrize(
    "hostile", ["exceeded " * 120, "sender " * 150, "a" * 1000, "auth " * 200, "user " * 200 + "x", " " * 1000, "limit(" * 160]
)
def test_hostile_words_take_bounded_time(hostile: str) -> None:
    begun = thread_time()
    classify(Stage.RCPT, reply_of(550, [hostile]))
    assert thread_time() - begun < 0.5
