"""What delivers lets others go first, and only what delivers."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from digest.wiring.courtesy import give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is counted by the process")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def in_a_thread(*steps: int) -> list[int]:
    """The niceness of a thread after each step of giving way."""
    seen: list[int] = []

    def run() -> None:
        for step in steps:
            give_way(step)
            seen.append(niceness())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return seen


def test_a_thread_gives_way_and_the_others_stay_as_they_were() -> None:
    before = niceness()
    assert in_a_thread(before + 1) == [before + 1]
    assert niceness() == before


def test_who_gives_way_already_gives_no_less() -> None:
    now = niceness()
    assert in_a_thread(now + 2, now + 1, now + 2) == [now + 2] * 3


def test_none_is_asked_for_and_none_is_given() -> None:
    assert in_a_thread(0) == [max(niceness(), 0)] or niceness() < 0
