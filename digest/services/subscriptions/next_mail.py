"""When a reader's next mail comes, as their own page says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.schedule import known_zone, mail_due
from digest.domain.schedule import next_mail as next_mail_of
from digest.domain.subscriber import SubscriptionState
from digest.services.editions.build_edition import as_new
from digest.services.scheduler.create_deliveries import frequency_of, is_due_now, mailed, timetable_of

if TYPE_CHECKING:
    from digest.domain.edition import PaperList
    from digest.domain.subscriber import Subscription
    from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class NextMail:
    """By the clocks of `zone`."""

    day: date
    hour: time
    zone: str


def next_mail(
    store: Store, subscription: Subscription, paper_list: PaperList, default_zone: ZoneInfo, at: datetime, *, welcomed: bool
) -> NextMail | None:
    """None where none is to come: an hour at which there is no edition that the reader has not had brings none.

    `welcomed`: the current edition is on its way.
    """
    if subscription.state is not SubscriptionState.ACTIVE:
        return None
    interests = subscription.preferences
    zone = known_zone(interests.timezone) or default_zone
    reader, cutoffs = timetable_of(interests, zone), paper_list.cutoffs
    with store.read() as unit:
        had = mailed(unit.deliveries.of_subscription(subscription.id))
        current = unit.editions.latest(subscription.list, at)
        if welcomed and current and current.has_papers:
            had = replace(had, cutoff=max(had.cutoff, current.cutoff))
        due = mail_due(reader, cutoffs, at)
        at_once = due is not None and is_due_now(unit, subscription, paper_list, due, at)
        newest = cutoffs.latest(at) if at_once else None
        if newest and (as_it_was := as_new(unit, paper_list, frequency_of(paper_list, interests), newest.day, at)):
            at_once = as_it_was.cutoff > had.cutoff
    mail = next_mail_of(reader, cutoffs, at, had, interests.paused_until, at_once=at_once)
    if mail is None:
        return None
    if mail.due_at <= at:  # within a minute
        local = at.astimezone(zone)
        return NextMail(local.date(), local.time(), zone.key)
    return NextMail(mail.today, interests.hour, zone.key)
