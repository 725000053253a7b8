"""Strangers' bytes of every shape at every door: read or refused within bounded time of the processor, and never by a crash."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.child_process import Overrun, run_apart
from digest.domain.errors import DigestError, InvalidInput
from digest.domain.interest import understand
from digest.sources import feed
from digest.sources.detect_format import read_file
from tests.servers.hostile import AT, FRAMES, filled, upload
from tests.tables import every_row

SECONDS = 5.0
"""Of the processor, for a megabyte; in practice a fifth of it. What was quadratic took minutes."""


def spent(frame: str, unit: bytes, size: int = 1_000_000) -> float:
    began = time.process_time()
    with suppress(DigestError):
        upload(filled(FRAMES[frame], unit, size))
    return time.process_time() - began


@every_row(
    ("frame", "unit"),
    [
        ("bibtex value", b"\n"),
        ("bibtex value", b"\n@"),
        ("bibtex entry", b" "),
        ("bibtex entry", b"a"),
        ("bibtex quoted", b"\t\r\n "),
        ("bibtex after", b"@string{a = a # a}"),
        ("bibtex journal", b"arxiv:"),
        ("bibtex title", b"{"),
        ("bibtex title", b"\\a{}"),
        ("bibtex title", b"$^{"),
        ("bibtex authors", b" and "),
        ("bibtex authors", b"{a} and "),
        ("bibtex authors", b'\\"'),
        ("bibtex authors", b"a, "),
        ("bibtex doi", b"%25"),
        ("bibtex date", b"2021-"),
        ("bibtex after", b"@a{k,title={x},author={A, B and C},date={2021},crossref={k}}\n"),
        ("bare", b"@\n"),
        ("bare", b"1.1 "),
        ("bare", b"https://a."),
        ("RSS tag", b'a="1" '),
        ("RSS tag", b"a='>' "),
        ("RSS tag", b"<a "),
        ("RSS title", b"<a>"),
        ("RSS date", b"1"),
        ("RSS date", b"\n@"),
        ("RSS date", b"<"),
        ("RSS date", b"<!"),
        ("RSS title", b"<"),
        ("RSS title", b"</a>"),
        ("seed page", b"@\n"),
        ("bare", b"@a{k,t={}}"),
        ("bare", b"@a{k,title={x}}"),
        ("seed page", b"a\nb\n"),
        ("RSS title", b"<a/>"),
        ("RSS title", b"<a></a>"),
        ("RSS text", b"\r"),
        ("RSS cdata", b"\r\n"),
        ("OAI end", b"<!---->"),
        ("OAI repaired", b"<!--"),
        ("arXiv Atom", b"arXiv:"),
    ],
)
def test_a_megabyte_is_read_or_refused_in_linear_time(frame: str, unit: bytes) -> None:
    assert spent(frame, unit) < SECONDS


ENTRY = (
    "@article{{k{0}, title={{On the {0}th graph}}, author={{Ann Author and Bo Writer}}, year={{2020}}, doi={{10.1000/a{0}}}}}\n"
)
ITEM = "<item><title>On the {0}th graph</title><link>https://journal.example/{1}</link></item>"


@pytest.mark.parametrize(
    ("frame", "unit", "said"),
    [
        ("bare", b"@a{k,title={x}}", "more than 20,000 records"),
        ("bare", b"@a{k,t={}}", "more than 20,000 records"),
        ("seed page", b"a\nb\n", "more than 20,000 records"),
        ("JSON feed", b'{"id":"1","title":"t"},', "not JSON|more than 20,000 records"),
        ("RSS title", b"<a/>", "the most read of a feed of 1,000,.* is 30,000"),
        ("bare", b'{"id":"arxiv:2608.00001","title":"t"}\n', "names more than 20,000 papers"),
    ],
)
def test_a_document_of_tiny_records_is_refused_naming_the_limit(frame: str, unit: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        upload(filled(FRAMES[frame], unit, 1_000_000))


@pytest.mark.parametrize("count", [13_000, pytest.param(25_000, marks=pytest.mark.slow)])
def test_an_honest_large_library_is_imported_whole(tmp_path: Path, count: int) -> None:
    library = tmp_path / "library.bib"
    library.write_text("".join(ENTRY.format(n) for n in range(count)))
    assert sum(len(parsed.sightings) for parsed in read_file(library, AT)) == count


def test_a_date_without_end_says_nothing_and_its_feed_is_read() -> None:
    items = ITEM.format(1, 1) + ITEM.format(2, 2).replace("</item>", f"<pubDate>{'1' * 1_000}</pubDate></item>")
    good = ITEM.format(3, 3).replace("</item>", "<pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate></item>")
    parsed = feed.parse(f'<rss version="2.0"><channel>{items}{good}</channel></rss>'.encode(), source="lab", seen_at=AT)
    assert [each.published_at for each in parsed.sightings] == [None, None, datetime(2026, 5, 4, 10, tzinfo=UTC)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_ends_in_a_feed_are_blanks_whatever_its_encoding(encoding: str) -> None:
    item = ITEM.format("a\r\nb ਊ ", "1")
    written = f'<?xml version="1.0" encoding="{encoding}"?>\r\n<rss\nversion="2.0"><channel>{item}</channel></rss>'
    parsed = feed.parse(written.encode(encoding), source="lab", seen_at=AT)
    assert [each.title for each in parsed.sightings] == ["On the a b ਊ th graph"]


@pytest.mark.parametrize("count", [40, 100, 500])
def test_comments_behind_a_document_do_not_double_the_time(count: int) -> None:
    began = time.process_time()
    with suppress(DigestError):
        upload(b"<OAI-PMH>&x;<b></OAI-PMH>" + b"<!---->" * count + b"x")
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("unit", ["not:", "-mute:", "- ", 'author:"', "a,", "!,"])
def test_interests_of_a_megabyte_are_refused_at_once(unit: str) -> None:
    began = time.process_time()
    assert understand(unit * (1_000_000 // len(unit))).rejected
    understand(unit * (49_000 // len(unit)))
    assert time.process_time() - began < SECONDS


def _forever(at: object) -> None:
    while True:
        pass


def test_what_takes_too_long_apart_is_ended() -> None:
    with pytest.raises(Overrun, match=r"^takes"):
        run_apart(_forever, AT, seconds=1.0)
