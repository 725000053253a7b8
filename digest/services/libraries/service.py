"""Libraries that readers keep elsewhere: connected, read again when it is time, disconnected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.errors import InvalidIdentifier, InvalidInput, NotFound
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.library_account import AccountKind
from digest.domain.phrase import phrase
from digest.services.libraries.sync_accounts import Synced, sync_accounts
from digest.services.papers.find_paper import find_paper
from digest.sources.openalex import OpenAlex, OpenAlexAuthor
from digest.sources.orcid import Orcid
from digest.sources.zotero import Zotero

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.config.papers import LookUps
    from digest.domain.library_account import AccountName, LibraryAccount
    from digest.domain.paper import Paper
    from digest.domain.subscriber import Address
    from digest.encryption import Encryption
    from digest.sources.port import Getter, LibraryReader, Source
    from digest.store.unit_of_work import Store

MOST_SAVED = 5000
"""Papers of one subscription: what a page of them and an export can hold."""
MOST_ACCOUNTS = 8
"""That one subscription is connected with."""
A_RUN = 500
"""Requests of one run that others wait for: the rest follows next time."""


class LibraryService:
    """`encryption` and `getter` are made when first needed."""

    def __init__(
        self,
        store: Store,
        settings: LookUps,
        make_sources: Callable[[Sequence[str]], list[Source]],
        getter: Callable[[], Getter],
        encryption: Callable[[], Encryption],
    ) -> None:
        self._store, self._settings, self._make_sources = store, settings, make_sources
        self._getter, self._encryption = getter, encryption

    def save_paper(self, subscription_id: int, identifier: str, at: datetime) -> Paper:
        """Saves a paper for a reader to come back to and to take along; what is sent does not depend on it.

        Saving it again changes nothing. Raises InvalidIdentifier, NotFound, and InvalidInput for one too many.
        """
        with self._store.begin() as unit:
            paper = find_paper(unit, identifier)
            if unit.subscribers.get(subscription_id) is None:
                raise NotFound(phrase("this subscription"), phrase("it was erased; subscribe again"))
            unit.saved_papers.save(subscription_id, paper.id, at)
            if unit.saved_papers.count(subscription_id) > MOST_SAVED:
                raise InvalidInput(
                    phrase("saved papers"), phrase("are %(n)s already, and no more fit; remove some first", n=MOST_SAVED)
                )
        return paper

    def remove_saved(self, subscription_id: int, identifiers: Collection[str]) -> None:
        """Those that are not saved are no error. Raises InvalidIdentifier, NotFound."""
        with self._store.begin() as unit:
            unit.saved_papers.remove(subscription_id, {find_paper(unit, each).id for each in identifiers})

    def saved_papers(
        self, subscription_id: int, limit: int | None = None, offset: int = 0
    ) -> tuple[Sequence[tuple[Paper, datetime]], int]:
        """(what a reader saved, each with when, the newest first: some, or all; how many there are)."""
        with self._store.read() as unit:
            found = unit.saved_papers.of(subscription_id, limit, offset)
            papers, count = unit.papers.by_ids(found), unit.saved_papers.count(subscription_id)
        return [(papers[paper_id], at) for paper_id, at in found.items()], count

    def outline(self, subscription_id: int, most: int) -> tuple[list[tuple[str, int]], int]:
        """(authors of several works of a library, at most so many; how many works nobody knows, so that they choose nothing)."""
        with self._store.read() as unit:
            held = unit.libraries.authors(subscription_id)
            names: dict[Identifier, str] = {}
            for name in [name for name, titled, authors in held if not (titled and authors)]:
                with suppress(InvalidIdentifier):
                    names[parse_identifier(name).identifier] = name
            papers = {names[identifier]: paper for identifier, paper in unit.papers.named(names).items()}
        counts = Counter[str]()
        for name, _, authors in held:
            counts.update(set(authors or (papers[name].authors if name in papers else ())))
        unknown = sum(not titled and name not in papers for name, titled, _ in held)
        best = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]
        return [(name, count) for name, count in best if count > 1], unknown

    def connect(self, subscription_id: int, name: AccountName, key: str, at: datetime) -> int:
        """It is read when the daemon looks next, or by `sync`. Returns the account's id.

        Raises InvalidInput where that cannot work, or for one too many.
        """
        if name.kind is AccountKind.ZOTERO and not (key or name.library):
            raise InvalidInput(phrase("Zotero library"), phrase("should be named, such as groups/4711, or come with its key"))
        if name.library.startswith("users/") and not key:
            raise InvalidInput(
                phrase("Zotero key"),
                phrase("is needed for %(library)s: create one at www.zotero.org/settings/keys", library=name.library),
            )
        with self._store.begin() as unit:
            there = unit.library_accounts.of(subscription_id)
            same = any((each.name.kind, each.name.library) == (name.kind, name.library) for each in there)
            if not same and len(there) >= MOST_ACCOUNTS:
                raise InvalidInput(phrase("library"), phrase("is one too many: %(most)s can be connected", most=MOST_ACCOUNTS))
            encrypted = self._encryption().encrypt(key) if key else ""
            return unit.library_accounts.connect(subscription_id, name, encrypted, at)

    def connect_now(
        self, address: Address, names: Sequence[tuple[AccountName, str]], clock: Callable[[], datetime]
    ) -> list[LibraryAccount]:
        """Connects every subscription of an address with these (name, key) and reads them at once, as far as one run goes.

        Raises NotFound for an unknown address, InvalidInput for a library that cannot be read; that is not connected then.
        """
        with self._store.read() as unit:
            found = unit.subscribers.subscriptions(address)
        if not found:
            raise NotFound(f"subscriber {address}", "subscribe first")
        there = {account.id for account in self.of_address(address)}
        ids = [self.connect(each.id, name, key, clock()) for each in found for name, key in names]
        self.sync(clock, most=A_RUN, only=ids)
        accounts = [account for account in self.of_address(address) if account.id in ids]
        refused = [account for account in accounts if account.problem and account.id not in there]
        for account in refused:
            self.disconnect(account.subscription_id, account.id, with_papers=True)
        if refused:
            raise InvalidInput(str(refused[0].name), refused[0].problem)
        return accounts

    def disconnect(self, subscription_id: int, account_id: int, *, with_papers: bool) -> None:
        """Raises NotFound."""
        with self._store.begin() as unit:
            for account in unit.library_accounts.of(subscription_id):
                if account.id == account_id:
                    unit.library_accounts.disconnect(account, with_papers=with_papers)
                    return
        raise NotFound(phrase("this library"), phrase("it is not connected any more"))

    def of(self, subscription_id: int) -> list[LibraryAccount]:
        with self._store.read() as unit:
            return unit.library_accounts.of(subscription_id)

    def of_address(self, address: Address) -> list[LibraryAccount]:
        """Those of all subscriptions of an address."""
        with self._store.read() as unit:
            found = unit.subscribers.subscriptions(address)
            return [account for each in found for account in unit.library_accounts.of(each.id)]

    def not_understood(self, account_id: int, limit: int) -> list[tuple[str, str]]:
        """(the item's key, why) of some."""
        with self._store.read() as unit:
            return unit.library_accounts.not_understood(account_id, limit)

    def sync(
        self,
        clock: Callable[[], datetime],
        *,
        stop: Callable[[], bool] = lambda: False,
        most: int | None = None,
        only: Collection[int] | None = None,
    ) -> Synced:
        """Reads the libraries whose time has come, within the day's budget of requests."""
        with self._store.read() as unit:  # the job runs every minute, and mostly there is nothing to do
            if unit.library_accounts.due(clock(), only=only) is None:
                return Synced()
        a_day, decrypt = self._settings.library_requests_per_day, self._decrypt
        return sync_accounts(self._readers, self._getter(), self._store, decrypt, clock, a_day, stop=stop, most=most, only=only)

    def _decrypt(self, encrypted: str) -> str | None:
        return self._encryption().decrypt(encrypted)

    @property
    def _readers(self) -> Mapping[AccountKind, LibraryReader]:
        """OpenAlex is asked where and as the source of that kind is, if there is one."""
        found = (each for each in self._make_sources(()) if isinstance(each, OpenAlex))
        own = next(found, OpenAlex("openalex", self._settings.openalex_url))
        return {
            AccountKind.ZOTERO: Zotero(self._settings.zotero_url),
            AccountKind.ORCID: Orcid(self._settings.orcid_url),
            AccountKind.OPENALEX: OpenAlexAuthor(own.base_url, own.api_key),
        }
