"""Which papers are like one: the words to look for it by, and the order of what was found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from digest.domain.paper import Paper
from digest.ranking import terms

_WORD = re.compile(r"[^\W_]{3,}")
MOST_WORDS = 16


def distinctive_words(paper: Paper, most: int = MOST_WORDS) -> dict[str, int]:
    """The words that a paper says most, title first, one of each stem: how often it says them, the title counting three times."""
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for text, weight in ((paper.title, 3), (" ".join(paper.keywords), 2), (paper.abstract, 1)):
        for word in _WORD.findall(text.lower()):
            for term in terms.terms(word):
                counts[term] += weight
                spelled.setdefault(term, word)
    return {spelled[term]: count for term, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]}


def rarest(counts: Mapping[str, int], papers: Mapping[str, int], most: int) -> list[str]:
    """The words to find kin by: often here, seldom elsewhere (`papers`: in how many). What nobody else says finds nobody."""
    shared = [word for word in counts if papers.get(word, 0) > 1]
    return sorted(shared, key=lambda word: (papers[word] / counts[word], word))[:most]


def most_alike(
    paper: Paper, others: Sequence[Paper], most: int, vectors: Mapping[int, bytes] | None = None
) -> list[tuple[Paper, float]]:
    """The papers that share most with one, best first, with their likeness (0…1). Itself is not among them.

    `vectors` are sentence vectors by paper id, of as many papers as have one.
    """
    found = [other for other in others if other.id != paper.id]
    one, *rest = terms.vectors([paper, *found])
    likeness = [terms.likeness(one, other) for other in rest]
    if vectors and paper.id in vectors:
        from digest.ranking.sentence_vectors import blended_with_one

        likeness = blended_with_one(vectors[paper.id], likeness, [vectors.get(other.id, b"") for other in found])
    order = sorted(range(len(found)), key=lambda i: (-round(likeness[i], 6), found[i].identifier))
    return [(found[i], likeness[i]) for i in order[:most] if likeness[i] > 0]
