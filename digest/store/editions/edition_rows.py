"""Rows of editions, their pools and cards, and what they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Row

from digest.domain.edition import Card, Edition, Pick, Pooled, Rendered, Update, Window
from digest.domain.paper import Ranked, Reason
from digest.domain.phrase import phrase_document, phrase_from
from digest.domain.schedule import Frequency
from digest.store.row_mapping import paper_document, paper_from_document


def listed(name: str) -> str:
    """The list's own name: a correction's is followed by "#" and what tells it from others (edition_operations.py)."""
    return name.partition("#")[0]


def head_row(draft: Edition, rendered: Rendered) -> dict[str, Any]:
    return {
        "list": draft.list,
        "date": draft.date,
        "window_start": draft.window.start,
        "window_end": draft.window.end,
        "cutoff": draft.cutoff,
        "frequency": draft.frequency.value,
        "on_pages": draft.on_pages,
        "considered": draft.considered,
        "max_picks": draft.max_picks,
        "max_pool": draft.max_pool,
        "frozen_at": draft.frozen_at,
        "subject": rendered.subject,
        "html": rendered.html,
        "text": rendered.text,
        "render": {
            "nonce": rendered.nonce,
            "picks": rendered.picks,
            "preheader": rendered.preheader,
            "style": rendered.style,
            "brevity": rendered.brevity,
            **({"language": rendered.language} if rendered.language != "en" else {}),
            **({"period": rendered.period} if rendered.period else {}),
            "other": other_document(rendered.other),
            **({"nothing": nothing_document(rendered.nothing)} if rendered.nothing else {}),
        },
        "notes": [phrase_document(note) for note in draft.notes],
        "updates": [{**asdict(update), "what": phrase_document(update.what)} for update in draft.updates],
        "content_hash": draft.content_hash,
        "state": draft.state,
        "corrects": draft.corrects,
    }


def nothing_document(nothing: Rendered) -> dict[str, Any]:
    return {name: getattr(nothing, name) for name in ("subject", "html", "text", "nonce", "preheader", "style", "period")}


def other_document(other: Rendered | None) -> dict[str, Any] | None:
    """What the other style's shell says otherwise: subject, picks and what cards are about are the same."""
    if other is None:
        return None
    return {"style": other.style, "nonce": other.nonce, "html": other.html, "text": other.text}


def other_style(rendered: Rendered, rows: Sequence[Row[Any]], document: dict[str, Any] | None) -> Rendered | None:
    if document is None:
        return None
    cards = [other_card_of(card, row) or replace(card, html="", text="") for card, row in zip(rendered.cards, rows, strict=True)]
    if "cards" in document:  # as editions were kept before migration 0013
        cards = [replace(card, html=h, text=t) for card, (h, t) in zip(rendered.cards, document.pop("cards"), strict=True)]
    return replace(rendered, **document, cards=tuple(cards))


def pool_row(
    edition_id: int,
    pooled: Pooled,
    card: Card,
    other: Card | None,
    pick_rank: int | None,
    before: Mapping[int, tuple[Mapping[str, Any], list[int]]],
) -> dict[str, Any]:
    """`before` has papers' documents and the place of each: one that is the same still is not kept again."""
    ranked = pooled.ranked
    assert not card.html or card.paper_id == ranked.paper.id, "cards lie in the pool's order"
    document: dict[str, Any] = json.loads(json.dumps(paper_document(ranked.paper)))
    earlier, place = before.get(ranked.paper.id, (None, []))
    return {
        "edition_id": edition_id,
        "position": pooled.position,
        "paper_id": ranked.paper.id,
        "paper": place if document == earlier else document,
        "score": ranked.score,
        "reasons": [[reason.kind, phrase_document(reason.text)] for reason in ranked.reasons],
        "growth": ranked.growth,
        "featured_before": pooled.featured_before,
        "section": pooled.section,
        "pick_rank": pick_rank,
        **card_columns(card, other),
    }


def card_columns(card: Card, other: Card | None) -> dict[str, Any]:
    return {
        "card_html": card.html,
        "card_text": card.text,
        "card_words": [card.identifier, card.title, card.reasons, *([card.section] if card.section else [])],
        "other_html": other.html if other else None,
        "other_text": other.text if other else None,
    }


def other_card_of(card: Card, row: Row[Any]) -> Card | None:
    return replace(card, html=row.other_html, text=row.other_text) if row.other_html is not None else None


def card_of(row: Row[Any]) -> Card:
    identifier, title, reasons, *section = row.card_words
    return Card(row.paper_id, row.card_html, row.card_text, identifier, title, tuple(reasons), *section)


def ranked_of(row: Row[Any]) -> Ranked:
    # the column, not the document, says which paper it is now: two may have been found to be one
    paper = replace(paper_from_document(row.paper), id=row.paper_id)
    return Ranked(paper, row.score, tuple(Reason(kind, phrase_from(text)) for kind, text in row.reasons), tuple(row.growth))


def update_from(document: Mapping[str, Any]) -> Update:
    return Update(**{**document, "what": phrase_from(document["what"])})


def edition_of(head: Row[Any], picks: Sequence[Pick]) -> Edition:
    return Edition(
        id=head.id,
        list=listed(head.list),
        date=head.date,
        window=Window(head.window_start, head.window_end),
        cutoff=head.cutoff,
        frequency=Frequency(head.frequency),
        on_pages=head.on_pages,
        considered=head.considered,
        max_picks=head.max_picks,
        max_pool=head.max_pool,
        frozen_at=head.frozen_at,
        picks=tuple(picks),
        notes=tuple(map(phrase_from, head.notes)),
        updates=tuple(map(update_from, head.updates)),
        content_hash=head.content_hash,
        state=head.state,
        corrects=head.corrects,
    )
