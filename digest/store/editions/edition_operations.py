"""What an operator does to an edition that is on its way: hold the rest back, correct it, send it again to who has it not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, or_, select, update

from digest.domain.delivery import NOT_SENT, DeliveryState, Stage
from digest.domain.edition import Edition, Rendered
from digest.store.dialect import insert_into, inserted
from digest.store.editions.editions import Editions
from digest.store.schema import attempts, deliveries, editions, lists
from digest.store.types import Instant

_UNSENT = ("edition_id", "subscription_id", "due_at", "expires_at", "next_attempt_at", "state")
_UNANSWERED = exists().where(
    attempts.c.delivery_id == deliveries.c.id, attempts.c.stage == Stage.DOT.value, attempts.c.code.is_(None)
)
"""Once a final dot went out and nothing came back: this reader may have it."""


class EditionOperations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def withhold(self, edition_id: int, reason: str) -> int:
        """Ends what is still queued; says how many. What somebody has claimed is theirs until they give it back."""
        rest = (deliveries.c.edition_id == edition_id, deliveries.c.state == DeliveryState.QUEUED.value)
        ended = update(deliveries).where(*rest).values(state=DeliveryState.WITHHELD.value, reason=reason)
        return self._connection.execute(ended).rowcount

    def reinstate(self, edition_id: int) -> bool:
        """Makes a cancelled edition stand again; False when it was not cancelled."""
        cancelled = (editions.c.id == edition_id, editions.c.state == "cancelled")
        return self._connection.execute(update(editions).where(*cancelled).values(state="frozen")).rowcount > 0

    def freeze_correction(self, draft: Edition, rendered: Rendered) -> Edition:
        """Keeps a correction of the edition `draft.corrects`; the one of the same content is found, not made again.

        A list has one edition a day; so a correction lies under a name that no list can have, which nothing looks up by name.
        """
        assert draft.corrects is not None, "a correction says of what"
        name = f"{draft.list}#{draft.corrects}-{draft.content_hash[:16]}"
        row = {"name": name, "title": f"Correction of {draft.list}, {draft.date}", "settings": {}, "configured": False}
        self._connection.execute(insert_into(self._connection, lists).values(row).on_conflict_do_nothing())
        return Editions(self._connection).freeze_as(name, draft, rendered)

    def queue_correction(self, correction: Edition, due_at: datetime, expires_at: datetime, *, unsure: bool = False) -> int:
        """One delivery for each reader who got what it corrects and has none of it queued yet; says how many.

        Who got it: a relay accepted it; with `unsure` also those for whom none ever answered the final dot.
        """
        got: ColumnElement[bool] = deliveries.c.state == DeliveryState.ACCEPTED.value
        if unsure:
            got = or_(got, deliveries.c.state == DeliveryState.UNCERTAIN.value, _UNANSWERED)
        instants = [literal(at, Instant()) for at in (due_at, expires_at, due_at)]
        queued = select(
            literal(correction.id), deliveries.c.subscription_id, *instants, literal(DeliveryState.QUEUED.value)
        ).where(deliveries.c.edition_id == correction.corrects, got)
        return inserted(
            self._connection, insert_into(self._connection, deliveries).from_select(_UNSENT, queued).on_conflict_do_nothing()
        )

    def requeue(self, edition_id: int, due_at: datetime, expires_at: datetime, reason: str, *, unsure: bool = False) -> int:
        """Queues again what ended without a relay taking it; says how many. Who may have it is left out, but with `unsure`.

        Attempts count from zero again. Suppressions and ended subscriptions still forbid: the claim looks.
        """
        certain: ColumnElement[bool] = and_(deliveries.c.state.in_(_values(NOT_SENT)), ~_UNANSWERED)
        if unsure:
            certain = deliveries.c.state.in_(_values({*NOT_SENT, DeliveryState.UNCERTAIN}))
        again = {
            "state": DeliveryState.QUEUED.value,
            "attempts": 0,
            "next_attempt_at": due_at,
            "expires_at": expires_at,
            "reason": reason,
        }
        statement = update(deliveries).where(deliveries.c.edition_id == edition_id, certain).values(**again)
        return self._connection.execute(statement).rowcount

    def enqueue_urgent(self, edition_id: int, subscription_id: int, due_at: datetime, expires_at: datetime, reason: str) -> int:
        """Queues one reader's copy before everybody's, also where none was due; 0 where a relay has it, or may."""
        row = {
            "state": DeliveryState.QUEUED.value,
            "attempts": 0,
            "next_attempt_at": due_at,
            "expires_at": expires_at,
            "reason": reason,
            "urgent": True,
        }
        key = {"edition_id": edition_id, "subscription_id": subscription_id, "due_at": due_at}
        done = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)
        statement = insert_into(self._connection, deliveries).values(**key, **row)
        index = ["edition_id", "subscription_id"]
        unsent = deliveries.c.state.not_in(_values(done))
        return inserted(self._connection, statement.on_conflict_do_update(index_elements=index, set_=row, where=unsent))


def _values(states: Collection[DeliveryState]) -> list[str]:
    return [state.value for state in states]
