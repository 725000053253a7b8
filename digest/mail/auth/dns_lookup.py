"""What the Domain Name System says, by dnspython: absent is empty, and a server that does not answer is an error."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

from digest.domain.errors import MailError

PATIENCE = 8.0
"""Seconds for one question in all."""


class NoAnswer(MailError):
    """A name server that says neither what there is nor that there is nothing. `silent`: none answered at all."""

    def __init__(self, message: str, *, silent: bool) -> None:
        super().__init__(message)
        self.silent = silent


class Lookup:
    """Asks the system's name servers, or the one given as "host:port". `seconds` are for one question in all."""

    def __init__(self, server: str = "", seconds: float | None = None) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration:  # no /etc/resolv.conf, or no name server in it: each question says so
            self._resolver = dns.resolver.Resolver(configure=False)
        if server:
            host, _, port = server.rpartition(":") if ":" in server else (server, "", "53")
            self._resolver.nameservers = [host]
            self._resolver.port = int(port)
        self._resolver.lifetime = PATIENCE if seconds is None else seconds

    def txt(self, name: str) -> tuple[str, ...]:
        """Each TXT record, its strings joined (RFC 7208 §3.3)."""
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT"))

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6; an address is its own."""
        try:
            return (str(ipaddress.ip_address(name)),)
        except ValueError:
            return tuple(str(record.address) for kind in ("A", "AAAA") for record in self._ask(name, kind))

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """Best first; ("",) for a domain that says that it takes no mail (RFC 7505)."""
        found = sorted(self._ask(name, "MX"), key=lambda record: int(record.preference))
        return tuple(str(record.exchange).rstrip(".") for record in found)

    def names(self, address: str) -> tuple[str, ...]:
        """What the PTR records of an address say."""
        return tuple(str(record.target).rstrip(".") for record in self._ask(dns.reversename.from_address(address), "PTR"))

    def _why(self, error: dns.exception.DNSException) -> str:
        asked = ", ".join(str(server) for server in self._resolver.nameservers)
        if not asked:
            return "this machine knows no name server"
        if isinstance(error, dns.resolver.LifetimeTimeout):
            return f"no answer from {asked} in {self._resolver.lifetime:g} seconds"
        if isinstance(error, dns.resolver.NoNameservers):
            return f"{asked} could not find out (SERVFAIL or REFUSED)"
        return f"{asked}: {' '.join(str(error).split())[:100]}"

    def _ask(
        self, name: str | dns.name.Name, kind: str
    ) -> Sequence[Any]:  # what a record has depends on its kind; dnspython types none of it
        try:
            answer = self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.exception.DNSException as error:
            silent = isinstance(error, dns.resolver.LifetimeTimeout) or not self._resolver.nameservers
            raise NoAnswer(f"DNS: {kind} of {name}: {self._why(error)}", silent=silent) from None
        except UnicodeError:
            return ()
        return tuple(answer.rrset or ())
