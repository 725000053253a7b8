"""`digest doctor`: is everything there that a morning's mail needs, and how to mend what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, wired
from digest.domain.errors import DigestError

if TYPE_CHECKING:
    from digest.mail.relay import Relay
    from digest.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Checked:
    """One check. `mend` says what to do where it is not well."""

    name: str
    well: bool
    said: str
    mend: str = ""


@click.command()
@wired
def doctor(wiring: Wiring, as_json: bool) -> None:
    """Check configuration, database, relays, clock and sources; says how to mend each."""
    checks = list(_checks(wiring))

    def lines() -> None:
        for each in checks:
            click.echo(f"{'ok  ' if each.well else 'FAIL'} {each.name}: {each.said}")
            if each.mend and not each.well:
                click.echo(f"     {each.mend}")

    answer(as_json, [asdict(each) for each in checks], lines)
    if not all(each.well for each in checks):
        raise SystemExit(1)


def _checks(wiring: Wiring) -> Iterator[Checked]:
    settings = wiring.settings
    yield _tried("database", lambda: _database(wiring), "start it, or mend database.url; then `digest migrate`")
    yield _tried("templates", lambda: _templates(wiring), "mend the template named, or remove it from templates.folder")
    local = settings.web.base_url.startswith("http://")
    yield Checked(
        "web.base_url",
        not local,
        settings.web.base_url,
        "set it to the https address readers can reach: mailbox providers honour one-click only over https",
    )
    postal = bool(settings.mail.postal_address)
    yield Checked("mail.postal_address", postal, settings.mail.postal_address or "none", "set it: many countries ask for it")
    if not settings.relays:
        yield Checked("relays", False, "none", "add a [[relays]] table with the host of your SMTP server")
    for relay in wiring.relays(lambda: datetime.now(UTC)):
        yield _tried(
            f"relay {relay.name}",
            partial(_connected, relay),
            "check host, port, tls, username and password of its [[relays]] table",
        )
    for source in settings.sources:
        with wiring.store.read() as unit:
            fresh = unit.sources.load(source.name, "freshness") or {}
        yield Checked(f"source {source.name}", True, f"last news: {fresh.get('fresh_at') or 'never collected'}")


def _tried(name: str, check: Callable[[], str], mend: str) -> Checked:
    try:
        return Checked(name, True, check())
    except DigestError as error:
        return Checked(name, False, str(error), mend)


def _connected(relay: Relay) -> str:
    relay.connect().close()
    return "greets us, and takes our login where there is one"


def _database(wiring: Wiring) -> str:
    with wiring.store.read() as unit:
        return f"{wiring.store.engine.dialect.name}, {unit.papers.count()} papers"


def _templates(wiring: Wiring) -> str:
    for kind in ("edition", "empty", "confirm", "welcome", "goodbye", "alert"):
        for part in ("subject.txt", "body.txt", "body.html"):
            wiring.templates.check(f"mail/{kind}/{part}")
    return "every mail's templates can be read"
