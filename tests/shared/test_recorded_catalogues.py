"""Recorded answers of bioRxiv, Crossref and OpenAlex → the papers in them. Each expectation was written from reading the file."""

from __future__ import annotations

import json

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.sources import biorxiv, crossref, openalex, semantic_scholar
from digest.sources.port import Parser
from tests.answers import SEEN, Shown, read, shown
from tests.shared_data import SHARED

ANSWERS = SHARED / "data" / "api_responses"

SEARCHERS = ("J. Zhang", "X. Zhu", "Z. Ma", "S. Wang", "Y. Wang", "H. Esteky", "Y. Tian", "R. Desimone", "S. Wang", "H. Zhou")
HEATERS = (
    "Kento Suzuki, Shun Enomoto, Norio Higashi, Masahisa Iida, Yukiko Ikemoto, Hiroshi Kawamata, Nobuhiro Kimura,"
    " Tatsushi Nakamoto, Tor Ogits, H. Ohata, Naoki Okada, Ryutaro Okada, Michinaka Sugano, Andrea Musso, Ezio Todesco"
)

PAGES: list[tuple[Parser, str, int, dict[int, Shown]]] = [
    (
        biorxiv.parse,
        "biorxiv/details_by_doi_456574.json",
        1,
        {
            0: Shown(
                "doi:10.1101/456574 doi:10.7554/elife.43696",
                "Complementary subnetworks of cortical somatostatin interneurons",
                ("A. Naka", "B. Shababo", "B. Snyder", "A. Egladyous", "S. Sridharan", "L. Paninski", "H. Adesnik"),
                "2018-10-30T00:00:00Z",
                "neuroscience",
                ("https://www.biorxiv.org/content/10.1101/456574v1", "https://www.biorxiv.org/content/10.1101/456574v1.full.pdf"),
            )
        },
    ),
    (
        biorxiv.parse,
        "biorxiv/details_interval_2026-08-01.json",
        1,
        {
            0: Shown(
                "doi:10.64898/2026.07.31.741992",
                "Sound-shape correspondences in macaques reveal evolutionary roots of sound symbolism",
                ("M. Loconsole", "C. Xue", "E. Garcia-Pelegrin"),
                "2026-08-01T00:00:00Z",
                "animal behavior and cognition",
                (
                    "https://www.biorxiv.org/content/10.64898/2026.07.31.741992v1",
                    "https://www.biorxiv.org/content/10.64898/2026.07.31.741992v1.full.pdf",
                ),
            )
        },
    ),
    (
        biorxiv.parse,
        "biorxiv/details_v5_funder_2026-04-08.json",
        1,
        {
            0: Shown(
                "doi:10.1101/2021.11.22.469359",
                "Neural computations in the foveal and peripheral visual fields during active search",
                SEARCHERS,
                "2026-04-08T00:00:00Z",
                "neuroscience",
                (
                    "https://www.biorxiv.org/content/10.1101/2021.11.22.469359v5",
                    "https://www.biorxiv.org/content/10.1101/2021.11.22.469359v5.full.pdf",
                ),
            )
        },
    ),
    (
        crossref.parse,
        "crossref/9781316535783.011.json",
        1,
        {
            0: Shown(
                "doi:10.1017/9781316535783.011",
                "Testing Inflation",
                ("Chris Smeenk",),
                "",  # "issued" is [[]]
                "",
                ("https://doi.org/10.1017/9781316535783.011", ""),
            )
        },
    ),
    (
        crossref.parse,
        "crossref/sample_crossref_record.json",
        1,
        {
            0: Shown(
                "doi:10.1103/physrevd.93.016005",
                "Perturbative renormalization of neutron-antineutron operators",
                ("Michael I. Buchoff", "Wagman"),
                "2016-01-11T00:00:00Z",
                "",
                ("https://doi.org/10.1103/physrevd.93.016005", "http://link.aps.org/accepted/10.1103/PhysRevD.93.016005"),
            )
        },
    ),
    (
        crossref.parse,
        "crossref/tasc.2017.2776938.json",
        1,
        {
            0: Shown(
                "doi:10.1109/tasc.2017.2776938",
                "Quench Protection Heater Study With the 2-m Model Magnet of Beam Separation Dipole for the HL-LHC Upgrade",
                tuple(HEATERS.split(", ")),
                "2018-04-01T00:00:00Z",  # April 2018
                "Electrical and Electronic Engineering|Electronic, Optical and Magnetic Materials|Condensed Matter Physics",
                ("https://doi.org/10.1109/tasc.2017.2776938", ""),
            )
        },
    ),
    (
        openalex.parse,
        "openalex/work_thesis_inline.json",
        1,
        {
            0: Shown(
                "doi:10.22215/etd/2024-16003 openalex:W4401632393",
                "Dynamic Environmental Change at the Cusp of the Great Oxidation Event: The Gowganda-Lorrain Formation"
                " Transition, Cobalt Basin, Ontario and Quebec",
                ("Nabil A. Shawwa",),
                "2024-01-01T00:00:00Z",
                "",
                ("https://doi.org/10.22215/etd/2024-16003", ""),
            )
        },
    ),
    (
        openalex.parse,
        "openalex/works_2.json",
        1,
        {
            0: Shown(
                "openalex:W3197312755",
                "주파수 안정도 측정",
                ("이호성", "송양섭", "전인덕", "정낙삼"),
                "1986-01-01T00:00:00Z",
                "",
                (
                    "http://click.ndsl.kr/servlet/LinkingDetailView?cn=NPAP07922165&dbt=CFKO&org_code=O486&site_code=SS1486"
                    "&service_code=01",
                    "",
                ),
            )
        },
    ),
    (
        semantic_scholar.parse,
        "semanticscholar/Paper.json.gz",
        1,
        {
            0: Shown(
                "doi:10.1093/mind/lix.236.433 semanticscholar:2d5673caa9e6af3a7b82a43f19ee920992db07ad",
                "Computing Machinery and Intelligence",
                ("A. Turing",),
                "1950-10-01T00:00:00Z",
                "Computer Science|Sociology",
                ("https://www.semanticscholar.org/paper/2d5673caa9e6af3a7b82a43f19ee920992db07ad", ""),
            )
        },
    ),
]
_MUSCLE = (
    "A. Prelle, Monica Sciacco, L. Tancredi, Gigliola Fagiolari, Giacomo P. Comi, Patrizia Ciscato, Massimo Serafini,"
    " Francesco Fortunato, Chiara Zecca, A. Gallanti, Luca Chiveri, Nereo Bresolin, G. Scarlato, Maurizio Moggio"
)
_LIGANDS = (
    "Anjani K. Tiwari, Joji Yui, Pooja Pooja, Swati Aggarwal, Tomoteru Yamasaki, Lin Xie, Nidhi Chadha, Y. Zhang,"
    " Masayuki Fujinaga, Yuki Shimoda, Katsushi Kumata, Anil K. Mishra, Minetaro Ogawa, M.-R. Zhang"
)
PAGES += [
    (
        openalex.parse,
        "openalex/works_0.json",
        1,
        {
            0: Shown(
                "doi:10.1007/s00401-002-0654-1 openalex:W52443429",
                "Clinical, morphological and immunological evaluation of six patients with dysferlin deficiency",
                tuple(_MUSCLE.split(", ")),
                "2003-03-04T00:00:00Z",
                "Biochemistry, Genetics and Molecular Biology|Medicine",
                ("https://doi.org/10.1007/s00401-002-0654-1", ""),
            )
        },
    ),
    (
        openalex.parse,
        "openalex/works_1.json",
        1,
        {
            0: Shown(
                "doi:10.1039/c4ra15833d openalex:W2163492414",
                "Design, synthesis and biological evaluation of small molecule-based PET radioligands for the"
                " 5-hydroxytryptamine 7 receptor",
                tuple(_LIGANDS.split(", ")),
                "2015-01-01T00:00:00Z",
                "Biochemistry, Genetics and Molecular Biology|Neuroscience",
                ("https://doi.org/10.1039/c4ra15833d", ""),
            )
        },
    ),
]


@pytest.mark.parametrize(("parser", "name", "count", "papers"), PAGES, ids=[page[1].split("/")[1] for page in PAGES])
def test_the_papers_in_it(parser: Parser, name: str, count: int, papers: dict[int, Shown]) -> None:
    parsed = read(parser, ANSWERS / name)
    assert len(parsed.sightings) == count
    assert not parsed.rejected
    assert {position: shown(parsed.sightings[position]) for position in papers} == papers


NO_PAPERS = [
    (openalex.parse, "openalex/meter_headers_2026-09.json", "neither a work nor a page"),
    (semantic_scholar.parse, "semanticscholar/Author.json", "an author"),
    (semantic_scholar.parse, "semanticscholar/Dataset.json", "a data set"),
    (semantic_scholar.parse, "semanticscholar/Release.json", "a release"),
    *(
        (openalex.parse, f"openalex/{kind}s_{number}.json", f"an? {kind}")
        for kind, numbers in {"author": "12", "concept": "012", "funder": "12", "institution": "012", "keyword": "012"}.items()
        for number in numbers
    ),
    *((openalex.parse, f"openalex/{kind}s_{n}.json", f"a {kind}") for kind in ("publisher", "source", "topic") for n in "12"),
]


@pytest.mark.parametrize(("parser", "name", "reason"), NO_PAPERS, ids=[page[1].split("/")[1] for page in NO_PAPERS])
def test_what_holds_no_papers_is_refused_by_name(parser: Parser, name: str, reason: str) -> None:
    with pytest.raises(UnreadableAnswer, match=reason):
        read(parser, ANSWERS / name)


def test_a_paper_without_a_title_is_a_named_rejection() -> None:
    parsed = read(semantic_scholar.parse, ANSWERS / "semanticscholar/PaperWithNullValues.json")
    assert [(r.where, r.reason) for r in parsed.rejected] == [("row 1", "title: is missing")]
    assert not parsed.sightings


def test_every_file_with_papers_is_in_the_tables() -> None:
    folders = ("biorxiv", "crossref", "openalex", "semanticscholar")
    there = {f"{folder}/{file.name}" for folder in folders for file in (ANSWERS / folder).iterdir() if file.suffix != ".yaml"}
    seen = {page[1] for page in (*PAGES, *NO_PAPERS)} | {"semanticscholar/PaperWithNullValues.json"}
    # One more of each kind that holds no papers
    assert there - seen <= {"openalex/sources_0.json", "openalex/topics_0.json"}


def test_what_else_they_say() -> None:
    turing = read(semantic_scholar.parse, ANSWERS / "semanticscholar/Paper.json.gz").sightings[0]
    assert turing.summary is not None
    assert turing.summary.provenance == "semantic scholar"
    assert turing.summary.text.startswith("If the meaning of the words “machine” and “think” are to be found")
    assert turing.venue == "Mind"
    assert next((s.kind, s.value, s.observed_at) for s in turing.signals) == ("citations", 10059.0, SEEN)

    thesis = read(openalex.parse, ANSWERS / "openalex/work_thesis_inline.json").sightings[0]
    assert thesis.abstract == "The Huronian Supergroup, The early one"
    ligands = read(openalex.parse, ANSWERS / "openalex/works_1.json")
    assert ligands.undated
    assert (
        ligands.sightings[0].abstract
        == "A new prospective approach for PET imaging of 5-HT<sub>7</sub>by a small molecule ligand."
    )
    assert ligands.sightings[0].venue == "RSC Advances"
    assert ligands.sightings[0].signals[0].value == 10

    preprint = read(biorxiv.parse, ANSWERS / "biorxiv/details_v5_funder_2026-04-08.json").sightings[0]
    assert (preprint.version, preprint.published_at) == (5, None)


def test_the_metered_answer_within_its_wrapping_has_a_work_without_a_title() -> None:
    body = json.loads((ANSWERS / "openalex/meter_headers_2026-09.json").read_text())["body"]
    parsed = openalex.parse(json.dumps(body).encode(), source="table", seen_at=SEEN)
    assert [(r.where, r.reason) for r in parsed.rejected] == [("row 1", "title: is missing")]
