"""An edition's pool, prepared once for all its readers: who wrote what, which words each paper holds, what is like what.

Everything is a matrix with a column (or row) for each paper of the pool, in the pool's order. Rarity of terms is that of the pool
itself: a week's papers tell what is common this week as well as a larger corpus does (`./run bench profiles`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence, Set

import numpy as np

from digest.domain.edition import Pooled
from digest.domain.paper import Paper
from digest.domain.query import Query, Unwanted, parse_query, telling
from digest.ranking import terms
from digest.ranking.diversity import Kinship
from digest.ranking.sparse import Floats, SparseRows

MOST_KEPT = 20_000
"""Papers and wishes whose rows are kept for the next batch."""
IN_TITLE = 1.25
"""A wish that the title fulfils, against one that title and abstract fulfil together."""
PARTLY = 0.5
"""What a wish of several words is worth where a paper holds only some of them, times their share by rarity …"""
LEAST_SHARE = 0.5
"""… from this share on."""


class Shelf:
    """The papers of one pool as readers' wishes meet them. What it answers depends on the pool and the question alone."""

    def __init__(self, pool: Sequence[Pooled]) -> None:
        self.pool = pool
        self.papers: list[Paper] = [each.ranked.paper for each in pool]
        self.size = len(pool)
        self.positions = {str(name): position for position, paper in enumerate(self.papers) for name in paper.identifiers}
        self.ids = {paper.id: position for position, paper in enumerate(self.papers)}
        self.names = [[name_words(author) for author in paper.authors] for paper in self.papers]
        self._people = {name: column for column, name in enumerate(dict.fromkeys(n for names in self.names for n in names if n))}
        self.written_by = SparseRows(
            [[self._people[n] for n in dict.fromkeys(names) if n] for names in self.names], len(self._people)
        )
        self.wrote = self.written_by.transposed()
        self._weigh_terms()
        self.kinship = Kinship.of(self._vectors.times_sparse(self._by_term))
        self._hold_words()
        self._fulfilled: dict[tuple[str, str], Floats] = {}
        self._rows: dict[str, tuple[list[int], list[float], list[int]]] = {}

    # ---- likeness ----------------------------------------------------------------------------------------------------------

    def _weigh_terms(self) -> None:
        counted = [terms.paper_terms(paper) for paper in self.papers]
        self._rare = terms.rarity(counted)
        self._columns = {term: column for column, term in enumerate(sorted(self._rare))}
        rows = [self._weighed(terms.vector(each, self._rare)) for each in counted]
        self._vectors = SparseRows([columns for columns, _ in rows], len(self._columns), [weights for _, weights in rows])
        self._by_term = self._vectors.transposed()
        self.common: Floats = self._vectors.sums() / max(self.size, 1)
        """The mean of the pool: what everybody writes about this week."""
        self.commonness = self._vectors.times(self.common)

    def _weighed(self, vector: Mapping[str, float]) -> tuple[list[int], list[float]]:
        return [self._columns[term] for term in vector], list(vector.values())

    def others(self, papers: Mapping[str, Paper], named: Sequence[str]) -> tuple[SparseRows, SparseRows, Floats]:
        """For papers by identifier, of the pool or among `papers`, a row each: terms, people of the pool, likeness to the pool.

        A row is empty for a paper that nobody knows. A paper is not like itself: we look for others like it.
        """
        rows = [self._row(name, papers) for name in named]
        vectors = SparseRows([columns for columns, _, _ in rows], len(self._columns), [weights for _, weights, _ in rows])
        people = SparseRows([people for _, _, people in rows], len(self._people))
        likeness = vectors.times_sparse(self._by_term)
        for row, name in enumerate(named):
            if (position := self.positions.get(name)) is not None:
                likeness[row, position] = 0.0
        return vectors, people, likeness

    def _row(self, name: str, papers: Mapping[str, Paper]) -> tuple[list[int], list[float], list[int]]:
        if (found := self._rows.get(name)) is not None:
            return found
        position = self.positions.get(name)
        paper = self.papers[position] if position is not None else papers.get(name)
        if paper is None:
            return [], [], []
        columns, weights = self._weighed(terms.vector(terms.paper_terms(paper), self._rare))
        people = [self._people[n] for n in dict.fromkeys(map(name_words, paper.authors)) if n in self._people]
        if len(self._rows) >= MOST_KEPT:
            self._rows.clear()
        self._rows[name] = columns, weights, people
        return columns, weights, people

    # ---- wishes ------------------------------------------------------------------------------------------------------------

    def _hold_words(self) -> None:
        titles = [terms.all_terms(paper.title) for paper in self.papers]
        rest = [terms.all_terms(f"{' '.join(paper.keywords)} {paper.abstract}") for paper in self.papers]
        self._texts = [[*title, "", *more] for title, more in zip(titles, rest, strict=True)]
        known = sorted({term for text in self._texts for term in text if term})
        self._words = {term: column for column, term in enumerate(known)}
        holds = SparseRows([[self._words[t] for t in dict.fromkeys(text) if t] for text in self._texts], len(known))
        self._held_by = holds.transposed()
        self._titles_with = SparseRows(
            [[self._words[t] for t in dict.fromkeys(title)] for title in titles], len(known)
        ).transposed()
        self._scarce: Floats = 1.0 + np.log((1 + self.size) / (1 + holds.sums()))
        self._unheard = 1.0 + math.log(1 + self.size)

    def fulfilled(self, kind: str, wishes: Sequence[str]) -> Floats:
        """How far each wish is fulfilled by each paper: from 1 on wholly, less in part, 0 not at all.

        `kind` is a field of Interests: a word may be any query, a category stands for all below it.
        """
        new = [wish for wish in dict.fromkeys(wishes) if (kind, wish) not in self._fulfilled]
        if len(self._fulfilled) + len(new) > MOST_KEPT:
            self._fulfilled.clear()
            new = list(dict.fromkeys(wishes))
        ways = {"words": self._by_words, "categories": self._by_category, "authors": self._by_author}
        for wish, row in zip(new, ways[kind](new), strict=True):
            self._fulfilled[kind, wish] = row
        found = [self._fulfilled[kind, wish] for wish in wishes]
        return np.array(found) if found else np.zeros((0, self.size))

    def _by_words(self, wishes: Sequence[str]) -> Floats:
        queries = [parse_query(wish) for wish in wishes]
        shares = self._shares([query.words if query.wordy else () for query in queries])
        for row, query in enumerate(queries):
            if not query.wordy:
                shares[row] = [float(self._answers(position, query)) for position in range(self.size)]
            if query.unwanted:
                shares[row] *= [not self._unwanted(position, query.unwanted) for position in range(self.size)]
        return shares

    def _shares(self, wanted: Sequence[tuple[str, ...]]) -> Floats:
        """The share of each wish's words that each paper holds, by rarity; more than 1 where the title holds them all."""
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
        partly = np.where(held >= LEAST_SHARE, PARTLY * held, 0.0)
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
            and (not query.categories or any(below))
            and all(any(answers_to(name, author) for name in self.names[position]) for author in query.authors)
            and all(_in_order(text, terms.all_terms(" ".join(phrase))) for phrase in query.phrases)
        )

    def _unwanted(self, position: int, unwanted: Unwanted) -> bool:
        paper, text, names = self.papers[position], self._texts[position], self.names[position]
        words = telling(unwanted.words)
        return (
            any(_in_order(text, terms.all_terms(word)) for word in words)
            or any(word in name for word in map(_plainly, words) for name in names)
            or any(_in_order(text, terms.all_terms(" ".join(phrase))) for phrase in unwanted.phrases)
            or any(answers_to(name, author) for name in names for author in unwanted.authors)
            or any(_within(own.lower(), category) for own in paper.categories for category in unwanted.categories)
        )

    def _by_category(self, wishes: Sequence[str]) -> Floats:
        own = [[category.lower() for category in paper.categories] for paper in self.papers]
        table = [[float(any(_within(each, wish.lower()) for each in some)) for some in own] for wish in wishes]
        return np.array(table).reshape(len(wishes), self.size)

    def _by_author(self, wishes: Sequence[str]) -> Floats:
        rows = np.zeros((len(wishes), len(self._people)))
        by_surname: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for name, column in self._people.items():
            by_surname.setdefault(name[-1], []).append((name, column))
        for row, wish in enumerate(wishes):
            asked = name_words(wish)
            for name, column in by_surname.get(asked[-1], ()) if asked else ():
                rows[row, column] = answers_to(name, asked)
        found: Floats = np.minimum(self.written_by.times(rows.T).T, 1.0)
        return found

    @staticmethod
    def is_by(author: str, wish: str) -> bool:
        return answers_to(name_words(author), name_words(wish))

    def author_among(self, position: int, people: Set[int]) -> str:
        """The first author of a paper that is among `people` (columns of `written_by`)."""
        found = zip(self.papers[position].authors, self.names[position], strict=True)
        return next(author for author, name in found if name and self._people[name] in people)


def _within(category: str, wanted: str) -> bool:
    return category == wanted or category.startswith(f"{wanted}.")


def _plainly(word: str) -> str:
    """As it stands in a name: without accents."""
    return " ".join(name_words(word))


def _in_order(text: list[str], phrase: list[str]) -> bool:
    return any(term == phrase[0] and text[i : i + len(phrase)] == phrase for i, term in enumerate(text))


# ---- names of authors, however they are written ------------------------------------------------------------------------------


_WORD = re.compile(r"[^\W_]+")


def name_words(author: str) -> tuple[str, ...]:
    """Given names first, without accents, dots or case: "LeCun, Yann", "Yann LeCun" and "yann lecun" are one name."""
    last, comma, first = author.partition(",")
    text = unicodedata.normalize("NFKD", (f"{first} {last}" if comma else author).casefold())
    return tuple(_WORD.findall("".join(c for c in text if not unicodedata.combining(c))))


def answers_to(name: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether the author `name` is meant by `asked`: a surname alone, initials for given names, middle names left out."""
    if not name or not asked or name[-1] != asked[-1]:
        return name == asked
    rest = iter(name[:-1])
    return all(any(given == part or (len(part) == 1 and given.startswith(part)) for given in rest) for part in asked[:-1])
