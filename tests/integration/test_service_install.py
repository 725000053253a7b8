"""docs/how-to/operations.md, "For good": its commands typed by root on a machine whose folders are laid over by empty ones.

Only what a test has not is put in: libraries that are installed already instead of an index, and a systemctl that takes note.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.integration.test_operations_page import PAGE, ROOT, block
from tests.servers.running import PATIENCE

MACHINE = """
set -e
mount --make-rprivate /
mount -t tmpfs none {upper}
for place in /etc /opt /usr/bin /var/lib; do
    mkdir -p {upper}$place/upper {upper}$place/work
    mount -t overlay overlay -o lowerdir=$place,upperdir={upper}$place/upper,workdir={upper}$place/work $place
done
mount --bind {libraries} /srv
cd {clone}
python3 -S -m digest migrate
{service}
{along}
set -x
systemd-analyze verify --man=no /etc/systemd/system/digest.service /etc/systemd/system/digest-worker@1.service
{before}
{typed}
stat -c '%U %a %n' /var/lib/digest /var/lib/digest/* /etc/digest/digest.toml
"""


def needed() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for program in ("unshare", "systemd-sysusers", "systemd-analyze", "runuser"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    script = "mount --make-rprivate / && mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && " \
        "mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"  # fmt: skip
    if subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False).returncode:
        pytest.skip("no folder can be laid over another here")
    pytest.importorskip("hatchling", reason="hatchling is not installed")


def test_the_service_is_installed_as_the_page_says(tmp_path: Path) -> None:
    needed()
    clone, upper, tools = tmp_path / "clone", tmp_path / "upper", tmp_path / "tools"
    for name in ("digest", "templates", "config", "seeds", "packaging"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", "_data"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, clone)
    upper.mkdir()
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "systemctl $*" >> {tools}/asked\n')
    (tools / "python3").write_text(f'#!/bin/sh\nexec {shlex.quote(os.path.realpath(sys.executable))} "$@"\n')
    for made in tools.iterdir():
        made.chmod(0o755)
    unit = (ROOT / "packaging/systemd/digest.service").read_text("utf-8")
    [before] = re.findall(r"^ExecStartPre=(.+)$", unit, re.MULTILINE)
    [typed] = re.findall(r"^    (runuser .+)$", PAGE, re.MULTILINE)
    as_service = typed.removesuffix("digest status")
    script = MACHINE.format(
        upper=upper,
        libraries=sysconfig.get_path("purelib"),
        clone=clone,
        service=block("sh service"),
        along=block("sh along"),
        before=as_service + before,
        typed=typed,
    )
    # an index is not asked, and what builds is the library that is there (pip reads this one the wrong way round)
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1", "PIP_QUIET": "1"}
    environment = {
        "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": "/srv", "PYTHONDONTWRITEBYTECODE": "1", **pip,
    }  # fmt: skip
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tools / "asked").read_text().split("\n")[0] == "systemctl daemon-reload"
    assert "as before" in done.stdout, "the database that went along is the one that is found"
    modes = dict(reversed(line.rsplit(" ", 1)) for line in done.stdout.splitlines() if line.count(" ") == 2 and "/" in line)
    assert modes["/var/lib/digest"] == "digest 700"
    assert {modes[f"/var/lib/digest/{name}"] for name in ("digest.sqlite3", "digest.key")} == {"digest 600"}
    assert modes["/etc/digest/digest.toml"] == "root 640"
