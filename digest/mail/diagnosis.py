"""Why a mail came back, and whose fault that is: from what a server said to a class.

The order of trust: the words of the reply where they are unmistakable (servers put 5.1.1 on full mailboxes and 5.0.0 on
everything), then the enhanced code (RFC 3463 and IANA's registry), then the code of the reply (RFC 5321 §4.2). Where the words
speak of us (our address, our reputation, our content) the reader is never to blame, so those rows come first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.domain.feedback import BounceClass

HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED

MAX_DIAGNOSTIC = 1_000
"""Characters of a reply that are looked at."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`cause` is one or two words of ours; `status` the enhanced code believed, or ""."""

    bounce: BounceClass
    cause: str
    status: str = ""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# First match wins. Patterns are tried against one line of text with runs of white space made single.
_CAUSES: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "authentication",
        SENDER,
        _words(
            r"\b(?:spf|dkim|dmarc|sender.?id)\b",
            r"\bunauthenticated (?:e?mail|sender)",
            r"domain owner discourages",
            r"sender policy framework",
            r"not authori[sz]ed to send (?:mail|email|messages)? ?(?:from|on behalf|for)",
            r"sender (?:is )?(?:unauthorized|not authenticated)",
            r"authentication (?:checks? )?(?:failed|required)",
        ),
    ),
    (
        "reverse name",
        SENDER,
        _words(
            r"\bptr\b",
            r"reverse.?(?:dns|host|lookup|name|mapping|ip)",
            r"\brdns\b",
            r"ip name (?:lookup|possibly)",
            r"(?:client|your) host.{0,40} (?:cannot|can't|could not) (?:find|be found|resolve)",
            r"cannot find your (?:hostname|reverse)",
            r"unresolvable (?:relay )?host",
            r"\bfcrdns\b",
            r"all mail servers must have",
        ),
    ),
    (
        "virus",
        SENDER,
        _words(
            r"\bvirus",
            r"\bmalware",
            r"\binfected\b",
            r"\btrojan\b",
            r"(?:prohibited|forbidden|banned|illegal|not allowed|disallowed|dangerous|executable).{0,30}attach",
            r"attach.{0,60}(?:prohibited|forbidden|banned|illegal|not allowed|disallowed|blocked)",
        ),
    ),
    (
        "spam",
        SENDER,
        _words(
            r"\bspam(?!house)(?:ming|my|assassin)?\b",
            r"\bspam[- ]?(?:score|content|like|message|detect|filter)",
            r"unsolicited",
            r"\b(?:bulk|junk) (?:e?mail|content|messages?)\b",
            r"\bube\b|\bubem\b|\buce\b",
            r"(?:considered|looks|identified as|classified as|detected as) .{0,20}spam",
            r"(?:message|mail|content) .{0,30}(?:looks|scored) .{0,20}(?:unwanted|unsolicited)",
            r"blocked by (?:our )?content",
            r"high probability of spam",
            r"\bphish",
        ),
    ),
    (
        "blocked",
        SENDER,
        _words(
            r"\bblock(?:ed)? ?list",
            r"\b(?:black|deny|block|bad)[- ]?list",
            r"\b(?:rbl|dnsbl|dnsrbl|cbl|sbl|xbl|pbl|bl\d?|surbl|uribl)\b",
            r"spamhaus|spamcop|sorbs|barracuda ?central|abuseat|mail-abuse|senderscore|spamrats|uceprotect|ivmsip|psbl",
            r"reputation",
            r"(?:client |sending |sender |your |source |remote )?(?:host|ip|server|network|mail server|system)s?\b.{0,60}"
            r"\b(?:blocked|blacklisted|rejected|refused|banned|denied|listed|prohibited|not allowed|not welcome|not accepted)",
            r"(?:connections?|mail|messages?|e-?mails?|access) (?:from|by) .{0,60}"
            r"(?:blocked|refused|rejected|denied|not accepted|prohibited|banned|not allowed)",
            r"(?:refus|reject|block|bann|den[iy])\w* .{0,40}(?:connection|your (?:ip|host|server|network|mail server)|your mail\b)",
            r"(?:blocked|rejected|refused|banned|denied) (?:by|due to|because of|for) .{0,40}(?:abus|policy|local|admin|blocklist)",
            r"\bhelo\b|\behlo\b",
            r"dynamic(?:ally)?.{0,30}(?:ip|address|host|pool)|dial-?up|residential",
            r"no access from mail server",
            r"you are not (?:allowed|permitted|authori[sz]ed|welcome)",
            r"(?:not|isn't) (?:allowed|permitted|authori[sz]ed) to (?:connect|send mail|use this)",
            r"access (?:denied|rejected|blocked|not allowed|not permitted)",
            r"connection (?:denied|rejected|dropped|not allowed) ?(?:by|due)",
            r"open (?:relay|proxy)",
            r"bad (?:sender|client|ip)",
            r"temporarily deferred due to .{0,40}(?:complaint|unexpected volume)",
            r"user complaints",
            r"invalid helo",
        ),
    ),
    (
        "our rate",
        SENDER,
        _words(
            r"too many (?:concurrent |simultaneous |smtp |open )?(?:connections?|sessions?)",
            r"too many (?:messages?|e?mails?|recipients?|hops from|errors|invalid|unknown)",
            r"(?:rate|sending|connection|message) ?-?limit(?:ed|ing|s)?\b",
            r"exceed\w* (?:the )?(?:maximum )?(?:allowed |permitted )?(?:rate|number of (?:connections|messages))",
            r"too (?:fast|frequent|quickly)",
            r"throttl",
            r"slow down",
            r"maximum (?:number of )?connections?",
            r"receiving mail (?:at a rate|too quickly)",
            r"unusual rate",
        ),
    ),
    (
        "full",
        SOFT,
        _words(
            r"(?:mail ?box|inbox|mail ?drop|mail ?store|mail ?folder|account|user|recipient)\b.{0,40}\b"
            r"(?:full\b|over ?quota|exceed\w*|out of (?:space|storage)|over (?:the )?(?:its |his )?(?:allowed )?"
            r"(?:quota|limit|storage|size))",
            r"\b(?:over|exceed\w*|out of)\b.{0,30}\b(?:quota|(?:disk|mailbox|storage) (?:space|limit|size|quota))",
            r"quota.{0,30}(?:exceed|full|violat|reached|over|limit|would be)",
            r"\b(?:disk|over) ?quota\b",
            r"\bquota\b.{0,20}\berror",
            r"(?:insufficient|not enough|no|lack of) (?:disk |free |storage |system |mailbox )*(?:space|storage|room)",
            r"\bfull mailbox|mailfolder is full|too much mail data|mailbox too large|storage full|mailbox size limit",
            r"too many (?:messages?|mails?) (?:in|on|for) (?:this |the )?(?:mailbox|recipient|user)",
            r"(?:disk|file ?system|device|partition).{0,20}\bfull\b",
            r"no space left",
            r"maildir over",
            r"mailbox_full|mailbox-full|delivery over quota|quota exceed",
        ),
    ),
    (
        "too big",
        SOFT,
        _words(
            r"(?:message|mail|e-?mail|data|content|header|size|it).{0,40}(?:too (?:big|large|long)|exceed\w*|larger than|limit)\b",
            r"(?:exceed|larger than|over|beyond)\w* .{0,50}(?:message|mail|max\w*|fixed|allowed)[- ]?(?:message |mail )?size",
            r"\btoo (?:big|large)\b",
            r"size limit",
            r"maximum message",
        ),
    ),
    (
        "our address",
        SENDER,
        _words(
            r"(?:sender|from|return|envelope.?from|originat\w+|mail from|reverse.?path)\b:?.{0,60}"
            r"(?:rejected|denied|invalid|refused|not (?:exist|valid|allowed|permitted|verified|accepted|found|resolve|authori[sz]ed)|"
            r"does(?: not|n't) (?:exist|resolve)|unknown|verif(?:y|ication)|blocked|must|could not|cannot|can't|banned|bad|unresolv\w+|"
            r"not a)",
            r"(?:invalid|bad|unknown|rejected?|refus\w+|unrouteable|illegal|malformed|verify|fake) (?:the )?"
            r"(?:sender|return path|from|envelope|originator|mail from)",
            r"domain of (?:the )?sender",
            r"mail.?from\b.{0,40}(?:denied|reject|invalid)",
            r"(?:unable|fail\w*) to verify (?:the )?sender|sender verif|could not (?:complete )?sender|callout",
            r"null sender|empty (?:envelope )?sender|<> ?(?:not|denied|reject)|bounces? (?:not|are not) accepted",
            r"backscatter",
        ),
    ),
    (
        "relaying",
        SOFT,
        _words(
            r"\brelay(?:ing)?\b.{0,30}(?:denied|prohibited|not (?:permitted|allowed|available)|refused|disallowed|rejected|forbidden)",
            r"(?:not|unable|cannot|can't|won't|denied|no|refus\w+).{0,20}\brelay",
            r"relay access|relay operation",
            r"rcpthosts|we do(?:n't| not) relay|not (?:a )?gateway|isn't in my list|not in my control",
        ),
    ),
    (
        "moved",
        HARD,
        _words(
            r"\bhas moved|moved to|user (?:has )?moved|no longer (?:here|at this|with|employed|works|using)",
            r"address (?:has )?changed|new (?:e-?mail )?address|please (?:update|use) ",
            r"has been replaced by|has left|left the company",
        ),
    ),
    (
        "no such mailbox",
        HARD,
        _words(
            r"(?:no|not|unknown|invalid|nonexist\w*|non-exist\w*|bad|undefined|illegal|unrecognized|inactive|incorrect|unrouteable|"
            r"undeliverable|unlisted|wrong|dead) "
            r"(?:such |a |known |local |valid |existing |the |virtual |remote |final |delivery |e-?mail |mail )*"
            r"(?:user|mail ?box|recipient|account|address(?:ee)?|person|local.?part|customer|subscriber|member|rcpt|name|alias|list|"
            r"e-?mail|to address|destination (?:mailbox|address|user)|id|forward|email address|entry|object|destination)\b",
            r"(?:user|mail ?box|recipient|account|address(?:ee)?|addressee|alias|person|member|customer|rcpt|subscriber|name|user id|"
            r"group|list|e-?mail address|destination|username|local part|login)s?\b[^.;]{0,80}?"
            r"(?:unknown|not (?:found|known|exist|recogni[sz]ed|valid|listed|here|present|local|available|defined|match|registered|"
            r"a (?:valid|known|local)|in|our customer|handled)|does(?: not|n't) exist|doesn.?t exist|do(?:es)? not (?:have|match)|"
            r"did not exist|invalid|n[o']t exist|isn't (?:valid|listed|in)|is (?:not|invalid|unknown|undeliverable)|"
            r"nonexistent|non-existent|unlisted|undeliverable|incorrect|no longer (?:valid|exists?|available|active|in use|on|used|a)|"
            r"(?:has|have) been (?:deleted|removed)|not? such|deleted|unroutable|unrouteable|lookup fail|expired|"
            r"could not be (?:found|resolved)|can(?:not|'t) be found|look ?up|wrong|removed)",
            r"\b(?:user|recipient|mailbox|address|account|person) ?unknown|unknown (?:user|recipient|local|account|address|mailbox)",
            r"(?:don't|do not|does not|didn't|can(?:not|'t)) (?:have|know|find|see|recogni[sz]e|handle) .{0,40}"
            r"(?:user|mailbox|address|account|recipient|list|that name|here)",
            r"no (?:mail ?box|user|one|account|recipient|such|valid) .{0,40}(?:here|by that name|found|with that name|with this|exist)",
            r"there is no (?:one|user|such|mailbox)|nobody here",
            r"\bno such (?:user|mailbox|recipient|account|person|address|local|address)|no mailbox",
            r"(?:unrout(?:e)?able|undeliverable|unknown|unrecognized|nonexistent) (?:mail |e-?mail )?(?:address|recipient|destination)",
            r"recipnotfound|adr\.?err|user_unknown|nosuchuser|\bbad-?mailbox|rcpt.{0,10}not ok",
            r"not (?:a valid|listed in|our customer|known at this site|in (?:the )?(?:directory|address book|recipient))",
            r"not listed in (?:public )?(?:name|domino|address)",
            r"recipient(?:'s)? (?:address )?(?:was |is |has been )?(?:rejected|refused).{0,40}(?:unknown|undeliverable|exist|not found)",
            r"address(?:ee)? (?:does not|doesn't|did not|not) (?:match|exist|found)",
            r"(?:does not|doesn't) (?:have|exist).{0,40}(?:account|mailbox|e-?mail|here|domain)",
            r"(?:account|mailbox|user) (?:has been |is |was )?(?:closed|terminated|deleted|cancel+ed|removed)",
            r"invalid (?:recipient|mailbox|user|address)|unknown or illegal alias|rejected address|ungültig|unbekannt|inconnu",
            r"this (?:user|address) (?:does|is) not|delivery error: dd this user",
        ),
    ),
    (
        "no such host",
        HARD,
        _words(
            r"(?:host|domain|mail exchanger|mx)(?: name)?\b.{0,60}(?:unknown|not (?:found|exist)|does(?: not|n't) exist|"
            r"non-?existent|invalid|unrout(?:e)?able|no such|could(?:n't| not) be found|cannot be (?:found|resolved))",
            r"(?:unknown|no such|invalid|nonexistent|non-existent|bad|unrouteable|unroutable|illegal) "
            r"(?:mail |destination |recipient |remote )?(?:host|domain|mail domain|mail server)",
            r"name or service not known|host or domain name not found|nxdomain|can't find domain|cannot resolve|"
            r"couldn't find any host|unable to (?:look up|resolve|find)|no (?:relevant )?(?:answers|mx|a record|dns)|"
            r"(?:all )?(?:relevant )?mx records? (?:point|for)|no a(?:aaa)? (?:or mx )?record|no route to domain|host.?lookup|"
            r"address(?:es)? (?:in|for) .{0,60}not found|misspelled",
            r"null ?mx|does not accept (?:mail|e-?mail|incoming|messages)|do not accept (?:mail|e-?mail|messages)|"
            r"not accepting (?:mail|messages|any mail) ?(?:for this|at)|mail not accepted|smtp protocol not",
        ),
    ),
)

_SUSPENDED = _words(
    r"(?:mail ?box|account|user|recipient|address|subscription|e-?mail)\b.{0,60}(?:disabled|suspend|inactiv|locked|frozen|"
    r"unavailable|not active|deactivat|on hold|blocked|dormant|disused|restricted|expired|not activated|out of service)",
    r"(?:disabled|suspended|inactive|locked|deactivated|dormant) (?:mail ?box|account|user|recipient|address)",
)

# Enhanced codes that say one thing only; looked up before any words. RFC 3463, RFC 7372, RFC 7505, IANA's registry.
_PRECISE: dict[str, tuple[BounceClass, str]] = {
    "1.6": (HARD, "moved"),
    "1.7": (SENDER, "our address"),
    "1.8": (SENDER, "our address"),
    "1.10": (HARD, "no such mailbox"),
    "2.2": (SOFT, "full"),
    "2.3": (SOFT, "too big"),
    "3.4": (SOFT, "too big"),
    "6.0": (SENDER, "content"),
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
    "2.1": (SOFT, "disabled"),
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
_CODE = re.compile(r"(?<![\d.])([245]\d\d)(?=[ -]|$|#)(?!\.)")
_SAID = re.compile(r"\bhost \S{1,255}(?: ?\[[^\]]{1,60}\])? (?:said|refused to talk to me): ?", re.IGNORECASE)
_ADDRESS = re.compile(r"<?[^\s<>()\[\]:;,\"]{1,128}@[^\s<>()\[\]:;,\"]{1,255}>?")


def diagnose(words: str, status: str = "", *, delayed: bool = False) -> Diagnosis:
    """What `words` (a Diagnostic-Code, a transcript line) and `status` (a DSN's Status field) mean.

    `delayed`: the server is still trying, so whatever it says nothing is to be done.
    """
    line = _plain(words)
    found = _ENHANCED.findall(line)
    codes = [".".join(match) for match in found]
    given = _ENHANCED.search(status)
    candidates = codes + ([given[0]] if given else [])
    believed = next((code for code in candidates if not code.endswith(".0.0")), candidates[0] if candidates else "")
    if delayed:
        return Diagnosis(DELAYED, "still trying", believed)
    for code in candidates:
        precise = _PRECISE.get(code[2:])
        if precise:
            return Diagnosis(*precise, code)
    for cause, bounce, pattern in _CAUSES:
        if pattern.search(line):
            return Diagnosis(bounce, cause, believed)
    if _SUSPENDED.search(line):
        return Diagnosis(SOFT, "disabled", believed)
    for table, key in ((_LOOSE, believed[2:]), (_SUBJECTS, believed[2:].partition(".")[0])):
        if key in table and not (believed.startswith("4") and table[key][0] is HARD):
            return Diagnosis(*table[key], believed)
    return Diagnosis(SOFT, "undefined", believed)


def reply_code(words: str) -> str:
    """The first reply code in the words ("550"), or ""."""
    match = _CODE.search(_plain(words))
    return match[1] if match else ""


def _plain(words: str) -> str:
    line = " ".join(words[: MAX_DIAGNOSTIC * 2].split())[:MAX_DIAGNOSTIC]
    return _ADDRESS.sub("@", _SAID.sub("", line))
