"""Known papers, looked up again by name: which, when, and that neither a crash nor an outage loses any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from digest.domain.edition import PaperList
from digest.domain.errors import SourceUnreachable
from digest.domain.identifier import Identifier
from digest.domain.paper import Signal
from digest.services.papers import refresh as verb
from digest.services.papers.refresh import Refreshed, refresh
from digest.sources.port import Batch, Reading, Rejection
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, NOW, arxiv, freeze, know, sighting

EVERYTHING = PaperList(name="all", title="All")
SEEN = NOW - 3 * HOUR
"""When stocked.sighting was seen."""


@dataclass
class Registry:
    """Knows how often each paper was cited: as often as it was asked for it. Fails when `failing` says so."""

    name: str = "registry"
    schemes: tuple[str, ...] = ("arxiv",)
    asked: list[tuple[Identifier, ...]] = field(default_factory=list)
    failing: list[bool] = field(default_factory=list)

    def look_up(self, getter: Any, identifiers: Sequence[Identifier], at: Any) -> Iterator[Batch]:
        if self.failing and self.failing.pop(0):
            raise SourceUnreachable(self.name, "gone")
        self.asked.append(tuple(identifiers))
        cited = [Reading(i, Signal("citations", len(self.asked), at, self.name)) for i in identifiers]
        yield Batch(rejected=(Rejection("row 1", "unknown"),), readings=tuple(cited))


def run(store: Store, source: Any, after: timedelta) -> list[Refreshed]:
    return refresh([source, object()], None, store, SEEN + after)  # type: ignore[arg-type]  # the registry asks nobody


def test_a_paper_is_asked_for_at_its_ages_and_its_history_grows(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.papers.merge([sighting(1), sighting(2, identifiers=(Identifier("doi", "10.1000/1"),))])
    source = Registry()
    reports = [run(store, source, n * 6 * HOUR) for n in range(4 * 9)]
    assert source.asked == [(arxiv(1),)] * 6, "the other has no name the registry understands"
    assert reports[2] == [Refreshed("registry", asked=1, signals=1)]
    assert run(store, source, 9 * DAY - HOUR) == [], "asked a moment ago"
    with store.read() as unit:
        (candidate, _) = unit.papers.candidates(SEEN + 9 * DAY, SEEN, EVERYTHING)
    assert [signal.value for signal in candidate.signals] == [1, 2, 3, 4, 5, 6]


def test_what_was_sent_is_followed_for_half_a_year_the_rest_for_a_week(store: Store) -> None:
    know(store)
    freeze(store, count=4, picks=2)
    source = Registry()
    for days in range(0, 200, 2):
        run(store, source, days * DAY)
    assert [len(asked) for asked in source.asked] == [4, 4, 4, 4, *[2] * 10]


def test_an_old_paper_of_a_back_fill_is_left_alone_until_it_is_sent(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.papers.merge([sighting(1, published_at=SEEN - 400 * DAY), sighting(2, published_at=SEEN - DAY)])
    source = Registry()
    run(store, source, DAY)
    assert source.asked == [(arxiv(2),)]


def test_an_outage_or_a_crash_goes_on_where_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "AT_ONCE", 2)
    know(store)
    with store.begin() as unit:
        unit.papers.merge([sighting(n) for n in range(1, 6)])
    source = Registry(failing=[False, True, True])
    assert run(store, source, DAY) == [Refreshed("registry", asked=2, signals=2, error="source registry: gone")]
    assert run(store, source, DAY + HOUR)[0].asked == 0
    assert run(store, source, DAY + 2 * HOUR) == [Refreshed("registry", asked=3, signals=3)]
    assert source.asked == [(arxiv(1), arxiv(2)), (arxiv(3), arxiv(4)), (arxiv(5),)]
    assert run(store, source, DAY + 3 * HOUR) == []
