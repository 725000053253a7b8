"""Files dropped in: told apart by content, unpacked, bounded; the seed page and JSON lines to the letter."""

from __future__ import annotations

import gzip
import json
import lzma
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Signal, Summary
from digest.sources import detect_format, jsonl, seed_page
from digest.sources.port import Parsed
from tests.tables import every_row

SEEN = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SEEDS = Path(__file__).resolve().parents[2] / "seeds/papers.txt"


def lines(*rows: Any) -> bytes:
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)


def read(data: bytes) -> Parsed:
    return jsonl.parse(data, source="file", seen_at=SEEN)


def test_a_full_paper_line() -> None:
    given = {
        "id": "https://arxiv.org/abs/2510.19278v2", "title": " A\n title ", "abstract": "Words.", "authors": ["Ann Lee", "Bo Li"],
        "published_at": "2025-10-22T10:00:00+02:00", "categories": ["cs.CL", "cs.AI"], "url": "https://a.example/x",
        "code_url": "https://github.com/a/b", "doi": "10.1000/XYZ", "summary": "Short.", "venue": "ACL", "unknown": {"let": "be"},
    }  # fmt: skip
    (paper,) = read(lines(given)).sightings
    assert paper.identifiers == (Identifier("arxiv", "2510.19278"), Identifier("doi", "10.1000/xyz"))
    assert (paper.title, paper.abstract, paper.authors, paper.version) == ("A title", "Words.", ("Ann Lee", "Bo Li"), 2)
    assert paper.published_at == datetime(2025, 10, 22, 8, 0, tzinfo=UTC)
    assert (paper.categories, paper.url, paper.code_url) == (("cs.CL", "cs.AI"), "https://a.example/x", "https://github.com/a/b")
    assert (paper.summary, paper.venue) == (Summary(text="Short.", provenance="file"), "ACL")
    assert (paper.source, paper.seen_at) == ("file", SEEN)


def test_only_id_and_title_are_required() -> None:
    parsed = read(lines({"id": "arxiv:2510.19278", "title": "A"}, {"id": "lab:7", "title": "B", "published_at": "2025-11-06"}))
    assert parsed.rejected == ()
    assert [p.url for p in parsed.sightings] == ["https://arxiv.org/abs/2510.19278", ""]
    assert parsed.sightings[1].published_at == datetime(2025, 11, 6, tzinfo=UTC)


def test_a_signal_line() -> None:
    given = {"paper": "arxiv:2510.19278", "kind": "upvotes", "value": 12, "observed_at": "2025-11-06T02:45:08Z", "source": "hub"}
    (reading,) = read(lines(given)).readings
    assert reading.identifier == Identifier("arxiv", "2510.19278")
    assert reading.signal == Signal("upvotes", 12.0, datetime(2025, 11, 6, 2, 45, 8, tzinfo=UTC), "hub")


PAPER = {"id": "arxiv:2510.19278", "title": "A"}
SIGNAL = {"paper": "arxiv:2510.19278", "kind": "upvotes", "value": 12, "observed_at": "2025-11-06T02:45:08Z", "source": "hub"}
BAD = [
    (b'{"id": "arxiv:2510.19278", "title": ', "not a JSON object"),
    (b"\xff\xfe", "not a JSON object"),
    (b"[" * 100_000, "not a JSON object"),
    ([1], "not a JSON object: list"),
    ({"title": "A"}, "id: is missing"),
    (PAPER | {"id": "nonsense"}, "should be like arxiv:2510.19278"),
    (PAPER | {"title": ""}, "title: is missing"),
    (PAPER | {"title": None}, "title: is missing"),
    (PAPER | {"published_at": "2025-10-22T10:00:00"}, "no offset"),
    (PAPER | {"published_at": "last October"}, "should be like 2025-11-06"),
    (PAPER | {"published_at": 5}, "published_at: 5 should be like"),
    (SIGNAL | {"value": "12"}, "value: '12' should be a number"),
    (SIGNAL | {"value": True}, "value: True should be a number"),
    (SIGNAL | {"value": float("nan")}, "value: nan should be a number"),
    (SIGNAL | {"value": 10**400}, "should be a number"),
    (SIGNAL | {"kind": "Up Votes"}, "should be a word like upvotes"),
    (SIGNAL | {"source": "a\nb"}, "should be a name like huggingface"),
    (SIGNAL | {"observed_at": "2025-11-06T02:45:08"}, "has no offset"),
    ({k: v for k, v in SIGNAL.items() if k != "observed_at"}, "observed_at: is missing"),
    (SIGNAL | {"paper": "x"}, "should be like arxiv:"),
]


@every_row(("bad", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_line_317_is_named_and_the_others_kept(bad: Any, reason: str) -> None:
    parsed = read(lines(*[PAPER] * 316, bad, PAPER, SIGNAL))
    assert (len(parsed.sightings), len(parsed.readings)) == (317, 1)
    (rejection,) = parsed.rejected
    assert rejection.where == "line 317"
    assert reason in rejection.reason
    assert len(rejection.reason) <= 200
    assert "\n" not in rejection.reason


def test_blank_lines_count_and_other_separators_do_not() -> None:
    parsed = read(b"\xef\xbb\xbf" + lines(PAPER | {"abstract": "a\u2028b"}) + b"\r\n\r\n \nbad\n")
    assert [each.where for each in parsed.rejected] == ["line 4"]
    assert len(parsed.sightings) == 1


@pytest.mark.parametrize("data", [b"", b"\n \n", b"no\njson\n", b"3\n4"])
def test_what_is_no_json_lines_at_all(data: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read(data)


keys = st.sampled_from(
    ["id", "title", "paper", "kind", "value", "observed_at", "source", "authors", "published_at", "doi", "version"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["arxiv:2510.19278", "2025-11-06T02:45:08Z", "9999-12-31T23:59:59-23:00", "upvotes"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.lists(st.dictionaries(keys, values) | values | st.binary(max_size=40), max_size=6), st.binary(max_size=60))
def test_nothing_escapes_json_lines(rows: list[Any], tail: bytes) -> None:
    try:
        parsed = read(lines(*rows) + b"\n" + tail)
    except UnreadableAnswer:
        return
    assert all(s.title for s in parsed.sightings)


# --- the seed page


def test_the_seed_page_holds_179_papers() -> None:
    parsed = seed_page.parse(SEEDS.read_bytes(), source="seed", seen_at=SEEN)
    assert (len(parsed.sightings), parsed.rejected) == (179, ())
    first, last = parsed.sightings[0], parsed.sightings[-1]
    assert first.title == "Linguistic Generalizability of Test-Time Scaling in Mathematical Reasoning"
    assert first.abstract.startswith("Scaling pre-training compute has proven effective")
    assert last.abstract.endswith("overestimate the profoundness of statements.")
    assert len({s.identifiers for s in parsed.sightings}) == 179
    assert {i.scheme for s in parsed.sightings for i in s.identifiers} == {"seed"}
    assert seed_page.parse(SEEDS.read_bytes(), source="seed", seen_at=SEEN) == parsed


def test_a_seed_page_with_a_hole() -> None:
    page = f"{seed_page.BANNER}\n{seed_page.BANNER}\nSubscribeOne title\nAbstract.\n\nOrphan.\nLast title\n"
    parsed = seed_page.parse(page.encode(), source="seed", seen_at=SEEN)
    assert [s.title for s in parsed.sightings] == ["One title"]
    assert [(each.where, each.reason[:20]) for each in parsed.rejected] == [
        ("line 5", "title: is missing"),
        ("line 7", "abstract: is missing"),
    ]


@given(st.binary(max_size=100) | st.text().map(lambda text: f"{seed_page.BANNER}\n{seed_page.BANNER}\n{text}".encode()))
def test_nothing_escapes_the_seed_page(data: bytes) -> None:
    try:
        seed_page.parse(data, source="seed", seen_at=SEEN)
    except UnreadableAnswer:
        return


# --- which format

SHAPES = [
    (SEEDS.read_bytes(), "seed page"),
    (lines(PAPER, PAPER), "JSON lines"),
    (lines(SIGNAL), "JSON lines"),
    (lines(b'{"id": "cut', PAPER), "JSON lines"),
    (b"\xef\xbb\xbf\n" + lines(PAPER), "JSON lines"),
    (b"[]", "Hugging Face"),
    (b"@article{a, title={B}}", "BibTeX"),
    (b"% a comment\n\n@inproceedings {a,\n", "BibTeX"),
    (b'<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>', "RSS or Atom"),
    (b'{"version": "https://jsonfeed.org/version/1.1", "items": []}', "JSON feed"),
    (b'[{"type": "article-journal", "title": "A", "DOI": "10.1000/1"}]', "CSL JSON"),
    (b"plain text", None),
    (b"\x89PNG\r\n\x1a\n", None),
    (b"", None),
]


@every_row(("head", "name"), SHAPES, ids=[str(shape[1]) + str(n) for n, shape in enumerate(SHAPES)])
def test_shapes(head: bytes, name: str | None) -> None:
    known = detect_format.recognise(head)
    assert (known.name if known else None) == name


@given(st.binary(max_size=300))
def test_recognising_never_fails(head: bytes) -> None:
    detect_format.recognise(head)


# --- files


def parts(path: Path) -> list[Parsed]:
    return list(detect_format.read_file(path, SEEN))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_packed_or_not_and_whatever_its_name(tmp_path: Path, pack: Any) -> None:
    file = tmp_path / "anything.dat"
    file.write_bytes(pack(lines(*[PAPER] * 12_000, b"bad", PAPER)))
    read = parts(file)
    assert sum(len(part.sightings) for part in read) == 12_001
    assert len(read) == 3, "thousands at a time"
    assert [each.where for part in read for each in part.rejected] == ["line 12001"]


def test_a_line_longer_than_any_paper_is_one_rejection(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_bytes(lines(*[PAPER] * 2000, b'{"title": "' + b"x" * 9_000_000 + b'"}', PAPER, b"bad") + b"\n")
    (part,) = parts(file)
    assert len(part.sightings) == 2001
    assert [each.where for each in part.rejected] == ["line 2001", "line 2003"]


FAULTY = [
    (b"", "an empty file"),
    (b"just words", "no format known here"),
    (gzip.compress(SEEDS.read_bytes())[:-200], "cannot be read"),
    (lzma.compress(SEEDS.read_bytes())[:-200], "cannot be read"),
    (b"\x1f\x8b\x08nonsense", "cannot be read"),
    (b"PK\x03\x04....", "an archive; unpack it first"),
    (gzip.compress(b"[" + b" " * 70_000_000 + b'{"paper": {}}]'), "no format known here"),
    (gzip.compress(b'[{"paper": {}},' + b" " * 70_000_000 + b"{}]"), "larger than"),
]


@pytest.mark.parametrize(("data", "reason"), FAULTY, ids=[f"{n} {reason}" for n, (_, reason) in enumerate(FAULTY)])
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes, reason: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(UnreadableAnswer, match=reason) as caught:
        parts(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAnswer, match="No such file"):
        parts(tmp_path / "gone")
