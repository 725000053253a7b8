"""The layers of docs/explanation/architecture.md: imports point one way, clocks are read at the edge, files stay readable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 320

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"domain"}),
    frozenset({"ranking"}),
    frozenset({"translation"}),
    frozenset(
        {
            "sources",
            "store",
            "render",
            "mail",
            "links",
            "encryption",
            "sentence_encoder",
            "config",
            "child_process",
            "stop_signals",
        }
    ),
    frozenset({"services"}),
    frozenset({"adapters", "container"}),
    frozenset({"web", "daemon", "worker", "cli"}),
)
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
MAY_ALSO = {
    ("container", "adapters"),
    ("daemon", "web"),
    ("cli", "web"),
    ("cli", "daemon"),
    ("cli", "worker"),
    ("__main__", "cli"),
}
"""Within a layer: the container holds the adapters, the daemon and the demo serve pages, a command starts a daemon or worker."""

CLOCKS = {"now", "utcnow", "today", "time", "time_ns"}
CLOCK_OWNERS = {"datetime", "date", "time"}
MAY_READ_CLOCK = LAYERS[-1] | LAYERS[-2] | {"__main__"}


def _rooms(package: Path) -> Iterator[tuple[str, Path, ast.Module]]:
    for file in sorted(package.rglob("*.py")):
        within = file.relative_to(package)
        room = within.parts[0] if len(within.parts) > 1 else within.stem
        yield room, file, ast.parse(file.read_text(encoding="utf-8"), str(file))


def _imports(package: Path, file: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, room) of everything imported from our package, whichever way it is spelled and wherever it stands."""
    here = (package.name, *file.relative_to(package).parent.parts)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == package.name and len(parts) > 1:
                yield node.lineno, parts[1]


def wrong_imports(package: Path) -> list[str]:
    """One line for each import that points the wrong way, and for each file in no layer."""
    wrong = []
    for room, file, tree in _rooms(package):
        where = file.relative_to(package)
        if room not in LAYER_OF and room not in ("__init__", "__main__"):
            wrong.append(f"{where}: {room} is in no layer of docs/explanation/architecture.md")
            continue
        for line, other in _imports(package, file, tree):
            if other == room or other.startswith("__") or (room, other) in MAY_ALSO:
                continue
            if LAYER_OF.get(other, -1) >= LAYER_OF.get(room, 0):
                wrong.append(f"{where}:{line}: {room} may not import {other}")
    return wrong


def clock_readings(package: Path) -> list[str]:
    """One line for each reading of the wall clock below the outermost layer. A monotonic clock, for timeouts, is none."""
    found = []
    for room, file, tree in _rooms(package):
        if room in MAY_READ_CLOCK:
            continue
        for node in ast.walk(tree):
            match node:
                case (
                    ast.Attribute(value=ast.Name(id=owner), attr=attr) | ast.Attribute(value=ast.Attribute(attr=owner), attr=attr)
                ) if owner in CLOCK_OWNERS and attr in CLOCKS and (owner, attr) != ("datetime", "time"):
                    found.append(
                        f"{file.relative_to(package)}:{node.lineno}: reads {owner}.{attr}; let the instant enter as an argument"
                    )
                case ast.ImportFrom(module="time", names=names) if CLOCKS & {alias.name for alias in names}:
                    found.append(
                        f"{file.relative_to(package)}:{node.lineno}: imports a clock; let the instant enter as an argument"
                    )
    return found


def units_of_work(package: Path) -> list[str]:
    """One line for each unit of work opened outside services/ (and the store that makes them): `with ….begin() as unit`."""
    return [
        f"{file.relative_to(package)}:{item.context_expr.lineno}: only services/ open a unit of work"
        for room, file, tree in _rooms(package)
        if room not in ("services", "store")
        for node in ast.walk(tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        for item in node.items
        if any(_opens(node) for node in ast.walk(item.context_expr))
    ]


def _opens(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and not node.args and getattr(node.func, "attr", "") in ("begin", "read")


def cycles(package: Path) -> list[str]:
    """One line for each module that imports itself by way of others, as a program that starts would. Types alone do not count."""
    needs: dict[str, set[str]] = {}
    for _, file, tree in _rooms(package):
        name = ".".join((package.name, *file.relative_to(package).with_suffix("").parts)).removesuffix(".__init__")
        needs[name] = {found for node in tree.body for found in _named(package, file, node)}
    needs = {name: {each for each in found if each in needs} - {name} for name, found in needs.items()}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [" → ".join(error.args[1])]
    return []


def _named(package: Path, file: Path, node: ast.stmt) -> Iterator[str]:
    """The modules that a statement at a module's own level imports."""
    here = (package.name, *file.relative_to(package).parent.parts)
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, (base, node.module)))
        yield from (module, *(f"{module}.{alias.name}" for alias in node.names))


def long_files(package: Path) -> list[str]:
    lengths = {file.relative_to(package): len(file.read_text(encoding="utf-8").splitlines()) for _, file, _ in _rooms(package)}
    return [f"{file}: {lines} lines, at most {LONGEST}" for file, lines in lengths.items() if lines > LONGEST]


def test_imports_point_one_way() -> None:
    assert wrong_imports(ROOT / "digest") == []


def test_the_clock_is_read_at_the_edge_only() -> None:
    assert clock_readings(ROOT / "digest") == []


def test_units_of_work_are_opened_by_services_only() -> None:
    assert units_of_work(ROOT / "digest") == []


def test_no_module_needs_itself() -> None:
    assert cycles(ROOT / "digest") == []


def test_no_file_is_too_long_to_read() -> None:
    assert long_files(ROOT / "digest") == []


def test_no_room_for_what_has_no_name() -> None:
    shapeless = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert [str(file) for _, file, _ in _rooms(ROOT / "digest") if file.stem in shapeless or file.parent.name in shapeless] == []


def test_every_room_says_what_it_is() -> None:
    silent = [file for _, file, tree in _rooms(ROOT / "digest") if not ast.get_docstring(tree) and "migrations" not in file.parts]
    assert silent == []


PLANTED = [
    ("domain/paper.py", "import digest.store.engine", "domain may not import store"),
    ("store/papers/papers.py", "from digest.mail import relay", "store may not import mail"),
    ("store/papers/papers.py", "from digest import mail", "store may not import mail"),
    ("sources/arxiv.py", "from ..services.editions import build_edition", "sources may not import services"),
    ("mail/smtp/relay.py", "def f():\n    from digest import container", "mail may not import container"),
    ("services/editions/build_edition.py", "from digest.container import Container", "services may not import container"),
    ("web/pages.py", "from digest.cli import main", "web may not import cli"),
    ("links.py", "from digest.config import Settings", "links may not import config"),
    ("attic/junk.py", "", "in no layer"),
]


@pytest.mark.parametrize(("file", "source", "complaint"), PLANTED)
def test_a_planted_import_is_found(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    _plant(tmp_path / "digest", "store/fine.py", "from digest.domain import paper\nfrom digest.store import engine\nimport json")
    assert wrong_imports(tmp_path / "digest") == []
    _plant(tmp_path / "digest", file, source)
    (found,) = wrong_imports(tmp_path / "digest")
    assert complaint in found


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "import time\nx = time.time()",
        "from time import time",
        "from datetime import date\nx = date.today()",
        "from datetime import datetime\nclock = datetime.now",
    ],
)
def test_a_planted_clock_is_found(tmp_path: Path, source: str) -> None:
    _plant(tmp_path / "digest", "daemon.py", source)
    _plant(
        tmp_path / "digest",
        "mail/smtp/relay.py",
        "import time, datetime\ndeadline = time.monotonic() + 5\nhour = datetime.time(7)",
    )
    assert clock_readings(tmp_path / "digest") == []
    _plant(tmp_path / "digest", "services/editions/build_edition.py", source)
    assert len(clock_readings(tmp_path / "digest")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "with site.container.adapters.store.begin() as unit:\n    pass",
        "def f():\n    with (x as y, store.read() as unit):\n        pass",
        "with ExitStack() as stack, nullcontext(store.begin()) as unit:\n    pass",
    ],
)
def test_a_planted_unit_of_work_is_found(tmp_path: Path, source: str) -> None:
    for room in ("services/pause.py", "store/engine.py"):
        _plant(tmp_path / "digest", room, source)
    _plant(tmp_path / "digest", "web/forms.py", "with open('x') as file:\n    file.read()")
    assert units_of_work(tmp_path / "digest") == []
    _plant(tmp_path / "digest", "web/admin.py", source)
    assert len(units_of_work(tmp_path / "digest")) == 1


def test_a_planted_cycle_is_found(tmp_path: Path) -> None:
    _plant(tmp_path / "digest", "store/one.py", "from digest.store import two")
    _plant(
        tmp_path / "digest", "store/two.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import digest.store.one"
    )
    assert cycles(tmp_path / "digest") == []
    _plant(tmp_path / "digest", "store/two.py", "from .three import x")
    _plant(tmp_path / "digest", "store/three.py", "import digest.store.one")
    [found] = cycles(tmp_path / "digest")
    assert found.count("→") == 3


def test_a_planted_long_file_is_found(tmp_path: Path) -> None:
    _plant(tmp_path / "digest", "domain/long.py", "x = 1\n" * (LONGEST + 1))
    assert len(long_files(tmp_path / "digest")) == 1


def _plant(package: Path, file: str, source: str) -> None:
    (package / file).parent.mkdir(parents=True, exist_ok=True)
    (package / file).write_text(source)
