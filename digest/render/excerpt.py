"""The two or three sentences of an abstract that a mail has room for."""

from __future__ import annotations

from digest.ranking.summary import sentences, shortened


def excerpt(abstract: str, already_said: str, longest: int) -> str:
    """The sentences of `abstract` that follow the one the summary took from it (from the start, where it took none), up to
    `longest` characters; the first is cut where even it is longer. 0 means none.
    """
    if longest <= 0:
        return ""
    every = sentences(abstract)
    said = " ".join(already_said.split()).rstrip("… ")
    # A summary taken from the abstract may have lost its opening ("In this paper, …") and its end.
    after = next((n + 1 for n, sentence in enumerate(every) if said and said[1:] in sentence), 0)
    chosen = ""
    for sentence in every[after:]:
        longer = f"{chosen} {sentence}" if chosen else sentence
        if len(longer) > longest:
            return chosen or shorten(sentence, longest)
        chosen = longer
    return chosen


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters, "…" included; text without spaces is cut where it must."""
    text = " ".join(text.split())
    return shortened(text, longest) or text[: longest - 1] + "…"
