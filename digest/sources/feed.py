"""Any RSS, Atom or JSON feed (https://www.jsonfeed.org/version/1.1/): a journal's, a lab's, a reading list's.

feedparser is given bytes and nothing it could open: text and paths it would fetch. Whatever it raises on odd input is turned
into UnreadableAnswer.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from time import struct_time
from typing import Any, ClassVar

import feedparser

from digest.domain.errors import ConfigurationError, InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.markup import SCRIPTS, without_tags
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Parsed, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.xmltree import refuse_hostile, refuse_slow

LARGEST = 16 * 1024 * 1024
"""Bytes."""
MOST_ENTRIES = 10_000
"""feedparser's time grows with their square."""
LONGEST_DATE = 100
"""Characters. No date is so long, and feedparser's time grows with its square."""
_SHORT = 150
"""Characters. A shorter summary ("Journal of Foo, EarlyView.") says less than what the entry holds in full."""
_PLACE = re.compile(r"^[^:]{3,100}, Vol\. \d+, Pages? [\w–-]{1,20}: ")
"""Before a title: "Foods, Vol. 15, Pages 123: "."""
_FACTS = re.compile(r"\s*(?:<p>)?\s*(?:Publication date|Available online)\b", re.IGNORECASE)
"""How a description begins that holds no abstract."""
_BYLINE = re.compile(r"Author(?:s|\(s\)): *([^<>\n]{3,1000})")
_DAY = re.compile(
    r"(?:^|>)\s*(?:Publication date:|Available online|Published online:?|Published:?) *([^<>;|\n]{4,40})", re.IGNORECASE
)
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def _no_date(written: str) -> tuple[int, ...] | None:
    """feedparser asks its readers of dates in turn, this one first, until one answers: for what is too long, no date at all."""
    return (0,) * 9 if len(written) > LONGEST_DATE else None


feedparser.registerDateHandler(_no_date)


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads a feed's entries. Raises UnreadableAnswer for what is no feed."""
    clean_fields.bounded(data, source)
    if len(data) > LARGEST:
        raise UnreadableAnswer(source, f"{len(data)} bytes; the largest feed read has {LARGEST}")
    if (many := len(re.findall(rb"<(?:\w+:)?(?:item|entry)\b", data.replace(b"\x00", b"")))) > MOST_ENTRIES:
        raise UnreadableAnswer(source, f"{many} entries; the most read is {MOST_ENTRIES}")
    refuse_hostile(data, source)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(data, source, seen_at)
    refuse_slow(data, source)
    if b"\x00" not in data:  # not in UTF-16; feedparser is called back for each line, and white space is folded anyway
        data = data.translate(_LINE_ENDS)
    try:
        read = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
        version, entries = read.get("version"), list(read.get("entries") or [])
    except Exception as error:  # odd feeds raise what they like inside feedparser and below it
        raise UnreadableAnswer(source, f"no feed: {clean_fields.clipped(f'{type(error).__name__}: {error}')}") from None
    if not entries and not version:
        raise UnreadableAnswer(source, "no feed: neither RSS, Atom nor a JSON feed")
    return clean_fields.collected(
        clean_fields.numbered(entries, "entry"), lambda entry: _sighting(entry, source, seen_at), size=len(data)
    )


def _json_feed(data: bytes, source: str, seen_at: datetime) -> Parsed:
    record = clean_fields.table(clean_fields.decoded_json(data, source))
    if "jsonfeed.org/version" not in clean_fields.text(record.get("version"), 100) or not isinstance(record.get("items"), list):
        raise UnreadableAnswer(source, "no JSON feed: `version` and `items` are missing")
    return clean_fields.collected(
        clean_fields.numbered(record["items"], "item"), lambda item: _item(item, source, seen_at), size=len(data)
    )


def _item(item: Any, source: str, seen_at: datetime) -> Sighting:
    item = clean_fields.table(item)
    link = clean_fields.address(item.get("url")) or clean_fields.address(item.get("external_url"))
    return Sighting(
        source=source,
        identifiers=_identified([item.get("external_url"), item.get("url"), item.get("id")], source),
        title=clean_fields.title(item.get("title")),
        seen_at=seen_at,
        abstract=_plain(item.get("content_text") or item.get("content_html") or item.get("summary")),
        authors=authors(clean_fields.rows(item.get("authors") or item.get("author"))),
        published_at=dated(item.get("date_published"), seen_at),
        updated_at=dated(item.get("date_modified"), seen_at),
        keywords=clean_fields.distinct(clean_fields.text(tag, 80) for tag in clean_fields.rows(item.get("tags"))[:50]),
        url=link,
    )


def _sighting(entry: dict[str, Any], source: str, seen_at: datetime) -> Sighting:
    linked = [clean_fields.table(link) for link in clean_fields.rows(entry.get("links"))]
    related = [link.get("href") for link in linked if link.get("rel") == "related"]
    links = [link.get("href") for link in linked if link.get("rel") not in ("related", "replies", "license")]
    described, content = entry.get("summary") or "", _content(entry) or ""
    facts = described if isinstance(described, str) else ""
    names = [entry.get(key) for key in ("prism_doi", "dc_identifier", "id", "link", "feedburner_origlink")]
    tags = [clean_fields.table(tag).get("term") for tag in clean_fields.rows(entry.get("tags"))[:50]]
    return Sighting(
        source=source,
        identifiers=_identified([*names, *links], source, related),
        title=_PLACE.sub("", clean_fields.title(_plain(entry.get("title"))), count=1),
        seen_at=seen_at,
        abstract="" if _FACTS.match(facts) else _plain(content if len(facts) < _SHORT < len(content) else described or content),
        authors=authors(entry.get("authors") or [entry.get("author") or _stated(_BYLINE, facts)]),
        published_at=_published(entry, seen_at) or dated(_stated(_DAY, facts), seen_at),
        updated_at=_dated(entry, "updated", seen_at),
        categories=clean_fields.distinct(clean_fields.text(tag, 80) for tag in tags),
        url=clean_fields.address(entry.get("link")) or next((at for link in links if (at := clean_fields.address(link))), ""),
        venue=clean_fields.text(entry.get("prism_publicationname"), 300),
    )


def _identified(written: list[Any], source: str, related: Iterable[Any] = ()) -> tuple[Identifier, ...]:
    """The arXiv ids and DOIs that the entry carries as such or as links to them; else its own id, under the feed's name.

    A `related` work is this one in another place only where the entry is known by itself to be a paper.
    """
    text = [name.strip() for name in written if isinstance(name, str) and 0 < len(name.strip()) < 2_000]
    if known := [found.identifier for name in text if (found := clean_fields.identify(name))]:
        return tuple(dict.fromkeys((*known, *clean_fields.identifiers(*related))))
    if not text:
        raise InvalidInput("entry", "has neither id nor link")
    scheme = re.sub(r"[^a-z0-9_-]+", "-", source.lower()).strip("-_0123456789")[:32] or "feed"
    key = clean_fields.text(re.sub(r"\s+", "", text[0]), 2_000)
    return (Identifier(scheme, key if 0 < len(key) <= 300 else hashlib.sha256(text[0].encode(errors="replace")).hexdigest()),)


def _plain(value: Any) -> str:
    """Markup off, but for what makes a number another one (10<sup>6</sup>), and entities read; no scripts and styles."""
    text = value if isinstance(value, str) else ""
    if "<" in text:
        text = unescape(without_tags(text[: clean_fields.LONGEST_TEXT * 4], keep=SCRIPTS))
    return clean_fields.text(text)


def _stated(pattern: re.Pattern[str], facts: str) -> str:
    """What a publisher's description says where its feed has no element for it."""
    found = pattern.search(facts[: clean_fields.LONGEST_LINE])
    return _plain(found[1]) if found else ""


def _content(entry: Mapping[str, Any]) -> Any:
    return clean_fields.table(next(iter(clean_fields.rows(entry.get("content"))), None)).get("value")


def _published(entry: dict[str, Any], seen_at: datetime) -> datetime | None:
    """The date of publication; where there is none, Dublin Core's (feedparser calls it that of the last change) or PRISM's."""
    keys = ("published", "updated", "created", "prism_publicationdate", "prism_coverdate")
    return next((found for key in keys if (found := _dated(entry, key, seen_at))), None)


def _dated(entry: dict[str, Any], key: str, seen_at: datetime) -> datetime | None:
    """As written; where that is in no form we know, as feedparser read it, whose tuple is in UTC."""
    if found := dated(dict.get(entry, key), seen_at):
        return found
    parsed = dict.get(entry, f"{key}_parsed")
    return dated("{:04}-{:02}-{:02}T{:02}:{:02}".format(*parsed), seen_at) if isinstance(parsed, struct_time) else None


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed at `base_url`, asked for again only when it changed.

    Options: `public_only` (refuse private addresses; on for feeds that did not come from the operator).
    """

    name: str
    base_url: str
    public_only: bool = False
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.IRREGULAR

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        answer = getter.get(self.name, self.base_url, validators=state.get("validators"), public_only=self.public_only)
        if answer.not_modified:
            return
        parsed = parse(answer.data, source=self.name, seen_at=at)
        yield Batch(parsed.sightings, parsed.rejected, state={"validators": dict(answer.validators)})


def build(name: str, base_url: str, options: Mapping[str, Any]) -> Feed:
    if not base_url:
        raise ConfigurationError(f"sources.{name}.base_url", "is missing; should be the feed's address")
    return made(Feed, name, base_url, options)
