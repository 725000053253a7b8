"""What one subscribes to, where its papers come from, and who may sum them up."""

from __future__ import annotations

import sys
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from digest.config.values import HTTP, SLUG, Language, Seconds, Section, Text, TimeOfDay, Zone
from digest.domain.edition import PaperList
from digest.domain.schedule import Frequency, parse_weekdays


class ListSettings(Section):
    name: str = Field(pattern=SLUG, max_length=40)
    title: Text = Field(min_length=1)
    description: Text = ""
    picks: int = Field(10, ge=1, le=30)
    cutoff: TimeOfDay = time(5, 0)
    timezone: Zone = "UTC"
    cutoff_every_hours: int = Field(1, ge=1, le=24)
    frequency: Frequency = Frequency.DAILY
    weekdays: str = "daily"
    includes: tuple[str, ...] = ()
    candidates_for_days: int = Field(7, ge=1, le=60)
    pool: int = Field(300, ge=1, le=2000)
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    topics: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field(default_factory=dict)
    variety: float = Field(0.0, ge=0, le=0.5)
    style: Literal["full", "compact"] = "full"
    language: Language = "en"
    send_empty: bool = False

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        if isinstance(given, dict) and "cadence" in given:
            print("digest: lists.cadence is now called frequency", file=sys.stderr)
            given = {"frequency": given["cadence"], **{key: value for key, value in given.items() if key != "cadence"}}
        return given

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
            cutoff_every=timedelta(hours=self.cutoff_every_hours),
            frequency=self.frequency,
            weekdays=parse_weekdays(self.weekdays),
            candidates_for=timedelta(days=self.candidates_for_days),
            pool=self.pool,
            sources=frozenset(self.sources),
            categories=frozenset(self.categories),
            topics=tuple(sorted(self.topics.items())),
            variety=self.variety,
            style=self.style,
            language=self.language,
            send_empty=self.send_empty,
        )


class SourceSettings(Section):
    name: str = Field(pattern=SLUG, max_length=40)
    kind: str
    base_url: str | None = Field(None, pattern=HTTP)
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    options: dict[str, str | int | list[str]] = Field(default_factory=dict)
    every_minutes: int = Field(60, ge=1)


class Summaries(Section):
    renamed_keys = {  # noqa: RUF012  # declared as a ClassVar in Section
        "patience": "max_wait",
        "budget": "daily_tokens",
    }
    base_url: str | None = Field(None, pattern=HTTP)
    model: Text = ""
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    batch: int = Field(10, ge=1, le=50)
    daily_tokens: int = Field(200_000, ge=1)
    timeout: Seconds = 30
    max_wait: Seconds = 90


class LookUps(Section):
    arxiv_url: str = Field("https://export.arxiv.org", pattern=rf"{HTTP}|^$")
    works_per_day: int = Field(5_000, ge=0)
    zotero_url: str = Field("https://api.zotero.org", pattern=HTTP)
    orcid_url: str = Field("https://pub.orcid.org", pattern=HTTP)
    openalex_url: str = Field("https://api.openalex.org", pattern=HTTP)
    library_requests_per_day: int = Field(20_000, ge=0)
