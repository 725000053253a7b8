"""Who works in the background lets those go first whom somebody waits for: the relay on this machine, the database, the pages."""

from __future__ import annotations

import os
import sys


def give_way(niceness: int) -> None:
    """From now on the calling thread, and processes it starts, have at least this niceness (setpriority(2): 0 to 19).

    A relay on this machine that has to wait for its turn keeps all of us waiting for its answers. Linux counts it by the thread,
    so a daemon's pages are as quick as before; where it counts by the process, nothing is done.
    """
    if sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, 0) < niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
