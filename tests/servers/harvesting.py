"""A harvest at a pace a test can bear, or one that kills itself: done in a process of preloaded.py before it runs its command.

What is changed here is changed there only.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from digest.sources import arxiv_oai
from digest.sources.port import Pace
from digest.store.sources import Sources


def hasten(dies_at: int = 0) -> None:
    """With `dies_at` it kills itself (SIGKILL) inside the unit of work that keeps that batch, before it is committed."""
    arxiv_oai.ARXIV_PACE = Pace("arxiv", 0.02)  # type: ignore[misc]  # the real one would take the test half a minute
    saved: Any = Sources.save
    kept: list[str] = []

    def save(self: Sources, source: str, key: str, *rest: Any) -> None:
        saved(self, source, key, *rest)
        kept.extend([key] if key == "state" else [])
        if len(kept) == dies_at > 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Sources.save = save  # type: ignore[method-assign]
