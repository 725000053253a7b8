"""`digest run`: the scheduled jobs, the pages and the sending in one process.

APScheduler only wakes us (memory job store, UTC, coalesced, no misfire limit); what is due is read from the tables each time, so
whatever was missed while the process was down is found at the first tick. It waits by the wall clock: where somebody sets that,
every job is run at once (`_watch_clock`). SIGTERM, SIGINT or SIGHUP: no new work begins, messages in flight are finished, and
the process ends within `GRACE` seconds; what a relay holds up longer is in the journal.

Any number of daemons may share a database: each serves pages and delivers, one of them, by
election (services/scheduler/election.py), makes what is due.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from digest.domain.errors import DigestError, SchemaMismatch
from digest.services.monitoring.alerts import Finding, first_causes, of_cohort, of_edition, of_failure, of_relay, of_return
from digest.services.scheduler.election import ASK
from digest.stop_signals import on_stop_signal, wait_for

if TYPE_CHECKING:
    from digest.container import Container
    from digest.services.feedback.process import FeedbackResult

GRACE = 8.0
"""Seconds for what is in flight; systemd and docker kill after 10."""

CLOCK_LOOK = 5.0
CLOCK_STEP = 2.0
"""Seconds between two looks at the wall clock, and how far it must have been set to be noticed."""

log = structlog.get_logger("digest")


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
        self._elected = False
        self._refused: SchemaMismatch | None = None
        self._troubles: dict[str, Finding] = {}
        """By cause: what went wrong since the operator was last told."""
        self._lasting: dict[str, Finding] = {}
        """By job: what it last failed by, until it comes to its end."""

    def stop(self) -> None:
        """Asks it to end; may be called from any thread, not from a signal handler (`on_stop_signal`)."""
        self._stop.set()
        self._notice_due.set()

    def run(self) -> bool:
        """Blocks until `stop`, SIGTERM, SIGINT or SIGHUP. False: a job did not end in time, and its thread goes on.

        Raises SchemaMismatch where the database is, or becomes, another's, and PortUnavailable where the pages have no place.
        """
        on_stop_signal(self.stop)
        self._election = self._container.scheduler.election()  # opens and checks the database: a wrong one should end us here
        self._notice_sender = self._container.scheduler.notice_sender()
        self._load()
        pages = self._start_web() if self._web else None
        scheduler = self._make_scheduler()
        self._guarded("lead", lambda: self._lead(scheduler))
        scheduler.start()
        threading.Thread(target=self._watch_clock, args=(scheduler,), name="clock", daemon=True).start()
        if self._deliver:
            threading.Thread(target=self._send_notices, name="notices", daemon=True).start()
        end_listening = self._listen()
        if self._container.adapters.key_problem:
            log.error("secret key problem", reason=self._container.adapters.key_problem)
        log.info(
            "running", web=self._container.settings.web.base_url if self._web else None, lists=len(self._container.adapters.lists)
        )
        wait_for(self._stop)
        log.info("stopping")
        scheduler.remove_all_jobs()
        finished = threading.Thread(target=scheduler.shutdown, daemon=True)
        finished.start()
        finished.join(GRACE)
        self._election.resign()
        self._notice_sender.resign()
        end_listening()
        if pages:
            pages()
        log.info("stopped", clean=not finished.is_alive())
        if self._refused is not None:
            raise self._refused
        return not finished.is_alive()

    def _load(self) -> None:
        """What the jobs use takes a second to load: before there are pages that would wait for it."""
        container = self._container
        container.delivery, container.privacy, container.adapters.edition_renderer, container.adapters.summaries  # noqa: B018

    def _make_scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(8, {"thread_name_prefix": "job"})})
        jobs: list[tuple[str, Callable[[], None], float]] = [
            ("lead", lambda: self._lead(scheduler), ASK.total_seconds()),
            ("tick", self._tick, self._every),
            ("watch", self._watch, self._every),
            ("housekeep", self._prune, 3600),
        ]
        if self._collect:
            jobs.insert(0, ("collect", self._collecting, self._every))
            jobs.append(("libraries", self._reading_libraries, self._every))
        if self._container.papers.encodes:
            jobs.append(("encode", self._encoding, self._every))
        if self._deliver:
            jobs.append(("deliver", self._delivering, self._every))
        if self._container.feedback.imap is not None:
            jobs.append(("poll", self._polling, self._container.settings.inbound.imap_every))
        for name, job, seconds in jobs:
            # the watch looks when the others have tried once: it need not tell of what they see the cause of; a wrong key is told
            # at once
            wait = seconds if name == "watch" and not self._container.adapters.key_problem else 0
            scheduler.add_job(
                self._guarded,
                IntervalTrigger(seconds=seconds, timezone=UTC),
                args=(name, job),
                id=name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=self._clock() + timedelta(seconds=wait),
            )
        return scheduler

    def _watch_clock(self, scheduler: BackgroundScheduler) -> None:
        """Runs every job when the wall clock was set: by the times it had, the next would come too late, or never."""
        ahead = time.time() - time.monotonic()
        while not self._stop.wait(CLOCK_LOOK):
            before, ahead = ahead, time.time() - time.monotonic()
            if abs(ahead - before) > CLOCK_STEP:
                log.warning("clock_set", seconds=round(ahead - before))
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))

    def _lead(self, scheduler: BackgroundScheduler) -> None:
        """Asks for the lease; who takes over begins at once. Whose program is older than the schema ends."""
        try:
            self._container.adapters.check_schema()
        except SchemaMismatch as error:
            self._refused = error
            self.stop()
            return
        if self._deliver:
            self._notice_sender.acquire_or_renew()
        before, self._elected = self._elected, self._election.acquire_or_renew()
        if self._elected and not before:
            log.info("became leader", owner=self._election.owner)
            for job in filter(None, map(scheduler.get_job, ("collect", "tick"))):
                job.modify(next_run_time=datetime.now(UTC))
        elif before and not self._elected:
            log.warning("lost leadership", owner=self._election.owner)

    def _collecting(self) -> None:
        if not self._election.elected:
            return
        for report in self._container.papers.collect_due(self._clock()):
            log.info("collected", source=report.source, new=report.papers_new, signals=report.signals, error=report.error)
        categorised, looked_up = self._container.papers.look_up(self._clock())
        if categorised or looked_up.asked or looked_up.error:
            log.info("looked up", categories=categorised, **asdict(looked_up))

    def _reading_libraries(self) -> None:
        """A job of its own: a large library takes minutes, and nothing waits for it."""
        if self._election.elected:
            synced = self._container.libraries.sync(self._clock, stop=self._stop.is_set)
            if synced.requests or synced.problems:
                log.info("libraries read", **asdict(synced))

    def _encoding(self) -> None:
        """A job of its own: a window of papers takes minutes, and nothing waits for it."""
        if self._election.elected:
            encoded = self._container.papers.encode(self._clock, self._stop.is_set)
            if encoded.papers or encoded.works or encoded.error:
                log.info("encoded", **asdict(encoded))

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
            result = self._container.delivery.deliver(self._clock, stop=self._stop.is_set, progress=progress)
        tally = result.tally
        if tally.accepted or tally.failed or tally.retry or result.stopped:
            log.info("delivered", accepted=tally.accepted, retry=tally.retry, failed=tally.failed, stopped=result.stopped)
        self._ended("relay", of_relay(result.stopped) if result.stopped else None)

    def _send_notices(self) -> None:
        """Confirmations, welcomes and goodbyes: as soon as a page asks for one, and what is due again each time the job runs."""
        while not self._stop.is_set():
            self._guarded("notices", self._noticing)
            self._notice_due.wait(self._every)
            self._notice_due.clear()

    def _noticing(self) -> None:
        if sent := self._container.notices.send_queued(self._clock, self._stop.is_set):
            log.info("notices sent", count=sent)

    def _polling(self) -> None:
        if self._election.elected:  # one process looks into the mailbox
            self._container.feedback.poll(self._clock(), self._processed)

    def _listen(self) -> Callable[[], None]:
        """Hears mail over LMTP or SMTP where a port is set; returns what ends it, after the mail being taken."""
        hearing = ExitStack()
        if listener := self._container.feedback.listener(
            self._clock, self._processed, lambda error: log.error("inbound", reason=str(error))
        ):
            hearing.enter_context(listener)
        return hearing.close

    def _processed(self, processed: FeedbackResult) -> None:
        log.info("feedback processed", action=str(processed.action))
        for alarm in processed.alarms:
            self._note(of_return(alarm))

    def _watch(self) -> None:
        now = self._clock()
        troubles, self._troubles = self._troubles, {}
        brought = [*self._container.monitoring.findings(now), *self._lasting.copy().values(), *troubles.values()]
        for finding in self._container.monitoring.alarm(first_causes(brought), now):
            log.warning("alarm", cause=finding.cause, headline=finding.headline, seen=finding.seen)

    def _prune(self) -> None:
        """Is run every hour, so that a day whose hour was missed is not lost; acts once a day."""
        if self._election.elected and any((gone := self._container.privacy.retention_due(self._clock())).values()):
            log.info("pruned", **gone)

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
        """One job's trouble ends neither the daemon nor the other jobs: it is logged, and its next run tries again."""
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
