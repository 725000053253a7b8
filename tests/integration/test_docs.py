"""The pages of docs/ say what the program does: every key, every command, and nothing that is not."""

from __future__ import annotations

import re
import runpy
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from digest.cli import COMMANDS
from digest.config import Settings
from digest.sources.registry import KINDS

ROOT = Path(__file__).resolve().parents[2]
OF_THE_READER = {"config/local.toml", "etc/digest/digest.toml", "var/demo/inbox/0001.html"}
"""What a page has its reader write."""
MADE = runpy.run_path(str(ROOT / "docs/make.py"))["PAGES"]


@pytest.mark.parametrize("page", sorted(MADE))
def test_the_page_is_what_the_program_says(page: str) -> None:
    assert (ROOT / "docs" / page).read_text("utf-8") == MADE[page](), "run: python docs/make.py"


def test_every_command_has_its_place() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"\n## `digest {name}" not in page] == []


def test_every_key_has_its_place() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        inner = next(iter(get_args(field.annotation)), field.annotation)  # of a tuple of tables, the table
        keys = getattr(inner, "model_fields", {name: None})
        assert [key for key in keys if f"| `{key}` |" not in page] == [], name


def test_every_option_of_every_kind_of_source_has_its_place() -> None:
    page = (ROOT / "docs/reference/sources.md").read_text("utf-8")
    for kind, build in KINDS.items():
        section = page.partition(f"\n## `{kind}`\n")[2].partition("\n## ")[0]
        options = [
            each.name for each in fields(get_type_hints(build)["return"]) if each.name not in ("name", "base_url", "api_key")
        ]
        assert re.findall(r"^\| `(\w+)` \| `[^`]+` \| \S", section, re.MULTILINE) == options, kind


def test_commands_that_the_pages_name_are_there() -> None:
    """`digest WORD` in any page is a command."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        named = set(re.findall(r"(?:\./run |`|^ {4}|^)digest ([a-z][a-z-]+)(?=[ `\n])", page.read_text("utf-8"), re.MULTILINE))
        assert named <= set(COMMANDS), page.name


def test_files_that_the_pages_name_are_there() -> None:
    """A path in any page is a file: from the root, from digest/ (as the code is spoken of) or from templates/."""
    named = re.compile(r"(?<![\w/.-])((?:[a-z_]+/)+[\w@-]+\.(?:py|toml|md|html|txt|css|service|conf))(?![\w/])")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        paths = set(named.findall(page.read_text("utf-8")))
        missing = {
            path
            for path in paths
            if not any((place / path).exists() for place in (ROOT, ROOT / "digest", ROOT / "templates", page.parent))
        }
        assert missing - OF_THE_READER == set(), page.name


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == [], page.name
