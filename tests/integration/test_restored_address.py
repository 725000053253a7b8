"""A backup from before a reader changed their address: the restore keeps the new one, or says that it cannot; nothing goes to a
mailbox that its reader has left.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.subscriptions.subscribe import confirm, request
from digest.store.restore import _followed
from tests.outbox import configured

NOW = datetime.now(UTC)


class World:
    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.config = configured(folder, database_url, 9)
        self.at = NOW - timedelta(hours=2)

    def subscribe(self, email: str, confirmed: bool = True) -> None:
        with Container(load(self.config)) as container:
            step = request(container.adapters.store, Address(email), "daily", Preferences(), Interests(), self.at)
            if confirmed:
                confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", self.at)

    def move(self, old: str, new: str) -> None:
        self.at += timedelta(minutes=1)
        with Container(load(self.config)) as container:
            store = container.adapters.store
            [mine] = container.subscriptions.of(Address(old))
            with store.begin() as unit:
                change = unit.address_changes.ask(mine.id, Address(new), self.at)
            container.subscriptions.confirm_address(change, self.at)

    def backup(self) -> None:
        self.types("backup", str(self.folder / "digest.tar"), "--at", self.at.isoformat())
        self.at += timedelta(minutes=1)

    def restore(self) -> dict[str, int]:
        told = self.types("restore", str(self.folder / "digest.tar"), "--force", "--json")
        return {name: json.loads(told)[name] for name in ("moved", "lost", "erased", "ended")}

    def types(self, *words: str) -> str:
        done = CliRunner().invoke(digest, [*words, "--config", str(self.config)])
        assert done.exit_code == 0, done.output
        return done.stdout

    def lose_the_database(self) -> None:
        for file in self.folder.glob("digest.sqlite*"):
            file.unlink()

    def readers(self) -> dict[str, str]:
        with Container(load(self.config)) as container:
            return {str(each.address): str(each.state) for each in container.subscriptions.all()}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in [name for name in os.environ if name.startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    made = World(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    made.subscribe("ada@example.org")
    made.subscribe("bob@example.org")
    made.subscribe("waits@new.example", confirmed=False)
    made.backup()
    return made


OLD, NEW, NEWER = "ada@example.org", "ada@new.example", "ada@newer.example"
REST = {"bob@example.org": "active", "waits@new.example": "pending"}


@pytest.mark.parametrize("steps", [[NEW], [NEW, NEWER], [NEW, OLD, NEWER]])
def test_the_new_address_is_kept(world: World, steps: list[str]) -> None:
    for old, new in zip([OLD, *steps], steps, strict=False):
        world.move(old, new)
    assert world.restore() == {"moved": 1, "lost": 0, "erased": 0, "ended": 0}
    assert world.readers() == {steps[-1]: "active", **REST}


def test_one_that_waited_for_a_confirmation_gives_way(world: World) -> None:
    world.move(OLD, "waits@new.example")
    assert world.restore()["moved"] == 1
    assert world.readers() == {"waits@new.example": "active", "bob@example.org": "active"}


def test_without_the_old_database_nothing_goes_to_the_old_mailbox(world: World) -> None:
    world.move(OLD, NEW)
    world.lose_the_database()
    assert world.restore() == {"moved": 0, "lost": 1, "erased": 0, "ended": 0}
    assert world.readers() == {OLD: "ended", **REST}
    told = CliRunner().invoke(digest, ["restore", str(world.folder / "digest.tar"), "--force", "--config", str(world.config)])
    assert "whose address since is known to the old database only; they subscribe again" in told.output


def test_who_came_back_to_their_address_stays(world: World) -> None:
    world.move(OLD, NEW)
    world.move(NEW, OLD)
    world.lose_the_database()
    assert world.restore()["lost"] == 0
    assert world.readers() == {OLD: "active", **REST}


@pytest.mark.parametrize("lost", [False, True], ids=["database there", "database lost"])
def test_who_left_or_was_erased_by_the_new_address_stays_so(world: World, lost: bool) -> None:
    world.move(OLD, NEW)
    world.move("bob@example.org", "bob@new.example")
    world.types("erase", NEW)
    world.types("unsubscribe", "bob@new.example")
    if lost:
        world.lose_the_database()
    assert world.restore()["erased"] == 1
    assert world.readers() == {("bob@example.org" if lost else "bob@new.example"): "ended", "waits@new.example": "pending"}


def test_moves_are_followed() -> None:
    lines = [["moved", *pair, f"2026-01-0{day}T00:00:00Z"] for day, pair in enumerate(["ab", "bc", "de", "ca", "ef"], 1)]
    assert _followed(lines) == {"b": "a", "c": "a", "d": "f", "e": "f"}
