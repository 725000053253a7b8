"""What is wrong, and telling the operator: by mail, once a cause in 24 hours.

What can be seen in the store is found by `look`; what happens elsewhere (a step that failed, a relay that refuses us) is brought
along as a Finding. A cause that could not be told is not counted as told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from digest.domain.edition import PaperList
from digest.domain.errors import DatabaseUnreachable, DigestError, MailError, RelayUnreachable
from digest.domain.instant import isoformat
from digest.domain.redaction import without_addresses
from digest.store.unit_of_work import Store, UnitOfWork

LATE = timedelta(minutes=30)
"""An edition that is not there so long after its cutoff is missed."""
QUIET = timedelta(hours=24)
"""How long a cause that was told is not told again. From the telling on, not by the calendar: no midnight brings it twice."""


SILENT = timedelta(minutes=10)
"""How long nothing may have been scheduled: the jobs run every minute."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should look at. `cause` is what is told of once in 24 hours: it names a thing, not an event."""

    cause: str
    headline: str
    seen: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    overdue: timedelta = timedelta(hours=1)


def look(
    store: Store, lists: Sequence[PaperList], sources: Sequence[str], at: datetime, policy: Policy | None = None
) -> tuple[Finding, ...]:
    """What the store shows to be wrong at `at`."""
    limits = policy or Policy()
    with store.read() as unit:
        found = [of_source(name, unit.sources.load(name, "health") or {}) for name in sources]
        found += [of_list(unit, each, at) for each in lists]
        known = [each.name for each in lists]
        found += [of_unknown_list(*each) for each in unit.deliveries.waiting_for_their_list(at, known).items()]
        found.append(of_queue(unit.deliveries.oldest_due(at, known), at, limits))
        found.append(of_review(unit.refusals.held()))
    return tuple(each for each in found if each)


def of_source(name: str, health: Mapping[str, Any]) -> Finding | None:
    """What the latest collect left behind: {"at", "stale", "error"}."""
    if error := health.get("error"):
        headline, seen = f"The source {name} could not be read", str(error)
    elif health.get("stale"):
        headline, seen = f"The source {name} shows nothing new", "It should have by now; it answers with what we know."
    else:
        return None
    fix = (f"Ask it now: digest collect --source {name}", "Editions are made from the other sources meanwhile.")
    return Finding(f"source {name}", headline, (seen, f"Last asked at {health.get('at', 'an unknown time')}."), fix)


def of_list(unit: UnitOfWork, paper_list: PaperList, at: datetime) -> Finding | None:
    name = paper_list.name
    if reason := unit.lists.paused(name):
        fix = (f"When the reason is gone: digest resume {name}", "What is due waits and goes out then, unless it is too late.")
        return Finding(f"paused {name}", f"The list {name} is paused", (reason,), fix)
    due = paper_list.cutoffs.first.latest(at)
    if due is None or at < due.at + LATE or unit.editions.find(name, due.day) or not unit.papers.count():
        return None
    seen = (f"It was due at {isoformat(due.at)} and is not there.",)
    return Finding(f"edition {name}", f"The list {name} has no edition for {due.day}", seen, (f"digest edition --list {name}",))


def of_queue(oldest: datetime | None, at: datetime, policy: Policy) -> Finding | None:
    if oldest is None or at - oldest <= policy.overdue:
        return None
    seen = (f"A mail that was due at {isoformat(oldest)} has not been handed over.",)
    fix = ("Does anything deliver? digest run, or digest worker", "Do the relays take it? digest doctor", "digest status")
    return Finding("overdue", "Mail is late", seen, fix)


def of_unknown_list(name: str, count: int) -> Finding:
    """So many deliveries wait for a process that knows their list."""
    seen = (f"{count} deliveries of it are due; they wait and nothing is failed.",)
    fix = (
        "Renamed or removed by mistake, or another installation on this database? Add its [[lists]] table again.",
        "To end what waits: digest cancel, with a settings file that has the list.",
    )
    return Finding(f"unknown list {name}", f"The list {name} is not in the settings of a process that delivers", seen, fix)


def of_silence(silence: timedelta) -> Finding | None:
    """`silence`: since when no tick came to its end."""
    if silence < SILENT:
        return None
    seen = (f"The last tick ended {silence // timedelta(minutes=1)} minutes ago or more; it should come every minute.",)
    fix = ("Is digest run up, and what does its log say? Restart it if in doubt: nothing is made or sent twice.",)
    return Finding("scheduler", "Nothing has been scheduled for ten minutes", seen, fix)


def of_review(held: Mapping[str, int]) -> Finding | None:
    """Refusals in the same words; `held` says how many, by words."""
    if not held:
        return None
    count = sum(held.values())
    seen = tuple(f"{number} × {words}" for words, number in held.items())
    fix = (
        "Look at them: digest review",
        "Our trouble? When it is gone: digest review --undo. Dead mailboxes? digest review --accept",
        "Nothing was done to these readers, and nothing is sent to them until you decide.",
    )
    return Finding("review", f"{count} refusals in the same words are held for review", seen[:5], fix)


def of_edition(failed: str) -> Finding:
    """An edition that could not be made; `failed` is "list NAME, DATE: why" (tick.py). The cause is that of a missed one:
    the operator who knows why it is not there need not be told that it is not there.
    """
    fix = ("Look at it: digest preview", "Fix the template or the sender named; the next tick tries again.")
    return Finding(f"edition {failed.partition(',')[0].removeprefix('list ')}", "An edition could not be made", (failed,), fix)


def of_relay(stopped: str) -> Finding:
    """Delivery stopped before nothing was due any more."""
    fix = ("Try each relay, its TLS and our login: digest doctor", "No reader is to blame: nothing is counted against them.")
    return Finding("relay", "Mail is not going out", (stopped,), fix)


def of_passed_over(relay: str, reason: str) -> Finding:
    """A relay takes nothing of ours, and the next one is used instead."""
    fix = ("Try it, its TLS and our login: digest doctor", "The next relay takes the mail meanwhile.")
    return Finding(f"relay {relay}", f"The relay {relay} takes no mail; the next one is used", (reason,), fix)


def of_cohort(failed: str) -> Finding:
    """Deliveries that could not be created; `failed` is "list NAME, readers of HH:MM ZONE: why" (create_deliveries.py)."""
    place = failed.partition(": ")[0]
    fix = ("The other readers get their mail. The next tick tries again; the log has more.",)
    return Finding(f"cohort {place}", "Some readers' mail could not be queued", (failed,), fix)


def of_return(alarm: str) -> Finding:
    """A mail that came back and that a person should know of; a list that was paused by it is told of as such."""
    fix = ("What the servers say of us: digest doctor", "No reader is to blame: nobody is suppressed for it.")
    return Finding("returns", "Mail came back because of us, or needs a person", (alarm,), fix)


def of_key(trouble: str) -> Finding:
    """A process works with another key than the database knows (services/scheduler/key_check.py)."""
    fix = ("Every host needs the same key: copy digest.key, and restart what ran without it.",)
    return Finding("key", "A process has the wrong key: links in its mails do not work", (trouble,), fix)


def of_step(name: str, reason: str) -> Finding:
    """A step of the daemon or of a worker failed."""
    return Finding(f"step {name}", f"The step {name} failed", (reason,), ("It is tried again every minute; the log has more.",))


def of_failure(step: str, error: Exception) -> Finding:
    """What a step failed by: a relay or a database that is away is one trouble, however many steps run into it."""
    if isinstance(error, RelayUnreachable):
        return of_relay(str(error))
    if isinstance(error, DatabaseUnreachable):
        fix = ("Is it up, and does it let us in? digest doctor", "Nothing is lost: all steps are tried again every minute.")
        return Finding("database", "The database does not answer", (str(error),), fix)
    return of_step(step, str(error) if isinstance(error, DigestError) else f"{type(error).__name__}: {error}")


def first_causes(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One for each cause, the latest, without what another of them explains: where no mail goes out, mail is late; where the tick
    fails, an edition is missing.
    """
    found = {each.cause: each for each in findings}
    others = {cause for cause in found if cause.startswith("relay ")} if "relay" in found else set()
    late = {"overdue"} if found.keys() & {"relay", "step deliver"} else set()
    silent = {"scheduler"} if "step tick" in found else set()
    missing = {cause for cause in found if cause.startswith("edition ")} if "step tick" in found else set()
    return tuple(each for cause, each in found.items() if cause not in late | silent | missing | others)


def _without_addresses(finding: Finding) -> Finding:
    """A relay's or a bounce's words may name a reader: what the operator is told of is kept longer than the reader may be."""
    seen = tuple(map(without_addresses, finding.seen))
    return replace(finding, cause=without_addresses(finding.cause), headline=without_addresses(finding.headline), seen=seen)


def raise_alarms(store: Store, findings: Iterable[Finding], tell: Callable[[Finding], None], at: datetime) -> tuple[Finding, ...]:
    """Tells of each cause once in 24 hours, whichever process finds it first; returns what was told.

    `tell` raises MailError where it could not; that cause may be told later. Raises StoreError.
    """
    sent = []
    for finding in map(_without_addresses, findings):
        with store.begin() as unit:
            new = unit.alarms.raise_once(finding.cause, at, QUIET, f"{finding.headline}: {' '.join(finding.seen)}")
        if not new:
            continue
        try:
            tell(finding)
        except MailError:
            with store.begin() as unit:
                unit.alarms.take_back(finding.cause, at)
            continue
        sent.append(finding)
    return tuple(sent)
