"""What whoever operates it sees: the log, and the mails that tell of trouble."""

from __future__ import annotations

from typing import Literal

from digest.config.values import Seconds, Section, Text


class Log(Section):
    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"
    addresses: Literal["none", "hashed"] = "none"


class Alerts(Section):
    to: Text = ""
    overdue: Seconds = 3600
