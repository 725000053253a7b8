"""One line on what a paper contributes: the source's own, or the sentence of the abstract that says it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from digest.domain.paper import Paper, Ranked, Summary
from digest.ranking.cues import FINDING, FURTHER, MAKES, TOPIC, against, cues, is_poor, is_topic
from digest.ranking.sentences import LONGEST, LONGEST_WHOLE, closed, sentences, shortened, uncounted
from digest.ranking.standalone import (
    Name,
    coined_name,
    holds,
    points_back,
    sums_up,
    symbols,
    unset_symbols,
    without_openings,
    without_tail,
)
from digest.ranking.terms import terms
from digest.ranking.wording import worded

MOST_WEIGHED = 1_000
"""Characters of a sentence that are looked at."""
SHORTEST = 40
"""A sentence shorter than this says too little to stand alone."""
THIN = 75
"""Characters; a sentence shorter than this takes the next one where that goes on from it."""
WHOLE = 100
"""Characters that must be left of a sentence that is too long, so that it ends where it says enough."""
FEW = 6
"""… as does one of fewer terms, a coined name apart."""
MANY = 5
"""Sentences; the last of so many draws a conclusion, or says where the code is."""
TITLE = 2.0
"""What a sentence gains that holds every word of the title."""
NAME = 3.0
"""… and the one that brings in the name that the title coins."""
PAIR = 2.0
"""What a sentence gains that takes along the one it points at."""
LATER = 1.5
"""What a sentence loses where an earlier one says what the authors made or found: that is what the paper is about."""
SOLID = 2.0
"""What a sentence weighs that says enough: where one stands, none is taken that points back."""
WEAK = 1.0
"""A best sentence that weighs less says little, and takes another one where there is one of the authors'."""
SYMBOL = 0.75
"""What a sentence loses for each symbol that only an earlier sentence explains."""
ADDS = 3.0
"""What a second sentence must weigh to be put beside the first."""
ADDS_TO_THIN = 0.0
"""… beside one that says little."""
FOUND = 2.0
"""What it gains there that says what was found."""
BACK = 4.0
"""What a sentence loses for each word that points at what was said before it."""

# A macro of the authors' own, for the name of what they made, which the title tells.
_MACRO = re.compile(
    r"\\(?:[Oo]ur\w*|[Mm]ethod|[Nn]ame|[Mm]odel|[Ss]ys(?:tem)?|[Bb]ench(?:mark)?|(?!operator)\w+[Nn]ame)\b(?:\{\}|\\(?= ))?(?!\{)"
)
# A list of which only the first is there, or fits: "…, comprising: (1) a radar".
_FIRST_OF = re.compile(
    r",?(?: (?:comprising|including|namely|consisting of|with|as follows))?: ?\(?\b(?:1|i|a)\) (?!.*\(?\b(?:2|ii|b)\)).*$"
)
# A link or a citation within a sentence, and a space that another left before a comma.
_LINK = re.compile(
    r" \([^()]{0,40}https?://[^()]*\)| \(?https?://[^\s,)]+\)?(?=[,.;]? )| \((?:see|cf\.|e\.g\.|[, ])*\\cite[^()]*\)|(?<! of)(?<! in)(?<! by)(?<! to)(?<! from)(?<! with)[ ~]?\\cite\w*(?:\[[^\]]*\])*\{[^{}]*\}| \[(?:\d+(?:[,–-] ?\d+)*|[A-Z]\w{0,6}\d{2}\w?)\]|(?<=\w) (?=, )"
)
_TITLED = re.compile(r"([\w-]*[A-Z][\w-]*[A-Z0-9][\w-]*)\s?: ")
_GOES_ON = worded(
    r"^(?:(?:\w+ly, )?we (?:\w+ )?(?:<show>|observ)e?|it|its|they|their|this|these|our|specifically|in particular|concretely|by|here|each|first(?:ly)?|one|unlike|given|the|instead|rather)\b"
)
# Whose the work is: without any of these, a sentence is on what others did more often than not.
_AUTHORS = worded(r"\b(?:we|our|i|this <ours>|the paper|the present \w+|the authors?)\b")
_BARE = re.compile(r", an? (?:[\w-]+ ){0,2}(?:system|frame-?work|method|approach|model)\.$")
# Where symbols or cases are set up, or others' work is told, nothing is contributed.
_SET_UP = re.compile(
    r"^(?:let|suppose|assume|consider|recall|denote|given)\b|\b(?:is|are) (?:called|said to be)\b|\b(?:we|i) (?:call|say that)\b|^an? [^,]{3,60} is (?:an?|the)\b",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"\b(?:has|have) (?:\w+ly )?(?:been|become|shown|demonstrated|achieved|emerged|made|attracted|gained|led|garnered|advanced|revolutioni[sz]ed)\b"
    r"|\b(?:remains?|plays?|suffers?|struggles?|lacks?|requires?|relies|rely|faces?|offers?)\b"
    r"|\b(?:is|are) (?:an? |the )?(?:\w+ly )?(?:\w+ )?(?:important|crucial|critical|essential|fundamental|key|central|challenging|difficult|promising"
    r"|limited|widely|often|typically|increasingly|notoriously|vital)\b",
    re.IGNORECASE,
)  # fmt: skip


def summarise(paper: Paper) -> Summary | None:
    """The source's own line when there is one, else at most LONGEST characters taken from the abstract.

    Extracted text is the authors' words: never cut within a word or within maths, "…" where something was left off.
    None when the paper has neither.
    """
    if paper.summary is not None and paper.summary.text.strip():
        return paper.summary
    return _extracted(paper.title, paper.abstract)


@lru_cache(maxsize=2_000)
def _extracted(title: str, abstract: str) -> Summary | None:
    """Remembered: a paper is in several editions, and in each in two styles."""
    if titled := _TITLED.match(title):
        abstract = _MACRO.sub(lambda _: titled[1], abstract)
    every = [sentence[:MOST_WEIGHED] for sentence in sentences(abstract)]
    if not every:
        return None
    name = coined_name(title, every)
    named = frozenset(terms(title))
    lines = [_standing(every, place, name) for place in range(len(every))]
    unset = unset_symbols(lines, every, title)
    pairs = [_with_before(every, lines, place, unset) for place in range(len(every))]
    weights = [
        _weight(every[n], line, n, len(every), named, name, unset[n]) + PAIR * bool(pairs[n]) for n, line in enumerate(lines)
    ]
    made = [
        n for n, line in enumerate(lines) if MAKES.search(line) and not (points_back(line) or TOPIC.match(line) or is_poor(line))
    ]
    first = [w - LATER * (bool(made) and n > made[0] and not (name and n == name.place)) for n, w in enumerate(weights)]
    stands = [bool(pairs[n]) or not points_back(line) for n, line in enumerate(lines)]
    solid = any(weight >= SOLID for weight, stand in zip(first, stands, strict=True) if stand)
    best = max((n for n in range(len(lines)) if stands[n] or not solid), key=lambda n: first[n])  # of equals the first
    return Summary(text=pairs[best] or _fitting(every, lines, best, weights, unset, name), provenance="abstract")


def _standing(every: list[str], place: int, name: Name | None) -> str:
    """A sentence as it would be the summary: without what points back, as far as that can be left off."""
    line = without_openings(every[place])
    if name:
        line = name.restored(line, place, every[place - 1] if place else "")
    line = without_tail(uncounted(_LINK.sub("", line)), SHORTEST)
    if (found := _FIRST_OF.search(shortened(line, LONGEST_WHOLE))) and found.start() >= SHORTEST:
        line = uncounted(line[: found.start()] + ".")
    return closed(line, WHOLE) or line


def _weight(
    sentence: str, line: str, place: int, of: int, named: frozenset[str], name: Name | None, unset: frozenset[str]
) -> float:
    sounds = cues(sentence, line)
    weight = sounds - against(sentence, line)
    weight -= BACK * min(points_back(line), 2)
    if len(line) < SHORTEST:
        weight -= 3.0
    weight -= 1.5 * is_topic(line) + 1.5 * (len(line) > LONGEST_WHOLE)
    words = set(terms(line))
    # Words decide nothing where they are few, and a symbol says nothing where it was set up before.
    brings = bool(name and place == name.place)
    if not brings:  # which takes the next
        weight -= 0.75 * max(0, FEW - 1 - len(words.difference(terms(name.text) if name else ())))
    weight -= 0.75 * max(0, FEW // 2 - len(words - named))  # says what the title says
    weight -= SYMBOL * min(len(unset), 3)
    if _SET_UP.search(line):
        weight -= 3.0
    if sounds < 2 and _BACKGROUND.search(line):
        weight -= 2.0
    if of >= MANY and place == of - 1:
        weight -= 1.5
    if not (_AUTHORS.search(sentence) or sounds >= 2 or (name and name.is_in(line))):
        weight -= 3.0
    # Early rather than late, short rather than long, words rather than symbols, when the words decide nothing.
    weight -= 0.5 * place / of + max(0, len(line) - LONGEST) / 200 + 0.25 * max(0, line.count("$") // 2 - 2)
    weight -= 3.0 * ("\\[" in line or "$$" in line)
    if brings:
        weight += NAME if sounds >= 2 else NAME / 2
        weight += 2.0 * bool(FURTHER.search(sentence))
    # A title says what the paper is about.
    return weight + TITLE * len(named.intersection(words)) / len(named) if named else weight


def _with_before(every: list[str], lines: list[str], place: int, unset: list[frozenset[str]]) -> str:
    """A line that points back with the one it points at, where both fit; else ""."""
    line, before = lines[place], lines[place - 1]
    if (
        not place
        or not (points_back(line) or unset[place])
        or points_back(before)
        or unset[place - 1]
        or not (points_back(line) or unset[place] <= symbols(before))
        or not _AUTHORS.search(line)
    ):
        return ""
    rest = LONGEST_WHOLE - len(before) - 1
    if not (line := closed(line, SHORTEST, rest) if rest > SHORTEST else ""):
        return ""
    if len(set(terms(line)).difference(terms(before))) < FEW - 2:
        return ""
    both = f"{before} {line}"
    return both if sums_up(line) or not (points_back(both, len(both)) or is_poor(every[place - 1])) else ""


def _is_thin(line: str, name: Name | None) -> bool:
    """Whether it says little besides a name."""
    return len(line) < THIN or len(set(terms(line)).difference(terms(name.text) if name else ())) < FEW


def _fitting(
    every: list[str], lines: list[str], best: int, weights: list[float], unset: list[frozenset[str]], name: Name | None
) -> str:
    """The line, not too long; with another one that adds to it where both fit."""
    line = lines[best]
    weak = weights[best] < WEAK
    cut = line[-1:] == "." and line[-9:] not in every[best] and len(line) < WHOLE
    thin = bool(weak or cut or _is_thin(line, name) or _BARE.search(line) or is_topic(line))
    rest = LONGEST_WHOLE - len(line) - 1
    added: list[tuple[float, int, str]] = []
    for n, other in enumerate(lines):
        topic = is_topic(other)
        if n == best or is_poor(other) or (topic if n > best else not (topic or (thin and _AUTHORS.search(other)))):
            continue
        if len(set(terms(other)).difference(terms(line))) < (2 if weak else FEW - 2):
            continue
        back = points_back(other)
        goes_on = n == best + 1 and (back == 0 or not points_back(f"{line} {other}", LONGEST_WHOLE))
        if (back or any(not holds(line, each) for each in unset[n])) and not goes_on:
            continue
        worth = weights[n] + BACK * min(back, 2) + FOUND * bool(FINDING.search(other))
        worth += NAME * bool(name and n > best and other.startswith(name.text)) + bool(goes_on and _GOES_ON.match(every[n]))
        if worth >= (ADDS_TO_THIN if topic or (thin and n >= best - 1) else ADDS):
            whole = closed(other, THIN, rest) or (shortened(other, rest) if thin and n > best else "")
            if len(whole) >= SHORTEST and (whole[-1] != "…" or _AUTHORS.search(whole)):
                added.append((worth, -n, whole))
    if added:
        _, n, other = max(added)
        return f"{line} {other}" if -n > best else f"{other} {line}"
    return line if len(line) <= LONGEST_WHOLE else shortened(line)


def summarised(ranked: Ranked) -> Ranked:
    """The same, its paper summed up by a sentence of its abstract where it has no summary yet."""
    if ranked.paper.summary or (summary := summarise(ranked.paper)) is None:
        return ranked
    return replace(ranked, paper=replace(ranked.paper, summary=summary))
