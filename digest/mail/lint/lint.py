"""The gate every edition passes, and what `digest lint` prints: rules over a composed mail, each one a small function.

An error is what mailbox providers refuse, what breaks the mail, or what keeps someone from reading or leaving; a warning is
what merely could be better. Each finding begins with its rule's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from digest.mail.inbound.parsed_message import ParsedMessage
from digest.mail.lint import headers, page


@dataclass(frozen=True, slots=True)
class Findings:
    """One line each, such as "size: the html part is 95,120 bytes; Gmail clips …"."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` yields what is wrong, one line each."""

    name: str
    check: Callable[[ParsedMessage], Iterator[str]]
    is_error: bool = True


RULES = (
    Rule("remote", page.remote),
    Rule("line-length", headers.line_length),
    Rule("line-ends", headers.line_ends),
    Rule("ascii-header", headers.ascii_header),
    Rule("header-count", headers.header_count),
    Rule("date", headers.date),
    Rule("message-id", headers.message_id),
    Rule("one-click", headers.one_click),
    Rule("unsubscribe-mailbox", headers.unsubscribe_mailbox, is_error=False),
    Rule("one-click-https", headers.one_click_https, is_error=False),
    Rule("structure", headers.structure),
    Rule("size", page.size),
    Rule("doctype", page.doctype),
    Rule("lang", page.lang),
    Rule("title", page.title, is_error=False),
    Rule("preheader", page.preheader, is_error=False),
    Rule("markers", page.markers),
    Rule("markers", page.perhaps_markers, is_error=False),
    Rule("placeholders", page.placeholders, is_error=False),
    Rule("elements", page.elements),
    Rule("links", page.links),
    Rule("unsubscribe", page.unsubscribe),
    Rule("agreement", page.agreement),
    Rule("text-width", page.text_width, is_error=False),
    Rule("css", page.css),
    Rule("css-decoration", page.css_decoration, is_error=False),
    Rule("small-print", page.small_print, is_error=False),
    Rule("contrast", page.contrast),
    Rule("dark", page.dark, is_error=False),
    Rule("alt", page.alt),
)


def lint(
    data: bytes,
    *,
    listed: bool | None = None,
    nonces: Collection[str] = (),
    one_click: bool = True,
) -> Findings:
    """Judges a composed mail. Never raises, whatever the bytes.

    `listed`: whether it is list mail (None: it is, unless its Feedback-ID says "transactional"). `nonces`: what the
    markers of the edition are spelled with; without them, what looks like one may as well be a paper's title, and is a warning.
    `one_click`: whether the sender has pages to unsubscribe on (web.enabled).
    """
    letter = ParsedMessage.read(data, listed=listed, nonces=tuple(nonces), one_click=one_click)
    errors: list[str] = []
    warnings: list[str] = []
    for rule in RULES:
        (errors if rule.is_error else warnings).extend(f"{rule.name}: {finding}" for finding in rule.check(letter))
    return Findings(tuple(errors), tuple(warnings))
