"""What every provider's events have in common: JSON that may be anything, and words for the same three things."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from digest.domain.errors import InvalidInput
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.bounce_classifier import VAGUE, ReplyStage, diagnose

MAX_BODY = 5_000_000
LONGEST_TIMESTAMP = 12
TOLERANCE_SECONDS = 600
"""How old a signed post may be: a recorded one cannot be played again for ever."""


def read_json(body: bytes) -> Any:
    """The value, or None where it is no JSON (or too long, or too deep)."""
    try:
        return json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None


def read_json_at_start(words: str) -> Any:
    """The value that a text begins with, whatever follows; line breaks within its strings are taken as they are."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(words)[0] if len(words) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; of anything else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def table(value: Any) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """A string or number as text that can be stored, at most 2,000 characters; anything else is ""."""
    written = str(value)[:2_000] if isinstance(value, str | int | float) else ""
    return written.replace("\x00", "").encode("utf-8", "replace").decode()  # JSON may hold half a surrogate pair


_NOT_THE_MAILBOX = frozenset({"expired", "protocol", "mail system"})
"""Of vague words, those that tell of the way: a provider that tried for hours and gave up says nothing of who reads there."""


def bounce(address: str, words: str, status: str = "", *, permanent: bool, message_id: str = "", provider: str) -> Feedback:
    """A provider's bounce. `permanent`: the provider itself gave the mailbox up, which counts as the answer to RCPT."""
    found = diagnose(words, status, stage=ReplyStage.RCPT if permanent else ReplyStage.UNKNOWN)
    kind = found.bounce
    if not permanent and kind is BounceClass.HARD:
        kind = BounceClass.SOFT
    elif permanent and kind is BounceClass.SOFT and found.cause in VAGUE - _NOT_THE_MAILBOX:
        kind = BounceClass.HARD
    returned = Returned(address, found.status or status, kind, " ".join(words.split())[:500])
    return Feedback(FeedbackKind.BOUNCE, (returned,), message_id=message_id.strip("<>"), reason=f"{provider} event")


def complaint(address: str, *, message_id: str = "", provider: str) -> Feedback:
    """A reader pressed "this is spam" at a provider."""
    returned = Returned(address, "", None, "abuse")
    return Feedback(FeedbackKind.COMPLAINT, (returned,), message_id=message_id.strip("<>"), reason=f"{provider} event")


def refuse_stale(where: str, timestamp: str, at: datetime) -> None:
    """Raises InvalidInput unless `timestamp` (Unix seconds) is within the tolerance of `at`."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= LONGEST_TIMESTAMP):
        raise InvalidInput(where, "timestamp should be Unix seconds")
    age = abs(at.timestamp() - int(timestamp))
    if age > TOLERANCE_SECONDS:
        raise InvalidInput(where, f"signed {age:.0f} s away from now; should be within {TOLERANCE_SECONDS} s")
