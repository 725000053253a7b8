"""What a search is narrowed down to by choosing: topic, period, source. Each is a part of the query's own language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from digest.domain.paper import Paper
from digest.domain.phrase import phrase
from digest.domain.query import parse_query
from digest.render.edition.topics import topic
from digest.render.text.one_line import clean

ARCHIVES = ("cs", "stat", "math", "physics", "q-bio", "eess", "econ", "q-fin", "cond-mat", "astro-ph")
MOST_TOPICS = 12
YEARS = 6
PERIODS = {"week": (phrase("Past week"), 7), "month": (phrase("Past month"), 30), "year": (phrase("Past year"), 365)}


@dataclass(frozen=True, slots=True)
class Facet:
    """One choice of a form: (value, label) of each option. `part` is what the chosen one adds to the query."""

    name: str
    label: str
    chosen: str
    part: str
    options: Sequence[tuple[str, str]]


def facets(
    topic_code: str, period: str, source: str, known: Sequence[str], found: Iterable[Paper], today: date
) -> tuple[Facet, ...]:
    """For what was chosen; what is none of the choices chooses nothing. Topics are those of the papers `found` first."""
    counts = Counter(clean(category) for paper in found for category in paper.categories)
    codes = [code for code, _ in counts.most_common(MOST_TOPICS)]
    valid = parse_query(f"cat:{topic_code}").categories == (topic_code.lower(),)
    codes = list(dict.fromkeys([*([topic_code] if valid else []), *codes, *ARCHIVES]))
    years = [str(today.year - n) for n in range(YEARS)]
    sources = [*known]
    return (
        Facet(
            "topic",
            phrase("Topic"),
            topic_code if valid else "",
            f"cat:{topic_code}" if valid else "",
            [(code, _named(code)) for code in codes],
        ),
        Facet(
            "period",
            phrase("Published"),
            period if _within(period, today) else "",
            _within(period, today),
            [*((name, label) for name, (label, _) in PERIODS.items()), *((year, year) for year in years)],
        ),
        Facet(
            "source",
            phrase("Source"),
            source if source in sources else "",
            f"source:{source}" if source in sources else "",
            [(name, name) for name in sources],
        ),
    )


def _named(code: str) -> str:
    name = topic(code)
    return name if name == code else f"{name} ({code})"


def _within(period: str, today: date) -> str:
    """The query's part for a period; "" for none that there is."""
    if period in PERIODS:
        return f"since:{today - timedelta(days=PERIODS[period][1])}"
    if period in (str(today.year - n) for n in range(YEARS)):
        return f"since:{period} until:{period}"
    return ""
