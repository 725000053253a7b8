"""Composing ahead: the order stays, there is an end to it, and who is told to stop gives nothing out, however much is ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from digest.domain.delivery import Envelope
from digest.domain.errors import StoreError
from digest.services.delivery.prefetch import Ahead


class Room:
    """Composes by number, and remembers what it composed."""

    def __init__(self, count: int) -> None:
        self.count, self.made = count, list[int]()

    def compose(self) -> Iterator[Envelope]:
        for number in range(self.count):
            self.made.append(number)
            yield Envelope(number, "a@x.test", "b@x.test", (b"x\r\n",))


def test_what_is_made_before_and_what_is_made_when_asked_comes_in_order() -> None:
    room = Room(6)
    ahead = Ahead(room.compose(), lambda: False, 9)
    assert next(ahead).delivery_id == 0
    assert [ahead.prepare(), ahead.prepare()] == [True, True]
    assert room.made == [0, 1, 2], "two were made that nobody asked for"
    assert [envelope.delivery_id for envelope in ahead] == [1, 2, 3, 4, 5]
    assert (ahead.prepare(), room.made) == (False, list(range(6))), "there is nothing more to make"


def test_no_more_is_made_than_there_is_room_for() -> None:
    room = Room(9)
    ahead = Ahead(room.compose(), lambda: False, 3)
    assert [ahead.prepare() for _ in range(5)] == [True, True, True, False, False]
    next(ahead)
    assert [ahead.prepare() for _ in range(3)] == [True, False, False]
    assert room.made == [0, 1, 2, 3]


def test_told_to_stop_it_gives_out_nothing_and_makes_nothing() -> None:
    room, stopped = Room(9), list[bool]()
    ahead = Ahead(room.compose(), lambda: bool(stopped), 9)
    assert ahead.prepare()
    assert ahead.prepare()
    stopped.append(True)
    assert (ahead.prepare(), list(ahead), room.made) == (False, [], [0, 1])


def test_what_goes_wrong_while_it_makes_one_is_raised_and_what_was_made_is_there() -> None:
    def compose() -> Iterator[Envelope]:
        yield from Room(2).compose()
        raise StoreError("the database went away")

    ahead = Ahead(compose(), lambda: False, 9)
    assert ahead.prepare()
    assert ahead.prepare()
    with pytest.raises(StoreError, match="went away"):
        ahead.prepare()
    assert ahead.prepare() is False
    assert [envelope.delivery_id for envelope in ahead] == [0, 1]
