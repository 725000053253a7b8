"""What mail providers post to us instead of mailing it, an adapter each: `verify` (signature, constant time) and `parse`.

    adapter.verify(headers, body, at)   raises InvalidInput for a post that is forged, stale or unsigned
    adapter.parse(body)                 bytes → Feedback, one per event that concerns us; never raises

Header names are given in lower case. A post that was not verified must not be parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from digest.domain.feedback import Feedback


class Webhook(Protocol):
    """One provider's way to tell us what came back."""

    def verify(self, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Returns for a post the provider signed not long before `at`; raises InvalidInput otherwise."""

    def parse(self, body: bytes) -> tuple[Feedback, ...]:
        """What a webhook says. Events that tell nothing about a reader (opens, deliveries) are left out."""
