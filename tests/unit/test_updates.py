"""What became of a paper since it was shown: what is worth a line, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from digest.domain.edition import Update
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper
from digest.domain.updates import KINDS, accepted, chosen, update
from tests.tables import every_row

ABSTRACT = "We study how clocks drift and propose two springs that keep them right for a year at no cost to anybody."
OTHER = "We prove that a pendulum on a moving ship cannot tell time better than a candle does, whatever its length or weight."


def paper(**fields: Any) -> Paper:
    known: dict[str, Any] = {
        "title": "Clocks that never lie",
        "abstract": ABSTRACT,
        "version": 1,
        "url": "https://arxiv.org/abs/1",
    }
    name = Identifier("arxiv", "2603.00001")
    return Paper(id=1, identifiers=(name,), first_seen_at=datetime(2026, 3, 2, tzinfo=UTC), **(known | fields))


CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, ""),
    ({}, {"withdrawn": True}, "withdrawn"),
    ({"withdrawn": True}, {"withdrawn": True}, ""),
    ({}, {"code_url": "https://github.com/a/b"}, "code released"),
    ({"code_url": "https://github.com/a/b"}, {"code_url": "https://github.com/a/c"}, ""),
    ({}, {"venue": "Nature"}, "published in Nature"),
    ({}, {"venue": "arXiv.org"}, ""),
    ({}, {"venue": "CoRR"}, ""),
    ({}, {"comment": "Accepted to NeurIPS 2026"}, "accepted at NeurIPS 2026"),
    ({"comment": "Accepted to NeurIPS 2026"}, {"venue": "Advances in Neural Information Processing Systems"}, ""),
    ({}, {"venue": "Proc. ICML", "comment": "Accepted at ICML 2026"}, "accepted at ICML 2026"),
    ({}, {"version": 2}, ""),
    ({}, {"version": 2, "abstract": ABSTRACT.replace("two springs", "three springs")}, ""),
    ({}, {"version": 2, "abstract": OTHER}, "version 2 is substantially revised"),
    ({}, {"version": 3, "title": "Clocks that sometimes lie"}, "version 3 has a new title"),
    ({}, {"version": 2, "title": "Clocks That Never Lie!"}, ""),
    ({"version": None}, {"version": 2, "abstract": OTHER}, ""),
    ({}, {"abstract": OTHER}, ""),
    ({}, {"withdrawn": True, "code_url": "https://github.com/a/b"}, "withdrawn"),
]


@every_row(("then", "now", "said"), CASES)
def test_what_is_told(then: dict[str, Any], now: dict[str, Any], said: str) -> None:
    told = update(paper(**then), paper(**now))
    assert (told.what if told else "") == said


@every_row(
    ("comment", "venue"),
    [
        ("Accepted to NeurIPS 2026 (spotlight), 12 pages", "NeurIPS 2026"),
        ("accepted by ICML 2026. Code: https://github.com/a/b", "ICML 2026"),
        ("12 pages, 3 figures. Accepted at the 41st AAAI Conference", "41st AAAI Conference"),
        ("Accepted for publication in IEEE Transactions on Robotics", "IEEE Transactions on Robotics"),
        ("Accepted as an oral presentation at CVPR 2026; project page soon", "CVPR 2026"),
        ("To appear in Findings of ACL 2026, 20 pages", "Findings of ACL 2026"),
        ("Camera-ready version for EMNLP 2026", "EMNLP 2026"),
        ("Submitted to NeurIPS 2026", ""),
        ("Under review", ""),
        ("Accepted", ""),
        ("Accepted in 2026", ""),
        ("To appear on arXiv", ""),
        ("Accepted to " + "a very long workshop name " * 8, ""),
    ],
)
def test_venues_in_comments(comment: str, venue: str) -> None:
    assert accepted(paper(comment=comment)) == venue


def test_each_kind_is_told_once_and_links_to_what_is_new() -> None:
    now = paper(withdrawn=True, venue="Nature", code_url="https://github.com/a/b", version=2, abstract=OTHER)
    told: list[Update] = []
    while (said := update(paper(), now, {each.kind for each in told})) is not None:
        told.append(said)
    assert tuple(each.kind for each in told) == KINDS
    assert [each.url for each in told if each.kind == "code"] == ["https://github.com/a/b"]
    assert {each.url for each in told if each.kind != "code"} == {"https://arxiv.org/abs/1"}


def test_at_most_three_and_the_most_important() -> None:
    kinds = ("version", "code", "withdrawn", "code", "venue")
    updates = [Update(identifier=f"arxiv:{n}", kind=kind, title="T", what=kind) for n, kind in enumerate(kinds)]
    assert [each.identifier for each in chosen(updates)] == ["arxiv:2", "arxiv:4", "arxiv:1"]
