"""Personal picks: what a reader cares about × what is trending, over an edition's pool, with the reason for each.

    score = trend + relevance

Trend is the paper's place in the pool, 1 at its top. Relevance is the sum of what matches: words, searches, categories and
authors asked for, likeness to papers liked (the mean of them all, less what everybody writes about), their authors, less likeness
to papers disliked. Mutes are absolute. Picks are spread over topics, and each wish that a paper fulfils has a place (spread.py).
The last is the pool's best outside the reader's interests, so that a profile never closes in on itself. A batch is scored
together, as sparse matrices (sparse.py) of readers × wishes times wishes × papers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.domain.edition import Pooled
from digest.domain.paper import Paper, Reason
from digest.domain.query import parse_query, told
from digest.domain.subscriber import Interests
from digest.ranking.diversity import spread, with_every_wish
from digest.ranking.pool_index import Shelf
from digest.ranking.selection import CONSIDERED, also
from digest.ranking.sparse import Floats, SparseRows

ASKED_FOR: Mapping[str, float] = {"words": 1.2, "categories": 0.5, "authors": 2.0}
"""What a wish fulfilled adds, by field of Interests; a paper at the top of the pool has trend 1."""
LIKED = 6.0
"""What likeness to the papers liked adds: times a cosine that is rarely above 0.3."""
COMMON = 0.8
"""How much of what everybody writes about is taken out of the papers liked."""
LIKED_AUTHOR = 1.8
"""What authors of papers liked add; the second and third add little more."""
DISLIKED = 1.5
"""What likeness to papers disliked takes away at most."""
LIKE_ENOUGH = 0.12
"""Likeness of two papers from which it is told as a reason, and from which a dislike counts."""
CLOSE = 0.1
"""Relevance from which a paper is close to a reader's interests."""
JUDGED = 100.0
"""A paper that the reader liked or disliked is no news to them: it comes after all others."""
SERENDIPITY_FROM = 5
"""Readers of at least so many picks get one from outside their interests."""
AT_ONCE = 1000
"""Readers scored as one matrix: the memory it takes, whatever their number."""
MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Reader:
    """What one reader wants: `wanted` picks, none of `already` (paper ids)."""

    interests: Interests
    wanted: int
    already: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonalPick:
    """`position` in the pool, with this reader's reasons."""

    position: int
    reasons: tuple[Reason, ...]


def personal_picks(
    pool: Sequence[Pooled] | Shelf, readers: Sequence[Reader], outside: Mapping[str, Paper] | None = None
) -> list[tuple[PersonalPick, ...]]:
    """Each reader's picks, best first. `outside` has the liked and disliked papers that are not in the pool, by identifier.

    A reader without interests gets the list's ranking less what they already had. Pure and deterministic: what a reader gets
    does not depend on who else is in the batch. A Shelf, made once for a pool, saves preparing it for every batch.
    """
    shelf = pool if isinstance(pool, Shelf) else Shelf(pool)
    return [
        picks
        for start in range(0, len(readers), AT_ONCE)
        for picks in _Batch(shelf, readers[start : start + AT_ONCE], outside or {}).picks()
    ]


class _Batch:
    """Some readers, scored together: every matrix here is readers × papers but where said otherwise."""

    def __init__(self, shelf: Shelf, readers: Sequence[Reader], outside: Mapping[str, Paper]) -> None:
        self._shelf, self._readers, self._outside = shelf, readers, outside
        self._shape = (len(readers), shelf.size)
        self._relevance: Floats = np.zeros(self._shape)
        self._matched: NDArray[np.bool_] = np.zeros(self._shape, dtype=bool)
        self._judged: NDArray[np.bool_] = np.zeros(self._shape, dtype=bool)
        self._asked = {field: _Asked(shelf, field, [getattr(r.interests, field) for r in readers]) for field in ASKED_FOR}
        for field, asked in self._asked.items():
            self._relevance += ASKED_FOR[field] * asked.by.times(asked.fulfilled)
            self._matched |= asked.by.times(asked.fulfilled >= 1) > 0
        self._like()
        self._dislike()

    def picks(self) -> Iterator[tuple[PersonalPick, ...]]:
        trend = 1.0 - np.arange(self._shelf.size) / max(self._shelf.size, 1)
        # rounded: sums may differ in their last bits with the order of addition, which must decide nothing
        scores = np.round(trend + self._relevance - JUDGED * self._judged, 6)
        scores[~self._open()] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")
        found = np.isfinite(scores).sum(axis=1)
        for row, reader in enumerate(self._readers):
            if reader.wanted >= found[row]:  # all there is, in order: nothing to choose
                yield tuple(PersonalPick(each, self._reasons(row, each)) for each in order[row, : int(found[row])].tolist())
                continue
            open_to = order[row, : min(reader.wanted * CONSIDERED, int(found[row]))].tolist()
            had = [self._shelf.ids[paper] for paper in reader.already if paper in self._shelf.ids]
            chosen, folded = spread(open_to, reader.wanted, self._shelf.kinship, had)
            chosen = self._varied(row, chosen, scores[row])
            yield tuple(PersonalPick(each, self._reasons(row, each, folded.get(each, ()))) for each in chosen)

    def _varied(self, row: int, chosen: list[int], scores: Floats) -> list[int]:
        """A place for each wish, and one outside of all of them."""
        interests = self._readers[row].interests
        if not interests or not chosen:
            return chosen
        wishes = [asked.rows(row) for asked in self._asked.values()]
        if sum(map(len, wishes)) > 1:
            # a paper that a wish speaks for, and what the reader disliked against, is not owed a place
            speaks = (self._relevance[row] > CLOSE) & ~self._judged[row]
            chosen = with_every_wish(chosen, (np.concatenate(wishes) >= 1) & speaks, scores)
        if self._readers[row].wanted >= SERENDIPITY_FROM and self._matched[row, chosen].all():
            strange = np.isfinite(scores) & ~self._matched[row] & ~self._judged[row] & (self._relevance[row] >= 0)
            if strange.any():
                chosen[-1] = int(np.argmax(strange))
        return chosen

    # ---- what counts -------------------------------------------------------------------------------------------------------

    def _open(self) -> NDArray[np.bool_]:
        """Not had before, not withdrawn, and nothing of it muted."""
        shelf = self._shelf
        may: NDArray[np.bool_] = np.tile([not paper.withdrawn for paper in shelf.papers], (len(self._readers), 1)).astype(bool)
        for row, reader in enumerate(self._readers):
            may[row, [shelf.ids[paper] for paper in reader.already if paper in shelf.ids]] = False
        for muted, kind in (("muted_words", "words"), ("muted_authors", "authors")):
            asked = _Asked(shelf, kind, [getattr(reader.interests, muted) for reader in self._readers])
            may &= ~(asked.by.times(asked.fulfilled >= 1) > 0)
        return may

    def _like(self) -> None:
        """Adds likeness to what each reader liked, and to those who wrote it."""
        shelf = self._shelf
        liked, names = _distinct([reader.interests.liked for reader in self._readers])
        vectors, people, self._likeness = shelf.others(self._outside, names)
        self._liked, self._liked_names = liked, names
        self._judge(liked, names)
        met = []
        for row in range(len(self._readers)):
            own = liked.row(row)[0].tolist()
            met.append({person for each in own for person in people.row(each)[0].tolist()})
            if mine := [each for each in own if len(vectors.row(each)[0])]:  # a paper that nobody knows says nothing
                terms, weights = (np.concatenate(parts) for parts in zip(*map(vectors.row, mine), strict=True))
                profile = np.bincount(terms, weights, minlength=vectors.width) / len(mine) - COMMON * shelf.common
                alike = self._likeness[mine].mean(axis=0) - COMMON * shelf.commonness
                self._relevance[row] += LIKED * alike / max(float(np.linalg.norm(profile)), 1e-6)
        self._met = met
        """People of the pool who wrote what each reader liked."""
        self._shared = SparseRows([sorted(each) for each in met], people.width).times_sparse(shelf.wrote)
        self._relevance += LIKED_AUTHOR * np.tanh(self._shared)
        self._matched |= (self._shared > 0) | (liked.times(self._likeness >= LIKE_ENOUGH) > 0)

    def _dislike(self) -> None:
        disliked, names = _distinct([reader.interests.disliked for reader in self._readers])
        _, _, likeness = self._shelf.others(self._outside, names)
        self._judge(disliked, names)
        strength = np.where(likeness >= LIKE_ENOUGH, np.minimum(1.0, 2 * likeness), 0.0)
        self._relevance -= DISLIKED * np.minimum(1.0, disliked.times(strength))

    def _judge(self, by: SparseRows, names: Sequence[str]) -> None:
        known = np.array([self._shelf.positions.get(name, -1) for name in names], dtype=int)
        for row in range(len(self._readers)):
            positions = known[by.row(row)[0]]
            self._judged[row, positions[positions >= 0]] = True

    # ---- and how it is told ------------------------------------------------------------------------------------------------

    def _reasons(self, row: int, position: int, folded: Sequence[int] = ()) -> tuple[Reason, ...]:
        own = self._shelf.pool[position].ranked.reasons
        if folded and not any(reason.kind == "also" for reason in own):
            own = (*own, also([self._shelf.papers[other] for other in folded]))
        if because := self._because(row, position):
            return (Reason("interest", f"because: {', '.join(because)}"), *own)
        if not self._readers[row].interests:
            return own
        if self._relevance[row, position] > CLOSE:
            return (Reason("interest", "close to your interests"), *own)
        return (*own, Reason("serendipity", "outside your interests"))

    def _because(self, row: int, position: int) -> list[str]:
        if not self._matched[row, position]:
            return []
        asked = [self._told(field, wish, position) for field in ASKED_FOR for wish in self._asked[field].of(row, position)]
        liked = self._because_liked(row, position)
        return [*asked[: MOST_REASONS - len(liked)], *(f"and {each}" if asked else each for each in liked)]

    def _told(self, field: str, wish: str, position: int) -> str:
        if field == "authors":
            authors = self._shelf.papers[position].authors
            return f"by {next((each for each in authors if self._shelf.is_by(each, wish)), wish)}"
        return _in_words(wish) if field == "words" else wish

    def _because_liked(self, row: int, position: int) -> list[str]:
        """At most one: the liked paper it is most like, or else somebody who wrote one."""
        liked = self._liked.row(row)[0]
        if not len(liked):
            return []
        likeness = self._likeness[liked, position]
        best = int(likeness.argmax())
        if likeness[best] >= LIKE_ENOUGH:
            return [f"you liked {self._title(self._liked_names[liked[best]])}"]
        if self._shared[row, position] > 0:
            return [f"you liked a paper by {self._shelf.author_among(position, self._met[row])}"]
        return []

    def _title(self, identifier: str) -> str:
        position = self._shelf.positions.get(identifier)
        paper = self._shelf.papers[position] if position is not None else self._outside.get(identifier)
        title = paper.title if paper else ""
        return f"“{title[:60].rsplit(' ', 1)[0] + '…' if len(title) > 60 else title}”" if title else identifier


@lru_cache(maxsize=20_000)
def _in_words(wish: str) -> str:
    """Words as they were typed; a search as it was understood."""
    query = parse_query(wish)
    return wish if query.plain else told(query)


class _Asked:
    """One kind of wish of some readers: `by` (readers × wishes), `fulfilled` (wishes × papers)."""

    def __init__(self, shelf: Shelf, kind: str, wishes: Sequence[Sequence[str]]) -> None:
        self.by, self._wishes = _distinct(wishes)
        self.fulfilled = shelf.fulfilled(kind, self._wishes)

    def rows(self, row: int) -> Floats:
        """The wishes of a reader, as far as each paper fulfils them."""
        found: Floats = self.fulfilled[self.by.row(row)[0]]
        return found

    def of(self, row: int, position: int) -> Iterator[str]:
        """The wishes of a reader that a paper fulfils, in the order they were made."""
        for wish in self.by.row(row)[0].tolist():
            if self.fulfilled[wish, position] >= 1:
                yield self._wishes[wish]


def _distinct(wishes: Sequence[Sequence[str]]) -> tuple[SparseRows, list[str]]:
    """(readers × distinct wishes, the distinct wishes): a reader's in the order they made them."""
    columns: dict[str, int] = {}
    rows = [[columns.setdefault(wish, len(columns)) for wish in dict.fromkeys(some)] for some in wishes]
    return SparseRows(rows, len(columns)), list(columns)
