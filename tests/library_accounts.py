"""A reader whose library is kept elsewhere, and the servers where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from digest.config import Settings
from digest.config.papers import LookUps
from digest.domain.library_account import AccountName, LibraryAccount, zotero_library
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.libraries.sync_accounts import Synced
from digest.services.subscriptions.subscribe import confirm, request
from digest.sources.http import HttpPolicy, PoliteGetter
from tests.libraries import NOON
from tests.servers.libraries import KEY, Elsewhere, elsewhere
from tests.servers.website import Sending, _settings

ADA = Address("ada@example.org")
DAY = timedelta(days=1)
OWN = zotero_library("")


class Reader:
    """Ada, who is subscribed, on a clock that only this test and waits for a server move."""

    def __init__(self, container: Sending, there: Elsewhere) -> None:
        self.container, self.there, self.now = container, there, NOON
        self.slept: list[float] = []
        step = request(container.adapters.store, ADA, "daily", Preferences(), Interests(), NOON - DAY)
        self.id = confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", NOON - DAY).subscription.id

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def connect(self, name: AccountName = OWN, key: str = KEY) -> int:
        return self.container.libraries.connect(self.id, name, key if name.kind == "zotero" else "", self.now)

    def sync(self, **how: object) -> Synced:
        return self.container.libraries.sync(lambda: self.now, **how)  # type: ignore[arg-type]

    def requests(self, **how: object) -> list[str]:
        """What a sync asked for."""
        before = len(self.there.asked)
        self.sync(**how)
        return [each.target for each in self.there.asked[before:]]

    @property
    def account(self) -> LibraryAccount:
        [found] = self.container.libraries.of(self.id)
        return found

    def titles(self) -> list[str]:
        with self.container.adapters.store.read() as unit:
            names = unit.libraries.names([self.id]).get(self.id, ())
            works = unit.libraries.named(names)
        return [works[name].title for name in names]

    def personal(self) -> bool:
        with self.container.adapters.store.engine.connect() as connection:
            return bool(connection.exec_driver_sql("SELECT personal FROM subscriptions").scalar_one())


@contextmanager
def reading(file: Path, **look_ups: object) -> Iterator[Reader]:
    with elsewhere() as there:
        urls = {"zotero_url": there.url, "orcid_url": there.url, "openalex_url": there.url, **look_ups}
        settings: Settings = _settings(file, "https://digest.example").model_copy(update={"look_ups": LookUps(**urls)})  # type: ignore[arg-type]
        with Sending(settings) as container:
            reader = Reader(container, there)
            getter = PoliteGetter(HttpPolicy(), sleep=reader.sleep, clock=lambda: reader.now.timestamp(), jitter=lambda: 0.0)
            container.adapters.__dict__["getter"] = getter
            yield reader
            getter.close()
