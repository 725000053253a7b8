"""Identity on the real corpus, through the store: every relisting joins its paper, no two ids become one.

The sample: the 200 pairs of different ids whose titles are most alike in the corpus of 111,859 papers (the share of their words
that both have), each read by hand, titles and authors side by side. 181 are two works: a sequel, a part II, a report of the next
year, another author's answer. 19 read like one work posted twice; arXiv gave it two ids, so it stays two papers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.paper import Sighting
from digest.store.unit_of_work import Store
from tests.shared_data import SHARED

TWO_WORKS = """
    2606.29295-2606.30453 2606.13199-2606.13210 2601.08053-2607.20401 2511.22877-2604.19437 2602.10700-2604.23652
    2604.16777-2604.18945 2505.10740-2508.09517 2603.17485-2606.30983 2503.13068-2603.04128 2607.10155-2607.27213
    2604.25827-2607.23034 2604.20375-2604.20383 2601.21395-2602.02480 2601.18046-2603.10411 2505.23796-2506.18600
    2505.16177-2512.20194 2603.11762-2608.10546 2608.12833-2608.16680 2601.22165-2604.18651 2601.04965-2602.07844
    2606.10214-2607.10056 2605.25037-2606.28811 2605.10730-2606.27608 2605.10730-2605.13565 2604.23594-2604.25354
    2602.22720-2608.09488 2602.15956-2604.08486 2602.12928-2607.10418 2602.09508-2607.23102 2601.15932-2606.27707
    2601.06731-2601.06749 2601.02722-2602.07313 2512.20848-2606.15007 2606.21965-2606.31623 2602.19300-2606.02882
    2608.10609-2608.10610 2606.25903-2608.04923 2604.15806-2605.17330 2603.02831-2603.25191 2602.16431-2605.29103
    2602.16333-2607.05807 2601.20579-2608.03442 2601.06179-2602.04867 2512.23382-2602.17946 2512.22459-2512.22461
    2512.22456-2512.22461 2512.22456-2512.22459 2509.18883-2601.16725 2505.10740-2508.03475 2504.01955-2606.04925
    2604.24676-2607.24674 2603.19111-2603.23671 2603.10611-2604.02679 2603.10483-2603.11092 2507.16534-2602.14457
    2507.13275-2606.31692 2506.18828-2606.17255 2607.27091-2608.09886 2606.12197-2607.03388 2605.05365-2605.08560
    2605.02064-2606.07428 2604.20160-2606.26581 2604.04111-2607.07071 2604.03991-2605.13020 2603.23709-2604.04337
    2602.23954-2603.28216 2602.19923-2605.06399 2602.12903-2602.12904 2602.11816-2603.19666 2601.21748-2605.04275
    2601.18364-2606.18937 2601.16326-2605.11449 2601.16311-2603.27686 2601.11165-2608.03426 2512.04026-2604.17445
    2510.18779-2603.27703 2509.19760-2603.09677 2509.19726-2603.10801 2509.01322-2509.18883 2608.10608-2608.10609
    2601.00667-2601.00674 2504.12711-2604.10634 2608.04572-2608.11711 2606.25544-2608.13832 2606.23600-2607.18079
    2606.14513-2607.25981 2606.08683-2606.08703 2605.24638-2608.12020 2605.20761-2605.20787 2603.17888-2603.18772
    2603.14179-2606.27702 2603.12817-2604.26282 2603.06177-2606.28177 2603.04274-2604.07826 2601.18332-2603.16465
    2601.05341-2601.05349 2512.24065-2607.13825 2510.24885-2604.26084 2507.16083-2510.13848 2506.21727-2606.21346
    2505.22334-2506.04207 2608.10608-2608.10610 2606.26619-2606.30080 2604.06817-2605.06231 2603.24452-2603.24479
    2601.06889-2603.14914 2511.21950-2606.15214 2508.03475-2508.09517 2504.10685-2604.11998 2607.25931-2607.25972
    2607.25729-2607.26572 2607.14379-2608.13747 2607.06575-2607.07710 2606.28106-2607.15735 2606.08683-2606.11758
    2605.13565-2606.27608 2604.27755-2607.16832 2604.22289-2608.17780 2604.22289-2608.13275 2604.17918-2604.19190
    2604.12550-2604.22078 2604.01450-2607.25223 2603.28188-2606.07295 2603.27791-2604.23227 2603.11833-2603.16274
    2602.22543-2603.17311 2602.22471-2603.16109 2602.19500-2607.17030 2602.06662-2603.00007 2602.06648-2602.09677
    2602.06272-2602.11848 2602.05960-2602.21453 2601.19659-2606.16256 2601.18166-2604.05411 2601.09337-2607.24066
    2601.05192-2605.26956 2512.19566-2606.15858 2512.15975-2606.21571 2512.14634-2603.03041 2512.06419-2607.12777
    2512.02919-2512.02927 2511.17530-2607.11900 2505.09388-2601.21337 2505.09388-2511.21631 2505.06582-2508.17480
    2504.07053-2603.12350 2503.18942-2605.04461 2605.04720-2605.06802 2604.11287-2604.19598 2608.06854-2608.09886
    2607.27091-2608.06854 2606.31153-2607.13381 2606.25370-2606.27710 2606.24662-2607.20106 2604.23939-2604.26163
    2604.07898-2604.07905 2603.19704-2608.10951 2601.08669-2606.22623 2510.13670-2605.02212 2507.22627-2602.18309
    2504.14600-2604.10532 2503.22140-2512.14435 2605.15130-2605.15149 2608.13275-2608.17780 2608.12899-2608.12909
    2607.25396-2607.27850 2607.19416-2608.15318 2606.21062-2606.21073 2606.11168-2608.19108 2604.27868-2607.08239
    2604.18100-2604.27163 2604.13013-2605.00572 2604.11664-2607.04368 2604.11227-2608.09165 2604.09600-2605.04652
    2604.02864-2608.12567 2603.29961-2604.06609 2603.23228-2603.29988 2603.15313-2603.16275 2603.01669-2603.12401
    2602.17946-2604.07642
"""
POSTED_TWICE = """
    2606.06222-2608.03583 2605.01877-2605.04820 2603.18565-2605.18458 2509.21801-2601.11002 2509.18176-2509.25393
    2507.12759-2510.09354 2506.06035-2510.03122 2506.03197-2510.15349 2505.17997-2506.03038 2602.22092-2604.15555
    2503.21394-2506.03741 2511.14087-2512.23990 2504.12673-2512.08943 2605.14763-2606.12115 2503.21055-2506.00101
    2603.18343-2605.22096 2508.11904-2604.03941 2511.22759-2604.05110 2503.17660-2504.18204
"""
PAIRS = [tuple(pair.split("-")) for pair in (TWO_WORKS + POSTED_TWICE).split()]
SEEN = datetime(2026, 9, 1, tzinfo=UTC)


def corpus() -> Iterator[dict[str, Any]]:
    with gzip.open(SHARED / "data/corpus/arxiv_papers.jsonl.gz", "rt") as lines:
        yield from map(json.loads, lines)


def shown(row: dict[str, Any], source: str = "arxiv", name: str = "") -> Sighting:
    return Sighting(
        source=source,
        identifiers=(parse_identifier(name or row["id"]).identifier,),
        title=row["title"],
        authors=tuple(row["authors"]),
        seen_at=SEEN,
    )


@pytest.mark.slow
def test_every_relisting_joins_its_paper_and_no_other(sqlite_store: Store) -> None:
    """11,742 papers were listed again, here by another source, under a later version and an address or a DOI of arXiv's."""
    spellings = ("arXiv:{}v2", "https://arxiv.org/abs/{}v3", "10.48550/arXiv.{}", "https://huggingface.co/papers/{}")
    rows = [row for row in corpus() if row.get("seen_again")]
    again = [
        shown(row, "huggingface", spellings[(n + times) % 4].format(row["id"]))
        for n, row in enumerate(rows)
        for times, _ in enumerate(row["seen_again"])
    ]
    with sqlite_store.begin() as unit:
        first = unit.papers.merge([shown(row) for row in rows])
        relisted = unit.papers.merge(again)
        assert (first.new, relisted.new, unit.papers.count()) == (11_742, 0, 11_742)
    assert len(again) >= 11_742


@pytest.mark.slow
def test_the_two_hundred_pairs_most_alike_stay_apart(sqlite_store: Store) -> None:
    """Seen together, seen again under their DOIs, and read of in a reference that has only a title and authors."""
    assert len(PAIRS) == len(set(PAIRS)) == 200
    named = {name for pair in PAIRS for name in pair}
    rows = {row["id"]: row for row in corpus() if row["id"] in named}
    assert rows.keys() == named
    with sqlite_store.begin() as unit:
        unit.papers.merge([shown(row) for row in rows.values()])
        unit.papers.merge([shown(row, "crossref", f"10.48550/arXiv.{name}") for name, row in rows.items()])
        assert unit.papers.count() == len(named)
        for one, other in PAIRS:
            papers = [unit.papers.find(Identifier("arxiv", name)) for name in (one, other)]
            assert len({paper.id for paper in papers if paper}) == 2
            assert [paper.title for paper in papers if paper] == [rows[one]["title"], rows[other]["title"]]
        references = {
            name: replace(shown(row, "bibtex"), identifiers=(Identifier("reference", name),)) for name, row in rows.items()
        }
        unit.papers.merge(list(references.values()))
        joined = {name: paper for name in references if (paper := unit.papers.find(Identifier("reference", name)))}
        wrong = {
            name: paper.identifier.value
            for name, paper in joined.items()
            if paper.identifier.scheme == "arxiv" and paper.identifier.value != name
        }
    assert wrong == {}
    assert sum(paper.identifier.scheme == "arxiv" for paper in joined.values()) > 300
