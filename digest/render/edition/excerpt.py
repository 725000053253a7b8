"""The two or three sentences of an abstract that a mail has room for."""

from __future__ import annotations

from digest.ranking.sentences import sentences, shortened


def excerpt(abstract: str, key: str, longest: int, *, after: bool) -> str:
    """Whole sentences of `abstract` from the one that holds `key` (with `after`: from the next) up to `longest` characters;
    from the start where none holds it. The key sentence is told as the key tells it. The first is cut where even it is longer.
    """
    every = sentences(abstract)
    # A key sentence may have lost its opening ("In this paper, …") and its end.
    held = key.rstrip("… ")[1:]
    place = next((n for n, sentence in enumerate(every) if held and held in sentence), None)
    rest = every[0 if place is None else place + after :]
    if place is not None and not after and not key.endswith("…"):
        rest[0] = key
    chosen = ""
    for sentence in rest:
        longer = f"{chosen} {sentence}" if chosen else sentence
        if len(longer) > longest:
            return chosen or shorten(sentence, longest)
        chosen = longer
    return chosen


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters, "…" included; text without spaces is cut where it must."""
    text = " ".join(text.split())
    return text if len(text) <= longest else shortened(text, longest) or text[: longest - 1] + "…"
