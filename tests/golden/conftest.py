"""Golden files change only when asked: pytest tests/golden --refresh-golden, then read the diff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "mails"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares `text` with the golden file of that name; a missing file is a failure, not a new truth."""
    refresh = request.config.getoption("--refresh-golden")

    def compare(name: str, text: str) -> None:
        file = FILES / name
        if refresh:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"{file.name} is not there: make it with --refresh-golden and read it"
        assert text == file.read_text(encoding="utf-8"), f"{name} changed; if that is meant: --refresh-golden, and read the diff"

    return compare
