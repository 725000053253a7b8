"""Answers → the settings file: a new one with a comment for each key, or the one that is there with its own keys changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from digest.domain.errors import InvalidInput
from digest.mail.smtp.relay_profiles import profile_of
from digest.services.setup.answers import Answers
from digest.services.setup.source_tables import source_table

_HEAD = """\
# Written by `digest init`, which changes its own keys when it is run again and leaves all others as they are.
# docs/reference/configuration.md describes every key.

"""
_COMMENTS = {
    "default_timezone": "whose clock says when an email is due, for readers who chose no other",
    "default_send_time": "when it is due",
    "enabled": "false: no pages; readers unsubscribe by email",
    "base_url": "where readers reach the pages; it is in every email",
    "from_name": "who the emails are from",
    "postal_address": "shown at the foot of each email; the law of many countries asks for it",
    "envelope_sender": "bounces come back to from_address; docs/how-to/relays.md says when something else is better",
    "inbound_address": 'who reads "unsubscribe" emails',
    "to": "who is told by email when something is wrong",
    "host": "the SMTP server that takes our mail",
    "password_file": "a file of its own, for you alone",
    "timezone": "whose days the editions are for",
    "categories": "only papers of these arXiv categories",
}


def settings_text(answers: Answers, password_file: Path | None, before: str = "") -> str:
    """The file. `before`: the one that is there; what `digest init` did not ask for stays. Raises InvalidInput."""
    try:
        document = tomlkit.parse(before or _HEAD)
    except TOMLKitError as error:
        raise InvalidInput("the settings file", f"is not TOML: {error}") from None
    _put(document, {"default_timezone": answers.timezone, "default_send_time": f"{answers.send_time:%H:%M}"})
    pages = {"base_url": answers.base_url} if answers.base_url else {}
    _put(_table(document, "web"), {"enabled": bool(answers.base_url), **pages})
    mail = {"from_name": answers.from_name, "from_address": answers.sender, "postal_address": answers.postal_address}
    mail["inbound_address"] = answers.email
    if "envelope_sender" not in _table(document, "mail"):  # no relay refuses it, and somebody reads what comes back
        mail |= {"envelope_sender": "plain"}
    _put(_table(document, "mail"), mail)
    _put(_table(document, "alerts"), {"to": answers.email})
    _put_relay(_first(document, "relays"), answers, password_file)
    _put_list(document, answers)
    _put_sources(document, [source_table(word, answers.categories) for word in answers.sources])
    return tomlkit.dumps(document)


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any], place: str = "") -> list[str]:
    """The keys in which two settings files differ."""
    found = []
    for key in dict.fromkeys([*before, *after]):
        old, new, name = before.get(key), after.get(key), f"{place}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += changed_keys(old, new, f"{name}.")
        elif old != new:
            found.append(name)
    return found


def _put_relay(relay: Table, answers: Answers, password_file: Path | None) -> None:
    profile = profile_of(answers.smtp_host, answers.smtp_username)
    _put(relay, {"host": answers.smtp_host})
    if profile and answers.smtp_port is None and answers.smtp_tls is None:
        relay["host"].comment(f"{profile.name}: port, TLS and limits are known; `digest doctor` shows them")
    chosen = {"port": answers.smtp_port, "tls": answers.smtp_tls}
    chosen |= {"port": 587, "tls": "starttls"} if not profile and answers.smtp_port is None and answers.smtp_tls is None else {}
    for key, value in (chosen | {"username": answers.smtp_username or None}).items():
        if value is None:
            relay.pop(key, None)
        else:
            _put(relay, {key: value})
    if password_file is not None:
        relay.pop("password", None)
        _put(relay, {"password_file": str(password_file)})


def _put_list(document: tomlkit.TOMLDocument, answers: Answers) -> None:
    first = _first(document, "lists")
    if "name" not in first:
        _put(first, {"name": "daily", "title": "Trending papers"})
    _put(first, {"timezone": answers.timezone})
    if answers.categories or "categories" in first:
        _put(first, {"categories": list(answers.categories)})


def _put_sources(document: tomlkit.TOMLDocument, wanted: Sequence[dict[str, Any]]) -> None:
    """The sources wanted; one that is there keeps what else is set in its table."""
    there = {str(table.get("name")): table for table in document.get("sources", [])}
    tables = tomlkit.aot()
    for each in wanted:
        table = there.get(each["name"], tomlkit.table())
        for key, value in each.items():
            _put(table, {key: {**table.get(key, {}), **value} if isinstance(value, dict) else value})
        tables.append(table)
    if not isinstance(document.get("sources"), AoT) or [each.unwrap() for each in tables] != document["sources"].unwrap():
        document.pop("sources", None)
        document.append("sources", tables)


def _table(document: tomlkit.TOMLDocument, name: str) -> Table:
    if name not in document:
        document.append(name, tomlkit.table())
    table = document[name]
    assert isinstance(table, Table)
    return table


def _first(document: tomlkit.TOMLDocument, name: str) -> Table:
    """The first table of an array of them."""
    if not document.get(name):
        tables = tomlkit.aot()
        tables.append(tomlkit.table())
        document.append(name, tables)
    table: Table = document[name][0]  # of an array of tables, or of inline ones
    return table


def _put(table: Any, values: Mapping[str, Any]) -> None:
    """Sets keys; one that is there keeps its place and its comment, a new one gets ours."""
    for key, value in values.items():
        if key in table:
            old = table[key]
            if old != value:
                item = tomlkit.item(value)
                item.trivia.comment_ws, item.trivia.comment = old.trivia.comment_ws, old.trivia.comment
                table[key] = item
            continue
        item = tomlkit.item(value)
        if isinstance(value, dict):
            item = tomlkit.inline_table()
            item.update(value)
        if comment := _COMMENTS.get(key):
            item.comment(comment)
        table.add(key, item)
