"""Math mode → one line of Unicode: `\\alpha_1 \\leq 10^{-4}` → "α₁ ≤ 10⁻⁴". All or nothing: the unsayable raises Unreadable."""

from __future__ import annotations

import re
import unicodedata

from digest.render.text.scripts import SMALL, SUBSCRIPTS, chemical, scripted, set_apart
from digest.render.text.symbols import COMBINING, DOUBLE_STRUCK, MARKS, MATH_ACCENTS, symbol

_DEEPEST = 12

_SPACES = {",": " ", ";": " ", ":": " ", ">": " ", "!": "", " ": " ", "/": "", "-": "", "\n": " "}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DROPPED = _words(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle limits"
    " nolimits rm bf it cal sf tt em boldmath mathstrut nonumber xspace rmfamily"
    " scriptscriptstyle small footnotesize scriptsize large Large tiny normalsize"
)
_CONTENT = _words(
    "text textrm textit textbf textsf textup textsl textmd"
    " texttt textsc textnormal mathrm mathit mathbf mathsf mathtt mathcal mathscr mathfrak frak mathnormal"
    " boldsymbol bm operatorname num si unit mbox hbox ensuremath emph pmb mathop mathbin mathrel mathord mathds smash"
)
FRACTIONS = _words("frac tfrac dfrac cfrac nicefrac sfrac")
TAKES_ARGUMENTS = (
    _CONTENT | FRACTIONS | MATH_ACCENTS.keys() | MARKS.keys() | _words("mathbb Bbb sqrt binom tbinom dbinom pmod pod not ce")
)
"""Macros that are read here when they stand outside of dollars, too."""
_NAME = re.compile("[A-Za-z]+")
_INFIX = re.compile(r"\\(over|choose|atop)(?![A-Za-z])\s?")
"""TeX's own, between what they join: {n \\choose k}."""


class Unreadable(ValueError):
    """This math has no faithful one-line form; show it as it was written."""


_OPENING, _CLOSING = re.compile(r"([(\[⌊⌈⟨]) +"), re.compile(r" +([)\],;⌋⌉⟩])")
_UNARY = frozenset("|~¬∀∃∄√∛∜∂∇∆∑∏∐∫∬∭∮∞′″")
_OPERATORS = re.escape(
    "".join(c for c in map(chr, range(0x2FFF)) if (unicodedata.category(c) == "Sm" or "←" <= c <= "⇿") and c not in _UNARY) + "-·"
)
_UNEVEN = re.compile(
    rf"(?:(?<=[^\s(\[{{,;_^{_OPERATORS}])|(?<=[_^][{_OPERATORS}]))(?: ([{_OPERATORS}])|([{_OPERATORS}]) )(?=[^\s,;)\]}}])"
)
_MID = "\u2223"


def math_text(source: str) -> str:
    """`source` is what stands between the dollars. Raises Unreadable."""
    reader = _Math(source)
    found, _ = reader.span(None, 0)
    if reader.at < len(source):
        raise Unreadable(source)
    return _evenly_spaced(found).strip()


def macro_text(source: str, at: int) -> tuple[str, int]:
    """The macro at `at`, which takes arguments in math mode, and where it ends. Raises Unreadable."""
    reader = _Math(source)
    reader.at = at
    found, _ = reader.next(0)
    return _evenly_spaced(found), reader.at


def _evenly_spaced(text: str) -> str:
    text = _CLOSING.sub(r"\1", _OPENING.sub(r"\1", re.sub(r" {2,}", " ", text)))
    return _UNEVEN.sub(lambda found: f" {found[1] or found[2]} ", text).replace(_MID, "|")


class _Math:
    """A piece is its text and its kind: a "fraction", "root" or "script" is set apart from what would run into it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.line_ends = " "

    def span(self, closer: str | None, depth: int) -> tuple[str, str]:
        """Everything up to `closer`, which is eaten."""
        if depth > _DEEPEST:
            raise Unreadable(self.source)
        pieces: list[tuple[str, str]] = []
        while self.at < len(self.source):
            if self.source[self.at] == closer:
                self.at += 1
                return _joined(pieces)
            if infix := _INFIX.match(self.source, self.at):
                self.at = infix.end()
                return _of_both(infix[1], _joined(pieces)[0].strip(), self.span(closer, depth + 1)[0].strip())
            piece = self.next(depth)
            if piece[0]:
                pieces.append(piece)
        if closer is not None:
            raise Unreadable(self.source)
        return _joined(pieces)

    def next(self, depth: int) -> tuple[str, str]:
        c = self.source[self.at]
        self.at += 1
        if c == "{":
            return self.span("}", depth + 1)
        if c == "}" or (c == "$" and not depth):
            raise Unreadable(self.source)
        if c == "$":  # `\\text{if $x$ is even}`
            return "", ""
        if c in "^_":
            return scripted(c, self._argument(depth)), "script"
        if c == "\\":
            return self._macro(depth)
        return {"~": " ", "&": " ", "'": "′", "\t": " "}.get(c, c), ""

    def _argument(self, depth: int) -> str:
        """A group, a macro with its own arguments, or one character."""
        while self.source[self.at : self.at + 1] == " ":
            self.at += 1
        if self.at >= len(self.source) or self.source[self.at] in "^_":
            raise Unreadable(self.source)
        if depth > _DEEPEST:
            raise Unreadable(self.source)
        return self.next(depth + 1)[0].strip()

    def _macro(self, depth: int) -> tuple[str, str]:
        found = _NAME.match(self.source, self.at)
        if not found:
            return self._escaped(), ""
        name = found[0]
        self.at = found.end()
        if name in ("text", "mbox", "textrm", "operatorname") and self.source[self.at : self.at + 1] == "*":
            self.at += 1
        if name in _DROPPED:
            return self._dropped(name), ""
        if name in _CONTENT:
            return self._upright(depth)
        if name in FRACTIONS:
            return f"{_atom(self._argument(depth), above=True)}/{_atom(self._argument(depth))}", "fraction"
        if name == "sqrt":
            return self._root(depth), "root"
        if name in ("color", "href"):  # the words, not the address
            self._argument(depth)
            return self._upright(depth) if name == "href" else ("", "")
        if name == "textcolor":
            self._argument(depth)
            return self._upright(depth)
        if name in ("SI", "qty"):
            return f"{self._argument(depth)} {self._argument(depth)}", ""
        return self._other_macro(name, depth), ""

    def _other_macro(self, name: str, depth: int) -> str:
        if name in ("mathbb", "Bbb"):
            return "".join(DOUBLE_STRUCK.get(c, c) for c in self._argument(depth))
        if name in MATH_ACCENTS or name in MARKS:
            return self._marked(name, self._argument(depth))
        if name in ("binom", "tbinom", "dbinom"):
            return f"({self._argument(depth)} choose {self._argument(depth)})"
        if name in ("pmod", "pod"):
            return f" (mod {self._argument(depth)})"
        if name in ("label", "tag", "mkern", "phantom", "hspace", "vspace"):
            return self._ignored(depth)
        if name in ("begin", "end"):  # lines one below the other; what stands in columns (cases, matrices) has no one-line form
            if self._argument(depth).rstrip("*") not in ("aligned", "split", "gathered", "align", "equation"):
                raise Unreadable(self.source)
            return " "
        if name == "unicode":
            return self._character(depth)
        if name == "not":
            return unicodedata.normalize("NFC", self._argument(depth) + "\u0338")
        if name == "ce":
            return chemical(self._argument(depth))
        if name == "substack":
            return self._lines(depth)
        return self._symbol(name, depth)

    def _ignored(self, depth: int) -> str:
        """What says nothing to a reader: a label's name, a length like "-2mu" or {2em}."""
        if length := re.compile(r"\*?\s*-?[\d.]+\s?[a-z]{2} ?").match(self.source, self.at):
            self.at = length.end()
        else:
            self._argument(depth)
        return ""

    def _lines(self, depth: int) -> str:
        """What stands in lines under a sum, parted by commas."""
        kept, self.line_ends = self.line_ends, ", "
        found = self._argument(depth)
        self.line_ends = kept
        return re.sub(r"\s*,\s*(?=,)", "", found)

    def _character(self, depth: int) -> str:
        """`\\unicode{x2013}`: MathJax's own, and what arXiv's pages are full of."""
        text = self._argument(depth)
        found = re.fullmatch(r"x([0-9a-fA-F]{2,6})|(\d{2,7})", text)
        number = 0 if found is None else int(found[1], 16) if found[1] else int(found[2])
        if number > 0x10FFFF or not chr(number).isprintable():
            raise Unreadable(self.source)
        return chr(number)

    def _symbol(self, name: str, depth: int) -> str:
        sign = symbol(name)
        if sign is None:
            return self._authors_own(name, depth)
        follower = self.source[self.at : self.at + 1]
        if len(sign) > 1 and sign.isalpha():  # an operator's name: "n log n"
            before = self.source[: self.at - len(name) - 1][-1:]
            return (" " if before.isalnum() else "") + sign + (" " if follower.isalnum() or follower == "\\" else "")
        if follower == " " and not sign.isspace():  # it only ended the macro's name
            self.at += 1
        return sign

    def _authors_own(self, name: str, depth: int) -> str:
        """A macro that only its authors know stays as it is written, with the braces of its arguments."""
        pieces = [f"\\{name}"]
        while self.source[self.at : self.at + 1] == "{":
            self.at += 1
            pieces.append(f"{{{self.span('}', depth + 1)[0]}}}")
        return "".join(pieces)

    def _escaped(self) -> str:
        c = self.source[self.at : self.at + 1]
        self.at += 1
        if c == "\\":
            return self.line_ends
        if c in _SPACES:
            return _SPACES[c]
        if c and c in "{}%&_#$":
            return c
        if c == "|":
            return "‖"
        raise Unreadable(self.source)

    def _dropped(self, name: str) -> str:
        ends_in_nothing = "." if name in ("left", "right", "middle") else " "
        if self.source[self.at : self.at + 1] in (" ", ends_in_nothing):
            self.at += 1
        return ""

    def _upright(self, depth: int) -> tuple[str, str]:
        """The argument's words; spaces inside `\\text{ if }` are meant."""
        if self.source[self.at : self.at + 1] == "{":
            self.at += 1
            return self.span("}", depth + 1)
        return self._argument(depth), ""

    def _marked(self, name: str, base: str) -> str:
        mark = MARKS.get(name) or COMBINING[MATH_ACCENTS[name]]
        letters = base.rstrip(SUBSCRIPTS)
        if not (0 < len(letters) <= 4 and (letters.isalnum() or letters in "∂∇")):
            return f"\\{name}{{{base}}}"
        if len(letters) > 1 and name == "bar":  # a line over all of them
            mark = MARKS["overline"]
        return unicodedata.normalize("NFC", "".join(c + mark for c in letters)) + base[len(letters) :]

    def _root(self, depth: int) -> str:
        degree = ""
        if self.source[self.at : self.at + 1] == "[":
            self.at += 1
            degree = scripted("^", self.span("]", depth + 1)[0])
        return f"{degree}√{_atom(self._argument(depth))}"


def _atom(text: str, *, above: bool = False) -> str:
    """Bracketed unless it reads as one thing under a root or beside a fraction bar (`above` it: "2x" does)."""
    small = re.escape("".join(SMALL))
    one = rf"\d[\d.]*[{small}]*|[^\W\d_]+(?:_[A-Za-z]+)?|\W" + (r"|[\w.]+" if above else "")
    return text if re.fullmatch(one, text) else f"({text})"


def _of_both(infix: str, left: str, right: str) -> tuple[str, str]:
    if infix == "over":
        return f"{_atom(left, above=True)}/{_atom(right)}", "fraction"
    return (f"({left} choose {right})" if infix == "choose" else f"{left}, {right}"), ""


def _joined(pieces: list[tuple[str, str]]) -> tuple[str, str]:
    """The pieces as one; of a lone piece its kind."""
    if len(pieces) == 1:
        return pieces[0]
    words: list[str] = []
    for place, (text, kind) in enumerate(pieces):
        before = words[-1][-1:] if words else ""
        after = pieces[place + 1][0] if place + 1 < len(pieces) else ""
        words.append(set_apart(text, after) if kind == "script" else beside(before, text, after, kind) if kind else text)
    return "".join(words), ""


def beside(before: str, text: str, after: str, kind: str) -> str:
    """A fraction or root where what stands before and after it does not run into it: 2 1/2, (1/2)x, √(2)3."""
    runs_on = after[:1].isalnum() or after[:1] in SMALL or after[:1] in ("/", "!") or re.match(r"\.\d|[_^]", after) is not None
    touches = before.isalnum() or before in SMALL
    if kind == "root":
        degree, _, under = text.partition("√")
        apart = " " if degree and touches else ""
        return f"{apart}{degree}√({under})" if runs_on and not under.startswith("(") else apart + text
    if runs_on or before in ("/", "√") or (touches and not (before.isdigit() and re.fullmatch(r"\d+/\d+", text))):
        return f"({text})"
    return f" {text}" if touches else text
