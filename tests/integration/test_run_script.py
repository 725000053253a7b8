"""`./run` where it can do nothing: one line at once, not a wait."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.running import PATIENCE, own_folder

RUN = Path(__file__).parents[2] / "run"
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere, and setpriv is not there")
def test_a_clone_that_cannot_be_written_says_so_at_once() -> None:
    """It was taken for the lock of another install, and waited for a quarter of an hour."""
    with own_folder("run") as clone:
        shutil.copy(RUN, clone)
        for name in ("pyproject.toml", "hatch_build.py", "requirements.txt", "requirements-dev.txt"):
            (clone / name).touch()
        clone.chmod(0o555)
        command = [*(AS_NOBODY if os.geteuid() == 0 else []), clone / "run", "demo"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        clone.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"run: cannot write in {clone}, where .venv has to be: run it as the folder's owner, or in a clone of your own\n"
    )
