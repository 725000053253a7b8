"""What came back changes whom we mail.

    hard ──▶ suppressed now                     complaint ──▶ suppressed, subscriptions ended
    soft ──▶ scored, one a day at most;         unsubscribe ──▶ subscription ended
             at the limit suppressed            confirm ──▶ subscription active
    sender ──▶ an alarm, no reader is touched   delayed, automatic answers, anything else ──▶ nothing

Nobody is harmed on a stranger's word. A delivery is found by a name that only we could have made (VERP, the unsubscribe
mailbox, the Message-ID; `Known` verifies their keyed hashes) and only its own reader is touched, whoever the mail names. An
address that a mail merely names counts where the operator gave us the mail (`trusted`), or a provider signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.circuit_breaker import BreakerPolicy, Refusal, Verdict, judge, same_words
from digest.domain.errors import DigestError, InvalidAddress
from digest.domain.feedback import BounceClass, DeliveryRecipient, Feedback, FeedbackKind, Returned, ReturnKind, SuppressionReason
from digest.domain.notice import Notice, NoticeKind
from digest.domain.subscriber import Address, SubscriptionState
from digest.mail.verp import VerpSigner
from digest.services.operations.review import hold
from digest.services.subscriptions import subscribe
from digest.store.unit_of_work import Store, UnitOfWork


class Action(StrEnum):
    """What was done, mildest first."""

    NONE = "none"
    ALARM = "alarm"
    SCORED = "scored"
    HELD = "held"
    """Many came back with the same words: nothing is done before the operator has looked (services/operations/review.py)."""
    CONFIRMED = "confirmed"
    ENDED = "ended"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPolicy:
    soft_limit: int = 5
    """Days with a soft bounce, and no mail that arrived between them, until an address is suppressed."""
    settled_after: timedelta = timedelta(days=3)
    """A mail that has not bounced by then has arrived."""
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    breaker_window: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FeedbackResult:
    """What was done and why. `alarms` are lines for the operator, without addresses; `notices` are to be mailed."""

    action: Action
    reason: str
    alarms: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One reader a mail is about. `mailed` is None for an address that was never mailed."""

    address: Address
    mailed: DeliveryRecipient | None
    bounce: BounceClass | None
    detail: str


def process_feedback(
    feedback: Feedback,
    store: Store,
    at: datetime,
    policy: FeedbackPolicy,
    known: VerpSigner,
    *,
    trusted: bool = False,
    read_confirmation: Callable[[str, datetime], str] | None = None,
) -> FeedbackResult:
    """Does what the feedback asks for, in one transaction that may be repeated: the same mail again changes nothing.

    `trusted`: the operator gave us this mail, or a provider's signature fits. `read_confirmation` reads the token of a
    confirming reply into its request, and raises where it is none of ours.
    """
    if feedback.kind is FeedbackKind.UNSUBSCRIBE:
        return _unsubscribe(feedback, store, at, known)
    if feedback.kind is FeedbackKind.CONFIRM:
        return _confirm(feedback, store, at, read_confirmation)
    if feedback.kind not in (FeedbackKind.BOUNCE, FeedbackKind.COMPLAINT):
        return FeedbackResult(Action.NONE, feedback.reason)
    with store.begin() as unit:
        cases = _cases(unit, feedback, at, known, trusted)
        if not cases:
            return FeedbackResult(Action.NONE, "about no delivery of ours, or not proven to be")
        return _together([_case(unit, feedback.kind, case, at, policy) for case in cases])


# ---- whom it is about ------------------------------------------------------------------------------------------------------

_MILDEST_FIRST = (None, BounceClass.DELAYED, BounceClass.SENDER, BounceClass.SOFT, BounceClass.HARD)


def _cases(unit: UnitOfWork, feedback: Feedback, at: datetime, known: VerpSigner, trusted: bool) -> list[_Case]:
    found = _by_name(unit, known.read_bounce(feedback.verp))
    if found is not None:
        return [] if found.former else [_of_reader(found, feedback.recipients)]
    named = _named(feedback.recipients)
    found = _by_name(unit, known.read_message_id(feedback.message_id))
    if found is not None and not found.former:
        # a Message-ID is known to whoever has the mail: a bounce must also name the reader it is about
        agrees = found.address.key in {address.key for address, _ in named}
        if feedback.kind is FeedbackKind.COMPLAINT or agrees or trusted:
            return [_of_reader(found, feedback.recipients)]
    if not trusted:
        return []
    return [_Case(address, unit.feedback_events.latest(address, at), each.bounce, _detail(each)) for address, each in named]


def _by_name(unit: UnitOfWork, delivery_id: int | None) -> DeliveryRecipient | None:
    return None if delivery_id is None else unit.feedback_events.mailed(delivery_id)


def _of_reader(mailed: DeliveryRecipient, recipients: Sequence[Returned]) -> _Case:
    """The mail was ours to one reader. It may name who that reader forwards to; of several the mildest counts."""
    own = [each for address, each in _named(recipients) if address.key == mailed.address.key]
    meant = min(own or recipients, key=lambda each: _MILDEST_FIRST.index(each.bounce), default=Returned("", "", None))
    return _Case(mailed.address, mailed, meant.bounce, _detail(meant))


def _named(recipients: Sequence[Returned]) -> list[tuple[Address, Returned]]:
    named = []
    for each in recipients:
        try:
            named.append((Address(each.address), each))
        except InvalidAddress:
            continue
    return named


def _detail(returned: Returned) -> str:
    return " ".join(part for part in (returned.status, returned.diagnostic) if part)[:500]


# ---- what is done ----------------------------------------------------------------------------------------------------------


def _case(unit: UnitOfWork, kind: FeedbackKind, case: _Case, at: datetime, policy: FeedbackPolicy) -> FeedbackResult:
    if case.bounce is BounceClass.SENDER:
        return _sender(unit, case, at)
    if kind is FeedbackKind.COMPLAINT:
        return _complaint(unit, case, at, policy)
    if case.bounce is BounceClass.HARD:
        return _hard(unit, case, at, policy)
    if case.bounce is BounceClass.SOFT:
        return _soft(unit, case, at, policy)
    return FeedbackResult(Action.NONE, "delayed: the server is still trying")


def _sender(unit: UnitOfWork, case: _Case, at: datetime) -> FeedbackResult:
    _remember(unit, case, ReturnKind.SENDER, at)
    about = f"delivery {case.mailed.delivery_id} of list {case.mailed.list}" if case.mailed else "a mail"
    return FeedbackResult(
        Action.ALARM, f"refused because of us: {case.detail}", (f"{about} was refused because of us: {case.detail}",)
    )


def _hard(unit: UnitOfWork, case: _Case, at: datetime, policy: FeedbackPolicy) -> FeedbackResult:
    if not _remember(unit, case, ReturnKind.HARD, at):
        return FeedbackResult(Action.NONE, "processed before")
    if _holds(unit, case, SuppressionReason.BOUNCE, at, policy):
        return FeedbackResult(Action.HELD, f"held for review: {case.detail}", _break(unit, case, at, policy))
    unit.suppressions.add(case.address, SuppressionReason.BOUNCE, at, case.detail)
    return FeedbackResult(Action.SUPPRESSED, f"hard bounce: {case.detail}", _break(unit, case, at, policy))


def _soft(unit: UnitOfWork, case: _Case, at: datetime, policy: FeedbackPolicy) -> FeedbackResult:
    if case.mailed is None:
        return FeedbackResult(Action.NONE, "soft bounce of an address that was never mailed")
    if not _remember(unit, case, ReturnKind.SOFT, at):
        return FeedbackResult(Action.NONE, "processed before")
    days = unit.feedback_events.soft_days(case.mailed.subscriber_id, at - policy.settled_after)
    if days < policy.soft_limit:
        return FeedbackResult(Action.SCORED, f"soft bounce, day {days} of {policy.soft_limit}: {case.detail}")
    if _holds(unit, case, SuppressionReason.SOFT_BOUNCES, at, policy):
        return FeedbackResult(Action.HELD, f"held for review after {days} days of soft bounces: {case.detail}")
    unit.suppressions.add(case.address, SuppressionReason.SOFT_BOUNCES, at, f"{days} days; last: {case.detail}")
    alarm = f"the reader of delivery {case.mailed.delivery_id} is suppressed after {days} days of soft bounces: {case.detail}"
    return FeedbackResult(Action.SUPPRESSED, f"soft bounces on {days} days; last: {case.detail}", (alarm,))


def _complaint(unit: UnitOfWork, case: _Case, at: datetime, policy: FeedbackPolicy) -> FeedbackResult:
    if not _remember(unit, case, ReturnKind.COMPLAINT, at):
        return FeedbackResult(Action.NONE, "processed before")
    unit.suppressions.add(case.address, SuppressionReason.COMPLAINT, at, case.detail)
    for subscription in unit.subscribers.subscriptions(case.address):
        if subscription.state is not SubscriptionState.ENDED:
            unit.subscribers.end(subscription.id, "complaint: marked as spam", at)
    return FeedbackResult(Action.SUPPRESSED, "complaint: marked as spam", _break(unit, case, at, policy))


def _holds(unit: UnitOfWork, case: _Case, reason: SuppressionReason, at: datetime, policy: FeedbackPolicy) -> bool:
    """Whether to wait for the operator instead of suppressing: many readers' mails came back with the same words.

    Who is no reader of ours loses nothing by being suppressed.
    """
    words = same_words(case.detail, case.address)
    if case.mailed is not None:
        list_name, refusal = case.mailed.list, Refusal(case.mailed.subscription_id, case.mailed.delivery_id, words, at, reason)
    elif subscriptions := unit.subscribers.subscriptions(case.address):
        list_name, refusal = subscriptions[0].list, Refusal(subscriptions[0].id, None, words, at, reason)
    else:
        return False
    accepted = unit.feedback_events.count(list_name, at - policy.breaker_window).accepted
    return bool(hold(unit.refusals, [refusal], accepted))


def _remember(unit: UnitOfWork, case: _Case, kind: ReturnKind, at: datetime) -> bool:
    """False where this delivery came back so before. What was never mailed is new as long as it is not suppressed."""
    if case.mailed is None:
        return unit.suppressions.find(case.address) is None
    return unit.feedback_events.add(case.mailed.delivery_id, kind, at, case.detail)


def _break(unit: UnitOfWork, case: _Case, at: datetime, policy: FeedbackPolicy) -> tuple[str, ...]:
    """Pauses the list where its rates ask for it; says so, or warns."""
    if case.mailed is None or unit.lists.paused(case.mailed.list) is not None:
        return ()
    name = case.mailed.list
    judged = judge(unit.feedback_events.count(name, at - policy.breaker_window), policy.breaker)
    if judged.verdict is Verdict.PAUSE:
        unit.lists.pause(name, judged.reason, at)
        unit.feedback_events.acknowledge(name)
        return (f"list {name} is paused: {judged.reason}",)
    return (f"list {name}: {judged.reason}",) if judged.verdict is Verdict.WARN else ()


def _together(done: Sequence[FeedbackResult]) -> FeedbackResult:
    """A mail about several readers: the strongest of what was done, and every alarm."""
    strongest = max(done, key=lambda each: list(Action).index(each.action))
    return replace(strongest, alarms=tuple(dict.fromkeys(alarm for each in done for alarm in each.alarms)))


# ---- what readers interest -----------------------------------------------------------------------------------------------------


def _unsubscribe(feedback: Feedback, store: Store, at: datetime, known: VerpSigner) -> FeedbackResult:
    with store.begin() as unit:
        mailed = _by_name(unit, known.read_unsubscribe(feedback.verp)) or _by_name(unit, known.read_bounce(feedback.verp))
        if mailed is None:
            alarm = "somebody asks by mail to unsubscribe, without proof of who they are: look into the inbox"
            return FeedbackResult(Action.ALARM, "a wish to unsubscribe that names no subscription of ours", (alarm,))
        subscription = unit.subscribers.get(mailed.subscription_id)
        if subscription is None or subscription.state is SubscriptionState.ENDED:
            return FeedbackResult(Action.NONE, "already ended")
        unit.subscribers.end(subscription.id, "unsubscribed by mail", at)
        ended = unit.subscribers.get(subscription.id) or subscription
        notice = subscribe.notice_for(unit, NoticeKind.GOODBYE, ended, at)
    return FeedbackResult(Action.ENDED, "unsubscribed by mail", notices=(notice,) if notice else ())


def _confirm(
    feedback: Feedback, store: Store, at: datetime, read_confirmation: Callable[[str, datetime], str] | None
) -> FeedbackResult:
    if read_confirmation is None:
        return FeedbackResult(Action.NONE, "a reply that confirms, which nobody reads here")
    try:
        request = read_confirmation(feedback.token, at)
        with store.read() as unit:
            found = unit.subscribers.requested(request)
        if found is None:
            return FeedbackResult(Action.NONE, "a reply that confirms a request which is no longer there")
        step = subscribe.confirm(store, found[0].id, "mail", "reply confirmed", at, request)
    except DigestError as error:  # forged, expired, or of somebody who was forgotten
        return FeedbackResult(Action.NONE, f"a reply that confirms nothing: {error}")
    if step.notice is None:
        return FeedbackResult(Action.NONE, step.skipped)
    return FeedbackResult(Action.CONFIRMED, "confirmed by reply", notices=(step.notice,))
