"""How the application is served: by uvicorn, behind proxies that are trusted or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

    from digest.config import Web


def server(app: FastAPI, web: Web) -> uvicorn.Server:
    """Not running yet. It says nothing of itself and logs no request: addresses of ours hold tokens."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=web.host,
            port=web.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(web.trusted_proxies),
            forwarded_allow_ips=list(web.trusted_proxies),
        )
    )
