"""What is said on the wire: the commands and bytes of a message, and the replies to them (RFC 5321 §4.2), which come in pieces,
in several lines, early, late, or not at all.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from digest.domain.delivery import Envelope, Reply
from digest.domain.errors import MailError
from digest.mail.smtp.poll_loop import NOT_NOW, Steps, Wait, wait_for

_BARE = re.compile(rb"\r\n|\r|\n")
NOT_SENT = "not sent: "
"""So begins the reply that we give ourselves on behalf of a relay that cannot carry a message."""
_UNSAFE_PATH = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class EhloExtensions:
    """What the relay's EHLO promised. `size` is the largest message in bytes, 0 when it names none."""

    pipelining: bool = False
    size_known: bool = False
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    enhanced: bool = False

    def without(self, keywords: frozenset[str]) -> EhloExtensions:
        """What is left when those that do not work are not used."""
        return replace(
            self,
            pipelining=self.pipelining and "PIPELINING" not in keywords,
            size_known=self.size_known and "SIZE" not in keywords,
            eight_bit=self.eight_bit and "8BITMIME" not in keywords,
            smtputf8=self.smtputf8 and "SMTPUTF8" not in keywords,
        )


_NO_SUCH_PARAMETER = re.compile(r"\b(?:SIZE|BODY|8BITMIME|SMTPUTF8|parameters?|arguments?|extensions?)\b", re.IGNORECASE)
_PARAMETERS = (("SIZE", " SIZE="), ("8BITMIME", " BODY="), ("SMTPUTF8", " SMTPUTF8"))
"""By EHLO keyword, what it adds to MAIL."""


def failed_keyword(envelope: Envelope, reply: Reply, extensions: EhloExtensions) -> str:
    """The keyword of an extension that was offered and then refused at MAIL; "" where the refusal is about something else.

    The one that the reply names, else the first of those that were used: the next try is made without it.
    """
    if reply.code not in (501, 504, 555) or (reply.code == 501 and not _NO_SUCH_PARAMETER.search(reply.text)):
        return ""
    mail = commands(envelope, extensions)[0].decode()
    used = [keyword for keyword, parameter in _PARAMETERS if parameter in mail.rpartition(">")[2]]
    return next((each for each in used if re.search(rf"\b{each}\b", reply.text, re.IGNORECASE)), used[0] if used else "")


def impossible(envelope: Envelope, extensions: EhloExtensions) -> Reply | None:
    """Why this relay cannot carry it: our own answer on its behalf, said before anything is sent. None when it can."""
    paths = envelope.sender + envelope.recipient
    if _UNSAFE_PATH.search(paths):
        return Reply(501, f"{NOT_SENT}the envelope holds a space, control character or angle bracket", "5.5.4")
    if not paths.isascii() or envelope.smtputf8:
        if not extensions.smtputf8:
            return Reply(553, f"{NOT_SENT}the address is not ASCII and this relay does not offer SMTPUTF8", "5.6.7")
    elif not extensions.eight_bit and not envelope.data.isascii():
        return Reply(554, f"{NOT_SENT}the message is not ASCII and this relay does not offer 8BITMIME", "5.6.3")
    if 0 < extensions.size < envelope.size:
        return Reply(552, f"{NOT_SENT}{envelope.size} bytes, this relay takes {extensions.size}", "5.3.4")
    return None


def commands(envelope: Envelope, extensions: EhloExtensions) -> tuple[bytes, bytes, bytes]:
    """MAIL, RCPT and DATA, with the parameters that the relay offers and the message needs."""
    sender, recipient = envelope.sender, envelope.recipient
    parameters = f" SIZE={envelope.size}" if extensions.size_known else ""
    ascii_paths = sender.isascii() and recipient.isascii()
    # SMTPUTF8 lets the header be UTF-8, and then 8BITMIME must be said too (RFC 6531 §3.6); what is ready is ASCII otherwise
    if extensions.eight_bit and not ((envelope.ready and not envelope.smtputf8) or envelope.data.isascii()):
        parameters += " BODY=8BITMIME"
    if envelope.smtputf8 or not ascii_paths:
        parameters += " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{parameters}\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n"


def on_the_wire(data: bytes) -> bytes:
    """`data` with CRLF line ends only, ended by one, and dots doubled at line starts (RFC 5321 §4.5.2).

    A bare CR or LF never goes out: servers that take one for a line end can be made to see a second message (smuggling).
    """
    if not data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        data = _BARE.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data


# ---- what a relay says -------------------------------------------------------------------------------------------------------


_LONGEST_LINE = 2048
"""RFC 5321 §4.5.3.1.5 promises 512; some servers explain themselves at length."""
_MOST_LINES = 128
_AT_ONCE = 960
"""Bytes read in one go: the answers to a message are a tenth of it, and Python makes room for all of it each time."""
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*?))?\r?", re.DOTALL)
_ALL_GRANTED = re.compile(rb"(?:2[0-9][0-9] [^\r\n]*\r?\n){2}3[0-9][0-9] [^\r\n]*\r?\n")
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")
_LONGEST_TEXT = 1000
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Linux only."""


class SessionLost(MailError):
    """The connection ended, timed out or said something that is no reply. The message says which; it stays in this room."""


class NoReply(SessionLost):
    """The connection stands, and nothing was said in time."""


class Replies:
    """The reading half of a session. `deadline` is for a whole reply: a server that drips bytes does not hold us for ever.

    The socket does not block.
    """

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.sock = sock
        self._buffer = b""
        self.monotonic = monotonic
        self._plain = not isinstance(sock, ssl.SSLSocket)
        self._asked = False
        """Something was written since we last heard something: it carried our acknowledgement, and the answer takes a moment."""

    @property
    def unread(self) -> bool:
        """Whether the server said something that nobody has read: it answers what was not asked."""
        return bool(self._buffer)

    def asked(self) -> None:
        """Say this after writing what will be answered."""
        self._asked = True

    def all_granted(self) -> bool:
        """Whether MAIL, RCPT and DATA were all granted, in one line each, and nothing more was said: then they are read.

        The usual case with PIPELINING. Everything else is left where it is, for `read`.
        """
        granted = _ALL_GRANTED.fullmatch(self._buffer) is not None
        if granted:
            self._buffer = b""
        return granted

    def read(self, timeout: float) -> Steps[Reply]:
        """The next reply. Raises SessionLost."""
        deadline = self.monotonic() + timeout
        line = yield from self._line(deadline, timeout)
        if line[3:4] != b"-":
            return _reply_in(line)
        code, texts = yield from self._lines(line, deadline, timeout)
        return reply_of(code, texts)

    def read_lines(self, timeout: float) -> Steps[tuple[int, list[str]]]:
        """The next reply's code and the text of each of its lines. Raises SessionLost."""
        deadline = self.monotonic() + timeout
        first = yield from self._line(deadline, timeout)
        return (yield from self._lines(first, deadline, timeout))

    def _lines(self, line: bytes, deadline: float, timeout: float) -> Steps[tuple[int, list[str]]]:
        texts: list[str] = []
        while len(texts) < _MOST_LINES:
            code, more, text = _parsed(line)
            texts.append(text)
            if not more:
                return code, texts
            line = yield from self._line(deadline, timeout)
        raise SessionLost(f"a reply of more than {_MOST_LINES} lines")

    def _line(self, deadline: float, timeout: float) -> Steps[bytes]:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise SessionLost("garbage instead of a reply: a line without end")
            if self._asked and self._plain:  # not there yet: to be told so costs more than to wait (TLS may hold some already)
                yield Wait(self.sock, False, deadline)
            try:
                self._buffer += self._received()
            except NOT_NOW as error:
                if self.monotonic() >= deadline:
                    raise NoReply(f"no reply within {timeout:g} s") from None
                self._acknowledge()
                yield wait_for(self.sock, error, False, deadline)
            self._asked = False
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line

    def _received(self) -> bytes:
        """What has come. Raises NOT_NOW, SessionLost."""
        try:
            data = self.sock.recv(_AT_ONCE)
        except NOT_NOW:
            raise
        except OSError as error:
            raise SessionLost(f"connection lost: {error.strerror or error}") from None
        if not data:
            raise SessionLost("the server closed the connection" + (" in the middle of a reply" if self._buffer else ""))
        return data

    def _acknowledge(self) -> None:
        """A server that writes each pipelined reply by itself waits for our acknowledgement of the one before, which the kernel
        would hold back for 40 ms.
        """
        if _QUICK_ACK is not None and not self._asked:
            with contextlib.suppress(OSError):  # the next look at the socket tells
                self.sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


@lru_cache(maxsize=256)
def _reply_in(line: bytes) -> Reply:
    """A reply of one line; a relay says the same few all day."""
    code, _, text = _parsed(line)
    return reply_of(code, [text])


def _parsed(line: bytes) -> tuple[int, bool, str]:
    """(code, whether more lines follow, text). Raises SessionLost."""
    parsed = _LINE.fullmatch(line)
    if not parsed:
        raise SessionLost(f"garbage instead of a reply: {line[:60]!r}")
    return int(parsed[1]), parsed[2] == b"-", (parsed[3] or b"").decode("utf-8", "replace")


def reply_of(code: int, texts: list[str]) -> Reply:
    """The lines of a reply as one: without control characters, the enhanced status (RFC 2034) taken out of the text."""
    enhanced = ""
    texts_only = []
    for text in texts:
        status = _ENHANCED.match(text)
        if status and status[1][0] == str(code)[0]:
            enhanced = enhanced or status[1]
            texts_only.append(text[status.end() :])
        else:
            texts_only.append(text)
    shown = " ".join(texts_only)
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return Reply(code, " ".join(shown.split())[:_LONGEST_TEXT], enhanced)
