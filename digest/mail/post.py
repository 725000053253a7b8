"""The post: several connections to the best relay that will have us, failing over to the next.

What a relay took and could not even begin (an attempt at CONNECT without a reply) is handed to the next relay; everything else
is that relay's answer and final.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.mail.relay import Relay
from digest.mail.session import SendLog


class Post:
    """Hands envelopes over. `log` is told of every final dot before it goes out."""

    def __init__(self, relays: Sequence[Relay], log: SendLog, connections: int = 5) -> None:
        self._relays = tuple(relays)
        self._log = log
        self._connections = connections

    def hand_over(self, envelopes: Iterable[Envelope]) -> Iterator[Attempt]:
        """One Attempt for each envelope taken. Raises RelayUnreachable (RelayRefusedUs) when the last relay could not be had.

        Ended early (closed), it finishes the messages in flight and hangs up.
        """
        waiting: Iterable[Envelope] = envelopes
        refusal = RelayUnreachable("none", "no relay is configured; add a [[relays]] table")
        for relay in self._relays:
            working = True
            while working:
                taking = _Taking(waiting)
                unbegun: list[Envelope] = []
                working = False
                try:
                    for attempt in self._through(relay, taking):
                        envelope = taking.taken.pop(attempt.delivery_id)
                        if attempt.stage is Stage.CONNECT and attempt.reply is None:
                            unbegun.append(envelope)
                            refusal = RelayUnreachable(relay.name, attempt.error)
                        else:
                            working = True
                            yield attempt
                    if not unbegun:
                        return
                    # some connections were refused, others worked: what the former held goes through the latter
                except RelayUnreachable as error:
                    refusal, working = error, False
                waiting = _chained(unbegun, taking)
        raise refusal

    def _through(self, relay: Relay, taking: _Taking) -> Iterator[Attempt]:
        first = taking.peek(self._connections)
        if first <= 1 or self._connections == 1:
            yield from relay.send(taking, self._log)
            return
        done: queue.SimpleQueue[Attempt | RelayUnreachable | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                for attempt in relay.send(taking, self._log):
                    done.put(attempt)
                done.put(None)
            except BaseException as error:
                done.put(error)

        threads = [
            threading.Thread(target=work, name=f"{relay.name}-{n}", daemon=True) for n in range(min(first, self._connections))
        ]
        for thread in threads:
            thread.start()
        failures: list[BaseException] = []
        finished = 0
        try:
            while finished < len(threads):
                outcome = done.get()
                if isinstance(outcome, Attempt):
                    yield outcome
                    continue
                finished += 1
                if outcome is not None:
                    failures.append(outcome)
        finally:  # also when nobody waits for the rest: no message is left half said, no log is closed under its writer
            if finished < len(threads):
                taking.stop()
            for thread in threads:
                thread.join()
        if unforeseen := [error for error in failures if not isinstance(error, RelayUnreachable)]:
            raise unforeseen[0]
        # one connection refused while others worked is the relay's limit, not its refusal
        if len(failures) == len(threads):
            raise next((error for error in failures if isinstance(error, RelayRefusedUs)), failures[0])


class _Taking:
    """An iterator that threads may share and that remembers what was taken from it."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._rest = iter(envelopes)
        self._ahead: list[Envelope] = []
        self._lock = threading.Lock()
        self._stopped = False
        self.taken: dict[int, Envelope] = {}

    def stop(self) -> None:
        """Nothing more is given out."""
        self._stopped = True

    def peek(self, most: int) -> int:
        """How many envelopes wait, counted up to `most`."""
        with self._lock:
            while len(self._ahead) < most and (envelope := next(self._rest, None)) is not None:
                self._ahead.append(envelope)
            return len(self._ahead)

    def __iter__(self) -> Iterator[Envelope]:
        return self

    def __next__(self) -> Envelope:
        with self._lock:
            if self._stopped:
                raise StopIteration
            envelope = self._ahead.pop(0) if self._ahead else next(self._rest)
            self.taken[envelope.delivery_id] = envelope
            return envelope


def _chained(first: Sequence[Envelope], rest: Iterable[Envelope]) -> Iterator[Envelope]:
    yield from first
    yield from rest
