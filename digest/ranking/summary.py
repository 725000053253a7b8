"""One line on what a paper contributes: the source's own, or the sentence of the abstract that says it."""

from __future__ import annotations

import re

from digest.domain.paper import Paper, Summary

LONGEST = 240
"""Characters, the ellipsis included."""
SHORTEST = 40
"""A sentence shorter than this says too little to stand alone."""

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
_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[\"'“‘(\[$\\]*[A-Z0-9$\\])")
# One piece that must not be cut: maths in its delimiters, or a LaTeX command with its argument.
_WHOLE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[A-Za-z]+(?:\{[^{}]*\})+", re.DOTALL)

# What a contribution sounds like, strongest first: (pattern, weight).
_CUES = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (r"\b(?:in|with) this (?:paper|work|study|report|article|survey),? (?:we|i)\b", 5.0),
        (r"\b(?:we|i) (?:(?:therefore|thus|then|also|further|first|hereby|formally)\s)?(?:propose|introduce|present|develop|design|build|release"
         r"|unveil|describe|contribute|construct|devise|create|open-source|formali[sz]e)\b", 4.0),
        (r"\bthis (?:paper|work|study|report|article|survey) (?:\w+ )?(?:proposes|introduces|presents|develops|describes|studies|investigates"
         r"|examines|provides|shows|addresses|explores|offers|surveys|reviews|proves|establishes)\b", 4.5),
        (r"\b(?:we|i) (?:(?:systematically|empirically|theoretically)\s)?(?:show|prove|demonstrate|find|study|investigate|derive|establish|examine"
         r"|analy[sz]e|reveal|explore|revisit|identify|address|argue|observe|characteri[sz]e|report)\b", 2.5),
        (r"\b(?:is|are) (?:proposed|introduced|presented|developed|proved|proven|derived|established|shown)\b", 2.0),
        (r"\b(?:called|named|dubbed|termed|namely)\b|\ba (?:novel|new|simple|unified|general)\b|\bthe first\b", 1.0),
        (r"\b(?:outperform\w*|state-of-the-art|surpass\w*|improv\w+ .{0,40}(?:%|\\%|percent|times|×))", 0.8),
    )
)  # fmt: skip
_AGAINST = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (r"\b(?:code|data|dataset|models?|weights|demo|project page|website)\b.{0,60}\b(?:available|released|found|public\w*)\b|https?://", 4.0),
        (r"^(?:however|recent(?:ly)?|while|although|despite|existing|current|traditional|previous|prior|most|many)\b", 1.5),
        (r"^(?:extensive )?(?:experiments?|evaluations?|experimental results|results)\b", 1.5),
        (r"^(?:it|they|these|this|those|such|here|moreover|furthermore|additionally|also|finally|specifically)\b(?! (?:paper|work|study|survey))", 1.0),
    )
)  # fmt: skip
_OPENING = re.compile(
    r"^(?:(?:in|with) this (?:paper|work|study|report|article),?\s+"
    r"|(?:to (?:address|tackle|solve|overcome|bridge|fill|mitigate|alleviate|remedy) (?:this|these|the)\b[^,$\\]{0,90}),\s+"
    r"|(?:therefore|thus|hence|here|specifically|motivated by this|to this end|to that end|in response|inspired by this|accordingly),\s+)",
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
    best = max(range(len(found)), key=lambda i: (_weight(found[i], i, len(found)), -i))
    line = _without_opening(found[best])
    return Summary(text=shortened(line), provenance="abstract")


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


def _weight(sentence: str, place: int, of: int) -> float:
    weight = sum(w for pattern, w in _CUES if pattern.search(sentence)) - sum(
        w for pattern, w in _AGAINST if pattern.search(sentence)
    )
    if len(sentence) < SHORTEST:
        weight -= 3.0
    # Told early rather than late, and short rather than long, when the words decide nothing.
    return weight - 0.5 * place / of - max(0, len(sentence) - LONGEST) / 200


def _without_opening(sentence: str) -> str:
    rest = _OPENING.sub("", sentence, count=1)
    return rest[:1].upper() + rest[1:] if rest[:1].islower() else rest
