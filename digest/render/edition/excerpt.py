"""The two or three sentences of an abstract that a mail has room for."""

from __future__ import annotations

from digest.ranking.sentences import sentences, shortened
from digest.ranking.terms import terms

TAIL = 24
"""Characters: the end of a summary by which its sentence is found. Its start may have been left off or a name given back."""
REPEATED = 0.8
"""A sentence with this part of its words in the summary above it says nothing new."""
FEWEST = 4
"""Words that carry meaning; of fewer it cannot be told."""


def excerpt(abstract: str, key: str, longest: int, *, after: bool, above: str = "") -> str:
    """Whole sentences of `abstract` from the one that holds `key` (with `after`: from the next) up to `longest` characters;
    from the start where none holds it. The key sentence is told as the key tells it. The first is cut where even it is longer.
    What `above` (the source's own summary) says already is left out.
    """
    every = sentences(abstract)
    held = key.rstrip("….!? ")[-TAIL:]
    place = next((n for n, sentence in enumerate(every) if held and held in sentence), None)
    rest = every[0 if place is None else place + after :]
    if place is not None and not after and not key.endswith("…"):
        rest[:1] = sentences(key)
    rest = [sentence for sentence in rest if not _repeats(sentence, above)]
    chosen = ""
    for sentence in rest:
        longer = f"{chosen} {sentence}" if chosen else sentence
        if len(longer) > longest:
            return chosen or shorten(sentence, longest)
        chosen = longer
    return chosen


def _repeats(sentence: str, above: str) -> bool:
    own = set(terms(sentence)) if above else set()
    return len(own) >= FEWEST and len(own.intersection(terms(above))) >= REPEATED * len(own)


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters, "…" included; text without spaces is cut where it must."""
    text = " ".join(text.split())
    return text if len(text) <= longest else shortened(text, longest) or text[: longest - 1] + "…"
