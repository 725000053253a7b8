"""The whole tree of settings, and those of its tables that have a few keys only."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.config.core import Database, Http, Ranking, Secrets, Templates, Web
from digest.config.mail import Delivery, Dkim, Inbound, Mail, Relay
from digest.config.papers import ListSettings, LookUps, SourceSettings, Summaries
from digest.config.values import Days, Seconds, Section, Text, TimeOfDay, Zone, from_older
from digest.domain.edition import PaperList
from digest.domain.paper import MODELS

_LONGEST_WINDOW = 31
"""Days of a month."""


class Log(Section):
    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"
    addresses: Literal["none", "hashed"] = "none"


class Alerts(Section):
    renamed_keys = {  # noqa: RUF012  # declared as a ClassVar in Section
        "overdue": "late_after",
    }
    to: Text = ""
    late_after: Seconds = 3600


class Retention(Section):
    """In days. services/privacy/retention.py and /privacy say what each is for, and why that long."""

    unconfirmed: Days = Field(30, ge=8)
    """The link in the mail works for seven days."""
    ended: Days = Field(1095, ge=1)
    deliveries: Days = Field(180, ge=60)
    """They say what a reader was sent (docs/adr/0006)."""
    readings: Days = Field(365, ge=31)
    cards: Days = Field(180, ge=31)
    alarms: Days = Field(90, ge=2)


RENAMED = {"reader_timezone": "default_timezone", "reader_hour": "default_send_time"}
"""Settings at the top, by their older names."""


class Settings(BaseSettings):
    """The whole configuration. Use `load`, which turns every fault into one ConfigurationError."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="DIGEST_", env_nested_delimiter="__")

    database: Database = Database()
    secrets: Secrets = Secrets()
    web: Web = Web()
    mail: Mail = Mail()
    dkim: Dkim = Dkim()
    inbound: Inbound = Inbound()
    relays: tuple[Relay, ...] = ()
    delivery: Delivery = Delivery()
    lists: tuple[ListSettings, ...] = (
        ListSettings(name="daily", title="Trending papers", description="Get trending papers in your inbox once a day"),
    )
    sources: tuple[SourceSettings, ...] = (SourceSettings(name="huggingface", kind="huggingface"),)
    look_ups: LookUps = LookUps()
    http: Http = Http()
    ranking: Ranking = Ranking()
    summaries: Summaries = Summaries()
    templates: Templates = Templates()
    retention: Retention = Retention()
    log: Log = Log()
    alerts: Alerts = Alerts()
    default_timezone: Zone = "UTC"
    default_send_time: TimeOfDay = time(7, 0)

    @property
    def source_kinds(self) -> list[str]:
        return [each.kind for each in self.sources]

    @property
    def has_model_summaries(self) -> bool:
        """Whether a summary may be a model's: of an endpoint, or of those that a source brings."""
        return bool(self.summaries.base_url) or any(kind.replace("-", " ") in MODELS for kind in self.source_kinds)

    @model_validator(mode="before")
    @classmethod
    def _from_older(cls, values: Any) -> Any:
        return from_older(values, {}, RENAMED)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if not self.lists:
            raise ValueError("lists: there is none; add a [[lists]] table with a name and a title")
        if self.summaries.base_url and not self.summaries.model:
            raise ValueError("summaries.model: is needed with summaries.base_url; the name by which the endpoint knows it")
        for what, names in (("lists", [i.name for i in self.lists]), ("sources", [i.name for i in self.sources])):
            if twice := {n for n in names if names.count(n) > 1}:
                raise ValueError(f"{what}: the name {min(twice)!r} is used twice")
        for each in self.lists:
            if (days := _LONGEST_WINDOW + each.candidates_for_days) > self.retention.deliveries:
                raise ValueError(
                    f"retention.deliveries: should be at least {days}: papers of a month's edition of {each.name} are up to so"
                    " many days old, and nobody is to be sent one twice"
                )
        made_of = {each.name: each.includes for each in self.lists}
        for name, parts in made_of.items():
            for part in parts:
                if part not in made_of or made_of[part]:
                    raise ValueError(f"lists: {name} includes {part!r}; should be the name of a list that includes none itself")
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
        made = {each.name: each.to_domain() for each in self.lists}
        return tuple(replace(made[each.name], includes=tuple(made[name] for name in each.includes)) for each in self.lists)

    @property
    def mail_domain(self) -> str:
        return self.mail.domain or self.mail.from_address.rpartition("@")[2]
