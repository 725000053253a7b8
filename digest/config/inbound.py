"""Where mail that came back is taken from, and how much of it a mailbox may answer before we stop."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from digest.config.values import Seconds, Section, Text


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
