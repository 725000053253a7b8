"""Titles that are no paper's: an issue's furniture, a notice about another paper, a report on one, a part of one.

Told by the title as a whole or by how it begins or ends, never by a word: "Corrections to scaling in percolation" is a paper.
"""

from __future__ import annotations

import re
from html import unescape

from digest.domain.markup import without_tags

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december|spring|summer|autumn|fall|winter"
_NUMBERED = (
    r"(?:[\s.,:;()\[\]/|–—‐-]*(?:\b(?:volume|vol|issue|no|number|numbers|part|pages?|pp?|toc|info|information|and|for|to|of|in|this|the"
    rf"|{_MONTHS})\b|#?\d+[a-z]?(?:st|nd|rd|th)?\b|\b[ivxlc]+\b))*"
)
"""What may follow a heading: "Table of Contents, Volume 12, March 2026"."""
_COVERS = (
    r"(?:(?:outside|inside) )?(?:front|back|rear)? ?(?:inside )?cover(?: (?:image|picture|art|feature|page|story|caption|\d))?s?"
)
_CORRECTS = r"(?:errat(?:um|a)|corrigend(?:um|a)|berichtigung|rectificatif|fe de erratas?|errata corrige)"

_WHOLE = (
    _COVERS,
    r"(?:front|back|end) ?matters?",
    r"issue information|society information|subscription information|publication information",
    r"(?:table of |volume )?contents(?: page| list)?|toc|in this issue|highlights|graphical abstracts?",
    r"frontispiece|masthead|imprint|colophon|half title|series page|copyright notice|title pages?",
    r"(?:full |inside )?(?:title|copyright|blank|cover|committee) page",
    r"(?:guest |special issue )?editorials?(?: (?:advisory )?board| (?:note|notes|comment|introduction|preface|team|policy|page|staff))?",
    r"(?:guest )?editor['’]?s?['’]? (?:note|notes|choice|page|introduction|preface|message|comments?)",
    r"(?:(?:a )?(?:letter|note|message|word|comments?) )?from the editors?(?:-in-chief)?(?:['’]s? desk)?",
    r"(?:a )?(?:preface|foreword|prologue|epilogue|introduction|afterword|welcome|dedication)",
    rf"(?:(?:author|publisher)['’]?s? )?(?:{_CORRECTS}|corrections?|addend(?:um|a)|retractions?|withdrawals?)",
    r"expressions? of concern|decision letter|(?:peer review|review|reviewer|referee)(?:er)? (?:reports?|file|history)",
    r"(?:authors?['’]? )?(?:reply|response|rebuttal)|letters?(?: to the editor)?|correspondence|discussion|quiz|crossword",
    r"(?:(?:author|subject|keyword|general|cumulative|reviewer|name) )?index(?:es)?",
    r"acknowledge?ments?(?: (?:of|to) (?:our )?(?:reviewers|referees))?|reviewer acknowledge?ments?",
    r"(?:(?:list|appreciation|thank(?:s| you)) (?:of|to) )?(?:(?:our|all|the|peer|(?:19|20)\d\d) )*(?:reviewers|referees|contributors)"
    r"(?: list)?",
    r"(?:notes on |about the |list of )(?:contributors|authors?|editors?)|(?:author )?biographies",
    r"obituar(?:y|ies)|in memoriam|(?:book|media) reviews?|books? received|reviews of books",
    r"(?:society )?news(?: in brief| and views)?|(?:meeting )?announcements?|(?:(?:meetings?|conference) )?calendar(?: of events)?"
    r"|(?:forthcoming|upcoming) (?:papers|articles|events|meetings)|call for (?:papers|nominations|submissions|proposals)|sponsors",
    r"(?:instructions|guide|guidelines|information) (?:for|to) (?:authors|readers)|author guidelines|advertise(?:ment|r)s?(?: index)?",
    r"(?:program(?:me)?|organi[sz]ing|conference|technical|steering) (?:committees?|chairs?)|conference (?:organi[sz]ation|program(?:me)?)",
    r"(?:welcome )?message from the (?:\w+[ -]){0,3}(?:chairs?|editors?|president)",
    r"abbreviations|list of (?:abbreviations|figures|tables)|bibliography|references|glossary|appendi(?:x|ces)(?: [a-z])?",
    r"supplement(?:ary|al)? (?:materials?|information|data|files?|figures?|tables?|text|methods?)",
    r"supporting information|supplement|additional files?|data sheet",
    r"inhalt(?:sverzeichnis)?|vorwort|geleitwort|impressum|(?:innen|rück)?titel(?:bild|seite|blatt)|rezensionen|nachruf"
    r"|table des matières|sommaire|éditorial|avant-propos|préface|comptes rendus|índice|indice|sum[aá]rio|editoriale?"
    r"|presentación|prefacio|prefácio|prólogo|reseñas|recensioni|содержание|от редакции|目录|封面|封底|编者按|前言|目次|編集後記|表紙|巻頭言",
)
_WHOLE_UNNUMBERED = (
    r"(?:(?:19|20)\d\d index ieee|s\d{1,3} (?:tables?|figs?|figures?|appendix|files?|text|data|video|movie|checklist|protocol)\b).*",
    r"(?:supplement(?:ary|al)? |extended data |additional |supporting |source data )*(?:figures? |figs?[. ] ?|tables? |scheme |plate )"
    r"[a-z]?-?\d+[a-z]?(?:\s?[–—,-]\s?[a-z]?\d+[a-z]?)*(?:\s*(?:[.:|–—-]|from|in|for)\s.*)?",
    r"(?:supplement(?:ary|al)?|additional|supporting|extended data) (?:\w+ )?[a-z]?-?\d+[a-z]?(?:\s*(?:[.:|–—-]|from|in|for)\s.*)?",
    r"(?:video|movie|audio|data ?sheet|data ?set|image) s?\d+",
    r"(?:ieee|acm|siam|aip|aps)\b.{0,90}\b(?:(?:publication|society) information|information for authors|table of contents|editorial board)",
    r"(?:comment|reply|response|review) (?:on|to|of) (?:[a-z]{2,9}-\d{4}-\d+|[a-z]{1,3}c?\d{1,2})",
    r"[arec]c\d{1,2}: (?:['\"‘“]|comment|reply).*",
)
_QUOTE = "[\"'`“”‘’«„]"
_OF = r"(?: (?:to|for|of|on|in|zu|à|a|al)(?: the (?:paper|article))?)?"
_NOTICE = (
    r"(?:(?:authors?|publishers?|editors?|author['’]s|publisher['’]s|editor['’]s|editorial|formal|partial|the|an?) )*"
    rf"(?:addendum ?/ ?)?(?:{_CORRECTS}|addend(?:um|a)|correction|retraction|withdrawal|removal|expression of concern|publisher['’]?s? note)"
    rf"(?: ?(?:/|&|and|\\&) ?(?:addendum|{_CORRECTS}|republication|replacement))?(?: (?:note|notice|statement))?"
)
_HEADING_ENDS = r"\s*(?::|[–—]|--|\s-\s|\.\s)"
_HEADED = (
    rf"{_NOTICE}(?:{_HEADING_ENDS}|{_OF}\s*:|{_OF}:?\s*{_QUOTE}|\s(?:to|for)\s.{{0,60}}\bet al\b|\sto\b.*\b(?:19|20)\d\d;\s?\d+)",
    rf"{_CORRECTS} (?:to|for|on)\b",
    r"(?:notice|statement|note|letter) of (?:retraction|withdrawal|correction|erratum|concern|removal)\b",
    r"(?:retraction|withdrawal|correction|removal) (?:note|notice|statement)\b",
    rf"(?:(?:guest )?editor(?:ial(?: (?:note|comment|introduction|preface))?|['’]?s?['’]? (?:note|introduction|preface))"
    rf"|preface|foreword|afterword|(?:innen|rück)?titelbild|nachruf)(?:{_HEADING_ENDS}| (?:for|to|on) the special issue)",
    r"(?:preface|foreword|introduction|editorial|welcome) (?:to|for|from) (?:the|this)"
    r" (?:special|theme|themed|topical|thematic|guest|inaugural|\w+ special) (?:issue|section|collection|editors?|volume)\b",
    r"(?:(?:(?:outside|inside) )?(?:front|back|inside) (?:inside )?cover|cover (?:image|picture|art|feature|profile|story)|frontispiece"
    rf"|graphical abstract|front matter|back matter|issue information)(?:{_HEADING_ENDS}|\s*\()",
    rf"(?:obituary|in memoriam)(?:{_HEADING_ENDS}|,| (?:for|of) (?-i:[A-Z][\w.]+ [A-Z])| notice)",
    r"in memory of (?-i:(?:Prof\w*\.? |Dr\.? )?[A-Z][\w.]+ [A-Z]\w+)\W*\Z",
    rf"(?:book|media|film) reviews?(?:{_HEADING_ENDS}| of:?\s*{_QUOTE})",
    rf"(?:peer )?review(?:er)?(?:\s?#?\d+)?(?: \((?:public|private|joint)[^)]*\))? (?:for|of):?\s*{_QUOTE}",
    r"reviewer #?\d+ \((?:public|private|joint)",
    r"proceedings of (?:the )?(?:\w+ ){0,2}(?:\d+(?:st|nd|rd|th)|first|second|third|(?:19|20)\d\d|international|annual|joint) ",
    rf"(?:contents|masthead)\s?:?\s?\([^()]{{1,60}}/(?:19|20)\d\d\)|data from(?::|:?\s*{_QUOTE})|supporting information (?:for|to)\b",
    r"(?:author['’]?s? (?:response|reply)|decision letter|peer review(?:er)? (?:report|#?\d+)|referees?['’]? reports?|elife assessment"
    r"|evaluation summary|editor['’]?s? evaluation)\s*(?:#?\d+\s*)?(?:for\b|of\b|to\b|\.|:|\|)",
    r"additional file \d+",
    r"(?:acknowledge?ments?|thanks) (?:of|to) (?:our |the )?(?:reviewers|referees)\b",
    r"(?:list of )?(?:reviewers|referees) (?:for|of|in|during) (?:volume )?(?:19|20|\d)",
    r"supplement(?:ary|al)? (?:figures?|tables?|data|materials?|information|file|video|movie) ?[a-z]?\d* ?(?:from|for|to|of)\b",
)
_TAILED = (
    rf"(?:[:–—.]|\s--?)\s?(?:an? )?(?:{_CORRECTS}|retraction(?: notice)?|an? obituary|(?:book|film) review)\W*\Z",
    rf"[(\[](?:{_CORRECTS}|correction|retraction|obituary|book review|editorial|front ?matter|withdrawal notice)[^()\[\]]{{0,120}}[)\]]\W*\Z",
    r"\((?-i:[A-Z][\w.]* ){1,6}\d{1,2}(?:[–-]\d{1,2})?/20\d\d\)\W*\Z|[–—-] R\d/PR\d{1,3}\W*\Z",  # a cover's picture, a referee's report
)


def _any(patterns: tuple[str, ...], rest: str = "") -> str:
    return f"(?:{'|'.join(patterns)}){rest}"


_IS_WHOLE = re.compile(
    rf"(?:(?:volume|vol|issue|no|number)\.? \d+[,:]? )*{_any((_any(_WHOLE, _NUMBERED), *_WHOLE_UNNUMBERED))}[\s.,:;–—-]*",
    re.IGNORECASE,
)
_IS_HEADED = re.compile(_any(_HEADED), re.IGNORECASE)
_IS_TAILED = re.compile(_any(_TAILED), re.IGNORECASE)
_LABEL = re.compile(r"^[\s\[({<“\"'*]+|[\s\])}>”\"'*]+$")
_FIRST_WORD = re.compile(r"[\W\d_]*([^\W\d_]+)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FIRST_WORDS = _words(
    "a about acknowledgement acknowledgements acknowledgment acknowledgments acm additional addenda addendum advertisement"
    " advertisements advertiser advertisers afterword aip an announcement announcements ac abbreviations appendices appendix aps audio"
    " author authors back backmatter bibliography biographies blank book books calendar call cc colophon comment comments committee"
    " conference contents contributors copyright correction corrections corrigenda corrigendum cover covers cumulative data datasheet"
    " decision dedication ec editor editorial editorials editors elife end epilogue errata erratum evaluation expression expressions"
    " extended fig figs figure figures film foreword formal from front frontispiece frontmatter full general glossary graphical guest"
    " guide guidelines half highlights ieee image imprint in index indexes information inside instructions introduction issue keyword"
    " letter list masthead media meeting meetings message movie name news no note notes notice number obituaries obituary organising"
    " organizing outside partial peer plate preface program programme prologue publication publisher publishers rc rear referee"
    " referees references removal reply response retraction retractions review reviewer reviewers reviews scheme series siam society"
    " source special sponsors statement steering subject subscription supplement supplemental supplementary supporting table tables"
    " technical thank thanks the title video vol volume welcome withdrawal withdrawals word appreciation berichtigung correspondence crossword data"
    " dataset discussion fe forthcoming geleitwort inhalt inhaltsverzeichnis impressum innentitel innentitelbild letters nachruf"
    " proceedings quiz rebuttal rectificatif rezensionen rücktitel rücktitelbild s titel titelbild titelblatt titelseite toc upcoming"
    " vorwort avant comptes presentación prefacio prefácio prólogo préface recensioni reseñas sommaire sumario sumário éditorial"
    " editoriale indice índice содержание от 目录 封面 封底 编者按 前言 目次 編集後記 表紙 巻頭言"
)
"""With which the patterns of a whole title and of its beginning begin: nearly every title is done with after a look at these."""
_TAILS = ("/20", "/PR", "rrat", "orrig", "orrection", "etraction", "bituary", "eview", "ditorial", "ront", "ithdrawal")
_LAST_WORDS = (*_TAILS, *map(str.upper, _TAILS))
_LONGEST = 400


def _holds(title: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - any() takes twice as long
        if word in title:
            return True
    return False


def is_no_paper(title: str) -> bool:
    """Whether the title, as a whole, is that of something else than a paper."""
    if "<" in title or "&" in title:
        title = unescape(without_tags(title))
    title = " ".join(title[:_LONGEST].split())
    if _holds(title, _LAST_WORDS) and _IS_TAILED.search(title):
        return True
    first = _FIRST_WORD.match(title)
    if first is None or first[1].lower() not in _FIRST_WORDS:
        return False
    bare = _LABEL.sub("", title)
    return bool(_IS_WHOLE.fullmatch(bare) or _IS_HEADED.match(bare))
