"""A composed mail opened for judging: its octets, its header fields, both parts, and the html as a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

from lxml import etree
from lxml import html as markup

_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_UNSEEN_TAGS = frozenset({"style", "script", "title", "head"})


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """Read leniently: what is missing is empty, what cannot be decoded is replaced. Reading never raises."""

    data: bytes
    head: bytes
    """The header block as sent, without the empty line."""
    fields: tuple[tuple[str, str], ...]
    """(lower-case name, unfolded value as sent)."""
    structure: tuple[str, ...]
    """Content types in order, the whole first."""
    charsets: tuple[str, ...]
    """Of the text parts, lower case."""
    text: str
    html: str
    tree: markup.HtmlElement | None
    listed: bool
    """Whether it is list mail, which owes its reader List-Unsubscribe; a confirmation is not."""
    nonces: tuple[str, ...] = ()
    """What the edition's markers are spelled with; empty where that is not known."""
    one_click: bool = True
    """Whether its sender has pages to unsubscribe on."""

    @classmethod
    def read(
        cls, data: bytes, *, listed: bool | None = None, nonces: tuple[str, ...] = (), one_click: bool = True
    ) -> ParsedMessage:
        """`listed` None: all but those whose Feedback-ID says "transactional"."""
        head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
        message = message_from_bytes(data)
        fields = tuple((name.lower(), re.sub(r"[\r\n]+[ \t]*", " ", str(value)).strip()) for name, value in message.items())
        parts = list(message.walk())
        source = _body(parts, "text/html")
        says = dict(reversed(fields)).get("feedback-id", "")
        return cls(
            data=data,
            head=head,
            fields=fields,
            structure=tuple(part.get_content_type() for part in parts),
            charsets=tuple(_charset(part) for part in parts if part.get_content_maintype() == "text"),
            text=_body(parts, "text/plain"),
            html=source,
            tree=_tree(source),
            listed=":transactional:" not in says if listed is None else listed,
            nonces=nonces,
            one_click=one_click,
        )

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name.lower()]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def words(self, name: str) -> str:
        """The first field of that name with RFC 2047 encoded-words decoded."""
        try:
            return str(make_header(decode_header(self.first(name))))
        except (ValueError, LookupError):
            return self.first(name)

    def elements(self, *tags: str) -> list[markup.HtmlElement]:
        return [] if self.tree is None else [e for e in self.tree.iter(*tags) if isinstance(e.tag, str)]

    def hrefs(self) -> list[str]:
        return [link.get("href", "").strip() for link in self.elements("a") if link.get("href") is not None]


def words_of(element: markup.HtmlElement) -> str:
    """The element's text as read, whitespace folded."""
    return fold(str(element.text_content()))


def fold(text: str) -> str:
    return " ".join(text.split())


def is_hidden(element: markup.HtmlElement) -> bool:
    """In no reader's sight: display:none, or a part of the head."""
    return hides(element) or any(hides(each) for each in element.iterancestors())


def hides(element: markup.HtmlElement) -> bool:
    """Whether it is hidden wherever it stands, with all that is in it."""
    return element.tag in _UNSEEN_TAGS or not isinstance(element.tag, str) or bool(_HIDDEN.search(element.get("style", "")))


def _body(parts: list[Message], content_type: str) -> str:
    part = next((part for part in parts if part.get_content_type() == content_type), None)
    payload = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(_charset(part) or "ascii", "replace").replace("\r\n", "\n")
    except LookupError:
        return payload.decode("utf-8", "replace").replace("\r\n", "\n")


def _charset(part: Message) -> str:
    return str(part.get_content_charset() or "").lower()


def _tree(source: str) -> markup.HtmlElement | None:
    try:
        return markup.document_fromstring(source.replace("\0", "")) if source.strip() else None
    except (etree.LxmlError, ValueError):
        return None
