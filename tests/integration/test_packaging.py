"""What is shipped: a wheel that needs nothing of the repository, hardened units, a container that may write to one place."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from digest.config import read
from tests.servers.running import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "packaging/systemd").glob("*.service"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built offline, as pip builds it, from a copy that has only what is needed."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("digest", "templates", "config", "seeds"):
        shutil.copytree(ROOT / name, folder / "src" / name, ignore=shutil.ignore_patterns("__pycache__", "_data"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, folder / "src")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-q", "-w", folder]
    done = subprocess.run([*command, folder / "src"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def place(wheel: Path) -> Path:
    """Where it is installed, alone."""
    site = wheel.parent / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "-q", "--target", site, wheel]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return site


def test_the_wheel_holds_all_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "config", "seeds"):
        shipped = {
            file.relative_to(ROOT) for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in str(file)
        }
        assert {f"digest/_data/{file}" for file in shipped} <= names
    migrations = {
        f"digest/store/migrations/versions/{file.name}" for file in (ROOT / "digest/store/migrations/versions").glob("*.py")
    }
    assert migrations <= names
    assert "digest/py.typed" in names
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")], "the wheel has no licence"
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


def test_installed_alone_it_makes_a_mail(place: Path, tmp_path: Path) -> None:
    """In a new environment, with the libraries of this one and nothing of the repository."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGEST_", "PYTHON"))}
    environment = clean | {"PYTHONPATH": os.pathsep.join([str(place), sysconfig.get_path("purelib")])}

    def digest(*arguments: str) -> str:
        # -S: no .pth file of this environment may lead back to the repository
        done = subprocess.run(
            [sys.executable, "-S", "-m", "digest", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-S", "-c", "import digest; print(digest.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(place)
    seeds = sorted(str(file) for file in (place / "digest/_data/seeds").iterdir() if file.is_file())
    assert json.loads(digest("import", *seeds, "--json"))["papers_new"] > 0
    previewed = json.loads(digest("preview", "--out", "out", "--json"))
    assert previewed["bytes"] > 5000
    assert json.loads(digest("lint", "out/message.eml", "--json"))["errors"] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_units_are_hardened(unit: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    command = [program, "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) <= 2.5


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Without a word, where the program is there."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text("utf-8").replace("/usr/bin/digest", "/usr/bin/true"))
    command = [program, "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_systemd_makes_the_user_that_the_units_name(tmp_path: Path) -> None:
    program = shutil.which("systemd-sysusers")
    if program is None:
        pytest.skip("systemd-sysusers is not installed")
    (tmp_path / "etc").mkdir()
    file = ROOT / "packaging/sysusers.d/digest.conf"
    done = subprocess.run(
        [program, f"--root={tmp_path}", str(file)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    [made] = (tmp_path / "etc/passwd").read_text("utf-8").splitlines()
    name, _, _, _, _, home, shell = made.split(":")
    assert (name, home) == ("digest", "/var/lib/digest")
    assert shell.endswith("nologin")


def test_there_are_units_for_both() -> None:
    assert {unit.name for unit in UNITS} == {"digest.service", "digest-worker@.service"}


def test_the_container_runs_as_nobody_in_particular() -> None:
    text = (ROOT / "Containerfile").read_text("utf-8")
    last = text[text.rindex("FROM ") :]
    assert re.search(r"^USER (?!0|root)\d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "/readyz" in last
    assert "--require-hashes" in text
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE))
    assert {"digest", "templates", "config", "seeds"} <= copied


AS_IN_THE_CONTAINER = """
set -e
mount --make-rprivate /
mount --bind {base} /mnt
mount --bind {place} /media
mount --bind {libraries} /srv
mount --bind {state} /home
mount -o remount,bind,ro /
cd /home
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all env -i LD_LIBRARY_PATH=/mnt/lib \\
    PYTHONPATH=/media:/srv PYTHONDONTWRITEBYTECODE=1 DIGEST_WEB__PORT={port} DIGEST_LOG__FORMAT=json sh -e -c '
    if touch /tmp/anything 2>/dev/null; then echo the root can be written to; exit 9; fi
    /mnt/bin/python3 -S -m digest migrate
    /mnt/bin/python3 -S -m digest run --no-collect &
    trap "kill $!" EXIT
    for n in $(seq 100); do {healthy} 2>/dev/null && break; sleep 0.5; done
    {healthy}
    trap - EXIT
    kill $!
    wait $!
    '
"""


def test_as_the_container_runs_it_it_is_healthy_and_ends_well(place: Path, tmp_path: Path) -> None:
    """As nobody in particular, without capabilities, with one folder to write to; judged by the container's own health check."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("needs root, unshare and setpriv")
    if subprocess.run(["unshare", "-m", "mount", "--make-rprivate", "/"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 10001, 10001)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    health = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", (ROOT / "Containerfile").read_text("utf-8"), re.MULTILINE)
    assert health
    _, *asks = json.loads(health[1].replace(":8000/", f":{port}/"))
    healthy = shlex.join(["/mnt/bin/python3", "-S", *asks]).replace("'", "'\\''")
    script = AS_IN_THE_CONTAINER.format(
        base=sys.base_prefix, place=place, libraries=sysconfig.get_path("purelib"), state=state, port=port, healthy=healthy
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stderr.strip().splitlines()[-1])["event"] == "stopped"
    assert {file.name for file in state.iterdir()} >= {"digest.sqlite3", "digest.key"}


def test_the_compose_file_says_what_it_should() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert {"database", "postfix", "migrate", "daemon", "worker"} <= services.keys()
    for name in ("migrate", "daemon", "worker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        settings = {key for key in services[name]["environment"] if key.startswith("DIGEST_")}
        for key in settings:
            assert key.removeprefix("DIGEST_").split("__")[0].lower() in read.Settings.model_fields, key


def test_a_machines_settings_come_after_the_folders_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    system = tmp_path / "etc.toml"
    monkeypatch.setattr(read, "SYSTEM_PATH", system)
    assert read.load(environ={}).web.port == 8000
    system.write_text("[web]\nport = 8001\n")
    assert read.load(environ={}).web.port == 8001
    (tmp_path / "config").mkdir()
    (tmp_path / "config/digest.toml").write_text("[web]\nport = 8002\n")
    assert read.load(environ={}).web.port == 8002
    assert str(read.DEFAULT_PATH) == "config/digest.toml"
    (tmp_path / "config/local.toml").write_text("[web]\nport = 8003\n")
    assert read.load(environ={}).web.port == 8003
