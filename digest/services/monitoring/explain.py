"""Why an address was mailed, or not, and what is going on. Nothing is changed; everything is JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from digest.domain.delivery import Delivery, DeliveryProgress
from digest.domain.edition import PaperList
from digest.domain.feedback import Suppression
from digest.domain.instant import isoformat
from digest.domain.schedule import comes, format_weekdays, known_zone, latest_mail, mail_due
from digest.domain.subscriber import Address, Subscription, SubscriptionState
from digest.services.delivery.choose_papers import NOTHING_NEW
from digest.services.scheduler.create_deliveries import UTC_ZONE, confirmed_by, edition_for, frequency_of, mailed, timetable_of
from digest.services.scheduler.election import SCHEDULER
from digest.store.unit_of_work import Store, UnitOfWork

DAY = timedelta(days=1)


def explain(
    store: Store, address: Address, lists: Sequence[PaperList], at: datetime, otherwise: ZoneInfo = UTC_ZONE
) -> dict[str, Any]:
    """Consent proof, subscriptions, last deliveries with reasons, suppression, and what comes next for each subscription."""
    by_name = {each.name: each for each in lists}
    with store.read() as unit:
        suppression = unit.suppressions.find(address)
        found = unit.subscribers.subscriptions(address)
        subscriptions = [_subscription(unit, each, by_name, at, otherwise) for each in found]
    return {
        "address": str(address),
        "known": bool(found),
        "suppression": _suppression(suppression),
        "subscriptions": subscriptions,
    }


def _suppression(found: Suppression | None) -> dict[str, str] | None:
    return None if found is None else {"reason": str(found.reason), "at": isoformat(found.at), "detail": found.detail}


def _subscription(
    unit: UnitOfWork, each: Subscription, lists: Mapping[str, PaperList], at: datetime, otherwise: ZoneInfo
) -> dict[str, Any]:
    preferences = each.preferences
    consent = each.consent
    return {
        "list": each.list,
        "state": str(each.state),
        "hour": f"{preferences.hour:%H:%M}",
        "timezone": preferences.timezone,
        "weekdays": format_weekdays(preferences.weekdays),
        "frequency": str(preferences.frequency),
        "language": preferences.language,
        "authors_words": preferences.authors_words,
        "paused_until": preferences.paused_until and preferences.paused_until.isoformat(),
        "requested_at": isoformat(each.requested_at),
        "consent": consent
        and {"at": isoformat(consent.at), "how": consent.how, "wording": consent.wording, "event": consent.event},
        "ended": {"at": isoformat(each.ended_at), "reason": each.end_reason} if each.ended_at else None,
        "libraries": [
            {
                "library": str(account),
                "papers": account.papers,
                "without_abstract": account.without_abstract,
                "not_understood": account.not_understood,
                "read_at": account.read_at and isoformat(account.read_at),
                "problem": account.problem,
            }
            for account in unit.library_accounts.of(each.id)
        ],
        "now": _now(unit, each, lists.get(each.list), at, otherwise),
        "deliveries": [_delivery(delivery) for delivery in unit.deliveries.of_subscription(each.id)],
    }


def _now(unit: UnitOfWork, each: Subscription, paper_list: PaperList | None, at: datetime, otherwise: ZoneInfo) -> str:
    """Why there is, or is not, a delivery for the latest due instant: the answer to "why did no mail come?"."""
    if each.state is not SubscriptionState.ACTIVE:
        return {
            SubscriptionState.PENDING: "not confirmed yet: only the confirmation is sent",
            SubscriptionState.ENDED: f"ended: {each.end_reason}",
        }[each.state]
    if paper_list is None:
        return f"the list {each.list} is not configured any more"
    if reason := unit.lists.paused(each.list):
        return f"the list is paused: {reason}"
    preferences = each.preferences
    reader = timetable_of(preferences, otherwise)
    owing = latest_mail(reader, paper_list.cutoffs, at)
    if owing is None:
        return "no weekday is chosen"
    if preferences.paused_until and preferences.paused_until > owing.today:
        return f"paused until {preferences.paused_until}"
    due, next_due = isoformat(owing.due_at), isoformat(owing.expires_at)
    if each.confirmed_at and each.confirmed_at > confirmed_by(unit, paper_list, owing, at):
        return f"confirmed after the last mail was due; the next is due at {next_due}"
    edition = edition_for(unit, paper_list, frequency_of(paper_list, preferences), at)
    deliveries = unit.deliveries.of_subscription(each.id)
    if had := next((mail for mail in deliveries if mail.day == owing.today), None):
        if had.reason == NOTHING_NEW:
            return f"nothing to send from the edition of {had.edition_date}: {had.reason}; the next is due at {next_due}"
        return f"gets the edition of {had.edition_date}, due at {isoformat(had.due_at)}; the next is due at {next_due}"
    if not comes(owing, reader.zone, mailed(deliveries)):
        return f"was mailed a newer edition, or on the same day already; the next is due at {next_due}"
    if mail_due(reader, paper_list.cutoffs, at) is None:
        return f"the mail due at {due} was missed and would come too late now; the next is due at {next_due}"
    if edition is None:
        return "its edition is not made yet"
    if edition.state != "frozen":
        return f"the edition of {edition.date} was {edition.state}"
    if not edition.has_papers and not paper_list.send_empty:
        return f"the edition of {edition.date} is empty: {'; '.join(edition.notes)}"
    return f"gets the edition of {edition.date}, due at {due}; the next is due at {next_due}"


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "edition": delivery.edition_date.isoformat(),
        "cutoff": isoformat(delivery.edition_cutoff),
        "correction": delivery.correction,
        "state": str(delivery.state),
        "due_at": isoformat(delivery.due_at),
        "reason": delivery.reason,
        "relay": delivery.relay,
        "accepted_at": delivery.accepted_at and isoformat(delivery.accepted_at),
        "attempts": [
            {
                "at": isoformat(attempt.at),
                "relay": attempt.relay,
                "stage": str(attempt.stage),
                "reply": str(attempt.reply) if attempt.reply else attempt.error,
            }
            for attempt in delivery.tries
        ],
    }


def status(
    store: Store, lists: Sequence[PaperList], sources: Sequence[str], at: datetime, relays: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Editions, the outbox by state, how far sending has come (while anything is due), the age of the oldest due delivery in
    seconds, time zones of readers that this machine does not know (they get mail by the default's), the sources' freshness, who
    schedules, and what the operator was told in the last day.
    """
    with store.read() as unit:
        oldest = unit.deliveries.oldest_due(at)
        return {
            "at": isoformat(at),
            "papers": unit.papers.count(),
            "lists": [_list(unit, each, at) for each in lists],
            "outbox": {str(state): count for state, count in unit.deliveries.tally().items()},
            "underway": _underway(unit.delivery_stats.underway(at)),
            "oldest_due": oldest and isoformat(oldest),
            "unknown_timezones": {zone: n for zone, n in unit.subscribers.zones().items() if known_zone(zone) is None},
            "oldest_due_seconds": max(0.0, (at - oldest).total_seconds()) if oldest else 0,
            "sources": [_source(unit, name) for name in sources],
            "relays": [{"name": name, "trouble": message} for name, message in (relays or {}).items()],
            "held_for_review": [{"reply": words, "refusals": count} for words, count in unit.refusals.held().items()],
            "scheduler": _scheduler(unit, at),
            "alarms": [
                {"cause": cause, "at": isoformat(when), "said": message} for cause, when, message in unit.alarms.since(at - DAY)
            ],
        }


def _underway(found: DeliveryProgress | None) -> dict[str, Any] | None:
    return None if found is None else {**asdict(found), "eta_seconds": found.eta_seconds and round(found.eta_seconds)}


def _source(unit: UnitOfWork, name: str) -> dict[str, Any]:
    """When it last showed something it had not shown before, when it was last asked, and what is wrong with it."""
    fresh, health = unit.sources.load(name, "freshness") or {}, unit.sources.load(name, "health") or {}
    return {
        "name": name,
        "fresh_at": fresh.get("last_unseen_at"),
        "asked_at": health.get("at"),
        "stale": bool(health.get("stale")),
        "error": health.get("error"),
    }


def _scheduler(unit: UnitOfWork, at: datetime) -> dict[str, Any] | None:
    """Which daemon runs the scheduled jobs; None where none ever did."""
    held = unit.leases.holder(SCHEDULER)
    return held and {"owner": held[0], "until": isoformat(held[1]), "runs": held[1] >= at}


def _list(unit: UnitOfWork, paper_list: PaperList, at: datetime) -> dict[str, Any]:
    edition = unit.editions.latest(paper_list.name, at)
    return {
        "name": paper_list.name,
        "paused": unit.lists.paused(paper_list.name),
        "edition": edition and edition.date.isoformat(),
        "state": edition and edition.state,
        "picks": len(edition.picks) if edition else 0,
        "deliveries": {str(s): n for s, n in unit.deliveries.tally(edition.id).items()} if edition else {},
    }
