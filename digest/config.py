"""The settings: one frozen tree, read once from TOML and the environment, handed on as narrow arguments.

Precedence: environment (`DIGEST_` + path joined by `__`, lists and tables as JSON) over the TOML file over the defaults here.
Every key is described in config/digest.toml; a test fails when one is missing there.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.domain.edition import PaperList
from digest.domain.errors import ConfigurationError
from digest.domain.retry import RetryPolicy, UncertainPolicy
from digest.domain.schedule import parse_weekdays

DEFAULT_PATH = Path("config/digest.toml")
NOT_SETTINGS = frozenset({"DIGEST_CONFIG", "DIGEST_PYTHON"})
_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_HTTP = r"^https?://[^\s/]+(/[^\s]*)?$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


def _zone(name: str) -> str:
    if name not in available_timezones():
        near = difflib.get_close_matches(name, available_timezones(), 1)
        raise ValueError(f"unknown time zone {name!r}" + (f"; did you mean {near[0]}?" if near else "; such as Europe/Berlin"))
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Text = Annotated[str, Field(pattern=_ONE_LINE)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    url: str = "sqlite:///digest.sqlite3"


class Secrets(Section):
    key: SecretStr | None = None
    key_file: Path = Path("digest.key")


class Web(Section):
    base_url: str = Field("http://127.0.0.1:8000", pattern=_HTTP)
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    admin_token: SecretStr | None = None
    admin_token_file: Path | None = None


class Mail(Section):
    from_name: Text = "Digest"
    from_address: Text = "digest@localhost.localdomain"
    reply_to: Text = ""
    domain: Text = ""
    bounce_domain: Text = ""
    postal_address: Text = ""
    inbound_address: Text = ""


class Relay(Section):
    name: Text = ""
    host: str = Field(min_length=1)
    port: int = Field(25, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    max_per_connection: int = Field(1000, ge=1)
    per_minute: int | None = Field(None, ge=1)
    timeout: Seconds = 300

    @property
    def label(self) -> str:
        return self.name or f"{self.host}:{self.port}"


class Delivery(Section):
    processes: int | None = Field(None, ge=1, le=64)
    connections: int = Field(5, ge=1, le=200)
    batch: int = Field(500, ge=1, le=10_000)
    lease: Seconds = 600
    journal: Path = Path("journal")
    uncertain: UncertainPolicy = UncertainPolicy.RESEND
    first_wait: Seconds = 1800
    longest_wait: Seconds = 14_400
    max_attempts: int = Field(12, ge=1)

    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            first_wait=timedelta(seconds=self.first_wait),
            longest_wait=timedelta(seconds=self.longest_wait),
            max_attempts=self.max_attempts,
            uncertain=self.uncertain,
        )


class ListSettings(Section):
    name: str = Field(pattern=_SLUG, max_length=40)
    title: Text = Field(min_length=1)
    description: Text = ""
    picks: int = Field(10, ge=1, le=30)
    cutoff: time = time(5, 0)
    timezone: Zone = "UTC"
    weekdays: str = "daily"
    candidates_for_days: int = Field(7, ge=1, le=60)
    pool: int = Field(300, ge=1, le=2000)
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    style: Literal["full", "compact"] = "full"
    send_empty: bool = False

    @field_validator("weekdays")
    @classmethod
    def _weekdays(cls, text: str) -> str:
        parse_weekdays(text)
        return text

    def to_domain(self) -> PaperList:
        return PaperList(
            name=self.name,
            title=self.title,
            description=self.description,
            picks=self.picks,
            cutoff=self.cutoff,
            timezone=self.timezone,
            weekdays=parse_weekdays(self.weekdays),
            candidates_for=timedelta(days=self.candidates_for_days),
            pool=self.pool,
            sources=frozenset(self.sources),
            categories=frozenset(self.categories),
            style=self.style,
            send_empty=self.send_empty,
        )


class SourceSettings(Section):
    name: str = Field(pattern=_SLUG, max_length=40)
    kind: str
    base_url: str | None = Field(None, pattern=_HTTP)
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    options: dict[str, str | int | list[str]] = Field(default_factory=dict)
    every_minutes: int = Field(60, ge=1)


class Http(Section):
    contact: Text = ""
    timeout: Seconds = 30
    deadline: Seconds = 120
    retries: int = Field(3, ge=0, le=10)


class Templates(Section):
    folder: Path | None = None


class Settings(BaseSettings):
    """The whole configuration. Use `load`, which turns every fault into one ConfigurationError."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="DIGEST_", env_nested_delimiter="__")

    database: Database = Database()
    secrets: Secrets = Secrets()
    web: Web = Web()
    mail: Mail = Mail()
    relays: tuple[Relay, ...] = ()
    delivery: Delivery = Delivery()
    lists: tuple[ListSettings, ...] = (
        ListSettings(name="daily", title="Trending papers", description="Get trending papers in your inbox once a day"),
    )
    sources: tuple[SourceSettings, ...] = (SourceSettings(name="huggingface", kind="huggingface"),)
    http: Http = Http()
    templates: Templates = Templates()
    reader_timezone: Zone = "UTC"
    reader_hour: time = time(7, 0)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if not self.lists:
            raise ValueError("lists: there is none; add a [[lists]] table with a name and a title")
        for what, names in (("lists", [i.name for i in self.lists]), ("sources", [i.name for i in self.sources])):
            if twice := {n for n in names if names.count(n) > 1}:
                raise ValueError(f"{what}: the name {min(twice)!r} is used twice")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # what `load` read from the TOML file comes in as init values; the environment overrides it
        return env_settings, init_settings

    def paper_lists(self) -> tuple[PaperList, ...]:
        return tuple(each.to_domain() for each in self.lists)

    @property
    def mail_domain(self) -> str:
        return self.mail.domain or self.mail.from_address.rpartition("@")[2]


def load(path: Path | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Reads the settings. `path` must exist when given; without it DIGEST_CONFIG, then ./config/digest.toml if there is one.

    Raises ConfigurationError naming the key and what it may be.
    """
    env = dict(os.environ) if environ is None else environ
    chosen = path or (Path(env["DIGEST_CONFIG"]) if env.get("DIGEST_CONFIG") else None)
    values = _read_toml(chosen) if chosen else _read_toml(DEFAULT_PATH) if DEFAULT_PATH.is_file() else {}
    for name in env:
        if name.startswith("DIGEST_") and name not in NOT_SETTINGS:
            section = name.removeprefix("DIGEST_").split("__")[0].lower()
            if section not in Settings.model_fields:
                raise ConfigurationError(name, f"unknown setting{_meant(section, Settings)}")
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _explained(error) from None
    except Exception as error:  # pydantic-settings wraps JSON faults in its own SettingsError
        field = re.search(r'field "(\w+)"', str(error))
        raise ConfigurationError(f"DIGEST_{field[1].upper()}" if field else "environment", "should be JSON") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(path), f"is not TOML: {error}") from None


def _explained(error: ValidationError) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    if not path:  # from _consistent, which names the key itself
        path, _, said = said.partition(": ")
    if first["type"] == "extra_forbidden":
        return ConfigurationError(path, f"unknown key{_meant(str(first['loc'][-1]), _model_at(first['loc'][:-1]))}")
    return ConfigurationError(path, said[0].lower() + said[1:])


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    sections: dict[str, type[BaseModel]] = {"relays": Relay, "lists": ListSettings, "sources": SourceSettings}
    if not loc:
        return Settings
    name = str(loc[0])
    return sections.get(name) or type(Settings.model_fields[name].default)


def _meant(word: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(word, model.model_fields, 1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(model.model_fields)}"


def read_secret(value: SecretStr | None, file: Path | None, key: str) -> str | None:
    """The secret itself, from the setting or from `*_file` (its surrounding white space removed). Raises ConfigurationError."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{key}_file", f"{file} cannot be read ({error.strerror})") from None


def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
