"""Words that a search engine's stemmer keeps apart and a reader does not: "generalizability" and "generalisation"."""

from __future__ import annotations

import re

_FAMILIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), endings)
    for pattern, endings in (
        (
            r"(?P<stem>[a-z]{3,}i)[sz](?:e[drs]?|ers|ing|ations?|able|abilit(?:y|ies))",
            ("ze", "zation", "zable", "zability", "se", "sation", "sable", "sability"),
        ),
        (r"(?P<stem>(?:an|cat|par)aly|dialy)[sz](?:e[drs]?|ers|ing|is)", ("ze", "se", "sis", "ses")),
        (
            r"(?P<stem>(?:behavi|neighb|col|fav|flav|lab|tum|hon|harb|vap|vig|endeav|arm|hum|rig))ou?r(?P<rest>[a-z]*)",
            ("or{rest}", "our{rest}"),
        ),
        (r"(?P<stem>(?:cent|fib|met|lit|calib|theat|spect)|[a-z]+met)(?:re|er)(?P<rest>s?)", ("re{rest}", "er{rest}")),
        (r"(?P<stem>[a-z]{2,}[aeiou]l)l?(?P<rest>ed|ing|er|ers)", ("{rest}", "l{rest}")),
        (r"(?P<stem>(?:cata|ana|dia))log(?:ue)?(?P<rest>s?)", ("log{rest}", "logue{rest}")),
    )
)


def spellings(word: str) -> tuple[str, ...]:
    """The word (in lower case) first, then its other forms: British and American, and kin that stemmers part. Few, often none."""
    for pattern, endings in _FAMILIES:
        if found := pattern.fullmatch(word):
            parts = found.groupdict()
            related = (parts["stem"] + ending.format(rest=parts.get("rest", "")) for ending in endings)
            return tuple(dict.fromkeys((word, *related)))
    return (word,)
