"""The words servers refuse with, as a table: cause, class, patterns. Collected from what servers are known to say.

A row is about one thing; where rows overlap the first wins, so what is about us stands before what is about the reader.
"""

from __future__ import annotations

import re

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_patterns.other_languages import CAUSES_IN_OTHER_LANGUAGES
from digest.mail.inbound.bounce_patterns.readers import CAUSES_AT_READER, UNMISTAKABLE
from digest.mail.inbound.bounce_patterns.relays import CAUSES_AT_RELAY
from digest.mail.inbound.bounce_patterns.stages import words

HARD, SOFT, SENDER = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER

# First match wins. Patterns are tried against one line of text with runs of white space made single.
CAUSES: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    *CAUSES_AT_RELAY,
    *UNMISTAKABLE,
    # Exim, where the reader's domain points to it and it is not set up to take its mail
    (
        "relay setup",
        SENDER,
        words(r"lowest numbered mx records? points? to (?:the )?local ?host|remote host address is the local host"),
    ),
    (
        "network",
        SOFT,
        words(
            r"lost connection|connection (?:was )?(?:timed? ?out|lost|reset|closed|dropped|died|broken)"
            r"|timed? ?out (?:while|during|waiting)",
            r"(?:conversation|session|connect|operation|smtp) .{0,40}timed? ?out",
            r"no route to host|network is unreachable|host is unreachable|connection refused",
            r"too many hops|hop count|mail (?:forwarding )?loop|routing loop|loops? back to (?:me|myself)"
            r"|loop(?:ing)? detected",
            r"malformed or unexpected name server reply|temporary (?:lookup|dns|resolution|name server|nameserver)"
            r"|name ?server (?:timeout|fail)",
            r"(?:type=\w+:? )?host not found, try again|dns (?:timeout|server fail)|servfail",
            r"tls (?:handshake|is required|negotiation)|starttls|certificate",
        ),
    ),
    (
        "authentication",
        SENDER,
        words(
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
        words(
            r"\bptr\b|mismatch\w* client ip",
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
        words(
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
        words(
            r"\bspam(?!house)(?:ming|my|assassin)?\b",
            r"\bspam[- ]?(?:score|content|like|message|detect|filter)",
            r"unsolicited",
            r"\b(?:bulk|junk) (?:e?mail|content|messages?)\b",
            r"\bube\b|\bubem\b|\buce\b",
            r"(?:considered|looks|identified as|classified as|detected as) .{0,20}spam",
            r"(?:message|mail|content) .{0,30}(?:looks|scored) .{0,20}(?:unwanted|unsolicited)",
            r"blocked by (?:our )?content",
            r"high probability of spam",
            r"\bphish|\bDT:SPM\b",
            r"\b(?:DT:(?:SUM|RBL|ERR)|HL:(?:REP|IHU|IPB)|MI:(?:SPB|NHD)|RP:FRL|WM:BL[AI])\b",  # NetEase
        ),
    ),
    (
        "relaying",
        SOFT,
        words(
            r"\brelay(?:ing)?\b.{0,30}(?:denied|prohibited|not (?:permitted|allowed|available)|refused|disallowed|rejected"
            r"|forbidden)",
            r"(?:not|unable|cannot|can't|won't|denied|no|refus\w+).{0,20}\brelay",
            r"relay access|relay operation",
            r"rcpthosts|we do(?:n't| not) relay|not (?:a )?gateway|isn't in my list|not in my control|local users? only"
            r"|delivery (?:is )?not allowed to this address|not a local (?:domain|recipient)|\buser not local\b",
            r"\bkein relay|nicht weitergeleitet|relais (?:non|refus|interdit)|(?:禁止|不允许|拒绝).{0,6}(?:转发|中继)|中継",
        ),
    ),
    (
        "blocked",
        SENDER,
        words(
            r"\bblock(?:ed)? ?(?:list|sender)",
            r"\b(?:black|deny|block|bad)[- ]?list",
            r"\b(?:rbl|dnsbl|dnsrbl|cbl|sbl|xbl|pbl|bl\d?|surbl|uribl)\b",
            r"spamhaus|spamcop|sorbs|barracuda ?central|abuseat|mail-abuse|senderscore|spamrats|uceprotect|ivmsip|psbl",
            r"reputation",
            r"(?:(?:client|sending|sender|your|source|this) (?:host|ip|server|network|mail ?server|system)|\bips?\b).{0,60}"
            r"\b(?:blocked|blacklisted|rejected|refused|banned|denied|listed|prohibited|not allowed|not welcome|not accepted)",
            r"not accepting connections|messages from .{1,60} (?:temporarily deferred|weren't sent|not accepted)"
            r"|invalid ip for",
            r"part of their network is on our block",
            r"(?:connections?|mail|messages?|e-?mails?|access) (?:from|by) .{0,60}"
            r"(?:blocked|refused|rejected|denied|not accepted|prohibited|banned|not allowed)",
            r"(?:refus|reject|block|bann|den[iy])\w* .{0,40}(?:connection|your (?:ip|host|server|network|mail server)"
            r"|your mail\b)",
            r"(?:blocked|rejected|refused|banned|denied) (?:by|due to|because of|for) .{0,40}(?:abus|policy|local|admin"
            r"|blocklist)",
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
        words(
            r"too many (?:concurrent |simultaneous |smtp |open )?(?:connections?|sessions?)",
            r"too many (?:messages?|e?mails?|recipients?|hops from|errors|invalid|unknown)\b"
            r"(?! (?:in|on) (?:this |the )?mailbox)",
            r"(?:rate|sending|connection|message) ?-?limit(?:ed|ing|s)?\b",
            r"exceed\w* (?:the )?(?:maximum )?(?:allowed |permitted )?(?:rate|number of (?:connections|messages))",
            r"too (?:fast|frequent|quickly)|too much mail from",
            r"throttl|connections? limit",
            r"\b(?:MI:(?:CEL|DMC|SFQ)|RP:(?:CEL|DRC|QRC|TRC)|HL:(?:ICC|IFC|ITC|MEP))\b",  # NetEase
            r"slow down",
            r"maximum (?:number of )?connections?",
            r"unusual rate",
            r"frequency limited|(?:sending|sent) too (?:many|much)|发送(?:频率|数量).{0,10}(?:超|过)",
        ),
    ),
    (
        "full",
        SOFT,
        words(
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
        words(
            r"(?:message|mail|e-?mail|data|content|header|size|it).{0,40}(?:too (?:big|large|long)|exceed\w*|larger than"
            r"|limit)\b",
            r"(?:exceed|larger than|over|beyond)\w* .{0,50}(?:message|mail|max\w*|fixed|allowed)[- ]?(?:message |mail )?size",
            r"\btoo (?:big|large)\b",
            r"size limit",
            r"maximum message|(?:nachricht|mail) .{0,10}zu groß|message trop (?:gros|volumineux)|邮件(?:过大|太大)"
            r"|サイズ.{0,10}(?:超|大き)",
        ),
    ),
    (
        "our address",
        SENDER,
        words(
            r"(?:sender|from(?! (?:the )?(?:remote|receiving|other|recipient|destination))|return|envelope.?from|originat\w+"
            r"|mail from|reverse.?path)\b:?.{0,60}"
            r"(?:rejected|denied|invalid|refused|not (?:exist|valid|allowed|permitted|verified|accepted|found|resolve"
            r"|authori[sz]ed)|"
            r"does(?: not|n't) (?:exist|resolve)|unknown|verif(?:y|ication)|blocked|must|could not|cannot|can't|banned|bad"
            r"|unresolv\w+|"
            r"not a)",
            r"(?:invalid|bad|unknown|rejected?|refus\w+|unrouteable|illegal|malformed|verify|fake) (?:the )?"
            r"(?:sender|return path|from|envelope|originator|mail from)",
            r"domain of (?:the )?sender",
            r"mail.?from\b.{0,40}(?:denied|reject|invalid)",
            r"(?:unable|fail\w*) to verify (?:the )?sender|sender verif|could not (?:complete )?sender|callout",
            r"null sender|empty (?:envelope )?sender|<> ?(?:not|denied|reject)|bounces? (?:not|are not) accepted",
            r"backscatter|unauthori[sz]ed sender",
            r"absender\w{0,8}\b.{0,30}(?:nicht|unzulässig|abgelehnt|ungültig)|(?:d'expédition|expéditeur)\b.{0,30}(?:non|pas|refus)",
            r"(?:remitente|remetente|mittente)\b.{0,30}(?:no|não|non)\b|отправител\w{0,4} .{0,30}(?:не|запрещ)",
            r"(?:发件人|寄件人|发信人|差出人|送信者|送信元).{0,30}(?:不一致|未通过|不(?:允许|匹配|符|合法)|无效|一致しません|許可され|使用できません)",
        ),
    ),
    # au answers so, leaving out the address it was asked for, when the reader's own filter refuses
    ("filtered", SOFT, words(r"\b550:? : ?user unknown")),
    (
        "policy",
        SENDER,
        words(
            r"(?:may|do|does|might)(?: not|n't) have permission|members?.only|google groups|google グループ|groups\.google\.com"
            r"|(?:you are|is) not a? ?member|not permitted to (?:post|send)",
            r"(?:for|by|due to|because of|violat\w*|against|breach\w*|administrative|security|content|local|our|email|mail"
            r"|usage|site) polic(?:y|ies)",
            r"malformed (?:recipient )?address|incorrectly constructed",
            r"polic(?:y|ies) (?:reason|violation|reject|restrict)|message content rejected|rejected (?:the )?content"
            r"|e?-?mail content (?:was )?re(?:jected|fused)|administrative prohibition|administratively denied"
            r"|message not allowed|content (?:is |was |has been )?(?:filtered|blocked|denied|refused|not accepted|prohibited)",
            r"rfc ?(?:2|5)[38]2[12]|(?:bare|stray) (?:lf|cr|linefeed|newline)|not rfc|header.{0,20}(?:missing|duplicate"
            r"|invalid|illegal|malformed)"
            r"|(?:missing|duplicate|invalid|illegal|malformed) .{0,30}header|improper use of 8-bit|messages? without",
        ),
    ),
    *CAUSES_AT_READER,
    *CAUSES_IN_OTHER_LANGUAGES,
    # a heading over the reason, where there is one
    (
        "policy",
        SENDER,
        words(
            r"message rejected|rejected (?:the )?(?:message|mail)|e?-?mail (?:was )?re(?:jected|fused|jete)",
            r"(?:message|mail) (?:is |was |has been )?(?:filtered|blocked|denied|refused|not accepted|prohibited)",
        ),
    ),
)
