"""XML from strangers → a tree. No entity is expanded, no DTD is read, nothing is fetched, and size is bounded.

Elements are found by local name, since sources write namespaces in more than one way (and some forget them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from digest.domain.errors import UnreadableAnswer
from digest.sources.clean_fields import bounded, clipped, text
from digest.sources.port import Rejection

Element = etree._Element

MOST_ATTRIBUTES = 256
"""Of one element: the time that parsers need grows with their square."""
MOST_DEEP = 500
"""Elements one inside the other."""
MOST_BROKEN = 100
"""Tags without an end, where a parser goes on past them."""
MOST_STRAY = 10_000
"""Signs "<" that begin no tag and "&" that begin no entity, where a parser goes on past them."""
MOST_ELEMENTS = 30_000
"""Of a feed, where it is small. A large one may have more, as long as an element has SMALLEST_ELEMENT bytes on average."""
SMALLEST_ELEMENT = 40
_TAG = re.compile(rb"""</?[A-Za-z_:\x80-\xff](?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+""")
_STRAY = re.compile(rb"<(?!/?[A-Za-z_:\x80-\xff])|&(?!#?[A-Za-z0-9]{1,32};)")
_NAME = re.compile(rb"<([A-Za-z_][\w.:-]{0,100}+)")
_FAILS = (etree.LxmlError, ValueError, LookupError, AssertionError)
"""What lxml raises on bytes: syntax errors, odd encodings, names it cannot hold."""


def tree(data: bytes, source: str) -> tuple[Element, tuple[Rejection, ...]]:
    """The root, and what had to be repaired. Raises UnreadableAnswer.

    A document without its closing tag was cut short and is refused as a whole, to be asked for again. One with an error in the
    middle (a stray control character in an abstract) is repaired, and the place is named in a Rejection.
    """
    bounded(data, source)
    refuse_hostile(data, source)
    try:
        return _root(etree.fromstring(data, _parser()), source), ()
    except etree.XMLSyntaxError as error:
        return _repaired(data, source, error)
    except _FAILS as error:
        raise UnreadableAnswer(source, f"not XML: {clipped(str(error))}") from None


def refuse_hostile(data: bytes, source: str) -> None:
    """Raises UnreadableAnswer where entities are declared, in UTF-16 and UTF-32 as well, or where they could hide: no source
    of papers writes UTF-7 or EBCDIC. Also for an element with more attributes than any source writes."""
    plain = data.replace(b"\x00", b"")
    if b"<!ENTITY" in plain:
        raise UnreadableAnswer(source, "declares entities of its own, which no paper source does")
    if any(tag[0].count(b"=") > MOST_ATTRIBUTES and _attributes(tag[0]) > MOST_ATTRIBUTES for tag in _TAG.finditer(plain)):
        raise UnreadableAnswer(source, f"has an element of more than {MOST_ATTRIBUTES} attributes")
    if re.search(rb"encoding\s*=\s*.utf-?7", data[:400], re.IGNORECASE) or data.startswith(b"\x4c\x6f\xa7\x94"):
        raise UnreadableAnswer(source, "is in UTF-7 or EBCDIC; should be UTF-8")


def refuse_slow(data: bytes, source: str) -> None:
    """Raises UnreadableAnswer for XML that would be slow to read by a feed's reader: of tiny elements, or not well-formed and
    deeply nested, or full of tags without an end or a beginning."""
    try:
        elements = sum(1 for _ in etree.fromstring(data, _parser()).iter())
    except _FAILS:
        elements = data.count(b"<") - data.count(b"</")
        deep = broken = 0
        plain = data.replace(b"\x00", b"")
        if sum(1 for _ in islice(_STRAY.finditer(plain), MOST_STRAY + 1)) > MOST_STRAY:
            raise UnreadableAnswer(source, f'not XML: more than {MOST_STRAY:,} signs "<" and "&" begin nothing') from None
        for tag in _TAG.finditer(plain):
            broken += plain[tag.end() : tag.end() + 1] != b">"
            deep += -1 if tag[0].startswith(b"</") else not tag[0].endswith(b"/")
            if abs(deep) > MOST_DEEP or broken > MOST_BROKEN:
                raise UnreadableAnswer(source, "not XML: its tags are not closed") from None
    if elements > (most := max(MOST_ELEMENTS, len(data) // SMALLEST_ELEMENT)):
        raise UnreadableAnswer(source, f"{elements:,} elements; the most read of a feed of {len(data):,} bytes is {most:,}")


def _attributes(tag: bytes) -> int:
    """How many a tag has at most."""
    return re.sub(rb"""="[^"]*+"|='[^']*+'""", b"=", tag).count(b"=")


def _parser(*, recover: bool = False, encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True, huge_tree=False,
        remove_comments=True, remove_pis=True, recover=recover, encoding=encoding,
    )  # fmt: skip


def _root(root: Element | None, source: str) -> Element:
    if root is None or not isinstance(root.tag, str):
        raise UnreadableAnswer(source, "not XML")
    return root


def _repaired(data: bytes, source: str, error: etree.XMLSyntaxError) -> tuple[Element, tuple[Rejection, ...]]:
    opened = _root_name(data[:4096])
    if not opened:
        raise UnreadableAnswer(source, f"not XML: {clipped(str(error))}") from None
    if not _closed(data[-4096:], opened):
        raise UnreadableAnswer(source, f"not XML, or cut short: {clipped(str(error))}") from None
    encoding = None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:  # the commonest lie about a charset: Windows' own, called UTF-8
        data, encoding = data.decode("cp1252", errors="replace").encode(), "utf-8"
    try:
        root = _root(etree.fromstring(data, _parser(recover=True, encoding=encoding)), source)
    except _FAILS as worse:
        raise UnreadableAnswer(source, f"not XML: {clipped(str(worse))}") from None
    return root, (Rejection(f"line {error.lineno or 1}", f"repaired: {clipped(str(error))}"),)


def _root_name(head: bytes) -> bytes:
    """The name of the first element, past instructions and comments; empty where there is none."""
    at = head.find(b"<")
    while at >= 0:
        if head.startswith((b"<?", b"<!--"), at):
            end = head.find(b"?>" if head.startswith(b"<?", at) else b"-->", at)
            at = head.find(b"<", end) if end >= 0 else -1
        elif named := _NAME.match(head, at):
            return named[1]
        else:
            at = head.find(b"<", at + 1)
    return b""


def _closed(tail: bytes, root: bytes) -> bool:
    """Whether the root's closing tag is last, but for comments."""
    tail = tail.rstrip()
    while tail.endswith(b"-->") and (begin := tail.rfind(b"<!--")) >= 0:
        tail = tail[:begin].rstrip()
    return tail.endswith(b">") and tail[:-1].rstrip().endswith(b"</" + root)


def name(element: Element) -> str:
    """The local name; "" for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element | None, wanted: str) -> Iterator[Element]:
    """Direct children of that local name, in order."""
    return (child for child in element if name(child) == wanted) if element is not None else iter(())


def child(element: Element | None, wanted: str) -> Element | None:
    return next(children(element, wanted), None)


def text_of(element: Element | None, wanted: str | None = None) -> str:
    """The text of `element`, or of its child `wanted`, with that of all below it; folded. "" where there is none."""
    if wanted is not None:
        element = child(element, wanted)
    if element is None:
        return ""
    return text("".join(map(str, element.itertext())))


def each(root: Element, wanted: str) -> Iterator[Element]:
    """Every element of that local name, however deep, in order."""
    return (element for element in root.iter() if name(element) == wanted)
