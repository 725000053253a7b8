"""What is left raw or damaged in titles and abstracts as readers see them, counted by kind over ../shared/data.

    ./run bench readable [--show KIND] [--every N]

A figure is the number of texts (titles and abstracts) of which the kind is true at least once.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from digest.render.text.latex import readable

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = ("corpus/arxiv_papers.jsonl.gz", "hf_history/papers.jsonl.gz")
OPERATORS = "=<>≤≥≠≈∼×±→∈⊂∪∩"
KINDS = {
    "raw: macro": re.compile(r"\\[A-Za-z]"),
    "raw: escaped character": re.compile(r"\\[^A-Za-z\s]"),
    "raw: dollar": re.compile(r"\$[^$\s][^$]*[\\^_{][^$]*\$"),
    "raw: braced script": re.compile(r"[\^_]\{"),
    "raw: bare power": re.compile(r"\w\^[\d+-]"),
    "raw: bare index": re.compile(r"(?<!\w)[^\W\d_]_\d+(?!\w)"),
    "raw: tie": re.compile(r"[A-Za-z]{2}~\w|\.~\w|\w~[(\[]"),
    "raw: group": re.compile(r"\{[^{},:\"|]*\}"),
    "raw: quotes": re.compile(r"``|(?<=\w)''(?!\w)"),
    "raw: tag": re.compile(r"</?(?:\w+:)?(?:su[bp]|m(?:i|n|o|row|ath|sup|sub)|em|strong|italic)\b[^<>]*>", re.I),
    "raw: entity": re.compile(r"&(?:#\w+|[a-z]{2,8});"),
    "damaged: space on one side": re.compile(
        rf"(?<![\w²³])(?:[^\W\d_][₀-₉ᵢⱼₙⁿ²]?|[)\]])(?: [{OPERATORS}][^\s)\]{OPERATORS}-]|[{OPERATORS}] [^\s\W])"
    ),
}
LENGTHS = (
    r"\\(?:[hv]space\*?|label|mkern|phantom|color|unicode|href|kern|hskip|tag|definecolor|scalebox|raisebox|hyperlink)"
    r"\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|-?[\d.]+\w+)"
)
UNSAID = re.compile(rf"{LENGTHS}|</?[A-Za-z][^<>$]*>|&#\w+;|LaTeX2e|\[-?[\d.]+\s?[a-z]{{2}}\]")
"""Where digits are no part of what is told: lengths, labels, addresses, attributes, entities."""


_TWO_FORMS = re.compile(r"\\texorpdfstring\s*(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})\s*(\{(?:[^{}]|\{[^{}]*\})*\})")


def digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text if unicodedata.digit(c, -1) >= 0)


def texts() -> Iterator[str]:
    for name in FILES:
        with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield from (row[key] for key in ("title", "abstract") if row.get(key))


def kinds(source: str, seen: str) -> list[str]:
    source = re.sub(
        r"\\unicode\{x([0-9A-Fa-f]{2,5})\}", lambda found: chr(int(found[1], 16)), unicodedata.normalize("NFC", source)
    )
    found = [kind for kind, pattern in KINDS.items() if pattern.search(seen)]
    forms = (source, _TWO_FORMS.sub(r"\1", source), _TWO_FORMS.sub(r"\2", source))
    if all(digits(seen) not in (digits(form), digits(UNSAID.sub("", form))) for form in forms):
        found.append("damaged: other digits")
    if readable.__wrapped__(seen) != seen:
        found.append("damaged: changes when read twice")
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--show", metavar="KIND", help="prints the texts of kinds that contain this")
    options.add_argument("--every", metavar="N", type=int, default=1, help="reads only one text in N")
    chosen = options.parse_args()
    wanted = chosen.show
    counts, read, took = Counter[str](), 0, 0.0
    for source in islice(texts(), 0, None, chosen.every):
        read += 1
        began = time.perf_counter()
        seen = readable.__wrapped__(source)
        took += time.perf_counter() - began
        for kind in kinds(source, seen):
            counts[kind] += 1
            if wanted and wanted in kind:
                print(f"{kind}\n  {source}\n  {seen}")
    for kind in [*KINDS, "damaged: other digits", "damaged: changes when read twice"]:
        print(f"{kind:<36}{counts[kind]:>8,}")
    print(f"{read:,} texts in {took:.1f} s")


if __name__ == "__main__":
    main()
