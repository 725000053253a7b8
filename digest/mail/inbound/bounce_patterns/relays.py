"""The words a relay refuses us with whatever the recipient is: the first rows of causes.py's table.

Our login, our right to send as this address, and how much we may send. Collected from the documentation of mailbox providers and
hosts and from public trackers; the sources stand beside the replies in tests/unit/test_reply_verdict.py.
"""

from __future__ import annotations

import re

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_patterns.stages import words

SOFT, SENDER = BounceClass.SOFT, BounceClass.SENDER

_SPAN = r"(?:daily|hourly|weekly|monthly|24.?hours?|per.(?:second|minute|hour|day|month))"
_COUNTED = r"(?:messages?|e-?mails?|mails|recipients?|failures)"
_AMOUNT = r"(?:limits?|quotas?|credits|threshold)"

CAUSES_AT_RELAY: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "receives too much",
        SOFT,
        words(
            r"receiving (?:e-?)?mail (?:at a rate|too quickly)",
            r"recipient.{0,40}\b(?:receiv\w+ (?:limit|rate)|received too many|hourly message receive)",
        ),
    ),
    ("greylisted", SOFT, words(r"\bgr[ae]y-?list", r"\bpostgrey\b")),
    (
        "our quota",
        SENDER,
        words(
            # "has exceeded the max emails per hour", "exceeded its 24-hour sending limit", "exceeded hour limit"
            rf"exceed\w* .{{0,60}}(?:{_COUNTED} {_SPAN}|(?:{_SPAN}|hour|day|month) .{{0,20}}{_AMOUNT})",
            rf"\b{_SPAN} .{{0,40}}\b{_AMOUNT}\b.{{0,40}}(?:exceed|reach|hit\b|over)",
            rf"(?:exceed\w*|reach\w*|\bhit|over) .{{0,30}}(?:{_SPAN}) .{{0,30}}{_AMOUNT}",
            rf"(?:exceed\w*|reach\w*|over) .{{0,40}}\b(?:sending|submission|outgoing|outbound|outmail|sender|relay)"
            rf" .{{0,20}}{_AMOUNT}",
            rf"\b(?:sending|submission|outgoing|outbound|send|relay|sender) (?:{_COUNTED} )?{_AMOUNT}\b",
            rf"{_AMOUNT} on the number of (?:allowed )?(?:outgoing|sent)|number of outgoing {_COUNTED}.{{0,30}}exceed",
            rf"(?:over|exceed\w*|reach\w*) .{{0,20}}{_AMOUNT} (?:of|for) (?:sent|sending|outgoing)",
            rf"only \d{{1,9}} {_COUNTED} per (?:minute|hour|day|month)",
            rf"too many {_COUNTED} .{{0,20}}(?:(?:per|this|in (?:an?|one|the last)|within) ?(?:an? )?(?:hour|day|month|24)"
            r"|today)",
            r"maximum credits|message quota exceeded|submissionquota|sent too many .{0,20}today|recipient limit exceeded",
            r"(?:发信|发送|当日|每日|当天).{0,12}(?:上限|限额|超出限制|超过限制)",
        ),
    ),
    ("authentication", SENDER, words(r"\b(?:spf|dkim|dmarc|sender.?id)\b")),
    (
        "login",
        SENDER,
        words(
            r"(?:smtp|sender|client|user|e?smtp auth|you) .{0,20}(?:must|need to|should|has to|have to) .{0,12}"
            r"(?:authenticate|log ?in|be authenticated)\b",
            r"unauthenticated (?:senders?|users?|clients?|connections?)\b",
            r"auth\w* (?:is )?required|require[sd]? (?:smtp )?auth\w*|must (?:first )?(?:authenticate|be authenticated|log ?in)",
            r"(?:need|send|use) .{0,20}\bauth\b(?! failed).{0,12}(?:first|command)|\b(?:auth|log ?in|authenticate) first\b",
            r"(?:turn on|enable|check|use|without) (?:the )?(?:smtp )?authenticat\w+",
            r"(?:client|you|user|sender|session) (?:was|is|are) not (?:authenticated|logged in)|not authenticated\b",
            r"pop.?before.?smtp|check (?:for )?(?:new )?mail (?:first|before)",
            r"authentication (?:credentials )?(?:invalid|unsuccessful|failed|error)|bad (?:username|login|credentials)|"
            r"username and password not accepted|invalid (?:login|credentials|user ?name or password)",
            r"must issue a starttls|starttls (?:first|is required|command first)|encryption required",
            r"requires? (?:tls|encryption)",
        ),
    ),
    (
        "our sender",
        SENDER,
        words(
            r"send\s?as\s?denied|permissions? to send as|not allowed to send (?:as|from|using)",
            r"not (?:permitted|authori[sz]ed|allowed) to (?:use|send as)",
            r"not owned by user|must (?:be (?:the )?same as|equal|match) .{0,20}(?:auth\w*|login|user)",
            r"does not match .{0,20}(?:authenticated|login|user(?:name)?)\b",
            r"(?:identit(?:y|ies)|address|domain) .{0,40}(?:is not|are not|isn't|not) (?:yet )?verified",
            r"unverified (?:domain|sender)",
            r"identit(?:y|ies) failed the check|domain .{0,60}not allowed to send|verified sender identity",
            r"\bsender\b.{0,60}(?:not owned|not match|mismatch|(?:must|should) (?:be|match))",
        ),
    ),
    (
        "suspended",
        SENDER,
        words(
            r"(?:sending|outgoing|outbound|smtp|sender|e-?mail)\b.{0,30}\b(?:suspended|disabled|blocked|restricted|on hold)"
            r" (?:for|due|because|until|by|from)",
            r"(?:outgoing|outbound) .{0,20}(?:has been |is |are )?(?:blocked|suspended|disabled)",
            r"unusual sending activity|(?:blocked|restricted|prevented) from sending",
            r"sending has been (?:paused|disabled|suspended)",
            r"unregistered domain|tenant .{0,30}(?:exceeded|blocked|restricted)|possible abuse",
        ),
    ),
)
