"""LaTeX, HTML, MathML and entities in what a source says → readable Unicode.

The source's own text stays in the store; this is for eyes, and everything people see of a paper goes through `readable`. Only
islands are touched: `$…$`, a macro, an accent, a braced word, a script, a `<sub>`. An island either becomes readable or stays as
it was written, so text that merely looks like LaTeX ("costs $5 and $10", "~100", "10%") is left alone, and no number changes its
value. Symbols come from pylatexenc's table; its parser, which takes `%` for a comment and raises on odd input, is not used.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape

from digest.render.text.latex_macros import (
    DISPLAYS,
    DROPPED_ARGUMENTS,
    LAST_ARGUMENT,
    LETTERS,
    PLAIN_ENVIRONMENTS,
    REFERENCES,
    SWITCHES,
    WRAPPERS,
)
from digest.render.text.markup import without_markup
from digest.render.text.mathtext import TAKES_ARGUMENTS, Unreadable, beside, macro_text, math_text
from digest.render.text.plain_text import Dollars, is_money, is_tie, matched_braces, plain_script
from digest.render.text.scripts import SMALL, chemical, scripted, set_apart, without_needless_brackets
from digest.render.text.symbols import accented, symbol

LONGEST = 20_000
"""Characters; a longer text is only cleaned."""
_LONGEST_MATH = 1_500
_DEEPEST = 12

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "\U000f0000-\U000ffffd\U00100000-\U0010fffd]+"
)
"""Controls, lone surrogates, what Unicode assigns to nobody, and the bidi overrides that let a title rewrite its line."""
_ENTITY = re.compile(r"&(?:#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};|(?:amp|lt|gt|quot|nbsp)(?![A-Za-z0-9=;]))")
_INTERESTING = re.compile(r"[\\${~`^_]|--|''")
_ACCENTS = "'`\"^~=."
_LETTER_ACCENTS = frozenset("cvHkurbdt")
_ESCAPED = {
    **{c: c for c in "%&_#{}$"},
    **dict.fromkeys("\\ ,;:\n", " "),
    **dict.fromkeys("!/-@", ""),
    "|": "‖",
}
_SINGLE_QUOTED = re.compile(r"(?<![\w`\\])`([^`'\s][^`'\\${}]{0,80})'(?![\w'])")
_DOUBLE_QUOTED = re.compile(r"(?<![\w'])''(?=[^\W\d])([^'$]{1,200}?)''(?![\w'])")


@lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """One line of Unicode without LaTeX, markup, entities or control characters, as far as it could be made readable.

    Never raises. Text without markup comes back as it is, its whitespace folded, in NFC.
    """
    cleaned = _clean(text)
    if len(cleaned) > LONGEST:
        return cleaned
    plain = _clean(without_markup(_unescaped(cleaned)))
    if not _INTERESTING.search(plain):
        return plain
    return _clean(without_needless_brackets(_dashed(_Text(plain).converted())))


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", _UNSAFE.sub(" ", text)).split())


def _unescaped(text: str) -> str:
    for _ in range(3):  # feeds escape twice, seldom three times
        if "&" not in text or (once := _ENTITY.sub(lambda match: unescape(match[0].rstrip(";") + ";"), text)) == text:
            break
        text = once
    return text


def _dashed(text: str) -> str:
    return re.sub(r"(?<=[\w)\]%°’”])--(?=[\w(\[“‘])|(?<= )--(?= )", "–", text.replace("---", "—"))


class _Text:
    """Text mode over one string. Braces are matched once beforehand, so hostile nesting costs no more than its length."""

    def __init__(self, text: str) -> None:
        text = _DOUBLE_QUOTED.sub(r"“\1”", text) if "``" not in text else text
        self.text = _SINGLE_QUOTED.sub(r"‘\1’", text)
        self.closing = matched_braces(self.text)
        self.dollars = Dollars(self.text, self.closing)
        self.quotes = "``" in text

    def converted(self) -> str:
        return self._span(0, len(self.text), 0)

    def _span(self, start: int, end: int, depth: int) -> str:
        if depth > _DEEPEST:
            return self.text[start:end]
        pieces: list[tuple[str, str]] = []
        plain_from = at = start
        while (found := _ISLAND.search(self.text, at, end)) is not None:
            at = found.start()
            piece, after = self._island(at, end, depth, after_island=at == plain_from > start)
            if after <= at or after > end:  # not an island after all: the character stays
                at = found.end()
                continue
            pieces += [(self.text[plain_from:at], ""), (piece, self.text[at])]
            plain_from = at = after
        pieces.append((self.text[plain_from:end], ""))
        return _joined([piece for piece in pieces if piece[0]])

    def _island(self, at: int, end: int, depth: int, *, after_island: bool) -> tuple[str, int]:
        """The island that begins at `at`, made readable, and where it ends; (…, at) where there is none."""
        first = self.text[at]
        if first == "$":
            return self._math(at, end)
        if first == "{":
            return self._group(at, end, depth)
        if first in "_^":
            return self._script(at, end, depth, after_island=after_island)
        if first == "~":
            return (" ", at + 1) if is_tie(self.text, at) else ("", at)
        if first == "h":
            found = _URL.match(self.text, at, end)
            return (re.sub(r"\\([_%#&~])(?:\{\})?", r"\1", found[0]), found.end()) if found else ("", at)
        if first in "`'":
            quote = "“" if first == "`" else "”"
            return (quote, at + 2) if self.quotes else ("", at)
        follower = self.text[at + 1 : at + 2]
        if follower in ("(", "["):
            closer = self.text.find("\\)" if follower == "(" else "\\]", at + 2, min(end, at + _LONGEST_MATH))
            return self._readable_math(at, at + 2, closer, closer + 2) if closer > 0 else ("", at)
        if follower and follower in _ACCENTS:
            marked, after = self._accent(follower, at + 2, at, end, depth)
            return (marked, after) if after > at else (follower, at + 2 + 2 * self.text.startswith("{}", at + 2))
        if follower in _ESCAPED:
            return _ESCAPED[follower], at + 2
        return self._macro(at, end, depth)

    def _script(self, at: int, end: int, depth: int, *, after_island: bool) -> tuple[str, int]:
        """A script outside of dollars: what TeX would take, where it is written as TeX; else what plain text means by it."""
        sign, opened = self.text[at], at + 1
        closer = self.closing.get(opened, end)
        if closer < end:
            try:
                inner = math_text(self.text[opened + 1 : closer]) if closer - at < _LONGEST_MATH else ""
            except Unreadable:
                inner = self._span(opened + 1, closer, depth + 1)
            return (scripted(sign, inner), closer + 1) if inner.strip() else ("", at)
        if (found := _MACRO.match(self.text, opened, end)) and (small := symbol(found["name"])):
            return scripted(sign, small), found.end("name")
        return plain_script(self.text, at, end, after_island=after_island)

    def _math(self, at: int, end: int) -> tuple[str, int]:
        width = 2 if self.text.startswith("$$", at) else 1
        opened = at + width
        closer = self.dollars.closing(opened, min(end, at + _LONGEST_MATH))
        if closer < 0:
            return "", at
        inner = self.text[opened:closer]
        if not inner.strip() or is_money(inner, self.text[closer + width : closer + width + 1]):
            return "", at
        return self._readable_math(at, opened, closer, min(end, closer + width))

    def _readable_math(self, at: int, opened: int, closer: int, after: int) -> tuple[str, int]:
        inner = self.text[opened:closer]
        before = " " if _SPACED.match(inner) and self.text[at - 1 : at].isalnum() else ""
        behind = " " if _SPACED_OFF.search(inner) and self.text[after : after + 1].isalnum() else ""  # $39\,$K
        try:
            return before + math_text(inner) + behind, after
        except Unreadable:
            return self.text[at:after], after

    def _group(self, at: int, end: int, depth: int) -> tuple[str, int]:
        closer = self.closing.get(at, end)
        if closer >= end:
            return "", at
        raw, inner = self.text[at + 1 : closer], self._span(at + 1, closer, depth + 1)
        protects = not raw.strip() or len(raw) == 1 or re.fullmatch(r"[\w“‘(][\w .'’”/&+()-]*[?!:]?", raw)
        if _IS_SET.search(self.text[max(at - 2, 0) : at]) or not SMALL.isdisjoint(raw):  # ℝ∖{0}, {aₙ}
            protects = None
        bare = protects or (inner != raw if "\\" not in inner else _MACRO.fullmatch(inner))
        return (inner if bare else f"{{{inner}}}"), closer + 1

    def _accent(self, accent: str, at: int, begun: int, end: int, depth: int) -> tuple[str, int]:
        """`at` is where the accented letter, group or macro starts."""
        while at < end and self.text[at] == " ":
            at += 1
        if at < end and self.text[at] == "{":
            closer = self.closing.get(at, end)
            base, after = self.text[at + 1 : closer], closer + 1
            if 2 < len(base) <= 16 and "\\" in base:  # an accent upon an accent: \\~{\\^e}
                base = self._span(at + 1, min(closer, end), depth + 1)
        elif found := _ACCENTED.match(self.text, at, end):
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
        name, after = found["name"], found.end("name") + len(found["star"])
        opened = after + len(found["gap"])
        groups = self._groups(opened, end)
        has_argument = bool(groups)
        closer = groups[0][1] if groups else end
        if name == "b" and self.text.startswith("{eta}", opened):  # how arXiv's own announcements spell β
            return "β", closer + 1
        if name in _LETTER_ACCENTS and (has_argument or found["gap"]):
            return self._accent(name, opened, at, end, depth)
        if name in ("begin", "end") and has_argument:
            return self._environment(at, closer, end, self.text[opened + 1 : closer])
        if name == "verb" and (verbatim := re.compile(r"\\verb\*?([^\sA-Za-z*])(.{1,200}?)\1").match(self.text, at, end)):
            return verbatim[2], verbatim.end()
        if name in SWITCHES:
            return "", opened
        if has_argument:
            if name in WRAPPERS:
                return self._span(opened + 1, closer, depth + 1), closer + 1
            if name in ("textsuperscript", "textsubscript"):
                return scripted("^" if name == "textsuperscript" else "_", self._span(opened + 1, closer, depth + 1)), closer + 1
            if name == "ce":
                return chemical(self.text[opened + 1 : closer]), closer + 1
            if name in REFERENCES:
                return f"[{self.text[opened + 1 : closer]}]", closer + 1
            if name == "footnote":
                return f" ({self._span(opened + 1, closer, depth + 1)})", closer + 1
            if name in DROPPED_ARGUMENTS:
                return "", closer + 1 + self.text.startswith(" ", closer + 1)
            if len(groups) >= (count := LAST_ARGUMENT.get(name, 99)):
                first, last = groups[count - 1]
                return self._span(first + 1, last, depth + 1), last + 1
            if name == "textcolor":  # \textcolor{blue}word
                return "", closer + 1
            if name in ("SI", "qty", "texorpdfstring") and len(groups) > 1:
                return self._of_two(name, groups, depth), groups[1][1] + 1
        if name in TAKES_ARGUMENTS:
            return self._math_macro(at)
        if (sign := symbol(name)) is None:  # an unknown macro keeps its arguments' braces
            last = groups[-1][1] + 1 if groups and groups[-1][1] > groups[-1][0] + 1 else after
            return self.text[at:last], groups[-1][1] + 1 if groups else after
        if has_argument and closer == opened + 1:
            return sign, closer + 1
        if sign.endswith(".") and self.text.startswith(".", after):  # \etal.
            after += 1
        return sign.replace("\u2223", "|"), opened if name in LETTERS else after

    def _groups(self, at: int, end: int) -> list[tuple[int, int]]:
        """The arguments from `at` on: where their braces open and close."""
        groups: list[tuple[int, int]] = []
        while at < end and self.text[at] == "{" and len(groups) < 3 and (closer := self.closing.get(at, end)) < end:
            groups.append((at, closer))
            at = closer + 1
        return groups

    def _of_two(self, name: str, groups: list[tuple[int, int]], depth: int) -> str:
        """A number with its unit; of `\\texorpdfstring` the first form, or the second where the first cannot be read."""
        first, second = (self._span(opened + 1, closer, depth + 1) for opened, closer in groups[:2])
        if name == "texorpdfstring":
            return second if re.search(r"[\\$]", first) else first
        return f"{first} {second}"

    def _environment(self, at: int, closer: int, end: int, kind: str) -> tuple[str, int]:
        if kind.rstrip("*") in PLAIN_ENVIRONMENTS:
            return " ", closer + 1
        ending = f"\\end{{{kind}}}"
        if kind.rstrip("*") not in DISPLAYS:
            return self.text[at : closer + 1], closer + 1
        if self.text.startswith("\\end", at) or (last := self.text.find(ending, closer, min(end, at + _LONGEST_MATH))) < 0:
            return " ", closer + 1  # the other end was cut off
        return self._readable_math(at, closer + 1, last, last + len(ending))

    def _math_macro(self, at: int) -> tuple[str, int]:
        try:
            found, after = macro_text(self.text[at : at + _LONGEST_MATH], 0)
        except Unreadable:
            return "", at
        return found, at + after


def _joined(pieces: list[tuple[str, str]]) -> str:
    """`pieces` are texts with the first character of the island that each was; "" for plain text."""
    words: list[str] = []
    for place, (text, island) in enumerate(pieces):
        before = words[-1][-1:] if words else ""
        after = pieces[place + 1][0] if place + 1 < len(pieces) else ""
        if island in ("_", "^"):
            words.append(set_apart(text, after))
        elif island in ("$", "\\") and _FRACTION.fullmatch(text):
            words.append(beside(before, text, after, "root" if "√" in text else "fraction"))
        else:
            words.append(text)
    return "".join(words)


_FRACTION = re.compile(r"\d[\d.]*/\d[\d.]*|√\w+")
_IS_SET = re.compile(r"[∪∩∖∈⊂⊆→] ?\Z")
_SPACED = re.compile(r"\s*(?:\\[,;: ]|~)")
_SPACED_OFF = re.compile(r"(?:(?<!\\)\\[,;: ]|~)\s*\Z")
_URL = re.compile(r"https?://[^\s{}<>\"$]+")
_ISLAND = re.compile(r"[\\${~_^]|``|''|https?://")
_MACRO = re.compile(r"\\(?P<name>[A-Za-z]+)(?P<star>\*?)(?P<gap> ?)")
_ACCENTED = re.compile(r"\\(?:i|j|ae|AE|o|O|aa|AA|l|L)(?![A-Za-z]) ?|\w")
