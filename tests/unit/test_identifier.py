"""One canonical spelling for everything a paper is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier, preferred
from tests.tables import every_row

SPELLINGS = [
    ("2510.19278", "arxiv:2510.19278", None),
    ("2510.19278v2", "arxiv:2510.19278", 2),
    ("arXiv:0704.0001v12", "arxiv:0704.0001", 12),
    ("arxiv: 2510.19278", "arxiv:2510.19278", None),
    ("http://arxiv.org/abs/2510.19278v1", "arxiv:2510.19278", 1),
    ("https://export.arxiv.org/pdf/2510.19278v3.pdf", "arxiv:2510.19278", 3),
    ("https://huggingface.co/papers/2510.19278", "arxiv:2510.19278", None),
    ("oai:arXiv.org:2203.01250v3", "arxiv:2203.01250", 3),
    ("hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("math.GT/0309136v1", "arxiv:math/0309136", 1),
    ("quant-ph/0201082v1", "arxiv:quant-ph/0201082", 1),
    ("10.48550/arXiv.2510.19278", "arxiv:2510.19278", None),
    ("https://doi.org/10.48550/arXiv.hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("doi:10.1101/2020.01.01.123456", "doi:10.1101/2020.01.01.123456", None),
    ("10.1101/2020.01.01.123456v2", "doi:10.1101/2020.01.01.123456", 2),
    ("10.64898/2026.08.01.700001v1.full.pdf", "doi:10.64898/2026.08.01.700001", 1),
    ("https://www.biorxiv.org/content/10.1101/456574v1", "doi:10.1101/456574", 1),
    ("https://dx.doi.org/10.1000/XYZ(2)", "doi:10.1000/xyz(2)", None),
    ("10.1000/xyz.", "doi:10.1000/xyz", None),  # as copied from the end of a sentence
    ("seed:3f2a", "seed:3f2a", None),
    # addresses of arXiv's papers: with a query, a fragment or no scheme, and on other sites
    ("arxiv.org/abs/1706.03762", "arxiv:1706.03762", None),
    ("www.arxiv.org/abs/1706.03762v7", "arxiv:1706.03762", 7),
    ("//arxiv.org/abs/1706.03762", "arxiv:1706.03762", None),
    ("https://arxiv.org/abs/1706.03762?context=cs", "arxiv:1706.03762", None),
    ("https://arxiv.org/pdf/1706.03762v2.pdf#page=2", "arxiv:1706.03762", 2),
    ("https://arxiv.org/abs/1706.03762?utm_source=feed&utm_medium=rss#x", "arxiv:1706.03762", None),
    ("https://arxiv.org/abs/1706.03762/", "arxiv:1706.03762", None),
    ("https://arxiv.org/abs/arXiv:1706.03762", "arxiv:1706.03762", None),
    ("https://arxiv.org/html/1706.03762v2", "arxiv:1706.03762", 2),
    ("http://arxiv.org/ps/hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("https://arxiv.org/abs/math.GT/0309136?a=b", "arxiv:math/0309136", None),
    ("arxiv.org/abs/hep-th%2F9901001", "arxiv:hep-th/9901001", None),
    ("https://arxiv.org/ftp/arxiv/papers/1706/1706.03762.pdf", "arxiv:1706.03762", None),
    ("https://arxiv.org/ftp/hep-th/papers/9901/9901001.pdf", "arxiv:hep-th/9901001", None),
    ("http://xxx.lanl.gov/abs/hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("https://ar5iv.org/abs/1706.03762", "arxiv:1706.03762", None),
    ("https://ar5iv.labs.arxiv.org/html/1706.03762", "arxiv:1706.03762", None),
    ("https://www.alphaxiv.org/overview/1706.03762v7", "arxiv:1706.03762", 7),
    ("alphaxiv.org/abs/1706.03762", "arxiv:1706.03762", None),
    ("huggingface.co/papers/1706.03762#community", "arxiv:1706.03762", None),
    ("https://www.semanticscholar.org/arxiv/1706.03762", "arxiv:1706.03762", None),
    ("https://scirate.com/arxiv/1706.03762", "arxiv:1706.03762", None),
    ("ARXIV.ORG/ABS/1706.03762V2", "arxiv:1706.03762", 2),
    ("arXiv:1706.03762v7 [cs.CL] 2 Aug 2023", "arxiv:1706.03762", 7),
    ("<https://arxiv.org/abs/1706.03762>", "arxiv:1706.03762", None),
    ("(arXiv:1706.03762).", "arxiv:1706.03762", None),
    ("arXiv:1706.\u200b03762", "arxiv:1706.03762", None),
    ("https://arxiv.org/abs/1706.03762)", "arxiv:1706.03762", None),
    ("arXiv 1706.03762", "arxiv:1706.03762", None),
    ("arxiv.org/pdf/1706.03762v2.pdf?download=1", "arxiv:1706.03762", 2),
    ("https://www.alphaxiv.org/abs/1706.03762?chatId=1", "arxiv:1706.03762", None),
    ("cond-mat.mes-hall/0201001", "arxiv:cond-mat/0201001", None),
    ("https://ui.adsabs.harvard.edu/abs/arXiv:1706.03762/abstract", "arxiv:1706.03762", None),
    ("https://inspirehep.net/api/arxiv/hep-th/9901001", "arxiv:hep-th/9901001", None),
    ("https://web.archive.org/web/2020/https://arxiv.org/abs/1706.03762", "arxiv:1706.03762", None),
    # a publisher's page whose address holds the DOI
    ("https://dl.acm.org/doi/pdf/10.1145/3292500.3330701", "doi:10.1145/3292500.3330701", None),
    ("https://link.springer.com/article/10.1007/s00220-020-03723-6#Sec2", "doi:10.1007/s00220-020-03723-6", None),
    ("https://link.springer.com/content/pdf/10.1007/s00220-020-03723-6.pdf", "doi:10.1007/s00220-020-03723-6", None),
    ("https://onlinelibrary.wiley.com/doi/abs/10.1002/anie.201912345", "doi:10.1002/anie.201912345", None),
    ("https://www.frontiersin.org/articles/10.3389/fpsyg.2020.00001/full", "doi:10.3389/fpsyg.2020.00001", None),
    ("https://iopscience.iop.org/article/10.1088/1742-6596/1/1/012001/pdf", "doi:10.1088/1742-6596/1/1/012001", None),
    ("https://journals.aps.org/prl/abstract/10.1103/PhysRevLett.116.061102", "doi:10.1103/physrevlett.116.061102", None),
    ("https://pubs.acs.org/doi/10.1021/acs.jctc.9b00001?ref=pdf", "doi:10.1021/acs.jctc.9b00001", None),
    # DOIs with pairs of angle brackets, invisible characters, ligatures, escapes and what stands around them
    ("10.1175/1520-0477(1996)077<0935:WOTWSM>2.0.CO;2", "doi:10.1175/1520-0477(1996)077<0935:wotwsm>2.0.co;2", None),
    ("10.1175/1520-0477(1996)077&lt;0935:WOTWSM&gt;2.0.CO;2", "doi:10.1175/1520-0477(1996)077<0935:wotwsm>2.0.co;2", None),
    (
        "https://doi.org/10.1002/(SICI)1097-4571(199806)49:8%3C693::AID-ASI4%3E3.0.CO;2-O",
        "doi:10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o",
        None,
    ),
    (
        "https://doi.org/10.1002/(SICI)1097-0142(1996)77:8<1467::AID-CNCR4>3.3.CO;2-#",
        "doi:10.1002/(sici)1097-0142(1996)77:8<1467::aid-cncr4>3.3.co;2-#",
        None,
    ),
    ("10.1016/j.cell.2020\u200b.01.001", "doi:10.1016/j.cell.2020.01.001", None),
    ("\ufeff10.1016/j.cell.2020.01.001\u200b", "doi:10.1016/j.cell.2020.01.001", None),
    ("10.1016/j.cell\u00ad.2020.01.001", "doi:10.1016/j.cell.2020.01.001", None),
    ("10.1016/j.j\ufb01neco.2020.01.001", "doi:10.1016/j.jfineco.2020.01.001", None),
    ("10.1016/j.e\ufb00.2020.01", "doi:10.1016/j.eff.2020.01", None),
    ("10.1007/978\u20113\u2013030\u201201234\u22122_10", "doi:10.1007/978-3-030-01234-2_10", None),
    ("\uff11\uff10.1000/xyz", "doi:10.1000/xyz", None),
    ("10.1000%2Fxyz", "doi:10.1000/xyz", None),
    ("https://doi.org/10.1000%252Fxyz", "doi:10.1000/xyz", None),
    ("DOI:10.1000/XYZ", "doi:10.1000/xyz", None),
    ("doi 10.1000/xyz", "doi:10.1000/xyz", None),
    ("doi:https://doi.org/10.1000/xyz", "doi:10.1000/xyz", None),
    ("info:doi/10.1000/xyz", "doi:10.1000/xyz", None),
    ("http://dx.doi.org/10.1000/xyz?nosfx=y", "doi:10.1000/xyz", None),
    ("www.doi.org/10.1000/xyz", "doi:10.1000/xyz", None),
    ("doi.org/10.1000/xyz", "doi:10.1000/xyz", None),
    ("https://doi-org.proxy.example.edu/10.1000/xyz", "doi:10.1000/xyz", None),
    ("(doi:10.1000/xyz(2)).", "doi:10.1000/xyz(2)", None),
    ("\u201c10.1000/xyz,\u201d", "doi:10.1000/xyz", None),
    ("https://www.biorxiv.org/content/10.1101/456574v1?rss=1", "doi:10.1101/456574", 1),
    ("https://www.medrxiv.org/content/10.1101/456574v2.full.pdf+html", "doi:10.1101/456574", 2),
    # an address of any site that holds the name, in its path or its query
    ("https://academic.oup.com/mnras/article/doi/10.1093/mnras/stab123/6123456", "doi:10.1093/mnras/stab123", None),
    ("https://academic.oup.com/mnras/article-lookup/doi/10.1093/mnras/stab123", "doi:10.1093/mnras/stab123", None),
    (
        "https://journals.plos.org/plosone/article?id=10.1371/j.pone.0012&type=printable",
        "doi:10.1371/j.pone.0012",
        None,
    ),
    (
        "https://www.annualreviews.org/doi/10.1146/annurev-statistics-0312",
        "doi:10.1146/annurev-statistics-0312",
        None,
    ),
    ("https://www.jstor.org/stable/10.2307/2346178", "doi:10.2307/2346178", None),
    ("https://epubs.siam.org/doi/suppl/10.1137/S0036144598347059/suppl_file/a.pdf", "doi:10.1137/s0036144598347059", None),
    ("https://api.crossref.org/works/10.1038%2Fxyz", "doi:10.1038/xyz", None),
    ("https://zenodo.org/doi/10.5281/zenodo.1234567", "doi:10.5281/zenodo.1234567", None),
    ("https://hdl.handle.net/10.1038/xyz", "doi:10.1038/xyz", None),
    ("https://www.nature.com/articles/s41586-020-2649-2.pdf", "doi:10.1038/s41586-020-2649-2", None),
    ("https://www.catalyzex.com/paper/arxiv:2401.12345", "arxiv:2401.12345", None),
    ("https://www.google.com/url?q=https://arxiv.org/abs/2401.12345&sa=D", "arxiv:2401.12345", None),
    ("https://scholar.google.com/scholar_url?url=https%3A%2F%2Farxiv.org%2Fpdf%2F2401.12345&hl=en", "arxiv:2401.12345", None),
    ("https://ezproxy.example.edu/login?url=https://doi.org/10.1000/xyz", "doi:10.1000/xyz", None),
    ("https://ui.adsabs.harvard.edu/abs/2024arXiv240112345L/abstract", "arxiv:2401.12345", None),
    ("2012arXiv1201.1234L", "arxiv:1201.1234", None),
    # what stands before or behind an id in a list of references
    ("https://arxiv.org/abs/2401.12345v2 [math.CO]", "arxiv:2401.12345", 2),
    ("arXiv preprint arXiv:2401.12345", "arxiv:2401.12345", None),
    ("ArXiv e-prints: 2401.12345", "arxiv:2401.12345", None),
    ("arXiv:2401.12345 (2024)", "arxiv:2401.12345", None),
    ("arXiv:2401.12345v2 (cs.LG)", "arxiv:2401.12345", 2),
    ("10.1000\u2215xyz", "doi:10.1000/xyz", None),
]


@every_row(("written", "canonical", "version"), SPELLINGS)
def test_every_spelling_of_a_work_is_one_identifier(written: str, canonical: str, version: int | None) -> None:
    read = parse_identifier(written)
    assert (str(read.identifier), read.version) == (canonical, version)


@every_row(
    "written",
    [
        "",
        "paper",
        "2513.00001",
        "2510.1",
        "arxiv:",
        "http://example.org/x",
        "https://notarxiv.org/abs/1706.03762",
        "https://arxiv.org/list/cs.CL/recent",
        "https://paper.example.org/main/2401.12345",
        "https://example.org/read?next=/10.1000/xyz",
        "math.gt/10.1000",
        "https://arxiv.org/abs/9901001",
        "10.1000/<b",
        "10.1000/x</a>",
        "10.1/x",
        "seed:",
        "seed:a b",
        "x" * 5000,
        "arxiv:2510.19278v0",
    ],
)
def test_what_is_no_identifier_is_refused_with_one_that_would_do(written: str) -> None:
    with pytest.raises(InvalidIdentifier, match=r"should be (?:like arxiv:2510\.19278|at most 2000 characters)") as caught:
        parse_identifier(written)
    cut = "…" if len(written) > 2000 else ""
    assert str(caught.value).startswith(f"identifier {written[:80]!r}{cut}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=60))
def test_reading_what_was_canonical_changes_nothing(written: str) -> None:
    try:
        first = parse_identifier(written)
    except InvalidIdentifier:
        return
    assert parse_identifier(str(first.identifier)).identifier == first.identifier


def test_a_paper_is_named_by_arxiv_then_doi_then_the_rest() -> None:
    arxiv, doi, seed = Identifier("arxiv", "2510.19278"), Identifier("doi", "10.1/a"), Identifier("seed", "a")
    assert preferred((seed, doi, arxiv)) == arxiv
    assert preferred((seed, doi)) == doi
    assert preferred((Identifier("acl", "a"), doi, arxiv)) == arxiv, "by rank, not by the alphabet"
    assert preferred((seed, Identifier("feed", "b"))) == Identifier("feed", "b")
