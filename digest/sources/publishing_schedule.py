"""When a source may be expected to show something new, so that its silence can be told from its weekend.

A batch is new when it holds ids unseen before, not when its date says so; the calendar here only says whether to be surprised
when it does not. Being wrong by a day costs an early or late warning, never a paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from digest.domain.phrase import Day, Phrase, phrase

_NEW_YORK = ZoneInfo("America/New_York")
_ANNOUNCED = time(20, 0)
GRACE = timedelta(hours=6)
"""How late a batch may be before anyone is told."""


class PublishingSchedule(StrEnum):
    ARXIV = "arxiv"
    """Announcements at 20:00 US Eastern, Sunday to Thursday, less holidays <https://info.arxiv.org/help/availability.html>."""
    WORKDAYS = "workdays"
    """Some time on each day from Monday to Friday, UTC (Hugging Face's daily papers, bioRxiv)."""
    IRREGULAR = "irregular"
    """A feed or an index that promises nothing: never stale."""


def is_stale(rhythm: PublishingSchedule, last_unseen_at: datetime | None, at: datetime) -> bool:
    """Whether something unseen should have come after `last_unseen_at` (None: nothing ever did) and by `at`, less the grace."""
    if rhythm is PublishingSchedule.IRREGULAR:
        return False
    if last_unseen_at is None:
        return True
    promise = latest_promise(rhythm, at - GRACE)
    return promise is not None and last_unseen_at < promise.since


@dataclass(frozen=True, slots=True)
class Promise:
    """Something new is to come at or after `since` and by `due`."""

    since: datetime
    due: datetime


def latest_promise(rhythm: PublishingSchedule, at: datetime) -> Promise | None:
    """The latest one that was due at `at`; None when nothing is promised."""
    if rhythm is PublishingSchedule.IRREGULAR:
        return None
    for back in range(15):
        day = at.astimezone(UTC).date() - timedelta(days=back)  # New York's evening is never later
        promise = _arxiv(day) if rhythm is PublishingSchedule.ARXIV else _workday(day)
        if promise is not None and promise.due <= at:
            return promise
    return None


def _arxiv(day: date) -> Promise | None:
    """The announcement of the evening of `day` in New York, if there is one."""
    if day.weekday() in (4, 5) or day in arxiv_holidays(day.year):
        return None
    announced = datetime.combine(day, _ANNOUNCED, _NEW_YORK).astimezone(UTC)
    return Promise(announced, announced)


def _workday(day: date) -> Promise | None:
    """Some time on a working day."""
    begins = datetime.combine(day, time(), UTC)
    return Promise(begins, begins + timedelta(days=1)) if day.weekday() < 5 else None


def arxiv_holidays(year: int) -> frozenset[date]:
    """The evenings without announcement, by the rules behind arXiv's yearly list (US federal holidays it keeps, year's end)."""
    thanksgiving = _nth(year, 11, 3, 4)
    return frozenset(
        {
            date(year, 1, 1),
            _nth(year, 1, 0, 3),  # Martin Luther King Jr.
            _last_monday(year, 5),  # Memorial Day
            date(year, 6, 19),
            date(year, 7, 4),
            _nth(year, 9, 0, 1),  # Labor Day
            thanksgiving,
            date(year, 12, 24),
            date(year, 12, 25),
            date(year, 12, 31),
        }
    )


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday(year: int, month: int) -> date:
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=last.weekday())


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """What the latest collect left behind of a source."""

    source: str
    asked_at: datetime
    rhythm: PublishingSchedule
    last_unseen_at: datetime | None
    failing_since: datetime | None = None
    """When the first of the collects failed that failed in a row until now."""

    def silent(self, at: datetime) -> bool:
        """Whether papers are likely to be missing: nothing unseen came when promised, or nothing could be read for long."""
        failing = self.failing_since is not None and at - self.failing_since >= DEAD
        return failing or is_stale(self.rhythm, self.last_unseen_at, at)


DEAD = timedelta(days=1)
"""A source that promises nothing is missed when it could not be read for so long."""
FORGOTTEN = timedelta(days=3)
"""A source nobody asked for so long is no longer configured."""


def silence_note(sources: Iterable[SourceHealth], at: datetime) -> str:
    """One line for the readers of an edition made at `at` about the sources it may lack; "" where none is silent."""
    missed = [each for each in sources if at - FORGOTTEN <= each.asked_at <= at and each.silent(at)]
    if not missed:
        return ""
    text = [_silence(each) for each in sorted(missed, key=lambda each: each.source)]
    return phrase("Nothing new from %(sources)s: papers may be missing here; they follow once they are shown.", sources=text)


def _silence(each: SourceHealth) -> Phrase:
    if each.last_unseen_at is None:
        return phrase("%(source)s so far", source=each.source)
    return phrase("%(source)s since %(day)s", source=each.source, day=Day.fromordinal(each.last_unseen_at.toordinal()))
