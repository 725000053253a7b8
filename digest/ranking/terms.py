"""Words of papers as terms: what "the same topic" and "nearly the same paper" are measured on."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from digest.domain.paper import Paper

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_STOP = frozenset(
    """a about above across after against all also although among an and any are as at based be because been before being between
    beyond both but by can code could demonstrate do does each e.g et al even existing experiments extensive first for framework from
    further furthermore given has have here how however i.e if important improve in instead into introduce is it its itself large
    make many may method methods model models more moreover most must new no nor not novel of often on one only or other our out
    outperform over paper papers perform performance present propose proposed recent recently remains respectively results same
    several show shows significant significantly since so some state-of-the-art still study such task tasks than that the their
    them then there these they this those three through thus to too toward towards two under up upon us use used using various very
    via was we well were what when where whether which while who whose why will with within without work works would yet you your
    approach approaches achieve achieves across available data effective effectively evaluate high learning limited
    """.split()
)
# British to American, then endings: "generalisability" and "generalizability", "agents" and "agent" meet.
_SPELLING = (
    (re.compile(r"is(e[ds]?|ing|ation|ations|ability|able|er|ers)$"), r"iz\1"),
    (re.compile(r"our(s|ed|ing)?$"), r"or\1"),
)
_ENDINGS = (
    ("izations", "iz"), ("ization", "iz"), ("izability", "iz"), ("izable", "iz"), ("izing", "iz"), ("ized", "iz"), ("izes", "iz"),
    ("izers", "iz"), ("izer", "iz"), ("ize", "iz"), ("ations", "at"), ("ation", "at"), ("ating", "at"), ("ated", "at"), ("ates", "at"),
    ("ate", "at"), ("ally", "al"), ("ies", "y"), ("sses", "ss"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", ""),
    ("ers", "er"), ("ors", "or"), ("s", ""), ("e", ""),
)  # fmt: skip


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A light stem: one spelling for plurals, verb forms and British or American endings. Short words stay as they are."""
    if len(word) < 5 or not word.isascii():
        return word.removesuffix("s") if len(word) == 4 and word.isalpha() and not word.endswith("ss") else word
    for pattern, american in _SPELLING:
        word = pattern.sub(american, word)
    for ending, kept in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(kept) >= 3:
            if ending == "s":  # the singular may have an ending of its own: "images" meets "image"
                return word if word.endswith(("ss", "us", "is")) else stem(word[:-1])
            return word[: len(word) - len(ending)] + kept
    return word


def terms(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order. A compound ("test-time") counts as its parts and as itself."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if word in _STOP or (len(word) < 2 and not word.isdigit()):
            continue
        if "-" in word:
            found.extend(stem(part) for part in word.split("-") if len(part) > 1 and part not in _STOP)
        found.append(stem(word))
    return found


def all_terms(text: str) -> list[str]:
    """The stems of all words, in order: for what a reader asks for, where every word is meant."""
    return [stem(part) for word in _WORD.findall(text.casefold()) for part in re.split(r"[-'’]", word)]


def paper_terms(paper: Paper) -> Counter[str]:
    """Terms of title (three times: it says what the paper is about), keywords (twice) and abstract."""
    return text_terms(paper.title, " ".join(paper.keywords), paper.abstract)


def text_terms(title: str, keywords: str, abstract: str) -> Counter[str]:
    counted = Counter(terms(abstract))
    for text, weight in ((title, 3), (keywords, 2)):
        for term in terms(text):
            counted[term] += weight
    return counted


def rarity(counted: Iterable[Counter[str]]) -> dict[str, float]:
    """Inverse document frequency (smoothed, ≥ 1) of every term among `counted`."""
    papers: Counter[str] = Counter()
    total = 0
    for terms_of_one in counted:
        papers.update(terms_of_one.keys())
        total += 1
    return {term: 1.0 + math.log((1 + total) / (1 + seen)) for term, seen in papers.items()}


def vector(counted: Counter[str], rare: Mapping[str, float]) -> dict[str, float]:
    """Unit length; a term's weight is (1 + ln count) × rarity. Terms that `rare` does not know are left out."""
    weights = {term: (1.0 + math.log(count)) * rare[term] for term, count in sorted(counted.items()) if term in rare}
    length = math.sqrt(sum(w * w for w in weights.values()))
    return {term: w / length for term, w in weights.items()} if length else {}


def vectors(papers: Sequence[Paper]) -> list[dict[str, float]]:
    """One unit vector per paper, rarity measured among the papers themselves."""
    counted = [paper_terms(paper) for paper in papers]
    rare = rarity(counted)
    return [vector(each, rare) for each in counted]


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Cosine of two unit vectors: 0 nothing in common, 1 the same words."""
    if len(other) < len(one):
        one, other = other, one
    return math.fsum(weight * other[term] for term, weight in one.items() if term in other)
