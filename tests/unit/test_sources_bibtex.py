"""BibTeX and biblatex whole: braces, dates, parents, names of papers, encodings, and what is wrong told by its place."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.paper import Sighting
from digest.render.text.latex import readable
from digest.sources import bibtex, ris
from digest.sources.detect_format import read_file
from digest.sources.latex import balanced, unprotected
from tests.tables import every_row

SEEN = datetime(2026, 8, 15, tzinfo=UTC)


def read(text: str | bytes) -> Sighting:
    data = text.encode() if isinstance(text, str) else text
    (found,) = bibtex.parse(data, source="b", seen_at=SEEN).sightings
    return found


BRACES = [
    (r"Codes over $\mathbb{F}_{q}$ of length $10^{12}$", r"Codes over $\mathbb{F}_{q}$ of length $10^{12}$"),
    (r"with $^{13}$C and {{NMR}}", r"with $^{13}$C and NMR"),
    (r"in \textit{Drosophila} and \emph{E. coli}", r"in \textit{Drosophila} and \emph{E. coli}"),
    (r"The \v{C}ech complex, Erd\H{o}s--R\'{e}nyi", r"The \v{C}ech complex, Erd\H{o}s--R\'{e}nyi"),
    (r"{Search at $\sqrt{s}$ with $E_{\mathrm{T}}$}", r"Search at $\sqrt{s}$ with $E_{\mathrm{T}}$"),
    (r"{{BERT}}: {{Pre-training}} of {{Deep}} things", "BERT: Pre-training of Deep things"),
    (r"{$\mathcal{N}=4$} super {Yang--Mills}", r"$\mathcal{N}=4$ super Yang--Mills"),
    (r"{B}ayesian {W}ords, {C++} and {Deep, Wide: Nets}", "Bayesian Words, C++ and Deep, Wide: Nets"),
    (r"{\L}ukasz and {\"U}ber {\bf bold}", r"{\L}ukasz and {\"U}ber {\bf bold}"),
    (r"{CO\textsubscript{2}} and \href{https://x.example.org}{more}", r"CO\textsubscript{2} and \href{https://x.example.org}{more}"),
    (r"\textcolor{red}{{x}} {Y}", r"\textcolor{red}{x} Y"),
    (r"H_{2}O and x^{10} {AB}", r"H_{2}O and x^{10} AB"),
    (r"costs $5 and {BERT} \& {Co}", r"costs $5 and BERT \& Co"),
    ("stray } and { here", "stray  and  here"),
    (r"\{braces\} kept", r"\{braces\} kept"),
]  # fmt: skip


@every_row(("written", "kept"), BRACES)
def test_braces_that_protect_go_and_those_that_hold_an_argument_stay(written: str, kept: str) -> None:
    assert unprotected(written) == kept


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (r"{{$\mathcal{N}=4$} super {Yang--Mills} and {{NMR}}}", "N=4 super Yang–Mills and NMR"),
        (r'"{Search in $pp$ collisions at $\sqrt{s} = 13$ TeV}"', "Search in pp collisions at √s = 13 TeV"),
        (r"{Codes over $\mathbb{F}_{q}$ of length $10^{12}$}", "Codes over F_q of length 10¹²"),
        (r"{The \v{C}ech complex of {Erd{\H o}s}}", "The Čech complex of Erdős"),
        (r"{{{\"U}ber die {G}r{\"o}{\ss}e}}", "Über die Größe"),
    ],
)
def test_titles_as_people_see_them(title: str, shown: str) -> None:
    assert readable(read(f"@article{{a, title = {title}, doi={{10.1000/a}}}}").title).replace("𝔽", "F").replace("𝒩", "N") == shown


DATED = [
    ("date={2013}", "2013-01-01"),
    ("date={2013-05}", "2013-05-01"),
    ("date={2013-05-02}", "2013-05-02"),
    ("date={2021-05/2021-06}", "2021-05-01"),
    ("date={2021-00}", "2021-01-01"),
    ("date={/2021}", "2021-01-01"),
    ("year=2026, month=aug", "2026-08-01"),
    ("year={{2026}}, month={August}", "2026-08-01"),
    ("year=2026, month=8, day=3", "2026-08-03"),
    ('year=2026, month="10~" # aug', "2026-08-10"),
    ('year=2026, month=aug # "~10"', "2026-08-10"),
    ("year={2021--2022}, month={May--June}", "2021-05-01"),
    ("year={2021a}", "2021-01-01"),
    ("year={c. 1998}", "1998-01-01"),
    ("year=2020, month=13", "2020-01-01"),
    ("crossref={p}", "1998-01-01"),
    ("crossref={P}", "1998-01-01"),
    ("xdata={x}", "1997-03-01"),
    ("year={in press}", None),
    ("", None),
]
PARENTS = "@proceedings{p, booktitle={Proceedings of Ice}, year={1998}}\n@xdata{x, date={1997-03}, journaltitle={Annals}}\n"


@every_row(("fields", "day"), DATED)
def test_dates(fields: str, day: str | None) -> None:
    parsed = bibtex.parse(f"@article{{a, title={{T}}, {fields}}}\n{PARENTS}".encode(), source="b", seen_at=SEEN)
    published = parsed.sightings[0].published_at
    assert (published and published.date().isoformat()) == day
    assert [each.where for each in parsed.rejected] == ["line 2 (p)"], "the parent has no title of its own"


def test_what_a_parent_gives_and_what_it_does_not() -> None:
    text = """@inproceedings{a, title={T}, crossref={p}}
@inproceedings{b, title={U}, xdata={x}, year=2001}
@inproceedings{c, title={V}, crossref={c}}
@inproceedings{d, title={W}, crossref={nowhere}}
@proceedings{p, title={Proceedings of Ice}, editor={Go, Ed}, year=1998, doi={10.1000/p}}
@xdata{x, journal={Annals}, year=2000}"""
    first, second, *_ = bibtex.parse(text.encode(), source="b", seen_at=SEEN).sightings
    assert (first.venue, first.title, first.authors, first.identifiers[0].scheme) == ("Proceedings of Ice", "T", (), "reference")
    assert (second.venue, second.published_at) == ("Annals", datetime(2001, 1, 1, tzinfo=UTC))


NAMED = [
    ("doi={10.1175/1520-0477(1996)077<0935:WOTWSM>2.0.CO;2}", "doi:10.1175/1520-0477(1996)077<0935:wotwsm>2.0.co;2"),
    (r"doi={10.1175/115\ensuremath{<}1606:G\ensuremath{>}2.0.CO;2}", "doi:10.1175/115<1606:g>2.0.co;2"),
    (r"doi={10.1175/115{\textless}1606:G{\textgreater}2.0.CO;2}", "doi:10.1175/115<1606:g>2.0.co;2"),
    ("doi={10.1175/115$<$1606:G$>$2.0.CO;2}", "doi:10.1175/115<1606:g>2.0.co;2"),
    (r"doi={10.1007/978-3-319-46448-0{\_}3}", "doi:10.1007/978-3-319-46448-0_3"),
    (r"doi={10.1007/978-3-319-46448-0\_3}", "doi:10.1007/978-3-319-46448-0_3"),
    (r"doi={\href{https://doi.org/10.1000/a}{10.1000/a}}", "doi:10.1000/a"),
    (r"doi={\url{https://doi.org/10.1000/a}}", "doi:10.1000/a"),
    ("eprint={1706.03762}, archiveprefix={arXiv}", "arxiv:1706.03762"),
    ("eprint={1706.03762}, eprinttype={arxiv}", "arxiv:1706.03762"),
    ("eprint={arXiv:1706.03762v5}", "arxiv:1706.03762"),
    ("eprint={https://arxiv.org/abs/1706.03762?context=cs}", "arxiv:1706.03762"),
    ("eprint={9711200}, archiveprefix={arXiv}, primaryclass={hep-th}", "arxiv:hep-th/9711200"),
    ("arxivid={1706.03762}", "arxiv:1706.03762"),
    ("journal={CoRR}, volume={abs/1706.03762}", "arxiv:1706.03762"),
    ("journaltitle={arXiv preprint arXiv: 1706.03762}", "arxiv:1706.03762"),
    (r"url={https://arxiv.org/pdf/1706.03762v2.pdf\#page=2}", "arxiv:1706.03762"),
]


@every_row(("fields", "name"), NAMED)
def test_names_of_papers(fields: str, name: str) -> None:
    assert [str(each) for each in read(f"@article{{a, title={{T}}, {fields}}}").identifiers] == [name]


@pytest.mark.parametrize(
    ("entry", "title", "venue", "people", "abstract"),
    [
        (r"title={Reef}, journal={\apj}, author={{Lee}, A.~B.}", "Reef", "ApJ", ("A. B. Lee",), ""),
        (r"title={Reef}, journal={{\mnras}}", "Reef", "MNRAS", (), ""),
        ("title={Reef:}, subtitle={A {S}tudy}", "Reef: A Study", "", (), ""),
        ('title="Reef", author="Aad, G. and others", collaboration="ATLAS"', "Reef", "", ("G. Aad", "ATLAS Collaboration"), ""),
        (r"title={O (n\^{} 2) steps}", "O (n²) steps", "", (), ""),
        (
            r"title={T}, abstract={We \textless{}i\textgreater{}see\textless{}/i\textgreater{} p \textless{} 0.05}",
            "T", "", (), "We see p < 0.05",
        ),
    ],
)  # fmt: skip
def test_what_reference_managers_write(entry: str, title: str, venue: str, people: tuple[str, ...], abstract: str) -> None:
    found = read(f"@article{{a, {entry}}}")
    assert (readable(found.title), found.venue, found.authors, readable(found.abstract)) == (title, venue, people, abstract)


def test_an_entry_without_a_key_is_nobodys_parent() -> None:
    first, _ = bibtex.parse(b"@article{a, title={T}}\n@article{, title={U}, year=2001}", source="b", seen_at=SEEN).sightings
    assert (first.venue, first.published_at) == ("", None)


RIS = [
    ("AU  - Li, Bo, Jr.\nPY  - 2026", ("Bo Li Jr.",), "2026-01-01"),
    ("A1  - Lee, Ann\nPY  - 2026\nDA  - 2026/08/12/", ("Ann Lee",), "2026-08-12"),
    ("AU  - M&uuml;ller, Eva\nY1  - 2026/08//", ("Eva Müller",), "2026-08-01"),
    ("AU  - Roe, Cy\nY1  - 2026/08/12/Epub", ("Cy Roe",), "2026-08-12"),
    ("AU  - Planck Collaboration\nPY  - 2026\nDA  - 2027/01/01/", ("Planck Collaboration",), "2026-01-01"),
    ("PY  - in press", (), None),
]


@pytest.mark.parametrize(("tags", "people", "day"), RIS)
def test_ris(tags: str, people: tuple[str, ...], day: str | None) -> None:
    (found,) = ris.parse(f"TY  - JOUR\nTI  - T\n{tags}\nER  - \n".encode(), source="r", seen_at=SEEN).sightings
    assert (found.authors, found.published_at and found.published_at.date().isoformat()) == (people, day)


def test_addresses_keep_their_tildes() -> None:
    assert read(r"@misc{a, title={T}, url={https://x.example.org/~ann/a\_b}}").url == "https://x.example.org/~ann/a_b"


PLAIN = "@article{a, title={Über die Größe}, author={Gödel, Kurt}, doi={10.1000/a}}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "library.bib"
    file.write_bytes(PLAIN.encode(encoding))
    (parsed,) = read_file(file, SEEN)
    assert [(s.title, s.authors) for s in parsed.sightings] == [("Über die Größe", ("Kurt Gödel",))]


def test_two_encodings_in_one_file() -> None:
    parsed = bibtex.parse(PLAIN.encode() + PLAIN.encode("latin-1"), source="b", seen_at=SEEN)
    assert [s.authors for s in parsed.sightings] == [("Kurt Gödel",)] * 2


def test_other_separators_of_people_are_told_by_the_entry_and_the_paper_is_kept() -> None:
    parsed = bibtex.parse(b"@misc{x, title={S}}\n@misc{k, title={T}, author={Lee, Ann; Li, Bo}}", source="b", seen_at=SEEN)
    assert parsed.sightings[1].authors == ("Ann Lee", "Bo Li")
    assert [(r.where, r.reason) for r in parsed.rejected] == [
        ("line 2 (k)", "author: 2 names are joined by “;”; should be by “and”")
    ]


BITS = [
    "{",
    "}",
    "$",
    "\\",
    "\\v",
    "\\'",
    "^",
    "_",
    " ",
    "a",
    "7",
    "\\{",
    "\\&",
    "@a{",
    ",",
    '"',
    "#",
    "title=",
    "author=",
    "date=",
]
ODD = st.lists(st.sampled_from(BITS) | st.text(max_size=2), max_size=40).map("".join)


@given(ODD)
def test_only_braces_are_ever_taken_off(text: str) -> None:
    for kept in (unprotected(text), balanced(text)):
        assert kept.replace("{", "").replace("}", "") == text.replace("{", "").replace("}", "")
    assert balanced(balanced(text)) == balanced(text)


@given(ODD)
def test_whatever_stands_in_an_entry_it_is_read_or_told(text: str) -> None:
    data = f"@article{{k, title={{T}}, author={{{text}}}, date={{{text}}}, doi={{{text}}}, crossref={{k}}}}\n@misc{{z, title=Z}}"
    parsed = bibtex.parse(data.encode(errors="replace"), source="b", seen_at=SEEN)
    assert parsed.sightings or parsed.rejected


@every_row("unit", ["{", "}", "{}", "$", "\\", "\\a{", "\\a ", "x{}", "^{", "@a{", "\n"])
def test_braces_by_the_megabyte(unit: str) -> None:
    began = time.process_time()
    unprotected("\\a" + unit * (200_000 // len(unit)))
    assert time.process_time() - began < 2.0
