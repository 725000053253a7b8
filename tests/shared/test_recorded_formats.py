"""Which format a recorded answer is in is told from its first bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from digest.sources import detect_format
from tests.shared_data import SHARED

REAL = [
    ("arxiv_api", "arXiv Atom"), ("arxiv_oai", "OAI-PMH"), ("biorxiv", "bioRxiv"), ("crossref", "Crossref"),
    ("hf_daily_papers", "Hugging Face"),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "name"), REAL)
def test_real_answers_are_recognised(folder: str, name: str) -> None:
    for file in sorted((SHARED / "data/api_responses" / folder).iterdir()):
        known = detect_format.recognise(file.read_bytes()[: detect_format.HEAD])
        assert known is not None, file.name
        assert known.name == name, file.name


def test_the_rest_of_the_real_answers_are_recognised() -> None:
    answers = SHARED / "data/api_responses"
    told = {
        file.name: known.name
        for folder in ("arxiv_rss", "openalex", "semanticscholar")
        for file in (answers / folder).iterdir()
        if (known := detect_format.recognise(unpacked(file)[: detect_format.HEAD]))
    }
    assert told["rss.arxiv.org_atom_cs.AI_2025-08-20_excerpt.xml"] == "arXiv Atom"
    assert told["rss.arxiv.org_rss_cs.AI_2025-09-18_TRUNCATED.xml"] == "arXiv RSS"
    assert {told[f"works_{n}.json"] for n in range(3)} == {"OpenAlex"}
    assert told["Paper.json.gz"] == told["PaperWithNullValues.json"] == "Semantic Scholar"


def unpacked(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data
