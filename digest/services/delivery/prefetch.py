"""Composing ahead: while every connection waits for the relay, the next mails are made, so that its answers find them ready.

A relay that is busy with our mails leaves us idle, and waits for us while we read and write the database: what is composed in
the first while makes up for the second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from digest.domain.delivery import Envelope

AHEAD = 500
"""Mails made and not asked for yet, at most: two megabytes or so, since mails share what is the same in all of them."""


class Ahead(Iterator[Envelope]):
    """Envelopes in the order of `composed`, which makes one each time it is asked; `prepare` asks before the relay does.

    Once `halted()` says so nothing more is given out, however much is ready.
    """

    def __init__(self, composed: Iterator[Envelope], halted: Callable[[], bool], most: int) -> None:
        self._composed, self._halted, self._most = composed, halted, most
        self._ready = deque[Envelope]()

    def __next__(self) -> Envelope:
        if self._halted():
            raise StopIteration
        return self._ready.popleft() if self._ready else next(self._composed)

    def prepare(self) -> bool:
        """Makes one more; whether there was one to make, and room for it. Raises what making it raises."""
        if len(self._ready) >= self._most or self._halted():
            return False
        envelope = next(self._composed, None)
        if envelope is not None:
            self._ready.append(envelope)
        return envelope is not None
