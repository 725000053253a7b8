"""The send journal: what was said before a process died can be read after it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.errors import MailError
from digest.mail.smtp import journal as journal_module
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.journal_replay import Replayed, replay
from tests.servers.running import PATIENCE

AT = datetime(2026, 11, 23, 7, 0, 1, 250000, tzinfo=UTC)
OK = Reply(250, "queued as 4XYZ", "2.0.0")


def answered(delivery: int, reply: Reply = OK) -> Attempt:
    return Attempt(delivery, AT, "main", Stage.DOT, reply)


def test_answered_and_unanswered(tmp_path: Path) -> None:
    with Journal.create(tmp_path) as journal:
        for delivery in (1, 2, 3):
            journal.dot(delivery, AT, "main")
        journal.reply(1, AT, "main", OK)
        journal.lost(3, AT, "main", "no reply within 600 s")
        known = journal.replay()
    assert known.replies == (answered(1),)
    assert [(a.delivery_id, a.uncertain, a.error) for a in known.uncertain] == [
        (2, True, "the process ended before an answer was seen"),
        (3, True, "no reply within 600 s"),
    ]


def test_the_last_word_counts(tmp_path: Path) -> None:
    """Refused for now, tried again, accepted: one outcome."""
    with Journal.create(tmp_path) as journal:
        for reply in (Reply(451, "later"), OK):
            journal.dot(1, AT, "main")
            journal.reply(1, AT, "main", reply)
        assert journal.replay().replies == (answered(1),)
        journal.dot(1, AT, "main")
        assert journal.replay().replies == ()


def test_what_the_table_holds_is_forgotten(tmp_path: Path) -> None:
    with Journal.create(tmp_path) as journal:
        for delivery in (1, 2):
            journal.dot(delivery, AT, "main")
            journal.reply(delivery, AT, "main", OK)
        journal.recorded([1])
        assert journal.replay().replies == (answered(2),)
        journal.recorded([2])
        assert journal.replay() == Replayed(journal.owner)
        path = journal.path
    assert not path.exists()


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_TRUNCATE_ABOVE", 5_000)
    monkeypatch.setattr(journal_module, "_RESERVE", 0)
    monkeypatch.setattr(journal_module, "_RECORD", 200)
    with Journal.create(tmp_path) as journal:
        for delivery in range(2_000):
            journal.dot(delivery, AT, "main")
            journal.reply(delivery, AT, "main", OK)
            journal.recorded([delivery])
        assert journal.path.stat().st_size < 6_000
        journal.dot(5000, AT, "main")
        assert [a.delivery_id for a in journal.replay().uncertain] == [5000]
        assert journal.replay().unreadable == 0


@given(st.data())
def test_cut_anywhere_it_knows_what_was_written_before(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("cut")
    with Journal.create(directory) as journal:
        for delivery in (1, 2):
            journal.dot(delivery, AT, "main")
            journal.reply(delivery, AT, "main", OK)
        whole = journal.path.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    (directory / "cut.journal").write_bytes(cut)
    known = replay(directory / "cut.journal")
    lines = max(cut.count(b"\n") - 1, 0)  # but for the owner's
    assert known.unreadable == 0
    assert len(known.replies) == lines // 2
    assert len(known.uncertain) == lines % 2


@given(st.binary(max_size=300))
def test_garbage_is_counted_and_skipped(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    path = tmp_path_factory.mktemp("garbage") / "x.journal"
    path.write_bytes(b"dot 1 2026-11-23T07:00:00Z main\n" + garbage + b"\ndot 2 2026-11-23T07:00:00Z main\n")
    known = replay(path)
    assert {1, 2} <= {a.delivery_id for a in known.uncertain}
    assert known.unreadable == garbage.count(b"\n") + 1


@given(text=st.text(max_size=200))
def test_whatever_a_relay_says_stays_on_its_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Journal.create(tmp_path_factory.mktemp("said")) as journal:
        journal.dot(1, AT, "main")
        journal.reply(1, AT, "main", Reply(250, text))
        (known,) = journal.replay().replies
        journal.recorded([1])
    assert known.reply == Reply(250, " ".join(text.split()))


def test_what_was_recorded_before_the_file_was_emptied_is_no_surprise(tmp_path: Path) -> None:
    (tmp_path / "x.journal").write_bytes(b"recorded 7 8\ndot 9 2026-11-23T07:00:00Z main\n")
    known = replay(tmp_path / "x.journal")
    assert ([a.delivery_id for a in known.uncertain], known.unreadable) == ([9], 0)


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MailError) as wrong:
        replay(tmp_path)
    assert str(wrong.value) == f"journal {tmp_path}: Is a directory"


def test_two_processes_never_share_one(tmp_path: Path) -> None:
    with Journal.create(tmp_path) as mine, Journal.create(tmp_path) as other:
        assert mine.path != other.path
        with pytest.raises(MailError, match="in use by another process"):
            Journal.open(mine.path)
        assert list(Journal.abandoned(tmp_path)) == []


def test_a_killed_process_leaves_its_journal_to_the_next(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from digest.domain.delivery import Reply\nfrom digest.mail.smtp.journal import Journal\n"
        "j = Journal.create(Path(sys.argv[1])); at = datetime(2026, 11, 23, tzinfo=UTC)\n"
        "j.dot(1, at, 'main'); j.reply(1, at, 'main', Reply(250, 'ok')); j.dot(2, at, 'main')\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        assert list(Journal.abandoned(tmp_path)) == []  # it lives, and holds its lock
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)
    (left,) = Journal.abandoned(tmp_path)
    known = left.replay()
    assert [a.delivery_id for a in known.replies] == [1]
    assert [a.delivery_id for a in known.uncertain] == [2]
    left.close()
    assert left.path.exists()  # not recorded yet: it stays for whoever comes next
    (left,) = Journal.abandoned(tmp_path)
    left.remove()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_takes_half_a_line_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite
    with Journal.create(tmp_path) as journal:
        journal.dot(1, AT, "main")
        monkeypatch.setattr(os, "pwrite", lambda file, data, at: write(file, data[:7], at))
        with pytest.raises(MailError, match="the disk is full; nothing is sent without it"):
            journal.dot(2, AT, "main")
        monkeypatch.undo()
        journal.dot(3, AT, "main")
        known = journal.replay()
    assert [a.delivery_id for a in known.uncertain] == [1, 3]
    assert known.unreadable == 0


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MailError, match="journal"):
        Journal.create(tmp_path / "file")


def test_its_owner_is_written_in_it_and_no_two_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal host names and process numbers, and a host that has another name after the crash."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    owners = set()
    for number in range(3):
        with Journal.create(tmp_path / str(number)) as journal:
            owners.add(journal.owner)
            journal.dot(1, AT, "main")
    assert len(owners) == 3
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    found = {left.owner for number in range(3) for left in Journal.abandoned(tmp_path / str(number))}
    assert found == owners


def test_one_of_an_older_version_belongs_to_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    (tmp_path / "deliver-7-0.journal").write_bytes(b"dot 9 2026-11-23T07:00:00Z main\n")
    [left] = Journal.abandoned(tmp_path)
    assert left.owner == "box/deliver-7-0"
    assert [a.delivery_id for a in left.replay().uncertain] == [9]
    left.close()


def test_emptied_it_still_has_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_TRUNCATE_ABOVE", 100)
    with Journal.create(tmp_path) as journal:
        for delivery in (1, 2):
            journal.dot(delivery, AT, "main")
            journal.reply(delivery, AT, "main", OK)
            journal.recorded([delivery])
        journal.dot(3, AT, "main")
    [left] = Journal.abandoned(tmp_path)
    assert left.owner == journal.owner
    assert [a.delivery_id for a in left.replay().uncertain] == [3]


def test_a_dot_is_kept_back_when_the_lease_is_over(tmp_path: Path) -> None:
    with Journal.create(tmp_path) as journal:
        journal.lease_over = lambda: True
        with pytest.raises(MailError, match="the lease on what was claimed ran out"):
            journal.dot(1, AT, "main")
        assert journal.replay() == Replayed(journal.owner)
        assert journal.settled


@pytest.mark.parametrize("under_way", [1, 5, 200])
def test_on_a_full_disk_what_is_under_way_can_still_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, under_way: int
) -> None:
    longest = Reply(550, "é" * 1000, "5.1.1")
    with Journal.create(tmp_path) as journal:
        for delivery in range(under_way):
            journal.dot(delivery, AT, "main")
        room = journal.path.stat().st_size

        def full(file: int, offset: int, length: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "posix_fallocate", full)
        for delivery in range(under_way):
            journal.reply(delivery, AT, "main", longest)
        assert journal.path.stat().st_size == room, "it was there before the dots went out"
        known = journal.replay()

        def many_more() -> None:
            for delivery in range(1000, 20_000):
                journal.make_room()
                journal.dot(delivery, AT, "main")

        with pytest.raises(MailError, match="No space left on device; nothing is sent without it"):
            many_more()
    assert [a.delivery_id for a in known.replies] == list(range(under_way))
    assert (known.uncertain, known.unreadable) == ((), 0)


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a loop of links"])
def test_one_that_cannot_be_opened_is_named_and_stops_who_looks(tmp_path: Path, what: str) -> None:
    path = tmp_path / "deliver-1-x.journal"
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name)
    assert str(path) in Journal.unreadable(tmp_path)
    with pytest.raises(MailError, match="nothing is sent before it can be read and replayed") as stopped:
        list(Journal.abandoned(tmp_path))
    assert str(stopped.value).startswith(f"journal {path}: ")
    assert "\n" not in str(stopped.value)
