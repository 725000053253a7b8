"""Strangers' bytes of every shape at every door: read or refused within bounded time of the processor, and never by a crash."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from digest.child_process import Overrun, run_apart
from digest.domain.errors import DigestError
from digest.domain.interest import understand
from tests.servers.hostile import AT, FRAMES, filled, upload

SECONDS = 5.0
"""Of the processor, for a megabyte; in practice a fifth of it. What was quadratic took minutes."""


def spent(frame: str, unit: bytes, size: int = 1_000_000) -> float:
    began = time.process_time()
    with suppress(DigestError):
        upload(filled(FRAMES[frame], unit, size))
    return time.process_time() - began


@pytest.mark.parametrize(
    ("frame", "unit"),
    [
        ("bibtex value", b"\n"),
        ("bibtex value", b"\n@"),
        ("bibtex entry", b" "),
        ("bibtex entry", b"a"),
        ("bibtex quoted", b"\t\r\n "),
        ("bibtex after", b"@string{a = a # a}"),
        ("bibtex journal", b"arxiv:"),
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
        ("OAI end", b"<!---->"),
        ("OAI mended", b"<!--"),
        ("arXiv Atom", b"arXiv:"),
    ],
)
def test_a_megabyte_is_read_or_refused_in_linear_time(frame: str, unit: bytes) -> None:
    assert spent(frame, unit) < SECONDS


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
