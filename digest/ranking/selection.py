"""From a ranking to the day's picks: spread over topics, near-duplicates folded, with room for what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from digest.domain.edition import LeftOut, Pick, Pooled
from digest.domain.paper import Paper, Ranked, Reason
from digest.ranking import terms

SAME = 0.80
"""Likeness from which two papers are one story: the lower one is folded into the higher ("also: …")."""
ALIKE = 0.25
"""Likeness from which two papers are on one topic: of a year's pairs, those from here on were, by their titles."""
PER_TOPIC = 2
"""How many picks may be alike; the rest of the topic waits for another day."""
ROOM_FOR_NEW = 10
"""One pick in so many (at least one from five picks on) is kept for new papers that no one has voted on yet."""
_TWINS = ("folded", "nearly the same")
"""How the reasons of those begin that never fill an empty place."""
CONSIDERED = 10
"""How many papers per pick are looked at: further down no spread is worth the loss."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`pool` is in order of score, featured papers and all picks among it; `left_out` says why for every paper not picked."""

    picks: tuple[Pick, ...]
    pool: tuple[Pooled, ...]
    left_out: tuple[LeftOut, ...]


def select(ranked: Sequence[Ranked], picks: int, featured: frozenset[int], pool: int = 300) -> Selection:
    """Chooses at most `picks` of `ranked` (best first), none in `featured`, nearly the same as one of those, or withdrawn.

    Pure and deterministic: the same ranking gives the same selection. `pool` is how many ranked papers are kept for
    readers' own picks; a pick further down is kept as well.
    """
    able = [r for r in ranked if not r.paper.withdrawn]
    fresh = [r for r in able if r.paper.id not in featured]
    considered, rest = fresh[: picks * CONSIDERED], fresh[picks * CONSIDERED :]
    before = [r.paper for r in able if r.paper.id in featured]
    chosen, reasons = _choose(considered, picks, _room_for_new(considered, rest, picks), before)
    for paper in ranked:
        if paper.paper.withdrawn:
            reasons[paper.paper.id] = "withdrawn"
        elif paper.paper.id in featured:
            reasons[paper.paper.id] = "featured in an earlier edition"
    picked = tuple(Pick(rank, paper) for rank, paper in enumerate(chosen, start=1))
    by_id = {pick.ranked.paper.id: pick.ranked for pick in picked}
    pooled = [by_id.get(r.paper.id, r) for place, r in enumerate(able) if place < pool or r.paper.id in by_id]
    return Selection(
        picks=picked,
        pool=tuple(Pooled(place, r, featured_before=r.paper.id in featured) for place, r in enumerate(pooled)),
        left_out=tuple(
            LeftOut(r.paper.id, reasons.get(r.paper.id, f"ranked {place}; {len(picked)} were picked"))
            for place, r in enumerate(ranked, start=1)
            if r.paper.id not in by_id
        ),
    )


def is_new(ranked: Ranked) -> bool:
    """New, and nobody has voted yet: only its being new speaks for it."""
    return any(reason.kind == "new" for reason in ranked.reasons)


def _room_for_new(considered: Sequence[Ranked], rest: Sequence[Ranked], picks: int) -> list[Ranked]:
    """The best new papers without votes, wherever they are ranked, best first."""
    if picks < 5:
        return []
    return [r for r in (*considered, *rest) if is_new(r)][: 5 * max(1, picks // ROOM_FOR_NEW)]


def _choose(
    considered: Sequence[Ranked], picks: int, new: Sequence[Ranked], before: Sequence[Paper]
) -> tuple[list[Ranked], dict[int, str]]:
    papers = {paper.id: paper for paper in (*(r.paper for r in (*considered, *new)), *before)}
    vectors = dict(zip(papers, terms.vectors(list(papers.values())), strict=True))
    room = min(max(1, picks // ROOM_FOR_NEW), len(new)) if new else 0
    chosen: list[Ranked] = []
    reasons: dict[int, str] = {}
    also: dict[int, list[Paper]] = {}
    for ranked in considered:
        if len(chosen) == picks:
            break
        if _fits(ranked, chosen, vectors, reasons, also, before):
            still_wanted = max(0, room - sum(map(is_new, chosen)))
            if is_new(ranked) or len(chosen) < picks - still_wanted:
                chosen.append(ranked)
    for ranked in new:
        if len(chosen) < picks and ranked not in chosen and _fits(ranked, chosen, vectors, reasons, also, before):
            chosen.append(ranked)
    if len(chosen) < picks:  # fewer topics than picks: better two alike than an empty place
        waiting = [r for r in considered if r not in chosen and not reasons.get(r.paper.id, "").startswith(_TWINS)]
        chosen.extend(waiting[: picks - len(chosen)])
    chosen.sort(key=considered_order(considered, new))
    return [_with_also(r, also.get(r.paper.id, [])) for r in chosen], reasons


def considered_order(considered: Sequence[Ranked], new: Sequence[Ranked]):  # type: ignore[no-untyped-def]
    order = {r.paper.id: place for place, r in reversed(list(enumerate((*considered, *new))))}
    return lambda r: order[r.paper.id]


def _fits(
    ranked: Ranked,
    chosen: Sequence[Ranked],
    vectors: Mapping[int, Mapping[str, float]],
    reasons: dict[int, str],
    also: dict[int, list[Paper]],
    before: Sequence[Paper],
) -> bool:
    """Whether a paper adds something to those chosen. Writes why not, and folds what is nearly the same."""
    paper = ranked.paper
    alike = [(terms.likeness(vectors[paper.id], vectors[other.paper.id]), other) for other in chosen]
    closest, nearest = max(alike, key=lambda pair: pair[0], default=(0.0, None))
    if nearest is not None and closest >= SAME:
        also.setdefault(nearest.paper.id, []).append(paper)
        reasons[paper.id] = f"folded into “{nearest.paper.title}”, which is nearly the same"
        return False
    for other in before:
        if terms.likeness(vectors[paper.id], vectors[other.id]) >= SAME:
            reasons[paper.id] = f"nearly the same as “{other.title}”, which an earlier edition featured"
            return False
    near = [other for how, other in alike if how >= ALIKE]
    if len(near) >= PER_TOPIC:
        reasons[paper.id] = f"{len(near)} picks are on its topic already, such as “{near[0].paper.title}”"
        return False
    return True


def _with_also(ranked: Ranked, folded: Sequence[Paper]) -> Ranked:
    if not folded:
        return ranked
    return replace(ranked, reasons=(*ranked.reasons, also(folded)))


def also(folded: Sequence[Paper]) -> Reason:
    """Names what is nearly the same as a pick."""
    return Reason("also", "also: " + "; ".join(paper.title for paper in folded))
