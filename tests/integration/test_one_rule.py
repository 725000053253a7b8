"""A page, a command and the API ask the same service: one answer, whichever door."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, SubscriptionState
from tests.outbox import configured
from tests.servers.smtp import SmtpServer
from tests.servers.website import BASIC, BEARER, NOON, Website

ADA = "ada@example.org"
UNREADABLE = "-"


def paused(site: Website) -> str | None:
    with site.container.adapters.store.read() as unit:
        return unit.lists.paused("daily")


def test_a_list_that_is_paused_keeps_its_reason_whoever_pauses_it_again(site: Website) -> None:
    def page(**sent: str) -> int:
        return site.request("POST", "/admin/pause", data={"list": "daily", **sent}, headers=BASIC).status_code

    assert page(reason="the relay is moved") == 303
    assert page(reason="another reason") == 303
    assert site.container.operations.pause(["daily"], "a third", NOON) == ()
    assert paused(site) == "the relay is moved"
    assert page(action="resume") == 303
    assert paused(site) is None


def test_interests_that_cannot_be_read_are_refused_at_each_door(site: Website, tmp_path: Path, sqlite_url: str) -> None:
    given = {"email": ADA, "interests": UNREADABLE, "confirmed": True}
    answered = site.request("POST", "/api/v1/subscriptions", json=given, headers=BEARER)
    assert answered.status_code == 400
    assert site.subscription() is None
    config = configured(tmp_path, sqlite_url, 9)
    done = _subscribed(config, "--confirmed", "--interests", UNREADABLE)
    assert done.exit_code != 0
    assert isinstance(done.exception, Exception)
    assert str(done.exception) == answered.json()["error"]
    with Container(load(config)) as container:
        assert container.subscriptions.of(Address(ADA)) == []


def test_a_command_that_cannot_reach_a_relay_leaves_the_request_with_its_mail(tmp_path: Path, sqlite_url: str) -> None:
    """Asked while no relay answers: the confirmation is queued with the request, and comes later, once."""
    config = configured(tmp_path, sqlite_url, 9)
    assert _subscribed(config).exit_code != 0
    with Container(load(config)) as container, container.adapters.store.read() as unit:
        [asked] = container.subscriptions.of(Address(ADA))
        assert (asked.state, unit.notices.count()) == (SubscriptionState.PENDING, 1)
    with SmtpServer(tmp_path / "kept") as server:
        answered = _subscribed(configured(tmp_path, sqlite_url, server.port))
        assert json.loads(answered.stdout) == {"state": "pending"}
        assert len(server.accepted()) == 1


def _subscribed(config: Path, *words: str) -> Result:
    return CliRunner().invoke(digest, ["subscribe", ADA, *words, "--json", "--config", str(config)])
