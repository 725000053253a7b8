"""Places in a rendered mail that differ from reader to reader, and its CSS in style attributes.

A marker is plain letters, digits and hyphens, so that neither HTML escaping, URL escaping, premailer nor the serialiser
changes it. Its nonce is chosen so that nothing a paper says can look like one.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree, html
from premailer import Premailer

from digest.domain.errors import TemplateError
from digest.render.environment import Templates

_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Markers:
    """Markers of one edition, told apart from its text by `nonce` (lower-case hexadecimal)."""

    nonce: str

    @classmethod
    def for_texts(cls, seed: str, texts: Iterable[str]) -> Markers:
        """Markers whose nonce occurs in none of `texts`. The same seed and texts give the same nonce."""
        everything = "\n".join(texts)
        for salt in range(1_000_000):
            nonce = hashlib.sha256(f"{seed}/{salt}".encode()).hexdigest()[:10]
            if nonce not in everything:
                return cls(nonce)
        raise AssertionError("a text cannot hold a million different nonces by chance")

    def mark(self, name: str) -> str:
        """The marker for `name` ("unsubscribe-url")."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"marker name {name!r} should be lower-case words joined by hyphens")
        return f"m{self.nonce}-{name}-m"

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """Cuts `text` into (literal, marker name) pairs; the last pair's name is empty."""
        pieces = re.split(rf"m{self.nonce}-([a-z]+(?:-[a-z]+)*?)-m", text)
        yield from zip(pieces[0::2], [*pieces[1::2], ""], strict=True)


STYLESHEET = "mail/_base/inline.css"
DOCTYPE = "<!DOCTYPE html>"


def inline_css(templates: Templates, document: str) -> str:
    """`document`, rendered, with the stylesheet's rules in style attributes, since many clients drop the style element.

    Style elements, classes and conditional comments stay: dark mode lives in them. Nothing is fetched from anywhere.
    """
    try:
        root = html.document_fromstring(document)
        Premailer(
            root,
            css_text=templates.render(STYLESHEET),
            disable_leftover_css=True,  # else the sheet would also be kept as a style element
            keep_style_tags=True,
            remove_classes=False,
            strip_important=False,
            disable_validation=True,
            disable_basic_attributes=[
                "align",
                "valign",
                "bgcolor",
                "width",
                "height",
            ],  # the templates say these where Word needs them
            allow_network=False,
            allow_loading_external_files=False,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
        for element in root.iterfind(".//*[@style]"):
            element.set("style", element.get("style", "").replace("; ", ";"))  # a byte a property, in every card of every mail
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise TemplateError(STYLESHEET, f"cannot be inlined: {type(error).__name__}: {error}") from error
    return etree.tostring(root, method="html", encoding="unicode", doctype=DOCTYPE) + "\n"
