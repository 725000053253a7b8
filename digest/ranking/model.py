"""The model of growth: plain numbers, read from a file that people can read, and how they make a score.

    score = exp(base + sum(weight × feature) / power)

is the number of votes a paper is expected to gain in the next 72 hours; features are those of features.py. Of a paper nobody has
spoken of, "appeal" is 0 and the score is multiplied by exp(sum(weight × what speaks for it without votes)).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from digest.domain.errors import InvalidInput
from digest.ranking.features import FEATURES, PRIOR, Figures
from digest.ranking.text_prior import TextPrior

_HIGHEST = 700.0
"""exp of more is no number."""


WITHOUT_VOTES: Mapping[str, float] = {"text": 1.0, "authors": 0.3, "likeness": 2.0, "code": 0.1}
"""Chosen on the announcements of four months, by the votes that came later (docs/how-to/writing-a-ranker.md)."""


@dataclass(frozen=True, slots=True)
class Model:
    weights: Mapping[str, float]
    power: float = 1.0
    base: float = 0.0
    appeal: TextPrior = field(default_factory=TextPrior)
    without_votes: Mapping[str, float] = field(default_factory=lambda: dict(WITHOUT_VOTES))
    """Weights of features.PRIOR: they stand for the appeal where nobody has spoken."""
    fitted_on: Mapping[str, object] = field(default_factory=dict)
    """What it was fitted on, for people: "until", "mornings", "papers"."""

    def expected(self, figures: Figures) -> float:
        """Votes in the next 72 hours."""
        prior = 0.0
        if figures.is_silent:
            prior = math.fsum(weight * PRIOR[name](figures) for name, weight in self.without_votes.items() if weight)
            figures = replace(figures, appeal=0.0)
        linear = math.fsum(weight * FEATURES[name](figures) for name, weight in self.weights.items() if weight)
        return math.exp(min(self.base + linear / self.power + prior, _HIGHEST)) * figures.topic_weight


PLAIN = Model({"formula": 1.0})
"""What is known without a fit: votes, less what is gone of their time. Where no coefficients are given."""


def parse(text: str, where: str) -> Model:
    """Reads what `written` writes. Raises InvalidInput, naming the place."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(where, f"is not TOML: {error}") from None
    weights, without_votes = _numbers(read, "weights", where), _numbers(read, "without_votes", where)
    for table, values, known in (("weights", weights, FEATURES), ("without_votes", without_votes, PRIOR)):
        if unknown := sorted(values.keys() - known.keys()):
            raise InvalidInput(f"{where}: {table}.{unknown[0]}", f"is no feature; there are {', '.join(known)}")
    if not weights:
        raise InvalidInput(f"{where}: weights", "is missing; run `digest train` to make such a file")
    growth = _numbers(read, "growth", where)
    power = growth.get("power", 1.0)
    if power <= 0:
        raise InvalidInput(f"{where}: growth.power", "should be above 0")
    usual, shape = _numbers(read, "shape_usual", where), _numbers(read, "shape", where)
    return Model(
        weights=weights,
        power=power,
        base=growth.get("base", 0.0),
        appeal=TextPrior(
            title=_numbers(read, "title_words", where),
            abstract=_numbers(read, "abstract_words", where),
            shape={name: (usual.get(name, 0.0), weight) for name, weight in shape.items()},
            centre=growth.get("words_centre", 0.0),
        ),
        without_votes={**WITHOUT_VOTES, **without_votes},
        fitted_on=read.get("fitted", {}),
    )


def _numbers(read: Mapping[str, Any], table: str, where: str) -> dict[str, float]:
    found = read.get(table, {})
    if not isinstance(found, dict):
        raise InvalidInput(f"{where}: {table}", "should be a table")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidInput(f"{where}: {table}.{name}", f"{value!r:.40} should be a number")
    return {name: float(value) for name, value in found.items()}


_HEAD = """\
# How trending papers are told: votes expected in the next 72 hours = exp(base + sum(weight * feature) / power).
# The features are in digest/ranking/features.py. `digest train` makes such a file from your own history.
"""


def written(model: Model) -> str:
    """The model as TOML, the strongest words first. The same model gives the same text."""
    appeal = model.appeal
    tables: list[tuple[str, str, Mapping[str, object]]] = [
        ("fitted", "", model.fitted_on),
        ("growth", "", {"power": model.power, "base": model.base, "words_centre": appeal.centre}),
        ("weights", "", model.weights),
        ("without_votes", "# what speaks for a paper nobody has spoken of: its score is multiplied by exp(sum(weight * figure))",
         model.without_votes),
        ("shape", "# of the text alone: what each figure adds to a paper's appeal (all are logarithms but the colon) …",
         {name: weight for name, (_, weight) in appeal.shape.items()}),
        ("shape_usual", "# … for what it is above these", {name: usual for name, (usual, _) in appeal.shape.items()}),
        ("title_words", "# what a word of the title adds", _strongest_first(appeal.title)),
        ("abstract_words", "# what a word of the abstract adds", _strongest_first(appeal.abstract)),
    ]  # fmt: skip
    parts = [_HEAD]
    for name, comment, values in tables:
        lines = [
            f"[{name}]",
            *([comment] if comment else []),
            *(f"{_key(key)} = {_value(value)}" for key, value in values.items()),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _strongest_first(weights: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda pair: (-pair[1], pair[0])))


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else f'"{name}"'


def _value(value: object) -> str:
    return repr(value) if isinstance(value, int | float) else '"' + str(value).replace("\\", "").replace('"', "") + '"'
