"""docs/reference/glossary.md has each word once; code, commands and settings keep to the words of the field."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from digest.cli import COMMANDS, OLDER_NAMES, digest
from digest.config import Settings
from digest.store.schema import metadata

ROOT = Path(__file__).resolve().parents[1]

PRIVATE = {
    "allowance": "rate limit",
    "amendment": "edition operation",
    "anew": "again, or rerender",
    "courtesy": "priority",
    "disclose": "export",
    "enrol": "subscribe",
    "heed": "process",
    "housekeep": "prune, or retention",
    "hurry": "urgent",
    "kin": "similar",
    "kinship": "similar",
    "lack": "missing",
    "mailroom": "composer",
    "manners": "policy",
    "mend": "fix",
    "outlook": "pending",
    "owe": "queue",
    "owed": "queued",
    "postman": "sender",
    "press": "renderer",
    "pulse": "stats",
    "ration": "rate limit",
    "readmit": "unsuppress",
    "remark": "note",
    "said": "what it is: text, message, reason, reply",
    "shelf": "index",
    "stationery": "envelope builder",
    "tally": "count, or stats",
    "telling": "distinctive",
    "told": "what it is: descriptions, record, reported",
    "wish": "interest",
}
"""Words that only we used so, and what the field says."""
KEPT = {column.name for table in metadata.tables.values() for column in table.columns} | {"tally", "Tally"}
"""Columns have the names they were made with: nobody sees them, and a live queue is not moved for a word. A Tally is a count."""
FORMS = {form: word for word in PRIVATE for form in (word, f"{word}s", f"{word}es", f"{word}ed", f"{word}ing", f"{word}er")}


def private_words(name: str) -> list[str]:
    """Those in an identifier, a command, an option or a key, each as it stands in PRIVATE."""
    if name in KEPT:
        return []
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return [FORMS[part.lower()] for part in parts if part.lower() in FORMS]


def identifiers(file: Path) -> Iterator[tuple[str, str]]:
    """(place, name) of each name in a module, its own among them."""
    place = str(file.relative_to(ROOT))
    yield place, file.stem
    for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
        if token.type == tokenize.NAME:
            yield f"{place}:{token.start[0]}", token.string


def commands(group: click.Group, path: str = "digest") -> Iterator[tuple[str, str]]:
    """(command, its name or one of its options); older names that still work are not listed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield path, name
        for parameter in command.params:
            yield from ((f"{path} {name}", option) for option in parameter.opts)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        yield path or "settings", name
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from keys(inner, name)


def wrong(names: Iterator[tuple[str, str]]) -> list[str]:
    return [f"{place}: {name}: say {PRIVATE[word]}, not {word}" for place, name in names for word in private_words(name)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HeedPolicy", ["heed"]),
        ("send_owed", ["owed"]),
        ("_WISHES", ["wish"]),
        ("told", ["told"]),
        ("readmit", ["readmit"]),
        ("expression", []),
        ("mendeley", []),
        ("kind", []),
        ("--reason", []),
        ("owed_at", []),
    ],
)
def test_a_private_word_is_found_in_whatever_form(name: str, words: list[str]) -> None:
    assert private_words(name) == words


def test_code_says_what_the_field_says() -> None:
    files = [file for file in sorted((ROOT / "digest").rglob("*.py")) if file.parent.name != "versions"]
    found = [line for file in files for line in wrong(identifiers(file))]
    assert not found, f"{len(found)} names:\n" + "\n".join(found[:60])


def test_commands_and_options_say_what_the_field_says() -> None:
    names = list(commands(digest))
    assert len(names) > 2 * len(COMMANDS)
    assert wrong(iter(names)) == []


def test_settings_say_what_the_field_says() -> None:
    assert wrong(keys(Settings)) == []


def test_each_word_stands_once_in_the_glossary() -> None:
    rows = [line for line in (ROOT / "docs/reference/glossary.md").read_text("utf-8").splitlines() if line.startswith("| **")]
    words = Counter(word.casefold() for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row.split("|")[1]))
    assert len(words) > 40
    assert [word for word, count in words.items() if count > 1] == []
    assert not [word for word in words if private_words(word)]
    assert all(row.count("|") == 3 and row.split("|")[2].strip() for row in rows)


@pytest.mark.parametrize(("old", "new"), [("readmit", "unsuppress"), *OLDER_NAMES.items()])
def test_an_old_name_still_works_and_names_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["preview", old, "--help"] if old.startswith("--") else [old, "ada@example.org"]
    done = CliRunner().invoke(digest, [*words])
    assert f"{old} is called {new} now" in done.stderr
    assert "No such command" not in done.output
