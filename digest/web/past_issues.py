"""Past issues behind a reader's own link: a list, page by page, and each as it was sent."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from digest.domain.errors import NotFound
from digest.domain.phrase import phrase
from digest.links import Purpose
from digest.ranking.summary import summarised
from digest.render.edition.views import Lengths, card_view
from digest.render.text.latex import readable
from digest.web.site import Site

router = APIRouter()

PER_PAGE = 30
_LONGEST_NUMBER = 18


@router.get("/manage/{token}/issues")
def issues(request: Request, token: str, before: str = "") -> Response:
    """`before`: the number of the last one on the page before."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    found = site.container.editions.past_issues(subscription, PER_PAGE + 1, _number(before) if before else None)
    shown = found[:PER_PAGE]
    return site.page(
        "issues.html",
        list=site.list_of(subscription),
        token=token,
        issues=[(each.delivery_id, each.date, readable(each.title), each) for each in shown],
        older=shown[-1].delivery_id if len(found) > PER_PAGE else None,
        paged=bool(before),
        in_address={"before": before} if before else {},
        kept=next(rule.how_long for rule in site.container.privacy.kept if rule.name == "deliveries"),
    )


@router.get("/manage/{token}/issues/{number}")
def issue(request: Request, token: str, number: str) -> Response:
    """This reader's own copy."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    found = site.container.editions.past_issue(subscription, _number(number))
    day = found.edition.date
    papers = [
        (each.section, card_view(summarised(each.ranked), Lengths.of("full"), "full", day, spoken=site.translation))
        for each in found.papers
    ]
    return site.page(
        "issue.html",
        list=site.list_of(subscription),
        token=token,
        day=day,
        sent=found.sent.sent_at,
        correction=found.sent.correction,
        notes=found.edition.notes,
        papers=papers,
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise NotFound(phrase("this issue"), phrase("its address was cut or mistyped"))
    return int(text)
