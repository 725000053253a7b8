"""Files into the store: what comes of them, what is left out and why, and that doing it twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.domain.edition import PaperList
from digest.domain.errors import StoreError
from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate
from digest.services.libraries.keep_library import keep_library
from digest.services.libraries.read_library import read_library
from digest.services.papers import import_files
from digest.services.papers.import_files import LoadReport, fetched, load
from digest.sources import jsonl
from digest.store.unit_of_work import Store
from tests.answers import FIXTURES

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
EVERYTHING = PaperList(name="all", title="All")
SEEDS = Path(__file__).resolve().parents[2] / "seeds/papers.txt"


def write(file: Path, *rows: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return file


def paper(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"arxiv:2603.{number:05}", "title": f"Paper {number}"} | more


def signal(number: int, value: int, at: str) -> dict[str, Any]:
    return {"paper": f"arxiv:2603.{number:05}", "kind": "upvotes", "value": value, "observed_at": at, "source": "huggingface"}


def known_at(store: Store, at: datetime, days: int = 7) -> dict[str, Candidate]:
    with store.read() as unit:
        found = unit.papers.candidates(at, at - timedelta(days=days), EVERYTHING)
    return {str(candidate.paper.identifier): candidate for candidate in found}


def counts(report: LoadReport) -> tuple[int, int, int, int]:
    return report.papers_new, report.papers_updated, report.papers_unchanged, report.signals


def test_the_seed_page_twice(store: Store) -> None:
    assert counts(load([SEEDS], store, None, AT)) == (179, 0, 0, 0)
    assert counts(load([SEEDS], store, None, AT + timedelta(days=1))) == (0, 0, 179, 0)


def test_a_folder_in_order_with_its_faults_by_name(store: Store, tmp_path: Path) -> None:
    signals = write(tmp_path / "in/a/1_signals.jsonl", signal(1, 3, "2026-05-30T00:00:00Z"), signal(9, 3, "2026-05-30T00:00:00Z"))
    papers = write(tmp_path / "in/a/b/papers.jsonl", paper(1), '{"id":', {"id": "arxiv:2603.00002"}, paper(3))
    text = write(tmp_path / "in/notes.md", "to do")
    write(tmp_path / "in/.git/HEAD", "ref: refs/heads/main")
    report = load([tmp_path / "in"], store, None, AT)
    assert counts(report) == (2, 0, 0, 1)
    assert [(r.file, r.where) for r in report.rejected] == [
        (str(papers), "line 2"),
        (str(papers), "line 3"),
        (str(text), ""),
        (str(signals), "arxiv:2603.00009"),
    ]
    assert report.rejected[1].reason == "title: is missing"
    assert report.rejected[3].reason == "no such paper; import the paper first"
    again = load([tmp_path / "in"], store, None, AT)
    assert (counts(again), again.rejected) == ((0, 0, 2, 0), report.rejected)


def test_a_file_that_is_not_there_costs_one_line(store: Store, tmp_path: Path) -> None:
    report = load([tmp_path / "gone", write(tmp_path / "p.jsonl", paper(1))], store, None, AT)
    assert report.papers_new == 1
    assert [(r.file, r.where, r.reason) for r in report.rejected] == [
        (str(tmp_path / "gone"), "", "cannot be read: No such file or directory")
    ]


PAGE = [{"paper": {"id": "2603.00001", "title": "A paper", "upvotes": 5}, "numComments": 2}]


@pytest.mark.parametrize(
    ("name", "given", "observed"),
    [
        ("2026-05-20_fetched_2026-05-21T074942Z.json", None, "2026-05-21T07:49:42+00:00"),
        ("2026-05-20_fetched_2026-05-21T074942Z.json", "2026-05-22T00:00:00+00:00", "2026-05-22T00:00:00+00:00"),
        ("page.json", "2026-05-22T00:00:00+00:00", "2026-05-22T00:00:00+00:00"),
    ],
)
def test_when_an_undated_page_was_read(store: Store, tmp_path: Path, name: str, given: str | None, observed: str) -> None:
    page = write(tmp_path / name, json.dumps(PAGE))
    when = datetime.fromisoformat(observed)
    report = load([page], store, datetime.fromisoformat(given) if given else None, AT)
    assert (counts(report), report.rejected) == ((1, 0, 0, 2), ())
    (candidate,) = known_at(store, when).values()
    assert [(s.kind, s.value, s.observed_at) for s in candidate.signals] == [("comments", 2, when), ("upvotes", 5, when)]
    assert known_at(store, when - timedelta(seconds=1)) == {}


def test_votes_of_nobody_knows_when_are_not_kept(store: Store, tmp_path: Path) -> None:
    page = write(tmp_path / "page.json", json.dumps(PAGE))
    report = load([page], store, None, AT)
    assert counts(report) == (1, 0, 0, 0)
    (rejection,) = report.rejected
    assert (rejection.file, rejection.where) == (str(page), "signals")
    assert "--observed-at" in rejection.reason


def test_names_that_tell_when() -> None:
    assert fetched("2025-03-03_fetched_2025-03-03T074942Z.json") == datetime(2025, 3, 3, 7, 49, 42, tzinfo=UTC)
    assert fetched("2025-03-03_fetched_2025-13-03T074942Z.json") is None
    assert fetched("2025-03-03.json") is None


def test_what_was_known_at_an_instant_does_not_hang_on_the_order_of_loading(store: Store, tmp_path: Path) -> None:
    """Papers today, then the votes they had in May: in May they were known, with those votes, and not before."""
    load([write(tmp_path / "papers.jsonl", paper(1), paper(2))], store, None, AT)
    readings = [signal(1, value, f"2026-05-{day}T00:00:00Z") for day, value in ((12, 7), (10, 1), (11, 3))]
    load([write(tmp_path / "signals.jsonl", *readings)], store, None, AT)
    assert known_at(store, datetime(2026, 5, 9, tzinfo=UTC)) == {}
    then = known_at(store, datetime(2026, 5, 11, 12, tzinfo=UTC))
    assert [s.value for s in then["arxiv:2603.00001"].signals] == [1, 3]
    assert then["arxiv:2603.00001"].paper.first_seen_at == datetime(2026, 5, 10, tzinfo=UTC)
    assert set(then) == {"arxiv:2603.00001"}
    assert set(known_at(store, AT)) == {"arxiv:2603.00002"}, "seen first today; the other has been known for weeks"


def test_pages_loaded_newest_first(store: Store, tmp_path: Path) -> None:
    newer = write(tmp_path / "2026-05-20_fetched_2026-05-22T000000Z.json", json.dumps(PAGE))
    older = write(tmp_path / "2026-05-20_fetched_2026-05-20T000000Z.json", json.dumps(PAGE))
    load([newer], store, None, AT)
    load([older], store, None, AT)
    assert set(known_at(store, datetime(2026, 5, 21, tzinfo=UTC))) == {"arxiv:2603.00001"}


def test_v1_and_v2_and_the_doi_are_one_paper(store: Store, tmp_path: Path) -> None:
    spellings = ["2603.00001v1", "https://arxiv.org/abs/2603.00001v2", "doi:10.48550/arXiv.2603.00001"]
    rows = [{"id": name, "title": f"T{number}"} for number, name in enumerate(spellings)]
    report = load([write(tmp_path / "p.jsonl", *rows)], store, None, AT)
    assert (report.papers_new, report.papers_updated, report.papers_unchanged) == (1, 2, 0)
    with store.read() as unit:
        assert unit.papers.count() == 1
        found = unit.papers.find(Identifier("arxiv", "2603.00001"))
    assert found is not None
    assert (found.title, found.version) == ("T1", 2)


class Failing:
    """A store whose disk is full from the n-th unit of work on."""

    def __init__(self, store: Store, units: int) -> None:
        self.store, self.units = store, units

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self.store.begin() as unit:
            yield unit
            self.units -= 1
            if self.units < 0:
                raise StoreError("database: disk full")


def test_a_load_cut_off_is_completed_by_loading_again(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINES_AT_ONCE", 500)
    monkeypatch.setattr(import_files, "SIGHTINGS_AT_ONCE", 400)
    file = write(tmp_path / "p.jsonl", *[paper(n) for n in range(900)])
    with pytest.raises(StoreError):
        load([file], Failing(store, 1), None, AT)
    assert counts(load([file], store, None, AT)) == (400, 0, 500, 0)


@pytest.mark.parametrize("name", ["2024-05-28", "2025-07-22", "2026-04-20"])
def test_a_page_of_each_year_twice(store: Store, name: str) -> None:
    file = FIXTURES / f"hugging_face/{name}.json"
    rows = [row for row in json.loads(file.read_bytes()) if row["paper"]["id"].startswith(name[2:4])]
    assert load([file], store, None, AT).papers_new == len(rows)
    assert counts(load([file], store, None, AT)) == (0, 0, len(rows), 0)


def test_pages_that_cannot_be_read_cost_one_line_each(store: Store) -> None:
    broken = [FIXTURES / "hugging_face" / name for name in ("saved-as-text.json", "error.json")]
    report = load([*broken, FIXTURES / "hugging_face/2025-07-22.json"], store, None, AT)
    assert report.papers_new == 1
    assert [r.file for r in report.rejected if r.where == ""] == [str(file) for file in broken]


def test_a_readers_reference_without_a_name_has_the_text_of_the_paper_of_its_title(store: Store, tmp_path: Path) -> None:
    rows = [paper(1, title="Attention Is All You Need Today", authors=["Ashish Vaswani", "Noam Shazeer"], abstract="Heads.")]
    load([write(tmp_path / "papers.jsonl", *rows)], store, None, AT)
    library = """@misc{a, title={{Attention} is all you need today}, author={Vaswani, Ashish and others}}
@misc{b, title={A paper that nobody here has seen}, author={Lee, Ann}}
@misc{c, title={Named}, eprint={2603.00009}, archiveprefix={arXiv}}
@misc{d, title={Who owns the hill}, doi={10.1175/1520-0477(1996)077<0935:WOTWSM>2.0.CO;2}}"""
    (tmp_path / "library.bib").write_text(library)
    shown, rejected = read_library(tmp_path / "library.bib", AT)
    with store.begin() as unit:
        kept = keep_library(unit, shown, rejected, AT)
        works = unit.libraries.named([name for name, _ in kept.works])
    doi = "doi:10.1175/1520-0477(1996)077<0935:wotwsm>2.0.co;2"
    names = [name for name, _ in kept.works]
    assert (names[2:], kept.rejected) == (["arxiv:2603.00009", doi], ())
    assert works[names[0]].abstract == "Heads."
    assert kept.without_abstract == tuple(names[1:])
    (tmp_path / "names.txt").write_text(f"{doi.upper()}; arxiv.org/abs/2603.00009?context=cs\n")
    assert [str(each.identifiers[0]) for each in read_library(tmp_path / "names.txt", AT)[0]] == [doi, "arxiv:2603.00009"]
