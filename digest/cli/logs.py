"""What long-running commands print on stderr: one event a line, for people or as JSON, and no reader's address in it.

Whatever else logs in this process (the web server, the scheduler, the job queue) comes out the same way.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from digest.config import Log
from digest.domain.errors import InvalidAddress
from digest.domain.redaction import without_addresses
from digest.domain.subscriber import Address

_STRUCTLOGS = ("_record", "_from_structlog")
"""Of an event, what is structlog's own and not printed."""
_AT_LEAST = {
    "uvicorn.access": logging.WARNING,
    "apscheduler": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "psycopg.pool": logging.ERROR,
    "procrastinate": logging.CRITICAL,  # each lost connection is two tracebacks; worker.py says it in a line
}
"""What others must have to say before it is printed: their ordinary lines say nothing that ours do not."""


def set_up(settings: Log, hash_address: Callable[[str], str], stream: TextIO | None = None) -> None:
    """From now on everything that logs goes to `stream` (default: stderr) as `settings` say."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        WithoutAddresses(hash_address if settings.addresses == "hashed" else None),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    out = stream or sys.stderr
    ends: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, ends]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name, level in _AT_LEAST.items():
        logging.getLogger(name).setLevel(level)


class WithoutAddresses:
    """Replaces what looks like a mail address in any text of an event, wherever it came from: a relay's reply, a traceback.

    By "<address>"; with `hash_address` by "<address 1f2e3d4c5b6a>", the beginning of its keyed hash.
    """

    def __init__(self, hash_address: Callable[[str], str] | None) -> None:
        self._hash = hash_address

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        kept = {key: event[key] for key in _STRUCTLOGS if key in event}
        return {key: self._clean(value) for key, value in event.items()} | kept

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return without_addresses(value, self._word)
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._clean(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))

    def _word(self, address: str) -> str:
        return "<address>" if self._hash is None else f"<address {letters_of(address, self._hash)}>"


def letters_of(address: str, hash_address: Callable[[str], str]) -> str:
    """What stands for an address in the log."""
    try:
        key = Address(address).key
    except InvalidAddress:
        key = address.casefold()
    return hash_address(key)[:12]
