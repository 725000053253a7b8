"""What kind of thing a record is: a paper, one that was withdrawn, or none (an issue's front matter, a referee's report, an erratum).

Judged by what the record says of itself, not by a word in it: sound papers are written about retraction and withdrawal, too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from digest.domain.errors import InvalidInput
from digest.domain.markup import without_tags
from digest.domain.paper import Sighting

NO_PAPERS = frozenset(
    "component peer-review journal journal-issue journal-volume book-series book-set proceedings proceedings-series report-series"
    " report-component standard-series grant database dataset"  # Crossref
    " editorial erratum retraction paratext supplementary-materials"  # OpenAlex
    " review-book figure graphic".split()  # CSL
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


# ---- withdrawn -------------------------------------------------------------------------------------------------------------

_THING = r"(?:paper|article|manuscript|submission|pre-?print|work|note|letter|report|document|chapter|study|e-?print)s?"
_ADVERB = r"(?:(?:now|hereby|therefore|thus|subsequently|temporarily|permanently|voluntarily|since|formally|just|been|being) )*"
_GONE = r"(?:withdrawn|retracted)"
_PEOPLE = (
    r"(?:authors?|author\(s\)|editors?|publishers?|journal|arxiv|administrators?|submitters?|moderators?|copyright holders?)"
)
_WHY = (
    rf"(?= ?(?:[.;:,!\])(–—-]|$)| (?:by (?:(?:the|its|their|all|one of the|both|mutual|corresponding|first) )*(?:\w+ )?{_PEOPLE}"
    r"|due to|because|owing to|on account of|as (?!of\b)|since (?!\d)|for (?!\w+ years)|at the request|upon request|on request"
    r"|pending|until|in order|in light|in view|following|after|and (?:replaced|superseded|merged|will|is|has|should|incorporated)"
    r"|from (?:the )?(?:arxiv|biorxiv|medrxiv|preprint server|repository|publication|this (?:server|site|journal|repository))"
    r"|with (?:apolog|regret)))"
)
_STATED = re.compile(
    rf"(?P<which>this|the|our|my|the present|present)? ?(?:\w+ )?(?P<thing>{_THING}) (?:has|have|is|was|had)(?: been)? {_ADVERB}"
    rf"(?:{_GONE}|removed(?= by (?:arxiv|the publisher)| from (?:arxiv|publication))){_WHY}",
    re.IGNORECASE,
)
_DONE = re.compile(
    rf"(?:(?:the|all|both|these|its|corresponding|first|submitting|undersigned) )*(?:authors?|author\(s\)|we|i|editors?|publishers?)"
    r" (?:\w+ ){0,4}?(?:withdraw|withdrew|withdrawn|withdrawing|withdraws|retract|retracted|retracts|retracting)"
    rf" (?:this|the|our|their|my|his|her|its|the present) (?:\w+ )?{_THING}\b(?! (?:of|by|from (?!arxiv|biorxiv|medrxiv)|on|to)\b)",
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
_FOR_A_REASON = re.compile(rf"(?:{_THING} )?{_ADVERB}{_GONE}(?P<why>{_WHY})(?P<rest>.*)", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"\b(?:submi(?:tted|ssion)|accepted|appear|conference|workshop|journal|under review|proceedings|openreview|[A-Z]{3,}\w* ?'?\d{2,4})\b"
)
_OTHER_VERSION = re.compile(
    r"\b(?:previous|earlier|prior|old|older|first|original|another|other|replaces?|supersedes?|corrects?|v\d)\b[^.;]*\Z", re.I
)
_CLAUSE = re.compile(
    r"(?<=[.;!?])\s+|[;\n]|\s[–—-]{1,2}\s|\barxiv admin (?:note|comment):\s*|^withdrawal statement:?\s", re.IGNORECASE
)
_TITLE = re.compile(
    r"\W*(?:retracted|withdrawn|removed|temporar(?:y|ily) (?:removal|removed)|article (?:retracted|withdrawn)|paper (?:retracted|withdrawn))"
    r"(?: (?:article|paper|chapter|manuscript|preprint|publication|study|conference paper|case report|review))?\s*"
    r"(?:[:\]）)】–—|.]|- |\Z)",
    re.IGNORECASE,
)
_TITLE_END = re.compile(
    r"[(\[](?:this )?(?:article |paper |preprint )?(?:has been |is )?(?:retracted|withdrawn)(?: (?:article|paper|by)\b[^()\[\]]{0,160})?\W*[)\]]\W*\Z"
    r"|[-–—:|] ?(?:RETRACTED|WITHDRAWN)(?: ARTICLE| PAPER)?\W*\Z|\(Retraction of .{1,200}\)\W*\Z",
    re.IGNORECASE,
)
_HINTS = ("ithdr", "etract", "ITHDR", "ETRACT", "emoved by", "emoved from", "emoval", "EMOVED", "EMOVAL", "emoved:")


def says_withdrawn(title: str, abstract: str = "", comment: str = "") -> bool:
    """Whether a record says of its own paper that it was withdrawn or retracted. arXiv and most publishers do so in words only."""
    if _hints(title) and (_TITLE.match(title) or _TITLE_END.search(title)):
        return True
    return _abstract_says(_spoken(abstract)) or _comment_says(_spoken(comment))


def _hints(text: str) -> bool:
    """Far cheaper than the patterns, which few texts need."""
    return any(hint in text for hint in _HINTS)


def _spoken(text: str) -> str:
    return " ".join(unescape(without_tags(text[:20_000])).split()) if _hints(text) else ""


def _abstract_says(text: str) -> bool:
    """At its beginning, or as an administrator's note or a sentence of its own behind what the paper says."""
    if not text:
        return False
    for place, clause in enumerate(_clauses(text)):
        first = place == 0
        if (found := _STATED.match(clause)) and (first or (found["which"] or "").lower() == "this"):
            return True
        if _DONE.match(clause):
            return True
        if (first or len(clause) < 60) and _ALONE.match(clause) and (len(text) < 400 or not first):
            return True
        if first and len(text) < 500 and (found := _FOR_A_REASON.match(clause)) and _is_about_it(found["rest"]):
            return True
    return False


def _comment_says(text: str) -> bool:
    for clause in _clauses(text):
        said = clause.rpartition(", ")[2] if _ALONE.match(clause.rpartition(", ")[2]) else clause
        for part in {clause, said, *clause.split(", ")}:
            if (found := _STATED.match(part)) and (found["which"] or "").lower() in (
                "",
                "this",
                "the",
                "our",
                "my",
                "the present",
            ):
                return True
            if _DONE.match(part):
                return True
            if (found := _FOR_A_REASON.match(part)) and found["rest"].strip(" .") and not _ELSEWHERE.search(found["rest"]):
                return True
        if _ALONE.match(said) and not _ELSEWHERE.search(text):
            return True
    return False


def _clauses(text: str) -> list[str]:
    """The sentences, without brackets and labels in front of them; those whose subject is another version are left out."""
    clauses = [clause.strip(" \"'“”‘’()[]*:–—-") for clause in _CLAUSE.split(text)]
    return [clause for clause in clauses if _hints(clause)]


def _is_about_it(reason: str) -> bool:
    return not reason.strip(" .") or bool(_FAULT.search(reason))


# ---- no paper --------------------------------------------------------------------------------------------------------------


def _folded(pattern: str) -> str:
    """A pattern written over several lines."""
    return "".join(line.strip() for line in pattern.splitlines())


_MONTHS = "january february march april may june july august september october november december spring summer autumn fall winter"
_NUMBERED = _folded(rf"""(?:[\s.,:;()\[\]/|–—‐-]*(?:\b(?:volume|vol|issue|no|number|numbers|part|pages?|pp?|toc|info|information|and|for|to|of|in|this|the
    |{_MONTHS.replace(" ", "|")})\b|\#?\d+[a-z]?(?:st|nd|rd|th)?\b|\b[ivxlc]+\b))*""")
_COVER = (
    r"(?:(?:outside|inside) )?(?:front|back|rear)? ?(?:inside )?cover(?: (?:image|picture|art|feature|page|story|caption|\d))?s?"
)
_WHOLE = re.compile(
    _folded(rf"""(?:(?:(?:volume|vol|issue|no|number)\.? \d+[,:]? )*(?:{_COVER}|(?:front|back|end) ?matters?|issue information|(?:table of )?contents|contents page|frontispiece|masthead|imprint|colophon
    |(?:guest |special issue )?editorials?(?: (?:board|note|notes|comment|foreword|introduction|preface|team|advisory board|policy|page|staff|information))?
    |editor['’]?s?['’]? (?:note|notes|choice|page|introduction|preface|message|comments?)|(?:letter|note|message|word|comments?) from the editors?
    |from the editors?(?:-in-chief)?|(?:a )?(?:preface|foreword|prologue|epilogue|introduction|afterword|welcome|dedication)
    |(?:author['’]?s? |publisher['’]?s? )?(?:errat(?:um|a)|corrigend(?:um|a)|correct(?:ion|ions)|addend(?:um|a)|retractions?|withdrawals?|expressions? of concern)
    |(?:author|subject|keyword|general|cumulative|reviewer|name) index(?:es)?|index|(?:copy)?right page|title pages?|half title|series page
    |(?:full |inside )?(?:title|copyright|blank|cover|contents|committee) page|copyright notice|publication information
    |acknowledge?ments?(?: (?:of|to) (?:our )?(?:reviewers|referees))?|(?:list of |thanks to (?:our )?)?(?:reviewers|referees|contributors)|reviewer acknowledge?ments?
    |(?:notes on |about the |list of )(?:contributors|authors?|editors?)|author biographies|biographies|in this issue|graphical abstracts?|highlights
    |obituar(?:y|ies)|in memoriam|book reviews?|books? received|media reviews?|reviews of books|news(?: in brief| and views)?|announcements?|calendar(?: of events)?|meetings? calendar
    |(?:instructions|guide|guidelines|information) (?:for|to) authors|call for papers|(?:program(?:me)?|organi[sz]ing|conference|technical|steering) (?:committees?|chairs?)
    |(?:welcome )?message from the (?:\w+[ -]){{0,3}}(?:chairs?|editors?|president)|conference (?:organi[sz]ation|program(?:me)?)|sponsors|advertise(?:ment|r)s?(?: index)?
    |society information|subscription information|abbreviations|list of (?:abbreviations|figures|tables)|bibliography|references|glossary|appendi(?:x|ces)(?: [a-z])?
    |supplement(?:ary|al)? (?:materials?|information|data|files?|figures?|tables?|text|methods?)|supporting information|supplement|additional files?|data sheet|author response|decision letter|peer review(?:er)? (?:reports?|file|history))
    {_NUMBERED}|(?:supplement(?:ary|al)? |extended data |additional |supporting |source data )*(?:fig(?:ures?|s?\.?)|tables?|scheme|video|movie|audio|image|data ?sheet|data ?set|file|text|note|appendix|box|chart|photo)(?: |(?<=fig[.s]) ?|(?<=figs[.]) ?)[a-z]?-?\d+[a-z]?(?:\s?[–—,-]\s?[a-z]?\d+[a-z]?)*
    (?:\s*(?:[.:|–—-]|from|in|for)\s.*)?|(?:ieee|acm|siam|aip|aps)\b.{{0,90}}\b(?:publication information|society information|information for authors|table of contents|editorial board)
    |(?:comment|reply|response|review) (?:on|to|of) (?:[a-z]{{2,9}}-\d{{4}}-\d+|[a-z]{{1,3}}c?\d{{1,2}})|[arec]c\d{{1,2}}: (?:['"‘“]|comment|reply).*)[\s.,:;–—-]*"""),
    re.IGNORECASE,
)
_QUOTE = "[\"'`“”‘’«„&]"
_NOTICE = (
    r"(?:(?:author|authors|author['’]s|publisher|publisher['’]s|publishers|editorial|editor['’]s|editor|editors|formal|partial|the|an?) )*"
    r"(?:addendum/)?(?:errat(?:um|a)|corrigend(?:um|a)|correction|retraction|withdrawal|removal|expression of concern|publisher['’]?s? note)"
    r"(?:/(?:corrigendum|erratum|addendum)| (?:&|and|\\&) (?:addendum|corrigendum|erratum))?(?: (?:note|notice|statement))?"
)
_HEADED = re.compile(
    _folded(rf"""(?:{_NOTICE})\s*(?::|[–—]|\s-\s|\.\s|(?:to|for|of|on|in)\s?:|(?:to|for|of|on|in)?\s*(?:the\s(?:paper|article)\s*:?\s*)?{_QUOTE}|\bto\b.*\b(?:19|20)\d\d;\s?\d+|(?:to|for)\s.{{0,60}}\bet\sal\b)
    |(?:errat(?:um|a)|corrigend(?:um|a))\s(?:to|for|on)\b
    |(?:notice|statement|note|letter)\sof\s(?:retraction|withdrawal|correction|erratum|concern|removal)\b
    |(?:retraction|withdrawal|correction|removal)\s(?:note|notice|statement)\b
    |(?:guest\s)?editorial(?:\s(?:note|comment|introduction|preface))?\s*(?::|[–—]|\s-\s|\.\s|for\sthe\sspecial\sissue|to\sthe\sspecial\sissue|on\sthe\sspecial\sissue)
    |(?:preface|foreword|introduction|editorial|welcome)\s(?:to|for|from)\s(?:the|this)\s(?:special|theme|themed|topical|thematic|guest|inaugural|first|\w+\sspecial)\s(?:issue|section|collection|editors?|volume)\b
    |(?:(?:(?:outside|inside) )?(?:front|back|inside) (?:inside )?cover|cover (?:image|picture|art|feature|profile|story)|frontispiece|graphical\sabstract|front\smatter|back\smatter|issue\sinformation)\s*(?::|[–—]|\s-\s|\()
    |(?:obituary|in\smemoriam)\s*(?::|[–—,]|\s-\s|for\s|of\s(?=[A-Z]))|obituary\snotice
    |(?:book|media|film)\sreviews?\s*(?::|[–—]|\s-\s|\.\s|of\s*:?\s*{_QUOTE})
    |(?:peer\s)?review(?:er)?(?:\s?\#?\d+)?(?:\s\((?:public|private|joint)[^)]*\))?\s(?:for|of)\s*:?\s*{_QUOTE}|reviewer\s\#?\d+\s\((?:public|private|joint)
    |(?:author(?:['’]?s?)?\s(?:response|reply)|decision\sletter|peer\sreview(?:er)?\s(?:report|\#?\d+)|referees?['’]?\sreports?|elife\sassessment|evaluation\ssummary|editor['’]?s?\sevaluation)\s*(?:\#?\d+\s*)?(?:for|of|to|\.|:|\|)
    |additional\sfile\s\d+|(?:acknowledge?ments?|thanks)\s(?:of|to)\s(?:our\s|the\s)?(?:reviewers|referees)\b|(?:list\sof\s)?(?:reviewers|referees)\s(?:for|of|in|during)\s(?:volume\s)?(?:19|20|\d)
    |supplement(?:ary|al)?\s(?:figures?|tables?|data|materials?|information|file|video|movie)\s?[a-z]?\d*\s(?:from|for|to|of)\s"""),
    re.IGNORECASE,
)
_TAILED = re.compile(
    _folded(r"""(?:[:–—.]|\s--?)\s?(?:an?\s)?(?:errat(?:um|a)|corrigend(?:um|a)|retraction(?:\snotice)?|an?\sobituary|(?:book|film)\sreview)\W*\Z
    |[(\[](?:errat(?:um|a)|corrigend(?:um|a)|correction|retraction|retraction\snotice|obituary|book\sreview|editorial|front\s?matter|withdrawal\snotice)[^()\[\]]{0,120}[)\]]\W*\Z"""),
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[\s\[({<“\"'*]+|[\s\])}>”\"'*]+$")
_LONGEST_TITLE = 400
_FIRST_WORD = re.compile(r"[\W\d_]*([^\W\d_]+)")
_FIRST_WORDS = frozenset(
    [
        "a",
        "about",
        "acknowledgement",
        "acknowledgements",
        "acknowledgment",
        "acknowledgments",
        "acm",
        "additional",
        "addenda",
        "addendum",
        "advertisement",
        "advertisements",
        "advertiser",
        "advertisers",
        "afterword",
        "aip",
        "an",
        "announcement",
        "announcements",
        "ac",
        "abbreviations",
        "appendices",
        "appendix",
        "aps",
        "audio",
        "author",
        "authors",
        "back",
        "bibliography",
        "biographies",
        "blank",
        "book",
        "books",
        "box",
        "calendar",
        "call",
        "cc",
        "chart",
        "colophon",
        "comment",
        "comments",
        "committee",
        "conference",
        "contents",
        "contributors",
        "copyright",
        "correction",
        "corrections",
        "corrigenda",
        "corrigendum",
        "cover",
        "covers",
        "cumulative",
        "data",
        "dataset",
        "datasheet",
        "decision",
        "dedication",
        "ec",
        "editor",
        "editorial",
        "editorials",
        "editors",
        "elife",
        "end",
        "epilogue",
        "errata",
        "erratum",
        "evaluation",
        "expression",
        "expressions",
        "extended",
        "fig",
        "figs",
        "figure",
        "figures",
        "file",
        "film",
        "foreword",
        "formal",
        "from",
        "front",
        "frontispiece",
        "frontmatter",
        "backmatter",
        "full",
        "general",
        "glossary",
        "graphical",
        "guest",
        "guide",
        "guidelines",
        "half",
        "highlights",
        "ieee",
        "image",
        "imprint",
        "in",
        "index",
        "indexes",
        "information",
        "inside",
        "instructions",
        "introduction",
        "issue",
        "joint",
        "keyword",
        "letter",
        "list",
        "masthead",
        "media",
        "meeting",
        "meetings",
        "message",
        "movie",
        "name",
        "news",
        "no",
        "note",
        "notes",
        "notice",
        "number",
        "obituaries",
        "obituary",
        "organising",
        "organizing",
        "outside",
        "partial",
        "peer",
        "photo",
        "preface",
        "program",
        "programme",
        "prologue",
        "publication",
        "publisher",
        "publishers",
        "rc",
        "rear",
        "referee",
        "referees",
        "references",
        "removal",
        "reply",
        "response",
        "retraction",
        "retractions",
        "review",
        "reviewer",
        "reviewers",
        "reviews",
        "right",
        "scheme",
        "series",
        "siam",
        "society",
        "source",
        "special",
        "sponsors",
        "statement",
        "steering",
        "subject",
        "subscription",
        "supplement",
        "supplemental",
        "supplementary",
        "supporting",
        "table",
        "tables",
        "technical",
        "text",
        "thanks",
        "the",
        "theme",
        "title",
        "vol",
        "volume",
        "welcome",
        "withdrawal",
        "withdrawals",
        "word",
        "video",
    ]
)
_LAST_WORDS = ("rrat", "orrig", "orrection", "etraction", "bituary", "eview", "ditorial", "ront", "ithdrawal")


def is_no_paper(title: str) -> bool:
    """Whether a title as a whole is that of an issue's furniture, a notice about another paper, a report on one or a part of one."""
    if "<" in title or "&" in title:
        title = unescape(without_tags(title))
    title = " ".join(title[:_LONGEST_TITLE].split())
    if any(word in title or word.upper() in title for word in _LAST_WORDS) and _TAILED.search(title):
        return True
    first = _FIRST_WORD.match(title)
    if first is None or first[1].lower() not in _FIRST_WORDS:
        return False
    bare = _LABEL.sub("", title)
    return bool(_WHOLE.fullmatch(bare) or _HEADED.match(bare))
