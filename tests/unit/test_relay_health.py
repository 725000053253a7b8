"""Which relay is tried first: as configured, but one that made trouble waits until its trouble is half forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from digest.domain.delivery import Attempt, Reply, Stage
from digest.mail.smtp.relay_health import RelayHealth

AT = datetime(2026, 3, 2, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Named:
    name: str


FIRST, SECOND, THIRD = Named("first"), Named("second"), Named("third")
ALL = [FIRST, SECOND, THIRD]


class Hands:
    """A clock that is turned by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def health(clock: Hands) -> RelayHealth:
    return RelayHealth(clock)


def answered(relay: Named, code: int, stage: Stage = Stage.DOT) -> Attempt:
    return Attempt(1, AT, relay.name, stage, Reply(code))


def test_without_trouble_it_is_as_configured(health: RelayHealth) -> None:
    assert health.in_order(ALL) == ALL
    assert health.in_order(ALL[::-1]) == ALL[::-1]
    assert health.trouble("first") == 0.0


def test_one_that_cannot_be_reached_is_tried_last_for_five_minutes(health: RelayHealth, clock: Hands) -> None:
    health.unreachable("first")
    assert health.trouble("first") == 1.0
    assert health.in_order(ALL) == [SECOND, THIRD, FIRST]
    clock.now += 300
    assert health.trouble("first") == 0.5
    assert health.in_order(ALL) == [SECOND, THIRD, FIRST]
    clock.now += 1
    assert health.in_order(ALL) == ALL


def test_of_several_in_trouble_the_least_troubled_goes_first(health: RelayHealth, clock: Hands) -> None:
    health.unreachable("first")
    clock.now += 60
    health.unreachable("second")
    assert health.in_order(ALL) == [THIRD, FIRST, SECOND]
    health.unreachable("first")
    assert health.in_order(ALL) == [THIRD, SECOND, FIRST]
    assert health.trouble("first") == pytest.approx(1 + 0.5 ** (60 / 300))


@pytest.mark.parametrize("code", [421, 454])
def test_too_busy_twice_is_noticed_and_once_is_not(health: RelayHealth, code: int) -> None:
    health.attempted(answered(FIRST, code, Stage.MAIL))
    assert health.trouble("first") == 0.25
    assert health.in_order(ALL) == ALL
    health.attempted(answered(FIRST, code, Stage.MAIL))
    assert health.in_order(ALL) == [SECOND, THIRD, FIRST]


@pytest.mark.parametrize("code", [250, 450, 451, 455, 550])
def test_what_it_says_of_a_mail_is_no_trouble(health: RelayHealth, code: int) -> None:
    health.attempted(answered(FIRST, code, Stage.RCPT))
    health.attempted(Attempt(1, AT, "first", Stage.DOT, None, "connection lost"))
    assert health.trouble("first") == 0.0


def test_one_that_takes_a_mail_is_over_it(health: RelayHealth) -> None:
    health.unreachable("first")
    health.unreachable("second")
    health.attempted(answered(FIRST, 550))
    assert health.trouble("first") == 1.0, "to refuse a mail is not to take it"
    health.attempted(answered(FIRST, 250))
    assert (health.trouble("first"), health.trouble("second")) == (0.0, 1.0)
    health.attempted(answered(FIRST, 250))


def test_why_one_was_passed_over_is_known_until_it_takes_a_mail(health: RelayHealth) -> None:
    health.unreachable("first", "no connection")
    health.refused("second", "550 5.4.5 Daily user sending limit exceeded", "…; configure a second relay", None)
    assert health.reasons == {"first": "no connection", "second": "550 5.4.5 Daily user sending limit exceeded"}
    health.attempted(answered(FIRST, 550))
    health.attempted(answered(SECOND, 250))
    assert health.reasons == {"first": "no connection"}


def test_the_real_clock_runs() -> None:
    health = RelayHealth()
    health.unreachable("first")
    assert 0.99 < health.trouble("first") <= 1.0
