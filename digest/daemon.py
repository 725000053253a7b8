"""`digest run`: the bell, the pages and the postman in one process.

The bell rings by the monotonic clock, so that it goes on when somebody sets the other one; what is due is read from the tables
each time, so whatever was missed while the process was down is found at the first tick. SIGTERM, SIGINT or SIGHUP: no new work
begins, messages in flight are finished, and the process ends within `GRACE` seconds; what a relay holds up longer is in the
journal.

Any number of daemons may share a database: each serves pages and delivers, one of them, by
election (services/scheduler/election.py), makes what is due.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

import structlog

from digest.domain.errors import DigestError, SchemaMismatch
from digest.services.monitoring.alerts import Finding, first_causes, of_cohort, of_edition, of_failure, of_relay, of_return
from digest.services.scheduler.election import ASK
from digest.stop_signals import stop_signals

if TYPE_CHECKING:
    from digest.container import Container
    from digest.services.feedback.process import Heeded

GRACE = 8.0
"""Seconds for what is in flight; systemd and docker kill after 10."""

log = structlog.get_logger("digest")


@dataclass(frozen=True, slots=True)
class Bell:
    """Rings for one job, in a thread of its own: `first` seconds from now, and every `seconds`, or as soon as it is `awake`."""

    name: str
    job: Callable[[], None]
    seconds: float
    first: float = 0.0
    awake: threading.Event = field(default_factory=threading.Event)

    def ring(self, guarded: Callable[[str, Callable[[], None]], None], stop: threading.Event) -> None:
        wait = self.first
        while True:
            self.awake.wait(wait)
            self.awake.clear()  # before looking: who stops us sets `stop` first
            if stop.is_set():
                return
            began = time.monotonic()
            guarded(self.name, self.job)
            wait = max(self.seconds - (time.monotonic() - began), 0.0)


class Daemon:
    """Runs until it is told to stop. `clock` gives aware instants; `showing` shows what a run of delivering did so far."""

    def __init__(
        self,
        container: Container,
        *,
        web: bool = True,
        deliver: bool = True,
        collect: bool = True,
        every_seconds: float = 60,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        showing: Callable[[], AbstractContextManager[Callable[[Counter[str]], None]]] = lambda: nullcontext(lambda counts: None),
    ) -> None:
        self._container = container
        self._web, self._deliver, self._collect = web, deliver, collect
        self._every = every_seconds
        self._clock = clock
        self._showing = showing
        self._stop = threading.Event()
        self._notice_due = threading.Event()
        self._bells: dict[str, Bell] = {}
        self._elected = False
        self._refused: SchemaMismatch | None = None
        self._troubles: dict[str, Finding] = {}
        """By cause: what went wrong since the operator was last told."""
        self._lasting: dict[str, Finding] = {}
        """By job: what it last failed by, until it comes to its end."""

    def stop(self) -> None:
        """Asks it to end; may be called from any thread or signal handler."""
        self._stop.set()
        self._notice_due.set()
        for bell in self._bells.values():
            bell.awake.set()

    def run(self) -> None:
        """Blocks until `stop`, SIGTERM, SIGINT or SIGHUP.

        Raises SchemaMismatch where the database is, or becomes, another's, and PortUnavailable where the pages have no place.
        """
        for number in stop_signals():
            signal.signal(number, self._signalled)
        self._election = self._container.scheduler.election()  # opens and checks the database: a wrong one should end us here
        self._postman = self._container.scheduler.postman()
        pages = self._start_web() if self._web else None
        self._bells = {bell.name: bell for bell in self._made_bells()}
        self._guarded("lead", self._lead)
        ringing = [
            threading.Thread(target=bell.ring, args=(self._guarded, self._stop), name=bell.name, daemon=True)
            for bell in self._bells.values()
        ]
        for thread in ringing:
            thread.start()
        if self._deliver:
            threading.Thread(target=self._send_notices, name="notices", daemon=True).start()
        end_listening = self._listen()
        if self._container.adapters.key_trouble:
            log.error("key", reason=self._container.adapters.key_trouble)
        log.info(
            "running", web=self._container.settings.web.base_url if self._web else None, lists=len(self._container.adapters.lists)
        )
        self._stop.wait()
        log.info("stopping")
        until = time.monotonic() + GRACE
        for thread in ringing:
            thread.join(max(until - time.monotonic(), 0.0))
        self._election.resign()
        self._postman.resign()
        end_listening()
        if pages:
            pages()
        log.info("stopped", clean=not any(thread.is_alive() for thread in ringing))
        if self._refused is not None:
            raise self._refused

    def _signalled(self, signum: int, frame: FrameType | None) -> None:
        self.stop()

    def _made_bells(self) -> Iterator[Bell]:
        if self._collect:
            yield Bell("collect", self._collecting, self._every)
        yield Bell("lead", self._lead, ASK.total_seconds(), ASK.total_seconds())
        yield Bell("tick", self._tick, self._every)
        # the watch looks when the others have tried once: it need not tell of what they see the cause of; but of a wrong key
        yield Bell("watch", self._watch, self._every, 0.0 if self._container.adapters.key_trouble else self._every)
        yield Bell("housekeep", self._housekeeping, 3600)
        if self._deliver:
            yield Bell("deliver", self._delivering, self._every)
        if self._container.feedback.imap is not None:
            yield Bell("poll", self._polling, self._container.settings.inbound.imap_every)

    def _lead(self) -> None:
        """Asks for the lease; who takes over begins at once. Whose program is older than the schema ends."""
        try:
            self._container.adapters.check_schema()
        except SchemaMismatch as error:
            self._refused = error
            self.stop()
            return
        if self._deliver:
            self._postman.stand()
        before, self._elected = self._elected, self._election.stand()
        if self._elected and not before:
            log.info("elected", owner=self._election.owner)
            for name in self._bells.keys() & {"collect", "tick"}:
                self._bells[name].awake.set()
        elif before and not self._elected:
            log.warning("deposed", owner=self._election.owner)

    def _collecting(self) -> None:
        if not self._election.elected:
            return
        for report in self._container.papers.collect_due(self._clock()):
            log.info("collected", source=report.source, new=report.papers_new, signals=report.signals, error=report.error)
        categorised, looked_up = self._container.papers.look_up(self._clock())
        if categorised or looked_up.asked or looked_up.error:
            log.info("looked up", categories=categorised, **asdict(looked_up))

    def _tick(self) -> None:
        if not self._election.elected:
            return
        ticked = self._container.scheduler.tick(self._clock())
        failed = (*ticked.failed, *ticked.cohorts_failed)
        if ticked.editions or ticked.deliveries or failed:
            log.info("tick", editions=ticked.editions, deliveries=ticked.deliveries, failed=failed)
        for finding in (*map(of_edition, ticked.failed), *map(of_cohort, ticked.cohorts_failed)):
            self._note(finding)

    def _delivering(self) -> None:
        with self._showing() as progress:
            worked = self._container.delivery.deliver(self._clock, stop=self._stop.is_set, progress=progress)
        tally = worked.tally
        if tally.accepted or tally.failed or tally.retry or worked.stopped:
            log.info("delivered", accepted=tally.accepted, retry=tally.retry, failed=tally.failed, stopped=worked.stopped)
        self._ended("relay", of_relay(worked.stopped) if worked.stopped else None)

    def _send_notices(self) -> None:
        """Confirmations, welcomes and goodbyes: as soon as a page asks for one, and what is due again each time it rings."""
        while not self._stop.is_set():
            self._guarded("notices", self._noticing)
            self._notice_due.wait(self._every)
            self._notice_due.clear()

    def _noticing(self) -> None:
        if sent := self._container.notices.mail_owed(self._clock, self._stop.is_set):
            log.info("notices sent", count=sent)

    def _polling(self) -> None:
        if self._election.elected:  # one process looks into the mailbox
            self._container.feedback.poll(self._clock(), self._heeded)

    def _listen(self) -> Callable[[], None]:
        """Hears mail over LMTP or SMTP where a port is set; returns what ends it, after the mail being taken."""
        hearing = ExitStack()
        if listener := self._container.feedback.listener(
            self._clock, self._heeded, lambda error: log.error("inbound", reason=str(error))
        ):
            hearing.enter_context(listener)
        return hearing.close

    def _heeded(self, heeded: Heeded) -> None:
        log.info("heeded", action=str(heeded.action))
        for alarm in heeded.alarms:
            self._note(of_return(alarm))

    def _watch(self) -> None:
        now = self._clock()
        troubles, self._troubles = self._troubles, {}
        brought = [*self._container.monitoring.findings(now), *self._lasting.copy().values(), *troubles.values()]
        for finding in self._container.monitoring.alarm(first_causes(brought), now):
            log.warning("alarm", cause=finding.cause, headline=finding.headline, seen=finding.seen)

    def _housekeeping(self) -> None:
        """Rings every hour, so that a day whose hour was missed is not lost; acts once a day."""
        if self._election.elected and any((gone := self._container.privacy.housekeep_due(self._clock())).values()):
            log.info("housekept", **gone)

    def _note(self, finding: Finding) -> None:
        self._troubles[finding.cause] = finding

    def _ended(self, name: str, failure: Finding | None) -> None:
        """A job came to its end, or failed."""
        if failure is None:
            self._lasting.pop(name, None)
            return
        self._lasting[name] = failure
        self._note(failure)

    def _guarded(self, name: str, job: Callable[[], None]) -> None:
        """One job's trouble ends neither the daemon nor the other jobs: it is logged, and the next ring tries again."""
        if self._stop.is_set():
            return
        try:
            job()
        except DigestError as error:
            log.error(name, reason=str(error))
            self._ended(name, of_failure(name, error))
        except Exception as error:
            log.exception(name)
            self._ended(name, of_failure(name, error))
        else:
            self._ended(name, None)

    def _start_web(self) -> Callable[[], None]:
        from digest.web.app import create_app
        from digest.web.server import listening
        from digest.web.server import server as served

        sockets = listening(self._container.settings.web)
        app = create_app(self._container, wake_sender=self._notice_due.set)
        server = served(app, self._container.settings.web)
        # uvicorn's own handlers would take SIGTERM from us; it runs in a thread, where it installs none
        thread = threading.Thread(target=server.run, args=(sockets,), name="web", daemon=True)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(2)

        return end
