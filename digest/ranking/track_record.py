"""What speaks for papers nobody has voted on: what became of their authors' earlier papers, and of papers in the same words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

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
FINE = 2**32
"""Parts of 1 that the weight of a word is told in."""


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
    """Cosine of each text with the sum of `lately`; a word weighs as it is rare among `texts`.

    Sums are of whole numbers: the order of a set plays no part.
    """
    import numpy as np  # a process that only delivers ranks nothing

    ids: defaultdict[str, int] = defaultdict(count().__next__)
    held = [np.fromiter(map(ids.__getitem__, text), np.int64, len(text)) for text in texts]
    every = np.concatenate([*held, np.empty(0, np.int64)])
    rare = np.log((1 + len(texts)) / (1 + np.bincount(every, minlength=len(ids)))) ** 2
    weights = np.rint(rare * FINE).astype(np.int64)
    spoken = np.zeros(len(ids), np.int64)
    for text in lately:
        spoken[[ids[word] for word in text if word in ids]] += 1
    length = math.sqrt(sum(weight * times * times for weight, times in zip(weights.tolist(), spoken.tolist(), strict=True)))
    common, found = weights * spoken, []
    for own in held:
        shared = int(common[own].sum())
        found.append(shared / (length * math.sqrt(int(weights[own].sum()))) if shared else 0.0)
    return found
