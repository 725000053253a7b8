"""interest: what a reader cares about, from words and files, added to their subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from digest.domain.errors import NotFound
from digest.domain.interest import Understood, limited, merged, understand
from digest.domain.subscriber import Address, Interests
from digest.services.subscriptions.paper_feedback import newest
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
