"""Where things are: the database, the keys, the pages, the templates, and how sources are asked."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from digest.config.values import BaseUrl, Language, Network, Seconds, Section, Text


class Database(Section):
    url: str = "sqlite:///digest.sqlite3"


class Secrets(Section):
    key: SecretStr | None = None
    key_file: Path = Path("digest.key")


class Web(Section):
    enabled: bool = True
    base_url: BaseUrl = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    admin_token: SecretStr | None = None
    admin_token_file: Path | None = None
    trusted_proxies: tuple[Network, ...] = ("127.0.0.0/8", "::1")
    """Whose X-Forwarded-For is believed: what limits count by is the reader's network, not the proxy's."""
    translations_approved: tuple[Language, ...] = ()
    """Languages in which the operator has read the words that readers agree to; in others these are shown in English."""


class Http(Section):
    renamed_keys = {  # noqa: RUF012  # declared as a ClassVar in Section
        "deadline": "total_timeout",
    }
    contact: Text = ""
    timeout: Seconds = 30
    total_timeout: Seconds = 120
    retries: int = Field(3, ge=0, le=10)


class Ranking(Section):
    coefficients: Path | None = None
    sentence_encoder: bool = True


class Templates(Section):
    folder: Path | None = None
