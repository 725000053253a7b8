"""What delivering asks of the store: its ports."""

from __future__ import annotations
