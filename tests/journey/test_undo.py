"""A morning that goes wrong, put right: held back, corrected, sent again. On both databases, through a real SMTP server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState, Tally
from digest.domain.errors import InvalidInput, LintFailed, NotFound
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address, Interests
from digest.mail.lint.lint import lint
from tests.outbox import configured, queue, rows
from tests.servers.smtp import Do, Script, SmtpServer

EDITION = "daily/2026-03-02"
WORDS = "Two of yesterday's links were wrong.\n\nThe right ones are on the web page. We are sorry."


def now() -> datetime:
    return datetime.now(UTC)


def deliver(container: Container, stop: Callable[[], bool] = lambda: False) -> Tally:
    return container.delivery.deliver(now, stop=stop).tally


def subjects(server: SmtpServer) -> dict[str, list[str]]:
    """By recipient, what they got, in order."""
    got: dict[str, list[str]] = {}
    for kept in server.accepted():
        [recipient] = kept.recipients
        message: EmailMessage = message_from_bytes(kept.data, policy=policy.default)  # type: ignore[assignment]
        got.setdefault(recipient, []).append("correction" if "correction" in message["Subject"] else "edition")
    return got


@pytest.fixture
def server(tmp_path: Path) -> SmtpServer:
    busy = (Do("451 4.3.0 later"),)
    gone = (Do("550 5.2.1 disabled"),)
    recipients = {"reader1@example.org": gone, "reader2@example.org": busy}
    return SmtpServer(tmp_path / "kept.jsonl", Script(recipients=recipients))


def test_a_bad_edition_from_the_first_alarm_to_the_last_apology(tmp_path: Path, database_url: str, server: SmtpServer) -> None:
    with server:
        config = configured(tmp_path, database_url, server.port, "connections = 1\nclaim_size = 5")
        emails = queue(load(config), 20)
        with Container(load(config)) as container:
            # the relay has taken some when the operator sees that the edition is bad
            deliver(container, stop=lambda: len(server.accepted()) >= 6)
            went = set(subjects(server))
            assert 6 <= len(went) < 18
            cancelled = container.operations.cancel(container.editions.edition_named(EDITION), "wrong links")
            assert cancelled.withheld == 20 - len(went) - 1  # one has failed for good
            assert (cancelled.delivery_counts.went, cancelled.delivery_counts.not_sent) == (len(went), 20 - len(went))
            assert container.operations.cancel(container.editions.edition_named(EDITION), "wrong links") == type(cancelled)(
                0, cancelled.delivery_counts
            )
            assert deliver(container).accepted == 0, "cancelled means that nothing more goes out"
            assert set(subjects(server)) == went

            # the words go to exactly those who got it, once, however often the operator asks
            first = container.operations.correct(container.editions.edition_named(EDITION), WORDS, now())
            again = container.operations.correct(container.editions.edition_named(EDITION), WORDS, now())
            assert (first.queued, again.queued) == (len(went), 0)
            assert again.correction.id == first.correction.id
            assert deliver(container).accepted == len(went)
            assert subjects(server) == {email: ["edition", "correction"] for email in went}

            # it was not so bad after all: the others get it too, and only they
            with pytest.raises(InvalidInput, match="is cancelled; --reinstate"):
                container.operations.redeliver(container.editions.edition_named(EDITION), now())
            requeued = container.operations.redeliver(container.editions.edition_named(EDITION), now(), reinstate=True)
            assert requeued.queued == 20 - len(went)
            assert container.operations.redeliver(container.editions.edition_named(EDITION), now()).queued == 0
            deliver(container)
        got = subjects(server)
        assert set(got) == set(emails)
        assert Counter(what for each in got.values() for what in each) == {"edition": 20, "correction": len(went)}


def test_a_correction_is_a_mail_like_any_other(tmp_path: Path, sqlite_url: str, server: SmtpServer) -> None:
    """Lint, one-click links, the list's id; also for a reader whose picks are their own, and while the list is paused."""
    with server:
        config = configured(tmp_path, sqlite_url, server.port)
        queue(load(config), 1)
        with Container(load(config)) as container:
            address = Address("reader0@example.org")
            with container.adapters.store.begin() as unit:
                [mine] = unit.subscribers.subscriptions(address)
                unit.subscribers.change(mine.id, interests=Interests(words=("rank",)))
            deliver(container)
            container.operations.pause(["daily"], "the links are wrong", now())
            assert container.operations.correct(container.editions.edition_named("2026-03-02"), WORDS, now()).queued == 1
            assert deliver(container).accepted == 1
            with container.adapters.store.read() as unit:
                newest = unit.editions.latest("daily", now())
                assert newest is not None
                assert newest.corrects is None, "a correction is no edition of the list"
                assert [each.correction for each in unit.deliveries.of_subscription(mine.id)] == [True, False]
                assert {each.list for each in unit.deliveries.of_subscription(mine.id)} == {"daily"}
        _, correction = server.accepted()
    assert lint(correction.data).errors == ()
    message: EmailMessage = message_from_bytes(correction.data, policy=policy.default)  # type: ignore[assignment]
    assert message["Subject"] == "Trending papers, 2 March 2026: a correction"
    assert "<daily.digest.example.org>" in message["List-Id"]
    assert message["List-Unsubscribe-Post"]
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert re.sub(r"\s+", " ", WORDS) in re.sub(r"\s+", " ", text)


def test_who_left_or_may_have_it_is_not_mailed_again(tmp_path: Path, database_url: str) -> None:
    script = Script(nth={("DOT", 2): Do(accept=True, close=True)})  # taken, and never said so
    with SmtpServer(tmp_path / "kept.jsonl", script) as server:
        config = configured(tmp_path, database_url, server.port, 'connections = 1\non_lost_reply = "drop"')
        queue(load(config), 5)
        with Container(load(config)) as container:
            deliver(container)
            assert Counter(row.state for row in rows(config).values()) == {DeliveryState.ACCEPTED: 4, DeliveryState.FAILED: 1}
            edition = container.editions.edition_named(EDITION)
            assert container.operations.redeliver(edition, now()).queued == 0, "the one that failed may have arrived"
            with container.adapters.store.begin() as unit:
                unit.suppressions.add(Address("reader0@example.org"), SuppressionReason.COMPLAINT, now())
            assert container.operations.correct(edition, WORDS, now()).queued == 4
            assert container.operations.correct(edition, WORDS, now(), unsure=True).queued == 1
            assert deliver(container).accepted == 4
            assert container.operations.redeliver(edition, now(), unsure=True).queued == 1
            assert deliver(container).accepted == 1
        got = subjects(server)
    assert got["reader0@example.org"] == ["edition"], "who complained gets no correction either"
    assert sorted(map(len, got.values())) == [1, 2, 2, 2, 3]


def test_pausing_and_resuming_twice_is_as_good_as_once(tmp_path: Path, database_url: str, server: SmtpServer) -> None:
    with server:
        config = configured(tmp_path, database_url, server.port)
        queue(load(config), 3)
        with Container(load(config)) as container:
            assert container.operations.pause(["daily"], "the relay asked us to", now()) == ("daily",)
            assert container.operations.pause(["daily"], "another reason", now()) == ()
            with container.adapters.store.read() as unit:
                assert unit.lists.paused("daily") == "the relay asked us to"
            assert deliver(container).accepted == 0
            assert container.operations.resume(["daily"]) == ("daily",)
            assert container.operations.resume(["daily"]) == ()
            assert deliver(container).accepted == 1


@pytest.mark.parametrize("name", ["yesterday", "daily", "2026-13-01", "daily/", ""])
def test_what_names_no_edition(tmp_path: Path, sqlite_url: str, name: str) -> None:
    with (
        Container(load(configured(tmp_path, sqlite_url, 9))) as container,
        pytest.raises(InvalidInput, match="should be like 2026-05-27"),
    ):
        container.editions.edition_named(name)


def test_an_edition_never_made_cannot_be_undone(tmp_path: Path, sqlite_url: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 9))) as container:
        with pytest.raises(NotFound, match="edition daily/2026-03-01 not found"):
            container.editions.edition_named("2026-03-01")
        with pytest.raises(NotFound, match="list 'weekly'"):
            container.editions.edition_named("weekly/2026-03-01")


@pytest.mark.parametrize("words", ["", " \n\n ", "x" * 4001])
def test_a_correction_says_something(tmp_path: Path, sqlite_url: str, words: str) -> None:
    config = configured(tmp_path, sqlite_url, 9)
    queue(load(config), 1)
    with Container(load(config)) as container, pytest.raises(InvalidInput, match="should be 1 to 4000 characters"):
        container.operations.correct(container.editions.edition_named(EDITION), words, now())


def test_a_correction_that_breaks_a_rule_goes_to_nobody(tmp_path: Path, sqlite_url: str) -> None:
    folder = tmp_path / "mine" / "mail" / "correction"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text("no way out of here")
    config = configured(tmp_path, sqlite_url, 9)
    config.write_text(config.read_text() + f'\n[templates]\nfolder = "{tmp_path / "mine"}"\n')
    queue(load(config), 1)
    with Container(load(config)) as container:
        with pytest.raises(LintFailed):
            container.operations.correct(container.editions.edition_named(EDITION), WORDS, now())
        with container.adapters.store.read() as unit:
            assert unit.connection.scalar(text("SELECT count(*) FROM editions")) == 1
            assert unit.deliveries.next_due(now() - timedelta(days=2)) is not None
