"""What a paper's text alone says about the votes it may get: all there is to go by in its first hours.

A weight for each telling word of title and abstract and for the shape of the paper (how many authors, how long), fitted on
papers whose votes are known. 0 is the average paper; +1 means about e times its votes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.domain.paper import Paper
from digest.ranking.terms import terms

_WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
MOST_AUTHORS = 60


@dataclass(frozen=True, slots=True)
class TextPrior:
    """`shape` has (usual value, weight) by name; `centre` is what the average abstract's words add up to."""

    title: Mapping[str, float] = field(default_factory=dict)
    abstract: Mapping[str, float] = field(default_factory=dict)
    shape: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    centre: float = 0.0

    def of(self, paper: Paper) -> float:
        """0 where the abstract is unknown: a title alone says too little."""
        if not paper.abstract:
            return 0.0
        # fsum is exact, so the order of a set plays no part
        terms = [self.title[word] for word in words(paper.title) if word in self.title]
        terms += [self.abstract[word] for word in words(paper.abstract) if word in self.abstract]
        for name, value in shape(paper).items():
            if name in self.shape:
                usual, weight = self.shape[name]
                terms.append(weight * (value - usual))
        return math.fsum(terms) - self.centre

    def distinctive_words(self, paper: Paper, least: float = 0.05, most: int = 2) -> list[str]:
        """The words of the title that speak for it most, best first; none that every title may have."""
        found = sorted((-weight, word) for word in words(paper.title) if (weight := self.title.get(word, 0.0)) >= least)
        return [word for _, word in found if terms(word)][:most]


def words(text: str) -> frozenset[str]:
    """The distinct words of a text, as written but for case. A compound ("test-time") is one word."""
    return frozenset(_WORD.findall(text.lower()))


def shape(paper: Paper) -> dict[str, float]:
    """Figures about a paper's form. What the source did not tell is left out."""
    found = {"title_words": math.log(len(paper.title.split()) or 1), "title_colon": float(":" in paper.title)}
    if paper.authors:
        found["authors"] = math.log(min(len(paper.authors), MOST_AUTHORS))
    if paper.abstract:
        found["abstract_words"] = math.log(1 + len(paper.abstract.split()))
    return found
