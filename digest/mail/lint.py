"""The gate every edition passes, and what `digest lint` prints: rules over a composed mail, each one a small function.

An error is what mailbox providers refuse, what breaks the mail, or what keeps someone from reading or leaving; a warning is
what merely could be better. Each finding begins with its rule's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from digest.mail import lint_header, lint_page
from digest.mail.letter import Letter


@dataclass(frozen=True, slots=True)
class Findings:
    """One line each, such as "size: the html part is 95,120 bytes; Gmail clips …"."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` yields what is wrong, one line each."""

    name: str
    check: Callable[[Letter], Iterator[str]]
    is_error: bool = True


RULES = (
    Rule("line-length", lint_header.line_length),
    Rule("line-ends", lint_header.line_ends),
    Rule("ascii-header", lint_header.ascii_header),
    Rule("header-count", lint_header.header_count),
    Rule("date", lint_header.date),
    Rule("message-id", lint_header.message_id),
    Rule("one-click", lint_header.one_click),
    Rule("unsubscribe-mailbox", lint_header.unsubscribe_mailbox, is_error=False),
    Rule("one-click-https", lint_header.one_click_https, is_error=False),
    Rule("structure", lint_header.structure),
    Rule("size", lint_page.size),
    Rule("doctype", lint_page.doctype),
    Rule("lang", lint_page.lang),
    Rule("title", lint_page.title, is_error=False),
    Rule("preheader", lint_page.preheader, is_error=False),
    Rule("markers", lint_page.markers),
    Rule("markers", lint_page.perhaps_markers, is_error=False),
    Rule("placeholders", lint_page.placeholders, is_error=False),
    Rule("elements", lint_page.elements),
    Rule("links", lint_page.links),
    Rule("unsubscribe", lint_page.unsubscribe),
    Rule("agreement", lint_page.agreement),
    Rule("text-width", lint_page.text_width, is_error=False),
    Rule("css", lint_page.css),
    Rule("css-decoration", lint_page.css_decoration, is_error=False),
    Rule("small-print", lint_page.small_print, is_error=False),
    Rule("contrast", lint_page.contrast),
    Rule("dark", lint_page.dark, is_error=False),
    Rule("alt", lint_page.alt),
)


def lint(
    data: bytes, *, listed: bool | None = None, remote_hosts: Collection[str] = (), nonces: Collection[str] = ()
) -> Findings:
    """Judges a composed mail. Never raises, whatever the bytes.

    `listed`: whether it is list mail (None: it is, unless its Feedback-ID says "transactional"). `remote_hosts`: from where
    the operator allows images. `nonces`: what the markers of the edition are spelled with; without them, what looks like one may
    as well be a paper's title, and is a warning.
    """
    letter = Letter.read(data, listed=listed, nonces=tuple(nonces))
    errors = [f"remote: {finding}" for finding in lint_page.remote(letter, remote_hosts)]
    warnings: list[str] = []
    for rule in RULES:
        (errors if rule.is_error else warnings).extend(f"{rule.name}: {finding}" for finding in rule.check(letter))
    return Findings(tuple(errors), tuple(warnings))
