"""Kinds of markup in titles and abstracts, each with what readers see; no number changes its value."""

from __future__ import annotations

import random
import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from digest.render.text.latex import LONGEST, readable
from tests.tables import every_row

SCRIPTS_OUTSIDE_DOLLARS = [
    ("R^2ec, H^2SD and Transformer^2", "R²ec, H²SD and Transformer²"),
    ("μ_0, τ_0-VLA, λ_12 and θ_{t}", "μ₀, τ₀-VLA, λ₁₂ and θₜ"),
    ("the π_{0.5} model beats π_0", "the π0.5 model beats π₀"),
    ("10^{-3} of 10^{26}, 10^-9 and 10^−9", "10⁻³ of 10²⁶, 10⁻⁹ and 10⁻⁹"),
    ("603,000 km^2, 5 m s^{-1}, 9.8 m/s^2", "603,000 km², 5 m s⁻¹, 9.8 m/s²"),
    ("360^\\circ and 25^{\\circ}C", "360° and 25°C"),
    ("H_2O_2, Fe_2O_3, SiO_2, SO_4^{2-}, Na^+, NO_x", "H₂O₂, Fe₂O₃, SiO₂, SO₄²⁻, Na⁺, NOₓ"),
    ("L_2-norms in R^n, (x+y)^2, AdS_5 x S^5", "L₂-norms in Rⁿ, (x+y)², AdS₅ x S⁵"),
    ("T_{eff}x, k_BT, p_{T} and \\alpha_1", "T_(eff)x, k_BT, p_T and α₁"),
    ("e^+e^- and B^0_s", "e⁺e⁻ and B⁰ₛ"),
    ("x_{12} of 10^{12}M_\\odot", "x₁₂ of 10¹²M_⊙"),
    ("file_1, v_1_2, f_name, __init__, a^b^c, ^_^", "file_1, v_1_2, f_name, __init__, a^b^c, ^_^"),
    ("2^1/2, 10^5.3 and 10^5,000 stay", "2^1/2, 10^5.3 and 10^5,000 stay"),
    ("https://a.example/x_1/y^2?q=~z", "https://a.example/x_1/y^2?q=~z"),
]
NESTED = [
    (r"$\mathbb{F}_{q^n}$ is not $\mathbb{F}_q^n$", "F_(qⁿ) is not F_qⁿ"),
    (r"$e^{x^2}$, $2^{n^2}$, $V_{L_2}^{A_5}$, $\mathbb{P}^{n_1}$", "e^(x²), 2^(n²), V_(L₂)^(A₅), ℙ^(n₁)"),
    (r"$a_{b_{c}}$ and $x^{y_1^2}$ and ${x^2}^3$", "a_(b_c) and x^(y₁²) and x²³"),
    (r"$W^{1,p}$ and $10^{5,000}$ but $x_{i,j}$", "W^(1,p) and 10^(5,000) but xᵢ,ⱼ"),
    (r"$x^{n - 1}$, $x_{i = 1}$, $10^{5 3}$", "xⁿ⁻¹, xᵢ₌₁, 10^(5 3)"),
    (r"$e^{\alpha t}$, $e^{i\pi}$, $2^{-\lambda}$", "e^(αt), e^(iπ), 2^(-λ)"),
    (r"$5.3^{+0.1}_{-0.2}$, $10^{5.3}$, $2^{1/2}$, $x^{(k)}$", "5.3^(+0.1)_(-0.2), 10^(5.3), 2^(1/2), x⁽ᵏ⁾"),
    (r"$H^{s_1}_{loc}$", "H^(s₁)_loc"),
    (r"$2^{2^{n}}$", "2^(2ⁿ)"),
    (r"$\Gamma_{0}(p^{2})$", "Γ₀(p²)"),
]
FRACTIONS_AND_ROOTS = [
    (r"$2\frac{1}{2}$ and 3$\frac{1}{4}$", "2 1/2 and 3 1/4"),
    (r"$\frac{1}{2}3$, $\frac12x$, ${\frac{1}{2}}3$", "(1/2)3, (1/2)x, (1/2)3"),
    (r"$\sqrt{2}3$, $5\sqrt{3}$, $2\sqrt[3]{2}$", "√(2)3, 5√3, 2 ³√2"),
    (r"$\frac{1}{2x}$, $\frac{a+b}{c}$, $x^{\frac{1}{2}}$", "1/(2x), (a+b)/c, x^(1/2)"),
    (r"$\frac{1}{2}^{3}$ and $a/\frac{1}{2}$", "(1/2)³ and a/(1/2)"),
]
CHEMISTRY_AND_INFIXES = [
    (r"\ce{SO4^2-}, \ce{^{13}C}, \ce{Ca^{2+}}, $\ce{Fe2O3}$", "SO₄²⁻, ¹³C, Ca²⁺, Fe₂O₃"),
    (r"\ce{2H2 + O2 -> 2H2O}, \ce{H3O+}, \ce{CH3-CH3}", "2H₂ + O₂ → 2H₂O, H₃O⁺, CH₃-CH₃"),
    (r"${n \choose k}$, $a \over b+c$, $2{1\over 2}$, $x^{1\over2}$", "(n choose k), a/(b+c), 2 1/2, x^(1/2)"),
    (r"$\sum_{\substack{p>y \\ n\le x}} \mu(n)$", "∑_(p>y,n≤x) μ(n)"),
    (r"$\widehat{sl}_2$, $\widetilde{Sp}(n)$, $\overline{X_n}$, $\overrightarrow{C_n}$", "ŝl̂₂, S̃p̃(n), X̅ₙ, C⃗ₙ"),
    (r"$A \not\subset B$, $x\not\in A$, $a \not= b$, $\not\exists$", "A ⊄ B, x∉A, a ≠ b, ∄"),
]
SPACING = [
    (r"$\lfloor n/2 \rfloor$, $\langle U, U \rangle = \lceil x\rceil$", "⌊n/2⌋, ⟨U, U⟩ = ⌈x⌉"),
    (r"$M_{\star} \gtrsim 10^{10}$, $a \star b$, $X \dashrightarrow Y$", "M_⋆ ≳ 10¹⁰, a ⋆ b, X ⇢ Y"),
    (r"$n\geq 3$, $n \geq3$, $n\geq3$, $n \geq 3$", "n≥3, n ≥ 3, n≥3, n ≥ 3"),
    (r"$a =-1$, $x\in A$, $5\times 10^5$, $f: X \to Y$", "a = -1, x∈A, 5×10⁵, f: X → Y"),
    (r"$|x| + |y|$, $P(A\mid B)$, $x \mid y$", "|x| + |y|, P(A|B), x | y"),
    (r"$\left( x \right)$, $\pm 3$, $3\pm 1$, $\forall x$", "(x), ±3, 3±1, ∀x"),
    (r"$n\log n$ and $\alpha + \beta$", "n log n and α + β"),
]
TIES_AND_QUOTES = [
    ("AIME~2024, Fig.~3, J.~A. Lee, 5~GeV, $x$~and", "AIME 2024, Fig. 3, J. A. Lee, 5 GeV, x and"),
    ("z~6, 5~10 days, ~100, X~N(0,1), ~/home", "z~6, 5~10 days, ~100, X~N(0,1), ~/home"),
    (r"$T=39\,$K, 10$\,\mu$m, $5~$GeV and $10\,\mathrm{K}$; $a\,$, b", "T=39 K, 10 μm, 5 GeV and 10 K; a, b"),
    ("9{,}600 videos, N{=}4, 1{:}2", "9,600 videos, N=4, 1:2"),
    (r"10\%--20\%, $10\%$--$20\%$, 5°--7°, [a]--[b]", "10%–20%, 10%–20%, 5°–7°, [a]–[b]"),
    ("``open'' and `single'", "“open” and ‘single’"),
    ("''twice'' but don't and f''", "“twice” but don't and f''"),
    ("{COVID-19} by {B}ayes, {U.S.}; {0,1}, {a, b}", "COVID-19 by Bayes, U.S.; {0,1}, {a, b}"),
]
MONEY = [
    (r"\$15 Frontier Run for \$20-\$30", "$15 Frontier Run for $20-$30"),
    ("costs $5 and $10", "costs $5 and $10"),
    ("US$5M to US$10M, or $1,000 vs. $2,000", "US$5M to US$10M, or $1,000 vs. $2,000"),
    ("$10 million and $20 million", "$10 million and $20 million"),
    ("from $0.10 to $0.02 per 1M tokens ($x$ times)", "from $0.10 to $0.02 per 1M tokens (x times)"),
    ("saves $3.2 billion, i.e. $1 per head", "saves $3.2 billion, i.e. $1 per head"),
    (r"$100$ GPUs at $\$5$ and \$$6$", "100 GPUs at $5 and $6"),
    ("$5/month vs $10/month; $100k–$200k; a $5-$10 bill", "$5/month vs $10/month; $100k–$200k; a $5-$10 bill"),
    ("pay $20 (about $18)", "pay $20 (about $18)"),
    ("$3+$2 = $5", "$3+$2 = $5"),
]
MACROS = [
    (r"one parameter \alpha. A guide to \LaTeX!", "one parameter α. A guide to LaTeX!"),
    (r"ends in \beta", "ends in β"),
    (r"{\cal N}=4, $\Bbbk$-algebra, $G^{\Box k}$, $\eps>0$, $\Re(s)$", "N=4, 𝕜-algebra, G^(□k), ε>0, Re(s)"),
    (r"\texorpdfstring{$p$}{p}-adic \texorpdfstring{$\Theta$}{Theta} \texorpdfstring{$\mine$}{Mine}", "p-adic Θ Mine"),
    (r"RCD{\boldmath$(K,N)$} and {\color{red}new} \colorbox{red}{x}", "RCD(K,N) and new x"),
    (r"\textcolor{blue}{https://x.example} \href{http://a.example}{w}", "https://x.example w"),
    (r"\LaTeX{} is, \LaTeX\ is, \LaTeX is; \ss e, \O ystein", "LaTeX is, LaTeX is, LaTeX is; ße, Øystein"),
    (r"\ours{} beats \foo{a}{b}", r"\ours beats \foo{a}{b}"),
    (r"$\Lk$-spaces over $\mathrm{GL}_n(\F_q)$, $\foo{x^2}$", r"\Lk-spaces over GLₙ(\F_q), \foo{x²}"),
    (r"Nguy\~{\^e}n, {\v{S}}koda, M{\"u}ller, Erd{\H o}s, Bod{\'{\i}}k", "Nguyễn, Škoda, Müller, Erdős, Bodík"),
    (r"\SI{5}{GHz}, \num{1e5}, \eg, x, \etal. y", "5 GHz, 1e5, e.g., x, et al. y"),
    (r"\sqrt{s} = 13 TeV, \mathbb{R}^2, \frac{1}{2}", "√s = 13 TeV, ℝ², 1/2"),
]
MARKUP = [
    ("10<sup>5.3</sup> cells, 2<sup>1/2</sup>, 10<sup>−3</sup>, 10<sup>–3</sup>", "10^(5.3) cells, 2^(1/2), 10⁻³, 10⁻³"),
    ("e<sup>αt</sup>, T<sub>eff</sub>x, k<sub>B</sub>T, Ca<sup>2+</sup>", "e^(αt), T_(eff)x, k_BT, Ca²⁺"),
    ("10<sup><i>n</i></sup>, x<sub>i<sup>2</sup></sub>, Acme<sup>®</sup>", "10ⁿ, x_(i²), Acme®"),
    ('<jats:p xml:lang="en">We see <jats:italic>x</jats:italic><jats:sup>2</jats:sup>.</jats:p>', "We see x²."),
    ('See <jats:ext-link xlink:href="https://a.example/?b=1">here</jats:ext-link>', "See here"),
    ('<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>N</mml:mi></mml:math>-coupled', "N-coupled"),
    ("<mml:math><mml:msqrt><mml:mi>s</mml:mi></mml:msqrt><mml:mo>=</mml:mo><mml:mn>13</mml:mn></mml:math> TeV", "√s = 13 TeV"),
    ("<math><msup><mn>10</mn><mrow><mo>−</mo><mn>3</mn></mrow></msup></math>", "10⁻³"),
    ("<m:math><m:mfrac><m:mn>1</m:mn><m:mi>n</m:mi></m:mfrac></m:math> <b>bold</b>", "1/n bold"),
    ("<math><mmultiscripts><mi>C</mi><mprescripts/><none/><mn>13</mn></mmultiscripts></math>", "¹³C"),
    ("<math><msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup><mover><mi>x</mi><mo>¯</mo></mover></math>", "aᵢ²x̄"),
    (
        r"<alternatives><tex-math>\documentclass{x}\begin{document}$$\alpha ^2$$\end{document}</tex-math>"
        "<mml:math><mml:mi>α</mml:mi></mml:math></alternatives>",
        "α²",
    ),
    ("&amp;lt;i&amp;gt;E. coli&amp;lt;/i&amp;gt; &amp pepper, O&#8217;Brien, R&D", "E. coli & pepper, O’Brien, R&D"),
    ("p < 0.05; n<p and p>3; a<b and c>d; x<i>y", "p < 0.05; n<p and p>3; a<b and c>d; x<i>y"),
    ("<image> and List<int> and <think>hm</think>", "<image> and List<int> and <think>hm</think>"),
    ("<!-- hidden --><![CDATA[kept]]>", "kept"),
]


@every_row(
    ("written", "seen"),
    [
        *SCRIPTS_OUTSIDE_DOLLARS,
        *NESTED,
        *FRACTIONS_AND_ROOTS,
        *CHEMISTRY_AND_INFIXES,
        *SPACING,
        *TIES_AND_QUOTES,
        *MONEY,
        *MACROS,
        *MARKUP,
    ],
)
def test_each_kind_as_readers_see_it(written: str, seen: str) -> None:
    assert readable(written) == seen


def digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text if unicodedata.digit(c, -1) >= 0)


PIECES = [
    *(
        "1",
        "23",
        "0.5",
        "1,000",
        "10",
        "x",
        "n",
        "μ",
        "km",
        "CO",
        " ",
        " and ",
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "-",
        "−",
        "+",
        "/",
        "=",
    ),
    *(
        "^2",
        "_3",
        "^{-4}",
        "_{5.6}",
        "^{7/8}",
        "^{n_9}",
        "_{a^1}",
        "^-2",
        "_12",
        "$",
        "$$",
        "{",
        "}",
        "~",
        "``",
        "''",
        "\\$",
        "\\,",
    ),
    *(
        "\\alpha",
        "\\frac{1}{2}",
        "\\frac34",
        "\\ce{H2O4^2-}",
        "${1\\over 2}$",
        "${7 \\choose 3}$",
        "\\sqrt{5}",
        "\\sqrt[3]{6}",
        "\\geq 7",
        "\\times",
        "\\textbf{8}",
        "\\mathrm{9}",
        "\\log",
    ),
    *(
        "<sup>1</sup>",
        "<sub>2</sub>",
        "<sup>3.4</sup>",
        "<i>5</i>",
        "<sup>",
        "</sup>",
        "<",
        ">",
        "<b and c>",
        "\\foo{6}{7}",
        "\\(",
        "\\)",
    ),
    *(
        "<msup><mn>8</mn><mn>9</mn></msup>",
        "<mfrac><mn>1</mn><mn>2</mn></mfrac>",
        "<mn>3</mn>",
        "{,}",
        "{4}",
        "$x^5$",
        "$6$",
        "&lt;7",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_the_digits_that_come_in_come_out_in_order(pieces: list[str]) -> None:
    source = "".join(pieces)
    assert digits(readable(source)) == digits(source)


@given(
    st.integers(0, 999),
    st.integers(0, 99),
    st.sampled_from(["^", "_"]),
    st.sampled_from(["<{0}>{1}</{0}>", "${0}{{{1}}}$", "{0}{{{1}}}"]),
)
def test_a_script_never_joins_the_number_before_it(base: int, script: int, sign: str, form: str) -> None:
    tag = {"^": "sup", "_": "sub"}[sign] if "<" in form else sign
    for inner in (f"{script}.5", f"{script}/2", f"-{script}", str(script)):
        seen = readable(f"{base}{form.format(tag, inner)}")
        follower = seen[len(str(base))]
        assert follower in "^_" or unicodedata.normalize("NFKC", follower) != follower, seen


HOSTILE = [
    *(
        "{",
        "}",
        "$",
        "\\",
        "<",
        "&",
        "~",
        "^",
        "`",
        "(",
        "\\frac",
        "\\frac{",
        "\\sqrt[",
        "$\\frac{1",
        "x^{",
        "<sup>",
        "<a b=",
        '<a b="',
        "<!--",
    ),
    *(
        "<mml:msup>",
        "</p>",
        "$x^{",
        "`a",
        "''a",
        "\\begin{equation}",
        "\\text{$",
        "a_1",
        "Fe_2",
        "http://",
        "&lt;b",
        "{a}",
        "<b x='1' ",
    ),
    *("\\verb|", "\\href{a}{", "~1", "$ { ", "\\(", "{$", "\\~{", "_{", "<i>", "$5 ", "\\foo{a}", "a ^1", "\\cite{"),
]


@every_row("hostile", HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(hostile: str) -> None:
    for end in ("", "}" * (LONGEST // 3)):
        text = (hostile * LONGEST)[: LONGEST - len(end)] + end
        began = time.process_time()
        readable.__wrapped__(text)
        assert time.process_time() - began < 1.5, "a fifth of a second on an idle machine"


def test_a_megabyte_of_anything_is_only_cleaned_and_pieces_of_it_are_read_in_time() -> None:
    rng = random.Random(24)
    text = "".join(rng.choices([*PIECES, "\\emph{", "<mml:mi>", "&#x3b1;", "\u0301", "\U0001f600"], k=200_000))
    began = time.process_time()
    readable.__wrapped__(text)
    assert time.process_time() - began < 2.0
    for start in range(0, 200_000, LONGEST):
        began = time.process_time()
        readable.__wrapped__(text[start : start + LONGEST])
        assert time.process_time() - began < 1.5
