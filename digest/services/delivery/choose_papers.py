"""Which papers each claimed delivery shows: the best of its edition's pool that its reader was not sent (docs/adr/0006).

Chosen once and written into the row before its first byte goes out: a mail that is tried again shows the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from digest.domain.delivery import Claimed, DeliveryState
from digest.domain.paper import Reason
from digest.domain.phrase import phrase_document, phrase_from
from digest.store.unit_of_work import Store, UnitOfWork

Choice = tuple[int, tuple[Reason, ...] | None]
"""A position in the edition's pool, with this reader's reasons (None: the list's own)."""
INTEREST = "interest"
PERSONAL = (INTEREST, "also")
"""Kinds of reasons that follow from what one reader asked for or was sent; all others stand in the edition's pool."""
NOTHING_NEW = "every paper of the edition that they could get was sent to this reader before"


class Choose(Protocol):
    def __call__(self, unit: UnitOfWork, readers: Sequence[Claimed]) -> Mapping[int, Sequence[Choice] | None]:
        """Each delivery's papers, best first, by its id (None: the mail that says there are none). They are of one edition."""

    def make_cards(self, edition_id: int, positions: Collection[int]) -> object:
        """Makes sure that an edition has the cards at these positions. It writes: no unit of work may be open."""


Choices = dict[int, Sequence[Choice] | None]


def choose_shared(unit: UnitOfWork, claimed: Sequence[Claimed], choose: Choose, owner: str) -> tuple[Choices, frozenset[int]]:
    """For readers without interests, as they are claimed: (each delivery's papers, the deliveries that have none: withheld).

    Two lists may be sending to one reader at once: one after the other, each seeing what the one before chose.
    """
    choices: Choices = {each.id: [(position, None) for position in each.picks or ()] for each in claimed}
    fresh = [each for each in claimed if each.picks is None]
    several = unit.sent_papers.of_several({each.subscriber_id for each in fresh}, lock=True) if fresh else set()
    for readers in [[each for each in fresh if each.subscriber_id not in several], *_one_of_each(fresh, several)]:
        for some in _by_edition(readers):
            choices |= choose(unit, some)
        _freeze(unit, readers, choices)
    return choices, _withhold(unit, fresh, choices, owner)


def choose_personal(claimed: Sequence[Claimed], store: Store, choose: Choose, owner: str) -> tuple[Choices, frozenset[int]]:
    """The same for readers with interests. It takes longer, so most of it is done while nobody waits for the database."""
    choices: Choices = {}
    fresh = [each for each in claimed if each.picks is None]
    with store.read() as unit:
        several = unit.sent_papers.of_several({each.subscriber_id for each in fresh}) if fresh else set()
        choices |= _as_frozen(unit, [each for each in claimed if each.picks is not None])
        for readers in _by_edition([each for each in fresh if each.subscriber_id not in several]):
            choices |= choose(unit, readers)
    with store.begin() as unit:
        _freeze(unit, [each for each in fresh if each.subscriber_id not in several], choices)
        for readers in _one_of_each(fresh, several):
            unit.sent_papers.of_several({each.subscriber_id for each in readers}, lock=True)
            for some in _by_edition(readers):
                choices |= choose(unit, some)
            _freeze(unit, readers, choices)
        nothing = _withhold(unit, fresh, choices, owner)
    for readers in _by_edition(claimed):
        choose.make_cards(readers[0].edition_id, {position for each in readers for position in _positions(choices[each.id])})
    return choices, nothing


def _as_frozen(unit: UnitOfWork, readers: Sequence[Claimed]) -> Choices:
    """What was chosen for them before, with the reasons it had then, whatever they have asked for since."""
    found = unit.sent_papers.own_reasons([each.id for each in readers])
    own = {each.id: found.get(each.id) or [[]] * len(each.picks or ()) for each in readers}
    places = [(each.edition_id, position) for each in readers if each.id in found for position in each.picks or ()]
    pooled = unit.editions.pooled(set(places))
    return {
        each.id: [
            (position, with_own(pooled[each.edition_id, position].ranked.reasons, some) if some else None)
            for position, some in zip(each.picks or (), own[each.id], strict=True)
        ]
        for each in readers
    }


def with_own(listed: Sequence[Reason], own: Sequence[tuple[str, Any]]) -> tuple[Reason, ...]:
    """A paper's reasons for one reader, of the list's and those `freeze` kept: what they asked for comes first."""
    mine = [Reason(kind, phrase_from(text)) for kind, text in own]
    others = [each for each in mine if each.kind != INTEREST and each not in listed]
    return (*(each for each in mine if each.kind == INTEREST), *listed, *others)


def _withhold(unit: UnitOfWork, fresh: Sequence[Claimed], choices: Choices, owner: str) -> frozenset[int]:
    nothing = frozenset(each.id for each in fresh if (own := choices[each.id]) is not None and not own)
    unit.deliveries.stop(dict.fromkeys(nothing, (DeliveryState.WITHHELD, NOTHING_NEW)), owner)
    return nothing


def _positions(choices: Sequence[Choice] | None) -> tuple[int, ...]:
    return tuple([position for position, _ in choices or ()])


def _freeze(unit: UnitOfWork, readers: Sequence[Claimed], choices: Mapping[int, Sequence[Choice] | None]) -> None:
    freeze(unit, {each.id: own for each in readers if (own := choices[each.id]) is not None})


def freeze(unit: UnitOfWork, choices: Mapping[int, Sequence[Choice]]) -> None:
    """Keeps what deliveries show, by their ids: the positions, and of the reasons those that no other reader may have."""
    chosen: dict[tuple[int, ...], list[int]] = defaultdict(list)
    reasons: dict[int, list[list[tuple[str, Any]]]] = {}
    for delivery_id, choice in choices.items():
        chosen[_positions(choice)].append(delivery_id)
        if any(some for _, some in choice):  # of nearly all readers none: they have the list's own
            own = [
                [(each.kind, phrase_document(each.text)) for each in some or () if each.kind in PERSONAL] for _, some in choice
            ]
            if any(own):
                reasons[delivery_id] = own
    unit.deliveries.freeze_picks(chosen, reasons)


def _by_edition(readers: Sequence[Claimed]) -> list[list[Claimed]]:
    groups: dict[int, list[Claimed]] = defaultdict(list)
    for each in readers:
        groups[each.edition_id].append(each)
    return [groups[edition_id] for edition_id in sorted(groups)]


def _one_of_each(readers: Sequence[Claimed], several: Collection[int]) -> list[list[Claimed]]:
    """Those with several subscriptions, in rounds in which no subscriber comes twice."""
    rounds: list[list[Claimed]] = []
    met: dict[int, int] = defaultdict(int)
    for each in readers:
        if each.subscriber_id in several:
            if met[each.subscriber_id] == len(rounds):
                rounds.append([])
            rounds[met[each.subscriber_id]].append(each)
            met[each.subscriber_id] += 1
    return rounds


def _document(reason: Reason) -> tuple[str, Any]:
    return reason.kind, phrase_document(reason.text)
