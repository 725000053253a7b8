"""Forty real papers of one field, brought in any form and unknown to us, among a week's real papers of all fields."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.libraries.look_up import look_up
from digest.services.subscriptions.interests import add_interests
from digest.services.subscriptions.subscribe import confirm, request
from digest.sources.port import Batch, Getter
from tests.libraries import NOON, WAYS, answers
from tests.servers.website import Sending, _settings
from tests.shared_data import SHARED

ADA = Address("ada@example.org")
FIELD = "cs.SD"


@cache
def papers() -> tuple[list[Sighting], list[Sighting], frozenset[str]]:
    """(a week's papers with votes, a library of the field, the ids of the week's papers on the field)."""
    on, off = [], []
    with gzip.open(SHARED / "data/corpus/arxiv_papers.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            if any(sign in row["title"] + row["abstract"] for sign in '{}\\“”"@%'):
                continue
            shown = Sighting(
                source="huggingface",
                identifiers=(Identifier("arxiv", row["id"]),),
                title=" ".join(row["title"].split()),
                abstract=" ".join(row["abstract"].split()),
                authors=tuple(row["authors"]),
                seen_at=NOON - timedelta(days=1),
            )
            (on if row["categories"][0] == FIELD else off).append(shown)
    chance = random.Random(3)
    field, rest = chance.sample(on, 70), chance.sample(off, 370)
    week = [*field[:30], *rest]
    at = NOON - timedelta(hours=1)
    votes = [replace(each, signals=(Signal("upvotes", float(chance.choice((1, 5, 20, 90))), at, each.source),)) for each in week]
    return votes, field[30:], frozenset(each.identifiers[0].value for each in field[:30])


class Known:
    name = "arxiv"
    schemes = ("arxiv", "doi")

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: object) -> Iterator[Batch]:
        yield Batch(tuple(answers(papers()[1], identifiers)))


@pytest.mark.parametrize("way", WAYS)
def test_six_of_the_first_ten_are_of_the_field(way: str, tmp_path: Path) -> None:
    week, library, field = papers()
    with Sending(_settings(tmp_path / "real.sqlite3", "https://digest.example")) as container:
        with container.adapters.store.begin() as unit:
            unit.papers.merge(week)
        step = request(container.adapters.store, ADA, "daily", Preferences(), Interests(), NOON - timedelta(days=1))
        confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", NOON - timedelta(days=1))
        (tmp_path / "mine").write_text(WAYS[way](library), "utf-8")
        _, kept = add_interests(container.adapters.store, ADA, [tmp_path / "mine"], "", "", False, NOON)
        assert len(kept.works) == 40, kept.rejected
        look_up([Known()], None, container.adapters.store, NOON, 1000)  # type: ignore[arg-type]  # the source asks no getter
        edition = container.editions.edition(container.adapters.paper_list("daily"), NOON.date(), NOON)
        mine = container.subscriptions.subscription(ADA, container.adapters.paper_list("daily")).interests
        picks = container.adapters.personaliser.weighed(edition.id, mine, 10)
    own = sum(ranked.paper.identifier.value in field for ranked, _ in picks)
    listed = sum(pick.ranked.paper.identifier.value in field for pick in edition.picks)
    assert own >= 6 > 3 >= listed, [(ranked.paper.title, parts) for ranked, parts in picks]
