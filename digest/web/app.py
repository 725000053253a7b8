"""The web application: its routes, and what becomes of an error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from digest.domain.errors import DigestError, InvalidInput, InvalidToken, NotFound, TemplateError
from digest.domain.phrase import N_
from digest.web import (
    admin,
    change_address,
    feeds,
    health,
    manage,
    pages,
    paper_page,
    past_issues,
    profile,
    saved_papers,
    search,
    subscribe,
    trending,
    unsubscribe,
    webhooks,
)
from digest.web.api import create_api
from digest.web.security_middleware import Guard
from digest.web.site import Site

if TYPE_CHECKING:
    from digest.container import Container

log = structlog.get_logger("digest")

TITLES = {
    400: N_("Something went wrong"),
    403: N_("This link does not work"),
    401: "Sign in",
    404: N_("Not found"),
    405: N_("Not allowed here"),
    413: N_("Too large"),
    429: N_("Too many requests"),
    503: N_("Temporarily unavailable"),
}


def create_app(
    container: Container,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    keep_seconds: float = 5.0,
    wake_sender: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The application over wired parts. It loads nothing from another host and shows no interactive documentation."""
    container.feedback.webhooks  # noqa: B018 their libraries take long to load: not at the first post
    with suppress(TemplateError):  # as templates take to compile; one that cannot be is the error of its own page
        container.adapters.templates.check_all()
    app = FastAPI(
        title=container.adapters.lists[0].title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    site = app.state.site = Site(container, clock, keep_seconds, wake_sender)
    paths = {"/api/v1"}
    for part in (
        health,
        search,
        feeds,
        paper_page,
        pages,
        trending,
        subscribe,
        manage,
        past_issues,
        saved_papers,
        profile,
        change_address,
        unsubscribe,
        admin,
        webhooks,
    ):
        app.include_router(part.router)
        paths |= {route.path for route in part.router.routes if isinstance(route, Route)}
    app.mount("/api/v1", create_api(site))
    app.add_middleware(
        Guard,
        base_url=container.settings.web.base_url,
        pages=paths,
        refusal=lambda scope, *what: site.asked_by(scope).refusal(*what),
    )
    app.add_exception_handler(DigestError, _explained)
    app.add_exception_handler(HTTPException, _refused)
    return app


def _own_path(request: Request) -> str:
    """Without what stands before every path of ours in `web.base_url`."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope["root_path"])


def _explained(request: Request, error: Exception) -> Response:
    """An error of ours is a page with its one line, and the status that fits."""
    statuses = ((InvalidToken, 403), (InvalidInput, 400), (NotFound, 404))
    status = next((status for kind, status in statuses if isinstance(error, kind)), 503)
    if status == 503:  # what broke inside is for the operator, not for whoever asked
        log.error("page failed", path=_own_path(request).split("/")[1], reason=str(error))
    text = str(error) if status != 503 else N_("This did not work just now. Please try again in a minute.")
    if isinstance(error, InvalidToken):
        text = error.reason
    return Site.of(request).refusal(_own_path(request), status, TITLES[status], text)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = TITLES.get(error.status_code, "Something went wrong")
    known = {404: N_("There is no such page here."), 405: N_("This page cannot be used that way.")}
    text = known.get(error.status_code, error.detail)
    refusal = Site.of(request).refusal(_own_path(request), error.status_code, title, text)
    refusal.headers.update(error.headers or {})
    return refusal
