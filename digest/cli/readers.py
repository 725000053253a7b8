"""`digest subscribe`, `unsubscribe`, `erase` and `unsuppress`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import Instant, answer, at_option, tell_of_no_model, when_options, wired
from digest.cli.preferences import with_days
from digest.domain.errors import InvalidAddress, InvalidInput
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.argument("email")
@click.option("--list", "list_name", help="The list (default: the first one configured).")
@when_options
@click.option("--cadence", hidden=True)
@click.option("--interests", "interests_text", help="What the reader cares about, in words.")
@click.option("--confirmed", is_flag=True, help="Record consent given elsewhere; no confirmation mail.")
@at_option
@wired
def subscribe(
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
    cadence: str | None,
    interests_text: str | None,
    confirmed: bool,
    at: datetime,
) -> None:
    """Subscribe an address: double opt-in, or --confirmed."""
    from digest.services.notices.pending import HELD

    if cadence:
        click.echo("digest: --cadence is now called --frequency", err=True)
    preferences = with_days(container.adapters.preferences(timezone, hour), weekdays, frequency or cadence)
    preferences = replace(preferences, language=language or None, authors_words=bool(authors_words))
    if authors_words:
        tell_of_no_model(container)
    address, paper_list = container.adapters.address(email), container.adapters.paper_list(list_name)
    by, interests = "command line" if confirmed else "", interests_text or ""
    # queued in the request's own transaction; sent here before anybody else may
    step = container.subscriptions.add(address, paper_list.name, preferences, interests, at, confirmed_by=by, mail_at=at + HELD)
    if step.notice and not confirmed:
        container.notices.mail_notice(step.notice, at)
    state, skipped = str(step.subscription.state), step.skipped
    if skipped.startswith("already") and (timezone or hour or weekdays or frequency or cadence or language or authors_words):
        skipped += "; digest preferences changes when mail is due"
    answer(as_json, {"state": state}, lambda: click.echo(f"{address}: {state}" + (f" ({skipped})" if skipped else "")))


@click.command()
@click.argument("email")
@click.option("--list", "list_name", help="Only this list.")
@at_option
@wired
def unsubscribe(container: Container, as_json: bool, email: str, list_name: str | None, at: datetime) -> None:
    """End an address's subscriptions."""
    steps = container.subscriptions.end_all(container.adapters.address(email), "ended by the operator", at, list_name)
    ended = [step.subscription.list for step in steps]
    text = f"ended: {', '.join(ended)}" if ended else "nothing to end"
    answer(as_json, {"ended": ended}, lambda: click.echo(text))


@click.command()
@click.argument("email")
@at_option
@wired
def erase(container: Container, as_json: bool, email: str, at: datetime) -> None:
    """Forget a person, keeping only the suppression hash."""
    known = container.privacy.erase(container.adapters.address(email), at)
    answer(as_json, {"erased": known}, lambda: click.echo("erased" if known else "not known; suppressed all the same"))


_REASONS = {
    "bounce": SuppressionReason.BOUNCE,
    "soft-bounces": SuppressionReason.SOFT_BOUNCES,
    "complaint": SuppressionReason.COMPLAINT,
    "operator": SuppressionReason.OPERATOR,
}


@click.command()
@click.argument("whom", metavar="[EMAIL|FILE]...", nargs=-1)
@click.option("--reason", type=click.Choice(list(_REASONS)), help="Only who was suppressed for this.")
@click.option("--since", type=Instant(), help="Only who was suppressed at this instant or later.")
@click.option("--until", type=Instant(), help="Only who was suppressed before this instant.")
@at_option
@wired
def unsuppress(
    container: Container,
    as_json: bool,
    whom: tuple[str, ...],
    reason: str | None,
    since: datetime | None,
    until: datetime | None,
    at: datetime,
) -> None:
    """Mail addresses again that were suppressed by mistake; in a FILE each stands on a line of its own.

    Without addresses: all with that reason, of that time. Who asked to be forgotten is left alone: they subscribe themselves.
    """
    if not (whom or reason or since or until):
        raise click.UsageError("name addresses or files of them, or choose by --reason, --since and --until")
    addresses = [address for each in whom for address in _addresses(container, each)] if whom else None
    lifted = container.subscriptions.unsuppress(
        addresses, at, reason=_REASONS[reason] if reason else None, since=since, until=until
    )
    reasons = Counter(lifted.values())
    text = ", ".join(f"{count} × {why}" for why, count in sorted(reasons.items()))
    document = {"unsuppressed": len(lifted), "reasons": reasons}
    answer(as_json, document, lambda: click.echo(f"mailed again: {text}" if lifted else "nobody of these was suppressed"))


def _addresses(container: Container, given: str) -> Iterator[Address]:
    file = Path(given)
    if "@" in given and not file.is_file():
        yield container.adapters.address(given)
        return
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(given[:80], f"should be an address, or a file of addresses ({error})") from None
    for number, line in enumerate(lines, start=1):
        if (text := line.strip()) and not text.startswith("#"):
            try:
                yield container.adapters.address(text)
            except InvalidAddress as error:
                raise InvalidInput(f"{given}, line {number}", f"should be one address: {error}") from None


@click.command()
@click.argument("email")
@at_option
@wired
def unsuppress_one(container: Container, as_json: bool, email: str, at: datetime) -> None:
    """The old name of `digest unsuppress`."""
    click.echo("digest: readmit is called unsuppress now", err=True)
    reason = next(iter(container.subscriptions.unsuppress([container.adapters.address(email)], at).values()), None)
    text = f"mailed again; it was suppressed: {reason}" if reason else "it was not suppressed"
    answer(as_json, {"was_suppressed": reason}, lambda: click.echo(text))
