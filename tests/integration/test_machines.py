"""Machines that misbehave: names, clocks and lists that are not what they were. test_machine_limits.py has disks and limits.

Over all of them nobody is mailed twice and nobody is lost. `KINDS` names the tests of each kind, wherever they are.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.daemon import Daemon
from digest.domain.delivery import DeliveryState
from digest.services.scheduler.election import TICKED
from tests.command_line import clean_environment
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.machine import become
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import Do, Script, SmtpServer

ROOT = Path(__file__).resolve().parents[2]
READERS = 40
KINDS = {
    "who owns a lease or a journal": (
        "unit/test_journal.py::test_its_owner_is_written_in_it_and_no_two_are_one",
        "unit/test_journal.py::test_two_processes_never_share_one",
        "integration/test_machines.py::test_held_ones_stay_held_whatever_the_machine_is_called_next",
        "integration/test_machines.py::test_machines_of_one_name_and_processes_of_one_number",
        "integration/test_machines.py::test_a_machine_that_sleeps_longer_than_its_lease",
    ),
    "clocks": (
        "contract/test_store_operating.py::test_a_lease_of_the_future_is_taken_over",
        "contract/test_store_operating.py::test_a_clock_that_was_ahead_silences_nothing",
        "integration/test_stalled.py::test_every_job_rings_at_once_when_the_clock_was_set",
        "integration/test_stalled.py::test_no_tick_for_ten_minutes",
        "integration/test_machines.py::test_what_one_has_claimed_is_no_others_whatever_its_clock_says",
        "integration/test_machines.py::test_the_daemon_goes_on_when_its_clock_is_set",
        "integration/test_machines.py::test_a_scheduler_is_elected_though_a_dead_one_wrote_from_the_future",
    ),
    "lists that a process does not know": (
        "integration/test_unknown_lists.py::test_what_is_due_waits_and_goes_when_the_list_is_known_again",
        "integration/test_unknown_lists.py::test_one_alarm_says_so_and_mail_is_not_late_for_it",
        "integration/test_machines.py::test_two_installations_on_one_database_send_each_their_own",
        "integration/test_machines.py::test_what_is_done_every_day_leaves_an_unknown_list_alone",
        "integration/test_machines.py::test_the_alarm_ends_when_the_list_is_known_again",
    ),
    "records that fail and disks that are full": (
        "integration/test_recording_fails.py::test_nobody_twice_and_nobody_lost",
        "unit/test_journal.py::test_on_a_full_disk_what_is_under_way_can_still_be_written_down",
        "integration/test_machine_limits.py::test_files_that_may_grow_no_more",
        "integration/test_machine_limits.py::test_a_database_that_others_keep_locked",
        "integration/test_machine_limits.py::test_a_database_that_hangs_up_while_mail_goes_out",
    ),
    "journals and secrets that cannot be read": (
        "integration/test_system_limits.py::test_doctor_names_a_journal_that_cannot_be_read_and_nothing_is_sent",
        "integration/test_system_limits.py::test_doctor_warns_of_what_everybody_can_read",
        "unit/test_journal.py::test_one_that_cannot_be_opened_is_named_and_stops_who_looks",
        "integration/test_machine_limits.py::test_a_journal_that_is_not_ours",
        "integration/test_machine_limits.py::test_a_key_that_cannot_be_read",
        "integration/test_machine_limits.py::test_settings_that_cannot_be_read",
    ),
    "signals, files, processes and connections": (
        "integration/test_system_limits.py::test_a_terminal_that_closes_ends_it_as_sigterm_does",
        "integration/test_system_limits.py::test_stdout_that_takes_nothing",
        "integration/test_system_limits.py::test_too_few_files",
        "integration/test_machine_limits.py::test_what_nobody_reads_or_writes",
        "integration/test_machine_limits.py::test_what_a_shell_has_closed",
        "integration/test_machine_limits.py::test_a_terminal_that_closes_is_ignored_where_it_was_asked_for",
        "integration/test_machine_limits.py::test_a_server_with_no_connection_left",
    ),
    "a list's zone is changed": (
        "journey/test_zone_changed.py::test_one_mail_a_local_day",
        "journey/test_zone_changed.py::test_changed_at_any_hour_and_back",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_tests(kind: str) -> None:
    for each in KINDS[kind]:
        file, name = each.split("::")
        assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.MULTILINE), each


def on(machine: dict[str, Any], config: Path, *words: str, **files: IO[bytes]) -> preloaded.Command:
    """`digest WORDS` on such a machine."""
    command = [*(words or ("deliver",)), "--config", str(config)]
    return preloaded.start(command, first=partial(become, **machine), cwd=config.parent, env=clean_environment(), **files)


def ended(process: preloaded.Command) -> tuple[int, str]:
    return process.wait(PATIENCE), process.stderr


def got(*servers: SmtpServer) -> Counter[str]:
    return Counter(recipient for server in servers for kept in server.accepted() for recipient in kept.recipients)


def states(config: Path) -> Counter[DeliveryState]:
    return Counter(row.state for row in rows(config).values())


class SlowRelay(SmtpServer):
    """Takes its time for each mail."""

    wait = 0.1

    def keep(self, sender: str, recipients: list[str], data: bytes) -> None:
        time.sleep(self.wait)
        super().keep(sender, recipients, data)


# ---- names and numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"host": "box-a"}, {"host": "box-b"}),
        ({"host": "box", "number": 1}, {"host": "box", "number": 1}),
        ({"host": "box", "number": 7}, {"host": "", "number": 8}),
    ],
    ids=["another name", "the same name and number", "no name at all"],
)
def test_held_ones_stay_held_whatever_the_machine_is_called_next(
    tmp_path: Path, database_url: str, first: Any, then: Any
) -> None:
    """Killed with final dots unanswered; `hold` is the policy, and the journal says for whom."""
    with SmtpServer(tmp_path / "kept", Script(nth={("DOT", 0): Do(accept=True, stall=True)})) as server:
        config = configured(tmp_path, database_url, server.port, 'connections = 3\nlease = 2\non_lost_reply = "hold"')
        queue(load(config), READERS)
        process = on(first, config)
        until(lambda: server.seen["DOT"] >= 3, "three dots are out")
        process.kill()
        ended(process)
        begun = got(server)
    with SmtpServer(tmp_path / "kept-2") as after:
        config = configured(tmp_path, database_url, after.port, 'connections = 3\nlease = 2\non_lost_reply = "hold"')
        assert ended(on(then, config)) == (0, "")
        time.sleep(2.1)  # what the first had claimed is free again
        assert ended(on(then, config)) == (0, "")
        in_all = got(server, after)
    assert len(begun) == 3
    assert (len(in_all), set(in_all.values())) == (READERS, {1})
    assert states(config) == {DeliveryState.UNCERTAIN: 3, DeliveryState.ACCEPTED: READERS - 3}


def test_machines_of_one_name_and_processes_of_one_number(tmp_path: Path, database_url: str) -> None:
    """Each has a journal of its own; the end of one gives back nothing that the other holds."""
    with SlowRelay(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port, "connections = 2\nclaim_size = 10")
        queue(load(config), READERS)
        machine = {"host": "box", "number": 1}
        first = on(machine, config)
        until(server.accepted, "the first sends")
        other = tmp_path / "other"
        other.mkdir()
        second_config = other / "digest.toml"
        second_config.write_text(config.read_text("utf-8").replace(str(tmp_path / "journal"), str(other / "journal")), "utf-8")
        for _ in range(2):
            second = on(machine, second_config)
            until(lambda second=second: second.poll() is not None or _sends(other / "journal"), "the second sends")
            second.terminate()
            assert ended(second)[0] == 0
        assert ended(first)[0] == 0
        assert ended(on(machine, second_config))[0] == 0
        everybody = got(server)
    assert (len(everybody), set(everybody.values())) == (READERS, {1})
    assert states(config) == {DeliveryState.ACCEPTED: READERS}


def _sends(journals: Path) -> bool:
    """Whether who writes there has begun a mail: it holds what it has claimed, and can be asked to end."""
    with suppress(FileNotFoundError):  # it has just ended
        return any(b"\ndot " in each.read_bytes() for each in journals.glob("deliver-*"))
    return False


def test_a_machine_that_sleeps_longer_than_its_lease(tmp_path: Path, database_url: str) -> None:
    """Woken, it sends nothing of what another has sent meanwhile."""
    with SlowRelay(tmp_path / "kept") as server:
        server.wait = 0.5
        config = configured(tmp_path, database_url, server.port, "connections = 1\nlease = 2")
        queue(load(config), 12)
        asleep = on({}, config)
        until(lambda: states(config)[DeliveryState.ACCEPTED], "it has written that it sent")  # and is in no transaction
        asleep.send_signal(signal.SIGSTOP)
        time.sleep(3)
        server.wait = 0.0
        try:
            assert ended(on({}, config))[0] == 0
            before = got(server)
        finally:
            asleep.send_signal(signal.SIGCONT)
        ended(asleep)
        assert ended(on({}, config))[0] == 0
        after = got(server)
    assert (len(after), after) == (12, before)
    assert sum(after.values()) <= 12 + 2, "whose dot was out when it fell asleep, and whose answer it had not yet recorded"
    assert states(config) == {DeliveryState.ACCEPTED: 12}


# ---- clocks ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [timedelta(minutes=11), timedelta(hours=20), timedelta(hours=-2)], ids=str)
def test_what_one_has_claimed_is_no_others_whatever_its_clock_says(tmp_path: Path, database_url: str, ahead: timedelta) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port)
        queue(load(config), READERS)
        with Container(load(config)) as container:
            store = container.adapters.store
            with store.begin() as unit:
                held = unit.deliveries.claim(10, "box/1/another", datetime.now(UTC), timedelta(minutes=10)).claimed
            container.delivery.deliver(lambda: datetime.now(UTC) + ahead)
            sent = got(server)
            assert not {each.address.text for each in held} & set(sent)
            with store.begin() as unit:
                unit.deliveries.release("box/1/another")
            container.delivery.deliver(lambda: datetime.now(UTC))
        everybody = got(server)
    assert len(sent) == (0 if ahead < timedelta(0) else READERS - 10)
    assert (len(everybody), set(everybody.values())) == (READERS, {1})


@pytest.fixture
def handlers() -> Any:
    """A daemon in this process takes the signals for itself; afterwards they are as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def watched(daemon: Daemon, watching: Any) -> None:
    """Runs it here, with another thread looking on until it stops it."""
    watcher = threading.Thread(target=lambda: (watching(), daemon.stop()))
    watcher.start()
    assert daemon.run()
    watcher.join(PATIENCE)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(hours=2), timedelta(days=-400)], ids=str)
def test_the_daemon_goes_on_when_its_clock_is_set(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, step: timedelta
) -> None:
    ahead, ticks = [timedelta(0)], list[datetime]()
    with Container(load(configured(tmp_path, database_url, 9))) as container:
        tick = container.scheduler.tick
        monkeypatch.setattr(container.scheduler, "tick", lambda at: (ticks.append(at), tick(at))[1])
        daemon = Daemon(
            container, web=False, deliver=False, collect=False, every_seconds=0.2, clock=lambda: datetime.now(UTC) + ahead[0]
        )

        def watching() -> None:
            try:
                for _ in range(2):
                    seen = len(ticks)
                    until(lambda seen=seen: len(ticks) > seen + 2, "it ticks")
                    ahead[0] += step
            finally:
                daemon.stop()

        watched(daemon, watching)
    assert len(ticks) > 4
    assert abs(ticks[-1] - ticks[0] - step) < timedelta(hours=1)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("ahead", ["+2 hours", "+1 day", "+10 years"])
def test_a_scheduler_is_elected_though_a_dead_one_wrote_from_the_future(tmp_path: Path, sqlite_url: str, ahead: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 9))) as container:
        store = container.adapters.store
        with store.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO leases (name, owner, until) VALUES ('scheduler', 'box/1/dead', datetime('now', :ahead))"),
                {"ahead": ahead},
            )
        daemon = Daemon(container, web=False, deliver=False, collect=False, every_seconds=0.2)

        def ticked() -> bool:
            with store.read() as unit:
                return unit.sources.load(*TICKED) is not None

        watched(daemon, lambda: until(ticked, "it ticks"))


# ---- lists -------------------------------------------------------------------------------------------------------------------


def with_list(config: Path, name: str, folder: Path) -> Path:
    """The settings of another installation on the same database: it knows this list alone."""
    folder.mkdir()
    file = folder / "digest.toml"
    file.write_text(config.read_text("utf-8").replace('name = "daily"', f'name = "{name}"'), "utf-8")
    return file


def test_two_installations_on_one_database_send_each_their_own(tmp_path: Path, database_url: str) -> None:
    """Also both at once: what the other has is neither sent nor ended, and each says whose waits while it does."""
    with SmtpServer(tmp_path / "kept") as server:
        ours = configured(tmp_path, database_url, server.port)
        queue(load(ours), READERS)
        theirs = with_list(ours, "weekly", tmp_path / "theirs")
        code, said = ended(on({}, theirs))
        assert (code, said) == (
            1,
            f"digest: list daily is not in the settings: its {READERS} deliveries that are due wait until it is\n",
        )
        assert states(ours) == {DeliveryState.QUEUED: READERS}
        both = [on({}, theirs), on({}, ours)]
        assert ended(both[1]) == (0, "")
        ended(both[0])
        everybody = got(server)
    assert (len(everybody), set(everybody.values())) == (READERS, {1})
    assert states(ours) == {DeliveryState.ACCEPTED: READERS}


def test_what_is_done_every_day_leaves_an_unknown_list_alone(tmp_path: Path, database_url: str) -> None:
    """The tick, retention and the alarms of a process that does not know the list: its readers and their mail are still there."""
    config = configured(tmp_path, database_url, 9)
    emails = queue(load(config), READERS)
    now = datetime.now(UTC)
    with Container(load(with_list(config, "weekly", tmp_path / "theirs"))) as container:
        for minutes in (0, 10):
            ticked = container.scheduler.tick(now + timedelta(minutes=minutes))
            assert (ticked.failed, ticked.cohorts_failed) == ((), ())
        container.privacy.retention_due(now)
        container.monitoring.findings(now)
        with container.adapters.store.read() as unit:
            assert {each.address.text for each in unit.subscribers.export()} == set(emails)
    assert states(config) == {DeliveryState.QUEUED: READERS}


def test_the_alarm_ends_when_the_list_is_known_again(tmp_path: Path, database_url: str) -> None:
    config = configured(tmp_path, database_url, 9)
    queue(load(config), READERS)
    now = datetime.now(UTC)
    for file, expected in ((with_list(config, "weekly", tmp_path / "theirs"), ["unknown list daily"]), (config, [])):
        with Container(load(file)) as container:
            found = [each.cause for each in container.monitoring.findings(now)]
        assert [cause for cause in found if cause.startswith("unknown list")] == expected
