"""What readers see instead of LaTeX, and what is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.render.text.latex import LONGEST, readable
from tests.tables import every_row

READS = [
    (r"$\alpha$-divergence", "α-divergence"),
    (r"Paulo Andr\'e Lima de Castro", "Paulo André Lima de Castro"),
    (r"Schr{\"o}dinger, G\"odel, Erd\H{o}s, \v{S}koda, Fran\c cois", "Schrödinger, Gödel, Erdős, Škoda, François"),
    (r"\O ystein, \L ukasz, Nils{\aa}s, Mar\'{\i}a", "Øystein, Łukasz, Nilsås, María"),
    (r"\emph{very} \textit{nice {GPT}}", "very nice GPT"),
    (r"x_1, CO_2, 10^43 ergs s^-1", "x₁, CO₂, 10⁴³ ergs s⁻¹"),
    (r"$O(n^2)$ and $\mathcal{O}(n\log n)$", "O(n²) and O(n log n)"),
    (r"$10^{-4}$, $\sqrt{s_{NN}}=5.02$~TeV", "10⁻⁴, √s_NN=5.02 TeV"),
    (r"$\frac{a+b}{c}$ and $\frac{1}{2}$", "(a+b)/c and 1/2"),
    (r"$\mathbb{R}^d$, $\hat{x}_i$, $\bar U\bar D$, \(\ell_1\)", "ℝᵈ, x̂ᵢ, ŪD̄, ℓ₁"),
    (r"$1.13\times$ faster, $x \in \{0,1\}^n$", "1.13× faster, x ∈ {0,1}ⁿ"),
    (r"nb$^{-1}$, Z$_4$, $^{13}$C at $90^\circ$", "nb⁻¹, Z₄, ¹³C at 90°"),
    (r"10\% of \$5 \& more", "10% of $5 & more"),
    ("``quoted'' text -- Navier--Stokes---so", "“quoted” text – Navier–Stokes—so"),
    ("AT&amp;T, &eacute;, &#x3B1;, &amp;lt;", "AT&T, é, α, <"),
    ("5-HT<sub>7</sub> in <i>E. coli</i><br/>again", "5-HT₇ in E. coli again"),
    (r"(α,\b{eta},γ)", "(α,β,γ)"),
    ("Fig.~3 by Dr.~Who", "Fig. 3 by Dr. Who"),
]
"""(as a source gives it, as a reader sees it)"""

LEFT = [
    "costs $5 and $10 million",
    "PUSA with $500 Training Cost",
    "p < 0.05 and ~100 of http://example.org/~user",
    "file_1 uses f_name in {0,1}",
    "about 10% of 30% of C# & co.",
    r"$\begin{pmatrix} 1 & 0 \end{pmatrix}$ stays",
    r"\unheardof{argument} stays",
    "a lone { or } or \\",
]


@every_row(("given_", "seen"), READS)
def test_what_readers_see(given_: str, seen: str) -> None:
    assert readable(given_) == seen


@every_row(
    ("written", "read"),
    [
        (r"Biofouling$\unicode{x2013}$communities", "Biofouling–communities"),
        (r"at $\href{https://a.example/b}{\text{this https URL}}$.", "at this https URL."),
        (r"$\unicode{x202E}$ and $\unicode{xFFFFFF}$", r"$\unicode{x202E}$ and $\unicode{xFFFFFF}$"),
        (r"$M\vDash\phi$", "M⊨φ"),
        (r"that \begin{equation*} a_1 \le b \label{eq:1} \end{equation*} holds", "that a₁ ≤ b holds"),
        (r"logics $\mathcal{E\mkern-2mu L}$", "logics EL"),
        (r"so \begin{align} a &= b \\ c &= d \end{align} too", "so a = b c = d too"),
        (r"$\begin{cases} 1 \\ 0 \end{cases}$ \begin{equation} x", r"$\begin{cases} 1 \\ 0 \end{cases}$ x"),
        (r"with \begin{equation}\tag{E0}\label{54} v_1=2", "with v₁=2"),
    ],
)
def test_what_arxivs_own_pages_can_show(written: str, read: str) -> None:
    assert readable(written) == read


@every_row("text", LEFT)
def test_what_cannot_be_made_readable_or_only_looks_like_latex_is_left_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_what_could_harm_a_line_is_gone() -> None:
    assert readable("a\x00b\r\nc\ud800d\u202ee\x85f\u2066") == "a b c d e f"


@given(st.text(max_size=200) | st.text(alphabet="\\${}^_~-'\"`&;<>#% abctu19\n()[]", max_size=200))
def test_nothing_raises_and_nothing_unsafe_comes_out(text: str) -> None:
    seen = readable(text)
    assert not [c for c in seen if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    seen.encode()


@given(
    st.lists(
        st.sampled_from(["$\\alpha$", "{\\'e}", "\\emph{", "}", "$x^{", "_{", "\\frac", "\\(", "\\)", "$$", "text", "&lt;", " "])
    )
)
def test_pieces_of_latex_in_any_order_raise_nothing(pieces: list[str]) -> None:
    assert readable("".join(pieces)) == readable("".join(pieces)).strip()


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\\${}&<~^_`-'"), max_size=300))
def test_plain_text_is_kept_and_reading_it_twice_changes_nothing(text: str) -> None:
    once = readable(text)
    assert readable(once) == once
    if text.isascii():
        assert once == " ".join(text.split())


@pytest.mark.parametrize(
    "hostile", ["{" * 19_000, "$" * 19_000, "\\emph{" * 3_000, "$x^{" * 4_000, "{a" * 9_000 + "}" * 100, "\\(" * 9_000]
)
def test_hostile_nesting_costs_no_more_than_its_length(hostile: str) -> None:
    assert len(readable(hostile)) <= len(hostile)


def test_a_text_too_long_is_only_cleaned() -> None:
    long = r"$\alpha$ " * (LONGEST // 8)
    assert readable(long) == long.strip()
