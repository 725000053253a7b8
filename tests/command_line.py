"""`digest COMMAND` as an operator types it, without the half second that a new interpreter needs to load its libraries."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from digest.cli import main
from tests.servers import preloaded
from tests.servers.running import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
OF_THEIR_OWN = {"deliver", "run", "worker"}
"""Commands that fork, or that SIGTERM ends: each is a process."""


def clean_environment() -> dict[str, str]:
    """Ours, without settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    return ours | {"PYTHONPATH": str(ROOT), "DIGEST_RANKING__SENTENCE_ENCODER": "false"}


def command(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs `digest` with these arguments in `folder`."""
    if arguments[0] in OF_THEIR_OWN:
        return preloaded.run(arguments, cwd=folder, env=environment, timeout=PATIENCE)
    code: int | str | None = 0
    unset = dict.fromkeys(os.environ.keys() - environment.keys())
    with chdir(folder), CliRunner().isolation(env={**environment, **unset}) as (out, err, _):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int), code
    return subprocess.CompletedProcess(arguments, code, out.getvalue().decode(), err.getvalue().decode())
