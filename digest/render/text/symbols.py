"""What a macro without arguments stands for, and accents: pylatexenc's table, with what it lacks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

COMBINING = {
    "'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "H": "\u030b", "k": "\u0328", "u": "\u0306", "r": "\u030a", "b": "\u0331", "d": "\u0323",
    "t": "\u0361",
}  # fmt: skip
MATH_ACCENTS = {
    "hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "=", "dot": ".", "ddot": '"', "acute": "'", "grave": "`",
    "check": "v", "breve": "u", "mathring": "r",
}  # fmt: skip
MARKS = {"vec": "\u20d7", "overrightarrow": "\u20d7", "overline": "\u0305", "underline": "\u0332"}
DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))

_MORE_SYMBOLS = {
    "ne": "≠", "copyright": "©", "deg": "deg", "Pr": "Pr", "det": "det", "argmin": "argmin", "argmax": "argmax", "colon": ":",
    "checkmark": "✓", "S": "§", "P": "¶", "TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX",
    "epsilon": "ε", "varepsilon": "ε", "phi": "φ", "varphi": "φ", "prime": "′", "textasciicircum": "^", "degree": "°",
    "slash": "/", "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "vert": "|", "lvert": "|", "rvert": "|",
    "quad": " ", "qquad": " ", "mod": "mod", "bmod": "mod", "textmu": "µ", "micro": "µ", "texttimes": "×", "textquoteright": "’",
    "textquoteleft": "‘", "lbrackk": "⟦", "sp": "^", "sb": "_", "mathellipsis": "…", "dotsc": "…", "dotsb": "⋯", "hdots": "…",
    "iff": "⟺", "implies": "⟹", "impliedby": "⟸", "lesssim": "≲", "gtrsim": "≳", "textless": "<", "textgreater": ">",
    "arcsec": "″", "arcmin": "′", "textdollar": "$", "textbar": "|", "gcd": "gcd", "ker": "ker", "dim": "dim", "hom": "hom",
    "Hom": "Hom", "End": "End",
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "etc": "etc.", "cf": "cf.", "wrt": "w.r.t.", "vs": "vs.",
    "aka": "a.k.a.", "iid": "i.i.d.",
    "R": "ℝ", "Z": "ℤ", "N": "ℕ", "Q": "ℚ", "C": "ℂ", "RR": "ℝ", "ZZ": "ℤ", "NN": "ℕ", "QQ": "ℚ", "CC": "ℂ",
    "circledR": "®", "coloneqq": "≔", "eqqcolon": "≕", "vDash": "⊨", "Vert": "‖", "lVert": "‖", "rVert": "‖",
    "medspace": " ", "thinspace": " ", "enspace": " ", "hfill": " ", "newline": " ", "space": " ", "cr": " ", "mid": "\u2223",
    "euro": "€", "pounds": "£", "lim": "lim", "i": "ı",
    "Re": "Re", "Im": "Im", "arg": "arg", "eps": "ε", "Bbbk": "𝕜", "Box": "□", "square": "□", "triangle": "△", "Diamond": "◇",
    "diamondsuit": "♢", "heartsuit": "♡", "dashrightarrow": "⇢", "neg": "¬", "imath": "ı", "jmath": "ȷ", "lq": "‘", "rq": "’",
    "ncong": "≇", "thickapprox": "≈", "unlhd": "⊴", "unrhd": "⊵", "notag": "",
}  # fmt: skip


@lru_cache(maxsize=1)
def _table() -> object:
    from pylatexenc.latex2text import get_default_latex_context_db  # a tenth of a second that a command may not need

    return get_default_latex_context_db()


@lru_cache(maxsize=2048)
def symbol(name: str) -> str | None:
    """The character (or operator name) that the macro `\\name` without arguments stands for; None where it stands for none."""
    if name in _MORE_SYMBOLS:
        return _MORE_SYMBOLS[name]
    macro = _table().get_macro_spec(name)  # type: ignore[attr-defined]  # the library publishes no types
    meant = getattr(macro, "simplify_repl", None)
    return meant if isinstance(meant, str) and meant and "%" not in meant else None


def accented(accent: str, base: str) -> str | None:
    """One letter (or two for a tie) with its accent, composed; None where there is no such letter."""
    if not (1 <= len(base) <= 2 and base[0].isalpha()):
        return None
    return unicodedata.normalize("NFC", base[0] + COMBINING[accent] + base[1:])
