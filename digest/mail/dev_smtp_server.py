"""An inbox for demos: a real SMTP server on loopback that keeps what it is given as files."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class DevSmtpServer:
    """A context manager: listening between enter and exit. Each message is `folder`/<number>.eml, as it came over the wire."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        with socket.socket() as probe:  # the controller cannot tell which port it got, so it is told one that is free
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._controller = Controller(_Keep(folder), hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True, ready_timeout=10)

    def messages(self) -> list[Path]:
        """Everything received, oldest first."""
        return sorted(self._folder.glob("*.eml"))

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._controller.stop()


class _Keep:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        number = len(list(self._folder.glob("*.eml"))) + 1
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        path = self._folder / f"{number:04}.eml"
        path.with_suffix(".part").write_bytes(content)
        path.with_suffix(".part").replace(path)
        return f"250 2.0.0 kept as {path.name}"
