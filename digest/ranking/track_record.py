"""What speaks for papers nobody has voted on: what became of their authors' earlier papers, and of papers in the same words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from digest.domain.paper import Paper, TrackRecord
from digest.ranking.author_names import name_words
from digest.ranking.text_prior import words

VOTED_UP = 10
"""Upvotes from which a paper counts as voted up."""
REMEMBERED = timedelta(days=365)
"""How far back an author's papers count …"""
MOST_REMEMBERED = 5_000
"""… and how many papers at most, the latest: the look-up takes bounded time."""
LATELY = timedelta(days=14)
"""How far back papers are that a new one is likened to …"""
MOST_LATELY = 500
"""… and how many at most."""


@dataclass(frozen=True, slots=True)
class Acclaimed:
    """A paper that an edition featured or that was voted up. `text` is "" unless that was lately."""

    paper_id: int
    authors: tuple[str, ...]
    text: str


def track_records(papers: Sequence[Paper], acclaimed: Sequence[Acclaimed]) -> Mapping[int, TrackRecord]:
    """By paper id; `acclaimed` is the latest first.

    Papers are compared with each other (which words are rare), so give all of them at once.
    """
    known: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for each in acclaimed:
        for author in each.authors:
            known[name_words(author)].add(each.paper_id)
    texts = [words(f"{paper.title} {paper.abstract}") for paper in papers]
    lately = [each.text for each in acclaimed if each.text][:MOST_LATELY]
    likeness = _likeness(texts, [words(text) for text in lately])
    found = {}
    for paper, like in zip(papers, likeness, strict=True):
        earlier = set().union(*(known.get(name_words(author), ()) for author in paper.authors)) - {paper.id}
        found[paper.id] = TrackRecord(len(earlier), round(like, 4))
    return found


def _likeness(texts: Sequence[frozenset[str]], lately: Sequence[frozenset[str]]) -> list[float]:
    """Cosine of each text with the sum of `lately`; a word weighs as it is rare among `texts`."""
    held = Counter(word for text in texts for word in text)
    rare = {word: math.log((1 + len(texts)) / (1 + count)) ** 2 for word, count in held.items()}
    spoken = Counter(word for text in lately for word in text if word in rare)
    length = math.sqrt(math.fsum(rare[word] * count * count for word, count in spoken.items()))
    found = []
    for text in texts:
        own = math.sqrt(math.fsum([rare[word] for word in text]))
        shared = math.fsum([rare[word] * spoken[word] for word in text if word in spoken])
        found.append(shared / (length * own) if shared else 0.0)
    return found
