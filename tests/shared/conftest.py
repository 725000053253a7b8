"""Tests that need ../shared: recorded answers, bounces and papers that cannot travel with the project, and judges of mail.

They carry the mark `shared`. Without the folder they are deselected: the same code runs on the fixtures of the project's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shared_data import SHARED

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.path.is_relative_to(HERE)]
    for item in marked:
        item.add_marker(pytest.mark.shared)
    if marked and not (SHARED / "data").is_dir():
        items[:] = [item for item in items if not item.path.is_relative_to(HERE)]
        config.hook.pytest_deselected(items=marked)
