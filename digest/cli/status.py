"""`digest explain` and `status`: what happened, and what is going on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from digest.cli.options import answer, at_option, wired

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.argument("email")
@at_option
@wired
def explain(container: Container, as_json: bool, email: str, at: datetime) -> None:
    """Why an address was mailed, or not; and what the newest edition weighs for its interests, part by part."""
    from digest.cli.logs import letters_of

    address = container.adapters.address(email)
    document = container.monitoring.explain(address, at)
    mine = {each.list: each for each in container.subscriptions.of(address)}
    lists = {each.name: each for each in container.adapters.lists}
    for record in document["subscriptions"]:
        subscription, paper_list = mine[record["list"]], lists.get(record["list"])
        edition = container.editions.newest(paper_list, at) if paper_list else None
        record["weighed"] = [
            {"title": ranked.paper.title, "because": "; ".join(reason.text for reason in ranked.reasons), **parts}
            for ranked, parts in (
                container.editions.weighed(edition, subscription.interests, subscription.preferences.picks) if edition else ()
            )
        ]
    document["logged_as"] = letters_of(document["address"], container.adapters.hash_address)
    answer(as_json, document, lambda: _print(document))


@click.command()
@at_option
@wired
def status(container: Container, as_json: bool, at: datetime) -> None:
    """Editions, outbox by state, age of the oldest due delivery, and how fresh the sources are."""
    document = container.monitoring.status(at)

    def lines() -> None:
        _print(document)
        if not (document["scheduler"] or {}).get("runs"):
            click.echo("No daemon runs here: editions are made by digest once, or by digest run while it runs.")

    answer(as_json, document, lines)


_ASKED_FOR = frozenset({"edition", "fresh_at", "asked_at", "accepted_at"})
"""Said also where there is none: that is the answer."""


def _print(value: Any, name: str = "", depth: int = 0) -> None:
    """A nested document as indented lines."""
    indent = "  " * depth
    if isinstance(value, dict) and (value or not name):
        if name:
            click.echo(f"{indent}{name}:")
        for key, inner in value.items():
            _print(inner, key, depth + bool(name))
    elif isinstance(value, list):
        click.echo(f"{indent}{name}: {'none' if not value else ''}".rstrip())
        for inner in value:
            if isinstance(inner, dict):
                plain = {k: v for k, v in inner.items() if not isinstance(v, dict | list)}
                click.echo(
                    f"{indent}  - "
                    + ", ".join(_setting_text(k, v) for k, v in plain.items() if k in _ASKED_FOR or v not in (None, "", False))
                )
                for key, nested in inner.items():
                    if key not in plain and nested:
                        _print(nested, key, depth + 2)
            else:
                click.echo(f"{indent}  - {inner}")
    else:
        click.echo(f"{indent}{name}: {_shown(value)}")


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == {} else value


def _setting_text(key: str, value: object) -> str:
    return key if value is True else f"{key} {'none' if value is None else value}"
