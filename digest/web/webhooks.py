"""What mail providers post to us: POST /webhooks/{ses,sendgrid,mailgun,postmark}.

A post that its provider did not sign changes nothing and learns nothing. One that could not be kept gets 503, so the provider
posts it again; heeding the same event twice changes nothing.
"""

from __future__ import annotations

from functools import cache

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from digest.domain.errors import DigestError, InvalidInput, NotFound
from digest.web.operator_auth import refuse_guesses
from digest.web.site import Site

router = APIRouter()
log = structlog.get_logger("digest")


@cache
def _limiter() -> CapacityLimiter:
    """Threads of their own: what strangers post here holds up no page."""
    return CapacityLimiter(4)


@router.post("/webhooks/{provider}")
async def posted(request: Request, provider: str) -> Response:
    site, body = Site.of(request), await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}

    def guessed(right: bool) -> None:
        refuse_guesses(request, f"webhook/{provider}", right=right)

    try:
        done = await to_thread.run_sync(
            site.container.feedback.posted, provider, headers, body, site.clock(), guessed, limiter=_limiter()
        )
    except NotFound:
        return PlainTextResponse("there is no such webhook here\n", 404)
    except InvalidInput as error:
        log.warning("webhook refused", provider=provider, reason=error.reason)
        return PlainTextResponse("not signed by the provider, or too old\n", 403)
    except DigestError as error:
        log.error("webhook failed", provider=provider, reason=str(error))
        return PlainTextResponse("could not be kept now; please post it again\n", 503, {"retry-after": "60"})
    for processed in done:
        log.info("feedback processed", provider=provider, action=str(processed.action), alarms=list(processed.alarms))
    return Response(status_code=204)
