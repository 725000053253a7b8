"""Where the sentences of an abstract end, and how one is made shorter without a cut within a word, maths or brackets."""

from __future__ import annotations

import re

from digest.ranking.wording import worded

LONGEST = 240
"""Characters of a summary, the ellipsis included."""
LONGEST_WHOLE = 280
"""… of one that would lose what it says if it were shorter, or of two sentences."""
MOST_READ = 6_000
"""Characters of an abstract that are looked at: an honest one has half of that, and a hostile one must cost no more time."""

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
    "i.i.d.",
)
_OPENS = re.compile(r"\s+(?:We|Our|In this|This|Here|To|However)\b")
"""After "etc." and the like, what begins a sentence all the same."""
_END = re.compile(
    r"[.!?][\"'”’)\]}]*(?=\s+[\"'“‘(\[$\\]*[A-Z0-9$\\])"
    # … or before a small "we", a slip
    r"|(?<=[a-z)]{2})\.(?=\s+we\s)"
    # … or without a space, as the lines of an abstract were joined: "text.Next one"
    r"|(?:(?<=[a-z]{3})|(?<=[)\]%]))[.!?](?=(?:A|I|[A-Z][a-z]+)[\s,])"
)
# One piece that must not be cut: maths in its delimiters, or a LaTeX command with its argument.
_WHOLE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[A-Za-z]+(?:\{[^{}]*\})+", re.DOTALL)
_DISPLAYED = re.compile(r"(\$\$[^$]*\$\$|\\\[[^\[\]]*\\\])")
# The mark of a LaTeX comment, left where its line was joined to others: "ends. % Next", not "5 % of".
_COMMENT = re.compile(r"(?<![\\\d\s])\s%\s?(?=[A-Za-z])")
_INITIAL = re.compile(r"\b[A-Z]\.$")
# Where what follows only adds: a list after a colon, a clause that comments on what was said.
_ADDITION = re.compile(
    r"(?:: |; |\. | -{2,3} | [–—] |, (?=(?:which|where|while|whereas|thereby|thus|hence|with|and (?:we|show|demonstrate|prove|establish"
    r"|evaluate|propose|present|introduce|release|provide|have|has)|\w+(?:ing|ly \w+ing))\b(?!-))| (?=\(?(?:2|ii)\)))"
)


def sentences(text: str) -> list[str]:
    """The sentences of an abstract, whitespace folded. Maths, abbreviations, initials and decimals end no sentence."""
    text = _COMMENT.sub(" ", text[:MOST_READ])
    folded = " ".join(_DISPLAYED.sub(r" \1 ", text).split())
    whole = spans(folded)
    found, start = [], 0
    for match in _END.finditer(folded):
        before = folded[max(start, match.end() - 12) : match.start() + 1]
        if (
            (before.casefold().endswith(_ABBREVIATIONS) and not _OPENS.match(folded, match.end()))
            or _INITIAL.search(before)
            or inside(match.end(), whole)
        ):
            continue
        if _within_brackets(folded, start, match.end()):
            continue
        found.append(folded[start : match.end()].strip())
        start = match.end()
    if rest := folded[start:].strip():
        found.append(rest)
    return found


def uncounted(text: str) -> str:
    """Without a number of parts that only a next sentence names: "…, via three innovations."."""
    return _PARTS.sub(".", text)


def _within_brackets(text: str, start: int, end: int) -> bool:
    """Whether a bracket opened since `start` is closed soon after `end`: one that never is was a slip."""
    for opening, closing in ("()", "[]"):
        depth = text.count(opening, start, end) - text.count(closing, start, end)
        for char in text[end : end + 120] if depth > 0 else "":
            depth += (char == opening) - (char == closing)
            if depth == 0:
                return True
    return False


def spans(text: str) -> list[tuple[int, int]]:
    """What must not be cut: maths and LaTeX commands."""
    return [match.span() for match in _WHOLE.finditer(text)]


def inside(place: int, whole: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in whole)


def is_open(text: str) -> bool:
    """Whether a bracket or maths is left open at its end."""
    return text.count("(") > text.count(")") or text.count("[") > text.count("]") or text.count("$") % 2 == 1


def ends_well(text: str) -> bool:
    """Whether a sentence may end there: not within brackets or maths, nor on a word that asks for more."""
    return not is_open(text) and not _DANGLING.search(text)


def shortened(text: str, longest: int = LONGEST) -> str:
    """`text` if it is short enough, else cut at the end of a clause (or word) outside maths and brackets, with "…"."""
    if len(text) <= longest:
        return text
    whole = spans(text)
    places = [i for i in range(longest) if text[i] == " " and not inside(i, whole) and text.count("$", 0, i) % 2 == 0]
    places = [i for i in places if text.count("(", 0, i) <= text.count(")", 0, i)] or places
    clauses = [i for i in places if text[i - 1] in ",;:—–" and i >= longest // 2]
    end = (clauses or places or [0])[-1]
    return text[:end].rstrip(" ,;:—–-(") + "…" if end else ""


_NO_END = frozenset(
    "a an the and or but nor of for in on at to with without via by from as into onto toward towards through under over using"
    " between beyond among against during within across per is are be was were can do does how when where what why which that"
    " its their our your than & + – — - | vs vs. versus".split()
)


def title_shortened(title: str, longest: int) -> str:
    """At most `longest` characters of a title, cut where a clause or a word ends that may stand last."""
    if len(title) <= longest:
        return title
    *kept, last = (shortened(title, longest) or f"{title[: longest - 1]}…").removesuffix("…").split(" ")
    while kept and last.lower() in _NO_END:
        *kept, last = kept
    text = " ".join([*kept, last]).rstrip(" ·,;:—–-")
    return text if text.endswith(("?", "!")) else f"{text}…"


def closed(text: str, least: int, longest: int = LONGEST) -> str:
    """`text` if it is short enough; else without what it only adds ("…: a, b and c", "…, which …"), as a sentence that ends; ""
    where less than `least` or more than `longest` characters would be left.
    """
    if len(text) <= longest:
        return text
    whole = spans(text)
    for match in reversed(
        [
            *(_RELATIVE.finditer(text, min(least, 75), longest) if len(text) > LONGEST_WHOLE and _OFFER.match(text) else ()),
            *_ADDITION.finditer(text, least, longest + 2),
        ]
    ):
        head = text[: match.start()]
        if _SUBORDINATE.match(head) and not _MAIN.search(head):
            continue
        if match[0].strip() and not match[0].strip(" -–—") and text.count(match[0]) > 1:
            continue  # what is within dashes
        if match[0] == ": " and len(text) <= LONGEST_WHOLE:
            continue
        if len(counted := _COUNTED.sub("", head)) >= least:
            head = counted
        if not inside(match.start(), whole) and ends_well(head) and not _UNFINISHED.search(head):
            return head.rstrip(" ,;:–—-") + "."
    return ""


# "… along three dimensions:": which, the list would say.
_PARTS = worded(
    r",? (?:across|along|via|through|with|by|comprising|consisting of|including|based on) (?:the )?(?:following )?<several> "
    r"(?:[\w-]+ ){0,2}<part>s?\.$",
    re.NOFLAG,
)
_COUNTED = worded(
    r",?(?: (?:\w+ly )?\w+ed)? (?:across|along|in|on|via|through|with|into|by|under|from|comprising|consisting of|including|based on) (?:the )?(?:following )?"
    r"(?:<several>|\d+) (?:[\w-]+ ){0,3}[\w-]+s(?:: \(?(?:1|i)\)[^.;]*)?$"
)
# A first clause ("Inspired by …"), and where the main one begins.
_SUBORDINATE = re.compile(
    r"(?:inspired|motivated|based|building|built|using|while|although|given|unlike|despite|to|by|as|if|when|since|because) ",
    re.IGNORECASE,
)
_MAIN = re.compile(r", (?:we|i|this|these|our|the|an?|it|one|[A-Z][\w-]*) ")
_OFFER = worded(r"(?:we|this \w+) <make>\w* ")
_RELATIVE = re.compile(r" (?=(?:that|by \w+ing|designed to) )")
# What asks for more: an article, a link word, an adjective without its noun, "a framework" of which nothing is said.
_DANGLING = worded(
    r", an? (?:[\w-]+ ){0,2}(?:system|frame-?work|method|approach|model)$|\ban? (?:\w+ly )?(?:novel|new|simple|unified|general|large|first|\w+-\w+(?:ed|free|based))$"
    r"|(?:\b(?:that|as follows|the following|following|namely|such|we|is|are|to|by|of|into|with|for|from|via|as|the|an?|and|or|when|whenever"
    r"|where|if|because|while|although|than|in (?:response|order|addition|contrast|relation|comparison)|due|according|compared|based|able|designed|respect|called|e\.g\.|i\.e\.|\d\)?)|,)\W*$|\b(?:we|i) (?:\w+ly )?\w+$"
    r"|\b(?:(?:<show>|<imply>)e?s?|argues?|concludes?|conjectures?|verify|verifies)$"
)
# Only the first of a list, or what a list would say: "… three components".
_UNFINISHED = worded(
    r"[: ]\(?(?:1|i|a)\) (?!.*\b(?:2|ii|b)\)).*$"
    r"|\b<several> [^:]*: [^:]*$"
    r"|\b<part>s$"
    r"|\b(?:<several>|\d+) (?:[\w-]+ ){0,3}[\w-]+s$"
)
