"""Past issues: what one reader was sent, each with the papers, the order and the reasons that it had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from digest.domain.delivery import SentIssue
from digest.domain.edition import Edition, Pooled
from digest.domain.errors import NotFound
from digest.domain.phrase import phrase
from digest.services.delivery.choose_papers import with_own
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class PastIssue:
    """`papers` in the order of the mail, with this reader's reasons."""

    sent: SentIssue
    edition: Edition
    papers: tuple[Pooled, ...]


def past_issues(store: Store, subscription_id: int, limit: int, before: int | None = None) -> list[SentIssue]:
    """Newest first, each with the title of its first paper; `before` is a delivery's id, from which to page on."""
    with store.read() as unit:
        found = unit.sent_papers.issues(subscription_id, limit, before)
        first = unit.editions.pooled({(each.edition_id, each.positions[0]) for each in found if each.positions})
    titles = {place: pooled.ranked.paper.title for place, pooled in first.items()}
    return [replace(each, title=titles.get((each.edition_id, each.positions[0]), "") if each.positions else "") for each in found]


def past_issue(store: Store, subscription_id: int, delivery_id: int) -> PastIssue:
    """Raises NotFound: it is not this reader's, was not sent, or is not kept any more."""
    with store.read() as unit:
        sent = unit.sent_papers.issue(subscription_id, delivery_id)
        edition = unit.editions.get(sent.edition_id) if sent else None
        pooled = unit.editions.pooled({(sent.edition_id, position) for position in sent.positions}) if sent else {}
    if sent is None or edition is None:
        raise NotFound(phrase("this issue"), phrase("it was not sent to you, or is older than what we keep"))
    reasons = sent.reasons or ((),) * len(sent.positions)
    shown = [(pooled.get((sent.edition_id, position)), own) for position, own in zip(sent.positions, reasons, strict=False)]
    return PastIssue(sent, edition, tuple(_with_reasons(each, own) for each, own in shown if each is not None))


def _with_reasons(pooled: Pooled, own: Sequence[tuple[str, Any]]) -> Pooled:
    return replace(pooled, ranked=replace(pooled.ranked, reasons=with_own(pooled.ranked.reasons, own))) if own else pooled
