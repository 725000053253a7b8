"""What every test may use, and which tests `--quick` leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures", "tests.servers.databases"]

TESTS = Path(__file__).parent
QUICK_FOLDERS = {"unit", "contract", "journey"}
SERVERS = {"postgresql_server", "dovecot_server", "postfix_server", "browser"}
"""The fixtures that start a server or a browser."""

# A busy machine makes an example slow, not wrong.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="unit, contract on SQLite and journeys: no server, no browser")
    parser.addoption("--refresh-golden", action="store_true", help="write the golden files instead of comparing with them")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        left_out = [item for item in items if not _is_quick(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_quick(item: pytest.Item) -> bool:
    """By its folder and by what it is run with: a test that is run with each kind of database says which in its parameters."""
    if item.path.relative_to(TESTS).parts[0] not in QUICK_FOLDERS or item.get_closest_marker("slow"):
        return False
    parameters = getattr(item, "callspec", None)
    on_a_server = parameters is not None and "postgresql" in parameters.params.values()
    return not on_a_server and SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
