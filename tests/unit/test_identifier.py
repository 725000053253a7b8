"""One canonical spelling for everything a paper is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier, preferred

SPELLINGS = [
    ("2510.19278", "arxiv:2510.19278", None),
    ("2510.19278v2", "arxiv:2510.19278", 2),
    ("arXiv:0704.0001v12", "arxiv:0704.0001", 12),
    ("arxiv: 2510.19278", "arxiv:2510.19278", None),
    ("http://arxiv.org/abs/2510.19278v1", "arxiv:2510.19278", 1),
    ("https://export.arxiv.org/pdf/2510.19278v3.pdf", "arxiv:2510.19278", 3),
    ("https://huggingface.co/papers/2510.19278", "arxiv:2510.19278", None),
    ("oai:arXiv.org:2203.01250v3", "arxiv:2203.01250", 3),
    ("hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("math.GT/0309136v1", "arxiv:math/0309136", 1),
    ("quant-ph/0201082v1", "arxiv:quant-ph/0201082", 1),
    ("10.48550/arXiv.2510.19278", "arxiv:2510.19278", None),
    ("https://doi.org/10.48550/arXiv.hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("doi:10.1101/2020.01.01.123456", "doi:10.1101/2020.01.01.123456", None),
    ("10.1101/2020.01.01.123456v2", "doi:10.1101/2020.01.01.123456", 2),
    ("10.64898/2026.08.01.700001v1.full.pdf", "doi:10.64898/2026.08.01.700001", 1),
    ("https://www.biorxiv.org/content/10.1101/456574v1", "doi:10.1101/456574", 1),
    ("https://dx.doi.org/10.1000/XYZ(2)", "doi:10.1000/xyz(2)", None),
    ("10.1000/xyz.", "doi:10.1000/xyz", None),  # as copied from the end of a sentence
    ("seed:3f2a", "seed:3f2a", None),
]


@pytest.mark.parametrize(("written", "canonical", "version"), SPELLINGS)
def test_every_spelling_of_a_work_is_one_identifier(written: str, canonical: str, version: int | None) -> None:
    read = parse_identifier(written)
    assert (str(read.identifier), read.version) == (canonical, version)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "paper",
        "2513.00001",
        "2510.1",
        "arxiv:",
        "http://example.org/x",
        "10.1/x",
        "seed:",
        "seed:a b",
        "x" * 5000,
        "arxiv:2510.19278v0",
    ],
)
def test_what_is_no_identifier_is_refused_with_one_that_would_do(written: str) -> None:
    with pytest.raises(InvalidIdentifier, match=r"should be (?:like arxiv:2510\.19278|at most 2000 characters)") as caught:
        parse_identifier(written)
    cut = "…" if len(written) > 2000 else ""
    assert str(caught.value).startswith(f"identifier {written[:80]!r}{cut}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=60))
def test_reading_what_was_canonical_changes_nothing(written: str) -> None:
    try:
        first = parse_identifier(written)
    except InvalidIdentifier:
        return
    assert parse_identifier(str(first.identifier)).identifier == first.identifier


def test_a_paper_is_named_by_arxiv_then_doi_then_the_rest() -> None:
    arxiv, doi, seed = Identifier("arxiv", "2510.19278"), Identifier("doi", "10.1/a"), Identifier("seed", "a")
    assert preferred((seed, doi, arxiv)) == arxiv
    assert preferred((seed, doi)) == doi
    assert preferred((Identifier("acl", "a"), doi, arxiv)) == arxiv, "by rank, not by the alphabet"
    assert preferred((seed, Identifier("feed", "b"))) == Identifier("feed", "b")
