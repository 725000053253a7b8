"""One line on what a paper contributes: the source's own, or the sentence of the abstract that says it."""

from __future__ import annotations

import re
from dataclasses import replace

from digest.domain.paper import Paper, Ranked, Summary
from digest.ranking.terms import terms

LONGEST = 240
"""Characters, the ellipsis included."""
SHORTEST = 40
"""A sentence shorter than this says too little to stand alone."""
TITLE = 2.0
"""What a sentence gains that holds every word of the title."""

_ABBREVIATIONS = (
    "e.g.",
    "i.e.",
    "et al.",
    "etc.",
    "vs.",
    "cf.",
    "fig.",
    "eq.",
    "sec.",
    "tab.",
    "approx.",
    "resp.",
    "w.r.t.",
    "dr.",
    "no.",
)
_END = re.compile(
    r"[.!?][\"'”’)\]]*(?=\s+[\"'“‘(\[$\\]*[A-Z0-9$\\])"
    # … or without a space, as the lines of an abstract were joined
    r"|(?<=[a-z]{3})\.(?=(?:To|In|We|This|The|These|Our|However|It|An?|For|Here)\s)"
)
# One piece that must not be cut: maths in its delimiters, or a LaTeX command with its argument.
_WHOLE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[A-Za-z]+(?:\{[^{}]*\})+", re.DOTALL)

# What a contribution sounds like, strongest first: (pattern, weight).
_CUES = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (r"\b(?:in|with) this (?:paper|work|study|report|article|survey|note|letter|thesis),? (?:we|i)\b", 5.0),
        (r"\b(?:we|i) (?:(?:\w+ly|therefore|thus|then|also|further|first|hereby)\s)?(?:propose|introduce|present|develop|design|build|release"
         r"|unveil|describe|contribute|construct|devise|create|open-source|formali[sz]e|survey|review)\b", 4.0),
        (r"\bthis (?:paper|work|study|report|article|survey|note|letter|thesis) (?:\w+ )?(?:proposes|introduces|presents"
         r"|develops|describes|studies|investigates|examines|provides|shows|addresses|explores|offers|surveys|reviews|proves|establishes)\b", 4.5),
        (r"\b(?:we|i) (?:(?:\w+ly|then|also|further|first)\s)?"
         r"(?:show|prove|demonstrate|find|study|investigate|derive|establish|examine|analy[sz]e|reveal|explore|revisit|identify|address|argue|observe|characteri[sz]e|report|obtain|determine|compute|give|extend"
         r"|generali[sz]e|classify|evaluate|compare|apply)\b", 2.5),
        (r"\bwe\b.{5,120}\band (?:propose|introduce|present)\b", 2.5),
        (r"\b(?:is|are) (?:proposed|introduced|presented|developed|proved|proven|derived|established|shown|given|obtained|studied|investigated)\b", 2.0),
        (r"\b(?:called|named|dubbed|termed|namely)\b|\ba (?:novel|new|simple|unified|general)\b|\bthe first\b", 1.0),
        (r"\b(?:outperform\w*|state-of-the-art|surpass\w*|improv\w+ .{0,40}(?:%|\\%|percent|times|×))", 0.8),
    )
)  # fmt: skip
_AGAINST = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (r"\b(?:code|data|dataset|models?|weights|demo|project page|website)\b.{0,60}\b(?:available|released|found|public\w*)\b|https?://", 4.0),
        (r"^(?:however|recent(?:ly)?|while|although|despite|existing|current|traditional|previous|prior|most|many)\b", 1.5),
        # What it is about was said in the sentence before: "We challenge that interpretation."
        (r"^(?:\S+ ){0,14}(?:this|that|these|those|such|the)(?: \w+)? "
         r"(?:issues?|problems?|challenges?|gaps?|interpretations?|agenda|questions?"
         r"|limitations?|assumptions?|views?|directions?|goals?|claims?|aims?|needs?|drawbacks?|bottlenecks?)[.!?]$", 4.0),
        (r"\bwe (?:hope|believe|conclude|conduct|discuss|release|open-source|publish|thank)\b", 2.0),
        (r"^(?:extensive )?(?:experiments?|evaluations?|experimental results|results)\b", 1.5),
        (r"\?$", 2.0),
        # A further contribution: the one it adds to says more.
        (r"\b(?:we|i) (?:then|also|further|furthermore|additionally|finally)\b|\bthe same (?:conclusion|holds|result|method)\b", 2.0),
        (r"^(?:it|they|these|this|those|such|here|moreover|furthermore|additionally|also|finally|specifically|first|second|third"
         r"|then|next)\b(?! (?:paper|work|study|survey))", 1.0),
    )
)  # fmt: skip
_OPENING = re.compile(
    r"^(?:(?:(?:in|with) this (?:paper|work|study|report|article|survey|note|letter|thesis|context|regard),?"
    r"|(?:to (?:address|tackle|solve|overcome|bridge|fill|close|mitigate|alleviate|remedy|resolve|meet) "
    r"(?:this|these|the|such)\b[^,$\\]{0,90}),"
    r"|(?:therefore|thus|hence|here|specifically|motivated by (?:this|these)[^,$\\]{0,60}|to this end|to that end|in response"
    r"|for this(?: purpose)?"
    r"|(?:inspired by|based on|building (?:on|upon)|built (?:on|upon)|leveraging) (?:this|these|the above)\b[^,$\\]{0,60}"
    r"|accordingly|consequently|in particular|instead|in contrast),)\s+)+",
    re.IGNORECASE,
)


def summarise(paper: Paper) -> Summary | None:
    """The source's own line when there is one, else at most LONGEST characters taken from the abstract.

    Extracted text is the authors' words: never cut within a word or within maths, "…" where something was left off.
    None when the paper has neither.
    """
    if paper.summary is not None and paper.summary.text.strip():
        return paper.summary
    found = sentences(paper.abstract)
    if not found:
        return None
    named = frozenset(terms(paper.title))
    best = max(range(len(found)), key=lambda i: _weight(found[i], i, len(found), named))  # of equals the first
    return Summary(text=shortened(_without_opening(found[best])), provenance="abstract")


def sentences(text: str) -> list[str]:
    """The sentences of an abstract, whitespace folded. Maths, abbreviations, initials and decimals end no sentence."""
    folded = " ".join(text.split())
    whole = [match.span() for match in _WHOLE.finditer(folded)]
    found, start = [], 0
    for match in _END.finditer(folded):
        before = folded[start : match.start() + 1]
        if before.casefold().endswith(_ABBREVIATIONS) or re.search(r"\b[A-Z]\.$", before) or _inside(match.start(), whole):
            continue
        found.append(folded[start : match.end()].strip())
        start = match.end()
    if rest := folded[start:].strip():
        found.append(rest)
    return found


def shortened(text: str, longest: int = LONGEST) -> str:
    """`text` if it is short enough, else cut at the end of a clause (or word) outside maths and brackets, with "…"."""
    if len(text) <= longest:
        return text
    whole = [match.span() for match in _WHOLE.finditer(text)]
    places = [i for i in range(longest) if text[i] == " " and not _inside(i, whole) and text.count("$", 0, i) % 2 == 0]
    places = [i for i in places if text.count("(", 0, i) <= text.count(")", 0, i)] or places
    clauses = [i for i in places if text[i - 1] in ",;:—–" and i >= longest // 2]
    end = (clauses or places or [0])[-1]
    return text[:end].rstrip(" ,;:—–-(") + "…" if end else ""


def _inside(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _weight(sentence: str, place: int, of: int, named: frozenset[str]) -> float:
    weight = sum(w for pattern, w in _CUES if pattern.search(sentence)) - sum(
        w for pattern, w in _AGAINST if pattern.search(sentence)
    )
    if len(sentence) < SHORTEST:
        weight -= 3.0
    # Told early rather than late, and short rather than long, when the words decide nothing.
    weight -= 0.5 * place / of + max(0, len(sentence) - LONGEST) / 200
    # A title says what the paper is about: of a name coined there, the sentence that brings it in.
    return weight + TITLE * len(named.intersection(terms(sentence))) / len(named) if named else weight


def _without_opening(sentence: str) -> str:
    rest = _OPENING.sub("", sentence, count=1)
    return rest[:1].upper() + rest[1:] if rest[:1].islower() else rest


def summarised(ranked: Ranked) -> Ranked:
    """The same, its paper summed up by a sentence of its abstract where it has no summary yet."""
    if ranked.paper.summary or (summary := summarise(ranked.paper)) is None:
        return ranked
    return replace(ranked, paper=replace(ranked.paper, summary=summary))
