"""admit: may this request be acted on? Limits per address, per domain and per network, persisted: against list-bombing, and
against whoever guesses the operator's token.

Each request counts, also one that is refused. What an address runs into is not told to whoever asked: the answer stays the same,
only no mail goes out. A network that asks too often is told so, and who asks for a domain that many ask for; that says nothing
about anybody.
"""

from __future__ import annotations

import ipaddress
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Protocol

from digest.domain.subscriber import Address


class Scope(StrEnum):
    ADDRESS = "address"
    DOMAIN = "domain"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests in each fixed window of `per`."""

    scope: Scope
    most: int
    per: timedelta


LIMITS = (
    Limit(Scope.NETWORK, 20, timedelta(hours=1)),  # a lab behind one address on the day of the announcement
    Limit(Scope.NETWORK, 60, timedelta(days=1)),
    Limit(Scope.ADDRESS, 3, timedelta(days=1)),  # the first mail got lost, and the second went to spam
    Limit(Scope.DOMAIN, 200, timedelta(hours=1)),  # gmail.com is a domain too
)
GUESSES = Limit(Scope.NETWORK, 10, timedelta(minutes=1))
"""Wrong tokens of the operator. Short, since the right one has to wait as well: else a guess would still be worth its while."""
LONGEST = max(limit.per for limit in LIMITS)
"""Counts older than this decide nothing and may be dropped."""


class Allowances(Protocol):
    def use(self, key: str, at: datetime, per: timedelta) -> int: ...
    def used(self, key: str, at: datetime, per: timedelta) -> int: ...


class Unit(Protocol):
    @property
    def allowances(self) -> Allowances: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...
    def read(self) -> AbstractContextManager[Unit]: ...


def admit(store: Store, address: Address, client: str, at: datetime) -> Scope | None:
    """Counts a request from the network of `client` (an IP address, or anything else as it is) for `address`.

    None when it may be acted on; else which limit it ran into, that of the network first.
    """
    keys = {Scope.ADDRESS: address.key, Scope.DOMAIN: address.domain, Scope.NETWORK: network_of(client)}
    with store.begin() as unit:
        over = [
            limit.scope
            for limit in LIMITS
            if unit.allowances.use(f"request/{limit.scope}/{keys[limit.scope]}", at, limit.per) > limit.most
        ]
    return over[0] if over else None


def wait_to_guess(store: Store, client: str, at: datetime) -> int:
    """Seconds until the network of `client` may try a token again; 0 where it may now."""
    with store.read() as unit:
        if unit.allowances.used(_guesses_of(client), at, GUESSES.per) < GUESSES.most:
            return 0
    seconds = GUESSES.per.total_seconds()
    return ceil(seconds - at.timestamp() % seconds)


def guessed_wrong(store: Store, client: str, at: datetime) -> None:
    """Counts a wrong token."""
    with store.begin() as unit:
        unit.allowances.use(_guesses_of(client), at, GUESSES.per)


def _guesses_of(client: str) -> str:
    return f"token/{GUESSES.scope}/{network_of(client)}"


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
