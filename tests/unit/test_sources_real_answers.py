"""Real answers of every source → the papers in them. Each expectation was written from reading the file.

Of a long page: how many, and the first, a middle and the last. An arXiv link is built from the id, so it is spelled by `arxiv`.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from digest.domain.errors import UnreadableAnswer
from digest.domain.instant import isoformat
from digest.domain.paper import Sighting
from digest.sources import arxiv_atom, arxiv_oai, arxiv_rss, biorxiv, crossref, openalex, semantic_scholar
from digest.sources.port import Parsed, Parser
from tests.shared_data import SHARED, needs_shared

pytestmark = needs_shared
ANSWERS = SHARED / "data" / "api_responses"
SEEN = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """What a reader of the file sees of one paper. `date`: of publication, else of the announcement or the update."""

    ids: str
    title: str
    authors: tuple[str, ...]
    date: str
    categories: str
    links: tuple[str, str]


def arxiv(ids: str, title: str, authors: str, date: str, categories: str) -> Shown:
    key = ids.split()[0].removeprefix("arxiv:")
    links = f"https://arxiv.org/abs/{key}", f"https://arxiv.org/pdf/{key}"
    return Shown(ids, title, tuple(authors.split(", ")), date, categories, links)


def shown(s: Sighting) -> Shown:
    date = s.published_at or s.listed_at or s.updated_at
    ids, categories = (
        " ".join(map(str, s.identifiers)),
        "|".join(s.categories) if " " in "".join(s.categories) else " ".join(s.categories),
    )
    return Shown(ids, s.title, s.authors, isoformat(date) if date else "", categories, (s.url, s.pdf_url))


def read(parser: Parser, name: str) -> Parsed:
    data = (ANSWERS / name).read_bytes()
    return parser(gzip.decompress(data) if name.endswith(".gz") else data, source="table", seen_at=SEEN)


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
AEW10_AUTHORS = (
    "Kees A. Schouhamer Immink, Stan Baggen, Ferdaous Chaabane, Yanling Chen, Peter H. N. de With, Hela Gassara, Hamed Gharbi,"
    " Adel Ghazel, Khaled Grati, Naira M. Grigoryan, Ashot Harutyunyan, Masayuki Imanishi, Mitsugu Iwamoto, Ken-ichi Iwata,"
    " Hiroshi Kamabe, Brian M. Kurkoski, Shigeaki Kuzuoka, Patrick Langenhuizen, Jan Lewandowsky, Akiko Manada, Shigeki Miyake,"
    " Hiroyoshi Morita, Jun Muramatsu, Safa Najjar, Arnak V. Poghosyan, Fatma Rouissi, Yuta Sakai, Ulrich Tamm,"
    " Joost van der Putten, Fons van der Sommen, A. J. Han Vinck, Tadashi Wadayama, Dirk Wübben, Hirosuke Yamamoto"
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

SEARCHERS = ("J. Zhang", "X. Zhu", "Z. Ma", "S. Wang", "Y. Wang", "H. Esteky", "Y. Tian", "R. Desimone", "S. Wang", "H. Zhou")
HEATERS = (
    "Kento Suzuki, Shun Enomoto, Norio Higashi, Masahisa Iida, Yukiko Ikemoto, Hiroshi Kawamata, Nobuhiro Kimura,"
    " Tatsushi Nakamoto, Tor Ogits, H. Ohata, Naoki Okada, Ryutaro Okada, Michinaka Sugano, Andrea Musso, Ezio Todesco"
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
                r"Paulo Andr\'e Lima de Castro",
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
    parsed = read(parser, name)
    assert len(parsed.sightings) == count
    assert not parsed.rejected
    assert {position: shown(parsed.sightings[position]) for position in papers} == papers


NO_PAPERS = [
    (arxiv_atom.parse, "arxiv_api/id_abc_s0_m100_b79c8dcf6bc3.http400.xml", "incorrect id format for abc"),
    (arxiv_rss.parse, "arxiv_rss/rss.arxiv.org_rss_cs.AI_2025-09-18_TRUNCATED.xml", "cut short"),
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
        read(parser, name)


def test_a_paper_without_a_title_is_a_named_rejection() -> None:
    parsed = read(semantic_scholar.parse, "semanticscholar/PaperWithNullValues.json")
    assert [(r.where, r.reason) for r in parsed.rejected] == [("row 1", "title: is missing")]
    assert not parsed.sightings


def test_every_file_with_papers_is_in_the_tables() -> None:
    folders = ("arxiv_api", "arxiv_oai", "arxiv_rss", "biorxiv", "crossref", "openalex", "semanticscholar")
    there = {f"{folder}/{file.name}" for folder in folders for file in (ANSWERS / folder).iterdir() if file.suffix != ".yaml"}
    seen = {page[1] for page in (*PAGES, *NO_PAPERS)} | {"semanticscholar/PaperWithNullValues.json"}
    # One more of each kind that holds no papers
    assert there - seen <= {"openalex/sources_0.json", "openalex/topics_0.json"}
    recorded = {file.stem for file in (ANSWERS / "semanticscholar").glob("*.yaml")}
    assert recorded == {cassette.name for cassette in CASSETTES}


def test_what_else_they_say() -> None:
    turing = read(semantic_scholar.parse, "semanticscholar/Paper.json.gz").sightings[0]
    assert turing.summary is not None
    assert turing.summary.provenance == "semantic scholar"
    assert turing.summary.text.startswith("If the meaning of the words “machine” and “think” are to be found")
    assert turing.venue == "Mind"
    assert next((s.kind, s.value, s.observed_at) for s in turing.signals) == ("citations", 10059.0, SEEN)

    thesis = read(openalex.parse, "openalex/work_thesis_inline.json").sightings[0]
    assert thesis.abstract == "The Huronian Supergroup, The early one"
    ligands = read(openalex.parse, "openalex/works_1.json")
    assert ligands.undated
    assert (
        ligands.sightings[0].abstract
        == "A new prospective approach for PET imaging of 5-HT<sub>7</sub>by a small molecule ligand."
    )
    assert ligands.sightings[0].venue == "RSC Advances"
    assert ligands.sightings[0].signals[0].value == 10

    multiple = read(arxiv_atom.parse, "arxiv_api/q_testing_s0_m10_bc5a6c384fe9.http200.xml").sightings[0]
    assert multiple.comment == "Artificial Intelligence in Software Testing 2022 workshop @ ICST 2022"
    assert multiple.venue.startswith("Artificial Intelligence in Software Testing @ 2022 IEEE")
    assert multiple.version == 1
    versions = read(arxiv_atom.parse, "arxiv_api/q_testing_s20_m10_348a237fecab.http200.xml").sightings
    assert (versions[5].version, isoformat(versions[5].updated_at or SEEN)) == (9, "2025-05-08T20:52:40Z")

    announced = read(arxiv_rss.parse, "arxiv_rss/rss.arxiv.org_atom_cs.AI_2025-08-20_excerpt.xml").sightings[5]
    assert announced.abstract == "We propose a neural architecture search method for efficient transformers."
    assert announced.published_at is None
    assert announced.version == 1
    contact = read(arxiv_oai.parse, "arxiv_oai/arxiv-single.xml").sightings[0]
    assert (contact.venue, isoformat(contact.updated_at or SEEN)) == (
        "Lett. Math. Phys. 108 (2018), no. 2, 359-376",
        "2017-10-23T00:00:00Z",
    )
    preprint = read(biorxiv.parse, "biorxiv/details_v5_funder_2026-04-08.json").sightings[0]
    assert (preprint.version, preprint.published_at) == (5, None)


@dataclass(frozen=True)
class Cassette:
    """A recorded exchange with Semantic Scholar. `counts`: (papers, readings, rejected) of each answer.

    `papers`: (answer, position) → the first characters of the paper's id, and its title or its citations.
    """

    name: str
    counts: tuple[tuple[int, int, int], ...] = ()
    papers: tuple[tuple[int, int, str, str | int], ...] = ()
    refusal: str = ""


ALL = (100, 0, 0)
CASSETTES = [
    Cassette("test_bad_query_parameters", refusal=r"Unrecognized or unsupported fields: \[unknown\]"),
    Cassette("test_debug", refusal="Forbidden"),
    Cassette("test_get_author", refusal="an author"),
    Cassette("test_get_dataset_diffs", refusal="a data set"),
    Cassette("test_get_dataset_download_links", refusal="a data set"),
    Cassette("test_get_release", refusal="a release"),
    Cassette("test_get_recommended_papers_from_lists_negative_only", refusal="Semantic Scholar says"),
    Cassette("test_get_authors_not_found_warning", ((0, 0, 4),)),
    Cassette("test_get_authors_return_not_found", ((0, 0, 4),)),
    Cassette(
        "test_get_author_papers",
        (ALL,) * 8 + ((75, 0, 0),),
        (
            (0, 0, "01063e45", "SARS-CoV-2 hijacks p38β/MAPK11 to promote virus replication"),
            (0, 50, "ece822a6", "The AACR Journals: Advancing Progress Toward the AACR's 115-Year Mission."),
            (0, 99, "d0a142a7", "Limited Environmental Serine Confers Sensitivity to PHGDH Inhibition in Brain Metastasis"),
            (8, 0, "420e719f", "Cell and molecular physiology. Modulation of membrane transport systems"),
            (8, 37, "3198c7f9", "Role of Na+ andCa2+ Fluxes in Terminal Differentiation of Murine Erythroleukemia Cells"),
        ),
    ),
    Cassette(
        "test_get_paper_sync_from_running_loop", ((1, 0, 0),), ((0, 0, "2d5673ca", "Computing Machinery and Intelligence"),)
    ),
    Cassette("test_get_papers", ((0, 0, 3),)),
    *(
        Cassette(
            name,
            ((3, 0, 1),),
            (
                (0, 0, "c31c87c5", "How Much Should We Trust Differences-in-Differences Estimates?"),
                (0, 1, "cb1ebd91", "The Miracle of Microfinance? Evidence from a Randomized Evaluation"),
            ),
        )
        for name in ("test_get_papers_not_found_warning", "test_get_papers_return_not_found")
    ),
    Cassette(
        "test_get_recommended_papers",
        (ALL,),
        (
            (
                0,
                0,
                "3e9bc879",
                "Report shows slight improvement on grantmaker diversity, but compensation lagging behind inflation",
            ),
            (0, 50, "d95c8844", "Major Themes in Economics Major Themes in Economics"),
            (0, 99, "1ee12e48", "The Multiracial Complication: The 2020 Census and the Fictitious Multiracial Boom"),
        ),
    ),
    Cassette(
        "test_get_recommended_papers_from_lists_positive_only",
        (ALL,),
        (
            (0, 0, "e2caadf0", "All-Hops Shortest Paths"),
            (0, 50, "55657b84", "Graph Theoretical Approach for Path Selection in Logistic Problems"),
            (0, 99, "e3482e0a", "A note on transformations of edge colorings of chordless graphs and triangle-free graphs"),
        ),
    ),
    Cassette("test_get_recommended_papers_pool_from", (ALL,), ((0, 50, "612a3b40", "ScholarWorks SJSU ScholarWorks"),)),
    Cassette(
        "test_search_paper_bulk_retrieval_next_page",
        ((1000, 0, 0), (1000, 0, 0)),
        (
            (0, 0, "0018ce3d", "Kubernetes Cluster for Automating Software Production Environment"),
            (
                0,
                500,
                "3102853b",
                "GAMMA: Graph Neural Network-Based Multi-Bottleneck Localization for Microservices Applications",
            ),
            (0, 999, "5e507b02", "RARE: a labeled dataset for cloud-native memory anomalies"),
            (1, 0, "5e620a3f", "Monitoring Container Services at the Network Edge"),
            (1, 999, "bd9b0d43", "Simplifying Scientific Application Access in Kubernetes with Push Button Deployments"),
        ),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_sorted_results_asc",
        ((0, 1000, 0), (0, 1000, 0), (0, 1000, 0), (0, 27, 0)),
        ((0, 0, "0020825b", 0), (3, 0, "ef3ce773", 80), (3, 13, "e438206e", 128), (3, 26, "f125b540", 947)),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_sorted_results_default_order",
        ((0, 1000, 0), (0, 1000, 0), (0, 674, 0)),
        ((0, 500, "70f99272", 0), (2, 0, "5f0c0a50", 5), (2, 337, "e43b51ca", 11), (2, 673, "f125b540", 922)),
    ),
    Cassette(
        "test_search_paper_bulk_retrieval_traversing_results",
        ((1000, 0, 0), (1000, 0, 0), (674, 0, 0)),
        (
            (2, 0, "bda0e7ae", "Mastering Service Mesh"),
            (
                2,
                337,
                "de4deb99",
                "A Mutual Information–Based Infrastructureless Radio Frequency Positioning System via Deep Learning",
            ),
            (2, 673, "ffe13ebe", "Bachelor Degree Project"),
        ),
    ),
    Cassette("test_search_paper_fields_of_study", ((0, 0, 100),)),
    Cassette(
        "test_search_paper_match_title",
        ((1, 0, 0),),
        ((0, 0, "6fe8c5bf", "Mining association rules between sets of items in large databases"),),
    ),
    Cassette(
        "test_search_paper_min_citation_count",
        ((0, 70, 0),),
        ((0, 0, "6b0f0661", 4340), (0, 35, "2518002f", 1127), (0, 69, "953819e4", 1022)),
    ),
    Cassette(
        "test_search_paper_next_page",
        (ALL, ALL),
        (
            (0, 50, "c9d7afd6", "Reinforcement Learning Neural Turing Machines"),
            (1, 0, "ac7a3d29", "How to Run Turing Machines on Encrypted Data"),
            (1, 99, "f2acd4ed", "An Experimental Design Method Leading to Chemical Turing Patterns"),
        ),
    ),
    Cassette("test_search_paper_open_access_pdf", ((0, 0, 100),)),
    Cassette(
        "test_search_paper_publication_date_or_year",
        ((77, 0, 0), (79, 0, 0), *(ALL,) * 7),
        (
            (
                0,
                0,
                "d4d0f5e2",
                "Lady Lovelace’s Objection: The Turing–Hartree Disputes Over the Meaning of Digital Computers, 1946–1951",
            ),
            (8, 50, "9b4dbfff", "Alan Turing"),
            (
                8,
                99,
                "e007587c",
                "Turing Instability and Pattern Formation for the Lengyel–Epstein System with Nonlinear Diffusion",
            ),
        ),
    ),
    Cassette("test_search_paper_publication_types", ((0, 0, 100), (0, 0, 100))),
    Cassette(
        "test_search_paper_sync_from_running_loop",
        (ALL,),
        (
            (0, 0, "66e35007", "Large Language Models Pass the Turing Test"),
            (0, 99, "01dde819", "Towards a Historical Notion of ‘Turing—the Father of Computer Science’"),
        ),
    ),
    Cassette(
        "test_search_paper_traversing_results",
        ((89, 0, 0),),
        (
            (0, 0, "169a66a0", "Near-optimal sublinear time algorithms for Ulam distance"),
            (0, 44, "109cc4ba", "Bit-Parallel Witnesses and Their Applications to Approximate String Matching"),
        ),
    ),
    Cassette(
        "test_search_paper_with_relevance_and_sort",
        (ALL,),
        (
            (0, 0, "61020665", "Security Misconfigurations in Open Source Kubernetes Manifests: An Empirical Study"),
            (0, 99, "a8da6903", "Enhancing CNF performance for 5G core network using SR-IOV in Kubernetes"),
        ),
    ),
    Cassette("test_search_paper_year_range", ((0, 0, 47),)),
]


def bodies(name: str) -> list[bytes]:
    recorded: list[dict[str, Any]] = [
        exchange["response"]
        for exchange in yaml.safe_load((ANSWERS / f"semanticscholar/{name}.yaml").read_text())["interactions"]
    ]
    return [str(answer.get("content") or answer["body"]["string"]).encode() for answer in recorded]


@pytest.mark.parametrize("cassette", CASSETTES, ids=lambda cassette: cassette.name)
def test_recorded_exchanges_with_semantic_scholar(cassette: Cassette) -> None:
    answers = bodies(cassette.name)
    if cassette.refusal:
        for body in answers:
            with pytest.raises(UnreadableAnswer, match=cassette.refusal):
                semantic_scholar.parse(body, source="table", seen_at=SEEN)
        return
    parsed = [semantic_scholar.parse(body, source="table", seen_at=SEEN) for body in answers]
    assert tuple((len(p.sightings), len(p.readings), len(p.rejected)) for p in parsed) == cassette.counts
    for answer, position, key, told in cassette.papers:
        if isinstance(told, str):
            sighting = parsed[answer].sightings[position]
            assert (sighting.identifiers[-1].value[:8], sighting.title) == (key, told)
        else:
            reading = parsed[answer].readings[position]
            assert (reading.identifier.value[:8], reading.signal.value, reading.signal.kind) == (key, told, "citations")


def test_the_reasons_why_recorded_rows_are_no_papers() -> None:
    unknown = semantic_scholar.parse(bodies("test_get_papers_not_found_warning")[0], source="table", seen_at=SEEN)
    assert [(r.where, r.reason) for r in unknown.rejected] == [("row 1", "paper: not known to Semantic Scholar")]
    people = semantic_scholar.parse(bodies("test_get_authors_not_found_warning")[0], source="table", seen_at=SEEN)
    assert {r.reason for r in people.rejected} == {"paper: not known to Semantic Scholar", "paper: is an author"}


def test_the_metered_answer_within_its_wrapping_has_a_work_without_a_title() -> None:
    body = json.loads((ANSWERS / "openalex/meter_headers_2026-09.json").read_text())["body"]
    parsed = openalex.parse(json.dumps(body).encode(), source="table", seen_at=SEEN)
    assert [(r.where, r.reason) for r in parsed.rejected] == [("row 1", "title: is missing")]
