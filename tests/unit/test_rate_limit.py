"""How fast a relay is sent to, and when we log in: by a clock that we turn."""

from __future__ import annotations

from collections import deque
from math import inf

import pytest

from digest.domain.rate_limit import LOGIN_LEASE, LONGEST_BACK_OFF, ROUND, SLOWEST, TRUSTED, Logins, Rate
from tests.tables import every_row

NOW = 1_800_000_000.0


@every_row("limit", [1, 2, 5, 14, 50])
@every_row("latency", [0.0, 0.05])
def test_what_a_relay_takes_is_found_with_few_refusals(limit: int, latency: float) -> None:
    """A relay that takes `limit` in any second, and ten connections that begin when they may."""
    now, rate, accepted, refused, last, under_way = NOW, Rate(), 0, 0, deque[float](), deque[float]()
    taken = deque[float]()
    wanted = 22 * limit
    while accepted < wanted:
        now += 0.001
        while last and now - last[0] > 1:
            last.popleft()
        while under_way and under_way[0] <= now:
            under_way.popleft()
            if len(last) >= limit:
                refused += 1
                rate = rate.throttled(now, sum(now - 1 <= at for at in taken))
            else:
                last.append(now)
                taken.append(now)
                accepted += 1
        if len(under_way) < 10 and (rate.allowed(now) == inf or rate.free_at <= now):
            rate, [slot] = rate.reserve(now, 1)
            under_way.append(slot + latency)
    assert now - NOW <= 30, "14 a second: 308 in 30 s"
    assert refused <= max(0.08 * wanted, 30)


def test_a_refusal_halves_and_what_was_under_way_with_it_does_not_halve_again() -> None:
    rate = Rate().throttled(NOW, 20)
    assert rate.allowed(NOW) == pytest.approx(10, rel=0.1)
    assert rate.throttled(NOW + ROUND / 2, 20) == rate
    slower = rate.throttled(NOW + ROUND, 0)
    assert slower.allowed(NOW + ROUND) < 0.8 * rate.allowed(NOW)
    for n in range(2, 40):
        slower = slower.throttled(NOW + n, 0)
    assert slower.allowed(NOW + 40) >= SLOWEST * 0.99


def test_it_recovers_and_goes_beyond() -> None:
    rate = Rate().throttled(NOW, 20)
    rates = [rate.allowed(NOW + n) for n in range(81)]
    assert rates == sorted(rates)
    assert 18 <= rates[20] <= 20 < rates[45] < rates[80]
    assert rate.allowed(NOW + 81) == inf
    assert rate.allowed(NOW - 3600) == inf, "a clock that was set back does not slow us down"


def test_reserved_messages_keep_their_distance_whoever_reserves() -> None:
    rate, first = Rate(ceiling=20.0, throttled_at=NOW - 20).reserve(NOW, 3)
    rate, second = rate.reserve(NOW, 2)
    assert [*first, *second] == pytest.approx([NOW + n / 20 for n in range(5)])
    assert rate.reserve(NOW + 9, 1)[1] == [NOW + 9]
    assert rate.reserve(NOW - 86_400, 1)[1][0] <= NOW - 86_400 + 120, "a clock that was set back a day"


def test_a_limit_from_outside_may_begin_with_a_burst() -> None:
    rate, slots = Rate().reserve(NOW, 5, most=1.0, burst=3)
    assert [slot <= NOW for slot in slots] == [True, True, True, False, False]
    assert rate.reserve(NOW, 1, most=1.0, burst=3)[1] == [NOW + 3]


# ---- logins ----


def test_a_refused_login_is_left_alone_twice_as_long_each_time() -> None:
    logins, now, waits = Logins(), NOW, []
    for _ in range(8):
        logins, turn = logins.enter(now)
        assert turn.wait == turn.closed == 0
        logins = logins.refused(now, "535 5.7.8 no")
        _, turn = logins.enter(now)
        waits.append(turn.closed / 60)
        now += turn.closed
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_one_at_a_time_is_tried_until_one_has_worked() -> None:
    logins, turn = Logins().enter(NOW)
    assert turn.wait == 0
    assert logins.enter(NOW + 1)[1].wait > 0
    assert logins.enter(NOW + LOGIN_LEASE)[1].wait == 0, "its process died"
    assert logins.enter(NOW - 3)[1].wait > 0, "who read the clock a moment earlier, or has one that is behind, waits as well"
    assert logins.left().enter(NOW + 1)[1].wait == 0
    worked = logins.worked(NOW + 1)
    assert worked.enter(NOW + 1)[0] == worked, "now all may, at once"
    again, turn = worked.enter(NOW + 1 + TRUSTED + 1)
    assert turn.wait == 0
    assert again.enter(NOW + 1 + TRUSTED + 1)[1].wait > 0, "and later one at a time once more"


def test_refusals_of_one_moment_are_one_and_a_success_forgets_them() -> None:
    logins = Logins().refused(NOW, "535 no").refused(NOW + 1, "535 never")
    assert (logins.refusals, logins.reply) == (1, "535 never")
    assert logins.worked(NOW + 200).refusals == 0
    assert logins.enter(NOW - LONGEST_BACK_OFF)[1].closed == 0, "a clock that was set back does not shut us out"
