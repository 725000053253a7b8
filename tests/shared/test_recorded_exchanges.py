"""Recorded exchanges with Semantic Scholar → what is in each answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from digest.domain.errors import UnreadableAnswer
from digest.sources import semantic_scholar
from tests.answers import SEEN
from tests.shared_data import SHARED

ANSWERS = SHARED / "data" / "api_responses"


@dataclass(frozen=True)
class Cassette:
    """A recorded exchange with Semantic Scholar. `counts`: (papers, readings, rejected) of each answer.

    `papers`: (answer, position) → the first characters of the paper's id, and its title or its citations.
    """

    name: str
    counts: tuple[tuple[int, int, int], ...] = ()
    papers: tuple[tuple[int, int, str, str | int], ...] = ()
    refusal: str = ""


ALL = (100, 0, 0)
CASSETTES = [
    Cassette("test_bad_query_parameters", refusal=r"Unrecognized or unsupported fields: \[unknown\]"),
    Cassette("test_debug", refusal="Forbidden"),
    Cassette("test_get_author", refusal="an author"),
    Cassette("test_get_dataset_diffs", refusal="a data set"),
    Cassette("test_get_dataset_download_links", refusal="a data set"),
    Cassette("test_get_release", refusal="a release"),
    Cassette("test_get_recommended_papers_from_lists_negative_only", refusal="Semantic Scholar says"),
    Cassette("test_get_authors_not_found_warning", ((0, 0, 4),)),
    Cassette("test_get_authors_return_not_found", ((0, 0, 4),)),
    Cassette(
        "test_get_author_papers",
        (ALL,) * 8 + ((75, 0, 0),),
        (
            (0, 0, "01063e45", "SARS-CoV-2 hijacks p38β/MAPK11 to promote virus replication"),
            (0, 50, "ece822a6", "The AACR Journals: Advancing Progress Toward the AACR's 115-Year Mission."),
            (0, 99, "d0a142a7", "Limited Environmental Serine Confers Sensitivity to PHGDH Inhibition in Brain Metastasis"),
            (8, 0, "420e719f", "Cell and molecular physiology. Modulation of membrane transport systems"),
            (8, 37, "3198c7f9", "Role of Na+ andCa2+ Fluxes in Terminal Differentiation of Murine Erythroleukemia Cells"),
        ),
    ),
    Cassette(
        "test_get_paper_sync_from_running_loop", ((1, 0, 0),), ((0, 0, "2d5673ca", "Computing Machinery and Intelligence"),)
    ),
    Cassette("test_get_papers", ((0, 0, 3),)),
    *(
        Cassette(
            name,
            ((3, 0, 1),),
            (
                (0, 0, "c31c87c5", "How Much Should We Trust Differences-in-Differences Estimates?"),
                (0, 1, "cb1ebd91", "The Miracle of Microfinance? Evidence from a Randomized Evaluation"),
            ),
        )
        for name in ("test_get_papers_not_found_warning", "test_get_papers_return_not_found")
    ),
    Cassette(
        "test_get_recommended_papers",
        (ALL,),
        (
            (
                0,
                0,
                "3e9bc879",
                "Report shows slight improvement on grantmaker diversity, but compensation lagging behind inflation",
            ),
            (0, 50, "d95c8844", "Major Themes in Economics Major Themes in Economics"),
            (0, 99, "1ee12e48", "The Multiracial Complication: The 2020 Census and the Fictitious Multiracial Boom"),
        ),
    ),
    Cassette(
        "test_get_recommended_papers_from_lists_positive_only",
        (ALL,),
        (
            (0, 0, "e2caadf0", "All-Hops Shortest Paths"),
            (0, 50, "55657b84", "Graph Theoretical Approach for Path Selection in Logistic Problems"),
            (0, 99, "e3482e0a", "A note on transformations of edge colorings of chordless graphs and triangle-free graphs"),
        ),
    ),
    Cassette("test_get_recommended_papers_pool_from", (ALL,), ((0, 50, "612a3b40", "ScholarWorks SJSU ScholarWorks"),)),
    Cassette(
        "test_search_paper_bulk_retrieval_next_page",
        ((1000, 0, 0), (1000, 0, 0)),
        (
            (0, 0, "0018ce3d", "Kubernetes Cluster for Automating Software Production Environment"),
            (
                0,
                500,
                "3102853b",
                "GAMMA: Graph Neural Network-Based Multi-Bottleneck Localization for Microservices Applications",
            ),
            (0, 999, "5e507b02", "RARE: a labeled dataset for cloud-native memory anomalies"),
            (1, 0, "5e620a3f", "Monitoring Container Services at the Network Edge"),
            (1, 999, "bd9b0d43", "Simplifying Scientific Application Access in Kubernetes with Push Button Deployments"),
        ),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_sorted_results_asc",
        ((0, 1000, 0), (0, 1000, 0), (0, 1000, 0), (0, 27, 0)),
        ((0, 0, "0020825b", 0), (3, 0, "ef3ce773", 80), (3, 13, "e438206e", 128), (3, 26, "f125b540", 947)),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_sorted_results_default_order",
        ((0, 1000, 0), (0, 1000, 0), (0, 674, 0)),
        ((0, 500, "70f99272", 0), (2, 0, "5f0c0a50", 5), (2, 337, "e43b51ca", 11), (2, 673, "f125b540", 922)),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_traversing_results",
        ((1000, 0, 0), (1000, 0, 0), (674, 0, 0)),
        (
            (2, 0, "bda0e7ae", "Mastering Service Mesh"),
            (
                2,
                337,
                "de4deb99",
                "A Mutual Information–Based Infrastructureless Radio Frequency Positioning System via Deep Learning",
            ),
            (2, 673, "ffe13ebe", "Bachelor Degree Project"),
        ),
    ),
    Cassette("test_search_paper_fields_of_study", ((0, 0, 100),)),
    Cassette(
        "test_search_paper_match_title",
        ((1, 0, 0),),
        ((0, 0, "6fe8c5bf", "Mining association rules between sets of items in large databases"),),
    ),
    Cassette(
        "test_search_paper_min_citation_count",
        ((0, 70, 0),),
        ((0, 0, "6b0f0661", 4340), (0, 35, "2518002f", 1127), (0, 69, "953819e4", 1022)),
    ),
    Cassette(
        "test_search_paper_next_page",
        (ALL, ALL),
        (
            (0, 50, "c9d7afd6", "Reinforcement Learning Neural Turing Machines"),
            (1, 0, "ac7a3d29", "How to Run Turing Machines on Encrypted Data"),
            (1, 99, "f2acd4ed", "An Experimental Design Method Leading to Chemical Turing Patterns"),
        ),
    ),
    Cassette("test_search_paper_open_access_pdf", ((0, 0, 100),)),
    Cassette(
        "test_search_paper_publication_date_or_year",
        ((77, 0, 0), (79, 0, 0), *(ALL,) * 7),
        (
            (
                0,
                0,
                "d4d0f5e2",
                "Lady Lovelace’s Objection: The Turing–Hartree Disputes Over the Meaning of Digital Computers, 1946–1951",
            ),
            (8, 50, "9b4dbfff", "Alan Turing"),
            (
                8,
                99,
                "e007587c",
                "Turing Instability and Pattern Formation for the Lengyel–Epstein System with Nonlinear Diffusion",
            ),
        ),
    ),
    Cassette("test_search_paper_publication_types", ((0, 0, 100), (0, 0, 100))),
    Cassette(
        "test_search_paper_sync_from_running_loop",
        (ALL,),
        (
            (0, 0, "66e35007", "Large Language Models Pass the Turing Test"),
            (0, 99, "01dde819", "Towards a Historical Notion of ‘Turing—the Father of Computer Science’"),
        ),
    ),
    Cassette(
        "test_search_paper_traversing_results",
        ((89, 0, 0),),
        (
            (0, 0, "169a66a0", "Near-optimal sublinear time algorithms for Ulam distance"),
            (0, 44, "109cc4ba", "Bit-Parallel Witnesses and Their Applications to Approximate String Matching"),
        ),
    ),
    Cassette(
        "test_search_paper_with_relevance_and_sort",
        (ALL,),
        (
            (0, 0, "61020665", "Security Misconfigurations in Open Source Kubernetes Manifests: An Empirical Study"),
            (0, 99, "a8da6903", "Enhancing CNF performance for 5G core network using SR-IOV in Kubernetes"),
        ),
    ),
    Cassette("test_search_paper_year_range", ((0, 0, 47),)),
]


def bodies(name: str) -> list[bytes]:
    recorded: list[dict[str, Any]] = [
        exchange["response"]
        for exchange in yaml.safe_load((ANSWERS / f"semanticscholar/{name}.yaml").read_text())["interactions"]
    ]
    return [str(answer.get("content") or answer["body"]["string"]).encode() for answer in recorded]


@pytest.mark.parametrize("cassette", CASSETTES, ids=lambda cassette: cassette.name)
def test_recorded_exchanges_with_semantic_scholar(cassette: Cassette) -> None:
    answers = bodies(cassette.name)
    if cassette.refusal:
        for body in answers:
            with pytest.raises(UnreadableAnswer, match=cassette.refusal):
                semantic_scholar.parse(body, source="table", seen_at=SEEN)
        return
    parsed = [semantic_scholar.parse(body, source="table", seen_at=SEEN) for body in answers]
    others = [sum("is no paper's" in each.reason for each in p.rejected) for p in parsed]  # errata, editorials, book reviews
    counts = [(len(p.sightings) + n, len(p.readings), len(p.rejected) - n) for p, n in zip(parsed, others, strict=True)]
    assert tuple(counts) == cassette.counts
    for answer, position, key, told in cassette.papers:
        if isinstance(told, str):
            titles = {each.identifiers[-1].value[:8]: each.title for each in parsed[answer].sightings}
            assert titles[key] == told
        else:
            reading = parsed[answer].readings[position]
            assert (reading.identifier.value[:8], reading.signal.value, reading.signal.kind) == (key, told, "citations")


def test_the_reasons_why_recorded_rows_are_no_papers() -> None:
    unknown = semantic_scholar.parse(bodies("test_get_papers_not_found_warning")[0], source="table", seen_at=SEEN)
    assert [(r.where, r.reason) for r in unknown.rejected] == [("row 1", "paper: not known to Semantic Scholar")]
    people = semantic_scholar.parse(bodies("test_get_authors_not_found_warning")[0], source="table", seen_at=SEEN)
    assert {r.reason for r in people.rejected} == {"paper: not known to Semantic Scholar", "paper: is an author"}


def test_every_exchange_is_in_the_table() -> None:
    recorded = {file.stem for file in (ANSWERS / "semanticscholar").glob("*.yaml")}
    assert recorded == {cassette.name for cassette in CASSETTES}
