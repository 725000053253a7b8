"""Personal picks: what a reader cares about × what is trending, over all papers of an edition's window, with the reason for each.

    score = trend + words + categories + authors + library + library authors - disliked

Trend is 1 at the top of the ranking and falls with the logarithm of the place. What a reader asked for adds by how far it is
fulfilled; a library (papers liked or brought) adds by how far a paper is more like it than the window is, so that it counts as
much for a narrow reader as for a broad one. Mutes are absolute. Picks are spread over topics, and each interest that a paper
fulfils has a place (diversity.py). The last is the most trending that nothing asked for speaks
for, so that a profile never closes in on itself. A batch is scored together, as sparse matrices of readers × interests times
interests × papers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.domain.edition import Pooled
from digest.domain.paper import Reason
from digest.domain.phrase import phrase
from digest.domain.query import describe, parse_query
from digest.domain.subscriber import Interests
from digest.ranking.diversity import OF_ONE_LIBRARY, PER_TOPIC, spread, with_every_interest
from digest.ranking.nearness import SHARPNESS, Liked, Nearness
from digest.ranking.pool_index import COMMON, PoolIndex
from digest.ranking.selection import CONSIDERED, also
from digest.ranking.sentences import title_shortened
from digest.ranking.sparse import Floats, SparseRows

ASKED_FOR: Mapping[str, float] = {"words": 1.2, "categories": 0.5, "authors": 2.0}
"""What an interest fulfilled adds, by field of Interests; a paper at the top of the ranking has trend 1."""
LIKED = 1.0
"""What likeness to a library adds: times the spreads by which a paper is more like it than the window's papers are."""
LEAST_SPREAD = 0.02
"""Added to that spread, so that a window without anything of the kind is not taken for one that has much."""
SIMILAR_FROM = 0.1
"""Likeness of the window's nearest paper from which a library counts wholly: one that nothing is like says nothing."""
LIKED_AUTHOR = 2.5
"""What authors of works in a library add, where the paper is on the topic; the second and third add little more."""
DISLIKED = 1.5
"""What likeness to papers disliked takes away at most."""
WHOLLY_DISLIKED = 0.35
"""Likeness to one paper disliked that takes it all away; half of that takes a quarter."""
REASON_FROM = 0.065
"""Likeness to a work, beyond what all papers share, from which it is told as a reason."""
CLOSE = 0.1
"""Relevance from which a paper is close to a reader's interests."""
JUDGED = 100.0
"""A paper that the reader liked or disliked is no news to them: it comes after all others."""
SERENDIPITY_FROM = 5
"""Readers of at least so many picks get one that nothing they asked for speaks for: the most trending."""
CELLS_AT_ONCE = 1_000_000
"""Readers × papers scored as one matrix: the memory it takes, whatever their number."""
MOST_REASONS = 3
LONGEST_TITLE = 60
"""Characters of a title inside a reason."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What one reader wants: `wanted` picks, none of `already` (paper ids)."""

    interests: Interests
    wanted: int
    already: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonalPick:
    """`position` in the pool, with this reader's reasons, and what its score is the sum of, by name."""

    position: int
    reasons: tuple[Reason, ...]
    parts: Mapping[str, float] = field(default_factory=dict, compare=False)


class Window:
    """What readers choose from: prepared once, for every batch of readers."""

    def __init__(self, pool: Sequence[Pooled] | PoolIndex) -> None:
        self.pool_index = pool if isinstance(pool, PoolIndex) else PoolIndex(pool)
        self.nearness = Nearness(self.pool_index)


def personal_picks(
    pool: Sequence[Pooled] | Window, readers: Sequence[Reader], outside: Mapping[str, Liked] | None = None
) -> list[tuple[PersonalPick, ...]]:
    """Each reader's picks, best first. `outside` has the liked and disliked papers that are not in the window, by the name they
    were liked under; those that a Window learnt with an earlier batch need not come again.

    A reader without interests gets the list's ranking less what they already had. Pure and deterministic: what a reader gets
    does not depend on who else is in the batch. A Window, made once, saves preparing it for every batch.
    """
    window = pool if isinstance(pool, Window) else Window(pool)
    at_once = max(50, CELLS_AT_ONCE // max(window.pool_index.size, 1))
    return [
        picks
        for start in range(0, len(readers), at_once)
        for picks in _Batch(window, readers[start : start + at_once], outside or {}).picks()
    ]


class _Batch:
    """Some readers, scored together: every matrix here is readers × papers but where said otherwise."""

    def __init__(self, window: Window, readers: Sequence[Reader], outside: Mapping[str, Liked]) -> None:
        self._pool_index, self._nearness, self._readers, self._outside = window.pool_index, window.nearness, readers, outside
        self._shape = (len(readers), self._pool_index.size)
        self._matched: NDArray[np.bool_] = np.zeros(self._shape, dtype=bool)
        self._judged: NDArray[np.bool_] = np.zeros(self._shape, dtype=bool)
        self._asked = {kind: _Asked(self._pool_index, kind, [getattr(r.interests, kind) for r in readers]) for kind in ASKED_FOR}
        self._parts: dict[str, Floats] = {}
        for kind, asked in self._asked.items():
            self._parts[kind] = ASKED_FOR[kind] * asked.by.times(asked.fulfilled)
            self._matched |= asked.by.times(asked.fulfilled >= 1) > 0
        self._nearness.learn(
            [name for reader in readers for name in (*reader.interests.liked, *reader.interests.disliked)], outside
        )
        self._like()
        self._leave_out_namesakes()
        self._dislike()
        self._relevance: Floats = sum(self._parts.values(), np.zeros(self._shape))

    def picks(self) -> Iterator[tuple[PersonalPick, ...]]:
        # rounded: sums may differ in their last bits with the order of addition, which must decide nothing
        scores = np.round(self._pool_index.trend + self._relevance - JUDGED * self._judged, 4)
        scores[~self._open()] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")
        found = np.isfinite(scores).sum(axis=1)
        for row, reader in enumerate(self._readers):
            if reader.wanted >= found[row]:  # all there is, in order: nothing to choose
                yield tuple(self._pick(row, each) for each in order[row, : int(found[row])].tolist())
                continue
            open_to = order[row, : min(reader.wanted * CONSIDERED, int(found[row]))].tolist()
            had = [self._pool_index.ids[paper] for paper in reader.already if paper in self._pool_index.ids]
            per_topic = max(PER_TOPIC, int(OF_ONE_LIBRARY * reader.wanted)) if reader.interests.liked else PER_TOPIC
            chosen, folded = spread(open_to, reader.wanted, self._pool_index.similarity_sets, had, per_topic)
            chosen = self._varied(row, chosen, scores[row])
            yield tuple(self._pick(row, each, folded.get(each, ())) for each in chosen)

    def _pick(self, row: int, position: int, folded: Sequence[int] = ()) -> PersonalPick:
        parts = {"trend": float(self._pool_index.trend[position])}
        parts |= {name: float(part[row, position]) for name, part in self._parts.items()}
        describe = {name: round(value, 3) for name, value in parts.items() if round(value, 3)}
        return PersonalPick(position, self._reasons(row, position, folded), describe)

    def _varied(self, row: int, chosen: list[int], scores: Floats) -> list[int]:
        """A place for each interest, and one outside of all of them."""
        interests = self._readers[row].interests
        if not interests or not chosen:
            return chosen
        topics = [asked.rows(row) for asked in self._asked.values()]
        if sum(map(len, topics)) > 1:
            # a paper that an interest speaks for, and what the reader disliked against, is not owed a place
            speaks = (self._relevance[row] > CLOSE) & ~self._judged[row]
            chosen = with_every_interest(chosen, (np.concatenate(topics) >= 1) & speaks, scores)
        if self._readers[row].wanted >= SERENDIPITY_FROM and self._matched[row, chosen].all():
            disliked = self._parts["disliked"][row] < 0
            strange = np.isfinite(scores) & ~self._matched[row] & ~self._judged[row] & ~disliked
            if strange.any():
                chosen[-1] = int(np.argmax(np.where(strange, self._pool_index.trend, -1.0)))
        return chosen

    # ---- what counts -------------------------------------------------------------------------------------------------------

    def _open(self) -> NDArray[np.bool_]:
        """Not had before, not withdrawn, and nothing of it muted."""
        pool_index = self._pool_index
        may: NDArray[np.bool_] = np.tile([not paper.withdrawn for paper in pool_index.papers], (len(self._readers), 1)).astype(
            bool
        )
        for row, reader in enumerate(self._readers):
            may[row, [pool_index.ids[paper] for paper in reader.already if paper in pool_index.ids]] = False
        for muted, kind in (("muted_words", "words"), ("muted_authors", "authors")):
            asked = _Asked(pool_index, kind, [getattr(reader.interests, muted) for reader in self._readers], muting=True)
            may &= ~(asked.by.times(asked.fulfilled >= 1) > 0)
        return may

    def _like(self) -> None:
        """Adds likeness to what each reader holds, the nearest works counting most, and to those who wrote it.

        How like is told by how far a paper stands out of the window: what everybody writes about this week is like every library.
        """
        libraries = [reader.interests.liked for reader in self._readers]
        self._held = self._nearness.rows(libraries)
        self._judge(self._held)
        count = np.array([len(self._held.row(row)[0]) for row in range(len(self._held))], dtype=int)
        near = self._nearness.near[: self._held.width]
        some = count > 0
        pooled = self._held.times(near) / np.maximum(count, 1)[:, None]
        alike = np.log(np.where(some[:, None], pooled, 1.0)) / SHARPNESS - COMMON * self._pool_index.commonness
        if self._pool_index.size:
            known = np.clip(alike.max(axis=1) / SIMILAR_FROM, 0.0, 1.0)
            alike = (alike - alike.mean(axis=1)[:, None]) * (known / (alike.std(axis=1) + LEAST_SPREAD))[:, None]
        self._parts["library"] = np.where(some[:, None], LIKED * alike, 0.0)
        shared = self._held.times_sparse(self._nearness.authored())
        self._parts["library authors"] = LIKED_AUTHOR * np.tanh(shared)
        self._alike = np.where(some[:, None], alike, 0.0)
        self._matched |= self._alike >= 1.0

    def _leave_out_namesakes(self) -> None:
        """A name asked for that many share counts for nothing on a paper that nothing else asked for speaks for."""
        authors = self._asked["authors"]
        identified = authors.by.times(authors.fulfilled >= 1) > 0
        on_topic = self._parts["words"] + self._parts["categories"] + self._parts["library"] >= CLOSE
        self._parts["authors"] *= identified | on_topic

    def _dislike(self) -> None:
        disliked = [reader.interests.disliked for reader in self._readers]
        held = self._nearness.rows(disliked)
        self._judge(held)
        rows = sorted({work for row in range(len(held)) for work in held.row(row)[0].tolist()})
        near = np.zeros((held.width, self._pool_index.size))
        near[rows] = np.minimum(1.0, np.log(self._nearness.near[rows]) / SHARPNESS / WHOLLY_DISLIKED) ** 2
        self._parts["disliked"] = -DISLIKED * np.minimum(1.0, held.times(near))

    def _judge(self, held: SparseRows) -> None:
        met = self._nearness.met()
        for row in range(len(held)):
            own = met[held.row(row)[0]]
            self._judged[row, own[own >= 0]] = True

    # ---- and how it is told ------------------------------------------------------------------------------------------------

    def _reasons(self, row: int, position: int, folded: Sequence[int] = ()) -> tuple[Reason, ...]:
        own = self._pool_index.pool[position].ranked.reasons
        if folded and not any(reason.kind == "also" for reason in own):
            own = (*own, also([self._pool_index.papers[other] for other in folded]))
        return (*(Reason("interest", text) for text in self._because(row, position)), *own)

    def _because(self, row: int, position: int) -> Sequence[str]:
        """What a reader asked for and gets, and what they hold that is nearest."""
        met = {kind: list(self._asked[kind].of(row, position)) for kind in ASKED_FOR}
        liked = self._because_liked(row, position)
        matches = [*map(_in_words, met["words"]), *met["categories"]][: MOST_REASONS - len(liked)]
        found: list[str] = [phrase("matches: %(what)s", what=", ".join(matches))] if matches else []
        if met["authors"]:
            found.append(phrase("by %(author)s, whom you follow", author=self._as_written(met["authors"][0], position)))
        return [*found, *liked]

    def _as_written(self, author: str, position: int) -> str:
        return next((each for each in self._pool_index.papers[position].authors if self._pool_index.is_by(each, author)), author)

    def _because_liked(self, row: int, position: int) -> list[str]:
        """At most one: the work of the library that it is most like, where it is like it."""
        if self._parts["library"][row, position] <= 0:
            return []
        held = self._held.row(row)[0]
        near = self._nearness.near[held, position]
        best = int(near.argmax())
        if np.log(near[best]) / SHARPNESS - COMMON * self._pool_index.commonness[position] < REASON_FROM:
            return []
        return [phrase("like “%(title)s”, which you liked", title=_shortened(self._nearness.title(int(held[best]))))]


def _shortened(title: str) -> str:
    return title_shortened(title, LONGEST_TITLE)


@lru_cache(maxsize=20_000)
def _in_words(interest: str) -> str:
    """Words as they were typed; a search as it was understood."""
    query = parse_query(interest)
    return interest if query.plain else describe(query)


class _Asked:
    """One kind of interest of some readers: `by` (readers × interests), `fulfilled` (interests × papers)."""

    def __init__(self, pool_index: PoolIndex, kind: str, interests: Sequence[Sequence[str]], *, muting: bool = False) -> None:
        self.by, self._interests = _distinct(interests)
        self.fulfilled = pool_index.fulfilled(kind, self._interests, muting=muting)

    def rows(self, row: int) -> Floats:
        """The interests of a reader, as far as each paper fulfils them."""
        found: Floats = self.fulfilled[self.by.row(row)[0]]
        return found

    def of(self, row: int, position: int) -> Iterator[str]:
        """The interests of a reader that a paper fulfils, in the order they were made."""
        for interest in self.by.row(row)[0]:
            if self.fulfilled[interest, position] >= 1:
                yield self._interests[interest]


def _distinct(interests: Sequence[Sequence[str]]) -> tuple[SparseRows, list[str]]:
    """(readers × distinct interests, the distinct interests): a reader's in the order they made them."""
    columns: dict[str, int] = {}
    rows = [[columns.setdefault(interest, len(columns)) for interest in dict.fromkeys(some)] for some in interests]
    return SparseRows(rows, len(columns)), list(columns)
