"""Where in the dialogue a server refused, read from its words."""

from __future__ import annotations

import re
from enum import StrEnum


class ReplyStage(StrEnum):
    """Where in the dialogue a server refused: before it knew the recipient, at the recipient, or at the content."""

    EARLY = "early"
    RCPT = "rcpt"
    DATA = "data"
    UNKNOWN = ""


def words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


SUSPENDED = words(
    r"(?:mail ?box|account|user|recipient|address|subscription|e-?mail)\b.{0,60}(?:disabled|suspend|inactiv|locked|frozen|"
    r"unavailable|not active|deactivat|on hold|blocked|dormant|disused|restricted|expired|not activated|out of service)",
    r"(?:disabled|suspended|inactive|locked|deactivated|dormant) (?:mail ?box|account|user|recipient|address)",
)

STAGE_PATTERNS = (
    # with PIPELINING the refused RCPT is answered when DATA was already sent
    (ReplyStage.RCPT, words(r"no valid recipients")),
    (
        ReplyStage.DATA,
        words(
            r"in reply to end of data|after (?:end of )?data|(?:text|data) command|command: data",
            r">>> ?(?:data|\.)\s*\n\s*<<< ?[45]\d\d",
            r"(?-i:(?m:^[ \t>*-]*(?:DATA|BDAT .{1,30}|\.)[ \t]*$))",  # the command on a line of its own
        ),
    ),
    (
        ReplyStage.RCPT,
        words(
            r"rcpt.?to|rcpt command|command: rcpt|smtp:rcpt",
            r"does not like recipient|rejected (?:the |your )?recipient",
        ),
    ),
    (
        ReplyStage.EARLY,
        words(
            r"(?:after|to|>>>) ?(?:the )?(?:mail.?from|[eh][eh]lo)|sender was rejected|does not like (?:your )?sender"
            r"|(?-i:(?m:^[ \t>*-]*(?:MAIL FROM:|EHLO |HELO )))"
            r"|mail command",
            r"initial connection|refused to talk to me|but greeting failed|connected to .{1,60} but (?:sender|greeting)",
        ),
    ),
)

# Said by big providers of mailboxes that are not there, whatever the stage.
CERTAIN = words(
    r"delivery error: dd|action not taken: mailbox unavailable|\bdomino\b"
    r"|local mailbox @ is unavailable: user not found"
)
