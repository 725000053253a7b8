"""What a reader cares about, from words and files, added to their subscriptions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.identifier import parse_identifier
from digest.domain.interest import Understood, author_interest, limited, merged, understand
from digest.domain.library import KeptLibrary, Rejected
from digest.domain.paper import Sighting
from digest.domain.phrase import phrase
from digest.domain.subscriber import Address, Interests, Preferences, Subscription
from digest.services.libraries.keep_library import MOST_HELD, keep_library
from digest.store.unit_of_work import Store


def add_interests(
    store: Store, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool, at: datetime
) -> tuple[Understood, KeptLibrary]:
    """Adds to every subscription of an address. Raises NotFound for an unknown one, InvalidInput for a file that says nothing."""
    from digest.services.libraries.read_library import read_library  # the readers of files take a while to load

    typed = understand(text, mute)
    shown: list[Sighting] = []
    rejected: list[Rejected] = []
    for file in files:
        works, problems = read_library(file, at)
        shown += works
        rejected += [replace(each, where=f"{file.name}: {each.where}" if each.where else file.name) for each in problems]
    with store.begin() as unit:
        unit.libraries.lock()
        found = unit.subscribers.subscriptions(address)
        if not found:
            raise NotFound(f"subscriber {address}", "subscribe first")
        kept = keep_library(unit, shown, rejected, at)
        liked = (*typed.interests.liked, *(name for name, _ in kept.works))
        more = replace(typed.interests, liked=tuple(dict.fromkeys(liked)))
        for subscription in found:
            for account in unit.library_accounts.of(subscription.id) if clear else ():
                unit.library_accounts.disconnect(account, with_papers=True)
            before = Interests() if clear else subscription.interests
            unit.subscribers.change(subscription.id, interests=limited(newest(merged(before, more))))
    return Understood(more, typed.descriptions, typed.rejected), kept


def save_form(
    store: Store,
    subscription_id: int,
    preferences: Preferences,
    typed: Interests | None,
    removed: Collection[str],
    shown: Sequence[Sighting],
    rejected: Sequence[Rejected],
    at: datetime,
) -> tuple[Subscription, KeptLibrary]:
    """A reader's form, saved as a whole: what they typed replaces what they typed before (None: that stays); papers are added,
    those removed taken off.

    Raises NotFound.
    """
    with store.begin() as unit:
        unit.libraries.lock()
        subscription = unit.subscribers.get(subscription_id)
        if subscription is None:
            raise NotFound(phrase("this subscription"), phrase("it was erased; subscribe again"))
        before = subscription.interests
        library = keep_library(unit, shown, rejected, at)
        papers = {name: tuple(p for p in getattr(before, name) if p not in removed) for name in ("liked", "disliked")}
        kept = replace(before, **papers) if typed is None else Interests(**papers)
        added = Interests(liked=tuple(name for name, _ in library.works))
        interests = newest(merged(merged(kept, typed or Interests()), added))
        unit.subscribers.change(subscription_id, preferences, interests)
        changed = unit.subscribers.get(subscription_id)
    assert changed is not None, "it was there a moment ago"
    return changed, library


MOST_REMEMBERED = 500
"""Papers disliked; the newest stay."""


def react(
    store: Store, subscription_id: int, identifier: str, *, like: bool | None = None, mute_author: str = "", mute_words: str = ""
) -> Interests:
    """Adds it to the subscription's interests, which are returned; the same reaction again changes nothing.

    Raises NotFound for the subscription, InvalidIdentifier for what names no paper, InvalidInput for words nobody could
    mean, and for more than a form holds.
    """
    paper = str(parse_identifier(identifier).identifier)
    author = author_interest(mute_author)
    muted = understand(f"-{author}" if author else "", mute_words)
    if muted.rejected or (mute_author.strip() and not muted.interests.muted_authors):
        why = muted.rejected[0] if muted.rejected else phrase("should be a name")
        raise InvalidInput(phrase("the author to leave out") if mute_author.strip() else phrase("words to leave out"), why)
    more = replace(muted.interests, liked=(paper,) if like is True else (), disliked=(paper,) if like is False else ())
    with store.begin() as unit:
        unit.libraries.lock()
        subscription = unit.subscribers.get(subscription_id)
        if subscription is None:
            raise NotFound(phrase("this subscription"), phrase("it was erased; subscribe again"))
        after = limited(newest(merged(subscription.interests, more)))
        unit.subscribers.change(subscription_id, interests=after)
    return after


def newest(interests: Interests) -> Interests:
    """The same with no more liked and disliked papers than we remember."""
    return replace(interests, liked=interests.liked[-MOST_HELD:], disliked=interests.disliked[-MOST_REMEMBERED:])
