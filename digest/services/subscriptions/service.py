"""Readers and their subscriptions, as commands and pages ask for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.delivery_words import where_it_is
from digest.domain.errors import ConfigurationError, InvalidInput, InvalidToken, NotFound
from digest.domain.feedback import SuppressionReason
from digest.domain.interest import understand
from digest.domain.phrase import phrase
from digest.domain.schedule import known_zone
from digest.domain.subscriber import SubscriptionState
from digest.mail.message.address import read_address
from digest.services.scheduler.key_check import fingerprint
from digest.services.subscriptions import change_address
from digest.services.subscriptions import subscribe as steps
from digest.services.subscriptions.interests import add_interests, react, save_form
from digest.services.subscriptions.next_mail import NextMail, next_mail
from digest.services.subscriptions.request_limits import Admission, check_request_limits, guess, may_preview
from digest.services.subscriptions.subscribe import RECORDED, Step
from digest.services.subscriptions.subscriber_csv import SubscriberImport, import_subscriber_csv
from digest.services.subscriptions.suppression_csv import SuppressionReport, export_suppressions, import_suppressions

if TYPE_CHECKING:
    from digest.domain.edition import PaperList
    from digest.domain.feedback import Suppression
    from digest.domain.interest import Understood
    from digest.domain.library import KeptLibrary
    from digest.domain.subscriber import Address, AddressChange, Interests, Preferences, Subscription
    from digest.services.libraries.read_library import ReadLibrary
    from digest.store.unit_of_work import Store

_LINK = "link confirmed"
_LATEST = 5
"""Emails that a reader's page tells of."""
NO_CONFIRMATION = "is false, so there is no page to confirm a subscription on: add --confirmed for people whose consent you have"


class SubscriptionService:
    """Readers come, change and leave. `default_timezone` is for readers whose own is unknown here."""

    def __init__(
        self,
        store: Store,
        lists: Sequence[PaperList],
        defaults: Callable[[], Preferences],
        default_timezone: str,
        *,
        pages: bool = True,
    ) -> None:
        self._pages = pages
        self._store, self._lists, self._defaults, self._zone = store, lists, defaults, ZoneInfo(default_timezone)

    # --- in, through, and out

    def request(
        self,
        address: Address,
        list_name: str,
        preferences: Preferences,
        interests: Interests,
        at: datetime,
        mail_at: datetime | None = None,
    ) -> Step:
        """Starts double opt-in; the mail is queued in the same transaction, to be sent from `mail_at` on.

        Who is subscribed already is mailed the link to their own page: asking again is how a reader gets it.
        """
        return steps.request(
            self._store, address, list_name, preferences, interests, at, notify=True, mail_at=mail_at, remind=True
        )

    def add(
        self,
        address: Address,
        list_name: str,
        preferences: Preferences,
        interests: str,
        at: datetime,
        *,
        confirmed_by: str = "",
        welcome: bool = False,
        mail_at: datetime | None = None,
        active_from: datetime | None = None,
    ) -> Step:
        """An operator's: starts double opt-in, or records consent given elsewhere (`confirmed_by`: where it was typed in).

        Whom mail to was stopped is not confirmed by others. Raises InvalidInput for interests that cannot be read.
        """
        understood = understand(interests)
        if understood.rejected:
            raise InvalidInput("interests", understood.rejected[0])
        if not confirmed_by and not self._pages:
            raise ConfigurationError("web.enabled", NO_CONFIRMATION)
        if not confirmed_by:
            topics = understood.interests
            return steps.request(self._store, address, list_name, preferences, topics, at, notify=True, mail_at=mail_at)
        step = steps.request(self._store, address, list_name, preferences, understood.interests, at)
        if step.skipped.startswith("suppressed"):
            return step
        asked = step.subscription
        return steps.confirm(
            self._store, asked.id, confirmed_by, RECORDED, at, asked.request, notify=welcome, active_from=active_from
        )

    def confirm(self, subscription: Subscription, how: str, at: datetime) -> Step:
        """The reader's own word, by a link of ours; a welcome is queued."""
        return steps.confirm(self._store, subscription.id, how, _LINK, at, subscription.request, notify=True)

    def begin_again(self, subscription: Subscription, how: str, at: datetime) -> None:
        """An ended subscription, and mail that was stopped; one that was never confirmed needs its own link. No welcome."""
        if subscription.state is not SubscriptionState.PENDING:
            steps.confirm(self._store, subscription.id, how, _LINK, at)

    def ask_address(self, subscription: Subscription, address: Address, at: datetime, mail_at: datetime) -> bool:
        """Queues a link to the address that a reader wants their mail to go to; says whether one is queued."""
        return change_address.ask(self._store, subscription, address, at, mail_at)

    def address_change(self, public_id: str) -> tuple[AddressChange, Subscription]:
        """What such a link confirms. Raises NotFound."""
        return change_address.find(self._store, public_id)

    def confirm_address(self, public_id: str, at: datetime) -> Subscription:
        """The new mailbox's own word; a notice to the old one is queued. Raises NotFound, InvalidInput."""
        return change_address.confirm(self._store, public_id, at)

    def change(
        self, subscription: Subscription, preferences: Preferences | None = None, interests: Interests | None = None
    ) -> Subscription:
        return steps.change(self._store, subscription.id, preferences, interests).subscription

    def send_link(self, subscription: Subscription, at: datetime) -> Step:
        """Queues the mail with the link to the reader's own page."""
        return steps.send_link(self._store, subscription.id, at, notify=True)

    def end(self, subscription: Subscription, reason: str, at: datetime) -> Step:
        return steps.end(self._store, subscription.id, reason, at, notify=True)

    def end_all(self, address: Address, reason: str, at: datetime, list_name: str | None = None) -> list[Step]:
        """Ends every subscription of an address (or the one to `list_name`)."""
        return steps.end_all(self._store, address, reason, at, list_name)

    def react(
        self,
        subscription: Subscription,
        identifier: str,
        *,
        like: bool | None = None,
        mute_author: str = "",
        mute_words: str = "",
    ) -> Interests:
        return react(self._store, subscription.id, identifier, like=like, mute_author=mute_author, mute_words=mute_words)

    def import_subscribers(
        self,
        file: Path,
        confirmed: bool,
        at: datetime,
        paper_list: PaperList | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> SubscriberImport:
        """Confirmations that follow are queued. Raises InvalidInput for a file that holds no subscribers."""
        if not confirmed and not self._pages:
            raise ConfigurationError("web.enabled", NO_CONFIRMATION)
        names = [each.name for each in ([paper_list] if paper_list else self._lists)]
        chosen, defaults = paper_list is not None, self._defaults()
        return import_subscriber_csv(
            file, self._store, read_address, names, defaults, at, confirmed=confirmed, columns=columns, one_list=chosen
        )

    def import_suppressions(self, file: Path, reason: SuppressionReason, key: str, at: datetime) -> SuppressionReport:
        """No more mail to anybody in the file. `key`: ours, for hashes of our own export. Raises InvalidInput."""
        return import_suppressions(file, self._store, read_address, reason, fingerprint(key), at)

    def export_suppressions(self, key: str) -> Iterator[tuple[str, ...]]:
        return export_suppressions(self._store, fingerprint(key))

    def add_interests(
        self, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool, at: datetime
    ) -> tuple[Understood, KeptLibrary]:
        """Adds to every subscription of an address. Raises NotFound for an unknown one."""
        return add_interests(self._store, address, files, text, mute, clear, at)

    def save_form(
        self,
        subscription: Subscription,
        preferences: Preferences,
        typed: Interests | None,
        removed: Collection[str],
        library: ReadLibrary,
        at: datetime,
    ) -> tuple[Subscription, KeptLibrary]:
        """A reader's form, all of it in one transaction; see `save_form`."""
        return save_form(self._store, subscription.id, preferences, typed, removed, *library, at)

    def titles(self, names: Sequence[str]) -> dict[str, str]:
        """Of the works of a library, as far as anybody could tell them yet."""
        with self._store.read() as unit:
            return {name: work.title for name, work in unit.libraries.named(names).items() if work.title}

    def may_preview(self, client: str, at: datetime) -> bool:
        """Counts a look at what a mail would be, for the network of `client`."""
        return may_preview(self._store, client, at)

    # --- who there is

    def subscription(self, address: Address, paper_list: PaperList) -> Subscription:
        """Raises NotFound."""
        for each in self.of(address):
            if each.list == paper_list.name:
                return each
        raise NotFound(f"{address}'s subscription to {paper_list.name}")

    def of(self, address: Address) -> list[Subscription]:
        """All of an address, ended ones too."""
        with self._store.read() as unit:
            return list(unit.subscribers.subscriptions(address))

    def linked(self, public_id: str, at: datetime) -> Subscription:
        """The one that a link is for. Raises InvalidToken for a link of old that works no more, NotFound where it was erased."""
        with self._store.read() as unit:
            if not public_id.isdecimal():
                found = unit.subscribers.linked(public_id)
            elif (found := unit.subscribers.numbered(int(public_id), at)) is None:
                raise InvalidToken(phrase("this link is from an older email and no longer works; use the link in a newer email"))
        if found is None:
            raise NotFound(phrase("the subscription of this link"), phrase("it was erased; you may subscribe again"))
        return found

    def requested(self, request: str) -> tuple[Subscription, Preferences, Interests]:
        """The subscription that a link confirms, and what was asked for. Raises NotFound."""
        with self._store.read() as unit:
            found = unit.subscribers.requested(request)
        if found is None:
            raise NotFound(
                phrase("the request of this link"), phrase("it was withdrawn or is too old; subscribe again to get a new link")
            )
        return found

    def all(self, state: SubscriptionState | None = None) -> Iterator[Subscription]:
        """Every subscription, or those in a state; read as they are asked for."""
        with self._store.read() as unit:
            yield from unit.subscribers.export(state)

    def next_mail(self, subscription: Subscription, paper_list: PaperList, at: datetime, *, welcomed: bool) -> NextMail | None:
        """When the next mail comes; None where none is to come. `welcomed`: the current edition is on its way."""
        if self.suppression(subscription.address):
            return None
        return next_mail(self._store, subscription, paper_list, self._zone, at, welcomed=welcomed)

    def last_deliveries(self, subscription: Subscription) -> list[tuple[date, str]]:
        """Where the latest emails are, newest first: the day of each, by the reader's clock, and what became of it, in words."""
        zone = known_zone(subscription.preferences.timezone) or self._zone
        with self._store.read() as unit:
            found = unit.deliveries.of_subscription(subscription.id, _LATEST)
        return [(each.day or each.due_at.astimezone(zone).date(), where_it_is(each, zone)) for each in found]

    # --- who gets no mail, and who asks too often

    def suppression(self, address: Address) -> Suppression | None:
        """Why no mail goes to an address; None where some does. Who was erased and asks again is mailed."""
        with self._store.read() as unit:
            found = unit.suppressions.find(address)
        return None if found is None or found.reason is SuppressionReason.ERASED else found

    def stop(self, hashed_address: str, at: datetime) -> None:
        """No more mail to an address without a subscription, by the link in a mail that was sent once."""
        with self._store.begin() as unit:
            unit.suppressions.add_hashed(hashed_address, SuppressionReason.ASKED, at)

    def unsuppress(
        self,
        addresses: Collection[Address] | None,
        at: datetime,
        *,
        reason: SuppressionReason | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Mapping[str, str]:
        """Lifts suppressions made by mistake: of these addresses, or of all (None), with the reason, made from `since` on and
        before `until`.

        Returns each one's reason by the address's hash. Never lifts that of a person who was erased: that is theirs to undo.
        """
        with self._store.begin() as unit:
            return unit.suppressions.lift(addresses, reason, since, until, at)

    def check_request_limits(self, address: Address, client: str, at: datetime) -> Admission:
        """Whether a request may go on, and when its mail may go out."""
        return check_request_limits(self._store, address, client, at)

    def guess(self, what: str, client: str, at: datetime, *, right: bool) -> int:
        """Counts wrong passwords; seconds to wait where there were too many."""
        return guess(self._store, what, client, at, right=right)
