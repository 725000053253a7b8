"""The ranking at an instant is the same, byte for byte, whatever the store learned since; so are train and backtest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from digest.domain.edition import PaperList
from digest.domain.errors import InvalidInput
from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Ranked, Signal
from digest.ranking.baselines import FORMULAS
from digest.ranking.model import parse, written
from digest.ranking.trending import Ranker, Trending
from digest.services.ranking.backtest import HOURS_LATE, Mean, backtest, gain, mean_of, ndcg
from digest.services.ranking.train import train
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, arxiv, sighting

SHIPPED = parse((Path(__file__).resolve().parents[2] / "config/trending.toml").read_text("utf-8"), "config/trending.toml")
LIST = PaperList(name="main", title="Trending papers", cutoff=time(7))
START = datetime(2026, 1, 1, 6, tzinfo=UTC)
DAYS, A_DAY = 34, 6
END = START + DAYS * DAY
MIDDLE = START + 24 * DAY + HOUR


def fill(store: Store, since: datetime, until: datetime) -> None:
    """What a collector would have added between two instants: six papers a day, read every twelve hours, each growing its way."""
    shown, readings = [], []
    for number in range(DAYS * A_DAY):
        seen = START + number // A_DAY * DAY + number % A_DAY * timedelta(minutes=5)
        fame = 5.0 * (1 + number * 7 % 11)
        if since < seen <= until:
            shown.append(sighting(number, source="hub", seen_at=seen, signals=()))
        for n in range(20):
            at = seen + n * 12 * HOUR
            if since < at <= until:
                for kind, most in (("upvotes", fame), ("github_stars", 9 * fame), ("comments", fame / 9)):
                    readings.append((arxiv(number), Signal(kind, round(most * (1 - math.exp(-n / 3))), at, "hub")))
    with store.begin() as unit:
        unit.papers.merge(shown)
        unit.papers.add_signals(readings)


def ranked(store: Store, at: datetime) -> str:
    with store.read() as unit:
        return repr(Trending(SHIPPED)(unit.papers.candidates(at, at - LIST.candidates_for, LIST), at))


def test_later_data_changes_no_byte_of_an_earlier_ranking(store: Store) -> None:
    fill(store, START - DAY, MIDDLE)
    mornings = [MIDDLE - 5 * DAY, MIDDLE - HOUR, MIDDLE]
    then = [ranked(store, at) for at in mornings]
    assert all(text.count("Ranked(") > 20 for text in then)
    fill(store, MIDDLE, END)
    with store.begin() as unit:  # a new version with another text, another identifier, a withdrawal
        changed = sighting(A_DAY * 23, source="arxiv", seen_at=MIDDLE + DAY, title="Another title", authors=("Someone Else",))
        named = replace(changed, identifiers=(*changed.identifiers, Identifier("doi", "10.1/later")))
        unit.papers.merge([named, sighting(A_DAY * 23 + 1, source="arxiv", seen_at=MIDDLE + DAY, withdrawn=True)])
    assert [ranked(store, at) for at in mornings] == then
    assert ranked(store, MIDDLE + 2 * DAY) not in then


def test_training_by_an_instant_is_blind_to_what_came_after(sqlite_store: Store) -> None:
    fill(sqlite_store, START - DAY, END)
    whole = train(sqlite_store, LIST, END - 2 * DAY)
    fill(sqlite_store, END, END + 20 * DAY)
    assert written(train(sqlite_store, LIST, END - 2 * DAY)) == written(whole)
    assert whole.fitted_on["mornings"]
    assert all(math.isfinite(weight) for weight in whole.weights.values())


def test_too_little_history_says_so(sqlite_store: Store) -> None:
    with pytest.raises(InvalidInput, match="for 0 mornings"):
        train(sqlite_store, LIST, END)
    with pytest.raises(InvalidInput, match="has no morning"):
        backtest(sqlite_store, LIST, FORMULAS, START.date(), END.date(), END)


def test_a_backtest_judges_by_what_came_and_features_nothing_twice(sqlite_store: Store) -> None:
    fill(sqlite_store, START - DAY, END)
    with sqlite_store.read() as unit:
        fate = {each.paper.id: each for each in unit.papers.candidates(END, START - DAY, LIST)}

    def oracle(candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        """Knows what each will gain, and is shown nothing from after the morning."""
        assert all(signal.observed_at <= at for each in candidates for signal in each.signals)
        assert all(each.paper.first_seen_at <= at for each in candidates)
        return sorted(FORMULAS["upvotes"](candidates, at), key=lambda r: -gain(fate[r.paper.id], at))

    def stubborn(candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        """The same old papers first, every day."""
        return sorted(FORMULAS["upvotes"](candidates, at), key=lambda r: r.paper.first_seen_at)

    rankers: dict[str, Ranker] = {"oracle": oracle, "worst": lambda c, at: oracle(c, at)[::-1], "stubborn": stubborn, **FORMULAS}
    done = backtest(sqlite_store, LIST, rankers, START.date(), END.date(), END)
    scores = {score.ranker: score for score in done.scores}
    assert done.mornings == DAYS - 4, "the first has too few papers, the last three no 72 hours to come"
    assert scores["oracle"].ndcg == scores["oracle"].captured == 1
    assert scores["worst"].ndcg < scores["upvotes / (age + 6 h)^1.4"].ndcg < 1
    assert scores["stubborn"].hours < 72, "what was featured makes room: six papers a day come, ten are featured"
    assert all(set(score.months) == {"2026-01"} for score in done.scores)
    assert scores["oracle"].ndcg_error == scores["oracle"].captured_error == 0, "every morning the same"
    assert 0 < scores["worst"].ndcg_error < 0.5
    for each in done.scores:
        assert each.difference.mean == pytest.approx(each.ndcg - 1), "the oracle is the first, on the same mornings"
    assert scores["oracle"].difference == Mean(0.0, 0.0)
    assert scores["stubborn"].difference.error == pytest.approx(scores["stubborn"].ndcg_error)
    assert set(scores["oracle"].lost) == set(HOURS_LATE)
    assert 0 == scores["oracle"].lost[3].mean < scores["oracle"].lost[24].mean, "after three hours nothing new is there"
    assert not any(each.lost for each in done.scores[1:])
    assert done.unvoted == (), "six papers a day are no choice of ten"


def test_a_day_without_votes_is_judged_by_the_votes_that_came(sqlite_store: Store) -> None:
    """Fourteen papers of a day, of which six came to ten votes; the rankers see neither their votes nor any other signal."""
    at = datetime(2026, 1, 5, 7, tzinfo=UTC)
    fates = {n: 10.0 if n < 4 else 9.0 if n < 6 else 0.0 for n in range(14)}
    with sqlite_store.begin() as unit:
        unit.papers.merge([sighting(n, seen_at=at - 5 * HOUR, categories=(f"cs.A{n % 2}",)) for n in fates])
        early = [(arxiv(n), Signal("upvotes", 1, at - HOUR, "hub")) for n in fates]
        unit.papers.add_signals([*early, *((arxiv(n), Signal("upvotes", 1 + v, at + DAY, "hub")) for n, v in fates.items())])
        unit.papers.add_signals([(arxiv(13), Signal("upvotes", 99, at + 8 * DAY, "hub"))])

    def in_order(candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        return [Ranked(each.paper, 0.0) for each in sorted(candidates, key=lambda c: int(str(c.paper.identifier)[-5:]))]

    seen: list[int] = []

    def backwards(candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        seen.append(sum(len(each.signals) for each in candidates))
        return in_order(candidates, at)[::-1]

    rankers: dict[str, Ranker] = {"in order": in_order, "backwards": backwards}
    done = backtest(sqlite_store, LIST, rankers, at.date(), at.date(), at + 9 * DAY)
    first, last = done.unvoted
    assert done.unvoted_days == 1
    assert done.unvoted_chance == pytest.approx(6 / 14), "one vote was there, nine more came"
    assert seen[-1] == 0 < seen[0]
    assert (first.ranker, first.ndcg, first.reached, first.categories) == ("in order", Mean(1.0, 0.0), Mean(0.6, 0.0), 2)
    assert last.reached == Mean(0.2, 0.0)
    assert last.ndcg.mean < 0.6
    assert backtest(sqlite_store, LIST, rankers, at.date(), at.date(), at + 6 * DAY).unvoted == (), "its fate is not known yet"


def test_a_mean_has_its_standard_error() -> None:
    assert mean_of([1.0, 2.0, 3.0, 4.0]) == Mean(2.5, pytest.approx(math.sqrt(5 / 3) / 2))  # type: ignore[arg-type]
    assert mean_of([2.0]) == Mean(2.0, 0.0)


def test_gain_counts_the_votes_of_the_next_72_hours_and_no_others(sqlite_store: Store) -> None:
    fill(sqlite_store, START - DAY, END)
    with sqlite_store.read() as unit:
        each = unit.papers.candidates(END, START, LIST)[0]
    votes = {signal.observed_at: signal.value for signal in each.signals if signal.kind == "upvotes"}
    instants = sorted(votes)
    assert gain(each, instants[2]) == votes[instants[8]] - votes[instants[2]]
    assert gain(each, instants[0] - HOUR) == votes[instants[5]], "a first reading counts in full"


@pytest.mark.parametrize(
    ("gains", "best", "expected"),
    [
        ([3.0, 2.0, 1.0], [1.0, 2.0, 3.0], 1.0),
        ([0.0, 0.0], [5.0, 0.0], 0.0),
        ([0.0, 1.0], [1.0, 0.0], 1 / math.log2(3)),
        ([0.0], [0.0], 1.0),
        ([*[0.0] * 10, 9.0], [9.0, *[0.0] * 10], 0.0),
    ],
)
def test_ndcg_by_hand(gains: list[float], best: list[float], expected: float) -> None:
    assert ndcg(gains, best) == pytest.approx(expected)
