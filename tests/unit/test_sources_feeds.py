"""Feeds as publishers write them: where their authors, dates and abstracts stand, and whose identifier a link is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.domain.paper import Sighting
from digest.sources import feed

SEEN = datetime(2026, 8, 15, tzinfo=UTC)
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dcterms="http://purl.org/dc/terms/"'
)


def rss(inner: str) -> Sighting:
    text = f'<rss version="2.0" {SPACES}><channel><title>J</title><item><link>https://j.example.org/1</link>{inner}</item></channel></rss>'
    (found,) = feed.parse(text.encode(), source="f", seen_at=SEEN).sightings
    return found


def atom(inner: str) -> Sighting:
    entry = f"<entry><id>tag:example.org,2026:1</id><title>Reefs</title>{inner}</entry>"
    (found,) = feed.parse(
        f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode(), source="f", seen_at=SEEN
    ).sightings
    return found


LONG = "We measure how reefs grow. " * 8


@pytest.mark.parametrize(
    ("item", "title", "authors", "day", "abstract"),
    [
        (
            "<title>Reefs</title><description><![CDATA[<p>Publication date: July 2026</p>"
            "<p><b>Source:</b> Journal of Foo, Volume 12</p><p>Author(s): Ann Lee, Bo Li</p>]]></description>",
            "Reefs", ["Ann Lee", "Bo Li"], "2026-07-01", "",
        ),
        (
            "<title>Reefs</title><description>&lt;p&gt;Available online 12 August 2026&lt;/p&gt;&lt;p&gt;Author(s): Ann Lee"
            "&lt;/p&gt;</description>",
            "Reefs", ["Ann Lee"], "2026-08-12", "",
        ),
        (
            f"<title>Reefs</title><description>Journal of Foo, EarlyView.</description><content:encoded>{LONG}</content:encoded>"
            "<dc:creator>\nAnn Lee, \nBo Li, \nCy Roe\n</dc:creator>",
            "Reefs", ["Ann Lee", "Bo Li", "Cy Roe"], None, LONG.strip(),
        ),
        (
            "<title>Foods, Vol. 15, Pages 123: Reef Fish</title><dc:creator>Ann Lee</dc:creator><dc:creator>Bo Li</dc:creator>"
            "<dc:date>2026-08-12</dc:date>",
            "Reef Fish", ["Ann Lee", "Bo Li"], "2026-08-12", "",
        ),
        ("<title>Reefs</title><dcterms:created>2019-01-02</dcterms:created>", "Reefs", [], "2019-01-02", ""),
        ("<title>Reefs</title><dc:date>12 августа 2026</dc:date>", "Reefs", [], "2026-08-12", ""),
        (
            "<title>Reefs</title><description>We studied what the journal published online: nothing.</description>",
            "Reefs", [], None, "We studied what the journal published online: nothing.",
        ),
    ],
)  # fmt: skip
def test_items(item: str, title: str, authors: list[str], day: str | None, abstract: str) -> None:
    found = rss(item)
    published = found.published_at and found.published_at.date().isoformat()
    assert (found.title, list(found.authors), published, found.abstract) == (title, authors, day, abstract)


@pytest.mark.parametrize(
    ("links", "name"),
    [
        ('<link href="https://doi.org/10.1000/own"/>', "doi:10.1000/own"),
        ('<link rel="alternate" href="https://j.example.org/doi/10.1000/own/full"/>', "doi:10.1000/own"),
        ('<link rel="via" href="https://arxiv.org/abs/2401.12345"/>', "arxiv:2401.12345"),
        ('<link rel="related" href="https://doi.org/10.1000/cited"/>', "f:tag:example.org,2026:1"),
        ('<link rel="replies" href="https://talk.example.org/10.1000/x"/>', "f:tag:example.org,2026:1"),
    ],
)
def test_whose_identifier_a_link_is(links: str, name: str) -> None:
    assert [str(each) for each in atom(links).identifiers] == [name]
