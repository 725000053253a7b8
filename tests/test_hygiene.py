"""What must hold of the repository itself: no addresses of one machine, pinned and hashed requirements, clean by every tool."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MACHINE_PATH = re.compile(r"(?<![\w./~$}*-])/(?:work|root|home|Users)/[\w.]")
REGISTRY = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|--(?:extra-)?index-url|--find-links", re.IGNORECASE)
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


@cache
def _tracked() -> dict[str, str]:
    """Every tracked text file and what it says."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone of the repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=120).stdout.decode()
    texts = {}
    for name in filter(None, listed.split("\0")):
        file = ROOT / name
        if file.is_file() and b"\0" not in (raw := file.read_bytes())[:4096] and Path(__file__).name != file.name:
            texts[name] = raw.decode("utf-8", errors="replace")
    return texts


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in _tracked().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine() -> None:
    assert _lines_with(MACHINE_PATH) == []


def test_no_registry_address() -> None:
    found = _lines_with(REGISTRY)
    assert [line for line in found if not line.startswith("run:")] == []
    assert all("--no-emit-index-url" in line for line in found)


@pytest.mark.parametrize(
    ("line", "caught"),
    [("see /work" + "/main/x", True), ("~/work/x", False), ("https://example.org/work/x", False), ('"/root' + '/.cache"', True)],
)
def test_the_pattern_knows_a_machine_path(line: str, caught: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) is caught


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    entries = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text()).splitlines()
    entries = [entry for entry in entries if entry.strip() and not entry.lstrip().startswith("#")]
    assert len(entries) > 30
    loose = [
        entry[:60] for entry in entries if not re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    ]
    assert loose == []


def test_the_tests_run_what_readers_run() -> None:
    """requirements-dev.txt pins what requirements.txt pins, at the same version."""
    runtime, dev = (set(re.findall(r"^([a-z0-9.-]+==[^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)) for name in REQUIREMENTS)
    assert runtime - dev == set()


def _clean(program: str, *arguments: str) -> None:
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_shell_scripts_are_clean(script: str) -> None:
    _clean("shellcheck", script)
    assert (ROOT / script).stat().st_mode & 0o111 == 0o111


def test_run_is_plain_posix_shell() -> None:
    assert (ROOT / "run").read_text().startswith("#!/bin/sh\n")
    _clean("shellcheck", "--shell=sh", "--severity=style", "run")


def test_ruff_finds_nothing() -> None:
    _clean("ruff", "check", ".")


def test_ruff_would_format_nothing() -> None:
    _clean("ruff", "format", "--check", ".")


def test_mypy_finds_nothing() -> None:
    _clean("mypy")
