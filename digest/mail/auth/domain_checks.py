"""What receivers look up before they believe a mail of ours: SPF, DKIM, DMARC, the way back, PTR. Each says what to publish.

Gmail, Yahoo and Microsoft ask bulk senders for SPF, DKIM and DMARC with one of them aligned, and for forward-confirmed PTR
records of the servers that connect to them (support.google.com/a/answer/81126).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.mail.auth.dkim import SigningKey
from digest.mail.auth.spf import read_policy

if TYPE_CHECKING:
    from digest.mail.auth.dns_lookup import Lookup


@dataclass(frozen=True, slots=True)
class Checked:
    """One check. `fix` says what to do where it is not well: a record is spelled as it should be published."""

    name: str
    well: bool
    finding: str
    fix: str = ""
    warns: bool = False
    """It is well enough to send, and still a person should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Under which names we send, in ASCII."""

    author: str
    """The domain of From."""
    envelope: str
    """The domain of the envelope sender: where bounces come back, and what SPF is about."""
    dkim: str
    """The domain of DKIM signatures."""
    relays: tuple[str, ...]
    """Hosts that take our mail."""


def check_spf(dns: Lookup, who: Identity) -> Checked:
    policy = read_policy(dns, who.envelope)
    name = f"SPF of {who.envelope}"
    advised = f'publish: {who.envelope}. TXT "{_advised_spf(who)}"'
    if not policy.record:
        return Checked(name, False, "there is no record", advised)
    if policy.faults:
        return Checked(name, False, f"{policy.record}: {'; '.join(policy.faults)}", advised)
    if policy.ending == "+all":
        return Checked(name, False, f"{policy.record}: permits everybody", "end it with ~all or -all")
    if not policy.ending and "redirect=" not in policy.record:
        return Checked(name, False, f"{policy.record}: says nothing of everybody else", "end it with ~all")
    outside = [host for host in who.relays if (public := _public(dns, host)) and not any(map(policy.permits, public))]
    if outside and not policy.includes:
        host = outside[0]
        better = re.sub(r"\s(?=[~?+-]?all\b|redirect=)", f" a:{host} ", policy.record, count=1)
        return Checked(name, False, f"{policy.record}: does not permit {host}", f'publish: {who.envelope}. TXT "{better}"')
    return Checked(name, True, f"{policy.record} ({policy.lookups} of 10 look-ups)")


def _advised_spf(who: Identity) -> str:
    return " ".join(["v=spf1", *(f"a:{host}" for host in who.relays if not _is_address(host)), "mx ~all"])


def check_dkim(dns: Lookup, keys: Sequence[SigningKey], who: Identity) -> Iterator[Checked]:
    if not keys:
        yield Checked("DKIM", True, f"we sign nothing: the relay has to, as {who.dkim} (else: digest dkim-key)")
    for key in keys:
        name, value = key.record()
        yield _check_key(dns, name, value)


def _check_key(dns: Lookup, name: str, value: str) -> Checked:
    words = f"DKIM key {name}"
    strings = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
    fix = f"publish: {name}. TXT {strings}"
    found = [_tags(text) for text in dns.txt(name)]
    keyed = [tags for tags in found if "p" in tags]
    if not keyed:
        return Checked(words, False, "there is no record", fix)
    if len(keyed) > 1:
        return Checked(words, False, f"there are {len(keyed)} records; one should stay", fix)
    tags, ours = keyed[0], _tags(value)
    if not tags["p"]:
        return Checked(words, False, "the key is revoked (p= is empty)", fix)
    if tags["p"] != ours["p"] or tags.get("k", "rsa") != ours["k"]:
        return Checked(words, False, "another key is published: signatures do not hold", fix)
    if "y" in tags.get("t", "").split(":"):
        return Checked(words, False, "is marked as a test (t=y): receivers treat the mail as unsigned", fix)
    return Checked(words, True, "is published and is ours")


def check_dmarc(dns: Lookup, who: Identity, *, signed: bool) -> Checked:
    found, at = _dmarc(dns, who.author)
    name = f"DMARC of {who.author}"
    fix = f'publish: _dmarc.{who.author}. TXT "v=DMARC1; p=none; rua=mailto:postmaster@{who.author}"'
    if not found:
        return Checked(name, False, "there is no record", fix)
    if len(found) > 1:
        return Checked(name, False, f"{len(found)} records at _dmarc.{at}; receivers then use none", "keep one of them")
    tags = _tags(found[0])
    policy = tags.get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        return Checked(name, False, f"{found[0]}: p= should be none, quarantine or reject", fix)
    ways = [
        ("SPF", _aligned(who.author, who.envelope, at, strict=tags.get("aspf") == "s")),
        ("DKIM", _aligned(who.author, who.dkim, at, strict=tags.get("adkim") == "s")),
    ]
    aligned = [way for way, yes in ways if yes]
    if not aligned:
        return Checked(
            name,
            False,
            f"p={policy}, and neither {who.envelope} (SPF) nor {who.dkim} (DKIM) belongs to {who.author}",
            f"set dkim.domain and mail.bounce_domain to {who.author} or a domain below it",
        )
    kept = f"p={policy}, aligned by {' and '.join(aligned)}"
    if "DKIM" not in aligned and signed:
        return Checked(name, False, f"{kept}, not by DKIM: a forwarded mail fails", f"set dkim.domain to {who.author}")
    return Checked(name, True, kept)


def _dmarc(dns: Lookup, domain: str) -> tuple[list[str], str]:
    """The records of the domain, or of the nearest one above it that has any (RFC 7489 §6.6.3; DMARCbis walks the tree)."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        at = ".".join(labels[start:])
        found = [text for text in dns.txt(f"_dmarc.{at}") if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if found:
            return found, at
    return [], domain


def _aligned(author: str, other: str, organisation: str, *, strict: bool) -> bool:
    """`organisation` is where the policy was found: it, and all below it, are one to relaxed alignment."""
    if strict or author == other:
        return author == other
    above = organisation if organisation != author else author.partition(".")[2] if author.count(".") > 1 else author
    return any(other == name or other.endswith(f".{name}") for name in (author, above)) or author.endswith(f".{other}")


def check_return(dns: Lookup, who: Identity) -> Checked:
    """Whether bounces find their way back."""
    name = f"mail to {who.envelope}"
    servers = dns.mail_servers(who.envelope)
    if servers and servers[0] in ("", "."):
        return Checked(name, False, "the domain says that it takes no mail (RFC 7505)", "bounces could not come back; remove it")
    if not servers and not dns.addresses(who.envelope):
        fix = f"publish: {who.envelope}. MX 10 <the server that hands bounces to [inbound]>."
        return Checked(name, False, "has neither MX nor address: bounces and wishes to unsubscribe are lost", fix)
    reachable = [host for host in servers if dns.addresses(host)]
    if servers and not reachable:
        return Checked(name, False, f"its mail server {servers[0]} has no address", f"publish: {servers[0]}. A <its address>")
    return Checked(name, True, f"goes to {(reachable or [who.envelope])[0]}")


def check_ptr(dns: Lookup, host: str) -> Iterator[Checked]:
    """Of a relay that sends to the world itself. A private address is not what the world sees, so it says nothing."""
    addresses = dns.addresses(host)
    if not addresses:
        yield Checked(f"address of {host}", False, "there is none", f"publish: {host}. A <its address>, or fix relays.host")
    for address in addresses:
        if not ipaddress.ip_address(address).is_global:
            yield Checked(f"PTR of {address}", True, f"{host} is in a private network; look at the address it sends from")
            continue
        names = dns.names(address)
        fix = f"ask who gave you the address to publish: {_reverse(address)} PTR {host}."
        if not names:
            yield Checked(f"PTR of {address}", False, f"there is none for {host}", fix)
        elif not any(address in dns.addresses(name) for name in names):
            yield Checked(f"PTR of {address}", False, f"is {names[0]}, which does not lead back to it", fix)
        else:
            yield Checked(f"PTR of {address}", True, f"is {names[0]}, which leads back")


def _public(dns: Lookup, host: str) -> list[str]:
    return [address for address in dns.addresses(host) if ipaddress.ip_address(address).is_global]


def _tags(record: str) -> dict[str, str]:
    """RFC 6376 §3.2: names in lower case, white space inside values gone."""
    pairs = (pair.partition("=") for pair in record.split(";") if "=" in pair)
    return {name.strip().lower(): re.sub(r"\s+", "", value) for name, _, value in pairs}


def _reverse(address: str) -> str:
    return ipaddress.ip_address(address).reverse_pointer + "."


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
