"""Bounces that are no delivery report, read by their shape: what a person would see, cut off where the returned mail begins.

Two readers find the addresses: flufl.bounce, which knows the shapes of many servers (Mailman's collection), and our own table of
lines that name a recipient. Why it failed is read from the words near the address, then from the whole notice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from email.message import Message

from flufl.bounce import all_failures

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.bounce_classifier import VAGUE, Diagnosis, diagnose, names_of_ours, stage_of
from digest.mail.inbound.bounce_patterns.other_languages import FAILED, FAILURE_SUBJECT, STILL_TRYING
from digest.mail.inbound.dsn import find_report, mild, read_report, words_near
from digest.mail.inbound.webhooks.events import read_json, read_json_at_start
from digest.mail.inbound.webhooks.ses import read_notification, text_of_message
from digest.mail.message.mime import Part

MAX_NOTICE = 20_000
_BEGINNING = 4_000
LONGEST_LINE = 998
"""RFC 5322 §2.1.1."""
MAX_LINES = 2_000
MAX_RECIPIENTS = 100

_ADDRESS = re.compile(r"[^\s<>()\[\];:,\"'=]{1,128}@[^\s<>()\[\];:,\"']{1,253}[A-Za-z0-9]")
_GLUED = re.compile(r"^[\u2e80-\uffff]+|[\u2e80-\uffff].*$")
_DAEMON = re.compile(
    r"mailer-?daemon|post[-_]?master|mail ?delivery|mdaemon|mail (?:system|administrator|server)|deliver(?:y|ed)|undeliver"
    r"|bounce|smtp",
    re.IGNORECASE,
)
_FAILURE_SUBJECT = re.compile(
    r"undeliver|non-?deliver|not deliver|deliver\w* .{0,30}(?:fail|problem|report|notif|status|error|delay|unable)"
    r"|fail\w* .{0,20}(?:deliver|mail|notice)"
    r"|returned (?:mail|to sender|message)|mail (?:could not|cannot|returned|failure|delivery|system error|status report)"
    r"|bounced?\b|"
    r"(?:user|recipient|address|mailbox) (?:unknown|not found|full|unavailable)|failure notice|warning: message"
    r"|message (?:not|delayed)|"
    r"are not (?:a )?member",
    re.IGNORECASE,
)
_WEAK_SUBJECT = re.compile(r"delayed|rejected|delivery", re.IGNORECASE)
"""Also in the subject of a parcel service: believed only beside a reply code."""
_REPLY_CODE = re.compile(r"(?:^|[\s(#:])[45](?:\d\d[ -]|\.\d{1,3}\.\d{1,3}\b)", re.MULTILINE)
# Where the returned mail begins: nothing after it is the server's own word.
_RETURNED = re.compile(
    r"^[ \t>]*(?:-{2,}.{0,10}(?:below this line|original (?:message|mail)|returned (?:message|mail)|this is a copy"
    r"|forwarded|unsent message"
    r"|message (?:header|text|begins|follows|is as)|(?:copy|headers?|text) of (?:the|your)|undelivered|start of"
    r"|bounced e-?mail|included is).{0,80}"
    r"|(?:the )?(?:original|returned|following is the|included is a copy|text of|your original|undelivered) (?:message|mail"
    r"|of the|header)s?"
    r"(?! was received)[^\n]{0,60}(?:follow|below|was|is|:)[^\n]{0,40}"
    r"|bounced e-?mail:|message header:|\*+ ?original .{0,40}|received: ?from .{0,300}|return-path: ?<.{0,300}"
    r"|message-id: ?<.{0,300})$",
    re.IGNORECASE | re.MULTILINE,
)
_REPORT_FIELDS = re.compile(
    r"^(?:original-recipient|final-recipient|action|status): .{0,400}\n(?:.{0,400}\n){0,6}?(?:final-recipient|action|status):",
    re.IGNORECASE | re.MULTILINE,
)
_EXACT = (re.compile(r"^[45]\d\d <(?P<a>[^\s<>]{1,250})>\.\.\.", re.MULTILINE),)
# Lines that name whom the notice is about; the first shape that finds somebody wins.
_NAMING = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"^[ \t]*<(?P<a>[^\s<>]{1,250})>:?[ \t]*(?:$|\(|:|\.\.\.)",
        r"^[ \t>]*(?:>>> ?)?RCPT TO: ?<?(?P<a>[^\s<>]{1,250})>?",
        r"^[ \t*-]*(?:recipient|final recipient|failed recipient"
        r"|original recipient)s?(?: address)?[ \t]*:[ \t]*<?(?P<a>[^\s<>;,\"]{1,250})",
        r"^[ \t*-]*(?:(?:final|original|intended|failed|rejected|bad|unknown|the|your|target|e-?mail|mail|invalid)[ -]){0,3}"
        r"(?:recipients?|address(?:es)?|user|to|addressee|mailbox|delivered to|rcpt)(?:\(s\))?(?: (?:address|was|is|name))?"
        r"[ \t]*[:=][ \t]*(?:rfc822;)?[ \t]*<?(?P<a>[^\s<>;,\"]{1,250}@[^\s<>;,\"]{1,250})",
        r"^[ \t]*(?P<a>[^\s<>;,:\"]{1,250}@[^\s<>;,:\"]{1,250})[ \t]*(?:$|[:;(]| on \w{3},| -|\.\.\.)",
        r"(?:deliver\w*|send|sent|reach\w*|message|mail|recipients?|user|address(?:es)?|forward\w*|for"
        r"|to)\b[^\n@]{0,60}[ <:'\"]"
        r"(?P<a>[^\s<>;,:\"'()]{1,250}@[^\s<>;,:\"'()]{1,250})",
        r"<(?P<a>[^\s<>]{1,128}@[^\s<>]{1,250})>",
        r"(?P<a>[^\s<>;,:\"'()]{1,250}@[^\s<>;,:\"'()]{1,250})",
    )
)
_FAILED = re.compile(
    r"(?:could|can|did|was|were|has|have|is) ?(?:not|n't) ?(?:be |been |yet been |reach\b)?(?:deliver|sent|reach|transmit"
    r"|process|forward|accept|complete|route)?"
    r"|unable to|undeliver|fail|reject|refus|unknown|returned|bounce|error|delay|unsuccessful|problem|malformed|incorrect"
    r"|ignored|not (?:a )?member|<<< ?[45]\d\d|\b[45]\d\d[ -][^\n]{3}",
    re.IGNORECASE,
)
_STILL_TRYING = re.compile(
    r"(?:will|shall) (?:be )?(?:continue|keep|re-?tr(?:y|ied)|try again|attempt)|still (?:trying|being)"
    r"|not (?:yet )?been delivered yet"
    r"|has(?:n't| not) yet been|warning(?: message)? only|do(?:n't| not| you do not) need to resend|no action is required"
    r"|further attempts"
    r"|delivery attempts will|temporar(?:y|ily) .{0,30}(?:delayed|deferred)|has been delayed|is being (?:delayed|held)"
    r"|not resend",
    re.IGNORECASE,
)
_GAVE_UP = re.compile(
    r"giv(?:en|ing) up|permanent(?:ly)? (?:error|fail)|no further|will not be (?:retried|tried)|has been (?:returned|deleted)",
    re.IGNORECASE,
)


def is_from_daemon(mail: Part) -> bool:
    """Whether the mail says it is from a mail server: by name, or by an empty return path (RFC 5321 §4.5.5)."""
    sender = mail.header("return-path").replace(" ", "")[:300]
    return sender == "<>" or is_named_daemon(mail) or bool(_DAEMON.match(sender.lstrip("<")))


def is_named_daemon(mail: Part) -> bool:
    """Whether a mail server wrote it by its name: people's automatic answers have an empty return path too (RFC 3834 §3.3)."""
    return bool(_DAEMON.search(mail.words("from")[:300]))


def read_nonstandard(mail: Part, ours: Iterable[str] = ()) -> Feedback | None:
    """The bounce in the mail, or None: it must come from a server (or say so in its subject) and name somebody it failed.

    `ours` are addresses that the mail came to.
    """
    if mail.header("x-amz-sns-message-id") or "@sns.amazonaws.com" in mail.header("from"):
        return _mailed_notification(mail)
    failed = [address for value in mail.all("x-failed-recipients") for address in _ADDRESS.findall(value[:5000])]
    daemon = is_from_daemon(mail)
    title = mail.words("subject")[:300]
    subject = any(pattern.search(title) for pattern in (_FAILURE_SUBJECT, FAILURE_SUBJECT))
    if not (failed or daemon or subject or _WEAK_SUBJECT.search(title)):
        return None
    report = _misplaced_report(mail, daemon, ours)
    if report:
        return Feedback(FeedbackKind.BOUNCE, report, reason="delivery report out of its place")
    notice, returned_mail = _notice(mail)
    named = failed or subject or is_named_daemon(mail) or _is_report(mail)
    if not (named or (daemon and _returns(mail, returned_mail)) or _REPLY_CODE.search(notice)):
        return None  # what is left is an empty return path, or a word in a subject
    temporary, permanent = _flufl(mail, notice)
    exact = _named(notice, mail, _EXACT)
    addresses = tuple(dict.fromkeys(failed or (*permanent, *temporary, *exact) or _named(notice, mail, _NAMING)))
    if not addresses and daemon and (subject or _is_report(mail)):
        addresses = _addressees(mail, returned_mail)
    certain = failed or permanent or temporary or _is_report(mail) or _FAILED.search(notice) or FAILED.search(notice)
    ours = names_of_ours(ours, addresses[0]) if addresses else ()
    whole = _of_whole(notice, ours)
    if not addresses or not (certain or ((subject or is_named_daemon(mail)) and whole.cause not in VAGUE)):
        return None
    still = bool(_STILL_TRYING.search(notice) or STILL_TRYING.search(notice)) and not _GAVE_UP.search(notice)
    returned = (
        _returned(address, notice, whole, ours, delayed=still, maybe_delayed=address in temporary and address not in permanent)
        for address in addresses[:MAX_RECIPIENTS]
    )
    if _is_cut_short(mail):
        return Feedback(FeedbackKind.BOUNCE, mild(returned), reason="delivery report, cut short")
    return Feedback(FeedbackKind.BOUNCE, tuple(returned), reason="bounce read by its shape")


def _returned(
    address: str, notice: str, whole: Diagnosis, ours: Collection[str], *, delayed: bool, maybe_delayed: bool
) -> Returned:
    words = words_near(address, notice)
    stage = stage_of(words) or stage_of(notice[:_BEGINNING])
    found = diagnose(words, stage=stage, ours=ours)
    if delayed or (maybe_delayed and found.bounce is not BounceClass.SENDER):  # "has NOT BEEN DELIVERED", blocked as spam
        found = diagnose(words, delayed=True, stage=stage, ours=ours)
    if found.cause in VAGUE and whole.cause not in VAGUE:
        found = replace(whole, status=found.status or whole.status)
    return Returned(address, found.status, found.bounce, " ".join(words.split())[:500])


def _of_whole(notice: str, ours: Collection[str]) -> Diagnosis:
    """The notice paragraph by paragraph, until one says why."""
    stage = stage_of(notice[:_BEGINNING])
    found = Diagnosis(BounceClass.SOFT, "undefined")
    for paragraph in notice.split("\n\n")[:60]:
        found = diagnose(paragraph, found.status, stage=stage, ours=ours)
        if found.cause not in VAGUE:
            break
    return found


def _mailed_notification(mail: Part) -> Feedback | None:
    """Amazon SNS mails an SES notification: JSON before a footer, broken by "!" where sendmail found a line too long.

    The protocol "email" sends the notification itself, "email-json" the whole post with the notification as its Message.
    """
    post = read_json_at_start(mail.text.lstrip().replace("!\n ", ""))
    found = read_notification(post) or read_notification(read_json(text_of_message(post)))
    if not found:
        return None
    return replace(
        found[0], recipients=tuple(one for feedback in found for one in feedback.recipients), reason="ses event, mailed"
    )


def _misplaced_report(mail: Part, daemon: bool, ours: Iterable[str]) -> tuple[Returned, ...]:
    """A report inside an attached mail from a server, in the text, or quoted where somebody forwarded it."""
    if daemon:
        for part in mail.walk():
            inner = find_report(part.parts[0]) if part.content_type == "message/rfc822" and part.parts else None
            if inner is not None:
                return read_report(inner, ours=ours).recipients
    for part in mail.walk():
        if part.content_type.startswith(("text/", "multipart/")) and not part.parts:
            text = re.sub(r"(?m)^(?:> ?)+", "", part.text)
            place = _REPORT_FIELDS.search(text)
            if place:
                fields = text[place.start() :].encode("utf-8", "replace")
                return read_report(Part((), "message/delivery-status", {}, fields), text[: place.start()], ours).recipients
    return ()


def _returns(mail: Part, returned_mail: str) -> bool:
    """Whether it brings the mail along that it is about."""
    return bool(returned_mail) or any(part.content_type == "message/rfc822" for part in mail.walk() if part is not mail)


def _is_report(mail: Part) -> bool:
    return (
        mail.content_type == "multipart/report"
        and mail.parameters.get("report-type", "delivery-status").lower() == "delivery-status"
    )


def _is_cut_short(mail: Part) -> bool:
    """Whether a report ends within its first part: the words we read may not be all."""
    delimiter = f"--{mail.parameters.get('boundary', '')}".encode("utf-8", "surrogateescape")
    return _is_report(mail) and len(mail.parts) < 2 and mail.body.count(delimiter) < 2


def _addressees(mail: Part, returned_mail: str) -> tuple[str, ...]:
    """Whom the returned mail was for, where the notice does not say whom it failed."""
    to = next((part.parts[0].header("to") for part in mail.walk() if part.content_type == "message/rfc822" and part.parts), "")
    line = re.search(r"(?im)^to:(.{1,500})$", returned_mail)
    return tuple(_ADDRESS.findall(to or (line[1] if line else "")))[:1]


def _notice(mail: Part) -> tuple[str, str]:
    """The server's own words (readable parts of the mail itself, up to where the returned mail begins), and the rest."""
    texts = [part.text for part in mail.walk() if part.content_type.startswith("text/") and not part.parts]
    if not texts and mail.content_type.startswith("multipart/") and not mail.parts:
        texts = [mail.body[:MAX_NOTICE].decode("latin-1")]
    text = "\n".join(texts)[: MAX_NOTICE * 2]
    returned = _RETURNED.search(text)
    cut = returned.start() if returned and text[: returned.start()].strip() else len(text)
    return text[:cut][:MAX_NOTICE], text[cut:]


def _named(notice: str, mail: Part, shapes: tuple[re.Pattern[str], ...]) -> tuple[str, ...]:
    ours = {
        address.lower()
        for name in ("to", "from", "delivered-to", "return-path")
        for address in _ADDRESS.findall(mail.header(name)[:1000])
    }
    for naming in shapes:
        found = [match["a"].strip("<>.'").removeprefix("mailto:") for match in naming.finditer(notice)]
        found = [_unglued(address) for address in found]
        kept = tuple(dict.fromkeys(a for a in found if _ADDRESS.fullmatch(a) and a.lower() not in ours and not _DAEMON.match(a)))
        if kept:
            return kept[:MAX_RECIPIENTS]
    return ()


def _unglued(address: str) -> str:
    """An address without the words that Chinese, Japanese and Korean write right beside it."""
    bare = _GLUED.sub("", address)
    return bare if _ADDRESS.fullmatch(bare) else address


def _flufl(mail: Part, notice: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses that flufl.bounce finds: still being tried, and given up. Its readers get our bounded tree, not the bytes.

    It also looks into the returned mail; where the server itself names somebody, only those count.
    """
    try:
        temporary, permanent = (tuple(_decoded(found)) for found in all_failures(_as_message(mail, [MAX_LINES])))
    except Exception:  # a reader of hostile text that we do not own: whatever it raises, the mail is read without it
        return (), ()
    folded = notice.lower()
    named = {address for address in (*temporary, *permanent) if address.lower() in folded} or {*temporary, *permanent}
    return tuple(a for a in temporary if a in named), tuple(a for a in permanent if a in named)


def _decoded(addresses: frozenset[bytes]) -> Iterator[str]:
    for raw in sorted(addresses):
        match = _ADDRESS.search(raw[:400].decode("latin-1"))
        if match:
            yield match[0]


def _as_message(part: Part, lines_left: list[int]) -> Message:
    """The tree as flufl.bounce wants it. Its readers try many patterns on each line, so lines are counted in all."""
    message: Message = Message()
    for name, value in part.headers:
        message[name] = value
    if part.parts:
        message.set_payload([_as_message(child, lines_left) for child in part.parts])
    else:
        lines = [line[:LONGEST_LINE] for line in part.body[:64_000].decode("latin-1").split("\n")[: lines_left[0]]]
        lines_left[0] -= len(lines)
        message.set_payload("\n".join(lines))
    return message
