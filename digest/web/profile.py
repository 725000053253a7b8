"""What we think a reader likes, and why a paper came to them or did not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from digest.domain.errors import InvalidIdentifier, NotFound
from digest.links import Purpose
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.services.editions.explain_choice import ExplainedChoice
from digest.web.forms import Form
from digest.web.site import Site
from digest.web.upload import MOST_LINES, titles

router = APIRouter()

MOST_AUTHORS = 20
LONGEST_ASKED = 300


@router.get("/manage/{token}/profile")
def profile(request: Request, token: str, paper: str = "") -> Response:
    """`paper`: the link or identifier of the one that is asked about."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    asked, wrong = clean(paper.encode("utf-8", "replace").decode())[:LONGEST_ASKED], ""
    answer: ExplainedChoice | None = None
    if asked:
        try:
            answer = site.container.editions.explain_choice(subscription, asked, site.clock())
        except InvalidIdentifier:
            wrong = site.translation.gettext("Enter an arXiv ID such as 2510.19278, a DOI, or the link of a paper.")
        except NotFound as error:
            wrong = site.sentence(str(error))
    interests = subscription.interests
    authors, unknown = site.container.libraries.outline(subscription.id, MOST_AUTHORS)
    return site.page(
        "profile.html",
        200 if not wrong else 404,
        list=site.list_of(subscription),
        token=token,
        interests=interests,
        followed=[name.title() if name.islower() else name for name in interests.authors],
        authors=[(readable(name), count) for name, count in authors],
        unknown=unknown,
        liked=titles(site, interests.liked),
        disliked=titles(site, interests.disliked),
        most=MOST_LINES,
        asked=asked,
        in_address={"paper": asked} if asked else {},
        wrong=wrong,
        answer=answer,
        title=readable(answer.title) if answer else "",
        lines=[readable(site.translation.phrase(line)) for line in answer.lines] if answer else [],
    )


@router.post("/manage/{token}/profile")
async def forget(request: Request, token: str) -> Response:
    """Takes the papers in `forget` off those liked and disliked."""
    site = Site.of(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    sent = await Form.read(request)
    subscriptions = site.container.subscriptions
    await run_in_threadpool(
        lambda: subscriptions.save_form(subscription, subscription.preferences, None, sent.forgotten, ((), ()), site.clock())
    )
    return RedirectResponse(f"{site.root_path}/manage/{token}/profile", 303)
