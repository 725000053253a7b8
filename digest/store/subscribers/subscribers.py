"""Readers and what they subscribe to: asked for, confirmed, changed, ended, forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from digest.domain.errors import NotFound
from digest.domain.phrase import phrase
from digest.domain.schedule import Frequency
from digest.domain.subscriber import (
    AddedReaders,
    Address,
    Cohort,
    Consent,
    Interests,
    NewReader,
    Preferences,
    Subscription,
    SubscriptionState,
)
from digest.store.departures import Departures
from digest.store.dialect import chunks, insert_new, readable, rows, walk_indexes
from digest.store.libraries import Libraries
from digest.store.row_mapping import consent_columns, interest_columns, interests_document, interests_from
from digest.store.schema import VARIANTS, requests, subscribers, subscriptions
from digest.store.schema_libraries import library_accounts
from digest.store.subscribers.bulk_subscribe import bulk_subscribe
from digest.store.subscribers.personal_data import held

_PAGE = 1000


class Subscribers:
    def __init__(self, connection: Connection, hash_address: Callable[[str], str], departures: Departures) -> None:
        self._connection = connection
        self._hash_address = hash_address
        self._departures = departures
        self._libraries = Libraries(connection)

    # ---- a reader's way in, through and out ----

    def request(
        self, address: Address, list_name: str, preferences: Preferences, interests: Interests, at: datetime
    ) -> Subscription:
        """The subscription to be confirmed: made PENDING, or found and left as it is. Unless it is ACTIVE it names the request
        that is kept beside it: what was asked for counts once that request is confirmed. Raises NotFound for the list.
        """
        person = {
            "address": address.text,
            "address_key": address.key,
            "address_hash": self._hash_address(address.key),
            "created_at": at,
        }
        insert_new(self._connection, subscribers, [person])
        where = subscribers.c.address_key == address.key
        subscriber_id = self._connection.scalars(select(subscribers.c.id).where(where)).one()
        topics = {**interest_columns(preferences, interests), "requested_at": at}
        pair = {"subscriber_id": subscriber_id, "list": list_name}
        pending = {"public_id": new_public_id(), "state": SubscriptionState.PENDING.value}
        insert_new(self._connection, subscriptions, [{**pair, **topics, **pending}])
        of_pair = (subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.list == list_name)
        [found] = self._many(SUBSCRIPTION.where(*of_pair))
        if found.state is SubscriptionState.ACTIVE:
            return found
        asked = {"public_id": new_public_id(), "subscription_id": found.id, **topics}
        insert_new(self._connection, requests, [asked])
        language = preferences.language or found.preferences.language  # in which it is asked to confirm
        return replace(found, request=asked["public_id"], preferences=replace(found.preferences, language=language))

    def confirm(self, subscription_id: int, consent: Consent, at: datetime, request: str = "") -> None:
        """Makes it ACTIVE from `at` on, also where it had ended, with what `request` asked for.

        The first proof of an active one stays. Raises NotFound.
        """
        row = {
            **(self._asked_for(subscription_id, request) if request else {}),
            "state": SubscriptionState.ACTIVE.value,
            "confirmed_at": at,
            **consent_columns(consent),
            "ended_at": None,
            "end_reason": "",
        }
        inactive = subscriptions.c.state != SubscriptionState.ACTIVE.value
        self._update(subscription_id, row, inactive)
        self._link(subscription_id, added=True)
        self._departures.active(*self._of(subscription_id), at)

    def end(self, subscription_id: int, reason: str, at: datetime) -> None:
        """From the commit on no claim takes a delivery of it. The first reason stays. Raises NotFound.

        Libraries kept elsewhere are disconnected: there is nothing left to keep their keys for. Their papers stay.
        """
        row = {"state": SubscriptionState.ENDED.value, "ended_at": at, "end_reason": reason}
        self._update(subscription_id, row, subscriptions.c.state != SubscriptionState.ENDED.value)
        self._connection.execute(delete(library_accounts).where(library_accounts.c.subscription_id == subscription_id))
        self._departures.ended(*self._of(subscription_id), at)

    def _asked_for(self, subscription_id: int, request: str) -> dict[str, Any]:
        of_this = (requests.c.public_id == request, requests.c.subscription_id == subscription_id)
        row = self._connection.execute(select(requests).where(*of_this)).mappings().first()
        if row is None:
            raise NotFound(phrase("this request"), phrase("it is too old; subscribe again"))
        return {name: value for name, value in row.items() if name not in ("public_id", "subscription_id")}

    def change(self, subscription_id: int, preferences: Preferences | None = None, interests: Interests | None = None) -> None:
        """Replaces what is given and keeps the rest. Raises NotFound."""
        now = self.get(subscription_id)
        if now is None:
            raise NotFound(f"subscription {subscription_id}")
        wanted = now.interests if interests is None else interests
        self._update(subscription_id, interest_columns(preferences or now.preferences, wanted))
        self._link(subscription_id)

    def _link(self, subscription_id: int, *, added: bool = False) -> None:
        """Papers liked are a library (store/libraries.py), not a part of the row that came with them: they become the library,
        or (`added`) join the one there is.
        """
        own = subscriptions.c.id == subscription_id
        interests = interests_from(self._connection.scalar(select(subscriptions.c.interests).where(own)))
        before = self._libraries.names([subscription_id]).get(subscription_id, ()) if added else ()
        if interests.liked or not added:
            self._libraries.link(subscription_id, (*before, *interests.liked))
        if interests.liked:
            rest = {"interests": interests_document(replace(interests, liked=()))}
            self._connection.execute(update(subscriptions).where(own).values(rest))

    def erase(self, address: Address) -> bool:
        """Forgets the person: subscriptions, deliveries and attempts go too. False when there was none.

        A suppression is a keyed hash and stays; adding one is the caller's step.
        """
        known = self._connection.execute(delete(subscribers).where(subscribers.c.address_key == address.key)).rowcount > 0
        self._libraries.drop_unheld()
        return known

    def add_confirmed(self, readers: Sequence[NewReader], consent: Consent, at: datetime) -> AddedReaders:
        """Many at once, each with consent given elsewhere. See `bulk_subscribe`."""
        added = bulk_subscribe(self._connection, self._hash_address, readers, consent, at)
        with_library = [reader.address.key for reader in readers if reader.interests.liked]
        for some in chunks(with_library):
            theirs = select(subscriptions.c.id).join(subscribers).where(subscribers.c.address_key.in_(some))
            for subscription_id in self._connection.scalars(theirs).all():
                self._link(subscription_id, added=True)
        return added

    def ask(self, readers: Sequence[NewReader], at: datetime) -> AddedReaders:
        """Many at once, with a confirmation queued for each. Whoever is there, waiting or gone, is not asked again."""
        return bulk_subscribe(self._connection, self._hash_address, readers, None, at)

    # ---- looking ----

    def get(self, subscription_id: int) -> Subscription | None:
        found = self._many(SUBSCRIPTION.where(subscriptions.c.id == subscription_id))
        return found[0] if found else None

    def linked(self, public_id: str) -> Subscription | None:
        """The one that a link names."""
        found = self._many(SUBSCRIPTION.where(subscriptions.c.public_id == public_id))
        return found[0] if found else None

    def numbered(self, number: int, at: datetime) -> Subscription | None:
        """The one that a link made before migration 0011 names, as long as such links are good for it."""
        found = self._many(SUBSCRIPTION.where(subscriptions.c.id == number, subscriptions.c.numbered_until > at))
        return found[0] if found else None

    def requested(self, request: str) -> tuple[Subscription, Preferences, Interests] | None:
        """The subscription that a request is for, and what the request asked for. None where it is gone, or void: who left
        after it was made is not brought back by it."""
        statement = SUBSCRIPTION.join(requests, requests.c.subscription_id == subscriptions.c.id)
        row = self._connection.execute(select(requests).where(requests.c.public_id == request)).first()
        found = self._many(statement.where(requests.c.public_id == request))
        if row is None or not found or (found[0].ended_at and found[0].ended_at >= row.requested_at):
            return None
        return replace(found[0], request=request), _preferences_of(row), interests_from(row.interests)

    def subscriptions(self, address: Address) -> list[Subscription]:
        """All of one mailbox, ended ones too, by list."""
        return self._many(SUBSCRIPTION.where(subscribers.c.address_key == address.key).order_by(subscriptions.c.list))

    def held(self, address: Address) -> dict[str, Any]:
        """Everything there is about an address, as a document. See `held`."""
        return held(self._connection, address, self._hash_address)

    def export(self, state: SubscriptionState | None = None) -> Iterator[Subscription]:
        """Every subscription there is (or those in one state), oldest first, a page in memory at a time."""
        wanted = SUBSCRIPTION if state is None else SUBSCRIPTION.where(subscriptions.c.state == state.value)
        after = 0
        while page := self._many(wanted.where(subscriptions.c.id > after).order_by(subscriptions.c.id).limit(_PAGE)):
            yield from page
            after = page[-1].id

    def cohorts(self, list_name: str) -> list[Cohort]:
        """The distinct hours at which ACTIVE subscriptions of the list are due."""
        s = subscriptions.c
        cohort = (s.list, s.timezone, s.hour, s.weekdays, s.frequency)
        active = (subscriptions.c.list == list_name, subscriptions.c.state == SubscriptionState.ACTIVE.value)
        found = readable(
            self._connection, select(*cohort).where(*active).distinct().order_by(*cohort), f"readers of list {list_name}"
        )
        return [Cohort(row.list, row.timezone, row.hour, row.weekdays, Frequency(row.frequency)) for row in found]

    def variants(self, cohort: Cohort) -> list[tuple[str | None, bool]]:
        """(language, whether in the authors' words only) of a cohort's ACTIVE subscriptions that are not as the list is."""
        s = subscriptions.c
        own = (s.language, s.authors_words)
        where = [s[name] == getattr(cohort, name) for name in ("list", "timezone", "hour", "weekdays", "frequency")]
        found = self._connection.execute(select(*own).where(*where, VARIANTS).distinct().order_by(*own))
        return [(row.language, row.authors_words) for row in found]

    def back_from_pause(self, list_name: str, after: date, until: date) -> set[Cohort]:
        """The cohorts with ACTIVE subscriptions whose pause ends after the one day and at the latest on the other."""
        s = subscriptions.c
        cohort = (s.list, s.timezone, s.hour, s.weekdays, s.frequency)
        ended = (s.list == list_name, s.state == SubscriptionState.ACTIVE.value, s.paused_until > after, s.paused_until <= until)
        found = readable(self._connection, select(*cohort).where(*ended).distinct(), f"readers of list {list_name}")
        return {Cohort(row.list, row.timezone, row.hour, row.weekdays, Frequency(row.frequency)) for row in found}

    def zones(self) -> dict[str, int]:
        """How many ACTIVE subscriptions each time zone has."""
        active = subscriptions.c.state == SubscriptionState.ACTIVE.value
        counted = select(subscriptions.c.timezone, func.count()).where(active).group_by(subscriptions.c.timezone)
        return {row.timezone: row[1] for row in self._connection.execute(counted)}

    def nth_id(self, cohort: Cohort, after: int, count: int) -> int | None:
        """The id that the `count`th of a cohort's ACTIVE subscriptions with ids above `after` has; None: there are fewer."""
        walk_indexes(self._connection)
        s = subscriptions.c
        place = (s.list == cohort.list, s.timezone == cohort.timezone)
        hours = (s.hour == cohort.hour, s.weekdays == cohort.weekdays, s.frequency == cohort.frequency.value)
        following = select(s.id).where(s.state == SubscriptionState.ACTIVE.value, *place, *hours, s.id > after)
        found: int | None = self._connection.scalar(following.order_by(s.id).limit(1).offset(count - 1))
        return found

    def _of(self, subscription_id: int) -> tuple[str, str]:
        statement = select(subscribers.c.address_hash, subscriptions.c.list).join(subscriptions)
        hashed, list_name = self._connection.execute(statement.where(subscriptions.c.id == subscription_id)).one()
        return hashed, list_name

    def _many(self, statement: Select[Any]) -> list[Subscription]:
        found = [subscription_of(row) for row in rows(self._connection, statement)]
        liked = self._libraries.names([each.id for each in found])
        return [
            replace(each, interests=replace(each.interests, liked=liked[each.id])) if each.id in liked else each for each in found
        ]

    def _update(self, subscription_id: int, row: dict[str, Any], *only: Any) -> None:
        of_this = subscriptions.c.id == subscription_id
        if self._connection.execute(update(subscriptions).where(of_this, *only).values(row)).rowcount:
            return
        if self._connection.scalar(select(subscriptions.c.id).where(of_this)) is None:
            raise NotFound(f"subscription {subscription_id}")


SUBSCRIPTION = select(subscriptions, subscribers.c.address).join(subscribers)
"""With the columns that `subscription_of` reads."""


def new_public_id() -> str:
    """128 random bits in 22 characters."""
    return token_urlsafe(16)


def _preferences_of(row: Row[Any]) -> Preferences:
    return Preferences(
        timezone=row.timezone,
        hour=row.hour,
        weekdays=row.weekdays,
        frequency=Frequency(row.frequency),
        picks=row.picks,
        style=row.style,
        language=row.language,
        authors_words=row.authors_words,
        paused_until=row.paused_until,
    )


def subscription_of(row: Row[Any]) -> Subscription:
    proven = row.consent_at is not None
    return Subscription(
        id=row.id,
        public_id=row.public_id,
        subscriber_id=row.subscriber_id,
        address=Address(row.address),
        list=row.list,
        state=SubscriptionState(row.state),
        preferences=_preferences_of(row),
        interests=interests_from(row.interests),
        requested_at=row.requested_at,
        confirmed_at=row.confirmed_at,
        consent=Consent(row.consent_at, row.consent_how, row.consent_wording, row.consent_event) if proven else None,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )
