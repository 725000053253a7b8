"""Papers and readers' works are encoded in the background; what an edition chose stays, and the next one knows the vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.delivery.one_off import of_subscriber
from digest.services.editions.message_composer import one_off
from digest.services.editions.personalise import Personaliser
from digest.services.papers.encode_texts import AT_ONCE, EncodedTexts, encode_texts
from digest.services.subscriptions.interests import add_interests
from digest.services.subscriptions.subscribe import confirm, erase, request
from digest.store.unit_of_work import Store
from tests.libraries import NOON, bibtex, library, window
from tests.servers.website import Sending, _settings

ADA = Address("ada@example.org")
WINDOW = timedelta(days=7)


@dataclass
class Hashing:
    """A vector of its own for each text, which says nothing of its meaning."""

    texts: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        self.before()
        self.texts += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> bytes:
        chance = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
        return chance.integers(-127, 128, 32).astype(np.int8).tobytes()


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Sending]:
    with Sending(_settings(tmp_path / "papers.sqlite3", "https://digest.example")) as made:
        store = made.adapters.store
        with store.begin() as unit:
            unit.papers.merge(window(120))
        step = request(store, ADA, "daily", Preferences(), Interests(), NOON - timedelta(days=1))
        confirm(store, step.subscription.id, "test", "link confirmed", NOON - timedelta(days=1))
        file = tmp_path / "library.bib"
        file.write_text(bibtex(library(count=30)), "utf-8")
        add_interests(store, ADA, [file], "", "", False, NOON - timedelta(hours=1))
        yield made


def encode(
    store: Store, encoder: Hashing, at: datetime = NOON, stop: Callable[[], bool] = lambda: False, within: timedelta = WINDOW
) -> EncodedTexts:
    return encode_texts(lambda: encoder, store, within, lambda: at, stop)


def test_each_text_is_encoded_once(container: Sending) -> None:
    store, encoder = container.adapters.store, Hashing()
    assert encode(store, encoder) == EncodedTexts(papers=120, works=30)
    assert len(set(encoder.texts)) == len(encoder.texts) == 150
    assert encode(store, encoder, NOON + timedelta(hours=1)) == EncodedTexts()
    assert len(encoder.texts) == 150


def test_it_stops_between_a_few_and_goes_on_where_it_was(container: Sending) -> None:
    store, encoder = container.adapters.store, Hashing()
    assert encode(store, encoder, stop=lambda: len(encoder.texts) >= 2 * AT_ONCE) == EncodedTexts(2 * AT_ONCE, 0, unfinished=True)
    assert encode(store, encoder) == EncodedTexts(120 - 2 * AT_ONCE, 30)


def test_a_fault_of_the_encoder_ends_the_run_and_keeps_what_was_done(container: Sending) -> None:
    store, encoder = container.adapters.store, Hashing()

    def fail_later() -> None:
        if encoder.texts:
            raise RuntimeError("no model")

    encoder.before = fail_later
    assert encode(store, encoder) == EncodedTexts(AT_ONCE, 0, unfinished=True, error="RuntimeError: no model")


def test_no_transaction_is_open_while_texts_are_encoded(container: Sending) -> None:
    store, open_ = container.adapters.store, [0]
    event.listen(store.engine, "begin", lambda connection: open_.__setitem__(0, open_[0] + 1))
    for ended in ("commit", "rollback"):
        event.listen(store.engine, ended, lambda connection: open_.__setitem__(0, open_[0] - 1))
    seen: list[int] = []
    encode(store, Hashing(before=lambda: seen.append(open_[0])))
    assert set(seen) == {0}


def mine(container: Sending) -> list[tuple[int, object]]:
    """What an edition chose, as a process that was just started sees it."""
    daily = container.adapters.paper_list("daily")
    edition = container.editions.edition(daily, NOON.date(), NOON)
    claimed = of_subscriber(one_off(ADA, edition, NOON), container.subscriptions.subscription(ADA, daily))
    fresh = Personaliser(container.adapters.store, container.adapters.personaliser.make_cards)
    return list(fresh.alone(claimed) or ())


def order(container: Sending, at: datetime) -> list[tuple[str, object]]:
    ranked = container.papers.ranking(container.adapters.paper_list("daily"), at, ADA)
    return [(each.paper.title, each.reasons) for each in ranked]


def test_what_an_edition_or_an_instant_chose_is_the_same_when_vectors_came_later(container: Sending) -> None:
    chosen, ranked = mine(container), order(container, NOON)
    assert encode(container.adapters.store, Hashing(), NOON + timedelta(minutes=1)).papers == 120
    assert (mine(container), order(container, NOON)) == (chosen, ranked)
    assert order(container, NOON + timedelta(minutes=1)) != ranked, "and later they count"


def test_works_that_were_encoded_later_change_it_no_more_than_papers_do(container: Sending) -> None:
    store, encoder = container.adapters.store, Hashing()
    assert encode(store, encoder, NOON, stop=lambda: len(encoder.texts) >= 120) == EncodedTexts(120, 0, unfinished=True)
    chosen, ranked = mine(container), order(container, NOON)
    assert encode(store, encoder, NOON + timedelta(minutes=1)) == EncodedTexts(0, 30)
    assert (mine(container), order(container, NOON)) == (chosen, ranked)
    assert order(container, NOON + timedelta(minutes=1)) != ranked


def test_an_edition_knows_the_vectors_that_were_there(container: Sending) -> None:
    encode(container.adapters.store, Hashing(), NOON)
    with_vectors = mine(container)
    with container.adapters.store.begin() as unit:
        unit.connection.exec_driver_sql("DELETE FROM paper_vectors")
    assert mine(container) != with_vectors


def test_erasing_a_reader_takes_the_vectors_of_what_only_they_had(container: Sending) -> None:
    store = container.adapters.store
    encode(store, Hashing())
    with store.read() as unit:
        assert unit.vectors.count() == (120, 30)
    erase(store, ADA, NOON)
    with store.read() as unit:
        assert unit.vectors.count() == (120, 0)
