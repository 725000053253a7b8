"""What answers of our own making say beside what a person sees at once: versions, venues, votes, withdrawals."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.domain.instant import isoformat
from digest.domain.paper import Sighting, Signal, Summary
from digest.sources import (
    arxiv_atom,
    arxiv_oai,
    arxiv_rss,
    bibtex,
    biorxiv,
    crossref,
    feed,
    huggingface,
    openalex,
    semantic_scholar,
)
from digest.sources.port import Parser
from tests.answers import FIXTURES, SEEN, read


def test_words_behind_an_element_inside_a_title_are_read() -> None:
    file = (FIXTURES / "arxiv_api/search.xml").read_bytes()
    marked = file.replace(b"from Orbit:", b"<i>from</i> Orbit<!-- high -->:")
    first = arxiv_atom.parse(marked, source="arxiv", seen_at=SEEN).sightings[0]
    assert first.title == "Counting Lighthouses from Orbit: A Benchmark of Patient Segmentation"


def test_what_else_they_say() -> None:
    one, two, three, four, _ = papers_of(arxiv_atom.parse, "arxiv_api/search.xml")
    assert (one.comment, one.venue, one.version, one.code_url) == (
        "12 pages, 4 figures; code at https://github.com/example-lab/lamp-count.git",
        "Proceedings of the Third Workshop on Patient Vision (Example Press, 2026)",
        1,
        "https://github.com/example-lab/lamp-count",
    )
    assert (two.version, isoformat(two.updated_at or SEEN)) == (9, "2026-03-08T20:52:40Z")
    assert two.abstract == "We blur what a network sees, a little more each epoch, and it remembers less of what does not matter."
    assert [s.withdrawn for s in (one, two, three, four)] == [False, False, False, True]
    assert not papers_of(arxiv_atom.parse, "arxiv_api/search.xml")[4].withdrawn, "its samples were, out of a pool"

    announced = papers_of(arxiv_rss.parse, "arxiv_rss/announcement.xml")
    assert announced[0].abstract.startswith("A ferry that waits for one late passenger")
    assert [(s.version, s.listed_at is None, s.updated_at is None) for s in announced] == [
        (1, False, True), (1, False, True), (3, True, False), (None, True, True),
    ]  # fmt: skip
    bells, waves = papers_of(arxiv_oai.parse, "arxiv_oai/list-records.xml")
    assert (bells.venue, bells.code_url) == (
        "Letters on Invented Sounds 12 (2026), no. 2, 359-376",
        "https://gitlab.com/example-lab/bells",
    )
    assert waves.withdrawn
    assert [str(i) for i in read(arxiv_oai.parse, FIXTURES / "arxiv_oai/list-records.xml").gone] == ["arxiv:2603.92003"]

    crane = papers_of(semantic_scholar.parse, "semantic_scholar/paper.json")[0]
    assert crane.summary == Summary(text="A crane can wait, and “patience” can be measured.", provenance="semantic scholar")
    assert crane.venue == "Invented Machines"
    assert crane.signals == (
        Signal("citations", 59.0, SEEN, "table"),
        Signal("influential_citations", 7.0, SEEN, "table"),
    )
    cited = read(semantic_scholar.parse, FIXTURES / "semantic_scholar/bulk-sorted.json").readings
    assert [(reading.identifier.value[-5:], reading.signal.value) for reading in cited] == [
        ("a9408", 0.0), ("a9409", 80.0), ("a9410", 947.0),
    ]  # fmt: skip
    bell, measured = papers_of(openalex.parse, "openalex/page.json")
    assert bell.abstract == "A new bell for PET<sub>7</sub> harbours: new again."
    assert (bell.venue, bell.keywords, bell.signals[0].value) == ("Advances in Invented Acoustics", ("Bell", "Quiet"), 10)
    assert (measured.venue, measured.withdrawn) == ("", True)
    assert papers_of(openalex.parse, "openalex/work.json")[0].abstract == "The Estuary Supergroup, The early one"
    seals, search, gulls = papers_of(biorxiv.parse, "biorxiv/details.json")
    assert [(s.version, s.published_at is None, s.withdrawn) for s in (seals, search, gulls)] == [
        (1, False, False), (5, True, False), (2, True, True),
    ]  # fmt: skip
    assert papers_of(crossref.parse, "crossref/works.json")[1].withdrawn
    assert papers_of(crossref.parse, "crossref/work.json")[0].signals == (Signal("citations", 12.0, SEEN, "table"),)
    echo = papers_of(feed.parse, "feeds/rss-1.0-journal.xml")[0]
    assert (echo.venue, echo.abstract) == ("Advances in Invented Acoustics", "An echo of an echo is measured.")
    assert papers_of(feed.parse, "feeds/rss-0.92.xml")[0].abstract == "First. Second & last."
    assert papers_of(bibtex.parse, "references/library.bib")[0].keywords == ("lighthouses", "segmentation", "patience")
    assert papers_of(bibtex.parse, "references/library.bib")[1].venue == "Advances in Invented Acoustics 2025"


def papers_of(parser: Parser, name: str) -> tuple[Sighting, ...]:
    return read(parser, FIXTURES / name).sightings


def test_a_page_of_hugging_face_in_full() -> None:
    foghorn, buoy = papers_of(huggingface.parse, "hugging_face/2026-04-20.json")
    assert foghorn.listed_at == datetime(2026, 4, 20, 7, 56, 13, 917_000, tzinfo=UTC)
    assert [(s.kind, s.value) for s in foghorn.signals] == [("upvotes", 47), ("github_stars", 18), ("comments", 1)]
    assert (foghorn.code_url, foghorn.project_url) == ("https://github.com/example-lab/foghorn", "https://foghorn.example.org/")
    assert foghorn.summary == Summary(text="Foghorns are corrected by listening to two at once.", provenance="huggingface")
    assert foghorn.keywords == ("foghorn", "bias")
    assert (buoy.withdrawn, buoy.summary) == (True, None)
    harbour, knots = papers_of(huggingface.parse, "hugging_face/2024-05-28.json")
    assert (harbour.title, harbour.listed_at) == ("An Introduction to Reading Harbour Maps", None)
    assert harbour.authors == ("Mira Oduya-Lind", "Noé d'Aubrac"), "who is hidden is not named"
    assert [(s.kind, s.value) for s in knots.signals] == [("upvotes", 4), ("comments", 0)]
    (patient,) = papers_of(huggingface.parse, "hugging_face/2025-07-22.json")
    assert (patient.authors, patient.keywords[0]) == (("Ada Ferrimount", "J. Pollack Jr."), "night reasoning")
