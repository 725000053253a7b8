"""Libraries kept elsewhere that subscriptions are connected with: how far each is read, and which works came with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, false, func, or_, select, true, update

from digest.domain.library_account import AccountKind, AccountName, LibraryAccount
from digest.domain.subscriber import SubscriptionState
from digest.store.dialect import chunks, insert_into, insert_new
from digest.store.libraries import Libraries
from digest.store.schema import subscriptions
from digest.store.schema_libraries import library, library_accounts, library_items, works

LONGEST_WAIT = timedelta(days=8)
"""What waits longer was read by a clock that stood ahead."""
_ACCOUNT, _ITEM, _HELD = library_accounts.c, library_items.c, library.c


class LibraryAccounts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._libraries = Libraries(connection)

    # ---- accounts ----------------------------------------------------------------------------------------------------------

    def connect(self, subscription_id: int, name: AccountName, encrypted_key: str, at: datetime) -> int:
        """Connects, or gives what is connected another key or other collections; it is read from `at` on. Returns its id."""
        same = (_ACCOUNT.subscription_id == subscription_id, _ACCOUNT.kind == name.kind.value, _ACCOUNT.library == name.library)
        before = self._connection.execute(select(library_accounts).where(*same)).first()
        new: dict[str, Any] = {
            "encrypted_key": encrypted_key,
            "next_at": at,
            "problem": "",
            "collections": list(name.collections),
        }
        if before is not None:
            # another key may open another library, and other collections hold other works: both are read from the beginning
            unchanged = tuple(before.collections) == name.collections and (name.library or not encrypted_key)
            new |= {} if unchanged else {"state": {}, "started_at": None}
            self._connection.execute(update(library_accounts).where(*same).values(**new))
            return int(before.id)
        row: dict[str, Any] = {"subscription_id": subscription_id, "kind": name.kind.value, "library": name.library, "state": {}}
        made = insert_into(self._connection, library_accounts).values(**row, **new, connected_at=at)
        self._connection.execute(made.on_conflict_do_nothing())
        account_id: int = self._connection.scalars(select(_ACCOUNT.id).where(*same)).one()
        return account_id

    def of(self, subscription_id: int) -> list[LibraryAccount]:
        """Those of a subscription, in the order they were connected, with what they brought."""
        rows = select(library_accounts).where(_ACCOUNT.subscription_id == subscription_id).order_by(_ACCOUNT.id)
        return self._counted(self._connection.execute(rows).all())

    def get(self, account_id: int) -> LibraryAccount | None:
        found = self._counted(self._connection.execute(select(library_accounts).where(_ACCOUNT.id == account_id)).all())
        return found[0] if found else None

    def _counted(self, rows: Sequence[Row[Any]]) -> list[LibraryAccount]:
        held = and_(_HELD.work_id == _ITEM.work_id, _HELD.subscription_id == _ACCOUNT.subscription_id)
        counted = (
            select(
                _ITEM.account_id,
                func.count(_HELD.work_id.distinct()).label("papers"),
                func.count(_HELD.work_id.distinct()).filter(works.c.abstract == "").label("without_abstract"),
                func.count().filter(_ITEM.problem != "").label("not_understood"),
            )
            .select_from(library_items)
            .join(library_accounts, _ACCOUNT.id == _ITEM.account_id)
            .outerjoin(library, held)
            .outerjoin(works, works.c.id == _HELD.work_id)
            .where(_ITEM.account_id.in_([row.id for row in rows]))
            .group_by(_ITEM.account_id)
        )
        counts = {row.account_id: row for row in self._connection.execute(counted)} if rows else {}
        return [_account(row, counts.get(row.id)) for row in rows]

    def not_understood(self, account_id: int, limit: int) -> list[tuple[str, str]]:
        """(the item's key, why) of some."""
        rows = select(_ITEM.key, _ITEM.problem).where(_ITEM.account_id == account_id, _ITEM.problem != "")
        return [(row.key, row.problem) for row in self._connection.execute(rows.order_by(_ITEM.key).limit(limit))]

    def due(
        self, at: datetime, without: Collection[AccountKind] = (), only: Collection[int] | None = None
    ) -> LibraryAccount | None:
        """The one of an active subscription that has waited longest."""
        active = subscriptions.c.state == SubscriptionState.ACTIVE.value
        wanted = [_is_due(at), _ACCOUNT.kind.not_in([kind.value for kind in without])]
        wanted += [active] if only is None else [_ACCOUNT.id.in_(only)]
        rows = select(library_accounts).join(subscriptions).where(*wanted).order_by(_ACCOUNT.next_at, _ACCOUNT.id).limit(1)
        row = self._connection.execute(rows).first()
        return _account(row, None) if row else None

    def claim(self, account: LibraryAccount, at: datetime, until: datetime) -> bool:
        """Takes one that is due, so that no other process reads it before `until`; False where another did."""
        free = (_ACCOUNT.id == account.id, _is_due(at))
        new = {"next_at": until, "started_at": account.started_at or at}
        return self._connection.execute(update(library_accounts).where(*free).values(**new)).rowcount > 0

    def save(self, account_id: int, **columns: Any) -> None:
        self._connection.execute(update(library_accounts).where(_ACCOUNT.id == account_id).values(**columns))

    def disconnect(self, account: LibraryAccount, *, with_papers: bool) -> None:
        """Forgets the account and its key; its papers stay in the library, as if brought by hand, unless `with_papers`."""
        if with_papers:
            self.remove(account, self._connection.scalars(select(_ITEM.key).where(_ITEM.account_id == account.id)).all())
        self._connection.execute(delete(library_accounts).where(_ACCOUNT.id == account.id))

    # ---- what they hold ----------------------------------------------------------------------------------------------------

    def taken_off(self, account: LibraryAccount, keys: Iterable[str]) -> set[str]:
        """The items among `keys` whose works the reader took off their library."""
        found: set[str] = set()
        held = (
            select(_HELD.work_id).where(_HELD.subscription_id == account.subscription_id, _HELD.work_id == _ITEM.work_id).exists()
        )
        for some in chunks(keys):
            of_these = (_ITEM.account_id == account.id, _ITEM.key.in_(some), _ITEM.problem == "")
            found.update(self._connection.scalars(select(_ITEM.key).where(*of_these, or_(_ITEM.work_id.is_(None), ~held))))
        return found

    def add(self, account: LibraryAccount, items: Mapping[str, int], at: datetime, most: int) -> None:
        """Puts works, by the items' keys, into the library, which holds at most so many: the oldest make room."""
        ids = list(dict.fromkeys(items.values()))
        before = self._items(account, items)
        own = _HELD.subscription_id == account.subscription_id
        held = set(self._connection.scalars(select(_HELD.work_id).where(own, _HELD.work_id.in_(ids))))
        by_accounts = set(self._connection.scalars(self._of_subscription(account, ids).where(_ITEM.linked == true())))
        last = self._connection.scalar(select(func.max(_HELD.position)).where(own)) or 0
        new = [work_id for work_id in ids if work_id not in held]
        links = [
            {"subscription_id": account.subscription_id, "work_id": work_id, "position": last + place}
            for place, work_id in enumerate(new, 1)
        ]
        insert_new(self._connection, library, links)
        rows = [
            {"key": key, "work_id": work_id, "linked": work_id not in held or work_id in by_accounts, "problem": ""}
            for key, work_id in items.items()
        ]
        self._put(account, rows, at)
        self._unlink(account, [row for key, row in before.items() if row.work_id != items[key]])
        self._make_room(account, most)
        if new:
            self._connection.execute(
                update(subscriptions).where(subscriptions.c.id == account.subscription_id).values(personal=true())
            )

    def reject(self, account: LibraryAccount, problems: Mapping[str, str], at: datetime) -> None:
        """Items that were not understood; what was known of them before stays."""
        known = self._items(account, problems)
        new = {key: problem for key, problem in problems.items() if key not in known or known[key].work_id is None}
        self._put(account, [{"key": key[:64], "work_id": None, "linked": False, "problem": why} for key, why in new.items()], at)
        self._seen(account, [key for key in problems if key not in new], at)

    def seen(self, account: LibraryAccount, keys: Sequence[str], at: datetime) -> None:
        """They are still there."""
        self._seen(account, keys, at)

    def remove(self, account: LibraryAccount, keys: Sequence[str]) -> int:
        """Items that are gone; their works leave the library unless it has them by hand or by another item. Returns how many."""
        gone = self._items(account, keys)
        for some in chunks(gone):
            self._connection.execute(delete(library_items).where(_ITEM.account_id == account.id, _ITEM.key.in_(some)))
        self._unlink(account, gone.values())
        return len(gone)

    def _unlink(self, account: LibraryAccount, former: Iterable[Row[Any]]) -> None:
        """Works leave the library that items brought which are none any more, and no other item holds."""
        linked = list({row.work_id for row in former if row.linked and row.work_id is not None})
        for some in chunks(linked):
            left = set(self._connection.scalars(self._of_subscription(account, some)))
            leaving = [work_id for work_id in some if work_id not in left]
            own = (_HELD.subscription_id == account.subscription_id, _HELD.work_id.in_(leaving))
            self._connection.execute(delete(library).where(*own))
            self._libraries.drop_unheld(leaving)
        if linked:
            self._settle_personal(account.subscription_id)

    def remove_unseen(self, account: LibraryAccount, since: datetime) -> int:
        """What a read from beginning to end did not name."""
        unseen = select(_ITEM.key).where(_ITEM.account_id == account.id, _ITEM.seen_at < since)
        return self.remove(account, self._connection.scalars(unseen).all())

    def _items(self, account: LibraryAccount, keys: Iterable[str]) -> dict[str, Row[Any]]:
        found: dict[str, Row[Any]] = {}
        for some in chunks(keys):
            rows = select(library_items).where(_ITEM.account_id == account.id, _ITEM.key.in_(some))
            found |= {row.key: row for row in self._connection.execute(rows)}
        return found

    def _of_subscription(self, account: LibraryAccount, ids: Sequence[int]) -> Any:
        """Those of the works that any account of the subscription holds."""
        of_subscription = select(_ITEM.work_id).join(library_accounts, _ACCOUNT.id == _ITEM.account_id)
        return of_subscription.where(_ACCOUNT.subscription_id == account.subscription_id, _ITEM.work_id.in_(ids))

    def _put(self, account: LibraryAccount, rows: list[dict[str, Any]], at: datetime) -> None:
        if not rows:
            return
        statement = insert_into(self._connection, library_items)
        changed = {name: statement.excluded[name] for name in ("work_id", "linked", "problem", "seen_at")}
        upsert = statement.on_conflict_do_update(index_elements=["account_id", "key"], set_=changed)
        self._connection.execute(upsert, [{"account_id": account.id, "seen_at": at, **row} for row in rows])

    def _seen(self, account: LibraryAccount, keys: Iterable[str], at: datetime) -> None:
        for some in chunks(keys):
            own = (_ITEM.account_id == account.id, _ITEM.key.in_(some))
            self._connection.execute(update(library_items).where(*own).values(seen_at=at))

    def _make_room(self, account: LibraryAccount, most: int) -> None:
        own = _HELD.subscription_id == account.subscription_id
        spare = (self._connection.scalar(select(func.count()).select_from(library).where(own)) or 0) - most
        if spare > 0:
            oldest = select(_HELD.work_id).where(own).order_by(_HELD.position).limit(spare)
            ids = self._connection.scalars(oldest).all()
            self._connection.execute(delete(library).where(own, _HELD.work_id.in_(ids)))
            self._libraries.drop_unheld(ids)

    def _settle_personal(self, subscription_id: int) -> None:
        """Whose library is empty, and who has no other interests, gets the list's own picks again."""
        held = select(_HELD.work_id).where(_HELD.subscription_id == subscription_id).exists()
        nothing = (subscriptions.c.id == subscription_id, subscriptions.c.interests.is_(None), ~held)
        self._connection.execute(update(subscriptions).where(*nothing).values(personal=false()))


def _is_due(at: datetime) -> Any:
    return or_(_ACCOUNT.next_at <= at, _ACCOUNT.next_at > at + LONGEST_WAIT)


def _account(row: Row[Any], counts: Row[Any] | None) -> LibraryAccount:
    return LibraryAccount(
        id=row.id,
        subscription_id=row.subscription_id,
        name=AccountName(AccountKind(row.kind), row.library, tuple(row.collections)),
        encrypted_key=row.encrypted_key,
        state=row.state,
        connected_at=row.connected_at,
        started_at=row.started_at,
        read_at=row.read_at,
        problem=row.problem,
        papers=counts.papers if counts else 0,
        without_abstract=counts.without_abstract if counts else 0,
        not_understood=counts.not_understood if counts else 0,
    )
