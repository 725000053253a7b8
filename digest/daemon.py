"""`digest run`: the bell, the pages and the postman in one process.

APScheduler only rings (memory job store, UTC, coalesced, no misfire limit); what is due is read from the tables each time, so
whatever was missed while the process was down is found at the first tick. SIGTERM or SIGINT: no new work begins, messages in
flight are finished, and the process ends within `GRACE` seconds; what a relay holds up longer is in the journal.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from digest.domain.errors import DigestError

if TYPE_CHECKING:
    from digest.wiring import Wiring

GRACE = 8.0
"""Seconds for what is in flight; systemd and docker kill after 10."""

log = structlog.get_logger("digest")


class Daemon:
    """Runs until it is told to stop. `clock` gives aware instants."""

    def __init__(
        self,
        wiring: Wiring,
        *,
        web: bool = True,
        deliver: bool = True,
        collect: bool = True,
        every_seconds: float = 60,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._wiring = wiring
        self._web, self._deliver, self._collect = web, deliver, collect
        self._every = every_seconds
        self._clock = clock
        self._stop = threading.Event()

    def stop(self) -> None:
        """Asks it to end; may be called from any thread or signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Blocks until `stop`, SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._wiring.store  # noqa: B018 - opens and checks the database now: a wrong one should end us here
        pages = self._start_web() if self._web else None
        scheduler = self._scheduler()
        scheduler.start()
        log.info("running", web=self._wiring.settings.web.base_url if self._web else None, lists=len(self._wiring.lists))
        self._stop.wait()
        log.info("stopping")
        scheduler.remove_all_jobs()
        finished = threading.Thread(target=scheduler.shutdown, daemon=True)
        finished.start()
        finished.join(GRACE)
        if pages:
            pages()
        log.info("stopped", clean=not finished.is_alive())

    def _signalled(self, signum: int, frame: FrameType | None) -> None:
        self.stop()

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(3, {"thread_name_prefix": "job"})})
        jobs: list[tuple[str, Callable[[], None]]] = [("tick", self._tick)]
        if self._collect:
            jobs.insert(0, ("collect", self._collecting))
        if self._deliver:
            jobs.append(("deliver", self._delivering))
        for name, job in jobs:
            trigger = IntervalTrigger(seconds=self._every, timezone=UTC)
            scheduler.add_job(
                job, trigger, id=name, max_instances=1, coalesce=True, misfire_grace_time=None, next_run_time=self._clock()
            )
        return scheduler

    def _collecting(self) -> None:
        def collect() -> None:
            for report in self._wiring.collect_due(self._clock()):
                log.info("collected", source=report.source, new=report.papers_new, signals=report.signals, error=report.error)

        self._guarded("collect", collect)

    def _tick(self) -> None:
        def tick() -> None:
            ticked = self._wiring.tick(self._clock())
            if ticked.editions or ticked.deliveries or ticked.failed:
                log.info("tick", editions=ticked.editions, deliveries=ticked.deliveries, failed=ticked.failed)

        self._guarded("tick", tick)

    def _delivering(self) -> None:
        def deliver() -> None:
            worked = self._wiring.deliver(self._clock, stop=self._stop.is_set)
            tally = worked.tally
            if tally.accepted or tally.failed or tally.retry or worked.stopped:
                log.info("delivered", accepted=tally.accepted, retry=tally.retry, failed=tally.failed, stopped=worked.stopped)

        self._guarded("deliver", deliver)

    def _guarded(self, name: str, job: Callable[[], None]) -> None:
        """One job's trouble ends neither the daemon nor the other jobs: it is logged and the next minute tries again."""
        if self._stop.is_set():
            return
        try:
            job()
        except DigestError as error:
            log.error(name, reason=str(error))
        except Exception:
            log.exception(name)

    def _start_web(self) -> Callable[[], None]:
        import uvicorn

        settings = self._wiring.settings.web
        config = uvicorn.Config(
            self._wiring.web_app(), host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False
        )
        server = uvicorn.Server(config)
        # uvicorn's own handlers would take SIGTERM from us; it runs in a thread, where it installs none
        thread = threading.Thread(target=server.run, name="web", daemon=True)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(2)

        return end
