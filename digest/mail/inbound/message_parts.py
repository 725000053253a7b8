"""A mail of ours, read back as a mail program would."""

from __future__ import annotations

from email import message_from_bytes, policy


def parts_of(data: bytes) -> tuple[str, str]:
    """(html, text) of a multipart/alternative mail, LF lines; "" for a part that is not there."""
    message = message_from_bytes(data, policy=policy.default)
    found = {
        part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in message.walk() if not part.is_multipart()
    }
    return found.get("text/html", ""), found.get("text/plain", "")
