"""Which papers are new: by their date; without one, only what a daily source shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper
from digest.services.editions.build_edition import is_recent
from tests.tables import every_row

SINCE = datetime(2026, 8, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def new(*sources: str, **dates: datetime) -> bool:
    paper = Paper(id=1, identifiers=(Identifier("a", "1"),), title="T", first_seen_at=SINCE + DAY, sources=sources, **dates)
    return is_recent(Candidate(paper), SINCE)


@every_row("source", ["arxiv", "arxiv-cs", "biorxiv", "medrxiv", "huggingface", "huggingface_daily", "seed", "file"])
def test_what_a_daily_source_shows_without_a_date_is_of_the_day(source: str) -> None:
    assert new(source)
    assert new("bibliography", source)
    assert not new(source, updated_at=SINCE + DAY), "a revision of a paper nobody showed us before"


@pytest.mark.parametrize(
    "source", ["bibliography", "feed", "journal-of-ice", "crossref", "openalex", "semanticscholar", "my-lab"]
)
def test_what_any_other_source_shows_without_a_date_is_not_new(source: str) -> None:
    assert not new(source)
    assert new(source, published_at=SINCE)
    assert not new(source, published_at=SINCE - 400 * DAY)
    assert new(source, published_at=SINCE - 400 * DAY, listed_at=SINCE)
