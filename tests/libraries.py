"""Invented papers on themes, and a reader's library of them in every form people bring."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal

NOON = datetime(2026, 5, 27, 12, tzinfo=UTC)
THEMES = {
    "glaciers": "glacier ice retreat moraine snow albedo calving fjord melt cryosphere firn icefall polar sheet basal",
    "bees": "bee hive pollen foraging colony nectar queen swarm honey pollinator brood waggle apiary larva comb",
    "bridges": "bridge girder truss cable span load fatigue pier deck corrosion arch weld",
    "violins": "violin bow string resonance timbre varnish tone bridge harmonic spruce plate luthier vibrato bass octave",
    "enzymes": "enzyme catalysis substrate binding kinetics inhibitor fold protein mutation cofactor hydrolysis assay",
    "markets": "market auction liquidity trader volatility bid arbitrage portfolio equity hedge broker yield",
    "galaxies": "galaxy redshift halo quasar cluster spectrum dust nebula telescope luminosity spiral merger survey lens cosmic",
    "robots": "robot gripper manipulation grasp joint torque trajectory arm planner quadruped gait locomotion tactile wheel",
}
COMMON = [
    "we",
    "study",
    "a",
    "new",
    "method",
    "that",
    "measures",
    "results",
    "on",
    "large",
    "data",
    "with",
    "models",
    "and",
    "shows",
    "how",
    "training",
    "improves",
    "analysis",
]


def paper(theme: str, number: int, chance: random.Random) -> Sighting:
    own = THEMES[theme].split()
    title = f"{' '.join(chance.sample(own, 3)).capitalize()} in {chance.choice(own)} studies {number}"
    abstract = " ".join(chance.choice(own if chance.random() < 0.35 else COMMON) for _ in range(70))
    return Sighting(
        source="huggingface",
        identifiers=(Identifier("arxiv", f"2605.{number:05}"),),
        title=title,
        abstract=f"{abstract.capitalize()}.",
        authors=(f"Ada {theme.capitalize()}son{number}", "Wei Wang"),
        published_at=NOON - timedelta(days=3),
        seen_at=NOON - timedelta(days=1, hours=number % 48),
    )


def window(count: int = 240) -> list[Sighting]:
    """Papers on all themes in turn, each with votes: what everybody talks about has nothing to do with the theme."""
    chance = random.Random(5)
    themes = list(THEMES)
    shown = [paper(themes[n % len(themes)], n, chance) for n in range(1, count + 1)]
    at = NOON - timedelta(hours=2)
    return [replace(s, signals=(Signal("upvotes", float(chance.choice((1, 3, 8, 40, 90))), at, s.source),)) for s in shown]


def library(theme: str = "glaciers", count: int = 40) -> list[Sighting]:
    """None of them is in the window."""
    chance = random.Random(9)
    return [replace(paper(theme, n, chance), authors=(f"Bo Reader{n}",)) for n in range(50_001, 50_001 + count)]


def bibtex(works: Iterable[Sighting]) -> str:
    return "\n".join(
        f"@article{{k{n}, title={{{w.title}}}, author={{{' and '.join(w.authors)}}}, abstract={{{w.abstract}}}, year={{2025}}}}"
        for n, w in enumerate(works)
    )


def biblatex(works: Iterable[Sighting]) -> str:
    return "\n".join(
        f"@online{{k{n},\n  title = {{{w.title}}},\n  author = {{{w.authors[0]}}},\n  date = {{2025-03-01}},\n"
        f"  eprint = {{{w.identifiers[0].value}}},\n  eprinttype = {{arXiv}},\n  abstract = {{{w.abstract}}}\n}}"
        for n, w in enumerate(works)
    )


def ris(works: Iterable[Sighting]) -> str:
    return "\n".join(
        f"TY  - JOUR\nTI  - {w.title}\nAU  - {w.authors[0].split()[1]}, Bo\nAB  - {w.abstract}\nPY  - 2025\nER  - \n"
        for w in works
    )


def csl_json(works: Iterable[Sighting]) -> str:
    return json.dumps([{"id": str(n), "type": "article", "title": w.title, "abstract": w.abstract} for n, w in enumerate(works)])


def zotero_csv(works: Iterable[Sighting]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Key", "Item Type", "Publication Year", "Author", "Title", "DOI", "Url", "Abstract Note"])
    for n, w in enumerate(works):
        writer.writerow([f"K{n}", "journalArticle", "2025", "Reader, Bo", w.title, "", "", w.abstract])
    return out.getvalue()


def arxiv_ids(works: Iterable[Sighting]) -> str:
    return "\n".join(w.identifiers[0].value for w in works)


def dois(works: Iterable[Sighting]) -> str:
    return "\n".join(f"https://doi.org/10.5555/{w.identifiers[0].value}" for w in works)


def titles(works: Iterable[Sighting]) -> str:
    return "\n".join(w.title for w in works)


def pasted(works: Iterable[Sighting]) -> str:
    """As from the end of a paper: numbered references, each with its title in quotation marks."""
    return "\n".join(f"[{n}] {w.authors[0]}: “{w.title}.” Journal of Things {n}, 2025." for n, w in enumerate(works, 1))


WAYS: dict[str, Callable[[Iterable[Sighting]], str]] = {
    each.__name__: each for each in (bibtex, biblatex, ris, csl_json, zotero_csv, arxiv_ids, dois, titles, pasted)
}


def answers(works: Sequence[Sighting], wanted: Iterable[Identifier]) -> Iterator[Sighting]:
    """What a source that knows these works says of some of them."""
    known = {each.value: work for work in works for each in work.identifiers}
    for identifier in wanted:
        if (work := known.get(identifier.value.removeprefix("10.5555/"))) is not None:
            yield replace(work, identifiers=(identifier,))
