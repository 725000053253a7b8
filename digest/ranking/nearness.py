"""What readers liked beside a window's papers: how like they are, each work told once for all who hold it.

A reader's profile is the works they hold; what is telling of a work is counted when its text changes (Work.terms), and its
likeness to the window's papers is told once a window, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from digest.domain.identifier import Identifier
from digest.domain.identity import registered, title_key
from digest.ranking import terms
from digest.ranking.author_names import name_words
from digest.ranking.pool_index import AT_ONCE, COMMON, NAMESAKES, PoolIndex
from digest.ranking.sparse import Floats, Integers, SparseRows

MOST_NEAR = 64_000_000
"""Likenesses of readers' works to papers that are kept for the next batch: four bytes each."""
SHARPNESS = 8.0
"""How far the nearest works of a library count before the others: several topics in one library each have their say."""
AUTHOR_FROM, AUTHOR_WHOLLY = 0.0, 0.08
"""Likeness of a paper to a work by the same author from which the name begins to count, and counts wholly."""


class Liked(Protocol):
    """A paper or a work of a library."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]: ...
    @property
    def title(self) -> str: ...
    @property
    def abstract(self) -> str: ...
    @property
    def authors(self) -> tuple[str, ...]: ...


class Nearness:
    def __init__(self, pool_index: PoolIndex) -> None:
        self._pool_index = pool_index
        self._rows: dict[str, int] = {}
        self._met: list[int] = []
        self.near = np.empty((0, pool_index.size), dtype=np.float32)
        """For each work known here a row: exp(SHARPNESS × its likeness to each paper)."""
        self._used = 0
        self._authors: list[dict[int, float]] = []
        self._authored: SparseRows | None = None
        self._titles: list[str] = []

    def missing(self, names: Iterable[str]) -> list[str]:
        """Which of these papers are neither of the window nor known from before: `learn` needs their texts.

        Where too much is known by now all is forgotten first, and all of `names` are missing.
        """
        wanted = dict.fromkeys(names)
        new = [name for name in wanted if name not in self._rows]
        if self._used and (self._used + len(new)) * self._pool_index.size > MOST_NEAR:
            self._rows.clear()
            self._met.clear()
            self._authors.clear()
            self._titles.clear()
            self._used = 0
            new = list(wanted)
        return [name for name in new if name not in self._pool_index.positions]

    def learn(self, names: Iterable[str], texts: Mapping[str, Liked]) -> None:
        """Tells the likeness of these papers, of the window or among `texts`, to the window; each is told once."""
        new = [name for name in dict.fromkeys(names) if name not in self._rows]
        known = [(name, text) for name in new if (text := self._text(name, texts)) is not None and (text.title or text.abstract)]
        if self._used + len(known) > len(self.near):
            grown = np.empty((max(self._used + len(known), 2 * len(self.near)), self._pool_index.size), dtype=np.float32)
            grown[: self._used] = self.near[: self._used]
            self.near = grown
        for start in range(0, len(known), AT_ONCE):
            self._learn(known[start : start + AT_ONCE])

    def _learn(self, known: Sequence[tuple[str, Liked]]) -> None:
        counted = [
            getattr(text, "terms", None) or terms.text_terms(text.title, _keywords(text), text.abstract) for _, text in known
        ]
        likeness = self._pool_index.vectors_of(counted).times_sparse(self._pool_index.by_term)
        if (sentences := self._pool_index.sentences) is not None:
            vectors = [self._vector(name, text) for name, text in known]
            likeness = sentences.blended(likeness, vectors, self._pool_index.commonness)
        for row, (name, text) in enumerate(known):
            if (position := self._met_by(name, text)) >= 0:
                likeness[row, position] = 0.0  # a paper is not like itself: others like it are looked for
            self._met.append(position)
            self._authors.append(self._by_same_author(text, likeness[row]))
            self._rows[name] = self._used + row
            self._titles.append(text.title or name)
        self.near[self._used : self._used + len(known)] = np.exp(SHARPNESS * likeness)
        self._used += len(known)
        self._authored = None

    def _text(self, name: str, texts: Mapping[str, Liked]) -> Liked | None:
        position = self._pool_index.positions.get(name)
        return self._pool_index.papers[position] if position is not None else texts.get(name)

    def _vector(self, name: str, text: Liked) -> bytes:
        position = self._pool_index.positions.get(name)
        if position is not None and self._pool_index.sentences is not None:
            return self._pool_index.sentences.of(position)
        vector: bytes = getattr(text, "vector", b"")
        return vector

    def _by_same_author(self, text: Liked, likeness: Floats) -> dict[int, float]:
        """How far sharing authors with a work counts, by paper. One name may be somebody else's: it counts as far as the paper is
        on the work's topic, and little where many have it. Several names together are the same people.
        """
        shared: dict[int, list[int]] = {}
        known = self._pool_index.people
        for person in {known[name] for name in map(name_words, text.authors) if name in known}:
            for position in self._pool_index.wrote.row(person)[0].tolist():
                shared.setdefault(position, []).append(person)
        found: dict[int, float] = {}
        for position, people in shared.items():
            own = len(people) - len(self._pool_index.common_names.intersection(people))
            over = likeness[position] - COMMON * self._pool_index.commonness[position] - AUTHOR_FROM
            on_topic = min(1.0, max(0.0, over / (AUTHOR_WHOLLY - AUTHOR_FROM)))
            identified = len(people) >= (2 if own else 3)
            found[position] = 1.0 if identified else on_topic * (1.0 if own else NAMESAKES)
        return found

    def _met_by(self, name: str, text: Liked) -> int:
        """The paper of the window that a work is, by an identifier, or by title and first author; -1: none."""
        by_identifier = (self._pool_index.positions[str(i)] for i in text.identifiers if str(i) in self._pool_index.positions)
        position = next(by_identifier, self._pool_index.positions.get(name))
        if position is None and not registered(text.identifiers):
            key = getattr(text, "title_key", None)
            position = self._titled.get(key) if key else None
        return -1 if position is None else position

    @cached_property
    def _titled(self) -> dict[str, int]:
        found = {}
        for position, paper in enumerate(self._pool_index.papers):
            if key := title_key(paper):
                found[key] = position
        return found

    def met(self) -> Integers:
        """For each row of `near`, where in the window that paper itself is; -1: nowhere."""
        return np.array(self._met, dtype=np.intp)

    def rows(self, libraries: Sequence[Sequence[str]]) -> SparseRows:
        """Readers × rows of `near`: what each library holds, as far as anybody knows it."""
        columns = [[self._rows[name] for name in dict.fromkeys(names) if name in self._rows] for names in libraries]
        return SparseRows(columns, self._used)

    def title(self, row: int) -> str:
        return self._titles[row]

    def authored(self) -> SparseRows:
        """Rows of `near` × papers: how far an author in common counts."""
        if self._authored is None:
            self._authored = SparseRows(
                [list(each) for each in self._authors], self._pool_index.size, [list(each.values()) for each in self._authors]
            )
        return self._authored


def _keywords(text: Liked) -> str:
    return " ".join(getattr(text, "keywords", ()))
