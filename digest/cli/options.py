"""Options that several commands share, and how a command answers: for people, or as one JSON document."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from digest.domain.errors import InvalidInstant
from digest.domain.instant import parse_instant

if TYPE_CHECKING:
    from digest.container import Container

F = TypeVar("F", bound=Callable[..., Any])


class Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return value if isinstance(value, datetime) else parse_instant(value)
        except InvalidInstant as error:
            self.fail(error.reason, param, ctx)


class Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} should be like 2026-05-27", param, ctx)


class Hour(click.ParamType[time]):
    name = "HH:MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        try:
            return value if isinstance(value, time) else datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - wall-clock hour, no date
        except ValueError:
            self.fail(f"{value!r} should be like 07:00", param, ctx)


class Language(click.ParamType[str]):
    """With `or_list`, "list" is the list's: ""."""

    name = "language"

    def __init__(self, *, or_list: bool = False) -> None:
        self.or_list = or_list

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from digest.translation import read_language

        if self.or_list and value in ("", "list"):
            return ""
        try:
            return read_language(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def wired(command: F) -> F:
    """Gives a command `--config`, `--json` and the container made from the configuration (closed at the end)."""

    @click.option("--config", type=click.Path(path_type=Path), help="The settings file (default: config/digest.toml).")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else there.")
    @functools.wraps(command)
    def with_container(*args: Any, config: Path | None, **kwargs: Any) -> Any:
        from digest.config import load
        from digest.container import Container

        with Container(load(config)) as container:
            container.check_settings()
            return command(container, *args, **kwargs)

    return with_container  # type: ignore[return-value]  # click's decorators keep the callable, mypy cannot see it


def at_option(command: F) -> F:
    """`--at INSTANT`, default now: the one place where commands read the clock."""
    option = click.option("--at", type=Instant(), default=lambda: datetime.now(UTC), help="Act as if it were this instant.")
    return option(command)


def answer(as_json: bool, document: Any, lines: Callable[[], None]) -> None:
    """Prints `document` as JSON, or calls `lines` for people."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        lines()


def chosen_list(container: Container, name: str | None) -> Any:
    """The list named, or the first one configured. Raises NotFound naming those there are."""
    return container.adapters.paper_list(name)


_WHEN = (
    click.option("--timezone", help="Such as Europe/Berlin."),
    click.option("--hour", type=Hour(), help="When the mail is due there, such as 07:00."),
    click.option("--weekdays", help="Such as mon,wed,fri, weekdays or daily."),
    click.option("--frequency", help="daily (on each of the weekdays), weekly or monthly (on the first of them)."),
    click.option(
        "--language",
        type=Language(or_list=True),
        help="Of the mail: en, de, fr, es, zh-Hans or ja, or list: the list's (default).",
    ),
    click.option(
        "--authors-words/--any-words", default=None, help="Sum papers up by a sentence of their authors, never by a model's line."
    ),
)


def when_options(command: F) -> F:
    """The options that say when mail is due, in which language it is, and in whose words."""
    for option in reversed(_WHEN):
        command = option(command)
    return command


def tell_of_no_model(container: Container) -> None:
    """For who asks for the authors' words only where nothing else is sent."""
    if not container.settings.has_model_summaries:
        click.echo("digest: no model writes summaries here: --authors-words changes no mail until one does", err=True)
