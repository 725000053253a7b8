"""What sources ask to be said: in each edition's mail, in both parts, and on every page; only of those that are configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import SourceSettings
from digest.render.edition.acknowledgements import acknowledgements
from digest.sources.registry import KINDS
from tests.command_line import clean_environment, command
from tests.servers.website import website

ARXIV = "Thank you to arXiv for use of its open access interoperability."
SETTINGS = """
[web]
base_url = "https://digest.example.org"
[mail]
from_address = "digest@example.org"
postal_address = "1 Test Street"
[[relays]]
host = "127.0.0.1"
tls = "none"
[[sources]]
name = "new"
kind = "arxiv-rss"
[[sources]]
name = "old"
kind = "arxiv-oai"
[[sources]]
name = "s2"
kind = "semantic-scholar"
"""
SEED = Path(__file__).resolve().parents[2] / "seeds/papers.txt"


def test_a_mail_has_them_once_in_both_parts(tmp_path: Path) -> None:
    (tmp_path / "digest.toml").write_text(SETTINGS)
    for words in (["import", str(SEED)], ["preview", "--out", "out"], ["lint", "out/message.eml", "--json"]):
        config = [] if words[0] == "lint" else ["--config", "digest.toml"]
        done = command(tmp_path, *words, *config, environment=clean_environment())
        assert done.returncode == 0, done.stdout + done.stderr
    for part in ("message.html", "message.txt"):
        text = (tmp_path / "out" / part).read_text("utf-8")
        assert text.count(ARXIV) == 1
        assert text.count("Data source: Semantic Scholar API") == 1
        assert "https://www.semanticscholar.org/?utm_source=api" in text
        assert "Data source: OpenAlex" not in text


def test_every_page_has_those_of_the_sources(tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked, sources=[SourceSettings(name="votes", kind="huggingface")]) as site:
        for path in ("/", "/papers", "/privacy", "/subscribe"):
            text = site.get(path).text
            assert text.count("Data source: Hugging Face Daily Papers") == 1, path
            assert "arXiv for use" not in text


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"feed", "folder"}))
def test_every_kind_with_a_public_source_is_named(kind: str) -> None:
    """A new kind comes with what it asks for."""
    [only] = acknowledgements([kind, kind])
    assert only.url.startswith("https://")
    assert SourceSettings(name="x", kind=kind).kind == kind


def test_the_operators_own_files_ask_for_nothing() -> None:
    assert acknowledgements(["feed", "folder"]) == ()
