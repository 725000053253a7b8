"""Titles and identifiers of 111,859 papers."""

from __future__ import annotations

import gzip
import json
from collections import Counter

from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.identity import may_match_by_title, title_key
from digest.render.text.latex import readable
from tests.shared_data import SHARED
from tests.unit.test_identity import seen


def test_a_hundred_thousand_real_titles() -> None:
    """None raises; of those with LaTeX, at most 5 % still show a backslash (macros of their authors, matrices)."""
    with gzip.open(SHARED / "data/corpus/arxiv_papers.jsonl.gz", "rt") as lines:
        titles = [json.loads(line)["title"] for line in lines]
    marked = [title for title in titles if "\\" in title]
    assert len(marked) > 1_500
    assert sum("\\" in readable(title) for title in marked) <= 0.05 * len(marked)
    twice = [title for title in titles if readable(readable(title)) != readable(title)]
    assert len(twice) <= 0.0005 * len(titles), twice[:5]


SAME_WORDS_TWO_PAPERS = {
    ("2509.18176", "2509.25393"),
    ("2603.18565", "2605.18458"),
    ("2509.21801", "2601.11002"),
    ("2506.06035", "2510.03122"),
    ("2505.17997", "2506.03038"),
    ("2605.01877", "2605.04820"),
    ("2506.03197", "2510.15349"),
    ("2606.06222", "2608.03583"),
    ("2507.12759", "2510.09354"),
    ("2601.08053", "2607.20401"),
    ("2603.29280", "2608.02429"),
}
"""All pairs in the corpus whose titles are word for word the same; arXiv gave them two ids, so they stay two papers."""


def test_the_corpus_by_its_identifiers() -> None:
    """111,859 papers, 11,742 of them listed again: as many names as papers, and equal titles alone make none of them one."""
    with gzip.open(SHARED / "data/corpus/arxiv_papers.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    names = Counter(parse_identifier(row["id"]).identifier for row in rows)
    assert (len(rows), len(names)) == (111_859, 111_859)
    assert sum("seen_again" in row for row in rows) == 11_742
    by_title: dict[str, list[Identifier]] = {}
    for row in rows:
        sighting = seen("arxiv", title=row["title"], authors=tuple(row["authors"]), identifiers=(Identifier("arxiv", row["id"]),))
        if key := title_key(sighting):
            by_title.setdefault(key.partition("|")[0], []).append(sighting.identifiers[0])
    alike = {tuple(sorted(i.value for i in ids)) for ids in by_title.values() if len(ids) > 1}
    assert alike == SAME_WORDS_TWO_PAPERS
    assert not any(may_match_by_title([Identifier("arxiv", a)], [Identifier("arxiv", b)]) for a, b in alike)
