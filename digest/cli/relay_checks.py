"""`digest doctor`, the relays: what their settings are, and how far each goes with a mail of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from digest.domain.errors import DigestError
from digest.mail.auth.domain_checks import Checked

if TYPE_CHECKING:
    from digest.config.mail import Relay as RelayTable
    from digest.container import Container
    from digest.mail.smtp.relay import Relay

_PATIENCE = 30.0
"""Seconds for each step of a dialogue: somebody waits."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_relays(container: Container) -> Iterator[Checked]:
    tables = container.settings.relays
    if not tables:
        yield Checked("relays", False, "none", "add a [[relays]] table with the host of your SMTP server, or run digest init")
    now = datetime.now(UTC)
    for name, trouble in container.relays.troubles(now).items():
        yield Checked(f"limits of {name}", False, trouble, "fix what it says; the rest waits by itself, and nothing is lost")
    fix = "change the setting that it names in its [[relays]] table; else check host, port, tls, username and password"
    # a person asks, who may have repaired the login elsewhere
    for table, relay in zip(tables, container.relays.each(lambda: now, insist=True, patience=_PATIENCE), strict=True):
        yield from _profile(container, table, relay)
        yield tried(f"relay {relay.name}", partial(_goes, container, relay), fix)
        yield _tls(relay)


def _profile(container: Container, table: RelayTable, relay: Relay) -> Iterator[Checked]:
    """What the operator left out and the provider's profile says; and a sender that the provider does not take."""
    from digest.services.delivery.relay_defaults import profile_for, taken_from_profile

    profile, taken = profile_for(table), taken_from_profile(table)
    if profile is None:
        return
    used = ", ".join(f"{key} = {value}" for key, value in taken.items()) or "nothing: all is set"
    yield Checked(f"profile of {relay.name}", True, f"{profile.name}; taken from it: {used}. See {profile.sources[0]}")
    sender, login = container.settings.mail.from_address, relay.settings.username
    if profile.envelope == "plain" and "@" in login and sender.casefold() != login.casefold():
        yield Checked(
            f"sender at {relay.name}",
            True,
            f"mail.from_address is {sender}, the login {login}; {profile.name} takes {profile.sender}",
            f'set mail.from_address = "{login}", unless {sender} is set up there',
            warns=True,
        )


def _goes(container: Container, relay: Relay) -> str:
    """As far as a mail to the operator goes before its text. Raises DigestError."""
    from digest.mail.message.header_encoding import mailbox
    from digest.mail.smtp.probe import probe

    sender, mail = container.adapters.sender, container.settings.mail
    own, _ = mailbox(container.adapters.address(container.settings.alerts.to or mail.from_address))
    envelope = sender.envelope_sender(container.adapters.verp_signer.of("doctor"))
    probe(relay, envelope, own)
    return f"takes our login where there is one, and mail from {envelope} to {own}"


def _tls(relay: Relay) -> Checked:
    tls, bare = relay.settings.tls, relay.settings.tls == "none" and relay.settings.host not in _LOOPBACK
    text = "mail and login cross the network in clear" if bare else "none, on this machine"
    if tls != "none":
        text = f"{tls}; a certificate that does not fit is refused"
    return Checked(f"TLS of {relay.name}", not bare, text, 'set tls = "starttls" (port 587) or "tls" (port 465)')


def tried(name: str, check: Callable[[], str], fix: str) -> Checked:
    try:
        return Checked(name, True, check())
    except DigestError as error:
        return Checked(name, False, str(error).removeprefix(f"{name}: "), fix)
