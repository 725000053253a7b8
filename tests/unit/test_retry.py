"""The one policy: what each reply means for the delivery, and for us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.delivery import Attempt, DeliveryState, Reply, Stage
from digest.domain.retry import Effect, RetryPolicy, UncertainPolicy
from digest.mail.smtp.reply_classifier import verdict_of
from tests.tables import every_row

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
S, E = DeliveryState, Effect


def attempt(stage: Stage, code: int | None, enhanced: str = "", error: str = "") -> Attempt:
    return Attempt(1, NOW, "mx", stage, None if code is None else Reply(code, "text", enhanced), error)


OUTCOMES = [  # stage, code, enhanced → state, effect, counts
    (Stage.DOT, 250, "2.0.0", S.ACCEPTED, E.NONE, True),
    (Stage.RCPT, 450, "4.2.0", S.QUEUED, E.NONE, True),  # greylisting
    (Stage.DOT, 451, "4.3.0", S.QUEUED, E.NONE, True),
    (Stage.RCPT, 452, "4.2.2", S.QUEUED, E.NONE, True),
    (Stage.MAIL, 421, "4.3.2", S.QUEUED, E.SLOW_RELAY, False),
    (Stage.DATA, 454, "4.7.0", S.QUEUED, E.SLOW_RELAY, False),
    (Stage.RCPT, 550, "5.1.1", S.FAILED, E.SUPPRESS, True),
    (Stage.RCPT, 550, "", S.QUEUED, E.NONE, True),  # a code alone does not say whom it is about
    (Stage.RCPT, 553, "5.1.7", S.QUEUED, E.NONE, False),  # our sender address, not the reader
    (Stage.RCPT, 552, "5.2.2", S.FAILED, E.NONE, True),  # full mailbox
    (Stage.DOT, 554, "", S.QUEUED, E.NONE, True),
    (Stage.DOT, 550, "5.7.1", S.QUEUED, E.NONE, False),  # us, or this one reader: the next ones tell
    (Stage.MAIL, 530, "5.7.0", S.QUEUED, E.STOP_RUN, False),
    (Stage.CONNECT, 535, "5.7.8", S.QUEUED, E.STOP_RUN, False),
    (Stage.CONNECT, 554, "", S.QUEUED, E.STOP_RUN, False),
]


@every_row(("stage", "code", "enhanced", "state", "effect", "counts"), OUTCOMES)
def test_each_reply_has_its_meaning(
    stage: Stage, code: int, enhanced: str, state: DeliveryState, effect: Effect, counts: bool
) -> None:
    seen = attempt(stage, code, enhanced)
    decision = RetryPolicy().decide(seen, 0, TOMORROW, verdict_of(seen))
    assert (decision.state, decision.effect, decision.counts) == (state, effect, counts)
    assert str(code) in decision.reason
    assert (decision.next_attempt_at is not None) == (state is S.QUEUED)


def test_waits_double_up_to_the_longest_and_end() -> None:
    policy = RetryPolicy(max_attempts=6)
    decisions = [policy.decide(attempt(Stage.RCPT, 451), before, NOW + timedelta(days=9)) for before in range(6)]
    waits = [d.next_attempt_at - NOW for d in decisions if d.next_attempt_at]
    assert waits == [timedelta(minutes=m) for m in (30, 60, 120, 240, 240)]
    assert decisions[-1].state is S.FAILED
    assert "gave up after 6 attempts" in decisions[-1].reason


def test_a_retry_that_the_next_edition_would_overtake_expires() -> None:
    decision = RetryPolicy().decide(attempt(Stage.RCPT, 451), 0, NOW + timedelta(minutes=29))
    assert decision.state is S.EXPIRED
    assert "next edition" in decision.reason


def test_an_unreachable_relay_costs_no_attempt() -> None:
    decision = RetryPolicy().decide(attempt(Stage.CONNECT, None, error="connection refused"), 3, TOMORROW)
    assert (decision.state, decision.counts) == (S.QUEUED, False)
    assert "connection refused" in decision.reason


@pytest.mark.parametrize(
    ("policy", "state"),
    [(UncertainPolicy.RESEND, S.QUEUED), (UncertainPolicy.HOLD, S.UNCERTAIN), (UncertainPolicy.DROP, S.FAILED)],
)
def test_a_lost_reply_after_the_dot_follows_the_policy(policy: UncertainPolicy, state: DeliveryState) -> None:
    decision = RetryPolicy(uncertain=policy).decide(attempt(Stage.DOT, None, error="reset by peer"), 0, TOMORROW)
    assert decision.state is state
    assert "no reply after the final dot" in decision.reason
