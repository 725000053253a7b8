"""Whether what was answered works, before a file is written; and the reader whom a new installation is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from digest.mail.smtp.probe import probe
from digest.mail.smtp.relay import Relay
from digest.mail.verp import VerpSigner
from digest.services.delivery.relay_defaults import completed, relay_settings
from digest.services.monitoring.alerts import Finding

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.domain.edition import PaperList
    from digest.domain.subscriber import Address, Preferences, Subscription
    from digest.mail.message.headers import Sender
    from digest.services.subscriptions.service import SubscriptionService

_PATIENCE = 20.0
"""Seconds for each step of the dialogue: somebody waits."""
ADDED_BY = "digest init"
"""How the consent of whoever set it up is recorded."""


def probe_relay(settings: Settings, sender: Sender, password: str | None, recipient: str, clock: Callable[[], datetime]) -> str:
    """How far the first relay goes with a mail to the operator. `password`: one that is in no file yet.

    Raises RelayUnreachable, RelayRefusedUs, ConfigurationError: one line that names the setting.
    """
    table = completed(settings.relays[0])
    if table.oauth:
        return f"{table.label} logs in with relays.oauth; `digest doctor` tries it"
    if password is not None:
        table = table.model_copy(update={"password": SecretStr(password)})
    relay = Relay(relay_settings(table, patience=_PATIENCE), clock)
    envelope = sender.envelope_sender(VerpSigner(b"a key for one look").of("init"))
    probe(relay, envelope, recipient)
    return f"{relay.settings.host}:{relay.settings.port} ({relay.settings.tls}) takes mail from {envelope} to {recipient}"


def subscribe_operator(
    subscriptions: SubscriptionService, address: Address, paper_list: PaperList, wanted: Preferences, at: datetime
) -> Subscription:
    """Found or added, with the time and zone `wanted`: who sets it up wants it, from the list's newest cutoff on."""
    mine = next((each for each in subscriptions.of(address) if each.list == paper_list.name), None)
    if mine is not None:
        return subscriptions.change(mine, replace(mine.preferences, timezone=wanted.timezone, hour=wanted.hour))
    cutoff = paper_list.cutoffs.latest(at)
    first = cutoff.first if cutoff else at
    return subscriptions.add(address, paper_list.name, wanted, "", at, confirmed_by=ADDED_BY, active_from=first).subscription


def test_mail(relay: str) -> Finding:
    """What the test mail says."""
    return Finding(
        cause="set up",
        headline="Your digest is set up",
        seen=(f"This email came through {relay}, with the sender, login and limits that your digests will have.",),
        fix=(),
    )
