"""arXiv's daily announcements (https://info.arxiv.org/help/rss.html): one batch, in RSS 2.0 or Atom; empty on days without.

A batch can be yesterday's under today's date, so nothing here judges freshness: the ids do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from digest.domain.errors import ConfigurationError, UnreadableAnswer
from digest.domain.paper import Sighting
from digest.sources import clean_fields, xmltree
from digest.sources.arxiv_atom import REPLACED, read_feed, refuse_error_feed
from digest.sources.arxiv_record import abstract_page, identified, pdf
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import ARXIV_PACE, Batch, Getter, Parsed, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.xmltree import Element, child, children, text_of

_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
BASE_URL = "https://rss.arxiv.org"
_DESCRIBED = re.compile(r"arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<type>[\w-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE)


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads the RSS or the Atom form. Raises UnreadableAnswer for a batch cut short, an error's feed and anything else."""
    root, repaired = xmltree.tree(data, source)
    if xmltree.name(root) == "feed":
        return read_feed(root, repaired, source=source, seen_at=seen_at)
    channel = child(root, "channel")
    if xmltree.name(root) not in ("rss", "RDF") or channel is None:
        raise UnreadableAnswer(source, f"<{xmltree.name(root)[:40]}> where <rss> with a <channel> was due")
    refuse_error_feed(text_of(channel, "title"), text_of(channel, "description"), source)
    placed = ((f"item {n} ({text_of(i, 'link')[:80] or 'without link'})", i) for n, i in enumerate(_items(root, channel), 1))
    parsed = clean_fields.collected(placed, lambda item: _sighting(item, source, seen_at), size=len(data))
    return Parsed(parsed.sightings, repaired + parsed.rejected)


def _items(root: Element, channel: Element) -> Iterator[Element]:
    """In RSS 1.0 they stand beside the channel."""
    return children(channel if xmltree.name(root) == "rss" else root, "item")


def _sighting(item: Element, source: str, seen_at: datetime) -> Sighting:
    described = text_of(item, "description")
    opening = _DESCRIBED.match(described)
    # The guid and the description carry the version, the link does not; older feeds have only the link, or the item's own name.
    places = (text_of(item, "guid"), opening["id"] if opening else "", text_of(item, "link"), item.get(_ABOUT) or "", "nothing")
    written = next(place for place in places if place)
    found = identified(written)
    announced = (text_of(item, "announce_type") or (opening["type"] if opening else "new")).lower()
    abstract = described[opening.end() :] if opening else described
    announced_at = dated(text_of(item, "pubDate") or text_of(item, "date"), seen_at)
    return Sighting(
        source=source,
        identifiers=(found.identifier,),
        title=clean_fields.title(text_of(item, "title")),
        seen_at=seen_at,
        abstract=abstract,
        authors=authors((text_of(creator) for creator in children(item, "creator")), comma="parts"),
        listed_at=None if announced in REPLACED else announced_at,
        updated_at=announced_at if announced in REPLACED else None,
        categories=clean_fields.distinct(text_of(category) for category in children(item, "category")),
        url=abstract_page(found.identifier),
        pdf_url=pdf(found.identifier),
        code_url=clean_fields.code_address(abstract),
        version=found.version,
    )


@dataclass(frozen=True, slots=True)
class ArxivAnnouncements:
    """Today's batch for some categories.

    Options: `categories` (["cs.AI", "cs.CL"] or ["cs"]), `replacements` (whether new versions of older papers come too; off,
    since a store that never saw the first version would take the paper for a new one).
    """

    name: str
    base_url: str = BASE_URL
    categories: tuple[str, ...] = ("cs.AI", "cs.CL", "cs.LG")
    replacements: bool = False
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.ARXIV

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        url = f"{self.base_url.rstrip('/')}/rss/{'+'.join(self.categories)}"
        answer = getter.get(self.name, url, validators=state.get("validators"), pace=ARXIV_PACE)
        if answer.not_modified:
            return
        parsed = parse(answer.data, source=self.name, seen_at=at)
        wanted = tuple(s for s in parsed.sightings if self.replacements or s.updated_at is None)
        yield Batch(wanted, parsed.rejected, state={"validators": dict(answer.validators)})


def build(name: str, base_url: str, options: Mapping[str, Any]) -> ArxivAnnouncements:
    source = made(ArxivAnnouncements, name, base_url or BASE_URL, options)
    if wrong := [c for c in source.categories if not re.fullmatch(r"[a-z][a-z-]*(?:\.[A-Za-z-]+)?", c)]:
        raise ConfigurationError(f"sources.{name}.options.categories", f"{wrong[0]!r} should be like cs.CL or cs")
    return source
