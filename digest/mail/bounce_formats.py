"""Bounces that are no delivery report: read by their shape."""

from __future__ import annotations

import re

from digest.domain.feedback import Feedback
from digest.mail.mime import Part

_DAEMON = re.compile(
    r"mailer-?daemon|post-?master|mail ?delivery|mdaemon|mail system|delivery (?:sub)?system|undeliver", re.IGNORECASE
)


def is_from_daemon(mail: Part) -> bool:
    return bool(_DAEMON.search(mail.words("from")[:300]))


def read_nonstandard(mail: Part) -> Feedback | None:
    return None
