"""How well papers answer to words: BM25 × the share of the words' rarity that a paper holds, more where words stand together.

Okapi BM25 (Robertson et al. 1994) over title, abstract and authors at once; a word in the title counts several times (BM25F).
The score depends on the texts and on how many papers hold each word, so that both databases give the same.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

from digest.ranking.sentences import sentences

Form = tuple[str, ...]
"""Words that follow each other; mostly one."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_PLAIN = re.compile("[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_TOKEN = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+")
"""Chinese and Japanese have no spaces: each character counts as a word there, and several in a row are a phrase."""
_CJK_RUN = re.compile(f"[{_CJK}]+")
_STEMMER = snowballstemmer.stemmer("english")

IN_TITLE = 5.0
"""How many times a word counts that the title holds."""
K1, B = 1.0, 0.6
USUAL_LENGTH = 190
"""Words of a usual paper, title and abstract."""
SHARE = 1.0
"""The power of the share of rarity held."""
TOGETHER = 0.6
"""What neighbours of the query add where they are near in the paper, as a share of the rarer one's rarity."""
NEAR = 5
"""So many words apart at most, in the same order or not."""
LONGEST = 6_000
"""Characters of an abstract that are read."""


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A word looked for, in any of its forms."""

    word: str
    """As typed, in lower case."""
    forms: tuple[Form, ...]
    papers: int
    """How many hold it."""
    gram: str = ""
    """Of Chinese, Japanese or Korean: the characters, which the word indexes do not know."""

    def rarity(self, of: int) -> float:
        """Inverse document frequency among `of` papers, as BM25 has it: above 0."""
        held = min(self.papers, of)
        return math.log1p((of - held + 0.5) / (held + 0.5))


@dataclass(frozen=True, slots=True)
class Text:
    id: int
    title: str
    abstract: str
    authors: str


@dataclass(frozen=True, slots=True)
class TextMatch:
    id: int
    score: float
    held: tuple[bool, ...]
    """Which of the terms."""


def tokens(text: str) -> list[str]:
    """Words in lower case and without accents; a Chinese, Japanese or Korean character each."""
    if text.isascii():
        return _PLAIN.findall(text.lower())
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return _TOKEN.findall(unicodedata.normalize("NFC", bare).lower())


def cjk_grams(text: str) -> list[str]:
    """Each Chinese, Japanese or Korean character of a text, and each two that stand together."""
    if text.isascii():
        return []
    runs = _CJK_RUN.findall(unicodedata.normalize("NFKC", text))
    return list(dict.fromkeys(gram for run in runs for gram in (*run, *map("".join, pairwise(run)))))


def cjk_parts(word: str) -> list[str]:
    """A word parted where the script changes."""
    return [word] if word.isascii() else re.findall(f"[{_CJK}]+|[^{_CJK}]+", unicodedata.normalize("NFKC", word))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    return str(_STEMMER.stemWord(word)) if word.isascii() else word


class _Places(dict[str, tuple[tuple[int, Form], ...]]):
    """Token → (number of the term, what must follow) of each form that begins with it. Learnt as tokens are met."""

    def __init__(self, terms: Sequence[SearchTerm]) -> None:
        self._by_stem: dict[str, list[tuple[int, Form]]] = {}
        self._starts: set[str] = set()
        for number, term in enumerate(terms):
            for words in (tokens(" ".join(form)) for form in term.forms):
                if stems := tuple(map(stem, words)):
                    places = self._by_stem.setdefault(stems[0], [])
                    places += [] if (number, stems[1:]) in places else [(number, stems[1:])]
                    self._starts |= {words[0][:2], stems[0][:2]}

    def __missing__(self, token: str) -> tuple[tuple[int, Form], ...]:
        # stemming takes long, and seldom changes how a word begins
        found = tuple(self._by_stem.get(stem(token), ())) if token[:2] in self._starts else ()
        self[token] = found
        return found


class TextMatcher:
    def __init__(self, terms: Sequence[SearchTerm], of: int) -> None:
        self.terms, self._of = terms, of
        self._rarity = [term.rarity(of) for term in terms]
        self._whole = sum(self._rarity) or 1.0
        self._places = _Places(terms)

    def best(self, texts: Iterable[Text]) -> list[TextMatch]:
        """Best first; of equals the newest."""
        return sorted(map(self._match, texts), key=lambda match: (-match.score, -match.id))

    def missing(self, match: TextMatch) -> tuple[str, ...]:
        """The words that it lacks."""
        return tuple(dict.fromkeys(term.word for term, held in zip(self.terms, match.held, strict=True) if not held))

    def rarity(self, term: SearchTerm) -> float:
        return term.rarity(self._of)

    def sentence(self, abstract: str) -> str:
        """The sentence that holds the most of the terms by rarity, the shorter of equals; "" where none holds any."""
        found = [(self._held_rarity(sentence), -len(sentence), sentence) for sentence in sentences(abstract[:LONGEST])]
        best = max(found, default=(0.0, 0, ""))
        return best[2] if best[0] else ""

    def _held_rarity(self, text: str) -> float:
        return math.fsum(rarity for rarity, places in zip(self._rarity, self._found(tokens(text)), strict=True) if places)

    def _found(self, words: list[str]) -> list[list[int]]:
        """Where each term is."""
        found: list[list[int]] = [[] for _ in self.terms]
        places = self._places
        starting = [(at, begun) for at, begun in enumerate(map(places.__getitem__, words)) if begun]  # most words begin none
        for at, begun in starting:
            for number, rest in begun:
                if not rest or tuple(map(stem, words[at + 1 : at + 1 + len(rest)])) == rest:
                    found[number].append(at)
        return found

    def _match(self, text: Text) -> TextMatch:
        title, abstract = tokens(text.title), tokens(text.abstract[:LONGEST])
        gap = [""] * (NEAR + 1)
        found = self._found([*title, *gap, *abstract, *gap, *tokens(text.authors)])
        norm = K1 * (1 - B + B * (len(title) + len(abstract)) / USUAL_LENGTH)
        score = share = 0.0
        for rarity, places in zip(self._rarity, found, strict=True):
            if places:
                titled = sum(at < len(title) for at in places)
                count = len(places) + (IN_TITLE - 1) * titled
                score += rarity * count * (K1 + 1) / (count + norm)
                share += rarity
        score *= (share / self._whole) ** SHARE
        for number, (one, other) in enumerate(pairwise(found)):
            if one and other and _near(one, other):
                score += TOGETHER * min(self._rarity[number], self._rarity[number + 1])
        return TextMatch(text.id, score, tuple(map(bool, found)))


def _near(one: list[int], other: list[int]) -> bool:
    """Whether any two places are at most NEAR apart; both lists ascend."""
    i = j = 0
    while i < len(one) and j < len(other):
        if abs(one[i] - other[j]) <= NEAR:
            return True
        if one[i] < other[j]:
            i += 1
        else:
            j += 1
    return False
