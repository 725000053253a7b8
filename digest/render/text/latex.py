"""LaTeX, HTML entities and inline tags in what a source says → readable Unicode.

The source's own text stays in the store; this is for eyes. Only islands are touched: `$…$`, a macro, an accent, a braced
word, a `<sub>`. An island either becomes readable as a whole or stays as it was written, so text that merely looks like LaTeX
("costs $5 and $10", "~100", "10%") is left alone. Symbols come from pylatexenc's table; its parser, which takes `%` for a
comment and raises on odd input, is not used.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape

from digest.render.text.mathtext import Unreadable, accented, math_text, scripted, symbol

LONGEST = 20_000
"""Characters; a longer text is only cleaned."""
_LONGEST_MATH = 1_500
_DEEPEST = 12

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]+")
"""Control characters, lone surrogates, and the bidi overrides that let a title rewrite the line it stands in."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SCRIPT_TAG = re.compile(r"<(?:jats:|mml:)?(su[bp])>([^<>]{1,40})</(?:jats:|mml:)?\1>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:jats:|mml:)?(?P<name>i|b|u|em|strong|it|italic|bold|sub|sup|sc|scp|tt|span|p|br|title|sec|math|mi|mo|mn|mrow|inf)\s*/?>",
    re.IGNORECASE,
)
_BLOCKS = frozenset({"p", "br", "title", "sec"})
_INTERESTING = re.compile(r"[\\${~`^_]|--")
_SCRIPT = re.compile(
    r"(?<![\w\\/.])(?P<base>[A-Za-z]|[A-Z]{1,2}[a-z]?|(?<=\b)\d{1,3})(?P<sign>[_^])(?P<arg>[+-]?\d{1,3}|\{[+-]?\d{1,3}\})(?![\w^]|\.\d)"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WRAPPERS = _words(
    "emph textit textbf textsc texttt textrm textsf textsl textup textmd textnormal text mbox hbox underline uline title"
    " ensuremath textquote enquote MakeUppercase mathrm url nolinkurl texorpdfstring"
)
_SWITCHES = _words(
    "em it bf rm sc tt sf sl itshape bfseries scshape ttfamily normalfont small footnotesize large Large tiny noindent"
    " xspace protect relax centering newline par maketitle bibliographystyle sloppy"
)
_DISPLAYS = _words("equation align gather multline displaymath math eqnarray flalign")
_REFERENCES = _words("cite citep citet citealp citealt citeauthor citeyear ref eqref autoref cref Cref")
_ACCENTS = "'`\"^~=."
_LETTER_ACCENTS = frozenset("cvHkurbdt")
_ESCAPED = {**{c: c for c in "%&_#{}$"}, "\\": " ", " ": " ", ",": " ", ";": " ", ":": " ", "!": "", "/": "", "-": "", "\n": " "}


@lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """One line of Unicode without LaTeX, entities or control characters, as far as it could be made readable.

    Never raises. Text without markup comes back as it is, its whitespace folded, in NFC.
    """
    cleaned = _clean(text)
    if len(cleaned) > LONGEST:
        return cleaned
    plain = _clean(_untagged(_unescaped(cleaned)))
    if not _INTERESTING.search(plain):
        return plain
    return _clean(_dashed(_Text(plain).converted()))


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", _UNSAFE.sub(" ", text)).split())


def _unescaped(text: str) -> str:
    for _ in range(3):  # feeds escape twice, seldom three times
        if (once := _ENTITY.sub(lambda match: unescape(match[0]), text)) == text:
            break
        text = once
    return text


def _untagged(text: str) -> str:
    if "<" not in text:
        return text
    text = _SCRIPT_TAG.sub(lambda match: scripted("_" if match[1].lower() == "sub" else "^", match[2], fallback=match[2]), text)
    return _TAG.sub(lambda match: " " if match["name"].lower() in _BLOCKS else "", text)


def _dashed(text: str) -> str:
    return re.sub(r"(?<=[\w)])--(?=[\w(])|(?<= )--(?= )", "–", text.replace("---", "—"))


class _Text:
    """Text mode over one string. Braces are matched once beforehand, so hostile nesting costs no more than its length."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing = _matched_braces(text)
        self.quotes = "``" in text

    def converted(self) -> str:
        return self._span(0, len(self.text), 0)

    def _span(self, start: int, end: int, depth: int) -> str:
        if depth > _DEEPEST:
            return self.text[start:end]
        pieces: list[str] = []
        plain_from = at = start
        while (found := _ISLAND.search(self.text, at, end)) is not None:
            at = found.start()
            piece, after = self._island(at, end, depth)
            if after <= at or after > end:  # not an island after all: the character stays
                at += 1
                continue
            pieces += [self._plain(self.text[plain_from:at]), piece]
            plain_from = at = after
        pieces.append(self._plain(self.text[plain_from:end]))
        return "".join(pieces)

    def _island(self, at: int, end: int, depth: int) -> tuple[str, int]:
        """The island that begins at `at`, made readable, and where it ends; (…, at) where there is none."""
        first = self.text[at]
        if first == "$":
            return self._math(at, end)
        if first == "{":
            return self._group(at, end, depth)
        follower = self.text[at + 1 : at + 2]
        if follower in ("(", "["):
            closer = self.text.find("\\)" if follower == "(" else "\\]", at + 2, min(end, at + _LONGEST_MATH))
            return self._readable_math(at, at + 2, closer, closer + 2) if closer > 0 else ("", at)
        if follower and follower in _ACCENTS:
            return self._accent(follower, at + 2, at, end)
        if follower in _ESCAPED:
            return _ESCAPED[follower], at + 2
        return self._macro(at, end, depth)

    def _math(self, at: int, end: int) -> tuple[str, int]:
        width = 2 if self.text.startswith("$$", at) else 1
        opened = at + width
        closer = opened
        while True:
            closer = self.text.find("$", closer, min(end, at + _LONGEST_MATH))
            if closer < 0:
                return "", at
            if self.text[closer - 1] != "\\":
                break
            closer += 1
        inner = self.text[opened:closer]
        if not inner.strip():
            return "", at
        # Money is no math: "$5 and $10". What opens or closes beside a space needs to look like math in between.
        loose = inner[0].isspace() or inner[-1].isspace() or self.text[closer + width : closer + width + 1].isdigit()
        if loose and not re.search(r"[\\^_=<>]", inner):
            return "", at
        return self._readable_math(at, opened, closer, min(end, closer + width))

    def _readable_math(self, at: int, opened: int, closer: int, after: int) -> tuple[str, int]:
        try:
            return math_text(self.text[opened:closer]), after
        except Unreadable:
            return self.text[at:after], after

    def _group(self, at: int, end: int, depth: int) -> tuple[str, int]:
        closer = self.closing.get(at, end)
        if closer >= end:
            return "", at
        raw, inner = self.text[at + 1 : closer], self._span(at + 1, closer, depth + 1)
        protects_a_word = re.fullmatch(r"\w[\w -]*", raw)
        return (inner if inner != raw or protects_a_word or not raw else f"{{{inner}}}"), closer + 1

    def _accent(self, accent: str, at: int, begun: int, end: int) -> tuple[str, int]:
        """`at` is where the accented letter, group or macro starts."""
        while at < end and self.text[at] == " ":
            at += 1
        if at < end and self.text[at] == "{":
            closer = self.closing.get(at, end)
            base, after = self.text[at + 1 : closer], closer + 1
        elif found := re.compile(r"\\(?:i|j|ae|AE|o|O|aa|AA|l|L)(?![A-Za-z]) ?|\w").match(self.text, at, end):
            base, after = found[0], found.end()
        else:
            return "", begun
        base = base.strip()
        if base.startswith("\\"):
            base = {"\\i": "i", "\\j": "j"}.get(base) or symbol(base[1:]) or ""
        marked = accented(accent, base)
        return (marked, after) if marked and after <= end else ("", begun)

    def _macro(self, at: int, end: int, depth: int) -> tuple[str, int]:
        found = _MACRO.match(self.text, at, end)
        if not found:
            return "", at
        name, after = found["name"], found.end()
        opened = found.end() if not found["gap"] else found.start("gap") + len(found["gap"])
        closer = self.closing.get(opened, end) if opened < end and self.text[opened] == "{" else end
        has_argument = closer < end
        if name == "b" and self.text.startswith("{eta}", opened):  # how arXiv's own announcements spell β
            return "β", closer + 1
        if name in _LETTER_ACCENTS and (has_argument or found["gap"]):
            return self._accent(name, opened, at, end)
        if name == "begin" and has_argument and (kind := self.text[opened + 1 : closer]).rstrip("*") in _DISPLAYS:
            ending = f"\\end{{{kind}}}"
            if (last := self.text.find(ending, closer, min(end, at + _LONGEST_MATH))) > 0:
                return self._readable_math(at, closer + 1, last, last + len(ending))
        if name in _SWITCHES:
            return "", after
        if has_argument and name in _WRAPPERS:
            return self._span(opened + 1, closer, depth + 1), closer + 1
        if has_argument and name in ("textsuperscript", "textsubscript"):
            said = self._span(opened + 1, closer, depth + 1)
            return scripted("^" if name == "textsuperscript" else "_", said, fallback=said), closer + 1
        if has_argument and name in _REFERENCES:
            return f"[{self.text[opened + 1 : closer]}]", closer + 1
        if has_argument and name == "footnote":
            return f" ({self._span(opened + 1, closer, depth + 1)})", closer + 1
        if has_argument and name == "href":
            return self._linked(closer, end, depth)
        if (sign := symbol(name)) is None:  # an unknown macro keeps its argument's braces
            return self.text[at : closer + 1 if has_argument else after], closer + 1 if has_argument else after
        return sign, closer + 1 if closer == opened + 1 else after

    def _linked(self, closer: int, end: int, depth: int) -> tuple[str, int]:
        """`\\href{address}{words}`: the words. `closer` is the address's closing brace."""
        if closer + 1 < end and (last := self.closing.get(closer + 1, end)) < end:
            return self._span(closer + 2, last, depth + 1), last + 1
        return "", closer + 1

    def _plain(self, text: str) -> str:
        """Between islands: quotes, ties, and scripts whose base is a lone letter, a symbol like CO, or a power."""
        if not _INTERESTING.search(text) and not self.quotes:
            return text
        if self.quotes:
            text = text.replace("``", "“").replace("''", "”")
        text = re.sub(r"(?<=[\w)\]$.,])~(?=[^\W\d]|[(\[]|$)|(?<=\.)~(?=\d)|^~(?=\w)", " ", text)
        return _SCRIPT.sub(lambda match: match["base"] + scripted(match["sign"], match["arg"].strip("{}"), match[0]), text)


_ISLAND = re.compile(r"[\\${]")
_MACRO = re.compile(r"\\(?P<name>[A-Za-z]+)\*?(?P<gap> ?)")


def _matched_braces(text: str) -> dict[int, int]:
    """Position of each opening brace → of its closing one; escaped and lone braces have no entry."""
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if found[0] == "{":
            stack.append(found.start())
        elif found[0] == "}" and stack:
            pairs[stack.pop()] = found.start()
    return pairs
