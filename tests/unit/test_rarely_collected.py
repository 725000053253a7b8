"""While mail is sent the garbage collector passes over what was there before; afterwards it is as it was."""

from __future__ import annotations

import gc
import subprocess
import sys

from digest.services.delivery.service import _rarely_collected


def test_what_a_process_froze_stays_frozen() -> None:
    """It would walk through all it was born with when it ends: half a second, and a copy of it where it was forked."""
    gc.freeze()
    before, usual = gc.get_freeze_count(), gc.get_threshold()
    with _rarely_collected():
        assert gc.get_threshold() != usual
    assert gc.get_freeze_count() > before / 2
    assert gc.get_threshold() == usual


def test_where_nothing_was_frozen_nothing_stays_so() -> None:
    program = (
        "import gc; from digest.services.delivery.service import _rarely_collected as rarely\n"
        "with rarely(): assert gc.get_freeze_count() > 1000\n"
        "assert gc.get_freeze_count() == 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
