"""What speaks for papers before anyone votes: their authors' earlier papers, the words of what was voted up lately, the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from digest.domain.edition import PaperList
from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper, Signal, TrackRecord
from digest.ranking.model import Model
from digest.ranking.track_record import MOST_LATELY, Acclaimed, track_records
from digest.ranking.trending import rank
from tests.tables import every_row

SEEN = datetime(2026, 3, 2, tzinfo=UTC)
NOW = SEEN + timedelta(hours=5)
VOTED = Signal("upvotes", 3.0, NOW - timedelta(hours=1), "hub")


def candidate(number: int, known: TrackRecord = TrackRecord(), **of: Any) -> Candidate:  # noqa: B008  # frozen
    return Candidate(replace(paper(number), **of), track_record=known)


def paper(number: int, *authors: str, title: str = "Glaciers", abstract: str = "") -> Paper:
    return Paper(
        id=number,
        identifiers=(Identifier("arxiv", f"2603.{number:05}"),),
        title=title,
        abstract=abstract,
        authors=authors,
        first_seen_at=SEEN,
    )


EARLIER = (
    Acclaimed(11, ("Ada Byron", "Émile Ûr"), ""),
    Acclaimed(12, ("Byron, Ada",), ""),
    Acclaimed(13, ("A. Byron",), ""),
    Acclaimed(1, ("Ada Byron",), ""),
)


@pytest.mark.parametrize(
    ("authors", "earlier"),
    [
        ((), 0),
        (("Nobody Known",), 0),
        (("Emile Ur",), 1),
        (("ADA BYRON",), 2),
        (("Ada Byron", "Emile Ur"), 2),
        (("Ada Byron", "A. Byron"), 3),
        (("Byron",), 0),
    ],
)
def test_papers_are_counted_once_however_names_are_written_and_never_the_paper_itself(
    authors: tuple[str, ...], earlier: int
) -> None:
    assert track_records([paper(1, *authors)], EARLIER) == {1: TrackRecord(earlier, 0.0)}


def test_the_more_rare_words_are_shared_with_what_was_voted_up_lately_the_more_alike() -> None:
    given = [
        paper(1, title="Radar of glaciers", abstract="we see ice"),
        paper(2, title="Radar of rivers", abstract="we see water"),
        paper(3, title="Sonnets of parrots", abstract="we hear words"),
    ]
    found = track_records(given, [Acclaimed(9, (), "Radar of glaciers: we see ice"), Acclaimed(8, ("Ada Byron",), "")])
    assert found[1].likeness > found[2].likeness > found[3].likeness == 0
    assert found[1].likeness == pytest.approx(1, abs=1e-3)
    assert track_records(given[::-1], [Acclaimed(9, (), "Radar of glaciers: we see ice")]) == found
    assert {each.likeness for each in track_records(given, []).values()} == {0}


def test_a_new_paper_is_likened_to_the_latest_only() -> None:
    given = [paper(1, title="Glaciers"), paper(2, title="Parrots")]
    lately = [Acclaimed(n, (), "Glaciers") for n in range(10, 10 + MOST_LATELY)]
    assert track_records(given, [*lately, Acclaimed(9, (), "Parrots")])[2].likeness == 0
    assert track_records(given, [*lately[1:], Acclaimed(9, (), "Parrots")])[2].likeness > 0


@pytest.mark.parametrize(
    ("categories", "weight"),
    [((), 1), (("cs.CL",), 1.5), (("cs.CV", "cs.CL"), 0.5), (("stat.ML", "cs.CL"), 1), (("cs",), 0.5), (("csx.AI",), 1)],
)
def test_a_topic_counts_by_the_primary_category_the_nearest_name_first(categories: tuple[str, ...], weight: float) -> None:
    assert PaperList(name="a", title="A", topics=(("cs", 0.5), ("cs.CL", 1.5))).topic_weight(categories) == weight


# ---- what it does to the ranking, and what is said of it ----------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "order"), [(0, [4, 1, 2, 3]), (1, [1, 4, 2, 3]), (3, [1, 2, 4, 3]), (8, [1, 2, 3, 4])])
def test_one_topic_may_fill_the_list_where_it_is_far_ahead(ahead: int, order: list[int]) -> None:
    """ln(1 + ahead) × 0.15 against ln 0.85 = -0.1625 a place."""
    busy = [candidate(n, TrackRecord(authors=ahead), categories=("cs.CL",)) for n in (1, 2, 3)]
    other = candidate(4, TrackRecord(authors=1 if ahead == 0 else 0), categories=("cs.RO",))
    found = rank([*busy, other], NOW, Model({"votes": 1.0}, without_votes={"authors": 0.15}))
    assert [each.paper.id for each in found] == order


@every_row(
    ("known", "of", "kinds"),
    [
        (TrackRecord(), {}, {}),
        (TrackRecord(authors=1), {}, {"record": "by authors of 1 trending paper"}),
        (TrackRecord(authors=1204), {}, {"record": "by authors of 1,204 trending papers"}),
        (TrackRecord(likeness=0.18), {}, {}),
        (TrackRecord(likeness=0.19), {}, {"likeness": "like papers that trended lately"}),
        (TrackRecord(), {"code_url": "https://example.org/code"}, {"code": "with code"}),
        (TrackRecord(), {"comment": "Code: https://github.com/a/b"}, {"code": "with code"}),
        (TrackRecord(), {"abstract": "See https://gitlab.com/a."}, {"code": "with code"}),
        (TrackRecord(), {"abstract": "We mine github.com for bugs; see https://github.com/"}, {}),
    ],
)
def test_what_speaks_for_a_paper_without_votes_raises_it_and_is_said(
    known: TrackRecord, of: dict[str, str], kinds: dict[str, str]
) -> None:
    plain = candidate(1)
    better, worse = rank([plain, candidate(2, known, **of)], NOW, Model({"votes": 1.0}))
    said = {reason.kind: reason.text for each in (better, worse) if each.paper.id == 2 for reason in each.reasons}
    assert {kind: text for kind, text in said.items() if kind != "new"} == kinds
    assert (better.paper.id, better.score > worse.score) == ((2, True) if kinds or known.likeness else (1, False))


def test_once_somebody_has_spoken_votes_decide_and_records_are_not_said() -> None:
    spoken = replace(candidate(1, TrackRecord(authors=9, likeness=0.5)), signals=(VOTED,))
    bare = replace(candidate(2), signals=(VOTED,))
    one, other = rank([spoken, bare], NOW, Model({"votes": 1.0}))
    assert one.score == other.score
    assert one.reasons == other.reasons


def test_a_list_weighs_topics_and_says_so() -> None:
    raised = replace(candidate(1, categories=("cs.CL", "cs.LG")), signals=(VOTED,), topic_weight=2.5)
    found = rank([replace(candidate(2), signals=(VOTED,)), raised], NOW, Model({"votes": 1.0}))
    assert found[0].score == pytest.approx(2.5 * found[1].score)
    assert ("topic", "cs.CL counts 2.5× on this list") in [(reason.kind, reason.text) for reason in found[0].reasons]
    assert not any(reason.kind == "topic" for reason in found[1].reasons)
