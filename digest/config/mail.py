"""Who the mail is from, which relays take it, how it is delivered, and where mail that comes back is taken from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from digest.config.values import HTTP, TENANT, BareAddress, BareHost, Seconds, Section, Text
from digest.domain.retry import RetryPolicy, UncertainPolicy


class Mail(Section):
    from_name: Text = "Digest"
    from_address: BareAddress = "digest@localhost.localdomain"
    reply_to: BareAddress = ""
    domain: Text = ""
    bounce_domain: Text = ""
    envelope_sender: Text = "verp"
    postal_address: Text = ""
    inbound_address: BareAddress = ""


class Dkim(Section):
    domain: Text = ""
    selector: Text = "digest"
    rsa_key_file: Path | None = None
    ed25519_selector: Text = "digest-ed25519"
    ed25519_key_file: Path | None = None

    def files(self) -> tuple[tuple[str, Path], ...]:
        """(selector, file) of each key there is; none: we do not sign."""
        both = ((self.selector, self.rsa_key_file), (self.ed25519_selector, self.ed25519_key_file))
        return tuple((selector, file) for selector, file in both if file is not None)


class OAuth(Section):
    """A login with a refresh token in place of a password."""

    provider: Literal["google", "microsoft"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    refresh_token: SecretStr | None = None
    refresh_token_file: Path | None = None
    tenant: str = Field("common", pattern=TENANT)
    token_url: str | None = Field(None, pattern=HTTP)


class Relay(Section):
    removed_keys = {  # noqa: RUF012  # declared as a ClassVar in Section
        "relays.in_flight": "one message at a time is under way on each; delivery.connections makes a distant relay faster"
    }
    name: Text = ""
    host: BareHost
    port: int = Field(25, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    oauth: OAuth | None = None
    connections: int | None = Field(None, ge=1, le=200)
    max_per_connection: int = Field(1000, ge=1)
    per_minute: int | None = Field(None, ge=1)
    per_day: int | None = Field(None, ge=1)
    ehlo_name: Text = ""
    pipelining: bool = True
    timeout: Seconds = 300

    @property
    def label(self) -> str:
        return self.name or f"{self.host}:{self.port}"


class Delivery(Section):
    renamed_keys = {  # noqa: RUF012  # as above
        "batch": "claim_size",
        "uncertain": "on_lost_reply",
        "first_wait": "retry_initial_delay",
        "longest_wait": "retry_max_delay",
    }
    removed_keys = {  # noqa: RUF012  # as above
        "delivery.processes": "start `digest deliver` or `digest worker` as often as you like instead",
        "delivery.niceness": "start it with nice(1) instead",
    }
    connections: int = Field(10, ge=1, le=200)
    claim_size: int = Field(500, ge=1, le=10_000)
    lease: Seconds = 600
    per_domain_per_minute: int | None = Field(None, ge=1)
    journal: Path = Path("journal")
    on_lost_reply: UncertainPolicy = UncertainPolicy.RESEND
    retry_initial_delay: Seconds = 1800
    retry_max_delay: Seconds = 14_400
    max_attempts: int = Field(12, ge=1)

    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            first_wait=timedelta(seconds=self.retry_initial_delay),
            longest_wait=timedelta(seconds=self.retry_max_delay),
            max_attempts=self.max_attempts,
            uncertain=self.on_lost_reply,
        )


class Inbound(Section):
    renamed_keys = {  # noqa: RUF012  # declared as a ClassVar in Section
        "imap_done": "imap_processed_folder",
        "settled_after_days": "assume_delivered_after_days",
    }
    host: str = "127.0.0.1"
    port: int | None = Field(None, ge=1, le=65535)
    protocol: Literal["lmtp", "smtp"] = "lmtp"

    imap_server: Text = ""
    imap_port: int = Field(993, ge=1, le=65535)
    imap_tls: Literal["tls", "starttls", "none"] = "tls"
    imap_user: Text = ""
    imap_password: SecretStr | None = None
    imap_password_file: Path | None = None
    imap_ca_file: Path | None = None
    imap_mailbox: Text = "INBOX"
    imap_processed_folder: Text = "Processed"
    imap_every: Seconds = 300

    ses_topic_arn: Text = ""
    sendgrid_public_key: Text = ""
    mailgun_signing_key: SecretStr | None = None
    mailgun_signing_key_file: Path | None = None
    postmark_user: Text = "digest"
    postmark_password: SecretStr | None = None
    postmark_password_file: Path | None = None

    soft_limit: int = Field(5, ge=1, le=60)
    assume_delivered_after_days: int = Field(3, ge=1, le=30)
