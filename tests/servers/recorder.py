"""The recording SMTP server as a process of its own: `python recorder.py STORE [PORT FILE]`. Ends with SIGTERM.

Each message is on disk (fsync) before its 250; the port it listens on is written to PORT FILE when it is ready.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.servers.smtp import SmtpServer


def main(store: Path, port_file: Path) -> None:
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    with SmtpServer(store) as server:
        draft = port_file.with_suffix(".draft")
        draft.write_text(str(server.port))
        draft.rename(port_file)
        signal.sigwait(ending)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
