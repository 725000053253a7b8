"""Which signals ask a long-running command to end cleanly."""

from __future__ import annotations

import signal


def stop_signals() -> tuple[signal.Signals, ...]:
    """A terminal that closes sends SIGHUP; where it is ignored (nohup), it stays so."""
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hangup)
