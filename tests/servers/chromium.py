"""A real Chromium, headless, with an empty profile and nothing going on in the background."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # its sandbox cannot be set up as root or in most containers; it only sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str | None:
    """Why there can be no browser here; None when there can."""
    if shutil.which("chromium") is None:
        return "chromium is not installed (apt install chromium)"
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Playwright makes an empty profile for each browser and removes it; each test should open a context of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS), timeout=180_000)
        try:
            yield browser
        finally:
            browser.close()
