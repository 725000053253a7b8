"""What a reader cares about: from words and files, and from their feedback on papers (more, less, not this author)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.identifier import parse_identifier
from digest.domain.interest import Understood, author_wish, limited, merged, understand
from digest.domain.subscriber import Address, Interests
from digest.store.unit_of_work import Store

MOST_LIKED = 500
ReadPapers = Callable[[Path], tuple[Mapping[str, str], Sequence[str]]]
"""A file → (identifier → title of the papers in it, what could not be read). Raises InvalidInput for a file without any."""


def add_interests(
    store: Store, read_papers: ReadPapers, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool
) -> Understood:
    """Adds to every subscription of an address. Raises NotFound for an unknown one, InvalidInput for a file that says nothing."""
    typed = understand(text, mute)
    liked: dict[str, str] = {}
    rejected = list(typed.rejected)
    for file in files:
        papers, problems = read_papers(file)
        liked.update(papers)
        rejected += [f"{file.name}: {problem}" for problem in problems]
    kept = dict(list(liked.items())[:MOST_LIKED])
    more = replace(typed.interests, liked=tuple(dict.fromkeys((*typed.interests.liked, *kept))))
    with store.begin() as unit:
        found = unit.subscribers.subscriptions(address)
        if not found:
            raise NotFound(f"subscriber {address}", "subscribe first")
        for subscription in found:
            before = Interests() if clear else subscription.interests
            unit.subscribers.change(subscription.id, interests=limited(newest(merged(before, more))))
    told = [*typed.told, *(f"like {identifier}: {title}" for identifier, title in kept.items())]
    return Understood(more, tuple(told), tuple(rejected))


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
