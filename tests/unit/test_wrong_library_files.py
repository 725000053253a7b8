"""A file that is no library: the line says why, and what to bring instead."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.domain.errors import InvalidInput
from digest.services.libraries.read_library import read_library

RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="#1"/></rdf:RDF>'
"""What Zotero exports when no format is chosen."""


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("zotero.rdf", RDF, "no feed"),
        ("endnote.xml", b"<?xml version='1.0'?><xml><records/></xml>", "no format known here"),
        ("page.html", b"<!DOCTYPE html><title>My papers</title>", ""),
        ("settings.json", b'{"papers": 3}', ""),
        ("papers.pdf", b"%PDF-1.4\n\x00\x01\x02 obj", "is no text"),
        ("empty.bib", b"", "it is empty"),
        ("blank.ris", b"\n \r\n", "it is empty"),
    ],
)
def test_the_line_says_what_to_bring(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        read_library(tmp_path / name, datetime(2026, 5, 27, tzinfo=UTC))
    line = str(refused.value)
    assert f"{name}: names no paper ({why}" in line
    assert line.endswith("; bring BibTeX, RIS, CSL-JSON, Zotero's CSV, identifiers or titles")
    assert line.count("bring") == 1
