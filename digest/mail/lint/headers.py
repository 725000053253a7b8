"""Rules about octets, header fields and the parts' order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses, parsedate_to_datetime

from digest.mail.inbound.parsed_message import ParsedMessage

ALWAYS = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted", "Feedback-ID")
OF_LISTS = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")
AT_MOST_ONCE = ("Reply-To", "Sender", "Cc", "List-Archive", "List-Help", "Content-Transfer-Encoding")


def line_length(letter: ParsedMessage) -> Iterator[str]:
    """RFC 5322 §2.1.1."""
    longest = max(len(line.rstrip(b"\r")) for line in letter.data.split(b"\n"))
    if longest > 998:
        yield f"a line has {longest} octets; at most 998 are allowed"


def line_ends(letter: ParsedMessage) -> Iterator[str]:
    """RFC 5321 §2.3.8: a bare CR or LF is how mail is smuggled past servers."""
    if re.search(rb"\r(?!\n)|(?<!\r)\n", letter.data):
        yield "a CR or LF stands alone; every line should end in CRLF"
    if b"\0" in letter.data:
        yield "there is a NUL octet"


def ascii_header(letter: ParsedMessage) -> Iterator[str]:
    """RFC 5322 §2.2; RFC 6532 lets only an address that cannot be spelled otherwise be UTF-8."""
    for name, value in letter.fields:
        if not value.isascii() and name != "to":
            yield f"{name} holds raw non-ASCII octets; should be encoded-words (RFC 2047)"


def header_count(letter: ParsedMessage) -> Iterator[str]:
    of_lists = OF_LISTS if letter.one_click else OF_LISTS[:-1]
    wanted = (*ALWAYS, *of_lists) if letter.listed else ALWAYS
    for name in wanted:
        if (count := len(letter.all(name))) != 1:
            yield f"{name} is there {count} times; should be exactly once"
    for name in AT_MOST_ONCE:
        if (count := len(letter.all(name))) > 1:
            yield f"{name} is there {count} times; should be at most once"
    if letter.all("Bcc"):
        yield "Bcc tells readers of each other"
    if letter.first("Subject") == "" and letter.all("Subject"):
        yield "Subject is empty"


def date(letter: ParsedMessage) -> Iterator[str]:
    try:
        aware = parsedate_to_datetime(letter.first("Date")).tzinfo is not None
    except ValueError:
        aware = False
    if letter.all("Date") and not aware:
        yield f"Date {letter.first('Date')[:40]!r} should be like Thu, 06 Nov 2025 07:00:00 +0000"


def message_id(letter: ParsedMessage) -> Iterator[str]:
    """RFC 5322 §3.6.4; its domain is the sender's, or filters take it for a forgery."""
    given = letter.first("Message-ID")
    match = re.fullmatch(r"<[^<>@\s]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>", given)
    if letter.all("Message-ID") and not match:
        yield f"Message-ID {given[:60]!r} should be like <left@domain.name>"
    senders = getaddresses([letter.first("From")])
    if len(senders) != 1 or "@" not in senders[0][1]:
        yield "From should name exactly one address"
    elif match:
        domain = senders[0][1].rpartition("@")[2].lower()
        ours = match[1].lower()
        if not (ours == domain or ours.endswith(f".{domain}") or domain.endswith(f".{ours}")):
            yield f"Message-ID is at {ours}, but From is at {domain}"


def one_click(letter: ParsedMessage) -> Iterator[str]:
    """RFC 2369 and 8058: an address to post to first."""
    if not letter.listed or not letter.all("List-Unsubscribe") or not letter.one_click:
        return
    schemes = [target.partition(":")[0].lower() for target in re.findall(r"<([^<>]*)>", letter.first("List-Unsubscribe"))]
    if not schemes or schemes[0] not in ("https", "http"):
        yield "List-Unsubscribe should begin with an https address"
    if letter.first("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post should be List-Unsubscribe=One-Click"


def unsubscribe_mailbox(letter: ParsedMessage) -> Iterator[str]:
    """Some mail programs can only write a mail."""
    if letter.listed and letter.all("List-Unsubscribe") and "<mailto:" not in letter.first("List-Unsubscribe").lower():
        yield "List-Unsubscribe should also name a mailto: address (set mail.inbound_address)"


def one_click_https(letter: ParsedMessage) -> Iterator[str]:
    if "<http:" in letter.first("List-Unsubscribe").lower():
        yield "List-Unsubscribe is plain http; mailbox providers offer one-click only for https (set web.base_url)"


def structure(letter: ParsedMessage) -> Iterator[str]:
    """RFC 2046 §5.1.4: the plainest part first."""
    if letter.structure != ("multipart/alternative", "text/plain", "text/html"):
        yield f"the parts are {', '.join(letter.structure)}; should be multipart/alternative of text/plain, then text/html"
    for charset in letter.charsets:
        if charset not in ("utf-8", "us-ascii"):
            yield f"a part's charset is {charset or 'not said'}; should be utf-8"
    if not letter.text.strip():
        yield "the plain part says nothing"
    if letter.tree is None:
        yield "the html part says nothing"
