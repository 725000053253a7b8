"""An operator's own templates: used file by file, in mails and on pages; one that is broken is named with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.errors import TemplateError
from digest.web.app import create_app
from tests.outbox import configured, queue

ROOT = Path(__file__).resolve().parents[2]
DAY = ("--date", "2026-03-02")
Run = Callable[..., Result]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The operator's folder, still empty."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def config(tmp_path: Path, own: Path) -> Path:
    """Settings that name the folder; an edition was frozen before anything was put there."""
    file = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9)
    queue(load(file), 1)
    file.write_text(f'[templates]\nfolder = "{own}"\n' + file.read_text("utf-8"), "utf-8")
    return file


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("DIGEST_CONFIG", raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(digest, [*arguments, "--config", str(config)])

    return run


def put(own: Path, name: str, old: str, new: str) -> Path:
    """Our template of that name in the operator's folder, with one thing changed."""
    source = (ROOT / "templates" / name).read_text("utf-8")
    assert old in source
    file = own / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source.replace(old, new), "utf-8")
    return file


def previewed(run: Run, tmp_path: Path, *options: str) -> tuple[str, str]:
    """(html, text)"""
    done = run("preview", *DAY, "--out", str(tmp_path / "out"), *options)
    assert done.exit_code == 0, done.output
    return tuple((tmp_path / "out" / f"message.{part}").read_text("utf-8") for part in ("html", "txt"))  # type: ignore[return-value]


def test_a_mails_template_is_used_from_the_next_edition_on(run: Run, own: Path, tmp_path: Path) -> None:
    put(own, "mail/_base/sender.html", "{{ view.sender.name }}", "The Tuesday Group, {{ view.sender.name }}")
    put(own, "mail/_base/inline.css", "#2456a6", "#8a1c4a")
    html, text = previewed(run, tmp_path, "--rerender")
    assert "The Tuesday Group, Digest" in html
    assert "#8a1c4a" in html
    assert "The Tuesday Group" not in text, "file by file: the plain part is still ours"
    assert "The Tuesday Group" not in previewed(run, tmp_path)[0], "what is frozen stays as it was"


def test_a_pages_template_is_used(config: Path, own: Path) -> None:
    put(own, "web/privacy.html", "{% block main %}", "{% block main %}<p>Hosted by the library.</p>")
    with Container(load(config)) as container, TestClient(create_app(container)) as client:
        assert "Hosted by the library." in client.get("/privacy").text


def test_what_the_lint_has_against_an_override_is_said(run: Run, own: Path, tmp_path: Path) -> None:
    put(own, "mail/_base/inline.css", "#ffffff;", "#ffffff; display: flex;")
    done = run("preview", *DAY, "--rerender", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "error: css: " in done.output
    linted = CliRunner().invoke(digest, ["lint", str(tmp_path / "out/message.eml"), "--json"])
    assert linted.exit_code == 1
    assert any(error.startswith("css: ") for error in json.loads(linted.stdout)["errors"])


BROKEN = [
    ("{{ card.headline }}", "no attribute 'headline'"),
    ("{{ nothing }}", "'nothing' is undefined"),
    ("{% if card.title %", "unexpected '.'"),
    ("{{ card.title | shout }}", "No filter named 'shout'"),
]


@pytest.mark.parametrize(("wrong", "why"), BROKEN)
def test_a_broken_mail_is_named_with_its_line(run: Run, own: Path, tmp_path: Path, wrong: str, why: str) -> None:
    file = put(own, "mail/edition/_card.txt", '{{ mark("number") }}', wrong)
    done = run("preview", *DAY, "--rerender", "--out", str(tmp_path / "out"))
    assert isinstance(done.exception, TemplateError)  # which the program says in one line, and exits with 1
    assert f"{file} line 3: " in str(done.exception)
    assert why in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_broken_page_is_named_in_the_log_and_not_to_its_reader(
    config: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(own, "web/privacy.html", "{% block main %}", "{% block main %}\n{{ nothing }}")
    with Container(load(config)) as container, TestClient(create_app(container), raise_server_exceptions=False) as client:
        answered = client.get("/privacy")
    assert answered.status_code == 503
    assert str(file) not in answered.text
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), start=1) if "nothing" in text)
    assert f"{file} line {line}: UndefinedError: 'nothing' is undefined" in capsys.readouterr().out


def test_doctor_reads_every_template(run: Run, own: Path) -> None:
    assert "ok   templates: all " in run("doctor", "--no-dns").output
    file = put(own, "mail/edition/_card.html", "{% endif %}", "{% endiff %}")
    said = run("doctor", "--no-dns").output
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), start=1) if "endiff" in text)
    assert f"FAIL templates: template {file} line {line}: Encountered unknown tag 'endiff'" in said
