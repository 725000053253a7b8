"""As fixtures: mail servers and the browser, one of each for the whole run (a test without its server is skipped); our pages."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.servers import chromium, dovecot, postfix

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.servers.website import Website

GONE = "gone@example.org"
"""The one address that `postfix_server` does not know."""


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    """Each container reads the templates for itself; the same text is compiled once."""
    compiled: dict[tuple[str, str | None, str | None], CodeType] = {}
    usual = ImmutableSandboxedEnvironment.compile

    def compile_once(
        environment: ImmutableSandboxedEnvironment, source: str, name: str | None = None, filename: str | None = None
    ) -> CodeType:
        key = source, name, filename
        if key not in compiled:
            compiled[key] = usual(environment, source, name, filename)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImmutableSandboxedEnvironment, "compile", compile_once)
        yield


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[dovecot.Dovecot]:
    if reason := dovecot.missing():
        pytest.skip(reason)
    with dovecot.dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def postfix_server(dovecot_server: dovecot.Dovecot) -> Iterator[postfix.Postfix]:
    if reason := postfix.missing():
        pytest.skip(reason)
    with postfix.postfix(dovecot_server.lmtp_port, {GONE: "550 5.1.1 no such user"}) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if reason := chromium.missing():
        pytest.skip(reason)
    with chromium.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with papers and an edition, of which `site` serves a copy. A module that needs others has its own."""
    from tests.servers.website import stock  # here: most tests need none of what it loads

    return stock(tmp_path_factory.mktemp("stocked"))


@pytest.fixture
def site(tmp_path: Path, stocked: Path) -> Iterator[Website]:
    from tests.servers.website import website

    with website(tmp_path, stocked) as running:
        yield running
