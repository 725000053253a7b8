"""SPF (RFC 7208): what a record permits, and whether receivers may still follow it: ten look-ups in all, two of them in vain."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digest.mail.auth.dns_lookup import Lookup

MOST_LOOKUPS = 10
MOST_IN_VAIN = 2
_ENOUGH = 60
"""Look-ups after which we stop counting."""
_TERM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:[:]([^/\s]+(?:/\S+)?))?((?:/\d{1,3}){0,2}(?://\d{1,3})?)", re.I
)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(\S*)", re.IGNORECASE)


@dataclass(slots=True)
class Policy:
    """What a domain's SPF record amounts to, with everything it includes."""

    record: str = ""
    """Empty where there is none."""
    faults: list[str] = field(default_factory=list)
    lookups: int = 0
    in_vain: int = 0
    ending: str = ""
    """What becomes of everybody else: "-all", "~all", "?all", "+all", or "" where nothing is said."""
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)

    def permits(self, address: str) -> bool:
        ip = ipaddress.ip_address(address)
        return any(ip.version == network.version and ip in network for network in self.networks)


def read_policy(dns: Lookup, domain: str) -> Policy:
    """Reads and follows the record of `domain`. What `dns` raises goes through."""
    policy = Policy()
    found = [text for text in dns.txt(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return policy
    policy.record = found[0]
    if len(found) > 1:
        policy.faults.append(f"{len(found)} records begin with v=spf1; receivers then use none")
    _follow(dns, domain, found[0], policy, outermost=True)
    if policy.lookups > MOST_LOOKUPS:
        counted = f"{policy.lookups}" if policy.lookups < _ENOUGH else f"more than {_ENOUGH}"
        policy.faults.append(f"needs {counted} look-ups; receivers stop at {MOST_LOOKUPS} and use none of it")
    if policy.in_vain > MOST_IN_VAIN:
        policy.faults.append(f"{policy.in_vain} of its names have no records; receivers stop after {MOST_IN_VAIN}")
    return policy


def _follow(dns: Lookup, domain: str, record: str, policy: Policy, *, outermost: bool) -> None:
    redirect, ended = "", False
    for term in record.split()[1:]:
        if modifier := _MODIFIER.fullmatch(term):
            redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
            continue
        mechanism = _TERM.fullmatch(term)
        if mechanism is None:
            policy.faults.append(f"{term!r} in the record of {domain} is no mechanism; receivers then use none of it")
            continue
        sign, kind, value = mechanism[1] or "+", mechanism[2].lower(), mechanism[3] or ""
        if kind == "all":
            ended = True
            if outermost:
                policy.ending = f"{sign}all"
            break
        _permit(dns, domain, kind, value + (mechanism[4] or ""), sign == "+", policy)
    if redirect and not ended:
        _include(dns, redirect, policy, outermost=outermost)


def _permit(dns: Lookup, domain: str, kind: str, value: str, passes: bool, policy: Policy) -> None:
    if kind in ("ip4", "ip6"):
        try:
            networks = [ipaddress.ip_network(value, strict=False)]
        except ValueError:
            policy.faults.append(f"{kind}:{value} is no network; receivers then use none of the record")
            return
    elif kind == "include":
        policy.includes.append(value)
        _include(dns, value, policy, outermost=False)
        return
    else:
        policy.lookups += 1
        name, prefixes = re.fullmatch(r"([^/]*)((?:/.*)?)", value).groups()  # type: ignore[union-attr]  # it matches anything
        if kind not in ("a", "mx") or "%" in name or policy.lookups > _ENOUGH:
            return
        hosts = [name or domain] if kind == "a" else dns.mail_servers(name or domain)
        addresses = [address for host in hosts if host for address in dns.addresses(host)]
        policy.in_vain += not addresses
        networks = [_network(address, prefixes) for address in addresses]
    if passes:
        policy.networks.extend(networks)


def _include(dns: Lookup, domain: str, policy: Policy, *, outermost: bool) -> None:
    policy.lookups += 1
    if policy.lookups > _ENOUGH or "%" in domain:
        return
    found = [text for text in dns.txt(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        policy.faults.append(f"{domain}, which it includes, has no SPF record; receivers then use none of it")
        return
    _follow(dns, domain, found[0], policy, outermost=outermost)


def _network(address: str, prefixes: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """`prefixes` is like "/24", "//64" or "/24//64"."""
    four, _, six = prefixes.partition("//")
    version = ipaddress.ip_address(address).version
    prefix = (four.strip("/") or "32") if version == 4 else (six or "128")
    return ipaddress.ip_network(f"{address}/{prefix}", strict=False)
