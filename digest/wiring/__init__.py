"""The one place where parts meet: what commands, daemon and pages ask for, each a use case given its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from digest.wiring.backups import Backups
from digest.wiring.hearing import Hearing

if TYPE_CHECKING:
    from fastapi import FastAPI


class Wiring(Hearing, Backups):
    """A context manager: what it opened is closed at its end."""

    def web_app(self, wake_sender: Callable[[], None] = lambda: None) -> FastAPI:
        from digest.web.app import create_app

        self.webhooks  # noqa: B018 their libraries take long to load: not at the first post
        return create_app(self, wake_sender=wake_sender)
