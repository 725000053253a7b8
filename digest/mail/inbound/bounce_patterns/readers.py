"""The words servers refuse with where the reason lies with the reader's mailbox: the second half of ours.py's table."""

from __future__ import annotations

import re

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_patterns.stages import words

HARD, SOFT, SENDER = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER

UNMISTAKABLE: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "no such mailbox",
        HARD,
        words(
            # Exchange Online, where the tenant's directory has no such recipient
            r"5\.4\.1\b.{0,60}recipient address rejected: ?access denied",
            # a router that knows no more than that mail for it has no place (cPanel's last one)
            r"^(?!.*(?:sender verif|verification failed))(?=.*\b(?:account|mailbox|user|domain)\b.{0,40}\bnot exist)"
            r"(?=.*\bblack-?list)(?=.*\bdns\b)",
        ),
    ),
    # the provider's own list of who bounced or complained: it takes no mail for this one
    (
        "suppressed there",
        SOFT,
        words(
            r"\b(?:recipient|address|@)\b.{0,40}\b(?:suppress\w+|marked as inactive)|\bsuppression list|inactive addresses"
            r"|previously (?:bounced|unsubscribed)",
        ),
    ),
)
"""Asked before what is about us, whose words they hold: "access denied", "blacklisted"."""

CAUSES_AT_READER: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "moved",
        HARD,
        words(
            r"\bhas moved|moved to|user (?:has )?moved|no longer (?:here|at this|with|employed|works|using)",
            r"address (?:has )?changed|new (?:e-?mail )?address|please (?:update|use) ",
            r"has been replaced by|has left|left the company",
        ),
    ),
    (
        "no such host",
        HARD,
        words(
            r"(?:does|do)(?: not|n't) receive e?-?mail|domain is not reachable|nxdomain",
            r"domain\b.{0,60}does(?: not|n't) exist|host or domain name not found",
            r"null ?mx|\bno smtp service|(?:does|do) not accept (?:mail|e-?mail|incoming|messages)(?! from)|smtp protocol not",
            r"not accepting (?:mail|messages|any mail) ?(?:for this|at)",
        ),
    ),
    (
        "no such mailbox",
        HARD,
        words(
            r"(?:no|not|unknown|invalid|nonexist\w*|non-exist\w*|bad|undefined|illegal|unrecognized|inactive|incorrect"
            r"|unrouteable|"
            r"undeliverable|unlisted|wrong|dead) "
            r"(?:such |a |known |local |valid |existing |the |virtual |remote |final |delivery |e-?mail |mail )*"
            r"(?:user|mail ?box|recipient|account|address(?:ee)?|person|local.?part|customer|subscriber|member|rcpt|name"
            r"|alias|list|"
            r"e-?mail|to address|destination (?:mailbox|address|user)|(?:user|log[io]n|mail)[ -]?(?:id|name)|id|forward"
            r"|email address|entry|object|destination)(?:s|es|\(s\))?\b",
            r"(?:user|mail ?box|recipient|account|address(?:ee)?|addressee|alias|person|member|customer|rcpt|subscriber"
            r"|name|user[ -]?id|"
            r"group|list|e-?mail address|destination|username|local part|login)s?\b[^.;]{0,80}?"
            r"(?:unknown|not (?:found|known|exist|recogni[sz]ed|valid|listed|here|present|local|available|defined|match"
            r"|registered|"
            r"a (?:valid|known|local)|in|our customer|handled)|does(?: not|n't) exist|doesn.?t exist|do(?:es)? not (?:have"
            r"|match)|"
            r"did not exist|invalid|n[o']t exist|isn't (?:valid|listed|in)|(?:is|are) (?:not|invalid|unknown|undeliverable)|"
            r"nonexistent|non-existent|unlisted|undeliverable|incorrect|no longer (?:valid|exists?|available|active|in use"
            r"|on|used|a)|"
            r"(?:has|have) been (?:deleted|removed)|not? such|deleted|unroutable|unrouteable|lookup fail|expired|"
            r"could not be (?:found|resolved)|can(?:not|'t) be found|look ?up|wrong|removed)",
            r"\b(?:user|recipient|mailbox|address|account|person) ?unknown|unknown (?:user|recipient|local|account|address"
            r"|mailbox)",
            r"(?:don't|do not|does not|didn't|can(?:not|'t)) (?:have|know|find|see|recogni[sz]e|handle) .{0,40}"
            r"(?:user|mailbox|address|account|recipient|list|that name|here)",
            r"no (?:mail ?box|user|one|account|recipient|such|valid) .{0,40}(?:here|by that name|found|with that name"
            r"|with this|exist)",
            r"there is no (?:one|user|such|mailbox)|nobody here|(?:wasn't|was not) found at\b",
            r"\bno such (?:user|mailbox|recipient|account|person|address|local|address)|no mailbox",
            r"(?:unrout(?:e)?able|undeliverable|unknown|unrecognized|nonexistent) (?:mail |e-?mail )?(?:address|recipient"
            r"|destination)",
            r"recipnotfound|adr\.?err|user_unknown|nosuchuser|\bbad-?mailbox|rcpt.{0,10}not ok",
            r"not (?:a valid|listed in|our customer|known at this site|in (?:the )?(?:directory|address book|recipient))",
            r"not listed in (?:public )?(?:name|domino|address)",
            r"recipient(?:'s)? (?:address )?(?:was |is |has been )?(?:rejected|refused).{0,40}(?:unknown|undeliverable"
            r"|exist|not found)",
            r"address(?:ee)? (?:does not|doesn't|did not|not) (?:match|exist|found)",
            r"(?:does not|doesn't) (?:have|exist).{0,40}(?:account|mailbox|e-?mail|here|domain)",
            r"(?:account|mailbox|user) (?:has been |is |was )?(?:closed|terminated|deleted|cancel+ed|removed)",
            r"invalid (?:recipient|mailbox|user|address)|unknown or illegal alias|rejected address|ungültig|unbekannt|inconnu",
            r"this (?:user|address) (?:does|is) not|delivery error: dd this user|action not taken: mailbox unavailable",
            r"recipient address rejected\.?$|#5\.1\.0 address rejected|adresse .{0,20}invalide|見つかりません|存在しません"
            r"|not a registered",
        ),
    ),
    (
        "no such host",
        HARD,
        words(
            r"(?:host|domain|mail exchanger|mx)(?: name)?\b.{0,60}(?:unknown|not (?:found|exist)|does(?: not|n't) exist|"
            r"non-?existent|invalid|unrout(?:e)?able|no such|could(?:n't| not) be found|cannot be (?:found|resolved))",
            r"(?:unknown|no such|invalid|nonexistent|non-existent|bad|unrouteable|unroutable|illegal) "
            r"(?:mail |destination |recipient |remote )?(?:host|domain|mail domain|mail server)",
            r"name or service not known|host or domain name not found|nxdomain|can't find domain|cannot resolve|"
            r"couldn't find any host|unable to (?:look up|resolve|find)|no (?:relevant )?(?:answers|mx|a record|dns)|"
            r"(?:all )?(?:relevant )?mx records? (?:point (?!to (?:the |this )?local)|for)|no a(?:aaa)? (?:or mx )?record"
            r"|no route to domain|host.?lookup|"
            r"address(?:es)? (?:in|for) .{0,60}not found|misspelled",
        ),
    ),
    (
        "server error",
        SOFT,
        words(
            r"transaction failed\.?$|(?:system|server|internal|configuration|local|i/o) (?:error|failure)|internal server"
            r"|out of memory",
            r"insufficient system|temporar(?:y|ily) (?:failure|problem|unavail)",
        ),
    ),
    (
        "expired",
        SOFT,
        words(
            r"delivery (?:time|period) (?:has )?expired|retry (?:timeout|time) (?:exceeded|not reached)|queue (?:too long"
            r"|time|lifetime)",
            r"(?:could not|couldn't|unable to|cannot) be delivered (?:for|within|in|after) .{0,20}(?:hours?|days?)",
            r"(?:message|it|mail) (?:has )?(?:timed out|expired|been in (?:the )?queue)|not delivered within|too old"
            r"|giving up after",
            r"maximum (?:retry|retries)|retr(?:y|ies) .{0,20}(?:exceeded|exhausted|limit)"
            r"|delivery attempts? .{0,30}(?:exceeded|failed for)",
        ),
    ),
)
