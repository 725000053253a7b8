"""Replies that ask us to be slower, or to go on over another connection: they speak of no reader and of no message."""

from __future__ import annotations

import re

from digest.domain.delivery import Attempt, Reply, Stage

_NOT_A_RATE = re.compile(
    r"mailbox|quota|storage|disk|\bthe user\b|daily|24.?h|per day|per month|grey.?list|relaying"
    r"|denied|authenticat|credential|sender address|local (?:configuration|problem)|\btls\b",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"throttl|\brates?\b|rate.?limit|too (?:many|much|fast|quick)|slow(?:er|ing)?\b|(?:per|a|each) (?:second|minute|hour)|flood"
    r"|limit\b.{0,40}\b(?:exceed|reach)|exceed\w*\b.{0,40}\blimit|(?:server|system) (?:is )?(?:too )?busy|concurren",
    re.IGNORECASE,
)
_OF_THE_CONNECTION = re.compile(
    r"(?:too many|max\w*|limit|exceed).*\b(?:connection|session)\b|\b(?:connection|session)\b.*(?:limit|max)", re.IGNORECASE
)
_TOO_MANY_CONNECTIONS = re.compile(r"too many (?:concurrent |simultaneous |open |smtp )*(?:connections|sessions)", re.IGNORECASE)
_ASKED = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT)


def throttled(attempt: Attempt) -> bool:
    """Whether the relay would have taken this message had it come later, and asks for no more than that."""
    reply = attempt.reply
    if reply is None or attempt.stage not in _ASKED or reply.enhanced.startswith(("4.1.", "4.2.")):
        return False
    if reply.code not in (421, 450, 451, 452, 454) or _NOT_A_RATE.search(reply.text):
        return False
    return reply.code in (421, 454) or _RATE.search(reply.text) is not None


def connection_is_full(stage: Stage, reply: Reply) -> bool:
    """Whether a relay that took messages over this connection wants the next over another one."""
    if stage is Stage.MAIL and reply.code == 421:
        return True
    if reply.code // 100 not in (4, 5) or _TOO_MANY_CONNECTIONS.search(reply.text):
        return False
    return _OF_THE_CONNECTION.search(reply.text) is not None or (stage is Stage.MAIL and reply.enhanced == "4.5.3")
