"""When mail is due, in words of the reader's language."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time

from digest.domain.schedule import EVERY_DAY, Frequency
from digest.translation import Translation

_MONDAY_TO_FRIDAY = frozenset(range(5))


def days_in_words(spoken: Translation, frequency: Frequency, weekdays: Collection[int]) -> str:
    """ "every day", "every Monday and Thursday", "weekly on Monday", "monthly on the 1st", "monthly on the first Friday"."""
    days, names = frozenset(weekdays), [spoken.weekday(day) for day in sorted(weekdays)]
    if frequency is Frequency.WEEKLY:
        return spoken.gettext("weekly on %(day)s", day=names[0])
    if frequency is Frequency.MONTHLY:
        if days == EVERY_DAY:
            return spoken.gettext("monthly on the 1st")
        return spoken.gettext("monthly on the first %(days)s", days=spoken.list(names, "or"))
    if days == EVERY_DAY:
        return spoken.gettext("every day")
    if days == _MONDAY_TO_FRIDAY:
        return spoken.gettext("Monday to Friday")
    return spoken.gettext("every %(days)s", days=spoken.list(names))


def due_in_words(spoken: Translation, frequency: Frequency, weekdays: Collection[int], hour: time, timezone: str) -> str:
    """ "every day at 07:00 (Europe/Berlin)"."""
    days = days_in_words(spoken, frequency, weekdays)
    return spoken.gettext("%(days)s at %(hour)s (%(timezone)s)", days=days, hour=spoken.time(hour), timezone=timezone)
