"""Retention: what has been kept long enough goes. How long each thing is kept, and why, is said here and nowhere else: the
settings ([retention]), the command and the page about privacy read this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.phrase import Phrase, phrase, phrases
from digest.services.subscriptions import request_limits
from digest.store.unit_of_work import Store

AT_ONCE = 2000
"""Rows a transaction takes, so that nobody waits long for the write lock."""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One kind of thing we keep. `days` is for how long at most (None: without end)."""

    name: str
    """Of the setting, and in what `housekeep` says."""
    what: str
    days: int | None
    how_long: str
    why: str


def kept(*, unconfirmed: int, ended: int, deliveries: int, readings: int, cards: int, alarms: int) -> tuple[RetentionRule, ...]:
    """The whole table; the settings give the days."""
    return (
        RetentionRule(
            "subscriptions",
            phrase("Your email address and preferences: time, days, topics"),
            None,
            phrase("as long as you are subscribed"),
            phrase("we need them to email you."),
        ),
        RetentionRule(
            "libraries",
            phrase("Papers you named as yours or saved, and the libraries you connected; a key to one is stored encrypted"),
            None,
            phrase("as long as you are subscribed and keep them"),
            phrase("they choose your papers, or are your list to come back to; disconnecting a library deletes its key."),
        ),
        RetentionRule(
            "consent",
            phrase("Proof of your consent: when, how and the wording"),
            None,
            phrase("as long as the subscription"),
            phrase("we must be able to prove that you asked for our emails."),
        ),
        RetentionRule(
            "unconfirmed",
            phrase("A sign-up that was never confirmed"),
            unconfirmed,
            in_words(unconfirmed),
            phrase("the link is valid for 7 days; the record is kept a little longer in case of questions."),
        ),
        RetentionRule(
            "ended",
            phrase("A subscription that has ended, with the reason and the proof of consent"),
            ended,
            in_words(ended),
            phrase("so that you can restore your settings, and for the limitation period of legal claims."),
        ),
        RetentionRule(
            "deliveries",
            phrase("Which issue we sent when, and what the receiving server answered"),
            deliveries,
            in_words(deliveries),
            phrase("to avoid duplicates, process bounces and answer “why didn’t I get my email?”"),
        ),
        RetentionRule(
            "allowances",
            phrase("Form usage counts (hashed)"),
            request_limits.LONGEST.days + 1,
            in_words(request_limits.LONGEST.days + 1),
            phrase("rate limiting against abuse."),
        ),
        RetentionRule(
            "suppressions",
            phrase("Blocked addresses (one-way hashes)"),
            None,
            phrase("indefinitely"),
            phrase("so that a complaint, a deletion request or a mailbox that does not exist is respected permanently."),
        ),
        RetentionRule(
            "alarms",
            phrase("Alerts to the administrator, without addresses"),
            alarms,
            in_words(alarms),
            phrase("to trace problems."),
        ),
        RetentionRule(
            "readings",
            "Every reading of a paper's votes and stars; after that one a day",
            readings,
            in_words(readings),
            "rankings look back days; a year of them in full shows how they came about. Nothing of it is about you.",
        ),
        RetentionRule(
            "cards",
            "The finished mail parts of papers that an edition weighed and did not pick",
            cards,
            in_words(cards),
            "for readers with picks of their own; once nobody is to get that edition, they are only weight.",
        ),
    )


def in_words(days: int) -> Phrase:
    if days >= 365 and days % 365 == 0:
        return phrases("%(n)s year", "%(n)s years", days // 365)
    if days >= 30 and days % 30 == 0:
        return phrases("%(n)s month", "%(n)s months", days // 30)
    return phrases("%(n)s day", "%(n)s days", days)


def run_retention(store: Store, table: Iterable[RetentionRule], at: datetime) -> dict[str, int]:
    """Drops what is older than the table allows; says how many rows of each kind went. Again: finds nothing more to do."""
    gone: dict[str, int] = {}
    for each in table:
        if each.days is not None:
            gone[each.name] = _drop(store, each.name, at - timedelta(days=each.days))
    return gone


def _drop(store: Store, name: str, before: datetime) -> int:
    if name == "readings":
        return _thin(store, before)
    total = 0
    while True:
        with store.begin() as unit:
            if name == "allowances":
                return unit.rate_limits.forget(before)
            steps = {
                "unconfirmed": unit.retention.unconfirmed,
                "ended": unit.retention.ended,
                "deliveries": unit.retention.deliveries,
                "cards": unit.retention.cards,
                "alarms": unit.retention.alarms,
            }
            took = steps[name](before, AT_ONCE)
        total += took
        if not took:
            return total


def _thin(store: Store, before: datetime) -> int:
    total, after = 0, 0
    while True:
        with store.begin() as unit:
            gone, last = unit.retention.readings(before, after)
        total += gone
        if last is None:
            return total
        after = last
