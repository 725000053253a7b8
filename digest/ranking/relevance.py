"""Personal picks: what a reader cares about × what is trending, over an edition's pool, with the reason for each.

score = trend + relevance, both in 0…1 of their own scale: trend is the paper's place in the pool, relevance the sum of what
matches (words, categories, authors, papers liked, minus papers disliked). Mutes are absolute. One pick in ten is the pool's best
paper outside the reader's interests, so that a profile never closes in on itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.domain.edition import Pooled
from digest.domain.paper import Paper, Reason
from digest.domain.subscriber import Interests
from digest.ranking import terms

WORD, CATEGORY, AUTHOR, LIKED, DISLIKED = 1.0, 0.5, 1.5, 1.2, 1.0
"""What a full match adds; a paper at the top of the pool has trend 1."""
LIKE_ENOUGH = 0.12
"""Likeness from which a paper counts as similar to one that was liked."""
SERENDIPITY_FROM = 5
"""Readers of at least so many picks get one from outside their interests."""


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
    pool: Sequence[Pooled], readers: Sequence[Reader], outside: Mapping[str, str] | None = None
) -> list[tuple[PersonalPick, ...]]:
    """Each reader's picks, best first. `outside` has title and abstract of liked papers that are not in the pool.

    A reader without interests gets the list's ranking less what they already had. Pure and deterministic.
    """
    shelf = _Shelf(pool, outside or {})
    return [shelf.picks_for(reader) for reader in readers]


@dataclass(frozen=True, slots=True)
class _Match:
    value: float
    reason: Reason


class _Shelf:
    """The pool, prepared once for all readers."""

    def __init__(self, pool: Sequence[Pooled], outside: Mapping[str, str]) -> None:
        self._pool = pool
        self._papers = [each.ranked.paper for each in pool]
        counted = [terms.paper_terms(paper) for paper in self._papers]
        self._rare = terms.rarity(counted)
        self._vectors = [terms.vector(each, self._rare) for each in counted]
        self._terms = [frozenset(each) for each in counted]
        self._authors = [frozenset(_name(author) for author in paper.authors) for paper in self._papers]
        self._known = {str(i): position for position, paper in enumerate(self._papers) for i in paper.identifiers}
        self._outside = dict(outside)
        self._likes: dict[str, Mapping[str, float]] = {}

    def picks_for(self, reader: Reader) -> tuple[PersonalPick, ...]:
        interests = reader.interests
        open_to = [position for position, paper in enumerate(self._papers) if self._may(paper, position, reader)]
        matches = {position: tuple(self._matches(position, interests)) for position in open_to}
        score = {position: self._trend(position) + sum(m.value for m in matches[position]) for position in open_to}
        ranked = sorted(open_to, key=lambda position: (-score[position], position))
        chosen = ranked[: reader.wanted]
        if interests and reader.wanted >= SERENDIPITY_FROM and all(matches[position] for position in chosen):
            surprise = next((position for position in open_to if not matches[position]), None)
            if surprise is not None:
                chosen[-1] = surprise
        return tuple(PersonalPick(position, self._reasons(position, matches[position], interests)) for position in chosen)

    def _trend(self, position: int) -> float:
        return 1.0 - position / max(len(self._papers), 1)

    def _may(self, paper: Paper, position: int, reader: Reader) -> bool:
        """Not had before, not withdrawn, and nothing of it muted."""
        if paper.id in reader.already or paper.withdrawn:
            return False
        if any(_name(muted) in self._authors[position] for muted in reader.interests.muted_authors):
            return False
        return not any(self._says(position, word) for word in reader.interests.muted_words)

    def _says(self, position: int, words: str) -> bool:
        wanted = terms.terms(words)
        return bool(wanted) and all(term in self._terms[position] for term in wanted)

    def _matches(self, position: int, interests: Interests) -> Iterator[_Match]:
        paper = self._papers[position]
        for words in interests.words:
            if self._says(position, words):
                yield _Match(WORD, Reason("interest", words))
        for category in interests.categories:
            if any(own == category or own.startswith(f"{category}.") for own in paper.categories):
                yield _Match(CATEGORY, Reason("category", category))
        for author in interests.authors:
            if _name(author) in self._authors[position]:
                yield _Match(AUTHOR, Reason("author", f"by {next(a for a in paper.authors if _name(a) == _name(author))}"))
        if best := max((self._likeness(position, liked), liked) for liked in (*interests.liked, "")):
            likeness, liked = best
            if likeness >= LIKE_ENOUGH:
                yield _Match(LIKED * min(1.0, 2 * likeness), Reason("similar", f"you liked {self._title(liked)}"))
        for disliked in interests.disliked:
            likeness = self._likeness(position, disliked)
            if likeness >= LIKE_ENOUGH:
                yield _Match(-DISLIKED * min(1.0, 2 * likeness), Reason("disliked", ""))

    def _likeness(self, position: int, identifier: str) -> float:
        if not identifier:
            return 0.0
        known = self._known.get(identifier)
        if known is not None:
            return terms.likeness(self._vectors[position], self._vectors[known]) if known != position else 0.0
        if identifier not in self._likes:
            title, _, abstract = self._outside.get(identifier, "").partition("\n")
            self._likes[identifier] = terms.vector(terms.text_terms(title, "", abstract), self._rare)
        return terms.likeness(self._vectors[position], self._likes[identifier])

    def _title(self, identifier: str) -> str:
        known = self._known.get(identifier)
        title = self._papers[known].title if known is not None else self._outside.get(identifier, "").partition("\n")[0]
        return f"“{title[:60].rsplit(' ', 1)[0] if len(title) > 60 else title}”" if title else identifier

    def _reasons(self, position: int, matches: Sequence[_Match], interests: Interests) -> tuple[Reason, ...]:
        own = self._pool[position].ranked.reasons
        because = [match.reason.text for match in matches if match.value > 0]
        if because:
            return (Reason("interest", f"because: {', '.join(because[:3])}"), *own)
        return (*own, Reason("serendipity", "outside your interests")) if interests else own


def _name(author: str) -> str:
    """ "LeCun, Yann" and "yann lecun" are one name."""
    last, comma, first = author.partition(",")
    return " ".join((f"{first} {last}" if comma else author).casefold().split())
