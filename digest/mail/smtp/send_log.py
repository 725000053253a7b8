"""What is written down about final dots before and after they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from digest.domain.delivery import Reply


class SendLog(Protocol):
    """What is written down about the final dot; `Journal` is one. A `dot` that raises keeps the message from being sent."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...


class Unwritten:
    """A SendLog for mails that no row stands for: there is nothing to recover."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...
