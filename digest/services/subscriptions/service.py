"""Readers and their subscriptions, as commands and pages ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from digest.domain.errors import NotFound
from digest.mail.message.address import read_address
from digest.services.papers.import_files import known_papers, papers_in
from digest.services.subscriptions.interests import add_interests
from digest.services.subscriptions.subscriber_csv import RosterReport, import_roster

if TYPE_CHECKING:
    from digest.domain.edition import PaperList
    from digest.domain.interest import Understood
    from digest.domain.subscriber import Address, Preferences, Subscription
    from digest.store.unit_of_work import Store


class SubscriptionService:
    def __init__(self, store: Store, lists: Sequence[PaperList], defaults: Callable[[], Preferences]) -> None:
        self._store, self._lists, self._defaults = store, lists, defaults

    def subscription(self, address: Address, paper_list: PaperList) -> Subscription:
        """Raises NotFound."""
        with self._store.read() as unit:
            for each in unit.subscribers.subscriptions(address):
                if each.list == paper_list.name:
                    return each
        raise NotFound(f"{address}'s subscription to {paper_list.name}")

    def import_subscribers(self, file: Path, confirmed: bool, at: datetime) -> RosterReport:
        """Confirmations that follow are queued. Raises InvalidInput for a file that holds no subscribers."""
        names = [each.name for each in self._lists]
        return import_roster(file, self._store, read_address, names, self._defaults(), at, confirmed=confirmed)

    def add_interests(
        self, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool, at: datetime
    ) -> Understood:
        """Adds to every subscription of an address. Raises NotFound for an unknown one."""

        def read_papers(file: Path) -> tuple[dict[str, str], list[str]]:
            named, problems = papers_in(file, at)
            found, unknown = known_papers(named, self._store)
            return found, problems + unknown

        return add_interests(self._store, read_papers, address, files, text, mute, clear)
