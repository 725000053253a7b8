"""Whom a relay's refusal is about: stage, code, enhanced code and words read together, by the tables that read bounces.

At MAIL nobody has been named yet, so nothing said there is about a reader. Codes 500 to 504 and 555 are about the dialogue unless
the words say otherwise. Words go before codes: relays put 5.1.1 on a missing login and 550 on everything.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.feedback import BounceClass
from digest.domain.verdict import UNJUDGED, About, Scope, Verdict
from digest.mail.inbound.bounce_classifier import VAGUE, Diagnosis, ReplyStage, diagnose
from digest.mail.smtp.wire import NOT_SENT

_STAGES = {Stage.CONNECT: ReplyStage.EARLY, Stage.MAIL: ReplyStage.EARLY, Stage.RCPT: ReplyStage.RCPT}
_ABOUT_MESSAGE = frozenset({"too big", "content"})
_ABOUT_CONNECTION = frozenset({"network", "server error", "system full", "mail system", "expired"})
_ALWAYS_US = frozenset({"our quota", "login", "our sender", "suspended"})
"""No single reader's server says this of us: every other message would be refused as well."""
_GONE = frozenset({"no such mailbox", "no such host", "moved", "accepts no mail"})
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_DIALOGUE = frozenset({*range(500, 505), 555})
_BUSY = frozenset({421, 454})
_OF_SENDER = frozenset({"relaying", "our address", "refused early", "policy"})
"""At MAIL, where only the sender is named, these are about it."""
_SAYS_NOTHING = VAGUE | {"policy", "refused early"}
_US_WHEN_TEMPORARY = _ALWAYS_US | {"relaying", "our address", "blocked", "authentication", "reverse name"}
"""A 4xx is about us only where its words are: by its code alone it is greylisting or a server that is busy."""
_AMOUNT = re.compile(r"quota|limit|allowance", re.IGNORECASE)
_LATER = re.compile(r"\b(?:try|retry) .{0,20}later|\btemporar", re.IGNORECASE)
"""With these words a mailbox is not surely gone, whatever the code."""
_MAILBOX_CODES = ("5.1.", "5.2.")
_OF_ADDRESS = re.compile(r"recipient|address|mailbox|rcpt", re.IGNORECASE)

_REMEDIES = {
    "our quota": "our sending limit is reached, so the mail waits {wait}; configure a second relay, or relays.per_day",
    "our rate": "the relay gets too much at once; set relays.per_minute",
    "login": "the relay wants a login: set relays.username, relays.password and relays.tls",
    "relaying": "the relay does not forward for us: set relays.username and relays.password, or allow this host there",
    "our sender": 'the relay does not accept our sender: set mail.envelope_sender = "plain", relays.username and '
    "relays.password, and as mail.from_address one that this login may use",
    "our address": 'the relay cannot verify the sender: see digest doctor, or set mail.envelope_sender = "plain"',
    "suspended": "the provider stopped our sending: ask there",
    "authentication": "SPF, DKIM or DMARC of our domain are missing or wrong: see digest doctor",
    "reverse name": "our host needs a reverse DNS name: see digest doctor, or send through a provider's relay",
    "blocked": "our host or domain is on a block list or has a bad reputation: see digest doctor, or use another relay",
    "spam": "the relay takes our mail for spam: ask there, or add a second [[relays]] table",
    "policy": "the relay's policy is against this mail: ask there, or add a second [[relays]] table",
    "protocol": "the relay does not follow the dialogue: set relays.tls, and if it asks for a login, relays.username "
    "and relays.password",
}
_ANY_REMEDY = "see the relay's own words, and digest doctor"

_RESETS_IN = re.compile(
    r"(?:in|after|for|within|wait) (?:about |approximately |another )?(\d{1,5}(?:\.\d{1,3})?) ?(s(?:ec|\b)|min|h(?:our|\b)|day)",
    re.IGNORECASE,
)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DAY = re.compile(
    r"daily|\bday\b|24.?h|today|tomorrow|month|week|credits|submissionquota|tenant|per tag|pro tag|je tag|tägl|heute|par jour"
    r"|quotidien|journalier|diari[oa]|por d[ií]a|giornalier|dagelijks|per dag"
    r"|dzienn|dobow|denní|günlük|일일|하루|суточн|дневн|за сутки|в день|当日|每日|当天|每天|今[日天]|1日|本日",
    re.IGNORECASE,
)
_HOUR = re.compile(r"hourly|per hour|an hour|\b1 ?h\b", re.IGNORECASE)
"""Where hours and days are named, the shorter limit is tried again first."""
_LONGEST_WAIT = timedelta(days=1)
_LOW_RATE = re.compile(r"\bpeak\b|\bper.(?:second|minute)|\b(?:second|minute)ly\b", re.IGNORECASE)


def verdict_of(attempt: Attempt) -> Verdict:
    """The verdict on what the relay answered; UNJUDGED where there is nothing to judge."""
    if attempt.reply is None or attempt.reply.code < 400:
        return UNJUDGED
    return classify(attempt.stage, attempt.reply, attempt.our_domains)


@lru_cache(maxsize=256)
def classify(stage: Stage, reply: Reply, our_domains: frozenset[str] = frozenset()) -> Verdict:
    """Kept for replies seen lately: a relay that refuses says the same of everybody."""
    found = diagnose(str(reply), reply.enhanced, stage=_STAGES.get(stage, ReplyStage.DATA), ours=our_domains)
    cause, early = found.cause, stage in (Stage.CONNECT, Stage.MAIL)
    if early and cause == "full" and _AMOUNT.search(reply.text):
        cause = "our quota"
    if reply.text.startswith(NOT_SENT):
        return Verdict(about=About.MESSAGE, cause="not for this relay")
    if cause in _ABOUT_MESSAGE and reply.code >= 500:
        return Verdict(about=About.MESSAGE, cause=cause)
    if cause == "our quota" and _LOW_RATE.search(reply.text):
        cause = "our rate"
    if cause == "our rate" or (reply.code in _BUSY and cause not in _US_WHEN_TEMPORARY - {"blocked", "authentication"}):
        about = About.US if cause == "our rate" else About.CONNECTION
        return Verdict(about=about, cause=cause, slower=True, remedy=_REMEDIES["our rate"])
    if cause in _ALWAYS_US:
        return _us(cause, Scope.ALL, reply)
    if reply.code < 500:
        return _temporary(stage, found, reply)
    if reply.code in _LOGIN_CODES:
        return _us("login", Scope.ALL, reply)
    dialogue = reply.code in _DIALOGUE and cause in _SAYS_NOTHING
    if dialogue and (early or not _OF_ADDRESS.search(reply.text)):
        scope = Scope.ALL if early else Scope.OPEN
        return Verdict(about=About.CONNECTION, cause="protocol", scope=scope, remedy=_REMEDIES["protocol"])
    if early:
        of_sender = stage is Stage.MAIL and (cause in _OF_SENDER or not _is_ours(found))
        return _us("our sender" if of_sender else cause, Scope.ALL, reply)
    if cause == "disabled" and stage is not Stage.RCPT and not _names_mailbox(reply):
        return _us("suspended", Scope.OPEN, reply)  # the recipient was taken before: "account suspended" may well be ours
    if cause == "no such host" and stage is not Stage.RCPT:
        return _us("our address", Scope.OPEN, reply)  # the reader's domain was accepted before
    if _is_ours(found):
        return _us(cause, Scope.OPEN, reply)
    if cause in _ABOUT_CONNECTION:
        return Verdict(about=About.CONNECTION, cause=cause, scope=Scope.OPEN, remedy=_ANY_REMEDY)
    of_mailbox = cause not in VAGUE or reply.enhanced.startswith(_MAILBOX_CODES)
    if not of_mailbox or (cause in _GONE and _LATER.search(reply.text)):
        return Verdict(cause=cause, scope=Scope.OPEN, remedy=_ANY_REMEDY)
    return Verdict(about=About.READER, cause=cause, mailbox_gone=found.bounce is BounceClass.HARD and cause in _GONE)


def _temporary(stage: Stage, found: Diagnosis, reply: Reply) -> Verdict:
    cause = found.cause
    if stage is Stage.CONNECT:
        return Verdict(about=About.CONNECTION, cause=cause, slower=True, remedy=_ANY_REMEDY)
    if cause in _US_WHEN_TEMPORARY:
        return _us(cause, Scope.OPEN, reply)
    if stage is Stage.MAIL or cause in _ABOUT_CONNECTION:
        return Verdict(about=About.CONNECTION, cause=cause)
    return Verdict(about=About.UNKNOWN if cause in VAGUE or _is_ours(found) else About.READER, cause=cause)


def _names_mailbox(reply: Reply) -> bool:
    return reply.enhanced.startswith(_MAILBOX_CODES) or _OF_ADDRESS.search(reply.text) is not None


def _is_ours(found: Diagnosis) -> bool:
    return found.bounce is BounceClass.SENDER or found.cause == "relaying"


def _us(cause: str, scope: Scope, reply: Reply) -> Verdict:
    wait = quota_wait(reply.text) if cause == "our quota" else None
    remedy = _REMEDIES.get(cause, _ANY_REMEDY)
    return Verdict(
        about=About.US,
        cause=cause,
        scope=scope,
        wait=wait,
        remedy=remedy.format(wait=_in_words(wait)) if wait else remedy,
    )


def quota_wait(words: str) -> timedelta:
    """How long a quota lasts by the words: until it resets, a day, or an hour."""
    if named := _RESETS_IN.search(words[:1000]):
        return min(float(named[1]) * _UNITS[named[2][0].lower()], _LONGEST_WAIT)
    return _LONGEST_WAIT if _DAY.search(words) and not _HOUR.search(words) else timedelta(hours=1)


def _in_words(wait: timedelta) -> str:
    minutes = max(round(wait.total_seconds() / 60), 1)
    return f"{round(minutes / 60)} h" if minutes >= 120 else f"{minutes} min"
