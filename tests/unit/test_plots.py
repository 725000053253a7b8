"""How votes grew, as a curve: what had been read by then, to scale, told in words too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.paper import Signal
from digest.web.plots import CURVE_HEIGHT, CURVE_WIDTH, MOST_POINTS, ceiling, votes_curve, votes_plot
from tests.tables import every_row

UNTIL = datetime(2026, 5, 14, 5, 0, tzinfo=UTC)


def read(*values: float, kind: str = "upvotes", source: str = "huggingface", last: float = -1) -> list[Signal]:
    """Readings every six hours, the last of them `last` hours from UNTIL."""
    first = last - 6 * (len(values) - 1)
    return [Signal(kind, value, UNTIL + timedelta(hours=first + 6 * n), source) for n, value in enumerate(values)]


def spots(line: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (spot.partition(",") for spot in line.split())]


def test_a_curve_is_to_scale_and_says_its_ends() -> None:
    curve = votes_curve(read(50, 75, 100), UNTIL)
    assert curve is not None
    assert spots(curve.line) == [(0, 24), (CURVE_WIDTH / 2, 12.5), (CURVE_WIDTH, 1)]
    assert curve.area == f"0,{CURVE_HEIGHT} {curve.line} {CURVE_WIDTH},{CURVE_HEIGHT}"
    assert curve.label == "Upvotes grew from 50 on 13 May 16:00 to 100 on 14 May 04:00 UTC"
    assert (curve.first, curve.last) == ("50 on 13 May 16:00", "100 upvotes on 14 May 04:00 UTC")


def test_what_was_read_later_has_no_part_in_it() -> None:
    known = read(1, 5, 9)
    assert votes_curve([*known, *read(500, last=1)], UNTIL) == votes_curve(known, UNTIL)


def test_the_source_that_shows_most_speaks_and_stars_do_not() -> None:
    some = [*read(1, 2), *read(3, 40, source="other"), *read(900, 999, kind="github_stars")]
    curve = votes_curve(some, UNTIL)
    assert curve is not None
    assert (curve.first[:2], curve.last[:3]) == ("3 ", "40 ")


@pytest.mark.parametrize("values", [(), (7,), (7, 7, 7), (0, 0), (9, 3)])
def test_no_curve_of_what_did_not_grow(values: tuple[float, ...]) -> None:
    assert votes_curve(read(*values), UNTIL) is None


def test_a_long_history_is_drawn_with_few_points_and_its_end() -> None:
    curve = votes_curve(read(*range(1000)), UNTIL)
    assert curve is not None
    drawn = spots(curve.line)
    assert len(drawn) <= MOST_POINTS + 1
    assert drawn[-1] == (CURVE_WIDTH, 1)
    assert drawn == sorted(drawn, key=lambda spot: (spot[0], -spot[1]))


@every_row(
    ("most", "end"),
    [(0.4, 1), (1, 1), (2, 2), (3, 4), (7, 8), (9, 10), (10, 10), (11, 20), (145, 200), (401, 600), (8_001, 10_000)],
)
def test_an_axis_ends_at_a_round_number(most: float, end: int) -> None:
    assert ceiling(most) == end


def test_a_plot_stands_inside_its_axes_and_names_their_ends() -> None:
    plot = votes_plot(read(0, 75, 100), UNTIL)
    assert plot is not None
    assert spots(plot.line) == [(plot.left, plot.bottom), ((plot.left + plot.right) / 2, 45), (plot.right, 10)]
    assert [label for _, label in plot.up] == ["0", "50", "100"]
    assert [label for _, label, _ in plot.across] == ["13 May 16:00", "13 May 22:00", "14 May 04:00"]
    assert plot.hours
    long_ago = votes_plot(read(*range(3_000)), UNTIL)
    assert long_ago is not None
    assert [label for _, label, _ in long_ago.across] == ["24 Apr 2024", "4 May 2025", "14 May 2026"]
    assert len(spots(long_ago.line)) <= MOST_POINTS + 1


@pytest.mark.parametrize("values", [(), (7,), (0, 0)])
def test_no_plot_of_fewer_than_two_readings_or_of_no_votes(values: tuple[float, ...]) -> None:
    assert votes_plot(read(*values), UNTIL) is None
