"""From a stored history to a model's coefficients. Needs numpy, which ranking itself does without.

Two steps, both convex, so that the same history gives the same coefficients:

1. Appeal: ridge regression of ln(1 + votes after six days), less the mean of the paper's day, on words and shape.
2. Growth: each morning is a choice among its candidates. A candidate's share of the choice is its gain to the power POWER (so
   that one runaway paper does not decide everything); the weights make the softmax of the scores most like these shares.

The larger part of the score is the simple formula, the rest was fitted: what a few months teach is taken as a correction of what
holds everywhere, since sources come to be read at other hours and from other lists, and the unseen months are ranked better so.

Step 2 sees the appeal of a paper as judged without that paper's day (cross-fitting): else it would trust words too much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digest.domain.paper import Paper
from digest.ranking.features import FORMULA
from digest.ranking.model import Model
from digest.ranking.text_prior import TextPrior, shape, words

Array = np.ndarray[Any, np.dtype[np.float64]]

POWER = 0.5
RIDGE = 3.0
"""On standardised weights of a fit in which each morning counts as a fifth of one choice."""
MORNING_WEIGHT = 0.2
WORD_RIDGE = 400.0
IN_TITLES, IN_ABSTRACTS = 15, 60
"""A word must be in so many papers to get a weight."""
ABSTRACT_SCALE, SHAPE_SCALE = 0.7, 3.0
"""How far the ridge trusts a word of the abstract, and a figure of the shape, compared with a word of the title."""
FOLDS = 6
TRUST = 0.4
"""The fitted part of the score; the rest is the formula's."""
NEGLIGIBLE = 0.004
"""Words that move the appeal by less are left out: the file is to be read."""


@dataclass(frozen=True, slots=True)
class JudgedPaper:
    """A paper whose fate is known: `day` it was first seen (an ordinal), `votes` six days later."""

    paper: Paper
    day: int
    votes: float


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate of a morning. `figures` are its features with an appeal of 1 where appeal counts (see `fit_growth`)."""

    morning: int
    paper_id: int
    vector: tuple[float, ...]
    gain: float


# ---- appeal ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Design:
    columns: list[tuple[str, str]]
    matrix: Array
    """Papers × columns, scaled."""
    scale: Array
    usual: dict[str, float]


def fit_text_prior(known: Sequence[JudgedPaper]) -> tuple[TextPrior, dict[int, float]]:
    """The weights, and each paper's appeal by id as judged from the other days' papers. Papers need an abstract."""
    usable = [each for each in known if each.paper.abstract]
    if len(usable) < 2 * IN_ABSTRACTS:
        return TextPrior(), {}
    design = _designed([each.paper for each in usable])
    days = np.array([each.day for each in usable])
    target = _less_day_mean(np.log1p(np.array([each.votes for each in usable])), days)
    weights, _ = _ridge(design.matrix, target)
    unseen: dict[int, float] = {}
    for fold in range(FOLDS):
        out = (days * 7919) % FOLDS == fold
        if out.any() and not out.all():
            others, zero = _ridge(design.matrix[~out], target[~out])
            for place, value in zip(np.flatnonzero(out), design.matrix[out] @ others - zero, strict=True):
                unseen[usable[place].paper.id] = float(value)
    return _appeal_of(design, weights * design.scale), unseen


def _designed(papers: Sequence[Paper]) -> _Design:
    titles, abstracts = [words(p.title) for p in papers], [words(p.abstract) for p in papers]
    shapes = [shape(p) for p in papers]
    kept = [("title", word) for word in _frequent(titles, IN_TITLES)]
    kept += [("abstract", word) for word in _frequent(abstracts, IN_ABSTRACTS)]
    names = sorted({name for each in shapes for name in each})
    place = {column: n for n, column in enumerate([*kept, *(("shape", name) for name in names)])}
    matrix = np.zeros((len(papers), len(place)))
    for row, (title, abstract) in enumerate(zip(titles, abstracts, strict=True)):
        matrix[row, [place["title", word] for word in title if ("title", word) in place]] = 1.0
        matrix[row, [place["abstract", word] for word in abstract if ("abstract", word) in place]] = ABSTRACT_SCALE
    scale = np.array([{"title": 1.0, "abstract": ABSTRACT_SCALE, "shape": 1.0}[part] for part, _ in place])
    usual = {}
    for name in names:
        observed = np.array([each[name] for each in shapes if name in each])
        usual[name] = float(observed.mean())
        spread = SHAPE_SCALE / (float(observed.std()) or 1.0)
        matrix[:, place["shape", name]] = [spread * (each.get(name, usual[name]) - usual[name]) for each in shapes]
        scale[place["shape", name]] = spread
    return _Design(list(place), matrix, scale, usual)


def _frequent(texts: Sequence[frozenset[str]], least: int) -> list[str]:
    counted = Counter(word for text in texts for word in text)
    return sorted(word for word, papers in counted.items() if papers >= least)


def _less_day_mean(values: Array, days: Any) -> Array:
    _, group = np.unique(days, return_inverse=True)
    return np.asarray(values - (np.bincount(group, values) / np.bincount(group))[group])


def _ridge(matrix: Array, target: Array) -> tuple[Array, float]:
    """Weights, and what they give for the average row."""
    mean = matrix.mean(0)
    centred = matrix - mean
    left = centred.T @ centred + WORD_RIDGE * np.eye(len(mean))
    weights = np.linalg.solve(left, centred.T @ (target - target.mean()))
    return weights, float(mean @ weights)


def _appeal_of(design: _Design, weights: Array) -> TextPrior:
    parts: dict[str, dict[str, float]] = {"title": {}, "abstract": {}, "shape": {}}
    for (part, name), weight in zip(design.columns, weights, strict=True):
        if part == "shape" or abs(weight) >= NEGLIGIBLE:
            parts[part][name] = round(float(weight), 3)
    kept = [n for n, (part, name) in enumerate(design.columns) if part != "shape" and name in parts[part]]
    there = (design.matrix[:, kept] > 0).mean(0)
    centre = math.fsum(float(p) * parts[design.columns[n][0]][design.columns[n][1]] for p, n in zip(there, kept, strict=True))
    figures = {name: (round(design.usual[name], 3), weight) for name, weight in parts["shape"].items()}
    return TextPrior(parts["title"], parts["abstract"], figures, round(centre, 4))


# ---- growth ----------------------------------------------------------------------------------------------------------------


def fit_growth(names: Sequence[str], rows: Sequence[Row], appeal: TextPrior, observed: dict[str, object]) -> Model:
    """The model whose choices are most like the gains. `rows` of a morning stand together."""
    vectors = np.array([row.vector for row in rows])
    gains = np.array([row.gain for row in rows])
    _, morning = np.unique([row.morning for row in rows], return_inverse=True)
    fitted = [place for place, name in enumerate(names) if name != FORMULA]
    weights = np.array([POWER * (1 - TRUST) if name == FORMULA else 0.0 for name in names])
    weights[fitted] = TRUST * _softmax_weights(vectors[:, fitted], gains, morning)
    scores = vectors @ weights / POWER
    base = math.log(max(gains.sum(), 1.0) / np.exp(scores - scores.max()).sum()) - float(scores.max())
    return Model(
        weights={name: round(float(w), 4) for name, w in zip(names, weights, strict=True)},
        power=POWER,
        base=round(base, 4),
        appeal=appeal,
        fitted_on=observed,
    )


def _softmax_weights(vectors: Array, gains: Array, morning: Any) -> Array:
    """Newton's method on standardised features; the loss is convex, a dozen steps do."""
    mean, spread = vectors.mean(0), vectors.std(0)
    spread[spread == 0] = 1.0
    x = (vectors - mean) / spread
    starts = np.flatnonzero(np.r_[True, morning[1:] != morning[:-1]])
    share = gains**POWER
    share = MORNING_WEIGHT * share / np.maximum(np.bincount(morning, share), 1e-9)[morning]
    total = np.bincount(morning, share)[morning]
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        score = x @ weights
        score -= np.maximum.reduceat(score, starts)[morning]
        chance = np.exp(score)
        chance *= total / np.bincount(morning, chance)[morning]
        slope = x.T @ (share - chance) - RIDGE * weights
        means = np.add.reduceat(x * chance[:, None], starts)
        weight_of = np.maximum(np.add.reduceat(chance, starts), 1e-12)[:, None]
        curve = (x * chance[:, None]).T @ x - (means / weight_of).T @ means + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(weights / spread)
