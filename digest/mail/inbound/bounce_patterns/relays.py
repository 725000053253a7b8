"""The words a relay refuses us with whatever the recipient is: the first rows of ours.py's table.

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

# A limit of ours is named by three things together, in whatever order: how much, in what time, of what we send.
_MUCH = (
    r"limit|l[íi]mite|лимит|quota|kontingent|allow(?:ed|ance)|m[aá]xim|exceed|reached|too many|used up|sent more than|over the"
    r"|überschritten|erreicht|dépass|atteint|superad|superat|exce(?:di|ss)|raggiunt|limiet|overschred|превыш|исчерп|przekrocz"
    r"|překroč|aşıl|초과|한도|超|上限"
)
_TIME = (
    r"(?:dai|hour|week|month)ly|(?:\b(?:per|an?|one|last|this|each|every|\d{1,3}) ?|/)(?:hours?|days?|months?)\b|\d ?h\b"
    r"|\btoday\b|\b60 min"
    r"|stund|\b(?:pro|je) tag\b|tägl|heute|heure|horaire|par jour|quotidien|journalier|por (?:hora|día|dia)\b|diari[oa]"
    r"|giornalier|all'ora|oraria?\b|dagelijks|per (?:uur|dag)|dzienn|dobow|godzin|denní|hodin|günlük|saatlik|일일|하루|시간당"
    r"|суточн|дневн|часов|(?:в|за) (?:час|сутки|день)|每小时|每天|每日|当日|当天|今[日天]|1日|時間|本日"
)
_MAIL_OF_OURS = (
    r"\bsen(?:[dt]|der)\b|sending|outgoing|outbound|relay|(?:messages|e?-?mails|recipients|nachrichten|courriels"
    r"|correos|mensajes|mensagens|messaggi|berichten|wiadomości|zpráv) "
    r".{0,20}(?:per|pro|par|por|an?|in|/)\b|\bplan\b|versand|versend|gesendet|d'envoi|envoyé|\benv[ií]o|\binvi[oa]"
    r"|verzend|verzonden|wysył|wysłan|odesl|gönder|발송|전송"
    r"|отправ|исходящ|лимит писем"
    r"|发信|发送|發送|发件|送信"
)
_OF_THE_READER = (
    r"receiv|incoming|inbound|empfang|réception|re[cç]ep[cç]"
    r"|recibi|recebi|входящ|odbior|odebr|ontvang|수신|接收|受信|\bfull\b|over.?quota|storage|(?:disk|mailbox) (?:size"
    r"|space|quota)"
    r"|\bvoll\b|pleine|llen[oa]|cheia|piena|已满|unknown|not exist|not found|no such"
)

CAUSES_AT_RELAY: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "receives too much",
        SOFT,
        words(
            r"receiving (?:e-?)?mail (?:at a rate|too quickly)",
            r"recipient.{0,40}\b(?:receiv\w+ (?:limit|rate)|received too many|hourly message receive)|recipientratelimit"
            r"|\brecipient (?:@ )?has (?:exceeded|reached)|\b(?:mailbox|inbox|recipient) (?:gets|is getting)\b",
            r"recipient ?thread ?limit",
            r"\b(?:user|mailbox|inbox|account|recipient|address|addressee|@)\b.{0,40}\b(?:receiv(?:es|ed|ing)|gets|getting"
            r"|got) "
            r"(?:e-?mails?|messages?|mail)?.{0,20}\btoo (?:many|much|fast|quickly|often)",
            r"too (?:many|much) (?:incoming )?(?:e?-?mails?|messages?|mail) (?:for|to|arriv\w+|received|sent to|delivered to"
            r"|at)"
            r" .{0,30}(?:user|mailbox|inbox|account|recipient|addressee|@)",
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
            r"(?:发信|发送|当日|每日|当天).{0,12}(?:上限|限额|超出限制|超过限制)|送信.{0,8}(?:上限|制限|可能数)",
            rf"^(?=.*(?:{_MUCH}))(?=.*(?:{_TIME}))(?=.*(?:{_MAIL_OF_OURS}))(?!.*(?:{_OF_THE_READER}))",
            r"(?:outgoing|outbound) (?:mail|messages?|e-?mails?)\b.{0,40}\b(?:limit|quota)",
            r"\bquota (?:of|for) (?:outgoing|sent)|(?:rate|sending) quota|reached its e-?mail limit|limit for your .{0,20}plan",
            r"no (?:\w{1,12} )?credits (?:left|remaining)|(?:not enough|run out of|out of) credits?\b"
            r"|(?:sent|sending) too many (?:messages|e?-?mails)",
            r"message (?:count )?quota|\bsender address rejected\b.{0,60}\bquota|\bRP:TRL\b|\bMI:STC\b",
            r"versandlimit|(?:quota|limite) d'(?:envoi|invio)|l[íi]mite de env[ií]o|лимит\w{0,4} .{0,12}отправ",
        ),
    ),
    ("authentication", SENDER, words(r"\b(?:spf|dkim|dmarc|sender.?id)\b", r"the required authentication level")),
    # a group or mailbox that takes mail from its own organisation only
    (
        "policy",
        SENDER,
        words(
            r"senderNotAuthenticatedFor|RST\.AuthRequired|(?:only accepts?|not accept) .{0,30}from (?:authenticated|outside"
            r"|people)"
        ),
    ),
    (
        "login",
        SENDER,
        words(
            r"(?:smtp|sender|client|user|e?smtp auth|you) .{0,20}(?:must|need to|should|has to|have to) .{0,12}"
            r"(?:authenticate|log ?in|be authenticated)\b",
            r"unauthenticated (?:senders?|users?|clients?|connections?)\b",
            r"auth\w* (?:is )?required|require[sd]? (?:smtp )?auth\w*|must (?:first )?(?:authenticate|be authenticated"
            r"|log ?in)",
            r"(?:need|send|use) .{0,20}\bauth\b(?! failed).{0,12}(?:first|command)|\b(?:auth|log ?in|authenticate) first\b",
            r"(?:turn on|enable|check|use|without) (?:the )?(?:smtp )?authenticat\w+",
            r"(?:client|you|user|sender|session) (?:was|is|are) not (?:authenticated|logged in)|not authenticated\b",
            r"pop.?before.?smtp|check (?:for )?(?:new )?mail (?:first|before)",
            r"authentication (?:credentials )?(?:invalid|unsuccessful|failed|error)|bad (?:username|login|credentials)|"
            r"username and password not accepted|invalid (?:login|credentials|user ?name or password)",
            r"must issue a starttls|starttls (?:first|is required|command first)|encryption required",
            r"requires? (?:tls|encryption)",
            r"must have authentication|(?:relay\w{0,5}|delivery) .{0,20}only for authenticated|\blog ?on first"
            r"|(?:session|user|client) not logged (?:in|on)",
            r"anmeldung erforderlich|nicht (?:angemeldet|authentifiziert)|authentifi(?:zierung|cation)\b.{0,20}"
            r"(?:erforderlich|nötig|einschalten|requise|nécessaire|obligatoire)|(?:autenticación|autenticação|autenticazione)"
            r" .{0,20}(?:requerid|necesari|necessári|richiest|obrigatóri)|требуется (?:авториз|аутент)",
            r"请先登[录陆]|(?:需要|请).{0,8}(?:身份验证|认证|登录)|認証が必要|認証(?:を行|してくだ)",
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
            r"unconfigured sending|ses:send|not been activated for sending|sender signature not (?:confirmed|found|defined)",
            r"\b(?:from|sender)\b.{0,60}(?:(?:does not|doesn't) belong|one of your|not a sender signature|not (?:one )?of your)"
            r"|(?:do not|don't) own the (?:from|sender)|not authori[sz]ed to send from th(?:is|at) (?:header|e?-?mail|address)"
            r"|sender you used .{0,80}not valid",
        ),
    ),
    (
        "suspended",
        SENDER,
        words(
            r"(?:sending|outgoing|outbound|smtp|sender|e-?mail)\b.{0,30}\b(?:suspended|disabled|blocked|restricted|on hold)"
            r" (?:for|due|because|until|by|from)",
            r"(?:outgoing|outbound) .{0,60}(?:has been |is |are )?(?:blocked|suspended|disabled)",
            r"unusual sending activity|(?:blocked|restricted|prevented) from sending",
            r"\bsending (?:has been |is |was )?(?:paused|disabled|suspended)|(?:suspended|disabled) from sending",
            r"\byour (?:e-?mail |smtp )?(?:account|subscription|access)\b.{0,30} (?:suspended|disabled|blocked|locked"
            r"|expired|inactive|not (?:yet )?activ\w+|pending)",
            r"(?<![.\w])(?:test|trial|sandbox|evaluation) (?:purposes|accounts?|mode|period|subdomains?)\b",
            r"storedrv\.submission|outboundspam|request failed; mailbox unavailable|pending approval"
            r"|not (?:yet )?approved to send",
            r"\b(?:upgrade|subscribe) .{0,20}\bplan\b|unpaid (?:bill|invoice)|payment (?:required|overdue)",
            r"unregistered domain|tenant .{0,30}(?:exceeded|blocked|restricted)|possible abuse",
        ),
    ),
)

OUR_QUOTA = next(pattern for cause, _, pattern in CAUSES_AT_RELAY if cause == "our quota")
