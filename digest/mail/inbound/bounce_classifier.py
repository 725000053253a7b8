"""Why a mail came back, and whose fault that is: from what a server said to a class.

The order of trust: the words of the reply where they are unmistakable (servers put 5.1.1 on full mailboxes and 5.0.0 on
everything), then the enhanced code (RFC 3463 and IANA's registry), then the code of the reply (RFC 5321 §4.2). Where the words
speak of us (our address, our reputation, our content) the reader is never to blame, so those rows come first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_patterns.ours import CAUSES
from digest.mail.inbound.bounce_patterns.relays import OUR_QUOTA
from digest.mail.inbound.bounce_patterns.stages import CERTAIN, STAGE_PATTERNS, SUSPENDED, ReplyStage

__all__ = ["VAGUE", "Diagnosis", "ReplyStage", "diagnose", "domains_of_ours", "names_of_ours", "reply_code", "stage_of"]

HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED

VAGUE = frozenset({"undefined", "mail system", "address", "mailbox", "protocol", "expired", "disabled by code"})
"""Causes that come from a code which says nothing: worth looking at more words."""
MAX_DIAGNOSTIC = 1_000
"""Characters of a reply that are looked at."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`cause` is one or two words of ours; `status` the enhanced code believed, or ""."""

    bounce: BounceClass
    cause: str
    status: str = ""


# Enhanced codes that say one thing only; looked up before any words. RFC 3463, RFC 7372, RFC 7505, IANA's registry.
_PRECISE: dict[str, tuple[BounceClass, str]] = {
    "1.6": (HARD, "moved"),
    "1.7": (SENDER, "our address"),
    "1.8": (SENDER, "our address"),
    "1.10": (HARD, "no such mailbox"),
    "1.90": (SENDER, "our quota"),
    "2.252": (SENDER, "our sender"),
    "2.2": (SOFT, "full"),
    "2.3": (SOFT, "too big"),
    "3.4": (SOFT, "too big"),
    "6.0": (SENDER, "content"),
    "7.28": (SENDER, "our rate"),
    "7.57": (SENDER, "login"),
    "7.60": (SENDER, "our sender"),
    "7.705": (SENDER, "our quota"),
    "7.708": (SENDER, "blocked"),
    "7.750": (SENDER, "our sender"),
    "7.20": (SENDER, "authentication"),
    "7.21": (SENDER, "authentication"),
    "7.22": (SENDER, "authentication"),
    "7.23": (SENDER, "authentication"),
    "7.24": (SENDER, "authentication"),
    "7.25": (SENDER, "reverse name"),
    "7.26": (SENDER, "authentication"),
    "7.27": (SENDER, "our address"),
    "7.509": (SENDER, "authentication"),
}
# Codes used loosely: believed only where the words say nothing.
_LOOSE: dict[str, tuple[BounceClass, str]] = {
    "1.0": (SOFT, "address"),
    "1.1": (HARD, "no such mailbox"),
    "1.2": (HARD, "no such host"),
    "1.3": (HARD, "no such mailbox"),
    "1.4": (SOFT, "ambiguous address"),
    "2.0": (SOFT, "mailbox"),
    "2.1": (SOFT, "disabled by code"),
    "2.4": (SOFT, "list expansion"),
    "3.0": (SOFT, "mail system"),
    "3.1": (SOFT, "system full"),
    "3.2": (HARD, "accepts no mail"),
    "4.1": (SOFT, "network"),
    "4.3": (SOFT, "network"),
    "4.4": (HARD, "no such host"),
    "4.7": (SOFT, "expired"),
    "7.13": (SOFT, "disabled"),
    "7.17": (HARD, "no such mailbox"),
}
# By subject (the second number) where the detail is not in the tables.
_SUBJECTS: dict[str, tuple[BounceClass, str]] = {
    "0": (SOFT, "undefined"),
    "1": (SOFT, "address"),
    "2": (SOFT, "mailbox"),
    "3": (SOFT, "mail system"),
    "4": (SOFT, "network"),
    "5": (SOFT, "protocol"),
    "6": (SENDER, "content"),
    "7": (SENDER, "policy"),
}
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\d.])([245]\d\d)(?=[ :-]|$|#)(?!\.)")
_OF_MAILBOX = re.compile(r"\b(?:full|recei\w+)\b", re.IGNORECASE)
_THEIR_NULL_MX = re.compile(r"host (?:@|\S{1,255} )?does not accept mail", re.IGNORECASE)
"""Sendmail gives its readers' null MX the code that RFC 7505 has for the sender's."""
_QUOTED_HOST = re.compile(r"\bhost \S{1,255}(?: ?\[[^\]]{1,60}\])? (?:said|refused to talk to me): ?", re.IGNORECASE)
_ADDRESS = re.compile(r"<?[^\s<>()\[\]:;,\"\u2e80-\uffff]{1,128}@[^\s<>()\[\]:;,\"\u2e80-\uffff]{1,254}[A-Za-z0-9]>?")
"""Chinese, Japanese and Korean write words right beside it: those are not part of it."""
_NAME = re.compile(r"@ours\b|@|(?:[\w-]{1,63}\.){1,8}[a-z][\w-]{1,62}", re.IGNORECASE)
_BESIDE = 80
"""Characters around the words in which the name stands that they are about."""
# The form in which servers answer RCPT: the address first.
_LOOKS_LIKE_RCPT = re.compile(r"[45]\d\d[ :-]+(?:\d\.\d\.\d )?@(?::|\.\.\.)|recipient address rejected", re.IGNORECASE)


def stage_of(transcript: str) -> ReplyStage:
    """Where in the SMTP dialogue the refusal in a transcript (of any server) came."""
    return next((stage for stage, pattern in STAGE_PATTERNS if pattern.search(transcript)), ReplyStage.UNKNOWN)


def names_of_ours(addresses: Iterable[str], reader: str) -> frozenset[str]:
    """Our addresses and their domains, without what the reader shares with us."""
    ours = {address.lower() for address in addresses}
    domains = {address.rpartition("@")[2] for address in ours}
    return frozenset(ours | domains) - {reader.lower(), reader.lower().rpartition("@")[2]}


def domains_of_ours(sender: str, reader: str) -> frozenset[str]:
    """The domain of an envelope's sender and those above it, without what the reader's is or is below of."""
    labels = sender.lower().rpartition("@")[2].split(".")
    theirs = reader.lower().rpartition("@")[2]
    domains = (".".join(labels[place:]) for place in range(max(len(labels) - 1, 0)))
    return frozenset(domain for domain in domains if theirs != domain and not theirs.endswith(f".{domain}"))


def diagnose(
    words: str,
    status: str = "",
    *,
    delayed: bool = False,
    stage: ReplyStage = ReplyStage.UNKNOWN,
    ours: Collection[str] = (),
) -> Diagnosis:
    """What `words` (a Diagnostic-Code, a transcript line) and `status` (a DSN's Status field) mean.

    `delayed`: the server is still trying, so whatever it says nothing is to be done. Suppressing somebody takes certainty: words
    like "550 user unknown" are hard only with a code that agrees (5.1.x) or as the answer to RCPT; servers that filter say them
    of content. What was said before the recipient was named is about us, and so is a name of `ours` that does not exist; words
    that nobody knows are no certainty where one of `ours` stands in them.
    """
    line = _plain(words, ours)
    found = _ENHANCED.findall(line)
    codes = [".".join(match) for match in found]
    given = _ENHANCED.search(status)
    candidates = codes + ([given[0]] if given else [])
    believed = next((code for code in candidates if not code.endswith(".0.0")), candidates[0] if candidates else "")
    if delayed:
        return Diagnosis(DELAYED, "still trying", believed)
    # x.2.x says that there is a mailbox, x.7.x that policy decided: then the form alone proves nothing
    if stage is ReplyStage.UNKNOWN and believed[1:4] not in (".2.", ".7.") and _LOOKS_LIKE_RCPT.search(line):
        stage = ReplyStage.RCPT
    remote = _CODE.search(line) is not None
    temporary = believed.startswith("4") or (not believed and reply_code(line).startswith("4"))
    for code in candidates:
        precise = _PRECISE.get(code[2:])
        if precise and not (code == "5.7.27" and _THEIR_NULL_MX.search(line)):
            if precise[1] == "full" and OUR_QUOTA.search(line) and not _OF_MAILBOX.search(line):
                return Diagnosis(SENDER, "our quota", code)  # some put the code of a full mailbox on it
            if precise[0] is HARD and _names(line, ours):
                return Diagnosis(SENDER, "our address", code)
            return Diagnosis(*precise, code)
    for cause, bounce, pattern in CAUSES:
        match = pattern.search(line)
        if match:
            if bounce is HARD and stage is ReplyStage.EARLY:
                return Diagnosis(SENDER, "refused early", believed)
            if bounce is HARD and ours and _is_about(line, match, ours):
                return Diagnosis(SENDER, "our address", believed)
            alone = not (remote or stage or given or match[0].lower().endswith("closed"))
            sure = believed.startswith("5.1.") or stage is ReplyStage.RCPT or alone or CERTAIN.search(line)
            if cause == "no such mailbox" and (temporary or not sure):
                return Diagnosis(SOFT, "perhaps no such mailbox", believed)
            return Diagnosis(bounce, cause, believed)
    if stage is ReplyStage.EARLY:
        return Diagnosis(SENDER, "refused early", believed)
    if SUSPENDED.search(line):
        return Diagnosis(SOFT, "disabled", believed)
    for table, key in ((_LOOSE, believed[2:]), (_SUBJECTS, believed[2:].partition(".")[0])):
        if key in table and not (believed.startswith("4") and table[key][0] is HARD):
            if table[key][0] is HARD and _names(line, ours):
                return Diagnosis(SENDER, "our address", believed)
            return Diagnosis(*table[key], believed)
    return Diagnosis(SOFT, "undefined", believed)


def reply_code(words: str) -> str:
    """The first reply code in the words ("550"), or ""."""
    match = _CODE.search(_plain(words))
    return match[1] if match else ""


def _is_about(line: str, match: re.Match[str], ours: Collection[str]) -> bool:
    """Whether the name that stands nearest to the words, in the reply that they are of, is one of ours."""
    code = max((found.end() for found in _CODE.finditer(line, 0, match.end())), default=0)
    start, end = max(match.start(), code), match.end()
    names = _NAME.finditer(line, max(start - _BESIDE, code), end + _BESIDE)
    nearest = min(names, key=lambda name: max(start - name.end(), name.start() - end, 0), default=None)
    return nearest is not None and (nearest[0] == "@ours" or nearest[0].lower() in ours)


def _names(line: str, ours: Collection[str]) -> bool:
    return bool(ours) and any(name[0] == "@ours" or name[0].lower() in ours for name in _NAME.finditer(line))


def _plain(words: str, ours: Collection[str] = ()) -> str:
    line = " ".join(words[: MAX_DIAGNOSTIC * 2].split())[:MAX_DIAGNOSTIC]

    def shortened(found: re.Match[str]) -> str:
        address = found[0].strip("<>").lower()
        return "@ours" if address in ours or address.rpartition("@")[2] in ours else "@"

    return _ADDRESS.sub(shortened, _QUOTED_HOST.sub("", line))
