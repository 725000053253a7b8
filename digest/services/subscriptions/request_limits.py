"""May this request be acted on? Limits per address, per domain and per network, persisted: against list-bombing, and
against whoever guesses the operator's token.

Each request counts, also one that is refused. What an address runs into is not told to whoever asked: the answer stays the same,
only no mail goes out. A network that asks too often is told so; that says nothing about anybody. Where many ask at one domain,
mails to it are put off to hours that have room, and only when a whole day has none is the next one refused, and told so.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from digest.domain.subscriber import Address
from digest.store.rate_limits import RateLimits
from digest.store.unit_of_work import Store


class Scope(StrEnum):
    ADDRESS = "address"
    DOMAIN = "domain"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """At most `most` requests in each fixed window of `per`."""

    scope: Scope
    most: int
    per: timedelta


LIMITS = (
    RequestLimit(Scope.NETWORK, 20, timedelta(hours=1)),  # a lab behind one address on the day of the announcement
    RequestLimit(Scope.NETWORK, 60, timedelta(days=1)),
    RequestLimit(Scope.ADDRESS, 3, timedelta(days=1)),  # the first mail got lost, and the second went to spam
    RequestLimit(Scope.DOMAIN, 200, timedelta(hours=1)),  # gmail.com is a domain too
)
NOTICES = (RequestLimit(Scope.ADDRESS, 6, timedelta(hours=1)), RequestLimit(Scope.ADDRESS, 12, timedelta(days=1)))
"""Mails to one address that answer a step: confirmations, welcomes, goodbyes, links. One that was overtaken
before it went out is none.
"""
STOPPED = RequestLimit(Scope.ADDRESS, 1, timedelta(days=7))
"""Mails by which a reader can lift that mail to them was stopped: anybody can ask for one."""
AHEAD = 24
"""Windows of the domain's limit that a mail may be put off by."""
GUESSES = RequestLimit(Scope.NETWORK, 10, timedelta(minutes=1))
"""Wrong tokens and passwords. Short, since the right one has to wait as well: else a guess would still be worth its while."""
PREVIEWS = RequestLimit(Scope.NETWORK, 30, timedelta(hours=1))
"""Looks at what a mail would be, by somebody who need not be a reader."""
LONGEST = max(limit.per for limit in (*LIMITS, *NOTICES, STOPPED))
"""Counts older than this decide nothing and may be dropped."""


@dataclass(frozen=True, slots=True)
class Admission:
    """`over` is the limit that a request ran into (None: it may be acted on), that of the network first; `mail_at` is when its
    mail may go out."""

    over: Scope | None
    mail_at: datetime


def check_request_limits(store: Store, address: Address, client: str, at: datetime) -> Admission:
    """Counts a request from the network of `client` (an IP address, or anything else as it is) for `address`."""
    keys = {Scope.ADDRESS: address.key, Scope.NETWORK: network_of(client)}
    with store.begin() as unit:
        over = [
            limit.scope
            for limit in LIMITS
            if limit.scope in keys
            and unit.rate_limits.use(f"request/{limit.scope}/{keys[limit.scope]}", at, limit.per) > limit.most
        ]
        if over:
            return Admission(over[0], at)
        mail_at = _room(unit.rate_limits, address.domain, at)
    return Admission(None, mail_at) if mail_at else Admission(Scope.DOMAIN, at)


def _room(rate_limits: RateLimits, domain: str, at: datetime) -> datetime | None:
    """The first window from `at` on in which one more mail may go to a domain, and counts it there."""
    [limit] = [each for each in LIMITS if each.scope is Scope.DOMAIN]
    key, length = f"request/{limit.scope}/{domain}", limit.per.total_seconds()
    begins = datetime.fromtimestamp(at.timestamp() // length * length, at.tzinfo)
    for ahead in range(AHEAD):
        window = max(at, begins + ahead * limit.per)
        if rate_limits.take(key, window, limit.per, limit.most, 1):
            return window
    return None


def notices_used_up(rate_limits: RateLimits, address: Address, at: datetime) -> bool:
    """Whether the address was sent as many answers as it may be: whoever has a link can press a button."""
    return any(rate_limits.used(_notices(address), at, limit.per) >= limit.most for limit in NOTICES)


def count_notice(rate_limits: RateLimits, address: Address, at: datetime) -> None:
    """One was sent."""
    for limit in NOTICES:
        rate_limits.use(_notices(address), at, limit.per)


def _notices(address: Address) -> str:
    return f"notices/{address.key}"


def guess(store: Store, what: str, client: str, at: datetime, *, right: bool) -> int:
    """Seconds that the network of `client` must wait before a token or password of `what` counts again; 0: this one does.

    A wrong one is counted, and a right one waits its turn behind those that are being counted: many at once see no more.
    """
    with store.begin() as unit:
        wrong = unit.rate_limits.use(f"{what}/{GUESSES.scope}/{network_of(client)}", at, GUESSES.per, 0 if right else 1)
    if wrong + right <= GUESSES.most:
        return 0
    seconds = GUESSES.per.total_seconds()
    return ceil(seconds - at.timestamp() % seconds)


def may_preview(store: Store, client: str, at: datetime) -> bool:
    """Counts a preview for the network of `client`."""
    with store.begin() as unit:
        return unit.rate_limits.use(f"preview/{network_of(client)}", at, PREVIEWS.per) <= PREVIEWS.most


def network_of(client: str) -> str:
    """What one household or office has: a /24 of IPv4, a /56 of IPv6 (IPv4 inside IPv6 counts as IPv4)."""
    try:
        ip = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 56), strict=False))
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24), strict=False))
