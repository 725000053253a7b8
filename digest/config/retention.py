"""How long things are kept, in days. services/privacy/retention.py and /privacy say what each is for, and why that long."""

from __future__ import annotations

from pydantic import Field

from digest.config.values import Section


class Retention(Section):
    unconfirmed: int = Field(30, ge=8)
    """The link in the mail works for seven days."""
    ended: int = Field(1095, ge=1)
    deliveries: int = Field(180, ge=31)
    """Personal picks look back 30 days for what a reader was sent."""
    readings: int = Field(365, ge=31)
    cards: int = Field(180, ge=31)
    alarms: int = Field(90, ge=2)
