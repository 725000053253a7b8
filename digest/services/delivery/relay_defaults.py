"""What a `[[relays]]` table leaves out, filled in from the profile of its provider and from what its port means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from digest.config.read import read_secret
from digest.domain.errors import ConfigurationError
from digest.mail.smtp.relay_profiles import RelayProfile, profile_of
from digest.mail.smtp.relay_settings import TLS_PORTS, RelaySettings, Timeouts

if TYPE_CHECKING:
    from digest.config.mail import Mail
    from digest.config.mail import Relay as RelayTable

_FROM_PROFILE = ("username", "per_minute", "per_day", "connections")


def profile_for(table: RelayTable) -> RelayProfile | None:
    return profile_of(table.host, table.username)


def taken_from_profile(table: RelayTable) -> dict[str, Any]:
    """The keys that the operator did not set, as they are used."""
    profile, given = profile_for(table), table.model_fields_set
    taken: dict[str, Any] = {}
    if "port" not in given and "tls" not in given:
        taken = {"port": profile.port, "tls": profile.tls} if profile else {}
    elif "tls" not in given and table.port in TLS_PORTS:
        taken = {"tls": "tls"}
    elif "port" not in given and table.tls == "tls":
        taken = {"port": 465}
    elif "port" not in given and profile and table.tls == "starttls":
        taken = {"port": 587}
    wanted = {key: getattr(profile, key) for key in _FROM_PROFILE} if profile else {}
    return taken | {key: value for key, value in wanted.items() if value and key not in given}


def completed(table: RelayTable) -> RelayTable:
    """The table as it is used."""
    return table.model_copy(update=taken_from_profile(table))


def password_of(table: RelayTable) -> str:
    return read_secret(table.password, table.password_file, f"relays.{table.label}.password") or ""


def relay_settings(table: RelayTable, access_token: Callable[[], str] | None = None, patience: float = inf) -> RelaySettings:
    """What a completed table asks for; no step takes longer than `patience` seconds. Raises ConfigurationError."""
    if table.oauth and not table.username:
        raise ConfigurationError(f"relays.{table.label}.username", "is missing; with oauth it is the address of the mailbox")
    return RelaySettings(
        host=table.host,
        port=table.port,
        name=table.name,
        tls=table.tls,
        username=table.username,
        password="" if access_token else password_of(table),
        access_token=access_token,
        login_advice=login_advice(table),
        helo=table.ehlo_name,
        pipelining=table.pipelining,
        ca_file=table.ca_file,
        max_per_connection=table.max_per_connection,
        timeouts=Timeouts.within(min(table.timeout, patience)),
    )


def login_advice(table: RelayTable) -> str:
    """What to set where the login is refused."""
    if table.oauth:
        return "set relays.oauth to a refresh token of this account that may send mail, and relays.username to its address"
    profile = profile_for(table)
    return "set relays.username and relays.password" + (f": the password is {profile.login_with}" if profile else "")


def envelope_kind(mail: Mail, relays: Sequence[RelayTable]) -> str:
    """`mail.envelope_sender`; where it is not set, "plain" if a relay's provider takes no other. Raises ConfigurationError."""
    kind = mail.envelope_sender.strip()
    if "envelope_sender" not in mail.model_fields_set:
        profiles = [profile for each in relays if (profile := profile_for(each))]
        kind = "plain" if any(profile.envelope == "plain" for profile in profiles) else kind
    if "@" not in kind and kind not in ("verp", "plain"):
        raise ConfigurationError("mail.envelope_sender", f"{kind!r} should be verp, plain or an address")
    return kind
