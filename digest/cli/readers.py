"""`digest subscribe`, `unsubscribe`, `erase` and `readmit`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING

import click

from digest.cli.options import Hour, answer, at_option, wired
from digest.domain.interest import understand
from digest.domain.schedule import parse_weekdays

if TYPE_CHECKING:
    from digest.wiring import Wiring


@click.command()
@click.argument("email")
@click.option("--list", "list_name", help="The list (default: the first one configured).")
@click.option("--timezone", help="Such as Europe/Berlin.")
@click.option("--hour", type=Hour(), help="When the mail is due there, such as 07:00.")
@click.option("--weekdays", help="Such as mon,wed,fri, weekdays or daily.")
@click.option("--interests", "interests_text", help="What the reader cares about, in words.")
@click.option("--confirmed", is_flag=True, help="Record consent given elsewhere; no confirmation mail.")
@at_option
@wired
def subscribe(
    wiring: Wiring,
    as_json: bool,
    email: str,
    list_name: str | None,
    timezone: str | None,
    hour: time | None,
    weekdays: str | None,
    interests_text: str | None,
    confirmed: bool,
    at: datetime,
) -> None:
    """Subscribe an address: double opt-in, or --confirmed."""
    from digest.journey.subscribe import RECORDED, confirm, request

    preferences = wiring.preferences(timezone, hour)
    if weekdays:
        try:
            preferences = replace(preferences, weekdays=parse_weekdays(weekdays))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--weekdays") from None
    address, paper_list = wiring.address(email), wiring.paper_list(list_name)
    interests = understand(interests_text or "").interests
    step = request(wiring.store, address, paper_list.name, preferences, interests, at)
    if confirmed:
        step = confirm(wiring.store, step.subscription.id, "command line", RECORDED, at, step.subscription.request)
    elif step.notice:
        wiring.mail_notice(step.notice, at)
    state = str(step.subscription.state)
    answer(as_json, {"state": state}, lambda: click.echo(f"{address}: {state}" + (f" ({step.skipped})" if step.skipped else "")))


@click.command()
@click.argument("email")
@click.option("--list", "list_name", help="Only this list.")
@at_option
@wired
def unsubscribe(wiring: Wiring, as_json: bool, email: str, list_name: str | None, at: datetime) -> None:
    """End an address's subscriptions."""
    from digest.journey.subscribe import end_all

    steps = end_all(wiring.store, wiring.address(email), "ended by the operator", at, list_name)
    ended = [step.subscription.list for step in steps]
    said = f"ended: {', '.join(ended)}" if ended else "nothing to end"
    answer(as_json, {"ended": ended}, lambda: click.echo(said))


@click.command()
@click.argument("email")
@at_option
@wired
def erase(wiring: Wiring, as_json: bool, email: str, at: datetime) -> None:
    """Forget a person, keeping only the suppression hash."""
    from digest.journey.subscribe import erase as forget

    known = forget(wiring.store, wiring.address(email), at)
    answer(as_json, {"erased": known}, lambda: click.echo("erased" if known else "not known; suppressed all the same"))


@click.command()
@click.argument("email")
@wired
def readmit(wiring: Wiring, as_json: bool, email: str) -> None:
    """Mail an address again that was suppressed by mistake. Who asked to be forgotten needs none of it: they subscribe."""
    from digest.journey.subscribe import readmit as lift

    reason = lift(wiring.store, wiring.address(email))
    said = f"mailed again; it was suppressed: {reason}" if reason else "it was not suppressed"
    answer(as_json, {"was_suppressed": reason}, lambda: click.echo(said))
