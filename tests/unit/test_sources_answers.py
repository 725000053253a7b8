"""One answer of each kind that a source gives, in a file of our own making → the papers in it."""

from __future__ import annotations

from digest.sources import (
    arxiv_atom,
    arxiv_oai,
    arxiv_rss,
    bibtex,
    biorxiv,
    crossref,
    csl_json,
    huggingface,
    jsonl,
    openalex,
    seed_page,
    semantic_scholar,
)
from digest.sources.port import Parser
from tests.answers import FIXTURES, Shown, arxiv, read, shown
from tests.tables import every_row

SCHOLAR = "https://www.semanticscholar.org/paper/"
NAMELESS = "identifier 'nothing': should be like arxiv:2510.19278, doi:10.1101/2020.01.01 or source:key"
FERRIES = arxiv(
    "arxiv:2603.91001",
    "Ferries That Wait: Scheduling under Polite Uncertainty",
    "Ada Ferrimount; Noé d'Aubrac; J. Pollack Jr.",
    "2026-03-11T04:00:00Z",
    "cs.AI math.OC",
)
ROPES = arxiv("arxiv:2512.91003", "Rope Theory for Knot Theorists", "Wen Liang-Aske", "2026-03-11T04:00:00Z", "math.GT")
ALMANAC, AFTER = "reference:52d4a432d5e1830182c4ca4dc8d5c6fb", "reference:01db45f8ba8333a64b2206703e976263"
LIGHTHOUSES = "Counting Lighthouses from Orbit: A Benchmark of Patient Segmentation"

PAPERS: list[tuple[Parser, str, list[Shown], list[str]]] = [
    # parser, file, what a person sees in it, what is rejected and why
    (
        arxiv_atom.parse,
        "arxiv_api/search.xml",
        [
            arxiv("arxiv:2603.90001 doi:10.5555/patient.2026.00035", LIGHTHOUSES, "Mira Oduya-Lind; Tomas Halvorsgaard",
                  "2026-03-02T15:05:19Z", "cs.CV cs.LG"),
            arxiv("arxiv:2603.90002", "Fog as a Regulariser, or Why the Harbour Model Overfits in Sunshine",
                  "Jürgen Weißl; Inés Quarrie", "2025-01-13T16:45:56Z", "cs.LG"),
            arxiv("arxiv:hep-th/9999001 doi:10.5555/beacon.1 doi:10.5555/beacon.1-erratum",
                  r"Beacons at $\mathcal{O}(n^2)$: the Abelian case", "The NIGHT WATCH Collaboration; R. Ó Braonáin",
                  "1999-12-18T15:08:05Z", "hep-th math-ph"),
            arxiv("arxiv:2603.90004", "A Lamp That Was Never Lit", "Jun Takamori-Bell", "2026-03-01T09:00:00Z", "astro-ph.IM"),
            arxiv("arxiv:2603.90005", "7", "Priya Vellankova", "2026-03-06T00:00:00Z", "math.NT"),
        ],
        ["entry 6 (urn:example:not-a-paper): id 'urn:example:not-a-paper': is no arXiv id; should be like 2510.19278v1"],
    ),
    (
        arxiv_atom.parse,
        "arxiv_api/error-among-papers.xml",
        [arxiv("arxiv:2603.90001", LIGHTHOUSES, "Mira Oduya-Lind", "2026-03-02T15:05:19Z", "cs.CV")],
        ["entry 2 (https://arxiv.org/api/errors#incorrect_id_format_for_lighthouse): arXiv: incorrect id format for lighthouse"],
    ),
    (
        arxiv_rss.parse,
        "arxiv_rss/announcement.xml",
        [
            FERRIES,
            arxiv("arxiv:2603.91002", "Tide Tables for Language Models", "Paulo André Ribeirinho", "2026-03-11T04:00:00Z",
                  "cs.CL cs.AI"),
            ROPES,
            arxiv("arxiv:2603.91004", "An Older Item, Known by Its Link Alone", "", "", ""),
        ],
        [f"item 5 (without link): {NAMELESS}"],
    ),
    (arxiv_rss.parse, "arxiv_rss/announcement-atom.xml", [FERRIES, ROPES], []),
    (arxiv_rss.parse, "arxiv_rss/no-papers.xml", [], []),
    (
        arxiv_oai.parse,
        "arxiv_oai/list-records.xml",
        [
            arxiv("arxiv:2603.92001 doi:10.5555/bells.92001 doi:10.5555/bells.92001e",
                  "A Grammar of Bells: Parsing What Buoys Say", "Mira Oduya-Lind; John Pollack Jr; The Harbour Collaboration",
                  "2026-03-09T00:00:00Z", "cs.CL cs.AI eess.AS"),
            arxiv("arxiv:hep-ph/9999042", "Old Waves, Touched Again", "Paulo Ribeirinho", "1999-12-01T00:00:00Z", "hep-ph"),
        ],
        ["record 4 (oai:arXiv.org:2603.92004): record: has no <arXiv> metadata; should be asked for with metadataPrefix=arXiv"],
    ),
    (
        arxiv_oai.parse,
        "arxiv_oai/get-record.xml",
        [arxiv("arxiv:2603.92005", "The Star That Was Taken for a Lamp", "Jun Takamori-Bell", "2026-03-11T00:00:00Z",
               "astro-ph.SR astro-ph.IM")],
        [],
    ),
    (arxiv_oai.parse, "arxiv_oai/no-records.xml", [], []),
    (
        huggingface.parse,
        "hugging_face/2026-04-20.json",
        [
            Shown("arxiv:2604.93004", "On the Bias of Foghorns", ("Priya Vellankova",), "2026-04-17T00:00:00Z", "",
                  ("https://huggingface.co/papers/2604.93004", "https://arxiv.org/pdf/2604.93004")),
            Shown("arxiv:2604.93005", "A Buoy That Was Taken In", (), "2026-04-18T00:00:00Z", "",
                  ("https://huggingface.co/papers/2604.93005", "https://arxiv.org/pdf/2604.93005")),
        ],
        ["row 3: id: 'blog/foghorns' should be an arXiv id like 2510.19278"],
    ),
    (
        biorxiv.parse,
        "biorxiv/details.json",
        [
            Shown("doi:10.64898/2026.03.10.900001", "Sound-shape Correspondences in Harbour Seals",
                  ("M. Loconda", "C. Xu-Larsen", "E. Garcia-Peregrin"), "2026-03-10T00:00:00Z", "animal behavior and cognition",
                  ("https://www.biorxiv.org/content/10.64898/2026.03.10.900001v1",
                   "https://www.biorxiv.org/content/10.64898/2026.03.10.900001v1.full.pdf")),
            Shown("doi:10.1101/2021.11.22.900002 doi:10.5555/elsewhere.900002",
                  "Computations in the Peripheral Harbour during Active Search", ("J. Zhangova",), "2026-03-09T00:00:00Z", "",
                  ("https://www.medrxiv.org/content/10.1101/2021.11.22.900002v5",
                   "https://www.medrxiv.org/content/10.1101/2021.11.22.900002v5.full.pdf")),
            Shown("doi:10.1101/2026.03.01.900003", "WITHDRAWN: Gulls Remember Faces", ("A. Naka-Horn", "The Gull Consortium"),
                  "2026-03-10T00:00:00Z", "neuroscience",
                  ("https://www.biorxiv.org/content/10.1101/2026.03.01.900003v2",
                   "https://www.biorxiv.org/content/10.1101/2026.03.01.900003v2.full.pdf")),
        ],
        ["row 4: doi: 'NA' should be like 10.1101/2021.11.22.469359", "row 5: title: is missing"],
    ),
    (biorxiv.parse, "biorxiv/no-posts.json", [], []),
    (
        crossref.parse,
        "crossref/work.json",
        [
            Shown("doi:10.5555/machines.96001 arxiv:2601.96001", "Perturbative Renormalization of Drawbridges",
                  ("Mikel I. Buchhafen", "Lena van der Zee II", "The Drawbridge Group"), "2026-01-11T00:00:00Z",
                  "Bridges|Condensed Matter Physics",
                  ("https://doi.org/10.5555/machines.96001", "http://journal.example.org/96001.pdf")),
        ],
        [],
    ),
    (
        crossref.parse,
        "crossref/works.json",
        [
            Shown("arxiv:2601.96002", "A Preprint Deposited by Its Archive", (), "2026-01-20T00:00:00Z", "",
                  ("https://arxiv.org/abs/2601.96002", "")),
            Shown("doi:10.5555/chapter.011", "Testing Deflation", ("Chris Smeeton",), "2026-02-01T00:00:00Z", "",
                  ("https://doi.org/10.5555/chapter.011", "")),
            Shown("doi:10.5555/undated", "A Chapter without a Date", (), "", "", ("https://doi.org/10.5555/undated", "")),
        ],
        ["row 3: title: is missing", "row 4: DOI: 'none' should be like 10.1103/physrevd.93.016005"],
    ),
    (
        openalex.parse,
        "openalex/page.json",
        [
            Shown("arxiv:2602.95001 doi:10.5555/bells.95001 openalex:W9000000001",
                  "Design and Evaluation of Small Bells for Quiet Harbours", ("Anjali K. Belltower", "Yuki Shimokawa-Lee"),
                  "2026-02-04T00:00:00Z", "Physics and Astronomy|Engineering",
                  ("https://doi.org/10.5555/bells.95001", "https://journal.example.org/95001.pdf")),
            Shown("openalex:W9000000002", "등대 안정도 측정", ("이등대",), "2026-01-01T00:00:00Z", "",
                  ("http://library.example.org/view?cn=95002&dbt=X", "")),
        ],
        ["row 3: title: is missing", "row 4: A9000000004: is an author; should be a work", "row 5: work: has no id"],
    ),
    (
        openalex.parse,
        "openalex/work.json",
        [Shown("doi:10.5555/thesis/95010 openalex:W9000000010", "Dynamic Change at the Cusp of a Tide", ("Nabil A. Tidewater",),
               "2026-01-01T00:00:00Z", "", ("https://doi.org/10.5555/thesis/95010", ""))],
        [],
    ),
    (
        semantic_scholar.parse,
        "semantic_scholar/paper.json",
        [Shown("doi:10.5555/machines.94001 semanticscholar:00000000000000000000000000000000000a9401",
               "Harbour Machinery and Patience", ("M. Oduya-Lind",), "2026-02-01T00:00:00Z", "Computer Science|Sociology",
               (f"{SCHOLAR}00000000000000000000000000000000000a9401", "https://papers.example.org/94001.pdf"))],
        [],
    ),
    (
        semantic_scholar.parse,
        "semantic_scholar/batch.json",
        [Shown("arxiv:2603.90001 semanticscholar:00000000000000000000000000000000000a9403", LIGHTHOUSES,
               ("M. Oduya-Lind", "T. Halvorsgaard"), "2026-03-02T00:00:00Z", "Computer Science",
               (f"{SCHOLAR}00000000000000000000000000000000000a9403", ""))],
        ["row 2: paper: not known to Semantic Scholar", "row 4: title: is missing", "row 5: paper: is an author",
         "row 6: paper: has no id"],
    ),
    (
        semantic_scholar.parse,
        "semantic_scholar/search.json",
        [
            Shown("doi:10.5555/turtles.1 semanticscholar:00000000000000000000000000000000000a9406", "Turtles That Halt", (), "",
                  "", ("", "")),
            Shown("semanticscholar:00000000000000000000000000000000000a9407", "Turtles That Do Not", ("R. Ó Braonáin",), "", "",
                  ("", "")),
        ],
        [],
    ),
    (
        semantic_scholar.parse,
        "semantic_scholar/recommendations.json",
        [Shown("semanticscholar:0000000000000000000000000000000000a9411", "All-Harbours Shortest Paths", (), "", "", ("", ""))],
        [],
    ),
    (
        semantic_scholar.parse,
        "semantic_scholar/search-ids-only.json",
        [],
        ["row 1: title: is missing", "row 2: title: is missing"],
    ),
    (semantic_scholar.parse, "semantic_scholar/bulk-sorted.json", [], []),
    (
        bibtex.parse,
        "references/library.bib",
        [
            Shown("arxiv:2603.90001", LIGHTHOUSES, ("Mira Oduya-Lind", "Tomas Halvorsgaard", "The Night Watch"),
                  "2026-03-01T00:00:00Z", "cs.CV", ("https://arxiv.org/abs/2603.90001", "")),
            Shown("doi:10.5555/bells_2025", r"A Grammar of \"Bells\"", ("Lena van der Zee Jr", "Anjali K. Belltower"),
                  "2025-01-01T00:00:00Z", "", ("", "")),
            Shown("arxiv:2512.91003", "Night Watch Handbook", (), "2025-12-04T00:00:00Z", "", ("", "")),
            Shown(ALMANAC, "The Pilot's Almanac", ("Ada Ferrimount",), "1998-01-01T00:00:00Z", "", ("", "")),
            Shown(AFTER, "The Entry after It", ("Inés Quarrie",), "", "", ("", "")),
        ],
        ["line 36 (entry): entry: is never closed; a brace is missing", "line 46 (untitled): title: is missing"],
    ),
    (
        bibtex.parse,
        "references/cut-short.bib",
        [Shown("reference:214cc489225de5b0ba1f19a6de1a34a0", "A Whole Entry", (), "2025-01-01T00:00:00Z", "", ("", ""))],
        ["line 2 (entry): entry: is never closed; a brace is missing"],
    ),
    (
        bibtex.parse,
        "references/latin-1.bib",
        [Shown("doi:10.5555/nebel.1", "Nebel über Häfen", ("Jürgen Weißl",), "2023-01-01T00:00:00Z", "", ("", ""))],
        [],
    ),
    (
        csl_json.parse,
        "references/library.json",
        [
            Shown("doi:10.5555/patient.2026.00035", "Counting Lighthouses from Orbit", ("Mira Oduya-Lind", "The Night Watch"),
                  "2026-03-02T00:00:00Z", "", ("https://doi.org/10.5555/patient.2026.00035", "")),
            Shown("arxiv:2603.90002", "Fog as a Regulariser", ("Inés Quarrie",), "2025-01-01T00:00:00Z", "",
                  ("http://arxiv.org/abs/2603.90002", "")),
            Shown(ALMANAC, "The Pilot's Almanac", ("Ada Ferrimount",), "1998-01-01T00:00:00Z", "", ("", "")),
        ],
        ["item 4: item: is no CSL-JSON: neither type nor title"],
    ),
    (
        csl_json.parse,
        "references/better-csl.json",
        [Shown("doi:10.5555/wrapped.1", "In a wrapper", (), "", "", ("", ""))],
        [],
    ),
    (
        jsonl.parse,
        "files/papers.jsonl",
        [
            Shown("arxiv:2603.98001 doi:10.5555/lines.1", "A Paper of the Operator's Own", ("Mira Oduya-Lind", "Noé d'Aubrac"),
                  "2026-03-01T08:00:00Z", "cs.CL", ("https://papers.example.org/98001", "")),
            Shown("lab:7", "A Talk at the Lab", (), "2026-03-02T00:00:00Z", "", ("", "")),
        ],
        ["line 4: title: is missing", "line 5: not a JSON object: Expecting value: line 1 column 1 (char 0)"],
    ),
    (
        jsonl.parse,
        "files/signals.jsonl",
        [],
        ["line 3: kind: 'Up Votes' should be a word like upvotes or github_stars"],
    ),
    (
        seed_page.parse,
        "files/seed-page.txt",
        [Shown("seed:dcfdeb53919fc80d", "A Compass for Small Boats", (), "", "", ("", "")),
         Shown("seed:1a61253ce9f82736", "What the Foghorn Meant", (), "", "", ("", ""))],
        ["line 7: abstract: is missing; should be on the line after the title"],
    ),
]  # fmt: skip


@every_row(("parser", "name", "papers", "rejected"), PAPERS, ids=[row[1] for row in PAPERS])
def test_what_a_person_sees_in_it(parser: Parser, name: str, papers: list[Shown], rejected: list[str]) -> None:
    parsed = read(parser, FIXTURES / name)
    assert [shown(sighting) for sighting in parsed.sightings] == papers
    assert [f"{each.where}: {each.reason}" for each in parsed.rejected] == rejected
