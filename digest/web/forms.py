"""What a visitor typed → values of the domain, with what is wrong beside the field it is wrong in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, time
from functools import cache

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from digest.domain.phrase import phrase
from digest.domain.schedule import WEEKDAY_NAMES, Frequency, parse_frequency, read_zone, zone_names
from digest.domain.subscriber import Preferences
from digest.render.text.one_line import clean
from digest.web.language import OFFERED

_AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
MOST_PICKS = 50
MOST_FIELDS = 250


@dataclass(slots=True)
class Form:
    """Fields as they came (the last one of a name; `days` all of "weekdays", `forgotten` all of "forget"), and what is wrong,
    by field.
    """

    values: dict[str, str] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    forgotten: frozenset[str] = frozenset()
    file: bytes = b""
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def read(cls, request: Request) -> Form:
        """Urlencoded or multipart; anything else is an empty form. Raises HTTPException 400 for a body that is broken."""
        await request.body()
        return await run_in_threadpool(lambda: asyncio.run(cls._parsed(request)))  # slow bytes hold up no other request

    @classmethod
    async def _parsed(cls, request: Request) -> Form:
        body, kind = await request.body(), request.headers.get("content-type", "")
        if kind.startswith("application/x-www-form-urlencoded") and body.count(b"&") > MOST_FIELDS:
            raise HTTPException(400, phrase("Too many fields. Maximum number of fields is %(n)s.", n=MOST_FIELDS))
        async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=1024 * 1024) as sent:
            days, forgotten = ([str(value) for value in sent.getlist(name)] for name in ("weekdays", "forget"))
            form = cls(days=tuple(days), forgotten=frozenset(forgotten))
            for name, value in sent.multi_items():
                if isinstance(value, UploadFile):
                    form.file = await value.read()
                else:
                    form.values[name] = value
        return form

    def line(self, name: str) -> str:
        """A field as one clean line."""
        return clean(self.values.get(name, ""))

    def lines(self, name: str) -> str:
        """A field as clean lines."""
        return "\n".join(clean(line) for line in self.values.get(name, "").splitlines())

    def preferences(self, before: Preferences) -> Preferences:
        """`before` with what the form holds; what cannot be read is in `wrong` and stays as it was."""
        return Preferences(
            timezone=self._timezone(before.timezone),
            hour=self._hour(before.hour),
            weekdays=self._weekdays(before.weekdays),
            frequency=self._frequency(before.frequency),
            picks=self._picks(before.picks),
            style=self._style(before.style),
            language=self._language(before.language),
            authors_words=self._authors_words(before=before.authors_words),
            paused_until=self._paused_until(before.paused_until),
        )

    def _timezone(self, before: str) -> str:
        name = self.line("timezone")
        if not name:
            with suppress(ValueError):  # a script's guess: the reader has chosen nothing yet
                return read_zone(self.line("browser_timezone"))
            return before
        try:
            return read_zone(name)
        except ValueError as error:
            self.wrong["timezone"] = str(error)
            return before

    def _hour(self, before: time) -> time:
        text = self.line("hour")
        if not text:
            return before
        try:
            read = time.fromisoformat(text if len(text) != 4 else f"0{text}")
        except ValueError:
            read = None
        if read is None or read.tzinfo is not None:
            self.wrong["hour"] = phrase("Enter a time such as 07:30.")
            return before
        return read.replace(second=0, microsecond=0)

    def _weekdays(self, before: frozenset[int]) -> frozenset[int]:
        if not self.days and "with-weekdays" not in self.values:
            return before
        days = frozenset(WEEKDAY_NAMES.index(day) for day in self.days if day in WEEKDAY_NAMES)
        if not days or len(days) != len(set(self.days)):
            self.wrong["weekdays"] = phrase("Choose at least one day. To stop for a while, pause instead.")
            return before
        return days

    def _frequency(self, before: Frequency) -> Frequency:
        if "frequency" not in self.values:
            return before
        try:
            return parse_frequency(self.line("frequency"))
        except ValueError as error:
            self.wrong["frequency"] = str(error)
            return before

    def _picks(self, before: int | None) -> int | None:
        if "picks" not in self.values:
            return before
        text = self.line("picks")
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_PICKS):
            self.wrong["picks"] = phrase("Enter a number from 1 to %(most)s, or leave it empty.", most=MOST_PICKS)
            return before
        return int(text)

    def _style(self, before: str | None) -> str | None:
        if "style" not in self.values:
            return before
        return {"full": "full", "compact": "compact"}.get(self.line("style"))

    def _language(self, before: str | None) -> str | None:
        """One that is not offered changes nothing: no form of ours has it."""
        if "language" not in self.values:
            return before
        name = self.line("language")
        return name if name in OFFERED else None if not name else before

    def _authors_words(self, *, before: bool) -> bool:
        """A form without the box changes nothing."""
        return self.line("authors_words") == "yes" if "with-authors-words" in self.values else before

    def _paused_until(self, before: date | None) -> date | None:
        if "paused_until" not in self.values:
            return before
        text = self.line("paused_until")
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.wrong["paused_until"] = phrase("Enter a date such as 2026-08-31, or leave it empty.")
            return before


@cache
def zones() -> Mapping[str, tuple[str, ...]]:
    """Time zones by area, for a list to choose from; every other one that exists is understood too."""
    names = sorted(zone_names())
    areas = {area: tuple(name for name in names if name.startswith(f"{area}/")) for area in _AREAS}
    return {"Universal": ("UTC",), **areas}


def chosen_days(preferences: Preferences, sent: Form | None = None) -> tuple[tuple[str, int, bool], ...]:
    """(name, number, whether chosen) of the week's days, Monday first; as `sent` has them where it has them wrong."""
    chosen = {name for day, name in enumerate(WEEKDAY_NAMES) if day in preferences.weekdays}
    if sent and "weekdays" in sent.wrong:
        chosen = set(sent.days)
    return tuple((name, day, name in chosen) for day, name in enumerate(WEEKDAY_NAMES))
