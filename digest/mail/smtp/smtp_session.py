"""SMTP transactions on an open connection: one round trip a message where the relay offers PIPELINING (RFC 2920).

With PIPELINING the final dot of one message travels together with MAIL, RCPT and DATA of the next. Only one message is ever
between its final dot and the answer to it, so only that one can be in doubt when a connection or this process dies.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from digest.domain.delivery import Attempt, Envelope, Reply, Stage
from digest.domain.errors import MailError
from digest.domain.rate_limit import connection_is_full
from digest.mail.inbound.bounce_classifier import domains_of_ours
from digest.mail.smtp.journal import SendLog, written_down
from digest.mail.smtp.poll_loop import AT_ONCE, NOT_NOW, Dialogue, Pace, Steps, Wait, finished, run_one, turn, wait_for
from digest.mail.smtp.relay_settings import Timeouts
from digest.mail.smtp.wire import EhloExtensions, NoReply, Replies, SessionLost, commands, failed_keyword, impossible, on_the_wire

_TAIL = 4096
"""The last bytes of a message go out with its final dot and the next announcement, which is far shorter than this: what breaks
before them breaks before the dot.
"""
_MORE: int = getattr(socket, "MSG_MORE", 0)
"""Linux: the body's last, partial packet may wait for the bytes that follow at once, so the server wakes once and not twice."""
_QUIT_PATIENCE = 2.0
PROMPT = 0.5
"""Seconds. Where a relay takes longer over a final dot, the next message is announced after the answer and not before: the round
trip that this costs is little beside the wait, and what is announced cannot be withheld any more.
"""
_ASKED = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_ALREADY_SENT = (b"", b"", b"")


class Session:
    """One connection to a relay, ready for MAIL. Made by `Relay.connect`; used by one thread.

    `unsent` holds the envelopes taken from the caller of which the relay saw nothing that counts: give them to the next session.
    """

    def __init__(
        self,
        relay: str,
        replies: Replies,
        extensions: EhloExtensions,
        timeouts: Timeouts,
        limit: int,
        clock: Callable[[], datetime],
        pace: Pace = AT_ONCE,
    ) -> None:
        self.relay = relay
        self.extensions = extensions
        self.answered = 0
        """Transactions that ended with a reply other than 421. What is lost afterwards at MAIL is not the message's fault."""
        self.unsent: list[Envelope] = []
        self._replies = replies
        self._sock: socket.socket | None = replies.sock
        self._timeouts = timeouts
        self._room = limit
        self._clock = clock
        self._pace = pace
        self.failed_extension = ""
        """The EHLO keyword of what the relay offered and does not keep."""
        self._more = 0 if isinstance(replies.sock, ssl.SSLSocket) else _MORE
        self._prompt = True
        """Whether the last final dot was answered soon."""
        self._tidy: list[bytes] = []
        """Commands to be sent to the server before the next MAIL."""

    @property
    def usable(self) -> bool:
        """Whether another message may be sent: the connection stands and its cap is not reached."""
        return self._sock is not None and self._room > 0

    def send(self, envelopes: Iterable[Envelope], log: SendLog) -> Iterator[Attempt]:
        """`sending`, waiting where it waits."""
        return run_one(self.sending(envelopes, log))

    def sending(self, envelopes: Iterable[Envelope], log: SendLog) -> Dialogue[Attempt, None]:
        """Sends until the envelopes end, the cap is reached or the session is lost (see `usable`).

        An envelope is taken when its message is begun: at most one ahead of the one being answered, whose dot goes out together
        with the next announcement. Taking should not block.
        Every envelope taken comes out once: as an Attempt, or in `unsent`, which costs it nothing. Raises only what `log`
        raises (the session is then closed). Closing the generator closes the connection if a message had been announced.
        """
        taking = iter(envelopes)
        flight: list[Envelope] = []
        try:
            head = yield from self._take(taking, flight)
            announced = False
            while head is not None:
                if not announced:
                    yield from self._announce(head)
                refused, go_ahead = (None, True) if self._granted() else (yield from self._answers(head))
                if refused is not None:
                    flight.pop(0)
                    yield refused
                    self._reset_next(go_ahead)
                    head, announced = (yield from self._take(taking, flight)) if self._sock else None, False
                    continue
                # one that has to wait its turn must not hold up the one that is announced
                ahead = self.extensions.pipelining and self._prompt and self._pace.wait() <= 0
                following = (yield from self._take(taking, flight, now=True)) if ahead else None
                attempt, error = yield from self._message(head, following, log)
                flight.pop(0)
                yield attempt
                if error is not None:
                    raise error
                head, announced = (following if self._sock else None), ahead
                if following is None and self._sock:
                    head, announced = (yield from self._take(taking, flight)), False
        except _Unsent:
            pass
        finally:
            if flight:
                self._abandon()
                self.unsent += flight

    def ask(self, command: bytes) -> Steps[Reply]:
        """One command and its answer, outside of sending. Raises SessionLost."""
        yield from self._write(command)
        return (yield from self._replies.read(self._timeouts.command))

    def close(self) -> None:
        """`quitting`, waiting where it waits."""
        finished(self.quitting())

    def quitting(self) -> Steps[None]:
        """Says QUIT and hangs up. What the relay answers changes nothing."""
        if self._sock is None:
            return
        with contextlib.suppress(SessionLost):
            yield from self._write(b"".join(self._tidy) + b"QUIT\r\n")
            for _ in range(len(self._tidy) + 1):
                yield from self._replies.read(_QUIT_PATIENCE)
        self._abandon()

    def _take(self, taking: Iterator[Envelope], flight: list[Envelope], now: bool = False) -> Dialogue[Attempt, Envelope | None]:
        """The next envelope this relay can be asked to carry, in its turn; those it cannot are answered here, on its behalf."""
        if not now:
            yield from turn(self._pace)
        while self._room > 0:
            envelope = next(taking, None)
            if envelope is None:
                return None
            refusal = impossible(envelope, self.extensions)
            if refusal is None:
                self._room -= 1
                flight.append(envelope)
                return envelope
            yield Attempt(envelope.delivery_id, self._clock(), self.relay, Stage.MAIL, refusal)
        return None

    def _announce(self, head: Envelope) -> Steps[None]:
        """With PIPELINING, says everything up to DATA at once; without, only what is left from before."""
        if self.extensions.pipelining:
            with contextlib.suppress(SessionLost):  # reading the answers will tell, or find the server's last words
                yield from self._write(b"".join((*self._tidy, *commands(head, self.extensions))))

    def _granted(self) -> bool:
        """Whether the server waits for the message at once, as it mostly does where it heard everything up to DATA."""
        return self.extensions.pipelining and not self._tidy and self._replies.all_granted()

    def _answers(self, head: Envelope) -> Steps[tuple[Attempt | None, bool]]:
        """(why the message is not to be sent or None, whether the server now waits for a message)."""
        stage, refusal, go_ahead = Stage.MAIL, None, False
        try:
            yield from self._settle()
            asked = _ALREADY_SENT if self.extensions.pipelining else commands(head, self.extensions)
            for stage, command in zip(_ASKED, asked, strict=True):
                if not self.extensions.pipelining:
                    if refusal:
                        break
                    with contextlib.suppress(SessionLost):  # the server may have said why before it hung up
                        yield from self._write(command)
                reply = yield from self._replies.read(self._timeouts.data if stage is Stage.DATA else self._timeouts.command)
                if stage is Stage.MAIL and (keyword := failed_keyword(head, reply, self.extensions)):
                    self.failed_extension = keyword
                    self._abandon()
                    raise _Unsent
                go_ahead = stage is Stage.DATA and reply.code // 100 == 3
                if self.answered and refusal is None and connection_is_full(stage, reply):
                    self._abandon()
                    raise _Unsent
                if reply.code == 421:
                    self._abandon()
                    return refusal or self._attempt(head, stage, reply), False
                if reply.code // 100 in (4, 5):
                    refusal = refusal or self._attempt(head, stage, reply)
                elif (reply.code // 100 == 3) is not (stage is Stage.DATA):
                    raise SessionLost(f"{reply.code} is no answer to {stage.upper()}")
            if go_ahead and not refusal and self._replies.unread:
                early = yield from self._replies.read(self._timeouts.data)
                self._abandon()
                if early.code // 100 in (4, 5):
                    return self._attempt(head, Stage.DATA, early), False
                raise SessionLost(f"answered {early.code} before the message was sent")
        except SessionLost as lost:
            fault = stage is not Stage.MAIL or not self.answered
            if self.extensions.pipelining and not self.answered and stage is not Stage.MAIL and isinstance(lost, NoReply):
                self.failed_extension, fault = "PIPELINING", False  # it heard MAIL and threw away what came with it
            self._abandon()
            if refusal is None and not fault:
                raise _Unsent from None
            return refusal or self._attempt(head, stage, None, str(lost)), False
        self.answered += refusal is not None
        return refusal, go_ahead

    def _settle(self) -> Steps[None]:
        """Sends (without PIPELINING) and hears out what was left from the transaction before."""
        queued, self._tidy = self._tidy, []
        for command in queued:
            if not self.extensions.pipelining:
                yield from self._write(command)
            reply = yield from self._replies.read(self._timeouts.command)
            if reply.code == 421 or (command == b"RSET\r\n" and reply.code // 100 != 2):
                raise SessionLost(f"{command.strip().decode()} was answered {reply}")

    def _reset_next(self, go_ahead: bool) -> None:
        """A transaction that was refused: end the empty message if the server waits for one (RFC 2920 §3.1), then RSET."""
        self._tidy = [b".\r\n", b"RSET\r\n"] if go_ahead else [b"RSET\r\n"]

    def _message(self, head: Envelope, following: Envelope | None, log: SendLog) -> Steps[tuple[Attempt, MailError | None]]:
        """Body, dot, and the next announcement; what became of it, and what the log failed to write down after the answer."""
        data = head.pieces if head.ready else (on_the_wire(head.data),)
        announcement = commands(following, self.extensions) if following is not None else ()
        whole = memoryview(b"".join((*data, b".\r\n", *announcement)))
        cut = max(len(whole) - _TAIL, 0)
        try:
            yield from self._write(whole[:cut], self._more)
        except SessionLost as lost:
            return (yield from self._broken_off(head, str(lost))), None
        log.dot(head.delivery_id, self._clock(), self.relay)
        try:
            with contextlib.suppress(SessionLost):  # the answer may be there all the same
                yield from self._write(whole[cut:])
                self._replies.asked()
            asked_at = self._replies.monotonic()
            reply = yield from self._replies.read(self._timeouts.dot)
            self._prompt = self._replies.monotonic() - asked_at < PROMPT
            if reply.code // 100 == 3:
                raise SessionLost(f"{reply.code} is no answer to the final dot")
        except SessionLost as lost:
            self._abandon()
            attempt = self._attempt(head, Stage.DOT, None, str(lost))
            return attempt, written_down(lambda: log.lost(head.delivery_id, attempt.at, self.relay, attempt.error))
        attempt = self._attempt(head, Stage.DOT, reply)
        if reply.code == 421:
            self._abandon()
        else:
            self.answered += 1
        return attempt, written_down(lambda: log.reply(head.delivery_id, attempt.at, self.relay, reply))

    def _broken_off(self, head: Envelope, error: str) -> Steps[Attempt]:
        """The connection broke before the dot: nothing was accepted. The server may have said why."""
        reply = None
        with contextlib.suppress(SessionLost):
            answer = yield from self._replies.read(_QUIT_PATIENCE)
            reply = answer if answer.code // 100 in (4, 5) else None
        self._abandon()
        return self._attempt(head, Stage.BODY, reply, "" if reply else error)

    def _attempt(self, envelope: Envelope, stage: Stage, reply: Reply | None, error: str = "") -> Attempt:
        ours = domains_of_ours(envelope.sender, envelope.recipient) if reply is not None and reply.code >= 400 else frozenset()
        return Attempt(envelope.delivery_id, self._clock(), self.relay, stage, reply, error, ours)

    def _write(self, data: bytes | memoryview, flags: int = 0) -> Iterable[Wait]:
        """Writes it; the waits that takes are none where it goes out at once, as it mostly does. Raises SessionLost."""
        try:
            left = self._send(memoryview(data), flags)
        except NOT_NOW:
            left = memoryview(data)
        return self._insist(left, flags) if left else ()

    def _insist(self, left: memoryview, flags: int) -> Steps[None]:
        patience, until = self._timeouts.block, 0.0
        while left:
            try:
                left, until = self._send(left, flags), 0.0
            except NOT_NOW as error:
                now = self._replies.monotonic()
                until = until or now + patience
                if now >= until:
                    raise SessionLost(f"the server took nothing for {patience:g} s") from None
                yield wait_for(self._replies.sock, error, True, until)

    def _send(self, data: memoryview, flags: int) -> memoryview:
        """What of it is left to be sent. Raises NOT_NOW, SessionLost."""
        if not data:
            return data
        if self._sock is None:
            raise SessionLost("connection lost")
        try:
            return data[self._sock.send(data, flags) :]
        except NOT_NOW:
            raise
        except OSError as error:
            raise SessionLost(f"connection lost: {error.strerror or error}") from None

    def _abandon(self) -> None:
        """Hangs up without a word."""
        sock, self._sock = self._sock, None
        self._tidy = []
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()


class _Unsent(Exception):
    """The session was lost before it heard of the message at its head."""
