"""docs/explanation/where-things-are.md says what two greps find: they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/explanation/where-things-are.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ") and "`" in line]
CODE = {path.relative_to(ROOT / "digest").as_posix(): path.read_text("utf-8") for path in (ROOT / "digest").rglob("*.py")}


def found_by(word: str) -> str:
    """The lines that `grep -rn WORD digest` prints."""
    return "\n".join(f"{name}:{line}" for name, text in CODE.items() for line in text.splitlines() if word in line)


@pytest.mark.parametrize(("what", "first", "second", "answer"), ROWS, ids=[row[0] for row in ROWS])
def test_two_greps_find_it(what: str, first: str, second: str, answer: str) -> None:
    file, name = re.fullmatch(r"`(.+)`: `(.+)`", answer).groups()  # type: ignore[union-attr]
    assert re.search(rf"^\s*(?:def|class) {name}\b", CODE[file], re.M)
    lines = found_by((second or first).strip("`"))
    assert file in lines or file.removesuffix(".py").replace("/", ".") in lines


@pytest.mark.parametrize("file", re.findall(r"`([a-z_/]+\.py)`", PAGE.split("## What to open")[1]))
def test_the_files_are_there(file: str) -> None:
    assert file in CODE
