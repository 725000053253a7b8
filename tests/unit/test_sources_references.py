"""BibTeX and CSL-JSON as people export them, and feeds that are neither arXiv's nor odd."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.sources import arxiv_rss, bibtex, biorxiv, csl_json, feed, semantic_scholar
from digest.sources.port import Parsed
from tests.tables import every_row

SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def bib(text: str) -> Parsed:
    return bibtex.parse(text.encode(), source="bibliography", seen_at=SEEN)


REFERENCES = [
    (
        "@article{k, title={{BERT}: Pre-training of {Deep} Things}, eprint={1810.04805v2}, archivePrefix={arXiv}}",
        "arxiv:1810.04805",
    ),
    ('@misc{k, title = "A title", howpublished = "\\url{https://arxiv.org/abs/2303.08774}"}', "arxiv:2303.08774"),
    ("@article{k, title={A}, journal={arXiv preprint arXiv:1706.03762}}", "arxiv:1706.03762"),
    ("@article{k, title={A}, journal={CoRR}, volume={abs/1706.03762}, doi={10.48550/arXiv.1706.03762}}", "arxiv:1706.03762"),
    ("@ARTICLE (k, TITLE = {A}, DOI = {https://doi.org/10.1103/PhysRevD.93.016005})", "doi:10.1103/physrevd.93.016005"),
    ("@article{k, title={A}, doi={10.1007/978-3-030-01234-2\\_10}}", "doi:10.1007/978-3-030-01234-2_10"),
    ("@article{k, title={A}, eprint={hep-th/9711200}}", "arxiv:hep-th/9711200"),
]


@pytest.mark.parametrize(("written", "identifier"), REFERENCES)
def test_the_names_of_a_reference(written: str, identifier: str) -> None:
    parsed = bib(written)
    assert [str(s.identifiers[0]) for s in parsed.sightings] == [identifier]
    assert len(parsed.sightings[0].identifiers) == 1


WHOLE = r"""% a comment
@string{nips = {Advances in } # "Neural"}
@comment{not this}
@preamble{"x"}
@inproceedings{vaswani, title = {Attention is {All} you Need},
  author = "Vaswani, Ashish and Noam Shazeer and Kaiser, {\L}ukasz and King, Jr, Martin and {The Team} and others",
  booktitle = nips # { Systems}, year = 2017, month = dec}"""


def test_a_whole_entry() -> None:
    (s,) = bib(WHOLE).sightings
    assert s.title == "Attention is All you Need"
    assert s.authors == ("Ashish Vaswani", "Noam Shazeer", "Łukasz Kaiser", "Martin King Jr", "The Team")
    assert s.venue == "Advances in Neural Systems"
    assert s.published_at == datetime(2017, 12, 1, tzinfo=UTC)
    assert s.identifiers[0].scheme == "reference"


def test_a_reference_without_a_name_is_the_same_paper_when_read_again() -> None:
    one, other = (bib(f"@book{{{key}, title={{The Same TurnStore}}, author={{Doe, Jane}}}}").sightings[0] for key in "ab")
    different = bib("@book{a, title={The Same Book}, author={Roe, Jane}}").sightings[0]
    assert one.identifiers == other.identifiers != different.identifiers


def test_a_broken_entry_is_told_by_its_line_and_the_rest_is_kept() -> None:
    parsed = bib("""@article{a, title={One}, eprint={2101.00001}}

@article{b, title={Never closed

@article{c, title={Three}}
@misc{d,}""")
    assert [s.title for s in parsed.sightings] == ["One", "Three"]
    assert [r.where for r in parsed.rejected] == ["line 3 (entry)", "line 6 (d)"]


def test_what_is_no_bibtex_and_an_export_in_latin_1() -> None:
    with pytest.raises(UnreadableAnswer, match="no BibTeX"):
        bib("Dear editor, me@example.org")
    latin = "@article{k, title={Über alles}, author={Gödel, Kurt}, eprint={2101.00001}}".encode("latin-1")
    assert bibtex.parse(latin, source="b", seen_at=SEEN).sightings[0].authors == ("Kurt Gödel",)


def test_csl_json_from_zotero() -> None:
    items = [
        {
            "id": "http://zotero.org/users/1/items/A",
            "type": "article",
            "title": "Learning Transferable Visual Models",
            "number": "arXiv:2103.00020",
            "URL": "http://arxiv.org/abs/2103.00020",
            "author": [{"family": "Radford", "given": "Alec"}, {"literal": "OpenAI"}],
            "issued": {"date-parts": [["2021", 2, 26]]},
        },
        {"type": "book", "author": []},
        "rubbish",
    ]
    parsed = csl_json.parse(json.dumps(items).encode(), source="bibliography", seen_at=SEEN)
    (s,) = parsed.sightings
    assert [str(i) for i in s.identifiers] == ["arxiv:2103.00020"]
    assert s.authors == ("Alec Radford", "OpenAI")
    assert s.published_at == datetime(2021, 2, 26, tzinfo=UTC)
    assert [r.where for r in parsed.rejected] == ["item 2", "item 3"]


def test_an_rss_journal_with_dois_html_and_a_byline() -> None:
    told = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel/>
    <item rdf:about="https://journal.example/1"><title>On &lt;i&gt;E. coli&lt;/i&gt; &amp;amp; co</title><link>https://journal.example/1</link>
    <description>&lt;p&gt;First.&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;Second&lt;/p&gt;</description>
    <dc:creator>Ann Lee, Bo Li, Cy Young</dc:creator><dc:date>2026-10-30</dc:date><prism:doi>10.1000/ABC</prism:doi>
    <prism:publicationName>Journal</prism:publicationName></item></rdf:RDF>"""
    (s,) = feed.parse(told.encode(), source="journal", seen_at=SEEN).sightings
    assert s.title == "On E. coli & co"
    assert [str(i) for i in s.identifiers] == ["doi:10.1000/abc"]
    assert s.authors == ("Ann Lee", "Bo Li", "Cy Young")
    assert s.abstract == "First. Second"
    assert s.updated_at == datetime(2026, 10, 30, tzinfo=UTC)
    assert (s.url, s.venue) == ("https://journal.example/1", "Journal")


def test_a_json_feed_that_links_to_arxiv() -> None:
    item = {"id": "1", "external_url": "https://arxiv.org/abs/2101.00001v3", "title": "T", "content_html": "<p>A<br>B</p>"}
    dated = {"date_published": "2026-10-30T01:02:03+02:00", "authors": [{"name": "Ann"}, {}], "tags": ["x", 3]}
    told = {"version": "https://jsonfeed.org/version/1.1", "items": [item | dated, {"title": "no id"}, None]}
    parsed = feed.parse(json.dumps(told).encode(), source="json", seen_at=SEEN)
    (s,) = parsed.sightings
    assert str(s.identifiers[0]) == "arxiv:2101.00001"
    assert (s.abstract, s.authors, s.keywords) == ("A B", ("Ann",), ("x",))
    assert s.published_at == datetime(2026, 10, 29, 23, 2, 3, tzinfo=UTC)
    assert [r.where for r in parsed.rejected] == ["item 2", "item 3"]


def test_a_date_still_to_come_says_nothing() -> None:
    dated = "<pubDate>Mon, 01 Jan 2035 00:00:00 GMT</pubDate>"
    told = f'<rss version="2.0"><channel><item><title>T</title><guid>1</guid>{dated}</item></channel></rss>'
    assert feed.parse(told.encode(), source="f", seen_at=SEEN).sightings[0].published_at is None


def test_feeds_of_two_sources_that_number_alike_are_not_one_paper() -> None:
    told = b'<rss version="2.0"><channel><item><title>T</title><guid>1</guid></item></channel></rss>'
    one, other = (feed.parse(told, source=name, seen_at=SEEN).sightings[0].identifiers for name in ("one", "other"))
    assert one != other


def rdf(*items: str) -> bytes:
    namespaces = 'xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    namespaces += ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
    return f"<rdf:RDF {namespaces}><channel><title>J</title></channel>{''.join(items)}</rdf:RDF>".encode()


DATED = [
    ("<dc:date>2026-10-12T07:00:00Z</dc:date>", "2026-10-12T07:00:00+00:00"),
    ("<dc:date>2019-02-01</dc:date><prism:publicationDate>2019-03</prism:publicationDate>", "2019-02-01T00:00:00+00:00"),
    ("<dc:date>2019/11/15</dc:date>", "2019-11-15T00:00:00+00:00"),
    ("<dc:date>2019</dc:date>", "2019-01-01T00:00:00+00:00"),
    ("<dc:date>15 November 2019</dc:date>", "2019-11-15T00:00:00+00:00"),
    ("<prism:publicationDate>2019-11</prism:publicationDate>", "2019-11-01T00:00:00+00:00"),
    ("<prism:coverDate>2019-11-15</prism:coverDate>", "2019-11-15T00:00:00+00:00"),
    ("<pubDate>Fri, 15 Nov 2019 10:00:00 +0100</pubDate>", "2019-11-15T09:00:00+00:00"),
    ("<pubDate>2019년 11월 15일 금요일 오전 9:00</pubDate>", "2019-11-15T00:00:00+00:00"),
    ("", None),
]


@every_row(("dates", "published"), DATED)
def test_dates_of_rss_1_and_items_with_nothing_but_their_own_name(dates: str, published: str | None) -> None:
    item = f'<item rdf:about="https://doi.org/10.1111/gcb.13200"><title>T</title>{dates}</item>'
    (s,) = feed.parse(rdf(item), source="journal", seen_at=SEEN).sightings
    assert [str(i) for i in s.identifiers] == ["doi:10.1111/gcb.13200"]
    assert (s.published_at and s.published_at.isoformat()) == published


@pytest.mark.parametrize(
    "about", ["http://arxiv.org/abs/2611.00001", "http://export.arxiv.org/abs/2611.00001v2", "oai:arXiv.org:2611.00001"]
)
def test_arxivs_rss_1(about: str) -> None:
    item = (
        f'<item rdf:about="{about}"><title>T</title><dc:creator>Ann Lee, Bo Li</dc:creator><dc:date>2026-10-30</dc:date></item>'
    )
    (s,) = arxiv_rss.parse(rdf(item), source="arxiv", seen_at=SEEN).sightings
    assert (str(s.identifiers[0]), s.authors) == ("arxiv:2611.00001", ("Ann Lee", "Bo Li"))
    assert s.listed_at == datetime(2026, 10, 30, tzinfo=UTC)


LINKS = [
    "https://arxiv.org/abs/2611.00001?utm_source=rss",
    "arxiv.org/abs/2611.00001",
    "https://www.alphaxiv.org/abs/2611.00001v3",
    "https://huggingface.co/papers/2611.00001",
    "https://ar5iv.labs.arxiv.org/html/2611.00001",
    "http://export.arxiv.org/pdf/2611.00001.pdf#page=2",
]


@pytest.mark.parametrize("link", LINKS)
def test_a_feed_that_links_to_arxiv_in_any_way(link: str) -> None:
    item = f'<item><title>T</title><guid isPermaLink="false">1</guid><link>{link}</link></item>'
    told = f'<rss version="2.0"><channel>{item}</channel></rss>'
    assert [str(i) for i in feed.parse(told.encode(), source="f", seen_at=SEEN).sightings[0].identifiers] == ["arxiv:2611.00001"]


@pytest.mark.parametrize("key", ["citingPaper", "citedPaper"])
def test_citations_and_references_of_semantic_scholar(key: str) -> None:
    paper = {"paperId": "p1", "title": "T", "externalIds": {"ArXiv": "2611.00001"}, "authors": [{"name": "Ann Lee"}]}
    rows = [{"contexts": ["c"], "isInfluential": True, key: paper}, {key: None}, {key: {"paperId": None, "title": "Unknown"}}]
    page = {"offset": 0, "next": 3, "data": rows}
    parsed = semantic_scholar.parse(json.dumps(page).encode(), source="s2", seen_at=SEEN)
    assert [(str(s.identifiers[0]), s.title) for s in parsed.sightings] == [("arxiv:2611.00001", "T")]
    assert [r.where for r in parsed.rejected] == ["row 2", "row 3"]


def test_biorxivs_publications() -> None:
    row = {
        "biorxiv_doi": "10.1101/2026.08.10.123456",
        "published_doi": "10.1016/j.cell.2026.10.001",
        "published_journal": "Cell",
        "preprint_platform": "medRxiv",
        "preprint_title": "Corals",
        "preprint_authors": "Lee, A.; Li, B.",
        "preprint_category": "ecology",
        "preprint_date": "2026-08-12",
        "published_date": "2026-10-20",
        "preprint_abstract": "Words.",
    }
    page = {"messages": [{"status": "ok", "total": 1}], "collection": [row]}
    (s,) = biorxiv.parse(json.dumps(page).encode(), source="biorxiv", seen_at=SEEN).sightings
    assert [str(i) for i in s.identifiers] == ["doi:10.1101/2026.08.10.123456", "doi:10.1016/j.cell.2026.10.001"]
    assert (s.title, s.authors, s.abstract, s.venue) == ("Corals", ("A. Lee", "B. Li"), "Words.", "Cell")
    assert (s.published_at, s.categories) == (datetime(2026, 8, 12, tzinfo=UTC), ("ecology",))
    assert s.url == "https://www.medrxiv.org/content/10.1101/2026.08.10.123456v1"


CSL_DATES: list[tuple[object, str | None]] = [
    ({"date-parts": [["2021", 2, 26]]}, "2021-02-26"),
    ({"date-parts": [[2021]]}, "2021-01-01"),
    ({"date-parts": [[2021, 5], [2021, 6]]}, "2021-05-01"),
    ({"date-parts": [[2021, 0, 0]]}, "2021-01-01"),
    ({"raw": "2021/05/06"}, "2021-05-06"),
    ({"literal": "May 2021"}, "2021-05-01"),
    ("2021-05-06", "2021-05-06"),
    ({"date-parts": [[None]]}, None),
    ({"date-parts": []}, None),
    ([], None),
    (None, None),
]


@every_row(("issued", "day"), CSL_DATES)
def test_dates_of_csl_json(issued: object, day: str | None) -> None:
    items = [{"type": "article", "title": "T", "DOI": "10.1000/a", "issued": issued}]
    (s,) = csl_json.parse(json.dumps(items).encode(), source="b", seen_at=SEEN).sightings
    assert (s.published_at and s.published_at.date().isoformat()) == day
