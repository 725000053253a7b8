"""BibTeX and biblatex as people and reference managers write them, for imports and for what a reader cares about.

The entries are told apart by our own tokenizer: it is linear, reads `@article(…)`, takes up again after an entry that is never
closed and bounds what macros become, where bibtexparser 2 (a beta) recurses for every blank line and loses such entries, and
pybtex stops at the first error. Titles, venues and abstracts stay LaTeX (render/text/latex.py makes it readable) without the
braces that only protect words; names of people become Unicode (authors.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.authors import bibtex_authors
from digest.sources.dates import dated
from digest.sources.encoding import decoded
from digest.sources.latex import unprotected
from digest.sources.port import Parsed, Rejection

_JOURNALS = (
    "aap A&A, aapr A&ARv, aaps A&AS, actaa AcA, aj AJ, ao Appl. Opt., apj ApJ, apjl ApJL, apjlett ApJL, apjs ApJS, apjsupp ApJS,"
    " applopt Appl. Opt., apss Ap&SS, araa ARA&A, azh AZh, baas BAAS, caa ChA&A, cjaa ChJAA, fcp FCPh, gca GeCoA, grl GeoRL,"
    " iaucirc IAUC, icarus Icarus, jcap JCAP, jcp JChPh, jgr JGR, jqsrt JQSRT, jrasc JRASC, memsai MmSAI, mnras MNRAS, na NewA,"
    " nar NewAR, nat Nature, nphysa NuPhA, pasa PASA, pasj PASJ, pasp PASP, physrep PhR, physscr PhyS, planss P&SS, pra PhRvA,"
    " prb PhRvB, prc PhRvC, prd PhRvD, pre PhRvE, prl PhRvL, procspie SPIE, psj PSJ, qjras QJRAS, rmxaa RMxAA, skytel S&T,"
    " solphys SoPh, sovast SvA, ssr SSRv, zap ZAp"
)
JOURNALS = {f"\\{macro}": name for macro, _, name in (each.strip().partition(" ") for each in _JOURNALS.split(","))}
"""As ADS and A&A write them in BibTeX (https://ui.adsabs.harvard.edu/help/actions/journal-macros)."""
_ENTRY = re.compile(r"@\s*+([A-Za-z]{1,40}+)\s*+([{(])")
_NAME = re.compile(r"([A-Za-z][\w:.+/-]{0,60}+)\s*+=\s*+")
_SPACE = re.compile(r"\s*+")
_NO_NAME = re.compile(r"[\w:.+/-]++|.", re.DOTALL)
_MARK = re.compile(r'\\.|[{}"]|(?<!\s)\s++@', re.DOTALL)
_BARE = re.compile(r"[^\s,{}#\"()]{1,400}")
_KEY = re.compile(r"[^,{}\"=]{0,400}")
_JOINED = re.compile(r"\s*+#\s*+")
_ARXIV = re.compile(
    r"(?:arxiv\s*[:.]\s*|arxiv\.org/(?:abs|pdf)/)((?:[a-z-]+(?:\.[a-z-]{2,11})?/)?\d[\d.]{5,10}(?:v\d+)?)", re.IGNORECASE
)
_ELSEWHERE = ("comment", "preamble", "string")
_NO_PAPERS = ("xdata", "set", "control")
_INHERITED = ("date", "year", "month", "day", "journal", "journaltitle", "booktitle")
"""What an entry has from the one that its `crossref` names; from one that `xdata` names it has everything."""
_SIGNS = {"textless": "<", "textgreater": ">", "lt": "<", "gt": ">", "textasciitilde": "~", "textunderscore": "_", "sim": "~"}
_TAG = re.compile(r"\\textless(?:\{\}|\s)(/?[a-z]{1,6})\\textgreater(?:\{\}|\s?)")
_LINKED = re.compile(r"\\href\s*\{([^{}]*)\}\s*\{[^{}]*\}")
_MACRO = re.compile(r"\\([A-Za-z]+)(?:\{\}|\s*)|\\(.)", re.DOTALL)
MOST_MACROS = 10_000
LONGEST_MACRO = 2_000
MOST_EXPANDED = 4_000_000
"""Characters that the macros of a file may become in all: a few bytes can name a text over and over."""


@dataclass(slots=True)
class _Macros:
    texts: dict[str, str] = field(default_factory=dict)
    left: int = MOST_EXPANDED

    def define(self, values: dict[str, str]) -> None:
        if len(self.texts) < MOST_MACROS:
            self.texts |= {name: text[:LONGEST_MACRO] for name, text in values.items()}

    def expanded(self, name: str) -> str:
        """The macro's text; the name itself where there is no such macro, or too much was expanded already."""
        text = self.texts.get(name.lower(), name)
        self.left -= len(text)
        return text if self.left >= 0 else name


@dataclass(frozen=True, slots=True)
class Entry:
    """One `@kind{key, …}`; field names in lower case, values as written without their outer delimiters."""

    kind: str
    key: str
    fields: dict[str, str]
    line: int


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Every entry with a title. Raises UnreadableAnswer where there is no entry at all."""
    clean_fields.bounded(data, source)
    most = clean_fields.most_records(len(data))
    read = list(islice(entries(decoded(data)), most + 1))
    if len(read) > most:
        raise clean_fields.too_many(f"line {read[most][0]}", len(data))
    if not read:
        raise UnreadableAnswer(source, "no BibTeX: there is no @article{…} or the like")
    by_key: dict[str, Entry] = {}
    for _, entry in read:
        if entry:
            by_key.setdefault(entry.key.lower(), entry)
    wrong: list[Rejection] = []

    def sighting(placed: tuple[str, Entry | None]) -> Sighting | None:
        where, entry = placed
        if entry is None:
            raise InvalidInput("entry", "is never closed; a brace is missing")
        if entry.kind in _NO_PAPERS:
            return None
        people, odd = bibtex_authors(entry.fields.get("author", ""))
        if group := clean_fields.text(_words(entry.fields.get("collaboration", "")), 200):  # INSPIRE's
            people += (group if "ollaboration" in group else f"{group} Collaboration",)
        if odd:
            wrong.append(Rejection(where, clean_fields.clipped(f"author: {odd}")))
        return _sighting(_whole(entry, by_key), people, source, seen_at)

    places = [f"line {line} ({(entry.key if entry else '')[:60] or 'entry'})" for line, entry in read]
    placed = ((where, (where, entry)) for where, (_, entry) in zip(places, read, strict=True))
    parsed = clean_fields.collected(placed, sighting, size=len(data))
    return replace(parsed, rejected=(*parsed.rejected, *wrong[: clean_fields.MOST_REJECTED]))


def _whole(entry: Entry, by_key: Mapping[str, Entry]) -> dict[str, str]:
    """Its fields, and those it has from others."""
    fields = dict(entry.fields)
    for key in fields.get("xdata", "").split(",")[:10]:
        if (data := by_key.get(key.strip().lower())) and data.kind == "xdata":
            fields = data.fields | fields
    parent = by_key.get(fields.get("crossref", "").strip().lower())
    if fields.get("crossref") and parent and parent is not entry:
        fields = {name: parent.fields[name] for name in _INHERITED if name in parent.fields} | fields
        if not (fields.keys() & {"booktitle", "journal", "journaltitle"}) and "title" in parent.fields:
            fields["booktitle"] = parent.fields["title"]
    return fields


def entries(text: str) -> Iterator[tuple[int, Entry | None]]:
    """(line, entry) in order; None where an entry begins that is never closed."""
    macros = _Macros()
    at, line, counted = 0, 1, 0
    while found := _ENTRY.search(text, at):
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        kind, at = found[1].lower(), found.end()
        if kind == "comment":
            continue
        key = _KEY.match(text, at) if kind not in _ELSEWHERE else None
        values, at, closed = _values(text, key.end() if key else at, macros, "}" if found[2] == "{" else ")")
        if kind == "string":
            macros.define(values)
        elif not closed:
            yield line, None
        elif kind != "preamble":
            yield line, Entry(kind, key[0].strip() if key else "", values, line)


def _values(text: str, at: int, macros: _Macros, closer: str) -> tuple[dict[str, str], int, bool]:
    """`, name = value` until `closer`: the values, the place reached, and whether the closer was there."""
    values: dict[str, str] = {}
    while (at := _end(_SPACE, text, at)) < len(text):
        if text[at] == closer:
            return values, at + 1, True
        if named := _NAME.match(text, at):
            value, at = _value(text, named.end(), macros)
            values.setdefault(named[1].lower(), value)
        elif _ENTRY.match(text, at):  # the next entry: this one was never closed
            return values, at, False
        else:
            at = _end(_NO_NAME, text, at)
    return values, at, False


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, macros: _Macros) -> tuple[str, int]:
    """Pieces joined by `#`: {…}, "…", a number or a macro's name."""
    pieces: list[str] = []
    room = clean_fields.LONGEST_TEXT  # macros may be made of macros: no more than one text's worth
    while at < len(text):
        if text[at] in '{"':
            piece, at = _delimited(text, at)
        elif bare := _BARE.match(text, at):
            piece, at = macros.expanded(bare[0]) if room else "", bare.end()
        else:
            break
        pieces.append(piece[:room])
        room -= len(pieces[-1])
        if not (joined := _JOINED.match(text, at)):
            break
        at = joined.end()
    return "".join(pieces), at


def _delimited(text: str, at: int) -> tuple[str, int]:
    """What stands between the braces or quotes that open at `at`, braces inside balanced; ends before a line's new entry."""
    quoted, depth, start = text[at] == '"', 0, at + 1
    for found in _MARK.finditer(text, start):
        mark = found[0]
        if mark[-1] == "@" and "\n" in mark and _ENTRY.match(text, found.end() - 1):  # never closed: the next entry begins
            return text[start : found.start()], found.start()
        if mark == "{":
            depth += 1
        elif mark == "}" and depth:
            depth -= 1
        elif (mark == "}" and not quoted) or (mark == '"' and quoted and not depth):
            return text[start : found.start()], found.end()
        elif mark == "}":
            return text[start : found.start()], found.start()
    return text[start:], len(text)


def _sighting(fields: Mapping[str, str], people: tuple[str, ...], source: str, seen_at: datetime) -> Sighting:
    title = clean_fields.title(_titled(fields))
    return Sighting(
        source=source,
        identifiers=_identifiers(fields) or clean_fields.titled(title, people),
        title=title,
        seen_at=seen_at,
        abstract=clean_fields.text(_words(fields.get("abstract", ""))),
        authors=people,
        published_at=_published(fields, seen_at),
        categories=clean_fields.distinct(
            [clean_fields.text(_words(fields.get("primaryclass") or fields.get("eprintclass") or ""), 40)]
        ),
        keywords=clean_fields.distinct(
            clean_fields.text(_words(word), 80) for word in re.split(r"[,;]", fields.get("keywords", ""))[:50]
        ),
        url=clean_fields.address(_plain(fields.get("url", "")).partition(" ")[0]),
        venue=_venue(fields),
    )


def _words(text: str) -> str:
    """Without braces that only protect; tags and powers as Zotero and Google Scholar export them become tags and powers."""
    text = _TAG.sub(r"<\1>", text[: clean_fields.LONGEST_TEXT]).replace("\\^{} ", "^").replace("\\^{}", "^")
    return unprotected(text).strip()


def _titled(fields: Mapping[str, str]) -> str:
    title, subtitle = _words(fields.get("title", "")), _words(fields.get("subtitle", ""))
    return f"{title.rstrip(':. ')}: {subtitle}" if title and subtitle else title


def _venue(fields: Mapping[str, str]) -> str:
    written = _words(fields.get("journal") or fields.get("journaltitle") or fields.get("booktitle") or "")
    return clean_fields.text(JOURNALS.get(written.strip("{} "), written), 300)


def _published(fields: Mapping[str, str], seen_at: datetime) -> datetime | None:
    """By `date` (biblatex), or `year` with a month in numbers or words, to which some add the day ("10~" # jan)."""
    whole, year, month, day = (_plain(fields.get(name, "")).replace("~", " ")[:40] for name in ("date", "year", "month", "day"))
    if found := dated(whole, seen_at):
        return found
    in_numbers = "-".join(filter(None, (year, month, day))) if month.isdecimal() else ""
    return dated(in_numbers or f"{day} {month} {year}", seen_at) or dated(year, seen_at)


def _identifiers(fields: Mapping[str, str]) -> tuple[Identifier, ...]:
    """From eprint, doi, url, and the "arXiv preprint arXiv:…" that stands where a journal should."""
    record = {name: _plain(fields.get(name, "")) for name in ("archiveprefix", "eprinttype", "eprint", "primaryclass", "arxivid")}
    written = [record["arxivid"]]
    if (record["archiveprefix"] or record["eprinttype"] or "arxiv").lower() == "arxiv":
        written.append(
            f"{record['primaryclass']}/{record['eprint']}" if re.fullmatch(r"\d{7}", record["eprint"]) else record["eprint"]
        )
    written.append(_plain(fields.get("doi", "")))
    for name in ("journal", "journaltitle", "url", "note", "howpublished", "volume", "number"):
        if text := fields.get(name):
            written += [found[1] for found in _ARXIV.finditer(text[: clean_fields.LONGEST_LINE])]
    if fields.get("journal", "").strip("{} ").lower() == "corr":  # dblp's name of arXiv
        written.append(_plain(fields.get("volume", "")).removeprefix("abs/"))
    return clean_fields.identifiers(*written, _plain(fields.get("url", "")))


def _plain(text: str) -> str:
    """A name, an address or a date without LaTeX: `10.1000/a{\\_}b\\ensuremath{<}c` → "10.1000/a_b<c"."""
    text = text[: clean_fields.LONGEST_LINE]
    if "\\" in text:
        text = _MACRO.sub(lambda found: found[2] or _SIGNS.get(found[1], ""), _LINKED.sub(r"\1", text))
    for sign in "{}$":
        text = text.replace(sign, "")
    return " ".join(text.split())
