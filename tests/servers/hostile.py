"""Bytes that make careless parsers slow, in many shapes, and the doors that strangers' bytes come in by."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.domain.errors import DigestError
from digest.domain.interest import understand
from digest.domain.query import parse_query
from digest.domain.subscriber import Address, Preferences
from digest.links import Links, Purpose
from digest.mail.inbound.read_feedback import read_feedback
from digest.mail.inbound.webhooks.mailgun import MailgunWebhook
from digest.mail.inbound.webhooks.ses import SesWebhook
from digest.mail.message.address import read_address
from digest.ranking.sentences import sentences
from digest.ranking.terms import terms
from digest.render.text.latex import readable
from digest.services.libraries.read_library import read_library
from digest.services.subscriptions.csv_layout import read_layout
from digest.services.subscriptions.subscriber_csv import rows_of
from digest.sources.authors import authors, bibtex_authors
from digest.sources.clean_fields import LONGEST_TEXT
from digest.sources.dates import read_date
from digest.sources.latex import unprotected

AT = datetime(2026, 5, 27, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")

UNITS: tuple[bytes, ...] = tuple(
    unit.encode("utf-8", "surrogatepass")
    for unit in (
        "\n", " ", "\t\r\n ", "{", "}", '"', '" ', ' "a', "'", "\\", "\\\\", "$", "$$a", "<", "[", "(", ", (", ", ", "& ",
        "&amp;", "@",
        "@ ", "@\n", "\n@", "@a{", "@a{k, t = {", "\n@a{k, t = {x", "@a{k,t={}}", "@string{a = a # a}", "1 # ", "a#",
        "a = ", "a", "a ",
        "a-", "a.", "a/", "1", "1.", "1.1 ", "v1", "not:", "-mute:", "- ", "author:", 'author:"', ",", ";", "a,", 'a="1" ',
        "a='>' ",
        "<a>", "</a>", "<a ", "<a b=", "<!--", "<!---->", "<![CDATA[", "<?", "<!", "]]>", "--", "https://", "https://a.",
        "https://arxiv.org/abs/",
        "10.1101/", "arxiv:", "arXiv:1 ", "\u0301", "a\u0301", "\U0001f469\u200d", "\u202e", "\ud800", "\x00",
        "=?utf-8?q?a?= ", "=20",
        " and ", "{a", "{a}", "<p ", "&lt;p ", "&#1;", "\\frac{", "\\a ", "\\text{$", "^{", "_", "`", "''", "a@", "a@b.",
        "https://github.com/a",
        "--b\n", "From x\n", "> ", "550 ", "A. ", "a.B. ", "[1", '{"a":', '"a",',
        '{"id":"arxiv:2608.00001","title":"t"}\n', "\\u0000",
        "\\ud800", "9e9", "Withdrawn the paper ", "the a ",
    )
)  # fmt: skip
"""Each is repeated."""

FRAMES: dict[str, tuple[bytes, bytes]] = {
    "bare": (b"", b""),
    "bibtex entry": (b"@a{k, ", b""),
    "bibtex value": (b"@a{k, t = {", b""),
    "bibtex title": (b"@a{k, title = {", b"}}"),
    "bibtex quoted": (b'@a{k, author = {A and B}, title = "', b'"}'),
    "bibtex authors": (b"@a{k, title={x}, author = {", b"}}"),
    "bibtex doi": (b"@a{k, title={x}, doi = {10.1000/", b"}}"),
    "bibtex date": (b"@a{k, title={x}, date = {", b"}}"),
    "bibtex journal": (b"@a{k, title={x}, journal = {arXiv ", b"}}"),
    "bibtex after": (b"@a{k, title={x}}", b""),
    "RSS tag": (b'<rss version="2.0" ', b"><channel></channel></rss>"),
    "RSS title": (b'<rss version="2.0"><channel><item><link>http://a.b/c</link><title>', b"</title></item></channel></rss>"),
    "RSS text": (
        b'<rss version="2.0"><channel><item><title>t</title><link>http://a.b/c</link><description>',
        b"</description></item></channel></rss>",
    ),
    "RSS date": (b"<rss><channel><item><title>t</title><link>http://a.b/c</link><pubDate>", b"</pubDate></item></channel></rss>"),
    "RSS cdata": (b"<rss><channel><item><title>t</title><description><![CDATA[", b"]]></description></item></channel></rss>"),
    "OAI repaired": (b"<OAI-PMH>&x;", b"</OAI-PMH>"),
    "OAI end": (b"<OAI-PMH>&x;<b></OAI-PMH>", b"x"),
    "OAI text": (
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><metadata><arXiv><id>2605.00001</id><title>t'
        b"</title><abstract>",
        b"</abstract></arXiv></metadata></record></ListRecords></OAI-PMH>",
    ),
    "arXiv RSS": (
        b'<rss xmlns:arxiv="http://arxiv.org/schemas/atom"><channel><item><title>t</title><link>https://arxiv.org/abs/2605.00001</link>'
        b"<description>",
        b"</description></item></channel></rss>",
    ),
    "arXiv Atom": (
        b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"><entry><id>http://arxiv.org/abs/2605.00001'
        b"</id><title>t</title><summary>",
        b"</summary></entry></feed>",
    ),
    "JSON feed": (b'{"version":"https://jsonfeed.org/version/1.1","items":[', b"]}"),
    "JSON feed text": (b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"', b'"}]}'),
    "CSL": (b'[{"type":"x","title":"y","note":"', b'"}]'),
    "CSL date": (b'[{"type":"x","title":"y","DOI":"10.1/a","issued":{"date-parts":[[', b"]]}}]"),
    "Crossref": (b'{"message-type":"x","message":{"items":[{"DOI":"10.1/a","title":["', b'"]}]}}'),
    "OpenAlex": (b'{"results":[{"id":"https://openalex.org/W1","title":"', b'"}]}'),
    "Hugging Face": (b'[{"paper":{"id":"2605.00001","title":"', b'"}}]'),
    "JSON lines": (b'{"id":"arxiv:2605.00001","title":"', b'"}\n'),
    "seed page": (b"Get trending papers in your email inbox\nGet trending papers in your email inbox\nSubscribe", b""),
}
"""What a file of each format looks like around them."""

CALM = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: "
MAILS: dict[str, tuple[bytes, bytes]] = {
    "mail subject": (CALM, b"\n\nx"),
    "mail body": (CALM + b"Undelivered mail\n\n", b""),
    "mail markup": (CALM + b"Undelivered mail\nContent-Type: text/html\n\n", b""),
    "mail parts": (CALM + b"Undelivered mail\nContent-Type: multipart/report; boundary=b\n\n", b""),
    "mail type": (CALM + b"Undelivered mail\nContent-Type: multipart/mixed; ", b"\n\nx"),
}


def filled(frame: tuple[bytes, bytes], unit: bytes, size: int) -> bytes:
    return frame[0] + unit * (size // len(unit)) + frame[1]


def upload(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "papers"
        file.write_bytes(data)
        read_library(file, AT)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _roster(data: bytes) -> None:
    lines = iter(_text(data).splitlines(keepends=True))
    for _ in rows_of(read_layout(lines), lambda said: Address(read_address(said)), ("daily",), Preferences()):
        pass


def _token(data: bytes) -> None:
    links = Links("https://digest.example", "a key")
    for purpose in Purpose:
        with suppress(DigestError):
            links.verify(purpose, _text(data), AT)


def _webhooks(data: bytes) -> None:
    for webhook in (MailgunWebhook("key"), SesWebhook("arn", lambda url: b"")):
        with suppress(DigestError):
            webhook.verify({}, data, AT)
        webhook.parse(data)


DOORS: dict[str, tuple[Callable[[bytes], object], dict[str, tuple[bytes, bytes]]]] = {
    "upload": (upload, FRAMES),
    "mail": (read_feedback, MAILS),
    "interests": (lambda data: understand(_text(data)), {"bare": (b"", b""), "author": (b'author:"', b'"')}),
    "search": (lambda data: parse_query(_text(data)), {"bare": (b"", b""), "quoted": (b'"', b'"')}),
    "CSV": (_roster, {"bare": (b"", b""), "interests": (b'email,interests\na@example.org,"', b'"\n')}),
    "address": (lambda data: read_address(_text(data)), {"bare": (b"", b""), "domain": (b"a@", b"")}),
    "token": (_token, {"bare": (b"", b"")}),
    "webhook": (
        _webhooks,
        {"bare": (b"", b""), "token": (b'{"signature":{"token":"', b'"}}'), "list": (b'{"Message":"[', b'"}')},
    ),
}
"""What reads, and what its bytes may be framed by."""

TEXTS: dict[str, Callable[[str], object]] = {
    "title in LaTeX": readable,
    "words": terms,
    "sentences": sentences,
    "names in a line": lambda line: authors([line]),
    "names in BibTeX": bibtex_authors,
    "title in BibTeX": unprotected,
    "date": read_date,
}
"""Read what a source's text field held: LONGEST_TEXT at most."""


def cases(size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """(name, what to call) for each door, frame and unit. What is refused raises a DigestError."""
    for door, (read, frames) in DOORS.items():
        for framed, frame in frames.items():
            for unit in UNITS:
                yield f"{door}, {framed}: {unit!r}", lambda read=read, frame=frame, unit=unit: read(filled(frame, unit, size))
    for name, function in TEXTS.items():
        for unit in UNITS:
            yield (
                f"{name}: {unit!r}",
                lambda function=function, unit=unit: function(_text(unit * (min(size, LONGEST_TEXT) // len(unit)))),
            )
