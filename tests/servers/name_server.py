"""A name server on loopback: answers from a table over UDP, with what a resolver is told and nothing more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]
"""(name, type) → the records as zone files spell them."""


@contextmanager
def name_server(zone: Zone, silent: frozenset[str] = frozenset()) -> Iterator[str]:
    """Its "host:port". A name that has no records at all does not exist; to questions about `silent` names it says nothing."""
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("127.0.0.1", 0))
    asked.settimeout(0.1)
    over = threading.Event()
    names = {name for name, _ in zone}

    def serve() -> None:
        while not over.is_set():
            try:
                data, client = asked.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(data)
            question = query.question[0]
            name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
            if name in silent:
                continue
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            if records := zone.get((name, kind)):
                reply.answer.append(dns.rrset.from_text(question.name, 60, dns.rdataclass.IN, question.rdtype, *records))
            elif name not in names:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            asked.sendto(reply.to_wire(max_size=65535), client)

    thread = threading.Thread(target=serve, name="name server", daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{asked.getsockname()[1]}"
    finally:
        over.set()
        thread.join(5)
        asked.close()
