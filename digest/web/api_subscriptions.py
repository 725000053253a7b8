"""Subscriptions for the operator's programs: one by one, and by CSV."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from digest.domain.errors import ConfigurationError, InvalidInput, NotFound
from digest.domain.feedback import Suppression
from digest.domain.instant import isoformat
from digest.domain.schedule import Frequency, format_weekdays, parse_weekdays
from digest.domain.subscriber import Preferences, Subscription, SubscriptionState
from digest.services.subscriptions.csv_layout import COLUMNS
from digest.services.subscriptions.subscriber_csv import defused, row_of
from digest.translation import read_language
from digest.web.site import Site

router = APIRouter(prefix="/subscriptions", tags=["operator"])


class SubscriptionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=320)
    list: str | None = None
    timezone: str | None = Field(None, max_length=60)
    hour: time | None = None
    frequency: Frequency = Field(Frequency.DAILY, description="Weekly and monthly: on the first of the weekdays")
    weekdays: str | None = Field(None, max_length=60, description='Like "mon,tue", "daily" or "weekdays"')
    language: str | None = Field(None, max_length=20, description='Of the mail, like "de"; without it the list\'s')
    authors_words: bool = Field(False, description="Sum papers up by a sentence of their authors, never by a model's line")
    interests: str = Field("", max_length=10_000)
    confirmed: bool = Field(False, description="Record consent given elsewhere; without it a confirmation is mailed")


class SubscriptionOut(BaseModel):
    email: str
    list: str
    state: str
    timezone: str
    hour: str
    weekdays: str
    frequency: Frequency
    language: str | None
    """None: the list's."""
    authors_words: bool
    paused_until: date | None
    requested_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    suppressed: str
    """Why no mail goes to the address, whatever the state; empty when some does."""

    @classmethod
    def of(cls, each: Subscription, suppression: Suppression | None) -> SubscriptionOut:
        interests = each.preferences
        return cls(
            email=each.address.text,
            list=each.list,
            state=str(each.state),
            timezone=interests.timezone,
            hour=f"{interests.hour:%H:%M}",
            weekdays=format_weekdays(interests.weekdays),
            frequency=interests.frequency,
            language=interests.language,
            authors_words=interests.authors_words,
            paused_until=interests.paused_until,
            requested_at=each.requested_at,
            confirmed_at=each.confirmed_at,
            ended_at=each.ended_at,
            end_reason=each.end_reason,
            suppressed=f"{suppression.reason}, since {isoformat(suppression.at)}" if suppression else "",
        )


class Subscribed(SubscriptionOut):
    skipped: str
    """Why no mail follows; empty when one does."""


class Rejected(BaseModel):
    line: int
    reason: str


class Forgotten(BaseModel):
    erased: bool
    """Whether there was anything to forget."""


class Report(BaseModel):
    added: int
    unchanged: int
    rejected: list[Rejected]
    suppressed: int
    skipped: list[Rejected]
    columns_ignored: list[str]


Email = Annotated[str, Query(max_length=320)]


@router.get("")
def subscriptions(asked: Request, email: Email) -> list[SubscriptionOut]:
    """All of one address, ended ones too."""
    container = Site.of(asked).container
    address = container.adapters.address(email)
    suppression = container.subscriptions.suppression(address)
    return [SubscriptionOut.of(each, suppression) for each in container.subscriptions.of(address)]


@router.post("")
def subscribe(asked: Request, given: SubscriptionIn) -> Subscribed:
    """Starts double opt-in, or with `confirmed` records consent given elsewhere."""
    site = Site.of(asked)
    container, now = site.container, site.clock()
    address = container.adapters.address(given.email)
    paper_list = container.adapters.paper_list(given.list)
    by = "api" if given.confirmed else ""
    interests = _preferences(site, given)
    step = container.subscriptions.add(
        address, paper_list.name, interests, given.interests, now, confirmed_by=by, welcome=given.confirmed
    )
    if step.notice:
        site.wake_sender()
    return Subscribed(
        **SubscriptionOut.of(step.subscription, site.container.subscriptions.suppression(address)).model_dump(),
        skipped=step.skipped,
    )


def _preferences(site: Site, given: SubscriptionIn) -> Preferences:
    if given.hour and given.hour.tzinfo:
        raise InvalidInput("hour", "should be a time of day without an offset, such as 07:30; the zone stands in timezone")
    hour = given.hour.replace(second=0, microsecond=0) if given.hour else None
    try:
        interests = site.container.adapters.preferences(given.timezone, hour)
        days = parse_weekdays(given.weekdays) if given.weekdays else interests.weekdays
    except ConfigurationError as error:
        raise InvalidInput("timezone", error.reason) from None
    except ValueError as error:
        raise InvalidInput("weekdays", str(error)) from None
    try:
        language = read_language(given.language) if given.language else None
    except ValueError as error:
        raise InvalidInput("language", str(error)) from None
    interests = replace(interests, weekdays=days, frequency=given.frequency)
    return replace(interests, language=language, authors_words=given.authors_words)


@router.delete("")
def unsubscribe(asked: Request, email: Email, list: str | None = None) -> list[SubscriptionOut]:  # noqa: A002 - as in the contract
    """Ends the subscriptions of an address (or the one to `list`)."""
    site = Site.of(asked)
    address = site.container.adapters.address(email)
    steps = site.container.subscriptions.end_all(address, "unsubscribed by the operator (api)", site.clock(), list)
    if not steps:
        raise NotFound("a subscription of this address that has not ended")
    suppression = site.container.subscriptions.suppression(address)
    return [SubscriptionOut.of(step.subscription, suppression) for step in steps]


@router.get("/held")
def held(asked: Request, email: Email) -> dict[str, Any]:
    """Everything held about an address, for the person it is about."""
    site = Site.of(asked)
    return site.container.privacy.export_personal_data(site.container.adapters.address(email), site.clock())


@router.delete("/held")
def forget(asked: Request, email: Email) -> Forgotten:
    """Forgets the person; what stays is a fingerprint of the address, so that no old list brings them back."""
    site = Site.of(asked)
    return Forgotten(erased=site.container.privacy.erase(site.container.adapters.address(email), site.clock()))


@router.post(
    "/import", openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}
)
async def import_csv(asked: Request, confirmed: bool = False) -> Report:
    """A CSV document as the body: columns email,list,timezone,hour,weekdays,frequency,language,interests, or as other products
    name them. Good lines are kept, bad ones named; who unsubscribed or bounced elsewhere is suppressed.
    """
    site = Site.of(asked)
    body = await asked.body()

    def load() -> Report:
        with tempfile.TemporaryDirectory(prefix="digest-import-") as folder:
            file = Path(folder) / "subscribers.csv"
            file.write_bytes(body)
            report = site.container.subscriptions.import_subscribers(file, confirmed, site.clock())
        rejected = [Rejected(line=each.line, reason=each.reason) for each in report.rejected]
        skipped = [Rejected(line=each.line, reason=each.reason) for each in report.skipped]
        return Report(
            added=report.added,
            unchanged=report.unchanged,
            rejected=rejected,
            suppressed=report.suppressed,
            skipped=skipped,
            columns_ignored=list(report.columns_ignored),
        )

    report = await run_in_threadpool(load)
    if not confirmed:
        site.wake_sender()
    return report


class CsvResponse(StreamingResponse):
    media_type = "text/csv"


@router.get("/export", response_class=CsvResponse)
def export_csv(asked: Request) -> Response:
    """The active subscriptions as CSV: what the import reads. Who left or never confirmed is not in it."""
    subscriptions = Site.of(asked).container.subscriptions

    def pages() -> Iterator[str]:
        rows = (defused(row_of(each)) for each in subscriptions.all(SubscriptionState.ACTIVE))
        yield _csv([COLUMNS])
        while some := list(islice(rows, 500)):
            yield _csv(some)

    return CsvResponse(pages(), headers={"Cache-Control": "no-store"})


def _csv(rows: list[tuple[str, ...]]) -> str:
    page = io.StringIO()
    csv.writer(page, lineterminator="\n").writerows(rows)
    return page.getvalue()
