"""`digest collect`, to be killed: python harvesting.py [NTH]

Collects as configured (DIGEST_CONFIG), at a pace a test can bear; with NTH it kills itself (SIGKILL) inside the unit of work that
keeps the NTH batch, before it is committed. What is changed here is changed here only.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from digest import cli
from digest.sources import arxiv_oai
from digest.sources.port import Pace
from digest.store.sources import Sources

arxiv_oai.ARXIV_PACE = Pace("arxiv", 0.02)  # type: ignore[misc]  # the real one would take the test half a minute


def die_at(nth: int) -> None:
    saved: Any = Sources.save
    kept: list[str] = []

    def save(self: Sources, source: str, key: str, *rest: Any) -> None:
        saved(self, source, key, *rest)
        kept.extend([key] if key == "state" else [])
        if len(kept) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    Sources.save = save  # type: ignore[method-assign]


if len(sys.argv) > 1:
    die_at(int(sys.argv[1]))
cli.main(["collect", "--json"])
