"""A machine that is not as it should be: what a process of preloaded.py becomes before it runs its command."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence

STREAMS = ("stdin", "stdout", "stderr")


def become(
    *,
    host: str | None = None,
    number: int | None = None,
    file_size: int | None = None,
    files: int | None = None,
    ignored: Sequence[int] = (),
    closed: Sequence[int] = (),
) -> None:
    """host       its name
    number     what every process there is told its number is, as in containers that share nothing but the names
    file_size  bytes that a file may have; what is written behind them fails, as on a full disk
    files      how many files a process may open
    ignored    signals that are ignored when it begins, as by nohup
    closed     file descriptors (0, 1, 2) that are closed when it begins; a new interpreter then has None for the stream
    """
    if host is not None:
        socket.gethostname = lambda: host
    if number:
        os.getpid = lambda: number
    for limit, wanted in ((resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_NOFILE, files)):
        if wanted:
            resource.setrlimit(limit, (wanted, wanted))
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)
    for each in closed:
        os.close(each)
        setattr(sys, STREAMS[each], None)
        setattr(sys, f"__{STREAMS[each]}__", None)
