"""SMTP servers on loopback for tests: one that keeps every message it accepts, and misbehaves only as its script says.

    with SmtpServer(store) as server: …            records
    with SmtpServer(store, script) as server: …    records, with faults

What `accepted()` returns was on disk (fsync) before the client got its 250: it is the truth about what a relay took.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.running import PATIENCE

OFFERS = ("PIPELINING", "SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")


@dataclass(frozen=True, slots=True)
class Do:
    """What to do instead of the usual. `say` is sent as it is, then the connection may be closed or left to stall."""

    say: str = ""
    close: bool = False
    stall: bool = False
    usual: bool = False
    """After `say`, go on as usual too (an answer nobody asked for)."""
    accept: bool = False
    """At the dot: keep the message before doing so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What goes wrong. Verbs are CONNECT, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, BODY, DOT, RSET, QUIT."""

    extensions: tuple[str, ...] = OFFERS
    nth: Mapping[tuple[str, int], Do] = field(default_factory=dict)
    """(verb, n): at the nth such command in the server's life, counted from 1; 0 is every time."""
    recipients: Mapping[str, tuple[Do, ...]] = field(default_factory=dict)
    """By recipient: what RCPT gets the first time, the second …; then all is well."""
    hang_up_after: tuple[int, ...] = ()
    """Bytes read from the client after which the first connection is closed, the second …; 0: never."""
    mute_after: tuple[int, ...] = ()
    """Bytes of replies after which the first connection is closed, the second …; 0: never."""
    in_pieces: bool = False
    """Every byte of a reply is sent by itself."""
    most_per_connection: int = 0
    """Then 421 to MAIL; 0: no limit."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """A parameter of MAIL and what it is answered with, every time."""
    only_sender: str = ""
    """The only one that MAIL may name; empty: any."""
    other_sender: str = "550 5.7.1 Sender address rejected: not owned by user"
    """What MAIL is answered with another."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An accepted message as it came: CRLF lines, dots undone."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class SmtpServer:
    """Serves in threads until the `with` ends. `context` makes STARTTLS (or, with `implicit_tls`, all) work."""

    def __init__(
        self,
        store: Path,
        script: Script | None = None,
        *,
        context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        password: str = "",
        token: str = "",
        port: int = 0,
    ) -> None:
        """`token`: the access token that XOAUTH2 takes."""
        self.store = store
        self.script = script or Script()
        self.context = context
        self.implicit_tls = implicit_tls
        self.password = password
        self.token = token
        self.commands: list[str] = []
        """Every command line, in the order they were read."""
        self.behind_dots: list[bytes] = []
        """What had come together with each final dot."""
        self.seen: Counter[str] = Counter()
        self.connections = 0
        self.lock = threading.Lock()
        self.open: set[socket.socket] = set()
        """The connections that stand."""
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.store.touch()

    def __enter__(self) -> SmtpServer:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
            assert not thread.is_alive(), "a server thread did not end"

    def accepted(self) -> list[Kept]:
        return read_store(self.store)

    def keep(self, sender: str, recipients: list[str], data: bytes) -> None:
        record = {"sender": sender, "recipients": recipients, "data": base64.b64encode(data).decode()}
        with self.lock, self.store.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def stall(self) -> None:
        """Says nothing until the test is over."""
        self._stopped.wait(timeout=PATIENCE)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                number = self.connections
                self.connections += 1
            self.open.add(sock)
            self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        connection = _Connection(self, sock, number)
        with contextlib.suppress(_HangUp, OSError):
            connection.serve()
        self.open.discard(sock)
        connection.close()


class _HangUp(Exception):
    pass


class _Connection:
    def __init__(self, server: SmtpServer, sock: socket.socket, number: int) -> None:
        script = server.script
        self.server = server
        self.script = script
        self.sock = sock
        self.buffer = b""
        self.may_read = script.hang_up_after[number] if number < len(script.hang_up_after) else 0
        self.may_say = script.mute_after[number] if number < len(script.mute_after) else 0
        self.read_bytes = 0
        self.said_bytes = 0
        self.messages = 0
        self.reset()

    def reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def serve(self) -> None:
        if self.server.implicit_tls:
            self._wrap()
        self._usual("CONNECT", "220 test.example ESMTP")
        while True:
            line = self._line()
            with self.server.lock:
                self.server.commands.append(line.decode("utf-8", "replace"))
            verb, _, argument = line.decode("utf-8", "replace").partition(" ")
            handler = getattr(self, f"_{verb.lower()}", None)
            if handler is None:
                self._say("500 5.5.1 what?")
            else:
                handler(argument)

    def _ehlo(self, _: str) -> None:
        extensions = [*self.script.extensions]
        if self.server.context and not isinstance(self.sock, ssl.SSLSocket):
            extensions.append("STARTTLS")
        if self.server.password:
            extensions.append("AUTH PLAIN LOGIN")
        if self.server.token:
            extensions.append("AUTH LOGIN PLAIN XOAUTH2 OAUTHBEARER")
        lines = ["test.example", *extensions]
        self._usual("EHLO", "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))

    def _helo(self, _: str) -> None:
        self._usual("HELO", "250 test.example")

    def _starttls(self, _: str) -> None:
        self._usual("STARTTLS", "220 2.0.0 go ahead")
        self._wrap()

    def _wrap(self) -> None:
        assert self.server.context
        try:
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        except ssl.SSLError:
            raise _HangUp from None

    def _auth(self, argument: str) -> None:
        if self.server.token:
            self._xoauth2(argument)
            return
        given = base64.b64decode(argument.partition(" ")[2] or "=").split(b"\0")[-1].decode()
        good = given == self.server.password
        self._usual("AUTH", "235 2.7.0 welcome" if good else "535 5.7.8 authentication failed")

    def _xoauth2(self, argument: str) -> None:
        """As https://developers.google.com/workspace/gmail/imap/xoauth2-protocol has it."""
        mechanism, _, given = argument.partition(" ")
        if mechanism == "XOAUTH2" and f"\1auth=Bearer {self.server.token}\1\1" in base64.b64decode(given).decode():
            self._say("235 2.7.0 Accepted")
            return
        self._say("334 " + base64.b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}').decode())
        assert self._line() == b"", "the client answers with an empty line"
        self._say("535 5.7.8 Username and Password not accepted")

    def _mail(self, argument: str) -> None:
        if self.script.most_per_connection and self.messages >= self.script.most_per_connection:
            self._say("421 4.7.0 enough for one connection")
            raise _HangUp
        if self.sender is not None:
            self._say("503 5.5.1 nested MAIL")
        elif refusals := [reply for name, reply in self.script.parameters.items() if name in argument.rpartition(">")[2]]:
            self._say(refusals[0])
        elif self.script.only_sender not in ("", sender := argument[argument.index("<") + 1 : argument.index(">")]):
            self._say(self.script.other_sender)
        elif self._usual("MAIL", "250 2.1.0 ok"):
            self.sender = sender

    def _rcpt(self, argument: str) -> None:
        recipient = argument[argument.index("<") + 1 : argument.index(">")]
        if self.sender is None:
            self._say("503 5.5.1 need MAIL first")
            return
        with self.server.lock:
            self.server.seen[recipient] += 1
            times = self.server.seen[recipient]
        planned = self.script.recipients.get(recipient, ())
        if times <= len(planned):
            if self._do(planned[times - 1]):
                self.recipients.append(recipient)
        elif self._usual("RCPT", "250 2.1.5 ok"):
            self.recipients.append(recipient)

    def _data(self, _: str) -> None:
        planned = self._planned("DATA")
        if planned is not None:
            if planned.say.startswith("354"):
                self._say(planned.say)
            elif not self._do(planned):
                return
        elif not self.recipients:
            self._say("554 5.5.1 no valid recipients")
            return
        if planned is None or planned.usual:
            self._say("354 go on")
        self._body()

    def _body(self) -> None:
        fault = self._planned("BODY")
        lines = []
        while (line := self._line(keep_end=True)) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
            if fault is not None and len(lines) == 3 and not self._do(fault):
                raise _HangUp
        self.server.behind_dots.append(self.buffer)
        planned = self._planned("DOT")
        sender, recipients = self.sender, self.recipients
        self.reset()
        self.messages += 1
        if not recipients:
            self._say("554 5.5.1 no valid recipients")
            return
        if planned is None or planned.accept or planned.usual:
            self.server.keep(sender or "", recipients, b"".join(lines))
        if planned is None or self._do(planned):
            self._say("250 2.0.0 kept")

    def _rset(self, _: str) -> None:
        if self._usual("RSET", "250 2.0.0 ok"):
            self.reset()

    def _quit(self, _: str) -> None:
        self._usual("QUIT", "221 2.0.0 bye")
        raise _HangUp

    def _planned(self, verb: str) -> Do | None:
        with self.server.lock:
            self.server.seen[verb] += 1
            count = self.server.seen[verb]
        return self.script.nth.get((verb, count)) or self.script.nth.get((verb, 0))

    def _usual(self, verb: str, reply: str) -> bool:
        """Answers a command as planned or as usual; whether it took effect."""
        planned = self._planned(verb)
        if planned is not None and not self._do(planned):
            return False
        self._say(reply)
        return True

    def _do(self, planned: Do) -> bool:
        """Whether to go on as usual."""
        if planned.say:
            self._say(planned.say)
        if planned.stall:
            self.server.stall()
            raise _HangUp
        if planned.close:
            raise _HangUp
        return planned.usual

    def _say(self, reply: str) -> None:
        data = (reply + "\r\n").encode("latin-1")
        if self.may_say and self.said_bytes + len(data) >= self.may_say:
            self.sock.sendall(data[: self.may_say - self.said_bytes])
            raise _HangUp
        self.said_bytes += len(data)
        for piece in (data[at : at + 1] for at in range(len(data))) if self.script.in_pieces else (data,):
            self.sock.sendall(piece)

    def _line(self, *, keep_end: bool = False) -> bytes:
        while (end := self.buffer.find(b"\r\n")) < 0:
            self._read_more()
        line, self.buffer = self.buffer[:end], self.buffer[end + 2 :]
        return line + b"\r\n" if keep_end else line

    def _read_more(self) -> None:
        if self.may_read and self.read_bytes >= self.may_read:
            raise _HangUp
        data = self.sock.recv(65536)
        if not data:
            raise _HangUp
        if self.may_read:  # what comes after the byte at which we hang up is never read
            data = data[: self.may_read - self.read_bytes]
        self.read_bytes += len(data)
        self.buffer += data


def read_store(store: Path) -> list[Kept]:
    """The messages a server kept, also one that has been killed."""
    records = [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [Kept(r["sender"], tuple(r["recipients"]), base64.b64decode(r["data"])) for r in records]
