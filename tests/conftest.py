"""What every test may use, where they write, in which order they run, and which `--quick` leaves out."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from itertools import groupby
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.servers import preloaded

os.environ.setdefault("DIGEST_LOOK_UPS__ARXIV_URL", "")  # no test asks the world; those that ask a local arXiv say where it is
os.environ.setdefault("DIGEST_RANKING__SENTENCE_ENCODER", "false")  # a second to load: for the tests of it

# Where no command has set logging up, a traceback that structlog colours takes the time of ten requests.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

pytest_plugins = ["tests.servers.fixtures", "tests.servers.databases"]

TESTS = Path(__file__).parent
QUICK_FOLDERS = {"unit", "contract", "journey"}
SERVERS = {"postgresql_server", "dovecot_server", "postfix_server", "browser"}
"""The fixtures that start a server or a browser."""

IN_MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Octets that must be free there: the databases of a run, and what its failures leave."""


def _roomy(folder: Path) -> bool:
    """Whether tests can write there, and run what they wrote."""
    writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return writable and shutil.disk_usage(folder).free > ROOM


CLONE = TESTS.parent


def _kept() -> set[str]:
    """What digest keeps in the folder it is started in, unless told where, and is there now."""
    return {name for name in ("digest.sqlite3", "digest.key", "journal") if (CLONE / name).exists()}


_KNOWN = _kept()


# A test's database is made and dropped in a fifth of the time where no disk is waited for.
if "TMPDIR" not in os.environ and _roomy(IN_MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)

# A busy machine makes an example slow, not wrong. Where time allows: ./run test --hypothesis-profile=thorough
settings.register_profile("tests", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("tests"), max_examples=400)
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="unit, contract on SQLite and journeys: no server, no browser")
    parser.addoption("--refresh-golden", action="store_true", help="write the golden files instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored, and what we start would, too
    if config.getoption("numprocesses", None) and not config.getoption("--quick"):
        os.environ[preloaded.SHARED] = preloaded.serve()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What needs servers waits half of its time: twice as many workers as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if config.getoption("--quick") else 2 * cores


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`--quick` does not read what it would leave out as a whole, unless that is named."""
    left_out = config.getoption("--quick") and collection_path.parent == TESTS and collection_path.is_dir()
    return True if left_out and collection_path.name not in QUICK_FOLDERS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        left_out = [item for item in items if not _is_quick(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = _dealt(items, workers)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Who starts digest in this folder after its tests must not find their database, key or journal."""
    left = _kept() - _KNOWN
    _KNOWN.update(left)
    assert not left, f"{', '.join(left)} in {CLONE}: this test wrote it, or one that ran beside it"


def pytest_collection_finish() -> None:
    """What was collected stays to the end: an eighth of the run was the garbage collector's, walking through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """In as many equal shares as there are workers: each begins with slow modules, taken in turn, and ends with quick ones.

    A worker that is done takes half of what another has left, from its end (--dist worksteal): so only quick tests change hands,
    and no slow one begins when the others are done.
    """
    modules = [list(group) for _, group in groupby(items, lambda item: item.path)]
    slow = [module for module in modules if _folder(module[0]) not in QUICK_FOLDERS]
    rest = [item for module in modules if _folder(module[0]) in QUICK_FOLDERS for item in module]
    shares = [[item for module in slow[worker::workers] for item in module] for worker in range(workers)]
    for worker, share in enumerate(shares):
        size = len(items) * (worker + 1) // workers - len(items) * worker // workers
        lacking = max(0, size - len(share))
        share += rest[:lacking]
        del rest[:lacking]
    return [item for share in shares for item in share] + rest


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def _is_quick(item: pytest.Item) -> bool:
    """By its folder and by what it is run with: a test that is run with each kind of database says which in its parameters."""
    if _folder(item) not in QUICK_FOLDERS or item.get_closest_marker("slow"):
        return False
    parameters = getattr(item, "callspec", None)
    on_a_server = parameters is not None and "postgresql" in parameters.params.values()
    return not on_a_server and SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
