"""Templates: sandboxed, strict, escaped by suffix, overridden file by file, and blamed by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.domain.errors import TemplateError
from digest.render.environment import Templates


def put(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("name", "source", "shown"),
    [
        ("a.html", "{{ x }}", "&lt;b&gt; &amp;"),
        ("a.txt", "{{ x }}", "<b> &"),
        ("a.txt", "{{ 'aaa bbb' | wrap(68) }}", "aaa bbb"),
    ],
)
def test_escaping_by_suffix(tmp_path: Path, name: str, source: str, shown: str) -> None:
    put(tmp_path, name, source)
    assert Templates([tmp_path]).render(name, x="<b> &") == shown


@pytest.mark.parametrize(
    ("source", "place", "why"),
    [
        ("ok\nok\n{{ nothing }}", "mail/a.txt line 3", "'nothing' is undefined"),
        ("ok\n{{ x.nothing }}", "mail/a.txt line 2", "no attribute 'nothing'"),
        ("ok\n{% if %}", "mail/a.txt line 2", "Expected an expression"),
        ("ok\n\n{{ x | shout }}", "mail/a.txt line 3", "No filter named 'shout'"),
        ("ok\n{{ x.__class__.__mro__ }}", "mail/a.txt line 2", "unsafe"),
        ("{{ ''.format.__globals__ }}", "mail/a.txt line 1", "unsafe"),
        ("\n{{ 1 // 0 }}", "mail/a.txt line 2", "ZeroDivisionError"),
        ("{% include 'mail/b.txt' %}", "mail/b.txt", "none of these folders"),
        ("{% include '../../etc/passwd' %}", "etc/passwd", "none of these folders"),
        ("a\n{% include 'mail/broken.txt' %}", "mail/broken.txt line 2", "'nothing' is undefined"),
        ("{{ range(10**9) | list }}", "mail/a.txt line 1", "Range too big"),
    ],
)
def test_errors_name_the_template_and_the_line(tmp_path: Path, source: str, place: str, why: str) -> None:
    put(tmp_path, "mail/a.txt", source)
    put(tmp_path, "mail/broken.txt", "fine\n{{ nothing }}")
    with pytest.raises(TemplateError) as caught:
        Templates([tmp_path]).render("mail/a.txt", x="x")
    assert place in str(caught.value)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_template_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ok \xff")
    with pytest.raises(TemplateError, match=r"a\.txt: is not UTF-8 \(byte 3\)"):
        Templates([tmp_path]).render("a.txt")
    with pytest.raises(TemplateError, match=r"b\.txt: is in none of these folders"):
        Templates([tmp_path]).render("b.txt")


def test_an_operators_folder_wins_file_by_file(tmp_path: Path) -> None:
    put(tmp_path / "ours", "a.txt", "a of ours, {% include 'b.txt' %}")
    put(tmp_path / "ours", "b.txt", "b of ours")
    put(tmp_path / "theirs", "b.txt", "b of theirs")
    assert Templates([tmp_path / "theirs", tmp_path / "ours"]).render("a.txt") == "a of ours, b of theirs"


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\t"])
def test_a_subject_is_one_line(tmp_path: Path, breaking: str) -> None:
    put(tmp_path, "subject.txt", "Papers: {{ x }}\n")
    assert Templates([tmp_path]).line("subject.txt", x=f"a{breaking}Bcc: b") == "Papers: a Bcc: b"
