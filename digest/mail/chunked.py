"""Several messages under way on one connection, for a relay far away: BDAT (RFC 3030) needs no leave to send, as DATA does.

Everything of a message (RSET, MAIL, RCPT, BDAT and its bytes) goes out without waiting for an answer; up to `in_flight` messages
are on their way, and the answers come in their order. The price: as many of them can be in doubt when the connection or this
process dies, where a plain session has one. So it is used only where the relay is far away or the operator asks for it
(`relays.in_flight`), and the relay offers both CHUNKING and PIPELINING.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime

from digest.domain.delivery import Attempt, Envelope, Reply, Stage
from digest.domain.errors import MailError
from digest.mail.replies import Replies, SessionLost
from digest.mail.send_log import SendLog
from digest.mail.session import TAIL, Session, Timeouts, written_down
from digest.mail.waiting import Steps, Telling
from digest.mail.wire import Offers, commands, in_crlf

_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DOT)


class ChunkedSession(Session):
    """A session that keeps up to `in_flight` messages under way. What `Session.sending` promises holds but for that number.

    What was sent whole when the connection ends is uncertain, message by message; nothing of it is in `unsent`.
    """

    def __init__(
        self,
        relay: str,
        replies: Replies,
        offers: Offers,
        timeouts: Timeouts,
        limit: int,
        clock: Callable[[], datetime],
        in_flight: int,
    ) -> None:
        super().__init__(relay, replies, offers, timeouts, limit, clock)
        self._in_flight = in_flight
        self._gone = ""
        """Why the connection ended, once it has."""

    def sending(self, envelopes: Iterable[Envelope], log: SendLog) -> Telling[Attempt, None]:
        """Sends until the envelopes end, the cap is reached or the session is lost. Raises only what `log` raises."""
        taking, flight = iter(envelopes), list[Envelope]()
        broken: Attempt | None = None
        failure: MailError | None = None
        try:
            while True:
                while len(flight) < self._in_flight and self._sock is not None and not (broken or failure):
                    head = yield from self._take(taking, flight)
                    if head is None:
                        break
                    try:
                        broken = yield from self._say_all(head, log)
                    except MailError as unwritten:  # its dot is not in the log, so it is not sent; those before it may be
                        failure = unwritten
                        self.unsent.append(head)
                    if broken or failure:
                        flight.pop()  # the one just taken
                if not flight:
                    break
                attempt, error = yield from self._answer(flight[0], log)
                flight.pop(0)
                yield attempt
                failure = failure or error
            if broken:
                self._abandon()
                yield broken
            if failure:
                self._abandon()
                raise failure
        finally:
            if flight:
                self._abandon()
                self.unsent += flight

    def _say_all(self, head: Envelope, log: SendLog) -> Steps[Attempt | None]:
        """Everything of a message; what became of it where the connection broke before its last bytes went out."""
        data = memoryview(head.data if head.ready else in_crlf(head.data))
        cut = max(len(data) - TAIL, 0)
        mail, rcpt, _ = commands(head, self.offers)
        # a transaction that was refused stays open until RSET, and we shall hear of it only when the next is on its way
        announced = b"".join((b"RSET\r\n", mail, rcpt, b"BDAT %d LAST\r\n" % len(data)))
        try:
            yield from self._write(announced, self._more)
            yield from self._write(data[:cut], self._more)
        except SessionLost as lost:
            return self._attempt(head, Stage.BODY, None, str(lost))
        log.dot(head.delivery_id, self._clock(), self.relay)
        with contextlib.suppress(SessionLost):  # the answer may be there all the same
            yield from self._write(data[cut:])
            self._replies.asked()
        return None

    def _answer(self, head: Envelope, log: SendLog) -> Steps[tuple[Attempt, MailError | None]]:
        """What became of the oldest message under way, and what the log failed to write down of it."""
        refusal: Attempt | None = None
        try:
            yield from self._heard(b"RSET", Stage.MAIL)
            for stage in _STAGES:
                reply = yield from self._heard(stage.upper().encode(), stage)
                if reply.code // 100 != 2:
                    refusal = refusal or self._attempt(head, stage, reply)
                if reply.code == 421:
                    raise SessionLost(f"the relay said {reply}")
            self.answered += 1
            attempt = refusal if refusal and reply.code // 100 != 2 else self._attempt(head, Stage.DOT, reply)
        except SessionLost as lost:
            self._gone = self._gone or str(lost)
            self._abandon()
            attempt = refusal or self._attempt(head, Stage.DOT, None, str(lost))
        said = attempt.reply
        if said is None:
            return attempt, written_down(lambda: log.lost(head.delivery_id, attempt.at, self.relay, attempt.error))
        return attempt, written_down(lambda: log.reply(head.delivery_id, attempt.at, self.relay, said))

    def _heard(self, command: bytes, stage: Stage) -> Steps[Reply]:
        """The next answer. Raises SessionLost where there is none, or one that cannot be an answer to `command`."""
        if self._sock is None:
            raise SessionLost(self._gone or "connection lost")
        reply = yield from self._replies.read(self._timeouts.dot if stage is Stage.DOT else self._timeouts.command)
        if reply.code // 100 == 3 or (command == b"RSET" and reply.code // 100 != 2):
            raise SessionLost(f"{command.decode()} was answered {reply}")
        return reply
