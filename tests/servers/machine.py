"""`digest …` on a machine that is not as it should be: `python machine.py '{"host": "box", "number": 7}' ARGUMENT ...`

host         its name
number       what every process there is told its number is, as in containers that share nothing but the names
file_size    bytes that a file may have; what is written behind them fails, as on a full disk
user         the number of the user and of the group who runs it
closed       file descriptors (0, 1, 2) that are closed when it begins
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[0] = str(ROOT)
    machine = json.loads(sys.argv[1])
    if "host" in machine:
        socket.gethostname = lambda: machine["host"]
    if number := machine.get("number"):
        os.getpid = lambda: number
    if size := machine.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    for number in machine.get("ignored", ()):
        signal.signal(number, signal.SIG_IGN)
    sys.argv[1:] = sys.argv[2:]

    from digest.cli import main

    main()
