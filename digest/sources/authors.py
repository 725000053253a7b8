"""Names of authors as sources and people write them → ("Ann Lee", "Bo Li Jr.", "ATLAS Collaboration"): given name first.

Lee, Ann; Li, Bo · Ann Lee, Bo Li and Cy Roe · Lee, A., Li, B. · {The Team} and M{\\"u}ller, J.~A. · {"given": …, "family": …}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from itertools import islice
from typing import Any, Literal

from digest.sources import clean_fields
from digest.sources.latex import balanced, from_latex

Comma = Literal["either", "inverts", "parts"]
"""What a lone comma does: turn "Lee, Ann" round (BibTeX, a list of names), part two people (arXiv), or whichever looks right."""
_LONGEST = 300
_ODD = re.compile(
    r"[,;:|/·•・&<>{}\\~$@()\[^*†‡§¶\d¹²³⁰-⁹、，；]|\b(?:and|by|et|und|och|и|others|behalf|for|dr|prof|phd|m[sp][ch])\b|…|\.\.",
    re.IGNORECASE,
)
"""A name without any of these is one person, given name first."""
_TAG = re.compile(r"<sup>[^<>]{0,40}</sup>|</?[A-Za-z][^<>]{0,300}>", re.IGNORECASE)
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_TITLED = re.compile(r"(?:(?:dr|prof|professor)\b\.? ?(?:ing\. |med\. |h\. ?c\. )?)+(?=\w)", re.IGNORECASE)
_MAILED = re.compile(r"\S{1,200}@\S{1,200}(?: \(([^()]{1,300})\))?")
_BY = re.compile(r"^(?:(?:(?:written|edited|compiled|(?:with )?(?:an? )?(?:\w+ )?appendix) )?by:?|authors?:) ", re.IGNORECASE)
_ORCID = re.compile(r"\(?(?:https?://)?(?:orcid(?:\.org/|:? ))?\b\d{4}-\d{4}-\d{4}-\d{3}[\dX]\b\)?", re.IGNORECASE)
_AFFILIATIONS = re.compile(r"\s?\(\(.*")
"""Ann Lee (1), Bo Li (2) ((1) An Institute, (2) Another)"""
_RAISED = re.compile(r",\s?\d{1,2}(?:,\d{1,2})*(?=\s|$)")
"""A footnote's number behind the comma: "Ann Lee,1 Bo Li,2"."""
_BRACKETED = re.compile(r" ?\([^()]{0,300}\)(?=\s*(?:[,;)]|$|and\b|&))")
_MORE = re.compile(
    r"(?:(?:[,;]?(?:\s+and)?\s+|^)(?:et\.? al\.?|others|\+? ?\d+ (?:more|others)(?: authors)?)|[,;]?\s*(?:…|\.\.\.))\s*$",
    re.IGNORECASE,
)
_TEAM = r"(?:collaborations?|consortium|team|group)"
_BEHALF = re.compile(
    rf"(?:^|,? )\(?on behalf of (?=\S)|(?:^|,? )\(?for (?=the [^,;()]{{1,200}}\b{_TEAM}\b)|(?<=\w)(?: :|:) (?=\S)", re.IGNORECASE
)
_AND = re.compile(r",?\s+(?:and|und|et|och|и|&|[|/·•])\s+|(?<=[\u3400-\u9fff])・(?=[\u3400-\u9fff])", re.IGNORECASE)
_GENERATION = re.compile(r"(?:jr|sr|ii|iii|iv|2nd|3rd)\.?", re.IGNORECASE)
_COMPANY = re.compile(r"(?:inc|ltd|llc|corp|gmbh)\.?", re.IGNORECASE)
_SURE_DEGREE = r"ph\.?\s?d\.?|d\.?phil\.?|m\.?sc\.?|b\.?sc\.?|m\.?p\.?h\.?|mbbs|mba|esq\.?|frcp|frs"
_DEGREE = re.compile(rf"{_SURE_DEGREE}|m\.?d\.?|r\.?n\.?", re.IGNORECASE)
_DEGREES = re.compile(r"(?: MD)?(?:,? (?:Ph\.?D\.?|DPhil|MSc|BSc|MPH|MBBS|FRS))+$")
_GROUP = re.compile(
    r"\b(?:collaborations?|consortium|consortia|team|group|universit\w+|institut\w*|laborator(?:y|ies)|cent(?:er|re)|society"
    r"|association|committee|network|project|department|initiative|foundation|company|agency|council|ministry|task force)\b",
    re.IGNORECASE,
)
_INITIALS = re.compile(r"[^\W\d_a-zß-ÿ]{1,3}\.?|[^\W\d_a-zß-ÿ](?:[.\s-]+[^\W\d_a-zß-ÿ]){0,4}\.?")
_RAISED_SIGN = "[¹²³⁰-⁹]"
_MARKS = re.compile(
    rf"(?:\s*(?:[*†‡§¶]|\^(?=\d))+\d{{0,2}}(?:,\d{{1,2}})*|\s?{_RAISED_SIGN}(?:[˒⁾⁽,]*{_RAISED_SIGN})*|\s?\[\d[\d, ]{{0,9}}\]"
    r"|(?<=[^\W\d_])\d{1,2}(?:,\d{1,2})*|\s\d{4})+$"
)
"""Footnotes, and the numbers by which dblp tells namesakes apart."""
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_WIDE = str.maketrans({"、": ",", "，": ",", "；": ";", "＆": "&"})

_TOKEN = re.compile(r"[{}]|[^{}]+")
_KEPT = {",": "\ue000", ";": "\ue001", "&": "\ue002", " ": "\ue003"}
"""What stands inside braces parts nobody: it is out of sight until the names are apart."""
_HIDE, _SHOW = str.maketrans(_KEPT), str.maketrans({hidden: sign for sign, hidden in _KEPT.items()})


def authors(values: Iterable[object], *, comma: Comma = "either") -> tuple[str, ...]:
    """Every name in `values`: a name or a whole byline each, or a table of a name's parts. Nobody is lost."""
    given = [each for each in islice(values, clean_fields.MOST_NAMES) if each]
    if comma == "either" and len(given) > 1:
        comma = "inverts"
    found: list[str] = []
    for each in given:
        if isinstance(each, Mapping):
            found += _of_table(each, comma)
        elif isinstance(each, str):
            found += [each] if len(each) <= _LONGEST and not _ODD.search(each) else _people(_plain(each), comma)
    return clean_fields.names(_with_generations(found))


def _with_generations(people: Iterable[str]) -> Iterator[str]:
    """ "Ann Lee", "Jr." → "Ann Lee Jr."."""
    held = ""
    for person in people:
        if held and _GENERATION.fullmatch(person):
            held = f"{held} {person}"
            continue
        if held:
            yield held
        held = person
    yield held


def _of_table(person: Mapping[str, Any], comma: Comma) -> list[str]:
    parts = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")
    whole = " ".join(text for part in parts if (text := clean_fields.text(person.get(part), 200)))
    if whole or not person.get("name"):
        return [_plain(whole or clean_fields.text(person.get("literal"), _LONGEST))]
    return _people(_plain(clean_fields.text(person["name"], _LONGEST)), comma)


def _plain(line: str) -> str:
    line = clean_fields.text(line)
    if "&" in line:
        line = unescape(line)
    if "<" in line:
        line = _TAG.sub("", _BREAK.sub("; ", line))
    if any(sign in line for sign in "\\{}~"):
        line = _unbraced(from_latex(line))
    if "0" in line:
        line = _ORCID.sub("", line)
    return " ".join(line.split())


def _people(line: str, comma: Comma) -> list[str]:
    line = line.translate(_WIDE).strip(" ,;")
    if mailed := _MAILED.fullmatch(line):
        line = mailed[1] or ""
    line = _BY.sub("", _RAISED.sub(",", _AFFILIATIONS.sub("", line)), count=1)
    line = line[1:-1] if line[:1] == "(" and line.find(")") == len(line) - 1 else line
    people: list[str] = []
    for written in _BEHALF.sub("\n", line).split("\n"):
        side = _MORE.sub("", _BRACKETED.sub("", _BRACKETED.sub("", written))).strip(" ,;)")
        if ";" in side:
            for part in side.split(";"):
                people += _parted(part, "inverts" if comma == "either" else comma)
        elif side:
            people += _parted(side, comma)
    return [name for person in people if (name := _bare(person).translate(_SHOW).strip(" …").removeprefix("... "))]


def _bare(person: str) -> str:
    """Without titles, degrees and footnotes."""
    return _DEGREES.sub("", _MARKS.sub("", _TITLED.sub("", person, count=1) if _TITLED.match(person) else person))


def _parted(line: str, comma: Comma) -> list[str]:
    """People joined by "and", "&" or commas."""
    some = [part for part in _AND.split(line) if part.strip()]
    if (
        len(some) > 1
        and _GROUP.search(line)
        and any(len(part.removeprefix("the ").split()) == 1 and "," not in part for part in some)
    ):
        return [line]  # "Institute of Physics and Astronomy"
    comma = "parts" if comma == "either" and len(some) > 1 and _in_order(line, some) else comma
    return [person for part in some for person in _by_commas(part, comma)]


def _in_order(line: str, some: list[str]) -> bool:
    """Whether all have the given name first: "Lee, Wang and Cy Roe"; not "Lee, Ann, and Cy Roe", "Lee, A. and Cy Roe"."""
    *others, last = some
    if "," in last or len(last.split()) < 2 or re.search(r",\s+(?:and|&)\s", line) or _GROUP.search(line):
        return False
    for each in others:
        family, *rest = (part.strip() for part in each.split(","))
        turned = rest and _INITIALS.fullmatch(rest[0]) and not _INITIALS.fullmatch(family)
        if turned or (rest and (family[:1].islower() or _EAST_ASIAN.search(family))):
            return False
    return True


def _by_commas(line: str, comma: Comma) -> list[str]:
    parts: list[str] = []
    for part in (each.strip() for each in line.split(",")):
        if parts and _GENERATION.fullmatch(part):
            parts[-1] = f"{parts[-1]} {part}"
        elif parts and _COMPANY.fullmatch(part):
            parts[-1] = f"{parts[-1]}{_KEPT[',']} {part}"
        elif any(map(str.isalpha, part)) and not (parts and _is_degree(part, parts[-1])):
            parts.append(part)
    if len(parts) < 2 or comma == "parts":
        return parts
    if len(parts) > 2:
        pairs = list(zip(parts[::2], parts[1::2], strict=False))
        in_pairs = all(_INITIALS.fullmatch(part) for part in parts[1::2]) or (
            all(len(part.split()) == 1 and not _EAST_ASIAN.search(part) for part in parts[::2])
            and all(len(part.split()) == 1 or _INITIALS.fullmatch(part.split()[-1]) for part in parts[1::2])
        )
        return [_turned(*pair) for pair in pairs] if in_pairs and len(parts) % 2 == 0 else parts
    family, name = parts
    if _GROUP.search(family) and " " in family:
        return parts if _GROUP.search(name) or _is_whole(name) else [f"{family}, {name}"]
    if _EAST_ASIAN.fullmatch(family) and _EAST_ASIAN.fullmatch(name):
        return [family + name] if len(family) == 1 or comma == "inverts" else parts
    if _GROUP.search(name) and not _GROUP.search(family):
        return parts
    apart = comma == "either" and _is_whole(family) and _is_whole(name) and not family[0].islower()
    return parts if apart else [_turned(family, name)]


def _is_degree(part: str, before: str) -> bool:
    """ "M.D." may be initials as well."""
    return _DEGREE.fullmatch(part) is not None and (
        _is_whole(before) or re.fullmatch(_SURE_DEGREE, part, re.IGNORECASE) is not None
    )


def _is_whole(part: str) -> bool:
    """Whether it is more than a family name or initials."""
    return sum(not _GENERATION.fullmatch(word) for word in part.split()) > 1 and not _INITIALS.fullmatch(part)


def _turned(family: str, given: str) -> str:
    """("Lee Jr.", "Ann") and ("Lee", "Ann Jr.") → "Ann Lee Jr."."""
    names, _, last = given.rpartition(" ")
    return f"{names} {family} {last}" if names and _GENERATION.fullmatch(last) else f"{given} {family}"


# ---- BibTeX ----


def bibtex_authors(written: str) -> tuple[tuple[str, ...], str]:
    """The names of a BibTeX field, and what is wrong with it ("" for nothing): names that are not joined by "and" are told apart
    as well as can be. What stands inside braces is one name, but where the braces only protect a list of people.
    """
    line = balanced(from_latex(_TAG.sub("", clean_fields.text(written))))
    while (inner := _within(line)) is not None and _lists_people(inner):
        line = inner
    people = [_opened(person.strip(" ,")) for person in _split_and(line)]
    people = [person for person in people if person.strip("{} ").lower() not in ("others", "et al.", "et al", "")]
    hidden = [_unbraced(_of_pairs(person) or person) for person in people]
    odd = next((f"“{sign}”" for sign in (";", "&") if any(sign in person for person in hidden)), "")
    comma: Comma = "parts" if _lists_by_comma(hidden) else "inverts"
    if not odd and (comma == "parts" or any(_commas(person) > 1 for person in hidden)):
        odd = "“,”"
    found = clean_fields.names(name for person in hidden for name in _people(" ".join(person.split()), comma))
    return found, f"{len(found)} names are joined by {odd}; should be by “and”" if odd and len(found) > len(people) else ""


def _commas(person: str) -> int:
    """Those that do more than set off a suffix."""
    return sum(1 for part in person.split(",")[1:] if not _GENERATION.fullmatch(part.strip()))


def _lists_by_comma(people: list[str]) -> bool:
    """Whether lone commas part people: "Ann Lee, Bob Ray and Cy Dow" and "A. Lee, B. Ray", not "Garcia Lopez, Maria José"."""
    with_comma = [person.split(",", 1) for person in people if _commas(person) == 1 and not _GROUP.search(person)]
    if not with_comma or not all(_is_whole(part) and not part.strip()[:1].islower() for parts in with_comma for part in parts):
        return False
    other = any("," not in person and _is_whole(person) and not _GROUP.search(person) for person in people)
    return other or all(_INITIALS.fullmatch(part.split()[0]) for parts in with_comma for part in parts)


def _within(text: str) -> str | None:
    """What one pair of braces around all of it holds."""
    depth = 0
    for found in re.finditer(r"[{}]", text):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return text[1:-1].strip() if text.startswith("{") and found.end() == len(text) else None
    return None


def _split_and(text: str) -> list[str]:
    """Parted at each "and" outside braces."""
    return [part.translate(_SHOW).strip() for part in re.split(r"\sand(?=\s)", f" {_hide(text)} ", flags=re.IGNORECASE)]


def _hide(text: str) -> str:
    """Braces stay; the signs inside them that could part names are hidden."""
    depth, pieces = 0, []
    for found in _TOKEN.finditer(text):
        piece = found[0]
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth -= depth > 0
        elif depth:
            piece = piece.translate(_HIDE)
        pieces.append(piece)
    return "".join(pieces)


def _lists_people(inner: str) -> bool:
    """Whether what braces hold is people and no group: "Nowak, U. and Usadel, K. D.", not "Barnes and Noble"."""
    people = _split_and(inner)
    if len(people) < 2 or any(_GROUP.search(person) for person in people):
        return False
    return all("," in person for person in people) or all(_is_whole(person) and person[:1].isupper() for person in people)


def _opened(person: str) -> str:
    """ "{Lee, Ann}" is a person; "{Example, Inc.}" and "{University of X, Y}" are none."""
    inner = _within(person)
    while inner and (further := _within(inner)) is not None:
        inner = further
    if inner is None or inner.count(",") != 1 or _GROUP.search(inner) or _COMPANY.fullmatch(inner.partition(",")[2].strip()):
        return person
    return inner


def _of_pairs(person: str) -> str:
    """biblatex's "given=Ann, family=Lee, prefix=van"; "" for any other name."""
    if not re.match(r"\s*(?:given|family|prefix|suffix)\s*=", person):
        return ""
    pairs = {key.strip(): value.strip() for part in person.split(",") for key, _, value in [part.partition("=")]}
    family = " ".join(filter(None, (pairs.get("prefix"), pairs.get("family"), pairs.get("suffix"))))
    return f"{family}, {pairs['given']}" if pairs.get("given") else family


def _unbraced(text: str) -> str:
    return _hide(text).replace("{", "").replace("}", "").replace("$", "") if "{" in text or "}" in text or "$" in text else text
