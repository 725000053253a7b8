"""Where things are: the database, the keys, the pages, the templates, and how sources are asked."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from digest.config.values import HTTP, Seconds, Section, Text


class Database(Section):
    url: str = "sqlite:///digest.sqlite3"


class Secrets(Section):
    key: SecretStr | None = None
    key_file: Path = Path("digest.key")


class Web(Section):
    base_url: str = Field("http://127.0.0.1:8000", pattern=HTTP)
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    admin_token: SecretStr | None = None
    admin_token_file: Path | None = None


class Http(Section):
    contact: Text = ""
    timeout: Seconds = 30
    deadline: Seconds = 120
    retries: int = Field(3, ge=0, le=10)


class Ranking(Section):
    coefficients: Path | None = None


class Templates(Section):
    folder: Path | None = None
