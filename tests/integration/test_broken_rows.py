"""One row that cannot be read never stops the others: each claim ends it with a reason, and the tick goes on."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.notice import NoticeKind
from digest.domain.subscriber import Address, NewReader, Preferences
from digest.services.editions.edition_renderer import EditionRenderer
from digest.store.dialect import left_out
from tests.outbox import configured, queue
from tests.servers.stocked import CONSENT, sighting
from tests.transport import FakeTransport, OfflineContainer

DUE = datetime(2026, 3, 2, 7, 1, tzinfo=UTC)
BROKEN = {
    "interests are no JSON": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": [' WHERE id = :id",
    "interests are a number": "UPDATE subscriptions SET personal = 1, interests = '7' WHERE id = :id",
    "interests are a list": "UPDATE subscriptions SET personal = 1, interests = '[1]' WHERE id = :id",
    "words are a number": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": 1}' WHERE id = :id",
    "words hold numbers": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": [1, null]}' WHERE id = :id",
    "picks are no JSON": "UPDATE deliveries SET picks = '[1,' WHERE subscription_id = :id",
    "picks are a number": "UPDATE deliveries SET picks = '3' WHERE subscription_id = :id",
    "picks lie outside": "UPDATE deliveries SET picks = '[999]' WHERE subscription_id = :id",
    "picks are words": "UPDATE deliveries SET picks = '[\"a\"]' WHERE subscription_id = :id",
    "the hour it falls due is none": "UPDATE deliveries SET due_at = 'soon' WHERE subscription_id = :id",
    "the hour it expires is none": "UPDATE deliveries SET expires_at = '~' WHERE subscription_id = :id",
    "the address is none": "UPDATE subscribers SET address = 'nobody' WHERE id = :id",
    "the pause is no day": "UPDATE subscriptions SET paused_until = 'summer' WHERE id = :id",
}


def test_a_claim(tmp_path: Path, sqlite_url: str) -> None:
    """Every kind breaks a reader of its own, in batches with others."""
    config = configured(tmp_path, sqlite_url, 1, "claim_size = 4")
    broken = {3 * number: kind for number, kind in enumerate(BROKEN, 1)}
    everybody = range(1, len(queue(load(config), 3 * len(BROKEN) + 1)) + 1)
    transport = FakeTransport(lambda: datetime.now(UTC))
    with OfflineContainer(load(config), transport) as container:
        with container.adapters.store.engine.begin() as connection:
            for id_, kind in broken.items():
                connection.execute(text(BROKEN[kind]), {"id": id_})
        worked = container.delivery.deliver(lambda: datetime.now(UTC))
        with container.adapters.store.engine.connect() as connection:
            found = connection.execute(text("SELECT subscription_id AS id, state, reason FROM deliveries")).all()
    ended = {row.id: row for row in found}
    assert {broken[id_]: ended[id_].state for id_ in broken} == dict.fromkeys(BROKEN, "failed")
    assert all(ended[id_].reason for id_ in broken)
    assert {id_ for id_ in everybody if ended[id_].state != "accepted"} == broken.keys()
    assert (worked.tally.failed, worked.stopped) == (len(broken), "")
    assert len(transport.accepted) == len(everybody) - len(broken)


COHORTS = {
    "an hour": "UPDATE subscriptions SET hour = 'noon' WHERE id = 1",
    "days": "UPDATE subscriptions SET weekdays = 'mondays' WHERE id = 1",
    "a zone": "UPDATE subscriptions SET timezone = '\x07' WHERE id = 1",
}


@pytest.mark.parametrize("sql", COHORTS.values(), ids=COHORTS.keys())
def test_a_tick(sql: str, tmp_path: Path, sqlite_url: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        people = [NewReader(Address(f"r{n}@example.org"), "daily", Preferences(hour=time(7))) for n in range(3)]
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(2, seen_at=DUE - timedelta(days=1))])
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=1))
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text(sql))
        ticked = container.scheduler.tick(DUE)
    assert ticked.editions == 1
    assert ticked.deliveries in (2, 3)


PAPERS = {
    "authors are a number": "UPDATE papers SET authors = '7' WHERE id = 1",
    "authors hold numbers": "UPDATE papers SET authors = '[1, null]' WHERE id = 1",
    "authors are a text": "UPDATE papers SET authors = '\"Ada\"' WHERE id = 1",
    "categories are no JSON": "UPDATE papers SET categories = '[\"cs.LG' WHERE id = 1",
    "the day it came out is none": "UPDATE papers SET published_at = 'spring' WHERE id = 1",
    "the title is bytes": "UPDATE papers SET title = x'00ff' WHERE id = 1",
    "the summary is a blob": "UPDATE papers SET summary = x'ff' WHERE id = 1",
    "a number is none": "INSERT INTO signals (paper_id, kind, source, observed_at, value) "
    "VALUES (1, 'upvotes', 'x', '0 noon', 1)",
    "a sighting is no document": "UPDATE papers SET changed_at = '2026-12-01 00:00:00.000000';"
    "UPDATE sightings SET payload = '{\"ids\": 3}' WHERE paper_id = 1",
    "the title is no UTF-8": "UPDATE papers SET title = CAST(x'5061706572ff' AS TEXT) WHERE id = 1",
    "a zone is no UTF-8": "UPDATE subscriptions SET timezone = CAST(x'ff' AS TEXT) WHERE id = 1",
    "an address is no UTF-8": "UPDATE subscribers SET address = CAST(x'ff' AS TEXT) WHERE id = 1",
}
STILL_SHOWN = {"a number is none", "the title is no UTF-8", "a zone is no UTF-8", "an address is no UTF-8"}


@pytest.mark.parametrize("kind", PAPERS)
def test_an_edition(kind: str, tmp_path: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    left_out.cache_clear()
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        people = [NewReader(Address(f"r{n}@example.org"), "daily", Preferences(hour=time(7))) for n in range(3)]
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(number, seen_at=DUE - timedelta(days=1)) for number in (1, 2, 3)])
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=1))
        with container.adapters.store.engine.begin() as connection:
            for sql in PAPERS[kind].split(";"):
                connection.execute(text(sql))
        ticked = container.scheduler.tick(DUE)
        with container.adapters.store.read() as unit:
            edition = unit.editions.latest("daily", DUE)
            assert unit.papers.candidates(DUE, DUE - timedelta(days=7), container.adapters.paper_list("daily"))
    assert (ticked.editions, ticked.failed) == (1, ())
    assert ticked.deliveries in (2, 3)
    assert edition is not None
    assert len(edition.picks) == (3 if kind in STILL_SHOWN else 2)
    if kind not in STILL_SHOWN or kind == "a number is none":
        assert any("cannot be read: " in each.getMessage() for each in caplog.records)


def test_a_paper_that_cannot_be_shown(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what makes the proof fail nor what cannot be rendered keeps the edition from coming."""
    proof, render = EditionRenderer.proof, EditionRenderer.render

    def refusing(self: EditionRenderer, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        titles = [pick.ranked.paper.title for pick in draft.picks]
        if any("2" in each for each in titles):
            return ("marker: left over",)
        return proof(self, draft, paper_list, rendered)

    def failing(self: EditionRenderer, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        if any("3" in each.ranked.paper.title for each in draft.pool or draft.picks):
            raise ValueError("no such sign")
        return render(self, draft, paper_list, brevity=brevity)

    monkeypatch.setattr(EditionRenderer, "proof", refusing)
    monkeypatch.setattr(EditionRenderer, "render", failing)
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(number, seen_at=DUE - timedelta(days=1)) for number in (1, 2, 3)])
        ticked = container.scheduler.tick(DUE)
        with container.adapters.store.read() as unit:
            edition = unit.editions.latest("daily", DUE)
    assert (ticked.editions, ticked.failed) == (1, ())
    assert edition is not None
    assert len(edition.picks) == 1
    told = sorted(each.getMessage().partition("shown: ")[2] for each in caplog.records if "is left out" in each.getMessage())
    assert told == ["ValueError: no such sign", "the mail breaks a rule: marker: left over"]


def test_what_breaks_every_paper_leaves_none_out(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EditionRenderer, "proof", lambda *_: ("links: the template's own",))
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(number, seen_at=DUE - timedelta(days=1)) for number in (1, 2, 3)])
        ticked = container.scheduler.tick(DUE)
    assert ticked.editions == 0
    assert "the template's own" in ticked.failed[0]


def test_a_skipped_cohort_and_an_unreadable_notice_are_said_once(
    tmp_path: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    left_out.cache_clear()
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        people = [NewReader(Address(f"r{n}@example.org"), "daily", Preferences(hour=time(7))) for n in range(2)]
        with container.adapters.store.begin() as unit:
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=1))
            for number in (1, 2):
                unit.notices.queue(number, NoticeKind.WELCOME, DUE, DUE)
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text("UPDATE subscriptions SET hour = 'noon' WHERE id = 1"))
        for _ in range(3):
            container.scheduler.tick(DUE)
            with container.adapters.store.begin() as unit:
                taken = unit.notices.take(DUE, 9, timedelta(0))
    assert [each.notice.subscription.id for each in taken] == [2]
    told = [each.getMessage() for each in caplog.records if "cannot be read" in each.getMessage()]
    what = sorted(each.partition(":")[0] for each in told)
    assert what == ["left out a mail that answers a reader", "left out readers of list daily"]
