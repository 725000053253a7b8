"""`digest preferences`: when a reader's mail is due, in which language and whose words; their own page changes the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import click

from digest.cli.options import Day, answer, at_option, tell_of_no_model, when_options, wired
from digest.domain.errors import NotFound
from digest.domain.schedule import format_weekdays, parse_frequency, parse_weekdays
from digest.domain.subscriber import SubscriptionState

if TYPE_CHECKING:
    from digest.container import Container
    from digest.domain.subscriber import Preferences, Subscription


@click.command()
@click.argument("email")
@click.option("--list", "list_name", help="Only this list.")
@when_options
@click.option("--pause-until", type=Day(), help="No mail before this day; one that has come ends a pause.")
@at_option
@wired
def preferences(
    container: Container,
    as_json: bool,
    email: str,
    list_name: str | None,
    timezone: str | None,
    hour: time | None,
    weekdays: str | None,
    frequency: str | None,
    language: str | None,
    authors_words: bool | None,
    pause_until: date | None,
    at: datetime,
) -> None:
    """Change when a reader's mail is due, its language and its words, as they asked, and show all. What is not named stays."""
    if authors_words:
        tell_of_no_model(container)
    address = container.adapters.address(email)
    found = [each for each in container.subscriptions.of(address) if each.state is not SubscriptionState.ENDED]
    if not (found := [each for each in found if list_name in (None, each.list)]):
        raise NotFound(f"{address}" + (f" on {list_name}" if list_name else ""), "there is no subscription to change")
    changed = [
        container.subscriptions.change(each, wanted)
        if (
            wanted := _wanted(
                container, each.preferences, timezone, hour, weekdays, frequency, language, authors_words, pause_until
            )
        )
        != each.preferences
        else each
        for each in found
    ]
    answer(
        as_json,
        [{"list": each.list, "state": str(each.state), **_document(each.preferences)} for each in changed],
        lambda: click.echo("\n".join(_line(each, at) for each in changed)),
    )


def _wanted(
    container: Container,
    before: Preferences,
    timezone: str | None,
    hour: time | None,
    weekdays: str | None,
    frequency: str | None,
    language: str | None,
    authors_words: bool | None,
    pause_until: date | None,
) -> Preferences:
    if timezone:
        before = replace(before, timezone=container.adapters.preferences(timezone, None).timezone)
    if hour is not None:
        before = replace(before, hour=hour)
    if language is not None:
        before = replace(before, language=language or None)
    if authors_words is not None:
        before = replace(before, authors_words=authors_words)
    if pause_until:
        before = replace(before, paused_until=pause_until)
    return with_days(before, weekdays, frequency)


def with_days(before: Preferences, weekdays: str | None, frequency: str | None) -> Preferences:
    """Raises click.BadParameter for words that name no days, or no frequency."""
    try:
        if weekdays:
            before = replace(before, weekdays=parse_weekdays(weekdays))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--weekdays") from None
    try:
        return replace(before, frequency=parse_frequency(frequency)) if frequency else before
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--frequency") from None


def _document(value: Preferences) -> dict[str, object]:
    return {
        "hour": f"{value.hour:%H:%M}",
        "timezone": value.timezone,
        "weekdays": format_weekdays(value.weekdays),
        "frequency": str(value.frequency),
        "language": value.language,
        "authors_words": value.authors_words,
        "paused_until": value.paused_until and value.paused_until.isoformat(),
    }


def _line(subscription: Subscription, at: datetime) -> str:
    value = subscription.preferences
    paused = value.paused_until if value.paused_until and value.paused_until > at.date() else None
    return (
        f"{subscription.address}  {subscription.list}  {subscription.state}  {value.hour:%H:%M} {value.timezone}, "
        f"{format_weekdays(value.weekdays)}, {value.frequency}"
        + (f", {value.language}" if value.language else "")
        + (", authors' words only" if value.authors_words else "")
        + (f", paused until {paused}" if paused else "")
    )
