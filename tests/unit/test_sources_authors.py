"""Names of authors, alike from every source: people are told apart, none is lost, given names come first."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from digest.sources.authors import authors, bibtex_authors
from tests.tables import every_row

BYLINES: list[tuple[list[object], list[str]]] = [
    (["Lee, Ann; Li, Bo; Roe, Cy"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["Ann Lee; Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee, Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Lee, Ann"], ["Ann Lee"]),
    (["Lee, Ann", "Li, Bo"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee, Bo Li and Cy Roe"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["Ann Lee, Bo Li, & Cy Roe"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["by Ann Lee and Bo Li"], ["Ann Lee", "Bo Li"]),
    # the last is written given name first, and so are those before
    (["A, B and C D"], ["A", "B", "C D"]),
    (["Lee, Wang and Cy Dow"], ["Lee", "Wang", "Cy Dow"]),
    (["Ann Lee, Bob & Cy Dow"], ["Ann Lee", "Bob", "Cy Dow"]),
    ([{"name": "A B, C D and E F"}], ["A B", "C D", "E F"]),
    # but the first may be turned round alone
    (["Lee, A. and Bo Li"], ["A. Lee", "Bo Li"]),
    (["Lee, A., Li, B. and C. Roe"], ["A. Lee", "B. Li", "C. Roe"]),
    (["Lee, Ann, and Cy Roe"], ["Ann Lee", "Cy Roe"]),
    (["van der Berg, Jan and Cy Roe"], ["Jan van der Berg", "Cy Roe"]),
    (["王, 小明 and Cy Roe"], ["王小明", "Cy Roe"]),
    (["Ann Lee, Jr. and Bo Li"], ["Ann Lee Jr.", "Bo Li"]),
    (["Lee, A., Li, B., and Roe, C."], ["A. Lee", "B. Li", "C. Roe"]),
    (["Lee, Ann, Li, Bo"], ["Ann Lee", "Bo Li"]),
    (["Lee A, Li B, Roe C"], ["Lee A", "Li B", "Roe C"]),
    (["M.-L. Lee, B. Li"], ["M.-L. Lee", "B. Li"]),
    (["van der Berg, Jan Willem"], ["Jan Willem van der Berg"]),
    (["de la Cruz, Ana; Silva, Ana da"], ["Ana de la Cruz", "Ana da Silva"]),
    (["García Márquez, Gabriel José", "Lee, Ann"], ["Gabriel José García Márquez", "Ann Lee"]),
    # suffixes and degrees
    (["Ann Lee, Jr., Bo Li, Cy Roe"], ["Ann Lee Jr.", "Bo Li", "Cy Roe"]),
    (["King, Jr., Martin Luther"], ["Martin Luther King Jr."]),
    (["King, Martin Luther, Jr."], ["Martin Luther King Jr."]),
    (["Ann Lee, Bo Li III and Cy Roe, Sr."], ["Ann Lee", "Bo Li III", "Cy Roe Sr."]),
    (["Ann Lee", "Jr.", "Bo Li"], ["Ann Lee Jr.", "Bo Li"]),
    (["Ann Lee, PhD, Bo Li, MD"], ["Ann Lee", "Bo Li"]),
    # groups
    (["ATLAS Collaboration"], ["ATLAS Collaboration"]),
    (["Collaboration, ATLAS"], ["ATLAS Collaboration"]),
    (["Ann Lee, ATLAS Collaboration"], ["Ann Lee", "ATLAS Collaboration"]),
    (
        ["The LIGO Scientific Collaboration and the Virgo Collaboration"],
        ["The LIGO Scientific Collaboration", "the Virgo Collaboration"],
    ),
    (["Ann Lee on behalf of the ATLAS Collaboration"], ["Ann Lee", "the ATLAS Collaboration"]),
    (["University of California, Berkeley"], ["University of California, Berkeley"]),
    (["Department of Physics and Astronomy"], ["Department of Physics and Astronomy"]),
    (["Example, Inc."], ["Example, Inc."]),
    (["Ann Lee, Bo Li on behalf of the ATLAS Collaboration"], ["Ann Lee", "Bo Li", "the ATLAS Collaboration"]),
    (["Ann Lee (for the ALICE Collaboration)"], ["Ann Lee", "the ALICE Collaboration"]),
    (["on behalf of the CMS Collaboration"], ["the CMS Collaboration"]),
    (["ATLAS Collaboration: A. Lee, B. Li"], ["ATLAS Collaboration", "A. Lee", "B. Li"]),
    (["Institute for Advanced Study"], ["Institute for Advanced Study"]),
    # other signs between people, and what stands before or behind them
    (["Ann Lee | Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee · Bo Li · Cy Roe"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["Authors: Ann Lee, Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee (https://orcid.org/0000-0002-1825-0097), Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Lee, Ann 0000-0002-1825-009X; Li, Bo"], ["Ann Lee", "Bo Li"]),
    (["A. Lee, B. Li, ... C. Roe"], ["A. Lee", "B. Li", "C. Roe"]),
    # other scripts
    (["王小明, 李雷"], ["王小明", "李雷"]),
    (["王小明、李雷、韩梅梅"], ["王小明", "李雷", "韩梅梅"]),
    (["王小明；李雷"], ["王小明", "李雷"]),
    (["王, 小明"], ["王小明"]),
    (["김철수, 이영희"], ["김철수", "이영희"]),
    # what stands around a name
    (["Pat O&#8217;Brien; M&uuml;ller, Eva"], ["Pat O’Brien", "Eva Müller"]),
    (["Ann Lee<sup>1</sup>, <b>Bo Li</b><sup>1,2</sup>"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee1,2, Bo Li2"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee*, Bo Li†"], ["Ann Lee", "Bo Li"]),
    (["Bo Li 0001"], ["Bo Li"]),
    (["Ann Lee (MIT, USA), Bo Li (ETH)"], ["Ann Lee", "Bo Li"]),
    (["ann@example.org (Ann Lee)"], ["Ann Lee"]),
    (["editor@example.org"], []),
    (["Ann Lee, Bo Li, et al."], ["Ann Lee", "Bo Li"]),
    (["Ann Lee and others"], ["Ann Lee"]),
    (["Ann Lee ..."], ["Ann Lee"]),
    (["Jos\\'e Nu\\~nez", "{\\L}ukasz Kaiser"], ["José Nuñez", "Łukasz Kaiser"]),
    ([":", "", None, 3, [], "Ann Lee"], ["Ann Lee"]),
    # titles, degrees, raised footnotes, other languages' "and"
    (["Dr. Ann Lee, Prof. Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Prof. Dr. Ann Lee"], ["Ann Lee"]),
    (["Ann Lee ^1, Bo Li ^2"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee¹, Bo Li²"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee [1], Bo Li [2]"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee,1 Bo Li,2 and Cy Roe1"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["Ann Lee und Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee et Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Ann Lee + 5 more"], ["Ann Lee"]),
    (["Ann Lee and 12 more authors"], ["Ann Lee"]),
    (["Ann Lee and Bo Li for the CMS and ATLAS Collaborations"], ["Ann Lee", "Bo Li", "the CMS and ATLAS Collaborations"]),
    (["山田太郎・鈴木花子"], ["山田太郎", "鈴木花子"]),
    (["Иван Иванов и Пётр Петров"], ["Иван Иванов", "Пётр Петров"]),
    (["Ann Lee<br/>Bo Li"], ["Ann Lee", "Bo Li"]),
    (["Written by Ann Lee"], ["Ann Lee"]),
    (["Ann Lee, Ph.D., Bo Li, M.D., M.P.H."], ["Ann Lee", "Bo Li"]),
    (["Ann Lee MD PhD"], ["Ann Lee"]),
    (["Ann Lee, FRS"], ["Ann Lee"]),
    (["Lee, Ann, PhD"], ["Ann Lee"]),
    (["Ann Lee*1, Bo Li*2, Cy Roe†3"], ["Ann Lee", "Bo Li", "Cy Roe"]),
    (["Ann Lee (1), Bo Li (2) ((1) MIT, (2) ETH)"], ["Ann Lee", "Bo Li"]),
    (["(Ann Lee)"], ["Ann Lee"]),
    (["Ortega y Gasset, Juan; Et, Al"], ["Juan Ortega y Gasset", "Al Et"]),
    (["with an appendix by Cy Roe"], ["Cy Roe"]),
    (["Selby Lee; Bo Undset"], ["Selby Lee", "Bo Undset"]),
    (["Lee MD, Li B"], ["Lee MD", "Li B"]),
    (["ジョン・スミス"], ["ジョン・スミス"]),
    # a table of parts
    ([{"given": "Ann", "family": "Lee", "suffix": "Jr."}, {"name": "The Team"}], ["Ann Lee Jr.", "The Team"]),
    ([{"literal": "Example"}], ["Example"]),
    ([{"given": "Jan", "non-dropping-particle": "van der", "family": "Berg"}], ["Jan van der Berg"]),
    ([{"name": "Lee, Ann; Li, Bo"}], ["Ann Lee", "Bo Li"]),
]  # fmt: skip


@every_row(("written", "people"), BYLINES)
def test_bylines_and_lists(written: list[object], people: list[str]) -> None:
    assert list(authors(written)) == people


def test_arxivs_commas_part_people_whatever_their_names() -> None:
    assert authors(["Plato, Bo Li, J. Doe, Jr."], comma="parts") == ("Plato", "Bo Li", "J. Doe Jr.")


IN_BIBTEX = [
    ("Lee, Ann and Bo Li", ["Ann Lee", "Bo Li"]),
    ("Smith, John AND Doe, Jane", ["John Smith", "Jane Doe"]),
    ("Lee, Ann\n   and\n Li, Bo", ["Ann Lee", "Bo Li"]),
    ("{The LIGO Collaboration and the Virgo Collaboration}", ["The LIGO Collaboration and the Virgo Collaboration"]),
    ("{Barnes and Noble}", ["Barnes and Noble"]),
    ("{Example, Inc.} and {University of X, Y}", ["Example, Inc.", "University of X, Y"]),
    ("{{ATLAS} Collaboration} and Lee, A.", ["ATLAS Collaboration", "A. Lee"]),
    ("{Nowak, U. and Mryasov, O. N. and Usadel, K. D.}", ["U. Nowak", "O. N. Mryasov", "K. D. Usadel"]),
    ("{Ann Lee and Bo Li}", ["Ann Lee", "Bo Li"]),
    ("{{Lee, Ann}}", ["Ann Lee"]),
    ("{Lee, Ann} and {Li, Bo}", ["Ann Lee", "Bo Li"]),
    ("Alves, Jr., A.A.", ["A.A. Alves Jr."]),
    ("van der Berg, III, Jan and Ludwig van Beethoven", ["Jan van der Berg III", "Ludwig van Beethoven"]),
    ("de la Vall{\\'e}e Poussin, Charles Louis", ["Charles Louis de la Vallée Poussin"]),
    ("{M{\\\"u}ller}, J.~A. and Erd{\\H o}s, Paul and Bod{\\'{\\i}}k, R.", ["J. A. Müller", "Paul Erdős", "R. Bodík"]),
    ("{\\v{S}}koda, Jan and {\\O}stby, {\\AA}se and Gro{\\ss}, \\'Eva", ["Jan Škoda", "Åse Østby", "Éva Groß"]),
    ("{\\\"{O}}zg{\\\"u}r, {\\c S}. {\\.I}", ["Ş. İ Özgür"]),
    ("{\\relax Ch}arles Babbage and O{\\textquoteright}Brien, Pat", ["Charles Babbage", "Pat O’Brien"]),
    ("AT\\&T Labs and Lee, Ann", ["AT&T Labs", "Ann Lee"]),
    ("given=Ann, family=Lee, prefix=van and Li, Bo", ["Ann van Lee", "Bo Li"]),
    ("Lee, Ann and others", ["Ann Lee"]),
    ("Lee, Ann and {et al.}", ["Ann Lee"]),
    ("Garcia Lopez, Maria Jose and Li, Bo and Cy Roe", ["Maria Jose Garcia Lopez", "Bo Li", "Cy Roe"]),
    ("Garcia Lopez, Maria Jose", ["Maria Jose Garcia Lopez"]),
    ("van der Berg, Jan Piet and Cy Roe", ["Jan Piet van der Berg", "Cy Roe"]),
    ("Lee, A. B. and Ray, C. D.", ["A. B. Lee", "C. D. Ray"]),
    ("Ann Lee\\thanks{An Institute} and Bo Li$^{1}$ and Cy Roe\\textsuperscript{2}", ["Ann Lee", "Bo Li", "Cy Roe"]),
    ("Lee, Ann and", ["Ann Lee"]),
    ("王, 小明 and 李雷", ["王小明", "李雷"]),
    ("Lee}, {Ann and Li, Bo", ["Ann Lee", "Bo Li"]),
    ("{Lee, Ann and Li, Bo", ["Ann Lee", "Bo Li"]),
    ("Lee, Ann \\and Li, Bo", ["Ann Lee", "Bo Li"]),
    ("Lee*, Ann and Li$^\\dagger$, Bo", ["Ann Lee", "Bo Li"]),
    ("Lee, Ann <ann@example.org>", ["Ann Lee"]),
    ("", []),
]  # fmt: skip


@every_row(("written", "people"), IN_BIBTEX)
def test_bibtex(written: str, people: list[str]) -> None:
    assert bibtex_authors(written) == (tuple(people), "")


@every_row(
    ("written", "people", "sign"),
    [
        ("Lee, Ann; Li, Bo; Roe, Cy", ["Ann Lee", "Bo Li", "Cy Roe"], ";"),
        ("Ann Lee, Bo Li, Cy Roe", ["Ann Lee", "Bo Li", "Cy Roe"], ","),
        ("Lee, Ann, Li, Bo", ["Ann Lee", "Bo Li"], ","),
        ("Ann Lee & Bo Li", ["Ann Lee", "Bo Li"], "&"),
        ("Lee, Ann; Li, Bo and Roe, Cy", ["Ann Lee", "Bo Li", "Cy Roe"], ";"),
        ("Ann Lee, Bo Li and Cy Roe", ["Ann Lee", "Bo Li", "Cy Roe"], ","),
        ("Ann Lee, Bo Li, and Cy Roe", ["Ann Lee", "Bo Li", "Cy Roe"], ","),
        ("A. Lee, B. Li", ["A. Lee", "B. Li"], ","),
        ("Ludwig van Beethoven, Clara Schumann and J. S. Bach", ["Ludwig van Beethoven", "Clara Schumann", "J. S. Bach"], ","),
        ("Lee, Ann B., Ray, Bo C. and Roe, Cy D.", ["Ann B. Lee", "Bo C. Ray", "Cy D. Roe"], ","),
    ],
)
def test_other_separators_in_bibtex_are_reported_and_nobody_is_lost(written: str, people: list[str], sign: str) -> None:
    found, wrong = bibtex_authors(written)
    assert list(found) == people
    assert f"joined by “{sign}”; should be by “and”" in wrong


MARKS = [
    "{",
    "}",
    "\\",
    "\\v{",
    "\\'",
    "$",
    ",",
    ";",
    "&",
    " and ",
    "(",
    ")",
    "<",
    ">",
    "&#39;",
    "Lee",
    "Ann",
    "Jr.",
    "et al.",
    "王",
    "1",
]


@given(st.lists(st.sampled_from(MARKS) | st.text(max_size=3), max_size=30).map("".join))
def test_whatever_is_written_names_come_out_clean(written: str) -> None:
    for found in (authors([written]), authors([written, written]), bibtex_authors(written)[0]):
        assert all(name and name == " ".join(name.split()) and not {"{", "}", "\ue003"} & set(name) for name in found) or any(
            "\ue000" <= sign <= "\ue003" for sign in written
        )


@every_row("unit", ["{", "}", "{}", "\\", '\\"', "\\v{", ",", ";", "&", " and ", "a, ", "(", "<", "1", "a*", " et", "{a} and "])
def test_a_megabyte_of_anything_takes_no_longer_per_byte(unit: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        bibtex_authors(unit * (size // len(unit)))
        authors([unit * (300 // len(unit))] * (size // 300))
        return time.process_time() - began

    assert seconds(200_000) < 2.0
