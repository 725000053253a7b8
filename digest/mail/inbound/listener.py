"""Mail that comes in over LMTP or SMTP: 250 is said only after what the mail asks for has been committed.

For a mail server in front of us (Postfix: `transport_maps`, lmtp:inet:…), on loopback or a private network. It takes mail for
addresses of ours only, relays nothing, and holds nothing: what could not be kept gets 451 and stays with whoever sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from digest.domain.errors import ConfigurationError

MAX_MESSAGE = 30_000_000

Take = Callable[[bytes, Sequence[str]], None]
"""Processes one mail (its bytes, and whom it came for) and commits; whatever it raises, the sender keeps the mail."""

_KEPT = "250 2.0.0 processed"
_LATER = "451 4.3.0 could not be kept now; please try again later"
_NOT_OURS = "550 5.1.1 no such mailbox here"


class Listener:
    """A context manager: listening on `host`:`port` between enter and exit. Mails are taken one after the other."""

    def __init__(
        self,
        take: Take,
        accepts: Callable[[str], bool],
        *,
        host: str,
        port: int,
        protocol: Literal["lmtp", "smtp"] = "lmtp",
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """`accepts` says whether an address is ours to hear (the bounce and unsubscribe mailboxes, the reply address).
        `failed` is told what `take` raised."""
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbound")
        handler = _Handler(take, accepts, failed, self._worker)
        make = _Controller if protocol == "lmtp" else Controller
        self._where = f"{host}:{port}"
        self._controller = make(
            handler,
            hostname=host,
            port=port,
            data_size_limit=MAX_MESSAGE,
            enable_SMTPUTF8=True,
            ready_timeout=10,
            ident="digest",
        )

    def __enter__(self) -> Self:
        """Raises ConfigurationError where the port cannot be had."""
        try:
            self._controller.start()
        except OSError as error:
            self._controller.loop.close()
            raise ConfigurationError("inbound.port", f"{self._where} cannot be listened on: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The mail being taken is finished first."""
        self._controller.stop()
        self._worker.shutdown(wait=True)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return LMTP(self.handler, **self.SMTP_kwargs)


class _Handler:
    def __init__(
        self, take: Take, accepts: Callable[[str], bool], failed: Callable[[Exception], None], worker: ThreadPoolExecutor
    ) -> None:
        self._take, self._accepts, self._failed, self._worker = take, accepts, failed, worker

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if not self._accepts(address):
            return _NOT_OURS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        recipients = tuple(envelope.rcpt_tos)
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._take, data, recipients)
            reply = _KEPT
        except Exception as error:  # whatever it was, the mail is not ours to lose: its sender keeps it
            self._failed(error)
            reply = _LATER
        # LMTP answers once for each recipient (RFC 2033 §4.2)
        return "\r\n".join([reply] * (len(recipients) if isinstance(server, LMTP) else 1))
