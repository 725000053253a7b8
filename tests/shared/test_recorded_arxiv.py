"""Recorded answers of arXiv's API and OAI-PMH, and its announcements in RSS and Atom → the papers in them.

Each expectation was written from reading the file. Of a long page: how many, and the first, a middle and the last.
"""

from __future__ import annotations

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.domain.instant import isoformat
from digest.sources import arxiv_atom, arxiv_oai, arxiv_rss
from digest.sources.port import Parser
from tests.answers import SEEN, Shown, arxiv, read, shown
from tests.shared_data import SHARED

ANSWERS = SHARED / "data" / "api_responses"

FOLDERS = ("arxiv_api", "arxiv_oai", "arxiv_rss")
MULTIPLE = arxiv(
    "arxiv:2202.12139 doi:10.1109/icstw55395.2022.00035",
    "Testing Deep Learning Models: A First Comparative Study of Multiple Testing Techniques",
    "Mohit Kumar Ahuja, Arnaud Gotlieb, Helge Spieker",
    "2022-02-24T15:05:19Z",
    "cs.SE cs.LG",
)
GUI = arxiv(
    "arxiv:1202.4527",
    "Study Paper on Test Case generation for GUI Based Testing",
    "A. Isabella, Emi Retna",
    "2012-02-21T05:12:13Z",
    "cs.SE",
)
MOBILE = arxiv(
    "arxiv:1812.11470",
    "A Systematic Literature Review of Automated Techniques for Functional GUI Testing of Mobile Applications",
    "Yauhen Leanidavich Arnatovich, Lipo Wang",
    "2018-12-30T04:50:20Z",
    "cs.SE",
)
DATAMORPHIC = arxiv(
    "arxiv:1912.04900",
    "Datamorphic Testing: A Methodology for Testing AI Applications",
    "Hong Zhu, Dongmei Liu, Ian Bayley, Rachel Harrison, Fabio Cuzzolin",
    "2019-12-10T13:26:53Z",
    "cs.SE cs.AI",
)
HYPOTHESIS = arxiv(
    "arxiv:2403.16981",
    "The Sample Complexity of Simple Binary Hypothesis Testing",
    "Ankit Pensia, Varun Jog, Po-Ling Loh",
    "2024-03-25T17:42:32Z",
    "math.ST cs.IT stat.ML",
)
SCRATCH = arxiv(  # the file holds "GÃ¶tz", encoded twice
    "arxiv:2202.06271",
    "Model-based Testing of Scratch Programs",
    "Katharina Götz, Patric Feldmeier, Gordon Fraser",
    "2022-02-13T09:42:13Z",
    "cs.SE",
)
AEW10_AUTHORS = (
    "Kees A. Schouhamer Immink, Stan Baggen, Ferdaous Chaabane, Yanling Chen, Peter H. N. de With, Hela Gassara, Hamed Gharbi,"
    " Adel Ghazel, Khaled Grati, Naira M. Grigoryan, Ashot Harutyunyan, Masayuki Imanishi, Mitsugu Iwamoto, Ken-ichi Iwata,"
    " Hiroshi Kamabe, Brian M. Kurkoski, Shigeaki Kuzuoka, Patrick Langenhuizen, Jan Lewandowsky, Akiko Manada, Shigeki Miyake,"
    " Hiroyoshi Morita, Jun Muramatsu, Safa Najjar, Arnak V. Poghosyan, Fatma Rouissi, Yuta Sakai, Ulrich Tamm,"
    " Joost van der Putten, Fons van der Sommen, A. J. Han Vinck, Tadashi Wadayama, Dirk Wübben, Hirosuke Yamamoto"
)
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
        arxiv_atom.parse,
        "arxiv_api/id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af.http200.xml",
        1,
        {
            0: arxiv(
                "arxiv:1707.08567",
                "Proceedings of Workshop AEW10: Concepts in Information Theory and Communications",
                AEW10_AUTHORS,
                "2017-07-27T08:18:33Z",
                "cs.IT",
            )
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/id_2104.12255v1_s0_m100_6ae69987ffe1.http200.xml",
        1,
        {0: arxiv("arxiv:2104.12255", "0", "Quan Thoi Minh Nguyen", "2021-04-20T16:07:14Z", "cs.CR")},
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/id_quant-ph_0201082v1_s0_m100_86989fe779ef.http200.xml",
        1,
        {
            0: arxiv(
                "arxiv:quant-ph/0201082",
                "Quantum Computers and Quantum Computer Languages: Quantum Assembly Language and Quantum C Language",
                "Stephen Blaha",
                "2002-01-18T15:08:05Z",
                "quant-ph cs.PL",
            )
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s0_m100_cfe7536492ca.http200.xml",
        100,
        {
            0: MULTIPLE,
            50: arxiv(
                "arxiv:1709.03221 doi:10.1145/3106237.3106277",
                "Fairness Testing: Testing Software for Discrimination",
                "Sainyam Galhotra, Yuriy Brun, Alexandra Meliou",
                "2017-09-11T02:45:22Z",
                "cs.SE cs.AI cs.CY cs.DB cs.LG",
            ),
            99: arxiv(
                "arxiv:gr-qc/0103067 doi:10.1007/3-540-40988-2_10",
                "Principles of Equivalence: Their Role in Gravitation Physics and Experiments that Test Them",
                "Mark P. Haugan, C. Lämmerzahl",
                "2001-03-17T21:54:18Z",
                "gr-qc",
            ),
        },
    ),
    (arxiv_atom.parse, "arxiv_api/q_testing_s0_m10_bc5a6c384fe9.http200.xml", 10, {0: MULTIPLE, 5: GUI, 9: MOBILE}),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s0_m15_80c242b59d59.http200.xml",
        15,
        {
            0: MULTIPLE,
            7: arxiv(
                "arxiv:1205.1866 doi:10.5121/vlsic.2012.3205",
                "Microcontroller Based Testing of Digital IP-Core",
                "Amandeep Singh, Balwinder Singh",
                "2012-05-09T04:15:39Z",
                "cs.AR",
            ),
            14: DATAMORPHIC,
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s10_m10_34e56e15aaac.http200.xml",
        10,
        {
            0: HYPOTHESIS,
            5: arxiv(
                "arxiv:2301.05651",
                "Mutation Testing of Deep Reinforcement Learning Based on Real Faults",
                "Florian Tambon, Vahid Majdinasab, Amin Nikanjam, Foutse Khomh, Giuliano Antonio",
                "2023-01-13T16:45:56Z",
                "cs.LG cs.SE",
            ),
            9: SCRATCH,
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s20_m10_348a237fecab.http200.xml",
        10,
        {
            0: arxiv(
                "arxiv:2008.01944",
                "Optimal Pooling Matrix Design for Group Testing with Dilution (Row Degree) Constraints",
                "Jirong Yi, Myung Cho, Xiaodong Wu, Raghu Mudumbai, Weiyu Xu",
                "2020-08-05T05:32:21Z",
                "q-bio.QM cs.IT eess.SP stat.AP",
            ),
            5: arxiv(
                "arxiv:2409.05654",
                "Continuous Testing: Unifying Tests and E-values",
                "Nick W. Koning",
                "2024-09-09T14:21:19Z",
                "math.ST",
            ),
            9: arxiv(  # "WeiÃ\x9fl" in the file
                "arxiv:2602.15552",
                "Latent Regularization in Generative Test Input Generation",
                "Giorgi Merabishvili, Oliver Weißl, Andrea Stocco",
                "2026-02-17T12:57:17Z",
                "cs.SE cs.LG",
            ),
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s30_m10_f2e39f0143dc.http200.xml",
        10,
        {
            0: arxiv(
                "arxiv:2101.12036",
                "PatrIoT: IoT Automated Interoperability and Integration Testing Framework",
                "Miroslav Bures, Bestoun S. Ahmed, Vaclav Rechtberger, Matej Klima, Michal Trnka, Miroslav Jaros,"
                " Xavier Bellekens, Dani Almog, Pavel Herout",
                "2021-01-27T12:42:45Z",
                "cs.SE cs.NI",
            ),
            5: arxiv(
                "arxiv:2312.06056",
                "METAL: Metamorphic Testing Framework for Analyzing Large-Language Model Qualities",
                "Sangwon Hyun, Mingyu Guo, M. Ali Babar",
                "2023-12-11T01:29:19Z",
                "cs.SE cs.AI cs.CL",
            ),
            9: arxiv(
                "arxiv:2501.09657",
                "On the Energy Consumption of Test Generation",
                "Fitsum Kifetew, Davide Prandi, Angelo Susi",
                "2025-01-16T16:52:55Z",
                "cs.SE",
            ),
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s40_m10_96dd32eb854c.http200.xml",
        10,
        {
            0: arxiv(
                "arxiv:1704.08347",
                "Hypothesis Testing under Mutual Information Privacy Constraints in the High Privacy Regime",
                "Jiachun Liao, Lalitha Sankar, Vincent Y. F. Tan, Flavio P. Calmon",
                "2017-04-26T20:48:58Z",
                "cs.IT",
            ),
            5: arxiv(
                "arxiv:2507.10541",
                "REST: Stress Testing Large Reasoning Models by Asking Multiple Problems at Once",
                "Zhuoshi Pan, Qizhi Pei, Yu Li, Qiyao Sun, Zinan Tang, H. Vicky Zhao, Conghui He, Lijun Wu",
                "2025-07-14T17:58:47Z",
                "cs.CL",
            ),
            9: arxiv(
                "arxiv:2107.07364",
                "SilGAN: Generating driving maneuvers for scenario-based software-in-the-loop testing",
                "Dhasarathy Parthasarathy, Anton Johansson",
                "2021-07-05T07:17:49Z",
                "cs.SE cs.LG",
            ),
        },
    ),
    (arxiv_atom.parse, "arxiv_api/q_testing_s5_m10_c0e94a259d4a.http200.xml", 10, {0: GUI, 5: HYPOTHESIS, 9: DATAMORPHIC}),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s5_m15_bbcf6b23085b.http200.xml",
        15,
        {
            0: GUI,
            7: arxiv(
                "arxiv:1912.09881",
                "Morphy: A Datamorphic Software Test Automation Tool",
                "Hong Zhu, Ian Bayley, Dongmei Liu, Xiaoyu Zheng",
                "2019-12-20T15:28:25Z",
                "cs.SE cs.AI",
            ),
            14: SCRATCH,
        },
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/q_testing_s9_m15_0b78d4b4d476.http200.xml",
        15,
        {
            0: MOBILE,
            7: arxiv(
                "arxiv:1605.01097",
                "Reliability Testing Strategy - Reliability in Software Engineering",
                "Kevin Taylor-Sakyi",
                "2016-05-03T21:33:11Z",
                "cs.SE",
            ),
            14: arxiv(
                "arxiv:1908.03707",
                "Mutation Testing for Ethereum Smart Contract",
                "Haoran Wu, Xingya Wang, Jiehui Xu, Weiqin Zou, Lingming Zhang, Zhenyu Chen",
                "2019-08-10T07:50:33Z",
                "cs.SE",
            ),
        },
    ),
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
    (arxiv_atom.parse, "arxiv_api/id_abc_s0_m100_b79c8dcf6bc3.http400.xml", "incorrect id format for abc"),
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
    multiple = read(arxiv_atom.parse, ANSWERS / "arxiv_api/q_testing_s0_m10_bc5a6c384fe9.http200.xml").sightings[0]
    assert multiple.comment == "Artificial Intelligence in Software Testing 2022 workshop @ ICST 2022"
    assert multiple.venue.startswith("Artificial Intelligence in Software Testing @ 2022 IEEE")
    assert multiple.version == 1
    versions = read(arxiv_atom.parse, ANSWERS / "arxiv_api/q_testing_s20_m10_348a237fecab.http200.xml").sightings
    assert (versions[5].version, isoformat(versions[5].updated_at or SEEN)) == (9, "2025-05-08T20:52:40Z")
    announced = read(arxiv_rss.parse, ANSWERS / "arxiv_rss/rss.arxiv.org_atom_cs.AI_2025-08-20_excerpt.xml").sightings[5]
    assert announced.abstract == "We propose a neural architecture search method for efficient transformers."
    assert announced.published_at is None
    assert announced.version == 1
    contact = read(arxiv_oai.parse, ANSWERS / "arxiv_oai/arxiv-single.xml").sightings[0]
    assert (contact.venue, isoformat(contact.updated_at or SEEN)) == (
        "Lett. Math. Phys. 108 (2018), no. 2, 359-376",
        "2017-10-23T00:00:00Z",
    )
