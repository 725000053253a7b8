"""What a source asks to be said where its data is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementView:
    """`url` is where the words lead."""

    text: str
    url: str
