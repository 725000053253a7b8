"""feedparser's own collection of odd feeds, to every parser of XML: nothing is raised and nothing is opened."""

from __future__ import annotations

import tarfile

from tests.shared_data import SHARED
from tests.unit.test_sources_hostile import PARSERS, no_network, read

__all__ = ["no_network"]  # a fixture that every test here uses


def test_1568_odd_feeds_raise_nothing_and_open_nothing() -> None:
    seen = papers = 0
    with tarfile.open(SHARED / "data/api_responses/feedparser_odd_feeds.tar.xz") as archive:
        for member in archive:
            if not member.isfile() or (held := archive.extractfile(member)) is None:
                continue
            data = held.read()
            seen += 1
            for name in ("feed", "arxiv_atom", "arxiv_rss", "arxiv_oai", "bibtex"):
                parsed = read(PARSERS[name][0], data)
                papers += len(parsed.sightings) if parsed else 0
    assert seen == 1568
    assert papers >= 11  # the few that have a title and an id
