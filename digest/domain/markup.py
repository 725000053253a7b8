"""Which "<" in a text begins a tag of HTML, JATS or MathML, and which is only less than."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

_TAG = re.compile(
    r"<(?P<closes>/?)(?P<prefix>[A-Za-z][\w.-]{0,20}:)?(?P<name>[A-Za-z][A-Za-z0-9-]{0,30})"
    r"(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+)(?:\s+[\w:.-]+(?=[\s/>]))*)*)\s*(?P<empty>/?)>"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MATHML = _words(
    "math mrow mi mo mn ms mtext mspace mstyle mpadded mphantom mfrac msqrt mroot msub msup msubsup munder mover munderover"
    " mmultiscripts mprescripts none mtable mtr mtd mfenced menclose merror semantics annotation annotation-xml"
)
BLOCKS = _words(
    "p br div li ul ol dl dt dd title sec section h1 h2 h3 h4 h5 h6 tr td th table tbody thead hr blockquote pre article header"
    " footer figure figcaption disp-formula list list-item abstract trans-abstract label disp-quote def-list body html head"
)
_INLINE = _words(
    "a abbr b bdi bdo big cite code del dfn em font i img ins kbd mark q s samp small span strike strong sub sup tt u var wbr"
    " center iframe video audio source script style"
    " italic bold sc scp ovl inf it underline overline monospace roman sans-serif inline-formula formula alternatives tex-math"
    " ext-link xref uri email named-content styled-content fn inline-graphic graphic inline-supplementary-material"
)
_NAMES = MATHML | BLOCKS | _INLINE
_ALSO_WORDS = _words(
    "a b i p q s u code mark cite title label list none abstract table email section source body head header uri"
)
"""Names that a text may well have between "<" and ">" without meaning a tag: those need to be opened and closed."""
_EMPTY = _words("br hr img wbr mspace none mprescripts inline-graphic graphic source")
SCRIPTS = MATHML | _words("sup sub inf")
"""Without these a text changes its meaning: 10<sup>6</sup> is not 106."""


def tags(text: str) -> Iterator[tuple[str, bool, bool, re.Match[str]]]:
    """The tags in `text`: (name in small letters, whether it closes, whether it is empty, where it stands)."""
    found = [match for match in _TAG.finditer(text) if match["name"].lower() in _NAMES]
    seen = Counter((match["name"].lower(), bool(match["closes"])) for match in found)
    for match in found:
        name, closes = match["name"].lower(), bool(match["closes"])
        certain = match["prefix"] or match["attributes"] or match["empty"] or name not in _ALSO_WORDS or seen[name, not closes]
        if certain or (name == "p" and not text[match.start() - 1 : match.start()].isalnum()):
            yield name, closes, bool(match["empty"]) or name in _EMPTY, match


def without_tags(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Tags off but for those in `keep`; scripts and styles go with what is in them."""
    pieces: list[str] = []
    at, hidden = 0, ""
    for name, closes, empty, match in tags(text):
        if hidden:
            if closes and name == hidden:
                at, hidden = match.end(), ""
            continue
        pieces.append(text[at : match.start()])
        at = match.end()
        if name in ("script", "style"):
            hidden = "" if closes or empty else name
        elif name in keep:
            pieces.append(match[0])
        elif name in BLOCKS:
            pieces.append(" ")
    return "".join(pieces) + ("" if hidden else text[at:])
