"""Where a request may go. An address that a reader or a feed gave us must not reach into the operator's own network."""

from __future__ import annotations

import ipaddress
import socket

from httpx2 import URL

from digest.domain.errors import SourceRefused, SourceUnreachable


def checked(source: str, url: URL) -> URL:
    """`url`, if it is plain http(s) with a host and a port that can be. Raises SourceRefused otherwise."""
    port_is_fine = url.port is None or 0 < url.port < 65536
    if url.scheme not in ("http", "https") or not url.host or "%" in url.raw_host.decode("ascii") or not port_is_fine:
        raise SourceRefused(source, f"{shown(url)} should be an http or https address")
    return url


def public_address(source: str, url: URL) -> str:
    """An IP address of the host, after making sure that all of them are public: connect to this one and no other.

    The name is not looked up again afterwards, so a server that changes its answer gains nothing. Raises SourceRefused for a
    private, loopback, link-local or otherwise special address, SourceUnreachable where the name has none.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceUnreachable(source, f"{shown(url)}: no address for this name ({error})") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not _is_public(address):
            raise SourceRefused(source, f"{shown(url)} leads to {address}, which is not a public address")
    return addresses[0]


def leads_inside(source: str, url: URL) -> bool:
    """Whether the host has an address that is not public. A name without any leads nowhere."""
    try:
        public_address(source, url)
    except SourceRefused:
        return True
    except SourceUnreachable:
        return False
    return False


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is not None:
            return _is_public(str(inside))
        if ip in _NAT64:
            return _is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def shown(url: URL) -> str:
    """The address as it may appear in a message: no user, password or query, which may hold keys; at most 200 characters."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))[:200]
