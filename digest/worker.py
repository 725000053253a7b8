"""`digest worker`: works the outbox of a PostgreSQL database, on any number of hosts, nudged by Procrastinate.

A nudge is a job that runs for `TASK_TIME_LIMIT` at most: none waits long behind another, and a worker that is asked to stop does
so soon. What falls due without a nudge (a retry, or a nudge that was lost) is found by the sweep. Jobs of dead workers are queued
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from digest.domain.errors import ConfigurationError, DatabaseUnreachable, DigestError, SchemaMismatch
from digest.services.monitoring.alerts import Finding, of_failure, of_key, of_passed_over, of_relay, of_unknown_list
from digest.stop_signals import stop_signals
from digest.store.deliveries.jobs import QUEUE, SCHEMA, URGENT, WORK
from digest.store.engine import open_engine, transactions_are_pooled

if TYPE_CHECKING:
    import procrastinate

    from digest.container import Container

TASK_TIME_LIMIT = 20.0
"""Seconds that a nudge is worth."""
SWEEP_CRON = "* * * * * */10"
"""Every ten seconds, whoever is first."""
STALLED = 30.0
"""Seconds without a heartbeat after which a worker is dead; hearts beat every ten."""
GRACE = 8.0
"""Seconds for what is in flight; what a relay holds up longer is in the journal."""
SHUTDOWN_TIMEOUT = 4.0
"""Seconds, after that, for the queue's own connections to close."""
BACK_OFF = 2.0
"""Seconds until the database is tried again after it went away."""
DATABASE_START_TIMEOUT = 60.0
"""Seconds that the database may be away when we start: it may be starting too."""

log = structlog.get_logger("digest")


class Worker:
    """Runs until it is told to stop."""

    def __init__(self, container: Container, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._container, self._clock = container, clock
        self._stop = threading.Event()
        self._at_work = threading.Lock()
        """Held while mail is being handed over."""
        self._done = threading.Event()
        self._refused: SchemaMismatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def run(self) -> None:
        """Blocks until SIGTERM, SIGINT or SIGHUP; finishes what is in flight.

        Raises ConfigurationError where there is no PostgreSQL, DatabaseUnreachable where it has not been there for a minute at
        the start (later it may stay away as long as it likes), SchemaMismatch where the schema is not, or is no longer, ours.
        """
        if not self._container.settings.database.url.startswith("postgres"):
            raise ConfigurationError(
                "database.url", "should be PostgreSQL for workers; on SQLite `digest run` delivers by itself"
            )
        asyncio.run(self._working())
        self._done.set()
        if self._refused is not None:
            raise self._refused
        log.info("stopped")

    async def _working(self) -> None:
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        for number in stop_signals():  # first of all: whoever ends us may do so before the database is there
            self._loop.add_signal_handler(number, self._end)
        await self._opened()
        if not self._stop.is_set():
            log.info("worker started")
        while not self._stop.is_set():
            outcome = await self._until_ended(self._listening())
            if not self._stop.is_set():  # the database went away, or the queue has a fault: the outbox has all
                if isinstance(outcome, DigestError):
                    log.error("worker", reason=str(outcome))
                    await asyncio.to_thread(self._alarm, of_failure("worker", outcome))
                else:
                    log.error("worker", reason=_reason(outcome))
                await self._nap()

    async def _opened(self) -> None:
        """Opens the store, whose schema is checked with it."""
        until = time.monotonic() + DATABASE_START_TIMEOUT
        while not self._stop.is_set():
            try:
                if await asyncio.to_thread(lambda: transactions_are_pooled(self._container.adapters.store.engine)):
                    raise ConfigurationError(
                        "database.url",
                        "leads to a pooler that shares sessions (pgbouncer, pool_mode = transaction): workers wait for news in a"
                        " session of their own; give them PostgreSQL's own port, or a pool with pool_mode = session",
                    )
                if trouble := await asyncio.to_thread(lambda: self._container.adapters.key_problem):
                    log.error("secret key problem", reason=trouble)
                    self._alarm(of_key(trouble))
                return
            except DatabaseUnreachable as error:
                if time.monotonic() >= until and not self._stop.is_set():
                    raise
                log.warning("waiting for the database", reason=str(error))
            await self._nap()

    async def _until_ended(self, work: Coroutine[Any, Any, object]) -> object:
        """Runs `work` until it is done, or has come to its end after we were told to end; what it returned or raised."""
        assert self._ended is not None, "we are in the loop"
        working, ended = asyncio.create_task(work), asyncio.create_task(self._ended.wait())
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, ended):
            task.cancel()
        [outcome, _] = await asyncio.gather(working, ended, return_exceptions=True)
        return outcome

    async def _nap(self) -> None:
        assert self._ended is not None, "we are in the loop"
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), BACK_OFF)

    def _end(self) -> None:
        if not self._stop.is_set():
            threading.Thread(target=self._last_resort, name="last resort", daemon=True).start()
        self._stop.set()
        if self._ended is not None:
            self._ended.set()

    def _last_resort(self) -> None:
        """Ends the process where the queue does not let go of a database that is away: what matters is in the journal."""
        if self._at_work.acquire(timeout=GRACE):
            self._at_work.release()
        if not self._done.wait(SHUTDOWN_TIMEOUT):
            log.warning("the queue did not end; left it", refused=str(self._refused or ""))
            os._exit(1 if self._refused else 0)

    async def _listening(self) -> None:
        """Takes nudges until the database goes away or we are cancelled; then what is in flight is finished first.

        Before the first nudge: what our own journals know and the table does not, or others would send it again when our leases
        run out.
        """
        await asyncio.to_thread(self._container.delivery.deliver, self._clock, lambda: True)
        await asyncio.to_thread(self._may_connect)
        app = self._app()
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=1,
                install_signal_handlers=False,
                delete_jobs="always",
                fetch_job_polling_interval=5.0,
                stalled_worker_timeout=STALLED,
            )

    def _may_connect(self) -> None:
        """The queue's own connections come from a pool that says of a refusal only that it took too long.

        Raises DatabaseUnreachable.
        """
        open_engine(self._container.settings.database.url).dispose()

    def _app(self) -> procrastinate.App:
        import procrastinate

        url = self._container.adapters.store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connector = procrastinate.PsycopgConnector(
            conninfo=url, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=4, timeout=10
        )
        app = procrastinate.App(connector=connector)
        app.task(name=WORK, queue=QUEUE)(self._work)

        @app.periodic(cron=SWEEP_CRON)
        @app.task(name="sweep", queue=QUEUE, priority=URGENT - 1)
        async def sweep(timestamp: int) -> None:
            """Puts back what dead workers held, nudges for what is due without a nudge, and sends the notices that are due."""
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                await self._put_back(app, job)
            await app.job_manager.prune_stalled_workers(STALLED)
            await asyncio.to_thread(self._nudge)
            await asyncio.to_thread(self._notices)

        return app

    async def _put_back(self, app: procrastinate.App, job: Any) -> None:
        from procrastinate.exceptions import ConnectorException
        from procrastinate.jobs import Status

        log.warning("job of a dead worker queued again", job=job.id, task=job.task_name)
        try:
            await app.job_manager.retry_job(job)
        except ConnectorException:  # another nudge of its name waits already: that one is as good
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)

    def _work(self) -> None:
        """The task: delivers what is due, for `TASK_TIME_LIMIT` at most."""
        until = time.monotonic() + TASK_TIME_LIMIT
        try:
            self._container.adapters.check_schema()
            with self._at_work:
                result = self._container.delivery.deliver(
                    self._clock, stop=lambda: self._stop.is_set() or time.monotonic() >= until
                )
        except SchemaMismatch as error:
            self._refused = error
            assert self._loop is not None, "tasks run in the loop's threads"
            self._loop.call_soon_threadsafe(self._end)
            return
        except DigestError as error:
            log.error("deliver", reason=str(error))
            self._alarm(of_failure("deliver", error))
            return
        tally = result.tally
        if tally.accepted or tally.failed or tally.retry or result.stopped:
            log.info("delivered", accepted=tally.accepted, retry=tally.retry, failed=tally.failed, stopped=result.stopped)
        if not result.stopped:
            for relay, reason in result.passed_over.items():
                self._alarm(of_passed_over(relay, reason))
        for name, count in result.lists_unknown.items():
            self._alarm(of_unknown_list(name, count))
        if result.stopped:
            self._alarm(of_relay(result.stopped))
        elif time.monotonic() >= until:
            self._nudge()

    def _nudge(self) -> None:
        """For what is due and has no nudge."""
        try:
            self._container.delivery.nudge(self._clock())
        except DigestError as error:
            log.error("workers could not be nudged", reason=str(error))

    def _notices(self) -> None:
        """Confirmations that no relay took when they were asked for, and those of an import; for `TASK_TIME_LIMIT` at most."""
        until = time.monotonic() + TASK_TIME_LIMIT
        try:
            self._container.scheduler.notice_sender().acquire_or_renew()
            with self._at_work:
                sent = self._container.notices.send_queued(self._clock, lambda: self._stop.is_set() or time.monotonic() >= until)
        except DigestError as error:
            log.error("notices", reason=str(error))
            self._alarm(of_failure("notices", error))
            return
        if sent:
            log.info("notices sent", count=sent)

    def _alarm(self, finding: Finding) -> None:
        with contextlib.suppress(DigestError):
            self._container.monitoring.alarm([finding], self._clock())


def _reason(outcome: object) -> str:
    return f"{type(outcome).__name__}: {outcome}" if outcome else "the queue's connection was lost"
