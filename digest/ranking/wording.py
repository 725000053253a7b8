"""The word lists that the rules for a paper's one sentence share, and patterns that name them."""

from __future__ import annotations

import re

_LISTS = {
    # What the authors wrote.
    "ours": "paper|work|study|report|article|survey|note|letter|thesis|review|research|manuscript|chapter|project|tutorial"
    "|release|contribution|document|essay|book|textbook|dissertation|monograph|overview|preprint",
    # What they made.
    "made": "method|approach|framework|model|system|algorithm|pipeline|architecture|agent|technique|strategy|benchmark|dataset"
    "|suite|network|tool|toolkit|library|platform|paradigm|corpus|formulation|mechanism|proposal|scheme|procedure|solution",
    # What a sentence before has told.
    "matter": "issue|problem|challenge|gap|question|phenomenon|phenomena|conjecture|limitation|shortcoming|drawback|bottleneck"
    "|need|goal|tension|trade-?off|difficulty|mismatch|dilemma|task|setting|direction|observation|insight|finding|assumption|result"
    "|reliance|analysis|evolution|perspective|property|purpose|restriction|constraint|barrier|requirement",
    # What a whole is in: "three components".
    "part": "innovation|component|stage|step|module|part|contribution|aspect|axes|dimension|idea|phase|principle|design|mechanism"
    "|strategie|perspective|finding|challenge|way",
    "these": "this|these|those|such",
    "several": "two|three|four|five|six|seven|several",
    # Beginnings of verbs: making, naming, showing, what a result does, looking into, getting past.
    "make": "propos|introduc|present|develop|design|build|built|devis|releas|describ|creat|construct",
    "name": "call|nam|dub|term",
    "show": "show|find|found|prove|proving|demonstrat|reveal",
    "imply": "indicat|suggest|confirm|observ|establish",
    "study": "explor|stud|investigat|examin|analy[sz]",
    "solve": "address|tackl|solv|overcom|bridg|fill|clos|mitigat|alleviat|resolv|meet|remed",
}
_LIST = re.compile(rf"<({'|'.join(_LISTS)})>")


def worded(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    """`pattern` with "<made>" and the like standing for any word of that list."""
    return re.compile(_LIST.sub(lambda match: f"(?:{_LISTS[match[1]]})", pattern), flags)
