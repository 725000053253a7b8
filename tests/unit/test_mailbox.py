"""Mails in files of every kind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from digest.domain.errors import InvalidInput
from digest.mail.inbound.mail_files import Found, read_mailbox
from tests.notices import notices

ONE = b"From: a@b.example\nSubject: one\n\nhello\n"
QUOTING = (
    b"From MAILER-DAEMON  Sat Oct  4 08:00:09 2025\nFrom: postmaster@b.example\n\nbounced:\n\n"
    b"From bounce@ours.example  Sat Oct  4 08:00:07 2025\nFrom: us\n\nhi\n"
)


def test_one_mail_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(QUOTING)
    assert list(read_mailbox(path)) == [Found(str(path), QUOTING)]


def test_an_mbox_is_split_at_its_separators_only(tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    mails = [
        b"From a@b.example Mon Nov 23 08:00:09 2026\nSubject: one\n\nFrom here to there\n\nFrom now on 2026\n\n",
        b"From a@b.example Tue Nov 24 08:00:09 +0100 2026\r\nSubject: two\r\n\r\n\r\n",
        b"From - Tue Nov  4 08:00:09 2026\nSubject: three\n\nno line end",
    ]
    path.write_bytes(b"".join(mails))
    assert list(read_mailbox(path)) == [Found(f"{path}:{n}", data) for n, data in enumerate(mails, 1)]


def test_standard_input_may_be_one_mail_or_an_mbox() -> None:
    assert list(read_mailbox("-", io.BytesIO(ONE))) == [Found("-", ONE)]
    two = b"From a Mon Nov 23 08:00:09 2026\n\nx\n\nFrom a Mon Nov 23 08:00:09 2026\n\ny\n"
    assert [each.place for each in read_mailbox("-", io.BytesIO(two))] == ["-:1", "-:2"]
    with pytest.raises(InvalidInput, match="no standard input"):
        next(read_mailbox("-"))


def test_a_maildir_gives_what_has_arrived(tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"1.{name}:2,S").write_bytes(ONE)
    assert [Path(each.place).parent.name for each in read_mailbox(tmp_path)] == ["cur", "new"]


def test_a_folder_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(ONE)
    (tmp_path / "a.eml").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(ONE)
    (tmp_path / "inner").mkdir()
    assert [(Path(each.place).name, each.data) for each in read_mailbox(tmp_path)] == [("a.eml", b""), ("b.eml", ONE)]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing\.mbox: cannot be read: No such file"):
        list(read_mailbox(tmp_path / "nothing.mbox"))


def test_an_mbox_of_every_notice(tmp_path: Path) -> None:
    """What separates them is at the beginning of a line, with a date; a body's own "From " is not."""
    mails = [notice.data.rstrip(b"\n") + b"\n\n" for notice in notices()]
    path = tmp_path / "bounces"
    path.write_bytes(b"".join(b"From MAILER-DAEMON Mon Mar  9 08:00:09 2026\n" + data for data in mails))
    found = [each.data for each in read_mailbox(path)]
    assert [data.partition(b"\n")[2] for data in found] == mails
