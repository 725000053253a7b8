"""`digest translations`: what code and templates say is found, written into catalogues, and each fault in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.adapters import shipped
from digest.cli import digest
from digest.services.setup import catalogues
from digest.services.setup.catalogues import faults, update
from tests.editions import ROOT

CODE = """
said = spoken.gettext("Hello %(name)s", name="x"), phrase("only here"), N_("a mark")
many = spoken.ngettext("%(n)s paper", "%(n)s papers", 3), phrases("%(n)s vote", "%(n)s votes", 3)
where = spoken.pgettext("button", "Save")
"""
PAGE = """{{ _("A <b>bold</b> word") }} {% trans n=n %}
  one page
{% pluralize n %}
  {{ n }} pages
{% endtrans %}"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    code, templates = tmp_path / "digest", tmp_path / "templates"
    (templates / "_base").mkdir(parents=True)
    code.mkdir()
    (code / "some.py").write_text(CODE)
    (templates / "_base" / "page.html").write_text(PAGE)
    monkeypatch.setattr(catalogues, "catalogue_file", lambda language: catalogue(tmp_path, language))
    return [code, templates]


def catalogue(folder: Path, language: str) -> Path:
    return folder / "digest/locale" / language.replace("-", "_") / "LC_MESSAGES/digest.po"


def translated(text: str) -> str:
    """A catalogue with every message said: in French each is its English with an accent."""
    lines = text.splitlines()
    for n, line in enumerate(lines):
        if line.startswith('msgstr "') and n > 2:
            lines[n] = 'msgstr "é' + next(each for each in reversed(lines[:n]) if each.startswith("msgid ")).removeprefix(
                'msgid "'
            )
        elif line.startswith("msgstr["):
            many = next(each for each in reversed(lines[:n]) if each.startswith("msgid_plural "))
            lines[n] = f"{line[:11]}é" + many.removeprefix('msgid_plural "')
    return "\n".join(lines) + "\n"


def test_what_is_said_is_found_and_kept(sources: list[Path], tmp_path: Path) -> None:
    assert update(sources, ["fr", "ja"]) == {"fr": 8, "ja": 8}
    file = catalogue(tmp_path, "fr")
    text = file.read_text("utf-8")
    for message in ("Hello %(name)s", "only here", "a mark", "%(n)s paper", "%(n)s vote", "A <b>bold</b> word", "one page"):
        assert f'msgid "{message}"' in text
    assert 'msgctxt "button"\nmsgid "Save"' in text
    assert "nplurals=3" in text
    assert "nplurals=1" in catalogue(tmp_path, "ja").read_text("utf-8")
    file.write_text(translated(text), "utf-8")
    (sources[0] / "more.py").write_text('gettext("new")')
    assert update(sources, ["fr"]) == {"fr": 1}
    again = file.read_bytes()
    update(sources, ["fr"])
    assert file.read_bytes() == again, "without a change nothing changes"
    assert 'msgid "Hello %(name)s"\nmsgstr "éHello %(name)s"' in again.decode()


def test_a_complete_catalogue_has_no_fault(sources: list[Path], tmp_path: Path) -> None:
    update(sources, ["fr"])
    file = catalogue(tmp_path, "fr")
    file.write_text(translated(file.read_text("utf-8")), "utf-8")
    assert faults(sources, ["fr"]) == []


FAULTS = [
    ('msgstr "éonly here"', 'msgstr ""', "“only here” is not translated"),
    ('msgid "only here"\n', '#, fuzzy\nmsgid "only here"\n', "“only here” is fuzzy: somebody should look at it"),
    ("éHello %(name)s", "éHello %(nom)s", "“Hello %(name)s” has other placeholders than its translation: name, nom"),
    (
        "éHello %(name)s",
        "éHello %(name)s à 5 % de",
        "“Hello %(name)s” has a % in its translation that is no placeholder: write %%",
    ),
    ("éA <b>bold</b>", "éA <b>bold", "“A <b>bold</b> word” has other tags than its translation"),
    ('msgstr[1] "é%(n)s papers"', 'msgstr[1] ""', "“%(n)s paper” has no translation for one of its plural forms"),
    ('msgstr[2] "é%(n)s papers"\n', "", "“%(n)s paper” has no translation for one of its plural forms"),
    ('msgstr[0] "é%(n)s papers"', 'msgstr[0] "é%(m)s papers"', "“%(n)s paper” has other placeholders than its translation: m"),
    ('msgid "only here"', 'msgid "only there"', "“only there” is not used any more; `digest translations update` takes it out"),
    (
        "nplurals=3; plural=(n == 0",
        "nplurals=2; plural=(n == 0",
        "cannot be read: msg has more translations than num_plurals of catalog on 23",
    ),
]


@pytest.mark.parametrize(("before", "after", "fault"), FAULTS)
def test_a_broken_catalogue_is_named(sources: list[Path], tmp_path: Path, before: str, after: str, fault: str) -> None:
    update(sources, ["fr"])
    file = catalogue(tmp_path, "fr")
    whole = translated(file.read_text("utf-8"))
    assert before in whole
    file.write_text(whole.replace(before, after, 1), "utf-8")
    found = faults(sources, ["fr"])
    assert [line for line in found if line.endswith(fault) and line.startswith("digest/locale/fr/LC_MESSAGES/digest.po:")], found


def test_a_message_that_is_missing_is_named_with_where_it_stands(sources: list[Path], tmp_path: Path) -> None:
    update(sources, ["fr"])
    file = catalogue(tmp_path, "fr")
    file.write_text(translated(file.read_text("utf-8")), "utf-8")
    (sources[1] / "_base" / "more.txt").write_text('\n{{ _("Later") }}')
    assert faults(sources, ["fr"]) == [
        "digest/locale/fr/LC_MESSAGES/digest.po: “Later” of templates/_base/more.txt:2 is not in it;"
        " `digest translations update` puts it there"
    ]


def test_a_catalogue_that_is_none(sources: list[Path], tmp_path: Path) -> None:
    assert faults(sources, ["fr"]) == [
        "digest/locale/fr/LC_MESSAGES/digest.po: is missing; `digest translations update` makes it"
    ]


def test_the_command_says_what_is_wrong_and_ends_with_1(sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.cli.translations._sources", lambda: sources)
    assert CliRunner().invoke(digest, ["translations", "check", "fr"]).exit_code == 1
    assert CliRunner().invoke(digest, ["translations", "update"]).exit_code == 0
    found = CliRunner().invoke(digest, ["translations", "check", "fr", "ja"])
    assert found.exit_code == 1
    assert len(found.output.splitlines()) == 16
    wrong = CliRunner().invoke(digest, ["translations", "check", "xx"])
    assert wrong.exit_code == 2
    assert "should be one of en, de, fr, es, zh-Hans, ja" in wrong.output


def test_our_catalogues_have_every_message_and_no_other() -> None:
    assert faults([ROOT / "digest", shipped("templates")]) == []
