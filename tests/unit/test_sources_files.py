"""Feeds of every kind there is, refusals of every source, and how a file is told from another: files of our own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.sources import (
    arxiv_atom,
    arxiv_oai,
    arxiv_rss,
    bibtex,
    biorxiv,
    crossref,
    csl_json,
    detect_format,
    feed,
    huggingface,
    openalex,
    seed_page,
    semantic_scholar,
)
from digest.sources.port import Parser
from tests.answers import FIXTURES, Shown, read, shown
from tests.tables import every_row
from tests.unit.test_sources_answers import PAPERS


def own(key: str, title: str, authors: tuple[str, ...] = (), date: str = "", categories: str = "", link: str = "") -> Shown:
    """An entry of a feed that has no other name than the feed's own."""
    return Shown(key, title, authors, date, categories, (link, ""))


FEEDS: list[tuple[str, list[Shown], list[str]]] = [
    (
        "rss-0.90.xml",
        [
            own("arxiv:2603.97001", "A Buoy in RDF", link="https://arxiv.org/abs/2603.97001"),
            own("table:http://notes.example.org/2", "A Note of Our Own", link="http://notes.example.org/2"),
        ],
        [],
    ),
    (
        "rss-0.91-netscape.xml",
        [own("table:http://notes.example.org/3", "Signals & Lamps", link="http://notes.example.org/3")],
        [],
    ),
    (
        "rss-0.92.xml",
        [own("doi:10.5555/knots.2", "Bold Knots", link="https://doi.org/10.5555/knots.2")],
        ["entry 1: title: is missing"],
    ),
    (
        "rss-1.0-journal.xml",
        [
            own("doi:10.5555/aia.97002", "Echoes of a Second Order, with E. sonora",
                ("Anjali K. Belltower", "Yuki Shimokawa-Lee", "Wen Liang-Aske"), "2026-03-04T00:00:00Z", "acoustics",
                "http://journal.example.org/articles/97002?rss=1"),
        ],
        [],
    ),
    (
        "rss-2.0-lab.xml",
        [
            own("table:https://lab.example.org/?p=41", "We Wrote about Ferries", ("Ada Ferrimount",), "2026-03-09T09:30:00Z",
                "ferries scheduling", "https://lab.example.org/ferries/"),
            own("table:https://lab.example.org/?p=42", "A Date to Come", link="https://lab.example.org/tomorrow/"),
        ],
        ["entry 3: entry: has neither id nor link"],
    ),
    (
        "rss-2.0-windows-1252.xml",
        [own("table:http://meteo.example.org/1", "Brouillard “léger” à Étretat", ("Noé d’Aubrac",),
             link="http://meteo.example.org/1")],
        [],
    ),
    ("rss-2.0-utf-16.xml", [own("table:toudai1霧", "霧の中の灯台", link="http://toudai.example.org/1")], []),
    (
        "rss-2.0-feedburner.xml",
        [own("arxiv:2603.97003", "Ropes at a Distance", link="http://feeds.example.org/~r/reader/~3/abc/")],
        [],
    ),
    (
        "rss-2.0-undefined-entity.xml",
        [own("table:http://naive.example.org/1", "Tea & Tides été", link="http://naive.example.org/1")],
        [],
    ),
    ("rss-2.0-empty.xml", [], []),
    (
        "atom-0.3.xml",
        [own("table:tag:old.example.org,2026:fog", "On Fog", (), "2026-03-05T12:29:29Z", link="http://old.example.org/fog")],
        [],
    ),
    (
        "atom-1.0.xml",
        [
            # what is still HTML in a title is read where it is shown (render/text/latex.py)
            own("doi:10.1101/2026.03.01.970041 arxiv:2603.97004", "Knots &amp; Their Rivals",
                ("R. Ó Braonáin", "Jun Takamori-Bell"), "2026-03-05T12:29:29Z", "knots",
                "https://www.biorxiv.org/content/10.1101/2026.03.01.970041v1"),
            own("table:https://group.example.org/2", "Without a summary", link="https://group.example.org/2"),
        ],
        [],
    ),
    ("cdf.xml", [own("table:http://cdf.example.org/1", "Still Here", link="http://cdf.example.org/1")], []),
    (
        "json-feed-1.0.json",
        [
            own("table:https://json.example.org/1", "A Lamp in JSON", ("Mira Oduya-Lind",), "2026-03-07T09:00:00Z",
                link="https://json.example.org/1"),
            own("arxiv:2603.97005", "A Paper We Read", link="https://arxiv.org/pdf/2603.97005v1"),
        ],
        [],
    ),
    (
        "json-feed-1.1.json",
        [own("table:https://json.example.org/3", "Two Authors", ("Ada Ferrimount", "Noé d'Aubrac"), "2026-03-08T00:00:00Z")],
        ["item 2: title: is missing", "item 3: entry: has neither id nor link", "item 4: entry: has neither id nor link"],
    ),
]  # fmt: skip
READ = [*PAPERS, *((feed.parse, f"feeds/{name}", papers, rejected) for name, papers, rejected in FEEDS)]


@every_row(("name", "papers", "rejected"), FEEDS, ids=[row[0] for row in FEEDS])
def test_what_a_person_sees_in_a_feed(name: str, papers: list[Shown], rejected: list[str]) -> None:
    parsed = read(feed.parse, FIXTURES / "feeds" / name)
    assert [shown(sighting) for sighting in parsed.sightings] == papers
    assert [f"{each.where}: {each.reason}" for each in parsed.rejected] == rejected


REFUSED: list[tuple[Parser, str, str]] = [
    (arxiv_atom.parse, "arxiv_api/error.xml", "arXiv says: incorrect id format for lighthouse"),
    (arxiv_atom.parse, "arxiv_oai/identify.xml", "<OAI-PMH> where an Atom <feed> was due"),
    (arxiv_rss.parse, "arxiv_rss/cut-short.xml", "cut short"),
    (arxiv_rss.parse, "arxiv_rss/unknown-category.xml", r'arXiv says: Feed error for query "cs\.ZZ"'),
    (arxiv_rss.parse, "arxiv_oai/identify.xml", "<OAI-PMH> where <rss> with a <channel> was due"),
    (arxiv_oai.parse, "arxiv_oai/bad-token.xml", "badResumptionToken"),
    (arxiv_oai.parse, "arxiv_oai/bad-argument.xml", "badArgument: Invalid date: lighthouse"),
    (arxiv_oai.parse, "arxiv_oai/identify.xml", "without <ListRecords> or <GetRecord>"),
    (arxiv_oai.parse, "arxiv_api/search.xml", "<feed> where <OAI-PMH> was due"),
    (huggingface.parse, "hugging_face/error.json", "Hugging Face says: ✖ Invalid ISO date"),
    (huggingface.parse, "hugging_face/saved-as-text.json", r"these are text \(a Python repr"),
    (huggingface.parse, "openalex/work.json", "should be a list of daily papers"),
    (biorxiv.parse, "biorxiv/error.json", "bioRxiv says: error: database is away"),
    (biorxiv.parse, "biorxiv/no-collection.json", "no collection of preprints: no interval given"),
    (crossref.parse, "crossref/error.json", "Crossref says: Filter lighthouse specified"),
    (crossref.parse, "crossref/member.json", "neither a work nor a page of works"),
    (openalex.parse, "openalex/error.json", "OpenAlex says: Invalid query parameters error"),
    (openalex.parse, "openalex/rate-limited.json", "neither a work nor a page"),
    *(
        (openalex.parse, f"openalex/{kind}.json", f"an? {kind}; should be works")
        for kind in ("author", "concept", "funder", "institution", "keyword", "publisher", "source", "topic")
    ),
    (semantic_scholar.parse, "semantic_scholar/author.json", "an author; should be papers"),
    (semantic_scholar.parse, "semantic_scholar/dataset.json", "a data set; should be papers"),
    (semantic_scholar.parse, "semantic_scholar/dataset-diffs.json", "a data set's changes; should be papers"),
    (semantic_scholar.parse, "semantic_scholar/release.json", "a release; should be papers"),
    (semantic_scholar.parse, "semantic_scholar/no-list.json", "neither a paper nor a list of papers"),
    (semantic_scholar.parse, "semantic_scholar/error-fields.json", r"Unrecognized or unsupported fields: \[unknown\]"),
    (semantic_scholar.parse, "semantic_scholar/error-forbidden.json", "Semantic Scholar says: Forbidden"),
    (semantic_scholar.parse, "semantic_scholar/error-rate.json", "Semantic Scholar says: Too Many Requests"),
    (feed.parse, "feeds/json-no-feed.json", "no JSON feed"),
    (feed.parse, "feeds/no-feed.html", "no feed: neither RSS, Atom nor a JSON feed"),
    (bibtex.parse, "files/seed-page.txt", "no BibTeX"),
    (csl_json.parse, "hugging_face/error.json", "no list of CSL-JSON items"),
    (seed_page.parse, "files/papers.jsonl", "should begin with 2 lines"),
]


@every_row(("parser", "name", "reason"), REFUSED, ids=[f"{row[1]} {row[2][:20]}" for row in REFUSED])
def test_what_holds_no_papers_is_refused_by_name(parser: Parser, name: str, reason: str) -> None:
    with pytest.raises(UnreadableAnswer, match=reason):
        read(parser, FIXTURES / name)


def test_a_feed_that_was_cut_off_keeps_what_is_whole() -> None:
    parsed = read(feed.parse, FIXTURES / "feeds/cut-short.xml")
    assert [each.reason for each in parsed.rejected] == ["entry: has neither id nor link"]


def test_every_answer_is_in_a_table() -> None:
    there = {str(file.relative_to(FIXTURES)) for file in FIXTURES.rglob("*") if file.is_file()}
    told = {row[1] for row in (*READ, *REFUSED)} | {"feeds/cut-short.xml", "README.md", "addresses.txt"}
    told |= {f"hugging_face/{year}.json" for year in ("2024-05-28", "2025-07-22")}
    assert {name for name in there if not name.startswith("bounces/")} == told


FORMATS = {
    "arxiv_api": "arXiv Atom",
    "arxiv_rss": "arXiv RSS",
    "arxiv_oai": "OAI-PMH",
    "hugging_face": "Hugging Face",
    "biorxiv": "bioRxiv",
    "crossref": "Crossref",
    "openalex": "OpenAlex",
    "semantic_scholar": "Semantic Scholar",
    "feeds": "RSS or Atom",
}
"""By folder; the others are by file."""
BY_FILE = {
    "arxiv_rss/announcement-atom.xml": "arXiv Atom",
    "feeds/json-feed-1.0.json": "JSON feed",
    "feeds/json-feed-1.1.json": "JSON feed",
    "references/library.bib": "BibTeX",
    "references/latin-1.bib": "BibTeX",
    "references/cut-short.bib": "BibTeX",
    "references/library.json": "CSL JSON",
    "references/better-csl.json": "CSL JSON",
    "files/papers.jsonl": "JSON lines",
    "files/signals.jsonl": "JSON lines",
    "files/seed-page.txt": "seed page",
}
BY_ITS_ADDRESS_ONLY = {"feeds/cdf.xml", "feeds/rss-2.0-utf-16.xml"}
"""No file of these two kinds is recognised in a folder; a source names its format itself."""


@every_row("name", sorted({row[1] for row in READ} - BY_ITS_ADDRESS_ONLY))
def test_a_file_is_recognised_by_what_is_in_it(name: str) -> None:
    data = Path(FIXTURES / name).read_bytes()
    known = detect_format.recognise(data[: detect_format.HEAD])
    assert known is not None
    assert known.name == BY_FILE.get(name, FORMATS.get(name.partition("/")[0]))
    with_an_item_a_line = detect_format.recognise(data.replace(b"}, {", b"},\n{"))
    assert with_an_item_a_line == known
