"""Libraries kept elsewhere, read again: Zotero's daily by version, the works of an ORCID iD or an author weekly.

    due ─claim─▶ its reader (sources) ─page by page─▶ works kept, linked, taken off; how far it came: one unit of work a page

One budget of requests a day for the whole installation. What cannot be read stays as it was read last, and its owner is told why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from digest.domain.errors import SourceError, SourceRefused, SourceThrottled, StoreError
from digest.domain.library_account import TITLES, AccountKind, LibraryAccount
from digest.domain.notice import NoticeKind
from digest.domain.phrase import N_, phrase
from digest.services.libraries.keep_library import MOST_HELD, fill_from_papers
from digest.services.libraries.look_up import PLACE, taken_today
from digest.sources.port import Answer, Getter, LibraryPage, LibraryReader
from digest.store.unit_of_work import Store

BUDGET = "library requests"
"""In the store, under PLACE: {"day", "asked"}."""
EVERY = {
    AccountKind.ZOTERO: timedelta(hours=20),  # once a day, also where a day's run is a little earlier than the last
    AccountKind.ORCID: timedelta(days=6, hours=20),
    AccountKind.OPENALEX: timedelta(days=6, hours=20),
}
LEASE = timedelta(minutes=15)
"""For how long at most nobody else reads a library after a page of it was kept: longer than a request and its retries take."""
LATER = timedelta(hours=1)
"""After an answer that made no sense, or none."""
KEY_UNREADABLE = N_("The key we keep can no longer be read. Enter your Zotero key again.")
NOT_PUBLIC = N_(
    "This Zotero library is not public. Create a key at https://www.zotero.org/settings/keys and enter it with the library."
)
KEY_NOT_ACCEPTED = N_(
    "Zotero does not accept this key for this library. Create one at https://www.zotero.org/settings/keys that may read it,"
    " and enter it."
)
KEY_NO_LONGER_ACCEPTED = N_(
    "Zotero does not accept your key any more. Create a new one at https://www.zotero.org/settings/keys and enter it."
    " Your papers stay."
)
NO_SUCH = {
    AccountKind.ZOTERO: N_("Zotero has no such library or collection: %(name)s."),
    AccountKind.ORCID: N_("ORCID has no such iD: %(name)s."),
    AccountKind.OPENALEX: N_("OpenAlex has no such author with works: %(name)s."),
}
REFUSED = N_("%(title)s refused to show it.")
REFUSED_WITH = N_("%(title)s refused to show it (HTTP %(status)s).")
PROBLEMS = (KEY_UNREADABLE, NOT_PUBLIC, KEY_NOT_ACCEPTED, KEY_NO_LONGER_ACCEPTED, *NO_SUCH.values(), REFUSED, REFUSED_WITH)
"""All that an account's `problem` may say, which is kept in English."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a run did. `problems` are of libraries whose owner must do something; `error`: why a service was not asked for all."""

    read: int = 0
    requests: int = 0
    problems: int = 0
    error: str | None = None


class _Counted:
    """A getter with a budget."""

    def __init__(self, getter: Getter, most: int, until: timedelta) -> None:
        self._getter, self._most, self._until = getter, most, until
        self.asked = 0

    @property
    def spent(self) -> bool:
        return self.asked >= self._most

    def get(self, source: str, url: str, **how: Any) -> Answer:
        if self.spent:
            raise SourceThrottled(source, "the requests of this run are used up", self._until)
        self.asked += 1
        return self._getter.get(source, url, **how)

    def post(self, source: str, url: str, **how: Any) -> Answer:
        raise NotImplementedError("nobody's library is written to")


def sync_accounts(
    readers: Mapping[AccountKind, LibraryReader],
    getter: Getter,
    store: Store,
    decrypt: Callable[[str], str | None],
    clock: Callable[[], datetime],
    a_day: int,
    *,
    stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
    only: Collection[int] | None = None,
) -> Synced:
    """Reads what is due, with at most `most` requests, until `stop`; `only`: these accounts alone. Raises StoreError only."""
    at = clock()
    with store.read() as unit:
        asked = taken_today(unit.sources.load(PLACE, BUDGET), at, a_day)
    left = a_day - asked if most is None else min(a_day - asked, most)
    tomorrow = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), at.tzinfo) - at
    counted = _Counted(getter, left, tomorrow if left == a_day - asked else timedelta(0))
    resting: set[AccountKind] = set()
    read = problems = 0
    error: str | None = None
    while not (stop() or counted.spent):
        at, before = clock(), counted.asked
        with store.begin() as unit:
            account = unit.library_accounts.due(at, resting, only)
            if account is None or not unit.library_accounts.claim(account, at, at + LEASE):
                break
            account = unit.library_accounts.get(account.id)
        assert account is not None, "it was claimed a moment ago"
        outcome = _Reading(store, readers[account.name.kind], counted, decrypt, clock, stop).run(account)
        with store.begin() as unit:
            more = taken_today(unit.sources.load(PLACE, BUDGET), at, a_day) + counted.asked - before
            unit.sources.save(PLACE, BUDGET, {"day": f"{at:%Y-%m-%d}", "asked": more}, at)
        read += outcome == ""
        if outcome and isinstance(outcome, str):
            problems += 1
        elif isinstance(outcome, SourceError) and not counted.spent:
            resting.add(account.name.kind)  # the others would fare no better now
            error = error or _without_names(str(outcome), account)
    return Synced(read, counted.asked, problems, error)


@dataclass(frozen=True, slots=True)
class _Reading:
    store: Store
    reader: LibraryReader
    getter: Getter
    decrypt: Callable[[str], str | None]
    clock: Callable[[], datetime]
    stop: Callable[[], bool]

    def run(self, account: LibraryAccount) -> str | SourceError | None:
        """Reads one to its end: "", or what its owner must do about it, or why the service could not be asked; None: it was
        stopped, or changed meanwhile.
        """
        key = self.decrypt(account.encrypted_key) if account.encrypted_key else ""
        if key is None:
            return self._give_up(account, KEY_UNREADABLE)
        current: LibraryAccount | None = account
        try:
            for page in self.reader.read(self.getter, account.name, key, account.state, self.clock()):
                current = self._keep(current, page) if current else None
                if current is None or page.last:
                    return "" if current else None
                if self.stop():
                    self._postpone(current, timedelta(0))
                    return None
        except SourceRefused as refused:
            return self._give_up(current or account, problem_of(account, refused.status))
        except SourceThrottled as throttled:
            self._postpone(current or account, LATER if throttled.retry_after is None else throttled.retry_after)
            return throttled
        except SourceError as error:
            self._postpone(current or account, LATER)
            return error
        except StoreError:
            raise
        except Exception as fault:  # as in collect: a fault in one reader's code must not cost the others theirs
            self._postpone(current or account, LATER)
            kind = account.name.kind
            return SourceError(kind, f"a fault in this program: {type(fault).__name__}: {fault}")
        return None

    def _keep(self, account: LibraryAccount, page: LibraryPage) -> LibraryAccount | None:
        """Stores a page with the state that follows it; None where the account is not what it was when this read began."""
        at = self.clock()
        with self.store.begin() as unit:
            accounts = unit.library_accounts
            now = accounts.get(account.id)
            if now is None or now.state != account.state or now.encrypted_key != account.encrypted_key:
                return None
            works = dict(page.works)
            left_out = accounts.taken_off(account, works)
            accounts.seen(account, list(left_out), at)
            shown = {key: work for key, work in works.items() if key not in left_out}
            names = unit.libraries.keep(list(shown.values()), at)
            found = unit.libraries.named(list(dict.fromkeys(names)))
            fill_from_papers(unit, [work for work in found.values() if not work.abstract], at)
            ids = unit.libraries.by_identifier(identifier for work in shown.values() for identifier in work.identifiers[:1])
            accounts.add(account, {key: ids[work.identifiers[0]] for key, work in shown.items()}, at, MOST_HELD)
            accounts.reject(account, {each.where: each.reason for each in page.rejected}, at)
            accounts.remove(account, page.gone)
            if page.whole and account.started_at is not None:
                accounts.remove_unseen(account, account.started_at)
            done = {"read_at": at, "started_at": None, "next_at": at + EVERY[account.name.kind], "problem": ""}
            accounts.save(account.id, state=dict(page.state), **(done if page.last else {"next_at": at + LEASE}))
            return accounts.get(account.id)

    def _give_up(self, account: LibraryAccount, problem: str) -> str:
        """Until its owner does something, or the next regular try; what was read stays. They are told by mail, once."""
        state = {name: value for name, value in account.state.items() if name != "reading"}
        later = self.clock() + EVERY[account.name.kind]
        tells = account.read_at is not None and not account.problem
        self._save(account, tells, problem=problem, state=state, started_at=None, next_at=later)
        return problem

    def _postpone(self, account: LibraryAccount, wait: timedelta) -> None:
        self._save(account, next_at=self.clock() + wait)

    def _save(self, account: LibraryAccount, tells: bool = False, **columns: Any) -> None:
        with self.store.begin() as unit:
            now = unit.library_accounts.get(account.id)
            if now is None or now.encrypted_key != account.encrypted_key or now.state != account.state:
                return  # it was changed meanwhile
            unit.library_accounts.save(account.id, **columns)
            if tells and not unit.notices.current([account.subscription_id]):
                at = self.clock()
                unit.notices.queue(account.subscription_id, NoticeKind.LIBRARY, at, at)


def _without_names(text: str, account: LibraryAccount) -> str:
    """For the log: whose library it is, is nobody's business there."""
    return text.replace(account.library, "…") if account.library else text


def problem_of(account: LibraryAccount, status: int | None) -> str:
    """A refusal, and what its owner can do about it. No message holds the key."""
    title = TITLES[account.name.kind]
    if account.name.kind is AccountKind.ZOTERO and status in (401, 403):
        if not account.encrypted_key:
            return NOT_PUBLIC
        if account.read_at is None:
            return KEY_NOT_ACCEPTED
        return KEY_NO_LONGER_ACCEPTED
    if status in (404, 410):
        return phrase(NO_SUCH[account.name.kind], name=account.name.library or phrase("check what you entered"))
    return phrase(REFUSED_WITH, title=title, status=str(status)) if status else phrase(REFUSED, title=title)
