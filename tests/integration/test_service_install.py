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


def test_the_user_is_made_in_any_root(tmp_path: Path) -> None:
    """As images are built: no machine is changed."""
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed")
    (tmp_path / "etc/sysusers.d").mkdir(parents=True)
    [line] = [line for line in block("sh service").splitlines() if "sysusers.d" in line]
    source, target = line.split()[-2:]
    shutil.copy(ROOT / source, tmp_path / target.removeprefix("/"))
    made = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert made.returncode == 0, made.stderr
    [user] = [row.split(":") for row in (tmp_path / "etc/passwd").read_text().splitlines() if row.startswith("digest:")]
    assert (user[5], user[6]) == ("/var/lib/digest", "/usr/sbin/nologin")
    assert "digest:" in (tmp_path / "etc/group").read_text()


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """With the program where the page puts it; what is not of our units (a user that is missing here) is not looked at."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("digest.service", "digest-worker@.service"):
        text = (ROOT / "packaging/systemd" / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/usr/bin/digest", shutil.which("true") or "/bin/true"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "digest.service"), str(tmp_path / "digest-worker@1.service")],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert [line for line in verified.stderr.splitlines() if "digest" in line] == []


def test_every_block_of_the_page_is_run() -> None:
    """By the kind that its fence names: one that is added and not run is noticed."""
    run_by_tests = {
        "sh postfix",
        "toml",
        "sh",
        "sh service",
        "sh along",
        "sh postgresql",
        "sh incident",
        "sh backup",
        "sh restore",
    }
    kinds = re.findall(r"^```(.+)$", PAGE, re.MULTILINE)
    assert sorted(kinds) == sorted(run_by_tests)
    tests = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [kind for kind in run_by_tests if f'block("{kind}")' not in tests] == []
