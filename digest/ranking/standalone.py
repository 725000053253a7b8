"""Whether a sentence stands without the text around it, and what makes it stand: a clause left off, a name given back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from digest.ranking.sentences import LONGEST, ends_well, inside, is_open, spans
from digest.ranking.terms import stem
from digest.ranking.wording import worded

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_LINKS = frozenset("a an and are as at by can for from in is of on or that the to we with".split())
_SUMS_UP = worded(
    r"\b(?:this|these|the) (?:[\w-]+ )?(?:<matter>|failure|behaviou?r|effect|risk|situation|paradigm|theory|notion|concept|bound|estimate|inequality|theorem)s?\b"
)
_SELF = worded(r"(?:[\w-]+ )?(?:<ours>|abstract)\b")
_DEMONSTRATIVE = re.compile(
    r"\b(this|these|those|such|the resulting|the corresponding|the considered)\s+(?!as\b|that\b)((?:[\w'’-]+\s+){0,2}[\w'’-]+)",
    re.IGNORECASE,
)
_START = worded(
    r"(?:it|they|its|their|he|she|both|each|here|there|then|so|one of (?:these|them)|the (?:former|latter|same|other|two|three|four)|among them"
    r"|(?:all|most|some|many) of (?:these|them|which)|the (?:proposed |resulting )?<made>s?|the <matter>s?|another|others?|first|second|third"
    r"|compared with|moreover|furthermore|additionally|also|finally|again|similarly|likewise|conversely|otherwise|by doing so|in turn"
    r"|(?:we|i|this \w+|the paper) (?:(?:\w+ly|further|also|then|first) )?\w+ (?:(?:that|whether|how|why) (?:they|their|its)|their|its|his|her|them)"
    r"|<these>(?! (?:[\w-]+ )?(?:<ours>|abstract)\b))\b")  # fmt: skip
_BACK = worded(
    r"\b(?:these|those|such|both)(?=[,.;])|\bthe present (?:case|setting|problem|situation)\b|\b(?:challenge|question|issue|problem)s? \([1-4i]+\)|\bthe answer\b(?! to)|\b(?:the|these|those|our|all|both) (?:above|aforementioned|abovementioned|above-mentioned)\b|\baforementioned\b|\bthat (?:line of|interpretation|question|assumption|gap)\b|\bas (?:above|before)\b|\b(?:the|our) previous\b|\bthe (?:first|second|third|last) (?:question|problem|conjecture|part|result)\b|\bthe (?:rest|remainder) of\b|\bour (?:problem|setting|question|case)\b"
    r"|\b(?:<study>|consider|address|tackl)(?:e|es|ing|y|ies|ying)? the <matter>s?(?! (?:of|that|to|whether|how)\b)"
    r"|\b(?:the latter|the same (?:conclusion|holds|result|method|approach|question|problem)|thereof)\b"
    r"|\bboth (?=(?:through|by|via|with|using)\b)"
    # "supports both behaviors": two things named before; "both speed and cost" names them
    r"|\bboth (?!the )(?:[\w-]+ )?(?:[\w-]+s)\b(?![^.;:]{0,30}\band\b)"
    r"|\bthe (?:[\w-]+ )?<matter>s?(?=[,.;]|$)"
    r"|\b(?:reviews?|address(?:es)?|fills?|bridges?|closes?|challenges?|answers?|settles?|resolves?|meets?) (?:that|it|them|this(?=[,.;]))\b"
    r"|\b(?:the|this) (?:conjecture|statement|claim|converse) (?:is|holds|also)\b|\bthe <several> resulting\b"
    r"|\b(?:mentioned|described|listed|discussed|given|shown|requirements|results) above\b|\babove[.,;]"
    r"|\b(?:formali[sz]e|model|cast|frame|define|view|regard|phrase) (?:this|it|them) as\b"
    r"|\b(?:solve|settle|resolve|answer)s? the (?:problem|question|case|conjecture)\b(?! (?:of|that|whether|for))|\b(?:how|that|when) the (?:problem|question|task) (?:can|is|has|may)\b"
    r"|\btheir (?:(?:main|own) )?(?:results?|work|methods?|theorems?|approach(?:es)?)\b"
    r"|\b(?:in|by|of|from|to) (?:\[\d|\\cite)"
    r"|\bthe <several> (?:[\w-]+ )?(?:questions|problems|issues|challenges|tasks|approaches|methods|settings|variants|views)\b"
    r"|\b(?:<several>|both) (?:challenges|problems|issues|limitations|gaps|questions|goals|needs|shortcomings|drawbacks)[.,]"
)
_OUR = worded(r"\b(?:our|the proposed)(?: (?:proposed|new|novel|final|full|best|own|overall|resulting))? (?:[\w-]+ )?<made>s?\b")
EARLY = 60
"""Characters; "the resulting …" so near the start has nothing before it to result from."""
_BRINGS = worded(r"\b(?:<make>|<name>)\w*")

_MARKER = worded(
    r"^(?:(?:(?:in|with) (?:this|the present|the current|our) (?:[\w-]+ )?<ours>,?|to (?:do so|this end|that end|these ends),?|to (?:\w+ly )?\w+ (?:this|these|those|such|it)(?: (?!we\b)[\w-]+){0,4},|here,?|from (?:there|here),|\w[^,.;]{0,60}\\cite\w*(?:\[[^\]]*\])*\{[^{}]*\},|\\"
    r"|(?:abstract|background|introduction|motivation|purpose|aims?|objectives?|methods?|approach|(?:main )?results?|findings?|contributions?"
    r"|significance|conclusions?|materials and methods)[:.]|[(\[]?(?:i{1,3}|[1-4])[)\]]|[A-Z][\w-]+:(?= (?:we|this)\b)"
    r"|(?:therefore|thus|hence|specifically|in response|for this(?: purpose| reason)?|accordingly|consequently|in particular|instead"
    r"|in contrast|concretely|more (?:specifically|precisely|concretely)|as a (?:result|remedy|solution|first[ -]step(?: \w+)?)"
    r"|on this (?:basis|foundation)|in light of this|with this in mind|motivated by this|additionally|furthermore|moreover|in addition"
    r"|in summary|on the (?:other|one) hand|in fact|indeed|particularly|looking ahead|in (?:general|detail)|overall|first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|to mitigate|however|yet|besides|nonetheless|nevertheless|meanwhile|then|next|ultimately|crucially|(?:more |most )?importantly|notably|lastly|together|taken together|in brief|in short|methodologically|technically|strikingly|surprisingly"
    r"|interestingly|remarkably|building on this|this way|in this way),|further(?= we\b)|(?:our|the) (?:main |key )?contributions (?:are|include)[^:.]{0,20}:|this way(?= we\b))\s+)+")  # fmt: skip
_CLAUSE = worded(
    r"^(?P<clause>(?:to|in|unlike|inspired|motivated|based|building|built|by|with|for|given|despite|from|under|as|following|using|through"
    r"|leveraging|drawing|guided|driven|recogni[sz]ing|on|rather than|instead of|beyond|towards?|while|although|since|because|when|after"
    r"|among|within|at|across|rooted|aiming|having|considering|against|grounded|\w+ing)\b[^$\\:;.]{2,200}?),? "
    r"(?=(?:we|i|(?:this|the present|the current) <ours>|the (?:paper|authors?))\s)"
)
_CONTRAST = re.compile(r"(?:while|although|unlike|despite|inspired|motivated|rather than|instead of)\b", re.IGNORECASE)
"""First clauses on others' work."""
_ORDER = re.compile(
    r"^(we|i|this \w+) (?:first|then|also|further|thus|therefore|hence|additionally|furthermore|finally) (?=\w+(?!ed)\w\w )",
    re.IGNORECASE,
)
# What only says what for, or what follows: left off where it points back.
_TAIL = worded(
    r",? (?:(?:specifically |explicitly |carefully )?(?:designed|aimed|aiming|intended|built|proposed|crafted|tailored) (?:to|for|at)"
    r"|(?:in order |so as )?to (?:further |better |jointly |effectively )?(?:<solve>\w*|<study>\w*|answer|achieve|enable|handle|support|facilitate|combat|counter|do)"
    r"|(?:that|which) (?:\w+ly )?(?!is|are|was|were|has|have|can|may|will|we|the)\w+s?)\b"
    r"| (?:by \w+ing|to (?:\w+ly )?\w+)(?= (?:this|these|those|such|the above)\b)"
    r"|, (?:\w+ly )?(?:\w+ing|\w+ed|thereby|thus|hence|which|while|whereas|allowing|enabling|addressing|making|leading|resulting|achieving|providing|bridging|so|and|with|in particular|particularly|especially|including)\b"
, re.NOFLAG)  # fmt: skip
# "…, a novel framework": of which nothing is left to say.
_BARE = worded(r", an? (?:[\w-]+ ){0,2}<made>s?$", re.NOFLAG)
# "…, a framework that addresses this challenge by learning …": what comes after it says more.
_DETOUR = re.compile(
    r",? (?:(?:that|which) (?:\w+ly )?|(?:(?:specifically )?(?:designed|aimed|aiming|intended|built) )?(?:to|at) )"
    r"\w+ (?:all )?(?:this|these|those|both|such|them|it)"
    r"(?: [\w-]+){0,3}? (?:(?P<way>through|via|with)|by|(?=using\b))(?(way)(?= )| ?(?=(?:\w+ly )?\w+ing\b))"
)
# "We release tools addressing these gaps.", "We propose a radar for this setting.": "We propose a radar."
_ASIDE = worded(
    r",?(?: \w+ly)? <solve>ing (?:this|these|those|such|both) (?:[\w-]+ )?[\w-]+(?=[,.:;])"
    r"|(?<!designed)(?<!tailored)(?<!suited)(?<!intended)(?<!account)(?<!search)(?<!look)(?<!allow)(?<!allows) (?:in|for|across|within|under|(?<=view )on|(?<=tive )on|(?<=rvey )on|(?<=ysis )on|(?<=rvey )of|(?<=view )of)"
    r" <these> (?:[\w-]+ ){0,2}[\w-]+(?=[,.;]| (?:by|via|through|using|with)\b)",
    re.NOFLAG,
)
# "… make such judgements.": "… make judgements."
_SUCH = re.compile(r"(?<=[a-z] )such (?!as\b|that\b)(?=an? |(?:[\w-]+ ){1,3}?[\w-]+s\b)")
# "We address this gap by introducing …": "We introduce …".
_DID = {
    gerund: gerund.removesuffix("ing") + ending
    for ending, gerunds in (
        ("", "adding adopting augmenting building collecting conducting constructing designing developing exploiting extending learning performing"
             " presenting reformulating rethinking revisiting studying training viewing"),
        ("e", "analyzing combining compiling composing creating curating decomposing deriving examining exploring formalizing generalizing"
              " incorporating integrating introducing investigating leveraging optimizing proposing providing releasing utilizing using"),
    )
    for gerund in gerunds.split()
}  # fmt: skip
_DID["formulating"], _DID["reformulating"] = "formulate", "reformulate"
_ADDRESSED = worded(
    r"^(?P<who>we|i|this <ours>) (?:(?:aim|seek|attempt|try|strive|propose)s? to )?(?:\w+ly )?(?:restor|achiev|exploit|<solve>)\w*"
    r" (?:all )?(?:this|these|those|both|such|them|it|the)(?: [\w-]+){0,3}?(?: (?:in|of|for|on) [^,.;:$]{2,60}?)? by (?P<how>\w+ing)\b"
)
# "This motivates us to introduce …": "We introduce …".
_MOTIVATED = worded(
    r"^(?:this|these)\b[^.,;:$]{0,50}? (?:motivat|le[ad]|prompt|inspir|allow|enabl|driv|compel)\w* us to (?=(?:\w+ly )?"
    r"(?:<make>|formulat|deriv|defin|prov))"
)
# "This survey, written for a meeting, aims to …": "This survey aims to …".
_PARENTHESIS = worded(r"^((?:this|the) <ours>), [^,;:.$]{5,200}, (?=(?:aims|seeks|\w+[^s]s)\b)")
# "… by one such incentive, empowerment, …": "… by empowerment, …".
_ONE_SUCH = re.compile(r"\bone such [\w-]+(?: \w+)?, (?=[^,]{2,60},)")
# "We close this gap with a method …": "We present a method …".
_CLOSED_WITH = worded(
    r"^(?:we|this <ours>) <solve>\w* (?:this|these|both|such) [\w-]+ (?:with|through|via) (?=(?:an?|the first) |(?-i:[A-Z]))"
)
# "We look into these flaws and propose …": "We propose …".
_THEN = worded(r"^we [^,.;:$]{0,60}\b<these>\b[^,.;:$]{0,60},? and (?=(?:\w+ly )?<make>\w* )")
# "We define this condition as X: …": "We define X: …".
_DEFINED = re.compile(
    r"^(we (?:formally )?(?:define|formali[sz]e)) (?:this|these) (?:[\w-]+ )?\w+ as(?= (?:an? |the )?[\w-]+(?: [\w-]+){0,3}[:,])",
    re.IGNORECASE,
)
# A letter that stands for something: of one letter or a Greek one; not of a function, a font or a set of numbers.
_SYMBOL = re.compile(
    r"(?<![A-Za-z\\])[A-MPS-Ya-z](?![A-Za-z])"
    r"|\\(?:[Aa]lpha|[Bb]eta|[Gg]amma|[Dd]elta|epsilon|varepsilon|eta|[Tt]heta|[Ll]ambda|mu|nu|[Xx]i|rho|[Ss]igma|tau|[Pp]hi|chi|[Pp]si|[Oo]mega)\b"
)
_SHORT_NAME = re.compile(r"\(([A-Z][\w-]*[A-Z][\w-]*)\)")
_COINED = re.compile(r"^([^:]{2,40}?)\s?:")
_IT = worded(r"^(?:it(?= (?:is|can|has|uses|does|\w+s)\b)|(?:our|this|the(?: proposed)?) (?P<noun><made>s?))(?=\s)(?!'s)")


@lru_cache(maxsize=4_000)
def points_back(text: str, early: int = EARLY) -> int:
    """How many of its words point at what was said before it. 0: it stands alone, as far as words tell."""
    found = 1 if _START.match(text) and not text[:1].isdigit() else 0
    for match in _DEMONSTRATIVE.finditer(text):
        if (
            match.start() == 0
            or (match[1].lower() == "this" and _SELF.match(match[2]))
            or (match[1].startswith("the ") and match.start() > early)
        ):
            continue  # the start is counted above
        before = _stems(text[: match.start()])
        found += not before & _stems(match[2])
    found += sum(1 for match in _BACK.finditer(text) if match.start())
    if (ours := _OUR.search(text)) and not _BRINGS.search(text[: ours.start()]):
        found += 1
    return found


def _stems(text: str) -> set[str]:
    return {stem(word) for word in _WORD.findall(text.casefold().replace("-", " ")) if word not in _LINKS}


def sums_up(text: str) -> bool:
    """Whether what it points back at is all of the sentence before: "… for this failure"."""
    return bool(_SUMS_UP.search(text))


def without_openings(sentence: str) -> str:
    """Without "In this paper," and without a first clause that points back ("Unlike these methods, we …")."""
    rest = _MARKER.sub("", sentence, count=1)
    if match := _CLAUSE.match(rest):
        clause = match["clause"]
        if not is_open(clause) and (
            points_back("x " + clause + ".")
            or re.search(
                r"\b(?:this|that|these|those|it|them|they|their|(?:all|the) (?:two|three|four)|our (?:findings?|analys[ie]s|observations?|insights?|results?))\b",
                clause,
            )
            or len(rest) > LONGEST
            or _CONTRAST.match(clause)
        ):
            rest = _MARKER.sub("", rest[match.end() :], count=1)
    rest = _THEN.sub("We ", _MOTIVATED.sub("We ", _DEFINED.sub(r"\1", rest)))
    rest = _ADDRESSED.sub(_did, _PARENTHESIS.sub(r"\1 ", rest).replace(" these recent ", " recent "))
    rest = _CLOSED_WITH.sub("We present ", _ONE_SUCH.sub("", rest))
    rest = _ORDER.sub(r"\1 ", rest)
    return rest[:1].upper() + rest[1:] if rest[:1].islower() else rest


def _did(match: re.Match[str]) -> str:
    verb = _DID.get(match["how"].lower())
    if verb is None:
        return match[0]
    if match["who"].lower() in ("we", "i"):
        return f"{match['who']} {verb}"
    return f"{match['who']} {verb[:-1] + 'ie' if verb.endswith('dy') else verb}s"


def without_tail(sentence: str, least: int) -> str:
    """Without a last clause that says what for and points back ("…, designed to bridge these gaps"), if `least` characters stay."""
    if not points_back(sentence):
        return sentence
    sentence = _DETOUR.sub(lambda match: " with" if match["way"] else " ", sentence, count=1)
    if not points_back(sentence):
        return sentence
    if not points_back(_SUCH.sub("", sentence)):
        return _SUCH.sub("", sentence)
    if not points_back(shorter := _ASIDE.sub("", sentence)) and len(shorter) >= least:
        return shorter
    whole = spans(sentence)
    for match in reversed(list(_TAIL.finditer(sentence, least))):
        head = sentence[: match.start()].rstrip(" ,")
        if len(short := _BARE.sub("", head)) >= least:
            head = short
        if (
            not inside(match.start(), whole)
            and (ends_well(head) or (_BARE.search(head) and not is_open(head)))
            and not points_back(head + ".")
        ):
            return head + "."
    return sentence


def unset_symbols(lines: list[str], every: list[str], title: str = "") -> list[frozenset[str]]:
    """Of each line, what an earlier sentence sets up and a reader of the line alone does not know: symbols in maths, and short names
    of what is proposed ("we propose guidance by frequency (FDG)") that the title does not have.
    """
    found, before, names = [], set[str](), set[str]()
    for line, sentence in zip(lines, every, strict=True):
        found.append(frozenset((symbols(line) & before) | {name for name in names if holds(line, name)}))
        before |= symbols(sentence)
        if _BRINGS.search(sentence):
            names |= {name for name in _SHORT_NAME.findall(sentence) if not holds(title, name)}
    return found


def symbols(text: str) -> set[str]:
    return {
        symbol
        for start, end in spans(text)
        if text[start] != "\\" or text[start + 1] in "(["
        for symbol in _SYMBOL.findall(text[start:end])
    }


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a title coins ("GlacierEye: radar at night"), and the sentence that brings it in."""

    text: str
    place: int
    introduced: str

    def is_in(self, sentence: str) -> bool:
        return holds(sentence, self.text)

    def restored(self, sentence: str, place: int, before: str) -> str:
        """ "It …", "Our method …" → the name, where it is sure that it is meant: the sentence before is about it, or the one that
        brings it in calls it so.
        """
        match = _IT.match(sentence)
        if match is None or place <= self.place or self.is_in(sentence):
            return sentence
        noun = match["noun"]
        if noun is None:
            sure = self.place == place - 1 and self.is_in(before)
        else:
            sure = bool(re.search(rf"\b{re.escape(noun)}\b", self.introduced, re.IGNORECASE))
        return self.text + sentence[match.end() :] if sure else sentence


def coined_name(title: str, every: list[str]) -> Name | None:
    """None where the title coins none, or no sentence brings it in."""
    match = _COINED.match(title)
    if match is None or len(match[1].split()) > 3:
        return None
    name = match[1].strip()
    for place, sentence in enumerate(every):
        if holds(sentence, name) and _BRINGS.search(sentence):
            is_name = re.search(r"[A-Z].*[A-Z0-9]|\d", name) or re.search(rf"{_BRINGS.pattern} \W*{re.escape(name)}\b", sentence)
            return Name(name, place, sentence) if is_name else None
    for place, sentence in enumerate(every):  # without a word for it: "GlacierEye sees …"
        if re.search(r"[a-z].*[A-Z]|[A-Z]{2}|\d", name) and re.match(
            rf"(?:[\w-]+, )?{re.escape(name)} (?:\w+ly )?(?!is |was )\w+s\b", sentence
        ):
            return Name(name, place, sentence)
    return None


def holds(sentence: str, name: str) -> bool:
    place = sentence.find(name)
    while place >= 0:
        end = place + len(name)
        if not (place and sentence[place - 1].isalnum()) and not (end < len(sentence) and sentence[end].isalnum()):
            return True
        place = sentence.find(name, place + 1)
    return False
