"""A window's papers, prepared once for all its readers: who wrote what, which words each paper holds, what is like what.

Everything is a matrix with a column (or row) for each paper, in the order of the ranking. Rarity of terms is that of the window
itself: a week's papers tell what is common this week as well as a larger corpus does (`./run bench profiles`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from digest.domain.edition import Pooled
from digest.domain.paper import Paper
from digest.domain.query import Query, Unwanted, content_words, parse_query
from digest.ranking import terms
from digest.ranking.author_names import answers_to, is_common, name_words
from digest.ranking.diversity import SimilaritySets
from digest.ranking.sentence_vectors import SentenceVectors
from digest.ranking.sparse import Floats, SparseRows

MOST_KEPT = 20_000_000
"""Interests × papers that are kept for the next batch."""
AT_ONCE = 2_000
"""Works, or papers, compared at once."""
COMMON = 1.0
"""How much of what everybody writes about this week is taken out of a likeness."""
NAMESAKES = 0.1
"""How far an author asked for counts whose name many share: a nudge, and never an interest fulfilled."""
IN_TITLE = 1.25
"""An interest that the title fulfils, against one that the abstract fulfils."""
BETWEEN = 2
"""Other words between two words of an interest that stand together: "diffusion large language models"."""
SCATTERED = 0.7
"""What an interest of several words is worth where a paper holds them all, but neither in its title nor together."""
PARTLY = 0.5
"""What it is worth where a paper holds nearly all of them by rarity; less, the fewer it holds."""


_MOST_COUNTED = 100
_LOGARITHMS = np.array([0.0, *(1.0 + math.log(count) for count in range(1, _MOST_COUNTED + 1))])


class PoolIndex:
    """The papers of one window as readers' interests meet them. What it answers depends on the papers and the question alone."""

    def __init__(self, pool: Sequence[Pooled], vectors: Mapping[int, bytes] | None = None) -> None:
        """`vectors` are sentence vectors by paper id, of as many papers as have one."""
        self.pool = pool
        self.papers: list[Paper] = [each.ranked.paper for each in pool]
        self.size = len(pool)
        self.positions = {str(name): position for position, paper in enumerate(self.papers) for name in paper.identifiers}
        self.ids = {paper.id: position for position, paper in enumerate(self.papers)}
        self.trend: Floats = np.array([_trend(each, self.size) for each in pool])
        self.names = [[name_words(author) for author in paper.authors] for paper in self.papers]
        self.people = {name: column for column, name in enumerate(dict.fromkeys(n for names in self.names for n in names if n))}
        self.written_by = SparseRows(
            [[self.people[n] for n in dict.fromkeys(names) if n] for names in self.names], len(self.people)
        )
        self.wrote = self.written_by.transposed()
        self.common_names = {column for name, column in self.people.items() if is_common(name)}
        self._weigh_terms()
        self.sentences = SentenceVectors.of_some([(vectors or {}).get(paper.id, b"") for paper in self.papers])
        self._hold_words()
        self._fulfilled: dict[tuple[str, str], Floats] = {}

    # ---- likeness ----------------------------------------------------------------------------------------------------------

    def _weigh_terms(self) -> None:
        counted = [terms.paper_terms(paper) for paper in self.papers]
        rare = terms.rarity(counted)
        self._term_columns = {term: column for column, term in enumerate(sorted(rare))}
        self._rarities = np.array([*(rare[term] for term in self._term_columns), 1.0 + math.log(1 + self.size)])
        """By column; the last is that of every term that no paper says."""
        self.vectors = self.vectors_of(counted)
        self.by_term = self.vectors.transposed()
        self.common: Floats = self.vectors.sums() / max(self.size, 1)
        """The mean of the window: what everybody writes about this week."""
        self.commonness: Floats = self.vectors.times(self.common)

    @cached_property
    def similarity_sets(self) -> SimilaritySets:
        parts = [self._similar(range(n, min(n + AT_ONCE, self.size))) for n in range(0, self.size, AT_ONCE)]
        return SimilaritySets(
            tuple(bits for part in parts for bits in part.same), tuple(bits for part in parts for bits in part.alike)
        )

    def _similar(self, some: range) -> SimilaritySets:
        likeness = self.vectors.some(some.start, some.stop).times_sparse(self.by_term)
        if self.sentences is None:
            return SimilaritySets.of(likeness, some.start)
        alike = self.sentences.blended(likeness, [self.sentences.of(each) for each in some], self.commonness)
        return SimilaritySets.of(likeness, some.start, alike)

    def vectors_of(self, counted: Sequence[Mapping[str, int]]) -> SparseRows:
        """A row of unit length each. A term that no paper of the window says counts for the length: it is what they are not."""
        rows = np.repeat(np.arange(len(counted)), [len(text) for text in counted])
        columns = np.array([self._term_columns.get(term, -1) for text in counted for term in text], dtype=np.intp)
        counts = np.array([count for text in counted for count in text.values()], dtype=np.intp)
        weights = _LOGARITHMS[np.minimum(counts, _MOST_COUNTED)] * self._rarities[columns]
        lengths = np.sqrt(np.bincount(rows, weights * weights, minlength=len(counted)))
        known = columns >= 0
        rows = rows[known]
        ends = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(counted)))))
        return SparseRows.of_arrays(columns[known], ends, len(self._term_columns), weights[known] / lengths[rows])

    # ---- interests ------------------------------------------------------------------------------------------------------------

    def _hold_words(self) -> None:
        titles = [terms.all_terms(paper.title) for paper in self.papers]
        rest = [terms.all_terms(f"{' '.join(paper.keywords)} {paper.abstract}") for paper in self.papers]
        self._texts = [[*title, "", *more] for title, more in zip(titles, rest, strict=True)]
        known = sorted({term for text in self._texts for term in text if term})
        self._words = {term: column for column, term in enumerate(known)}
        holds = SparseRows([[self._words[t] for t in dict.fromkeys(text) if t] for text in self._texts], len(self._words))
        titled = SparseRows([[self._words[t] for t in dict.fromkeys(title)] for title in titles], len(self._words))
        self._held_by, self._titles_with = holds.transposed(), titled.transposed()
        held = holds.sums()
        self._scarce: Floats = 1.0 + np.log((1 + self.size) / (1 + held))
        self._unheard = 1.0 + math.log(1 + self.size)

    def fulfilled(self, kind: str, interests: Sequence[str], *, muting: bool = False) -> Floats:
        """How far each interest is fulfilled by each paper: from 1 on wholly, less in part, 0 not at all.

        `kind` is a field of Interests: a word may be any query, a category stands for all below it. An author whose name many
        share is fulfilled only a little (NAMESAKES), but is wholly muted.
        """
        new = [interest for interest in dict.fromkeys(interests) if (kind, interest) not in self._fulfilled]
        if (len(self._fulfilled) + len(new)) * self.size > MOST_KEPT:
            self._fulfilled.clear()
            new = list(dict.fromkeys(interests))
        ways = {"words": self._by_words, "categories": self._by_category, "authors": self._by_author}
        if new:
            self._fulfilled |= {(kind, interest): row for interest, row in zip(new, ways[kind](new), strict=True)}
        found = [self._fulfilled[kind, interest] for interest in interests]
        rows: Floats = np.array(found) if found else np.zeros((0, self.size))
        return np.ceil(rows) if muting and kind == "authors" else rows

    def _by_words(self, interests: Sequence[str]) -> Floats:
        queries = [parse_query(interest) for interest in interests]
        shares = self._shares([query.words if query.wordy else () for query in queries])
        for row, query in enumerate(queries):
            if not query.wordy:
                shares[row] = [float(self._answers(position, query)) for position in range(self.size)]
            else:
                asked = terms.all_terms(" ".join(query.words))
                shares[row, [each for each in np.flatnonzero(shares[row] == 1) if not _together(self._texts[each], asked)]] = (
                    SCATTERED
                )
            if query.unwanted:
                shares[row] *= [not self._unwanted(position, query.unwanted) for position in range(self.size)]
        return shares

    def _shares(self, wanted: Sequence[tuple[str, ...]]) -> Floats:
        """The share of each interest's words that each paper holds, by rarity; more than 1 where the title holds them all."""
        columns: list[list[int]] = []
        weights: list[list[float]] = []
        for words in wanted:
            asked = dict.fromkeys(term for word in words for term in terms.all_terms(word))
            known = [self._words[term] for term in asked if term in self._words]
            rarity = [float(self._scarce[column]) for column in known]
            whole = sum(rarity) + self._unheard * (len(asked) - len(known))
            columns.append(known)
            weights.append([each / whole for each in rarity])
        asking = SparseRows(columns, len(self._words), weights)
        held, titled = asking.times_sparse(self._held_by), asking.times_sparse(self._titles_with)
        partly = PARTLY * held**2
        return np.where(titled > 0.999, IN_TITLE, np.where(held > 0.999, 1.0, partly))

    def _answers(self, position: int, query: Query) -> bool:
        paper, text = self.papers[position], self._texts[position]
        asked = {term for word in query.words for term in terms.all_terms(word)}
        if query.like or not asked <= set(text):  # "like:" is answered by the store's search, and here by papers liked
            return False
        published = paper.published_at or paper.first_seen_at
        below = [_within(own.lower(), wanted) for own in paper.categories for wanted in query.categories]
        return (
            (query.since is None or published.date() >= query.since)
            and (query.until is None or published.date() <= query.until)
            and (not query.sources or any(source.lower() in query.sources for source in paper.sources))
            and (not query.categories or any(below))
            and all(any(answers_to(name, author) for name in self.names[position]) for author in query.authors)
            and all(_in_order(text, terms.all_terms(" ".join(phrase))) for phrase in query.phrases)
        )

    def _unwanted(self, position: int, unwanted: Unwanted) -> bool:
        paper, text, names = self.papers[position], self._texts[position], self.names[position]
        words = content_words(unwanted.words)
        return (
            any(_in_order(text, terms.all_terms(word)) for word in words)
            or any(word in name for word in map(_plainly, words) for name in names)
            or any(_in_order(text, terms.all_terms(" ".join(phrase))) for phrase in unwanted.phrases)
            or any(answers_to(name, author) for name in names for author in unwanted.authors)
            or any(_within(own.lower(), category) for own in paper.categories for category in unwanted.categories)
        )

    def _by_category(self, interests: Sequence[str]) -> Floats:
        own = [[category.lower() for category in paper.categories] for paper in self.papers]
        table = [[float(any(_within(each, interest.lower()) for each in some)) for some in own] for interest in interests]
        return np.array(table).reshape(len(interests), self.size)

    def _by_author(self, interests: Sequence[str]) -> Floats:
        rows = np.zeros((len(interests), len(self.people)))
        by_surname: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for name, column in self.people.items():
            by_surname.setdefault(name[-1], []).append((name, column))
        for row, interest in enumerate(interests):
            asked = name_words(interest)
            for name, column in by_surname.get(asked[-1], ()) if asked else ():
                rows[row, column] = answers_to(name, asked) * (NAMESAKES if is_common(asked) else 1.0)
        found: Floats = np.minimum(self.written_by.times(rows.T).T, 1.0)
        return found

    @staticmethod
    def is_by(author: str, interest: str) -> bool:
        return answers_to(name_words(author), name_words(interest))


def _trend(pooled: Pooled, size: int) -> float:
    """1 for the first of the ranking, falling with the logarithm of the place; 0 for a paper that nobody has said anything about:
    its place is no news."""
    ranked = pooled.ranked
    moved = ranked.reasons and ranked.reasons[0].kind in ("votes", "stars", "comments")  # comments: of editions made before
    if not moved and not any(ranked.growth):
        return 0.0
    return 1.0 - math.log1p(pooled.position) / math.log1p(max(size, 2))


def _within(category: str, wanted: str) -> bool:
    return category == wanted or category.startswith(f"{wanted}.")


def _plainly(word: str) -> str:
    """As it stands in a name: without accents."""
    return " ".join(name_words(word))


def _together(text: Sequence[str], words: Sequence[str]) -> bool:
    """In their order, or two of them in either: "folding of a protein"."""
    return _in_order(text, words, BETWEEN) or (len(words) == 2 and _in_order(text, words[::-1], BETWEEN))


def _in_order(text: Sequence[str], phrase: Sequence[str], between: int = 0) -> bool:
    """Whether the words stand there one after the other, with as many others `between` two of them at most."""
    ends = {at for at, term in enumerate(text) if term == phrase[0]}
    for wanted in phrase[1:]:
        ends = {at + step for at in ends for step in range(1, between + 2) if at + step < len(text) and text[at + step] == wanted}
    return bool(ends)
