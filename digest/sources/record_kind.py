"""What a record is: a paper, a paper that was withdrawn, or none (an issue's front matter, a referee's report, an erratum).

Judged by what the record says of itself, not by a word in it: sound papers are written about retraction and withdrawal, too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from digest.domain.errors import InvalidInput
from digest.domain.markup import without_tags
from digest.domain.paper import Sighting
from digest.sources.no_paper import is_no_paper


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_PAPERS = _words(
    "component peer-review journal journal-issue journal-volume book-series book-set proceedings proceedings-series report-series"
    " report-component standard-series grant database dataset"  # Crossref
    " editorial erratum retraction paratext supplementary-materials"  # OpenAlex
    " review-book figure graphic"  # CSL
)


def refuse_kind(kind: object) -> None:
    """Raises InvalidInput where a catalogue's own word for the record ("component", "peer-review") says that it is no paper."""
    if isinstance(kind, str) and kind.strip().lower().replace("_", "-") in NO_PAPERS:
        raise InvalidInput("type", f"{kind!r} is no paper")


def judged(sighting: Sighting) -> Sighting:
    """`sighting`, marked as withdrawn where its words say so of it. Raises InvalidInput where its title is that of no paper."""
    if is_no_paper(sighting.title):
        raise InvalidInput("title", f"“{sighting.title[:80]}” is no paper's")
    if not sighting.withdrawn and says_withdrawn(sighting.title, sighting.abstract, sighting.comment):
        return replace(sighting, withdrawn=True)
    return sighting


_THING = r"(?:paper|article|manuscript|submission|pre-?print|work|note|letter|report|document|chapter|study|e-?print)s?"
_ADVERB = r"(?:(?:now|hereby|therefore|thus|subsequently|temporarily|permanently|voluntarily|since|formally|just|been|being) )*"
_GONE = r"(?:withdrawn|retracted)"
_PEOPLE = (
    r"(?:authors?|author\(s\)|editors?|publishers?|journal|\w*rxiv|administrators?|submitters?"
    r"|moderators?|copyright holders?)"
)
_OWN = r"(?:version of (?:the|this|our) )?(?:(?:present|current|entire|whole|above|research|review|technical|short|arxiv) )?"
_WHY = (
    rf"(?= ?(?:[.;:,!\])(–—-]|$)| (?:by (?:(?:the|its|their|all|one of the|both|mutual|corresponding|first) )*(?:\w+ )?{_PEOPLE}"
    r"|due to|because|owing to|on account of|as (?!of\b)|since (?!\d)|for (?!\w+ years)|at the request|upon request|on request"
    r"|pending|until|in order|in light|in view|following|after|and (?:replaced|superseded|merged|will|is|has|should|incorporated)"
    r"|from (?:the )?(?:arxiv|biorxiv|medrxiv|preprint server|repository|publication|this (?:server|site|journal|repository))"
    r"|with (?:apolog|regret)))"
)
_STATED = re.compile(
    rf"(?P<which>this|the|our|my|the present|present)? ?(?:{_OWN}{_THING}|(?<=this )version) (?P<tense>has|have|is|was|had)"
    rf"(?: been)? {_ADVERB}(?:{_GONE}|removed(?= by (?:arxiv|the publisher)| from (?:arxiv|publication))){_WHY}",
    re.IGNORECASE,
)
_DONE = re.compile(
    rf"(?:(?:the|all|both|these|its|corresponding|first|submitting) )*"
    r"(?:authors?|author\(s\)|we|i|editors?(?:-in-chief)?|publishers?|\w{1,6}rxiv)"
    r" (?:(?:have|has|had|am|are|hereby|decided to|agreed to|chose to|would like to|want to|wish to|wished to|must|now|all"
    r"|jointly|thus|unanimously|regretfully|voluntarily|formally|temporarily|therefore|subsequently|requested to) )*"
    r"(?:withdraw|withdrew|withdrawn|withdrawing|withdraws|retract|retracted|retracts|retracting|(?<=rxiv has )removed)"
    rf" (?:this|the|our|their|my|his|her|its) {_OWN}{_THING}\b(?!s)"
    r"(?! (?:of|by|from (?!arxiv|biorxiv|medrxiv)|on|to)\b)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    rf"(?:(?:this|the) )?(?:{_THING} )?(?:(?:is|was|has been) )?{_ADVERB}{_GONE}"
    rf"(?: (?:{_THING}|statement|abstract|notice))?\W*\Z",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"\b(?:error|errors|mistake|flaw\w*|incorrect|wrong|gap|bug|proof|lemma|theorem|section|equation|paper|submission|manuscript"
    r"|version|copyright|plagiar\w+|overlap|duplicat\w+|permission|author\w*|publi\w+|dispute|merged|super[sc]eded|replaced|crucial"
    r"|revis\w+|arxiv|article|result\w*|inaccura\w+|typo\w*|oversight|assumption)\b",
    re.IGNORECASE,
)
_FOR_A_REASON = re.compile(rf"(?:{_THING} |this version )?{_ADVERB}{_GONE}(?P<why>{_WHY})(?P<rest>.*)", re.IGNORECASE)
_GOES_ON = re.compile(r"\d{4}, |, (?:the|we|a|an|it|this|these|its|their) ")
_ELSEWHERE = re.compile(
    r"\b(?:submitted|submission to|accepted|appear|conference|workshop|(?<!by the )journal|under review|proceedings|openreview"
    r"|[A-Z]\w*[A-Z]\w* ?'?\d{2,4})\b"
)
_CLAUSE = re.compile(
    r"(?<=[.;!?])\s+|[;\n]|\s[–—-]{1,2}\s|\barxiv admin (?:note|comment):\s*|^(?:withdrawal statement|v\d):?\s"
    r"|^(?:withdrawal|retraction)(?: notice| note)?:\s|,\s(?:and )?(?:so|hence|thus|therefore)\s",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:due to|because of|owing to|as a result of|in view of|in light of|for)\b[^;]{3,200}?,|(?:therefore|hence|thus"
    r"|regrettably|unfortunately|consequently),?)\s(?=(?:this|the|our|we|i)\b)",
    re.IGNORECASE,
)
"""The reason, said first: "Due to an error in Lemma 2, …"."""
_TITLE = re.compile(
    r"\W*(?:retracted|withdrawn|removed|temporar(?:y|ily) (?:removal|removed)|(?:article|paper) (?:retracted|withdrawn))"
    r"(?: (?:article|paper|chapter|manuscript|preprint|publication|study|conference paper|case report|review))?\s*"
    r"(?:[:\]）)】–—|.*]|- |\Z)",
    re.IGNORECASE,
)
_TITLE_END = re.compile(
    r"[(\[](?:this )?(?:article |paper |preprint )?(?:has been |is )?(?:retracted|withdrawn)"
    r"(?: (?:article|paper|by)\b[^()\[\]]{0,160})?\W*[)\]]\W*\Z"
    r"|[-–—:|] ?(?:RETRACTED|WITHDRAWN)(?: ARTICLE| PAPER)?\W*\Z|\(Retraction of .{1,200}\)\W*\Z",
    re.IGNORECASE,
)
_HINTS = (
    "ithdr",
    "etract",
    "ITHDR",
    "ETRACT",
    "emoved by",
    "xiv has removed",
    "emoved from",
    "emoval",
    "EMOVED",
    "EMOVAL",
    "emoved:",
)


def says_withdrawn(title: str, abstract: str = "", comment: str = "") -> bool:
    """Whether a record says of its own paper that it was withdrawn or retracted: arXiv and most publishers do so in words."""
    title = _spoken(title)
    if title and (_TITLE.match(title) or _TITLE_END.search(title)):
        return True
    return _abstract_says(_spoken(abstract)) or _comment_says(_spoken(comment))


def _hints(text: str) -> bool:
    """Far cheaper than the patterns, which few texts need."""
    for hint in _HINTS:  # noqa: SIM110 - any() takes twice as long
        if hint in text:
            return True
    return False


def _spoken(text: str) -> str:
    return " ".join(unescape(without_tags(text[:20_000])).split()) if _hints(text) else ""


def _abstract_says(text: str) -> bool:
    """At its beginning, or as an administrator's note or a sentence of its own behind what the paper says."""
    for first, clause in _clauses(text):
        if (found := _STATED.match(clause)) and (first or _names_this(found)) and _is_not_history(found, clause):
            return True
        if _DONE.match(clause) or (_ALONE.match(clause) and len(text if first else clause) < 400):
            return True
        if first and len(text) < 500 and (found := _FOR_A_REASON.match(clause)) and _is_about_it(found["rest"]):
            return True
    return False


def _comment_says(text: str) -> bool:
    for _, clause in _clauses(text):
        for part in (clause, *clause.split(", ")):
            if (found := _STATED.match(part) or _DONE.match(part)) and not _ELSEWHERE.search(part, found.end()):
                return True
            if (found := _FOR_A_REASON.match(part)) and found["rest"].strip(" .") and not _ELSEWHERE.search(found["rest"]):
                return True
            if _ALONE.match(part) and not _ELSEWHERE.search(text):
                return True
    return False


def _clauses(text: str) -> list[tuple[bool, str]]:
    """The sentences that may say so, without brackets and quotation marks around them, and whether each is the first."""
    clauses = [clause.strip(" \"'“”‘’()[]*:–—-") for clause in _CLAUSE.split(text)]
    return [
        (place == 0, _LEAD.sub("", clause, count=1) if _LEAD.match(clause) else clause)
        for place, clause in enumerate(filter(None, clauses))
        if _hints(clause)
    ]


def _names_this(found: re.Match[str]) -> bool:
    return (found["which"] or "").lower() in ("this", "the present", "present")


def _is_not_history(found: re.Match[str], clause: str) -> bool:
    """ "The article was retracted after two years" tells of another one; "the paper was withdrawn by the authors" does not."""
    return _names_this(found) or found["tense"].lower() != "was" or re.search(r"by (?:the )?authors?", clause, re.I) is not None


def _is_about_it(reason: str) -> bool:
    """Not "Withdrawn due to its toxicity in 2000, the drug is still studied"."""
    return not reason.strip(" .") or (bool(_FAULT.search(reason)) and not _GOES_ON.search(reason))
