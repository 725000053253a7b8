"""Recorded announcements of arXiv's, in RSS and Atom, and its OAI-PMH → the papers in them.

Each expectation was written from reading the file. Of a long page: how many, and the first, a middle and the last.
"""

from __future__ import annotations

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.domain.instant import isoformat
from digest.sources import arxiv_oai, arxiv_rss
from digest.sources.port import Parser
from tests.answers import SEEN, Shown, arxiv, read, shown
from tests.shared_data import SHARED

ANSWERS = SHARED / "data" / "api_responses"

FOLDERS = ("arxiv_oai", "arxiv_rss")
BICEP_AUTHORS = (
    "Keck Array, BICEP2 Collaborations, P. Ade, Z. Ahmed, R. W. Aikin, K. D. Alexander, D. Barkats, S. J. Benton, C. A. Bischoff,"
    " J. J. Bock, R. Bowens-Rubin, J. A. Brevik, I. Buder, E. Bullock, V. Buza, J. Connors, B. P. Crill, L. Duband, C. Dvorkin,"
    " J. P. Filippini, S. Fliescher, J. Grayson, M. Halpern, S. Harrison, S. R. Hildebrandt, G. C. Hilton, H. Hui, K. D. Irwin,"
    " J. Kang, K. S. Karkare, E. Karpel, J. P. Kaufman, B. G. Keating, S. Kefeli, S. A. Kernasovskiy, J. Kovac, C. L. Kuo,"
    " E. M. Leitch, M. Lueker, K. G. Megerian, T. Namikawa, C. B. Netterfield, H. T. Nguyen, R. O'Brient, R. W. IV, A. Orlando,"
    " C. Pryke, S. Richter, R. Schwarz, C. D. Sheehy, Z. K. Staniszewski, B. Steinbach, R. V. Sudiwala, G. P. Teply,"
    " K. L. Thompson, J. E. Tolan, C. Tucker, A. D. Turner, A. G. Vieregg, A. C. Weber, D. V. Wiebe, J. Willmert, C. L. Wong,"
    " W. L. Wu, K. W. Yoon"
)
COHERENCE = (
    "Irreversible degradation of quantum coherence under relativistic motion",
    "Planck Collaboration, Jieci Wang, Zehua Tian, Jiliang Jing, Heng Fan",
    "2016-01-13T00:00:00Z",
)
PLANCK = arxiv(
    "arxiv:1604.05585",
    "Astrophysical components from Planck maps",
    "Günter Burigana, Tiziana Trombetti, Daniela Paoletti, Nazzareno Mandolesi, Paolo Natoli",
    "2016-04-19T00:00:00Z",
    "astro-ph.GA astro-ph.CO",
)

PAGES: list[tuple[Parser, str, int, dict[int, Shown]]] = [
    (
        arxiv_rss.parse,
        "arxiv_rss/rss.arxiv.org_atom_cs.AI_2025-08-20_excerpt.xml",
        7,
        {
            0: arxiv(
                "arxiv:2508.13426",
                "ALIGN: Word Association Learning for Cross-Cultural Generalization in Large Language Models",
                "Chunhua Liu, Kabir Manandhar Shrestha, Sukai Huang",
                "2025-08-20T04:00:00Z",
                "cs.CL cs.AI",
            ),
            2: arxiv(
                "arxiv:2508.13429",
                "AlphaX: An AI-Based Value Investing Strategy for the Brazilian Stock Market",
                "Paulo André Lima de Castro",
                "2025-08-20T04:00:00Z",
                "q-fin.CP cs.AI",
            ),
            6: arxiv(
                "arxiv:2508.14002",
                "Reward Shaping in Multi-Agent Reinforcement Learning",
                "Carol White, Dave Brown",
                "2025-08-20T04:00:00Z",
                "cs.AI cs.MA",
            ),
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/arxiv-physics-hep-ex.xml",
        3,
        {
            0: arxiv(
                "arxiv:1706.05371",
                "Evaluation of Silicon Photomultipliers for use as Photosensors in Liquid Xenon Detectors",
                "Tyler Anderson, Jacob Cutter, Navneet Dhaliwal, Olivia Dalager, Benjamin Godfrey, Seth Hillbrand,"
                " Michael Irving, Aaron Manalaysay, Juan Montoya, James Morad, Christian Neher, Dustin Stolp, Mani Tripathi",
                "2017-06-16T00:00:00Z",
                "physics.ins-det hep-ex",
            ),
            1: arxiv(
                "arxiv:1706.09418 doi:10.1140/epjc/s10052-017-5414-4",
                "R-Parity Violation at the LHC",
                "Daniel Dercks, Herbi Dreiner, Manuel E. Krauss, Toby Opferkuch, Annika Reinert",
                "2017-06-28T00:00:00Z",
                "hep-ph hep-ex",
            ),
            2: arxiv(
                "arxiv:1707.00874",
                "Implications of right-handed neutrinos in $B-L$ extended standard model with scalar dark matter",
                "Priyotosh Bandyopadhyay, Eung Jin Chun, Rusa Mandal",
                "2017-07-04T00:00:00Z",
                "hep-ph astro-ph.CO hep-ex",
            ),
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/arxiv-physics-hep-th.xml",
        3,
        {
            0: arxiv(
                "arxiv:1412.8323",
                "Toolbox for reconstructing quantum theory from rules on information acquisition",
                "Philipp A Hoehn",
                "2014-12-29T00:00:00Z",
                "quant-ph gr-qc hep-th math-ph math.MP physics.hist-ph",
            ),
            1: arxiv(
                "arxiv:1507.07790 doi:10.1088/1751-8121/aa9c53",
                "Relativistic quantum dynamics of vector bosons in an Aharonov-Bohm potential",
                "Luis B. Castro, Edilberto O. Silva",
                "2015-07-28T00:00:00Z",
                "hep-th math-ph math.MP quant-ph",
            ),
            2: arxiv(
                "arxiv:1607.01710 doi:10.1002/andp.201700188",
                "Refinements of the Weyl pure geometrical thick branes from information-entropic measure",
                "R. A. C. Correa, D. M. Dantas, P. H. R. S. Moraes, A. de Souza Dutra, C. A. S. Almeida",
                "2016-07-06T00:00:00Z",
                "hep-th",
            ),
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/arxiv-single.xml",
        1,
        {
            0: arxiv(
                "arxiv:1401.2122 doi:10.1007/s11005-017-1013-4",
                "New integrable (3+1)-dimensional systems and contact geometry",
                "A. Sergyeyev",
                "2014-01-09T00:00:00Z",
                "math.AP hep-th math-ph math.DG math.MP nlin.SI",
            )
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/sample_arxiv_record.xml",
        12,
        {
            0: arxiv("arxiv:1601.03238 doi:10.1103/physrevd.93.016005", *COHERENCE, "quant-ph gr-qc hep-th"),
            3: arxiv(
                "arxiv:1603.01251",
                "An Intermediate Water Cherenkov Detector at J-PARC",
                "Mark Scott for the NuPRISM, Hyper-K collaborations",
                "2016-03-03T00:00:00Z",
                "physics.ins-det hep-ex",
            ),
            5: PLANCK,
            7: arxiv(
                "arxiv:1606.07066",
                "Dark matter concentrations in galactic nuclei according to polytropicmodels",
                "Curtis J. Saxton, Ziri Younsi, Kinwah Wu",
                "2016-06-22T00:00:00Z",
                "astro-ph.GA astro-ph.CO astro-ph.HE gr-qc",
            ),
            11: arxiv(
                "arxiv:1808.04927",
                r"Measurements of $\pi^{\pm}$, $K^{\pm}$ and proton yields from the surface of the T2K replica target for"
                " incoming 31 GeV/c protons with the NA61/SHINE spectrometer at the CERN SPS",
                "N. Abgrall, A. Aduszkiewicz, E. D. Zimmerman, R. Zwaska, The T2K Beam Group, L. Berns, G. A. Fiorentini, M. Yu",
                "2018-08-14T00:00:00Z",
                "hep-ex nucl-ex chao-dyn",
            ),
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/sample_arxiv_record0.xml",
        1,
        {
            0: arxiv(
                "arxiv:1601.03238 doi:10.1103/physrevd.93.016005 doi:10.1103/physrevd.98.079901 doi:10.1103/physrevd.98.079903",
                *COHERENCE,
                "quant-ph gr-qc hep-th chao-dyn nlin.CD",
            )
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/sample_arxiv_record4.xml",
        1,
        {
            0: arxiv(
                "arxiv:1603.05976",
                "BICEP2 / Keck Array VII: Matrix based E/B Separation applied to BICEP2 and the Keck Array",
                BICEP_AUTHORS,
                "2016-03-18T00:00:00Z",
                "astro-ph.IM astro-ph.CO",
            )
        },
    ),
    (arxiv_oai.parse, "arxiv_oai/sample_arxiv_record5.xml", 1, {0: PLANCK}),
    (
        arxiv_oai.parse,
        "arxiv_oai/sample_arxiv_record6.xml",
        1,
        {
            0: arxiv(
                "arxiv:1606.06775",
                "The Evolution of Active Galactic Nuclei in Clusters of Galaxies from the Dark Energy Survey",
                "E. Bufanda, D. Hollowood, for the DES Collaboration",
                "2016-06-21T00:00:00Z",
                "astro-ph.HE astro-ph.GA",
            )
        },
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/sample_arxiv_record8.xml",
        1,
        {
            0: arxiv(
                "arxiv:1606.07538",
                "Solar Neutrino Measurements in Super-Kamiokande-IV",
                "Super-Kamiokande Collaboration, K. Abe, Y. Suzuki, M. R. Vagins, C. M. Nantais, J. F. Martin, P. de Perio",
                "2016-06-23T00:00:00Z",
                "hep-ex physics.ins-det",
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


NO_PAPERS: list[tuple[Parser, str, str]] = [
    (arxiv_rss.parse, "arxiv_rss/rss.arxiv.org_rss_cs.AI_2025-09-18_TRUNCATED.xml", "cut short"),
]


@pytest.mark.parametrize(("parser", "name", "reason"), NO_PAPERS, ids=[page[1].split("/")[1] for page in NO_PAPERS])
def test_what_holds_no_papers_is_refused_by_name(parser: Parser, name: str, reason: str) -> None:
    with pytest.raises(UnreadableAnswer, match=reason):
        read(parser, ANSWERS / name)


def test_every_file_with_papers_is_in_the_tables() -> None:
    there = {f"{folder}/{file.name}" for folder in FOLDERS for file in (ANSWERS / folder).iterdir()}
    assert there == {page[1] for page in (*PAGES, *NO_PAPERS)}


def test_what_else_they_say() -> None:
    announced = read(arxiv_rss.parse, ANSWERS / "arxiv_rss/rss.arxiv.org_atom_cs.AI_2025-08-20_excerpt.xml").sightings[5]
    assert announced.abstract == "We propose a neural architecture search method for efficient transformers."
    assert announced.published_at is None
    assert announced.version == 1
    contact = read(arxiv_oai.parse, ANSWERS / "arxiv_oai/arxiv-single.xml").sightings[0]
    assert (contact.venue, isoformat(contact.updated_at or SEEN)) == (
        "Lett. Math. Phys. 108 (2018), no. 2, 359-376",
        "2017-10-23T00:00:00Z",
    )
