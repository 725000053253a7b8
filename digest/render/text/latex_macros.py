"""Macros of text mode, by what becomes of their arguments."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WRAPPERS = _words(
    "emph textit textbf textsc texttt textrm textsf textsl textup textmd textnormal text mbox hbox underline uline title"
    " uppercase ensuremath textquote enquote MakeUppercase mathrm url nolinkurl lowercase MakeLowercase num si unit path"
    " hl st sout centerline ac acs acl acf acp gls Gls glspl acrshort acrlong acrfull"
)
LAST_ARGUMENT = {
    "textcolor": 2, "colorbox": 2, "fcolorbox": 3, "href": 2, "raisebox": 2, "scalebox": 2, "resizebox": 3, "rotatebox": 2,
    "parbox": 2, "foreignlanguage": 2, "hyperlink": 2, "hypertarget": 2,
}  # fmt: skip
"""Of so many arguments, only the last one is for readers."""
DROPPED_ARGUMENTS = _words("color label tag vspace hspace index thanks phantom bibliographystyle pagestyle thispagestyle input")
SWITCHES = _words(
    "em it bf rm sc tt sf sl cal itshape bfseries scshape ttfamily normalfont small footnotesize large Large LARGE huge tiny"
    " noindent xspace protect relax centering newline par maketitle sloppy boldmath unboldmath rmfamily sffamily upshape mdseries"
    " scriptsize normalsize bigskip medskip smallskip hfill linebreak item"
)
DISPLAYS = _words("equation align gather multline displaymath math eqnarray flalign")
PLAIN_ENVIRONMENTS = _words("itemize enumerate center abstract quote quotation description flushleft flushright")
REFERENCES = _words("cite citep citet citealp citealt citeauthor citeyear ref eqref autoref cref Cref")
LETTERS = _words("O o L l ae AE oe OE aa AA ss SS i j dh DH dj DJ ng NG th TH")
"""The space behind these only ends the macro's name; behind others a writer of plain text means it."""
