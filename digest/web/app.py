"""The web application: routes and the rules that hold for every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from digest.domain.errors import DigestError, InvalidInput, NotFound
from digest.web import pages

if TYPE_CHECKING:
    from digest.wiring import Wiring

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}


def create_app(wiring: Wiring) -> FastAPI:
    """The application over wired parts. It loads nothing from another host and shows no interactive documentation."""
    app = FastAPI(title="digest", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.wiring = wiring
    app.include_router(pages.router)
    app.middleware("http")(_secured)
    app.exception_handler(DigestError)(_explained)
    app.get("/healthz", response_class=PlainTextResponse)(_healthy)
    return app


def _healthy() -> str:
    return "ok\n"


async def _secured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    return response


async def _explained(request: Request, error: Exception) -> Response:
    """An error of ours is a page with its one line, and the status that fits."""
    status = 404 if isinstance(error, NotFound) else 400 if isinstance(error, InvalidInput) else 503
    wiring: Wiring = request.app.state.wiring
    page = wiring.templates.render("web/error.html", title="Not found" if status == 404 else "That did not work", said=str(error))
    return HTMLResponse(page, status)
