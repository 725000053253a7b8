"""Delivery status notifications (RFC 3464): the one report every server can write, read field by field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from digest.domain.feedback import BounceClass, Returned
from digest.mail.inbound.bounce_classifier import VAGUE, ReplyStage, diagnose, names_of_ours, reply_code, stage_of
from digest.mail.message.mime import Part, decode_transfer, read_fields

MAX_RECIPIENTS = 100

_ADDRESS = re.compile(r"[^\s<>()\[\];,\"]{1,128}@[^\s<>()\[\];,\"]{1,255}")
_NEXT_RECIPIENT = re.compile(
    r"^[ \t>]*(?:[45]\d\d )?[<\"]?[^\s<>\"@]{1,128}@[^\s<>\"@]{1,255}[>\"]?[ \t]*(?::|$|\.\.\.)", re.MULTILINE
)
# Dovecot refuses on delivery with a report that says little and this sentence, which says why.
_REFUSED_BECAUSE = re.compile(r"was automatically rejected:\s*(.{3,300})")
_HAPPENED = {"delivered", "relayed", "expanded", "deliverable"}
"""RFC 3464 §2.3.3, and Postfix's answer to a question about an address."""
_HAPPENING = _HAPPENED | {"failed", "delayed"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery-status part says. `delivered`: it reports success for everybody it names."""

    recipients: tuple[Returned, ...]
    delivered: bool


def find_report(mail: Part) -> Part | None:
    """The mail's own message/delivery-status part; one inside an attached message is somebody else's."""
    return next(
        (part for part in mail.walk() if part.content_type in ("message/delivery-status", "message/global-delivery-status")), None
    )


def read_report(status: Part, notification: str = "", ours: Iterable[str] = ()) -> Report:
    """Reads the per-recipient blocks. `notification` is the human-readable part: asked only where a block gives no diagnostic.

    `ours` are addresses that the report came to.
    """
    body = decode_transfer(status.body, status.header("content-transfer-encoding"))
    returned: dict[str, Returned] = {}
    happened = 0
    for block in re.split(rb"\n[ \t]*(?:\n[ \t]*)+(?=\S)", body, maxsplit=MAX_RECIPIENTS + 1):
        fields = dict(reversed(read_fields(block)))
        address = recipient_of(fields)
        if not address and not ("action" in fields and "status" in fields):
            continue
        if _happened(fields):
            happened += 1
            continue
        one = _returned(address, fields, notification, names_of_ours(ours, address))
        returned.setdefault(address.lower(), one)
    return Report(tuple(returned.values()), delivered=bool(happened and not returned))


def mild(returned: Iterable[Returned]) -> tuple[Returned, ...]:
    """Of a report that is cut short: what is missing may be why, so nobody is given up for it."""
    return tuple(replace(one, bounce=BounceClass.SOFT) if one.bounce is BounceClass.HARD else one for one in returned)


def recipient_of(fields: dict[str, str]) -> str:
    """The mailbox a block is about: as we spelled it (Original-Recipient) before what it became on the way."""
    for name in ("original-recipient", "x-actual-recipient", "final-recipient"):
        kind, _, text = fields.get(name, "").rpartition(";")
        match = _ADDRESS.search(text)
        if match and "x400" not in kind.lower():
            return match[0].strip("'")
    return ""


def words_near(address: str, notice: str) -> str:
    """What a notice says of one recipient: from the first line that begins with the address to the next recipient's line."""
    mark = re.compile(rf"(?im)^[ \t>]*(?:[45]\d\d )?[<\"]?{re.escape(address)}[>\"]?(?![\w@.-])")
    start = mark.search(notice)
    place = start.start() if start else notice.lower().find(address.lower())
    if place < 0:
        return ""
    line, _, following = notice[place : place + 1500].partition("\n")
    if re.match(r"[ \t>]*[45]\d\d ", line):
        return line
    stop = next((other for other in _NEXT_RECIPIENT.finditer(following) if not mark.match(other[0])), None)
    following = following[: stop.start() if stop else len(following)]
    paragraphs = [line, *following.strip("\n").split("\n\n")]
    bare = not line.lower().replace(address.lower(), "").strip('<>:;" \t.')
    return "\n".join(paragraphs[: 3 if bare and following.startswith("\n") else 2])[:1200]


def _happened(fields: dict[str, str]) -> bool:
    """Success by its action or, where that is none of the standard's, by its status."""
    action = fields.get("action", "").lower().split(" ")[0]
    return action in _HAPPENED or (action not in _HAPPENING and fields.get("status", "").startswith("2."))


def _words(fields: dict[str, str]) -> str:
    """What the server said: in the Diagnostic-Code, else where its product puts it (Cisco: X-Supplementary-Info)."""
    diagnostic = fields.get("diagnostic-code", "")
    words = diagnostic.partition(";")[2].strip() or diagnostic
    return words or next((text for name, text in fields.items() if name.startswith("x-") and reply_code(text)), "")


def _returned(address: str, fields: dict[str, str], notification: str, ours: Collection[str]) -> Returned:
    words = _words(fields)
    action = fields.get("action", "").lower()
    because = _REFUSED_BECAUSE.search(notification)
    words = because[1] if because else words
    near = words_near(address, notification)
    stage = stage_of(words) or stage_of(near) or stage_of(notification)
    status = fields.get("status", "")
    if fields.get("x-powermta-bouncecategory", "").lower() in ("bad-mailbox", "inactive-mailbox", "bad-domain"):
        stage = ReplyStage.RCPT
    found = diagnose(words, status, delayed=action.startswith("delay"), stage=stage, ours=ours)
    for other in (near, notification):
        if found.cause not in VAGUE:
            break
        found = diagnose(f"{words}\n{other}", status, stage=stage, ours=ours)
    if found.bounce is BounceClass.HARD and fields.get("diagnostic-code", "").lower().startswith("x-unix"):
        # a program on the server failed while it delivered: the mailbox is there
        found = replace(found, bounce=BounceClass.SOFT)
    return Returned(address, found.status, found.bounce, (words or fields.get("status", ""))[:500])
