"""What a relay may have and how we log in there, kept in the database: for all processes together, and across restarts.

Three limits meet here: what the relay takes (learnt from its refusals), `per_minute`, and `per_day` (by the day in UTC).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import inf
from threading import Event
from time import monotonic
from typing import Any

from digest.domain.rate_limit import ROUND, Logins, Rate
from digest.services.delivery.rate_limits import end_of_span
from digest.store.unit_of_work import Store

DAY = timedelta(days=1)
NOT_USED_FOR = 86_400.0
"""Seconds for which an extension that a relay offers and does not keep is not used there."""
_LOOK = 2.0
"""Seconds between looks at whether another process was throttled, while all goes well."""
_LOT = 20
"""Messages reserved at once, where only the day's share is counted."""


def known_of(relay: str) -> str:
    """Under which name the store keeps what is known of a relay; no source is named so."""
    return f"<relay {relay}>"


class RelayLimits:
    """Keeps mail.post.Quota. Threads may share it. `clock` is the real one, whatever instant is acted for."""

    def __init__(
        self,
        store: Store,
        relay: str,
        clock: Callable[[], datetime],
        *,
        per_minute: int | None = None,
        per_day: int | None = None,
    ) -> None:
        self._store, self._relay, self._clock = store, relay, clock
        self._per_day = per_day
        self._most, self._burst = (per_minute / 60, max(per_minute // 10, 1)) if per_minute else (inf, 1)
        self._slots = deque[float]()
        """When the messages reserved may begin."""
        self._open_until, self._closed_until = 0.0, 0.0
        """Until when nothing is counted (on our own clock: asked for each mail), until when nothing is to be had."""
        self._taken = deque[float](maxlen=2000)
        self._round_at, self._rounds = 0.0, 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Counts one message; False when there is no room for it now."""
        if self._open_until > monotonic():
            return True
        with self._lock:
            now = self._look()
            if self._open_until > monotonic():
                return True
            if not self._slots or self._slots[0] > now:
                return False
            self._slots.popleft()
            return True

    def wait(self) -> float:
        """Seconds until there may be room again; 0 when there is some now."""
        if self._open_until > monotonic():
            return 0.0
        with self._lock:
            now = self._look()
            if self._open_until > monotonic():
                return 0.0
            return max((self._slots[0] if self._slots else self._closed_until) - now, 0.0)

    def why(self) -> str:
        """Why there is no room for long."""
        return self._used_up(self._closed_until)

    def full_at(self, at: datetime) -> str:
        """`why`, as another process would find it; "" where there is room."""
        if self._per_day is None:
            return ""
        with self._store.read() as unit:
            full = unit.rate_limits.used(self._day, at, DAY) >= self._per_day
        return self._used_up(end_of_span(at, DAY).timestamp()) if full else ""

    def _used_up(self, until: float) -> str:
        again = datetime.fromtimestamp(until, UTC)
        return f"its {self._per_day} mails of this day (per_day) are used; the rest waits until {again:%Y-%m-%d %H:%M} UTC"

    def accepted(self) -> None:
        self._taken.append(monotonic())
        self._rounds = 0

    def throttled(self) -> int:
        """Slows down; says how often in a row nothing but this happened."""
        with self._lock:
            now = self._clock().timestamp()
            since = monotonic() - ROUND
            seen = sum(at >= since for at in self._taken)
            self._change("rate", lambda kept: asdict(Rate(**kept).throttled(now, seen)))
            self._open_until = 0.0
            self._give_back()
            if not 0 <= now - self._round_at < ROUND:
                self._round_at, self._rounds = now, self._rounds + 1
            return self._rounds

    def release(self) -> None:
        """What was reserved and not used is there for others."""
        with self._lock:
            self._give_back()

    def unusable(self) -> frozenset[str]:
        """The extensions that the relay offers and that were found not to work here lately."""
        with self._store.read() as unit:
            found = unit.sources.load(known_of(self._relay), "extensions") or {}
        now = self._clock().timestamp()
        return frozenset(keyword for keyword, until in found.items() if now < until)

    def extension_failed(self, keyword: str) -> None:
        until = self._clock().timestamp() + NOT_USED_FOR
        self._change("extensions", lambda known: {**known, keyword: until})

    def _look(self) -> float:
        now = self._clock().timestamp()
        if self._slots or monotonic() < self._open_until or now < self._closed_until:
            return now
        at = datetime.fromtimestamp(now, UTC)
        with self._store.begin() as unit:
            kept = Rate(**(unit.sources.load(known_of(self._relay), "rate") or {}))
            rate = min(kept.allowed(now), self._most)
            if rate == inf and self._per_day is None:
                self._open_until = monotonic() + _LOOK
                return now
            wanted = max(min(int(rate / 4), _LOT), 1) if rate < inf else _LOT
            if self._per_day is not None:
                wanted = unit.rate_limits.take(self._day, at, DAY, self._per_day, min(wanted, -(-self._per_day // 10)))
                if not wanted:
                    self._closed_until = end_of_span(at, DAY).timestamp()
                    return now

            def reserve(known: dict[str, Any]) -> dict[str, Any]:
                changed, slots = Rate(**known).reserve(now, wanted, self._most, self._burst)
                self._slots.extend(slots)
                return asdict(changed)

            unit.sources.change(known_of(self._relay), "rate", reserve, at)
        return now

    @property
    def _day(self) -> str:
        return f"relay/{self._relay}"

    def _give_back(self) -> None:
        unused = len(self._slots)
        self._slots.clear()
        if unused and self._per_day is not None:
            with self._store.begin() as unit:
                unit.rate_limits.use(self._day, self._clock(), DAY, -unused)

    def _change(self, key: str, how: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with self._store.begin() as unit:
            unit.sources.change(known_of(self._relay), key, how, self._clock())


class SharedLogins:
    """Keeps mail.relay.LoginGuard: logins with one user name and password. `insist`: also while we back off, as a person asks."""

    def __init__(
        self, store: Store, relay: str, fingerprint: str, clock: Callable[[], datetime], *, insist: bool = False
    ) -> None:
        self._store, self._relay, self._clock, self._insist = store, relay, clock, insist
        self._key = login_key(fingerprint)

    def enter(self) -> str:
        """Waits for our turn; "" when it is, or why there is none."""
        while True:
            turn = None

            def ask(logins: Logins, now: float) -> Logins:
                nonlocal turn
                logins, turn = logins.enter(now)
                return logins

            kept = self._change(ask)
            assert turn is not None
            if turn.closed and not self._insist:
                return waiting_for_login(kept)
            if not turn.wait or self._insist:
                return ""
            Event().wait(turn.wait)

    def worked(self) -> None:
        self._change(Logins.worked)

    def refused(self, reply: str) -> None:
        self._change(lambda logins, now: logins.refused(now, reply))

    def left(self) -> None:
        self._change(lambda logins, now: logins.left())

    def _change(self, how: Callable[[Logins, float], Logins]) -> Logins:
        changed = Logins()

        def change(kept: dict[str, Any]) -> dict[str, Any]:
            nonlocal changed
            changed = how(Logins(**kept), at.timestamp())
            return asdict(changed)

        with self._store.begin() as unit:
            at = self._clock()  # once the others are out: who waited here must not take their lease for one of the future
            unit.sources.change(known_of(self._relay), self._key, change, at)
        return changed


def login_key(fingerprint: str) -> str:
    """Other credentials are another login: they are tried at once."""
    return f"login {fingerprint[:32]}"


def waiting_for_login(logins: Logins) -> str:
    until = datetime.fromtimestamp(logins.closed_until, UTC)
    return f"our login was answered {logins.reply}; it is not tried again before {until:%Y-%m-%d %H:%M:%S} UTC"


def slowed(kept: dict[str, Any], now: datetime) -> str:
    """What to say of a relay's learnt rate; "" where it takes all we have."""
    rate = Rate(**kept).allowed(now.timestamp())
    return "" if rate == inf else f"it throttled us: at most {rate:.2g} mails a second now"
