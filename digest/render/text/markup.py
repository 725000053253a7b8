"""HTML, JATS and MathML in a text → readable Unicode: 10<sup>6</sup> → 10⁶, <mml:msqrt> → √. MathML is read by way of LaTeX."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from digest.domain.markup import BLOCKS, MATHML, tags
from digest.render.text.mathtext import Unreadable, math_text
from digest.render.text.scripts import scripted, set_apart

_DEEPEST = 60
_TOKENS = {"mi", "mo", "mn", "ms", "mtext"}
_HIDDEN = {"annotation", "annotation-xml", "mphantom", "none", "mprescripts"}
_SCRIPTS = {"sup": "^", "sub": "_", "inf": "_"}
_RELATIONS = "=<>≤≥≠≈≃≅∼≡∝∈∉⊂⊆→⟶↦⇒⩽⩾≪≫≲≳"
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")
_ESCAPED = {
    "\\": r"\backslash ",
    "^": r"\textasciicircum{}",
    "~": r"\sim ",
    "'": r"\prime ",
} | {c: f"\\{c}" for c in "{}$&#_%"}
_OVER = {
    "^": "hat",
    "ˆ": "hat",
    "~": "tilde",
    "˜": "tilde",
    "¯": "bar",
    "‾": "bar",
    "→": "vec",
    "⃗": "vec",
    "˙": "dot",
    "¨": "ddot",
}


@dataclass(slots=True)
class _Element:
    name: str
    prefix: str = ""
    attributes: str = ""
    pieces: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """The name of the child that each piece came from; "" for text."""

    def add(self, piece: str, kind: str = "") -> None:
        if piece:
            self.pieces.append(piece)
            self.kinds.append(kind)


def without_markup(text: str) -> str:
    """Tags read or taken off; a "<" that begins none stays."""
    if "<" not in text:
        return text
    text = _without_comments(text.replace("<![CDATA[", "").replace("]]>", ""))
    stack, within = [_Element("")], Counter[str]()
    at = 0
    for name, closes, empty, match in tags(text):
        if name in ("script", "style"):  # what is not run is shown
            continue
        _add_text(stack[-1], text[at : match.start()])
        at = match.end()
        if closes:
            while within[name]:
                within[stack[-1].name] -= 1
                closed = stack.pop()
                stack[-1].add(*_read(closed, stack[-1], properly=closed.name == name))
                if closed.name == name:
                    break
            else:
                stack[-1].add(" " if name in BLOCKS else "")
        elif empty or len(stack) > _DEEPEST:
            space = name in BLOCKS or name == "mspace"
            stack[-1].add(" " if space else "", name)
            if name in ("none", "mprescripts"):
                stack[-1].add("{}", name)
        else:
            stack.append(_Element(name, match["prefix"] or "", match["attributes"]))
            within[name] += 1
    _add_text(stack[-1], text[at:])
    while len(stack) > 1:
        closed = stack.pop()
        stack[-1].add(*_read(closed, stack[-1], properly=False))
    return _joined(stack[0])


def _without_comments(text: str) -> str:
    first, *rest = text.split("<!--")
    pieces = [first]
    for part in rest:
        _, ended, after = part.partition("-->")
        pieces.append(after if ended else f"<!--{part}")
    return "".join(pieces)


def _add_text(element: _Element, text: str) -> None:
    if element.name in MATHML:
        text = _INVISIBLE.sub("", text)
        if element.name not in _TOKENS and not text.strip():
            return
        text = "".join(_ESCAPED.get(c, c) for c in text)
    element.add(text)


def _read(element: _Element, parent: _Element, *, properly: bool) -> tuple[str, str]:
    """What an element that ended stands for in its parent: LaTeX within MathML, text elsewhere. Not `properly`: only its text."""
    name = element.name
    if name in _HIDDEN:
        return ("{}", name) if name in ("none", "mprescripts") else ("", name)
    if parent.name == "alternatives" and any(piece.strip() for piece in parent.pieces):
        return "", name  # the same formula once more
    if name in MATHML:
        latex = _latex(element) if properly else "".join(element.pieces)
        return (latex if parent.name in MATHML else _math(latex)), name
    text = _joined(element)
    if name == "tex-math":
        formula = text.rpartition("\\begin{document}")[2].partition("\\end{document}")[0].strip()
        return (formula if formula.startswith(("$", "\\(", "\\[")) else f"${formula}$"), name
    if name in _SCRIPTS and properly:
        return scripted(_SCRIPTS[name], text), name
    return (f" {text} " if name in BLOCKS else text), name


def _joined(element: _Element) -> str:
    pieces = element.pieces
    return "".join(
        set_apart(piece, "".join(pieces[place + 1 : place + 2])) if element.kinds[place] in _SCRIPTS else piece
        for place, piece in enumerate(pieces)
    )


def _math(latex: str) -> str:
    try:
        return math_text(latex)
    except Unreadable:
        return re.sub(r"\\[A-Za-z]+|[{}\\]", "", latex)


def _latex(element: _Element) -> str:
    name, pieces = element.name, element.pieces
    children = pieces + ["{}"] * (3 - len(pieces))
    if name in _TOKENS:
        return _token(name, "".join(pieces))
    if name in ("msup", "msub"):
        return f"{{{children[0]}}}{'^' if name == 'msup' else '_'}{{{_close(children[1])}}}"
    if name in ("msubsup", "munderover"):
        return f"{{{children[0]}}}_{{{_close(children[1])}}}^{{{_close(children[2])}}}"
    if name in ("mover", "munder"):
        mark = _OVER.get(children[1].strip().replace(r"\textasciicircum{}", "^").replace(r"\sim", "~"))
        if mark and name == "mover" and len(children[0]) == 1:
            return f"\\{mark}{{{children[0]}}}"
        return f"{{{children[0]}}}{'^' if name == 'mover' else '_'}{{{_close(children[1])}}}"
    if name == "mfrac":
        return f"\\frac{{{children[0]}}}{{{children[1]}}}"
    if name == "msqrt":
        return f"\\sqrt{{{''.join(pieces)}}}"
    if name == "mroot":
        return f"\\sqrt[{children[1]}]{{{children[0]}}}"
    if name == "mmultiscripts":
        return _multiscripts(element)
    if name == "mfenced":
        return _fenced(element)
    if name == "semantics":
        return children[0]
    return (" " if name in ("mtr", "mtd") else "").join(["", *pieces])


def _token(name: str, text: str) -> str:
    text = text.strip() if name != "mtext" else text
    if name == "mo" and text and text in _RELATIONS:
        return f" {text} "
    if name == "mtext" or (name == "mi" and len(text) > 1 and text.isalpha()):
        return f"\\text{{{text}}}"
    return text


def _close(script: str) -> str:
    return re.sub(rf" ([{_RELATIONS}]) ", r"\1", script)


def _multiscripts(element: _Element) -> str:
    """The base, then pairs below and above it; after <mprescripts/> those in front of it."""
    place = element.kinds.index("mprescripts") if "mprescripts" in element.kinds else len(element.pieces)
    base, *behind = element.pieces[:place] or ["{}"]
    before = element.pieces[place + 1 :]

    def scripts(each: list[str]) -> str:
        signed = [(("_", "^")[n % 2], _close(script)) for n, script in enumerate(each) if script != "{}"]
        return "".join(f"{sign}{{{script}}}" for sign, script in signed)

    return f"{scripts(before)}{{{base}}}{scripts(behind)}"


def _fenced(element: _Element) -> str:
    def text(name: str, default: str) -> str:
        found = re.search(rf"\b{name}\s*=\s*[\"']([^\"']*)", element.attributes)
        return "".join(_ESCAPED.get(c, c) for c in (found[1] if found else default))

    return text("open", "(") + text("separators", ",")[:1].join(element.pieces) + text("close", ")")
