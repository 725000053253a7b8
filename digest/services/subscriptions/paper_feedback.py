"""react: what a reader says about a paper they were shown: more like this, less like this, not this author, not these words."""

from __future__ import annotations

from dataclasses import replace

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.identifier import parse_identifier
from digest.domain.interest import author_wish, limited, merged, understand
from digest.domain.subscriber import Interests
from digest.store.unit_of_work import Store

MOST_REMEMBERED = 500
"""Papers liked or disliked; the newest stay."""


def react(
    store: Store, subscription_id: int, identifier: str, *, like: bool | None = None, mute_author: str = "", mute_words: str = ""
) -> Interests:
    """Adds it to the subscription's interests, which are returned; the same reaction again changes nothing.

    Raises NotFound for the subscription, InvalidIdentifier for what names no paper, InvalidInput for words nobody could
    mean, and for more than a form holds.
    """
    paper = str(parse_identifier(identifier).identifier)
    author = author_wish(mute_author)
    muted = understand(f"-{author}" if author else "", mute_words)
    if muted.rejected or (mute_author.strip() and not muted.interests.muted_authors):
        why = muted.rejected[0] if muted.rejected else "should be a name"
        raise InvalidInput("the author to leave out" if mute_author.strip() else "words to leave out", why)
    more = replace(muted.interests, liked=(paper,) if like is True else (), disliked=(paper,) if like is False else ())
    with store.begin() as unit:
        subscription = unit.subscribers.get(subscription_id)
        if subscription is None:
            raise NotFound("this subscription", "it was erased; subscribe again")
        after = limited(newest(merged(subscription.interests, more)))
        unit.subscribers.change(subscription_id, interests=after)
    return after


def newest(interests: Interests) -> Interests:
    """The same with no more liked and disliked papers than we remember."""
    return replace(interests, liked=interests.liked[-MOST_REMEMBERED:], disliked=interests.disliked[-MOST_REMEMBERED:])
