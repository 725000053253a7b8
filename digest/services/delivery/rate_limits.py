"""ration: how many mails a recipient's domain may have in a minute, counted in the database.

So no restart and no second process, on whatever host, makes them more. A minute is cut into ten spans with a tenth of the limit
each, where there are tenths: a limit is then a pace and not a burst, and any 60 seconds hold at most a tenth more than a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from digest.domain.delivery import Claimed
from digest.store.rate_limits import RateLimits

_MINUTE = timedelta(minutes=1)
_SPANS = 10


def span_of(per_minute: int) -> tuple[timedelta, int]:
    """(how long a span is, how many it may have)."""
    return (_MINUTE / _SPANS, per_minute // _SPANS) if per_minute >= _SPANS else (_MINUTE, per_minute)


def end_of_span(at: datetime, per: timedelta) -> datetime:
    seconds = per.total_seconds()
    return datetime.fromtimestamp((at.timestamp() // seconds + 1) * seconds, UTC)


def within_domain_limits(
    claimed: Sequence[Claimed], per_minute: int | None, rate_limits: RateLimits, now: datetime
) -> tuple[list[Claimed], dict[int, datetime]]:
    """(who may be mailed now, when to try the others): at most so many a minute to each recipient's domain.

    Who must wait is spread over the spans to come, so that a domain with a million readers is not looked at whole in each.
    """
    if per_minute is None:
        return list(claimed), {}
    per, limit = span_of(per_minute)
    by_domain: dict[str, list[Claimed]] = defaultdict(list)
    for each in claimed:
        by_domain[each.address.domain].append(each)
    later: dict[int, datetime] = {}
    for domain, theirs in sorted(by_domain.items()):  # in one order: two processes must not wait for each other
        granted = rate_limits.take(f"domain/{domain}", now, per, limit, len(theirs))
        if granted == len(theirs):
            continue
        waiting = theirs[granted:]
        put_off = rate_limits.use(f"domain-later/{domain}", now, per, len(waiting))
        for place, each in enumerate(waiting, start=put_off - len(waiting)):
            later[each.id] = end_of_span(now, per) + (place // limit) * per
    return [each for each in claimed if each.id not in later], later
