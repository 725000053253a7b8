"""Confirmations, welcomes and goodbyes: each goes out at once; what no relay takes stays queued until one does.

What is queued is in the store before a relay is talked to. Whoever takes it has it under a lease, so two processes send it once.
What was answered is recorded before the next is waited for: a process that is killed leaves doubtful only what was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.circuit_breaker import Refusal, same_words
from digest.domain.delivery import Attempt, DeliveryState, Envelope
from digest.domain.errors import RelayUnreachable, TemplateError
from digest.domain.notice import Notice, NoticeKind, QueuedNotice
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.domain.verdict import RefusalStreak
from digest.mail.smtp.reply_classifier import verdict_of
from digest.services.delivery.run import Transport
from digest.services.operations.review import hold
from digest.services.subscriptions.request_limits import count_notice, notices_used_up
from digest.store.unit_of_work import Store, UnitOfWork

HELD = timedelta(minutes=5)
"""How long one is left to whoever sends it at once: longer than a relay takes to answer."""
LEASE = timedelta(minutes=30)
"""How long a batch is left to whoever took it: longer than the slowest limit of a relay makes it last."""
BATCH = 200
GOOD_FOR = timedelta(days=3)
"""Who asked a week ago does not wait for an answer any more."""


@dataclass(frozen=True, slots=True)
class PendingNotices:
    """How many confirmations are queued, and whether a process is there that sends them by itself."""

    queued: int
    sender: str | None


@dataclass(frozen=True, slots=True)
class NoticeTools:
    """What they are sent with. `welcome` sends one with the current edition and says whether there was one to send."""

    compose: Callable[[Notice, datetime], Envelope]
    welcome: Callable[[Notice, datetime], bool]
    transport: Transport
    policy: RetryPolicy


def send_at_once(store: Store, means: NoticeTools, notice: Notice, at: datetime) -> None:
    """Raises RelayUnreachable when no relay took it: it is queued then."""
    queued = QueuedNotice(notice, at, attempts=0, suppressed=None)
    _send(store, means, [queued], at)


def send_queued(store: Store, means: NoticeTools, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> int:
    """Sends all that are due; says how many a relay took. Raises RelayUnreachable when no relay can be had: they wait.

    Raises TemplateError for one that cannot be composed, once the others of its batch are out.
    """
    sent = 0
    while not stop():
        at = clock()
        with store.begin() as unit:
            taken = unit.notices.take(at, BATCH, LEASE)
            pointless = [each.notice for each in taken if not _worth_sending(each, at)]
            unit.notices.settle(pointless)
        if not taken:
            break
        sent += _send(store, means, [each for each in taken if each.notice not in pointless], at, stop)
    return sent


def _worth_sending(queued: QueuedNotice, at: datetime) -> bool:
    return queued.wanted and at < queued.owed_at + GOOD_FOR


def _send(
    store: Store, means: NoticeTools, queued: Sequence[QueuedNotice], at: datetime, stop: Callable[[], bool] = lambda: False
) -> int:
    """How many a relay took. What is left of them when no relay can be had is put off; when told to stop, it is due again."""
    left = {each.notice.subscription.id: each for each in queued}
    try:
        sent = sum(_welcomed(store, means, each, at, left) for each in queued) + _sent_in_turn(store, means, left, at)
    except RelayUnreachable:
        _put_off(store, left.values(), at + means.policy.busy_wait)
        raise
    if stop():
        _put_off(store, left.values(), at)
    return sent


def _put_off(store: Store, left: Iterable[QueuedNotice], until: datetime) -> None:
    with store.begin() as unit:
        for each in left:
            unit.notices.put_off(each.notice, until, each.attempts)


def _welcomed(store: Store, means: NoticeTools, queued: QueuedNotice, at: datetime, left: dict[int, QueuedNotice]) -> bool:
    """Whether it was a welcome with an edition: the outbox has that one now, should no relay take it."""
    notice = queued.notice
    if notice.kind is not NoticeKind.WELCOME:
        return False
    try:
        with_edition = means.welcome(notice, at)
    except RelayUnreachable:
        left.pop(notice.subscription.id)
        with store.begin() as unit:
            unit.notices.settle([notice])
        raise
    if with_edition:
        left.pop(notice.subscription.id)
        with store.begin() as unit:
            count_notice(unit.rate_limits, notice.subscription.address, at)
            unit.notices.settle([notice])
    return with_edition


def _sent_in_turn(store: Store, means: NoticeTools, left: dict[int, QueuedNotice], at: datetime) -> int:
    by_envelope: dict[int, QueuedNotice] = {}
    pointless: list[Notice] = []
    sent, broken = 0, list[TemplateError]()
    streak, refused = RefusalStreak(), None

    def envelopes() -> Iterator[Envelope]:
        for each in list(left.values()):
            try:
                envelope = means.compose(each.notice, at)
            except TemplateError as error:  # one kind's template is broken: that holds up no other kind
                broken.append(error)
                continue
            by_envelope[envelope.delivery_id] = each
            yield envelope

    def wanted(envelope: int) -> bool:
        """Asked right before it is begun: an address may have been suppressed, or somebody may have left, since it was taken."""
        notice = by_envelope[envelope].notice
        with store.read() as unit:
            now_queued = unit.notices.current([notice.subscription.id])
            used_up = notice.kind is not NoticeKind.MOVED and notices_used_up(unit.rate_limits, notice.subscription.address, at)
        still = not used_up and any(each.wanted and _same(each.notice, notice) for each in now_queued)
        if not still:
            pointless.append(notice)
            left.pop(notice.subscription.id, None)
        return still

    for attempt in means.transport.send_many(envelopes(), wanted=wanted):
        queued = by_envelope[attempt.delivery_id]
        verdict = streak.narrowed(attempt, verdict_of(attempt), queued.attempts)
        decision = means.policy.decide(attempt, queued.attempts, queued.owed_at + GOOD_FOR, verdict)
        if decision.effect is Effect.STOP_RUN:
            refused = verdict.refusal(attempt)
        with store.begin() as unit:
            _settle(unit, queued, attempt, decision, sent)
        left.pop(queued.notice.subscription.id, None)
        sent += attempt.accepted
    with store.begin() as unit:
        unit.notices.settle(pointless)
    if refusal := refused or streak.nothing_taken:
        raise refusal
    if broken:
        raise broken[0]
    return sent


def _same(one: Notice, other: Notice) -> bool:
    return one.kind is other.kind and one.subscription.request == other.subscription.request


def _settle(unit: UnitOfWork, queued: QueuedNotice, attempt: Attempt, decision: Decision, accepted: int) -> None:
    notice = queued.notice
    if attempt.accepted or attempt.uncertain:
        count_notice(unit.rate_limits, notice.subscription.address, attempt.at)
    if decision.state is DeliveryState.QUEUED and decision.next_attempt_at:
        unit.notices.put_off(notice, decision.next_attempt_at, queued.attempts + decision.counts)
        return
    if decision.state is DeliveryState.FAILED and not attempt.uncertain:
        words = same_words(str(attempt.reply or decision.reason), notice.subscription.address)
        if hold(unit.refusals, [Refusal(notice.subscription.id, None, words, attempt.at, None)], accepted):
            return  # it stays queued, and waits until the operator has decided
    unit.notices.settle([notice])
