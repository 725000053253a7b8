"""What came back changes whom we mail, on both databases; nobody is harmed on a stranger's word."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from digest.domain.circuit_breaker import BreakerLimit, BreakerPolicy
from digest.domain.delivery import DeliveryState
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned, SuppressionReason
from digest.domain.retry import RetryPolicy
from digest.domain.subscriber import Address, NewReader, Subscription, SubscriptionState
from digest.mail.inbound.read_feedback import read_feedback
from digest.mail.verp import VerpSigner
from digest.services.feedback.process import Action, FeedbackPolicy, FeedbackResult, process_feedback
from digest.services.monitoring.alerts import look
from digest.services.operations.review import undo, waiting
from digest.store.unit_of_work import Store
from tests.notices import foreign, notices
from tests.servers.stocked import COHORT, CONSENT, DAY, HOUR, NOW, create_due, freeze, know, queue, replied

STAMPS = VerpSigner(b"a key for the tests")
HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED
POLICY = FeedbackPolicy(breaker=BreakerPolicy(pause_complaints=BreakerLimit(0.003, 3), pause_hard=BreakerLimit(0.05, 3)))
READER = Address("reader0@example.org")
OTHER = Address("reader1@example.org")


@dataclass
class RelayPool:
    """A list whose mails were accepted day by day; the deliveries of reader n, oldest first."""

    store: Store
    deliveries: dict[str, list[int]] = field(default_factory=dict)

    def process_feedback(self, feedback: Feedback, at: datetime = NOW + DAY, *, trusted: bool = False) -> FeedbackResult:
        return process_feedback(feedback, self.store, at, POLICY, STAMPS, trusted=trusted)

    def bounce(self, delivery: int, *returned: Returned, at: datetime = NOW + DAY) -> FeedbackResult:
        return self.process_feedback(Feedback(FeedbackKind.BOUNCE, returned, verp=verp(delivery)), at)

    def suppressed(self, address: Address) -> SuppressionReason | None:
        with self.store.read() as unit:
            found = unit.suppressions.find(address)
        return found.reason if found else None

    def subscription(self, address: Address) -> Subscription:
        with self.store.read() as unit:
            return unit.subscribers.subscriptions(address)[0]

    def send(self, day: int) -> None:
        """The edition of a day, accepted for everybody who may still be mailed."""
        due = NOW + day * DAY + 2 * HOUR
        edition = freeze(self.store, day=due.date())
        with self.store.begin() as unit:
            create_due(unit, edition.id, COHORT, due, due + DAY, due.date())
        self._accept(due)

    def _accept(self, due: datetime) -> None:
        at = due + HOUR
        with self.store.begin() as unit:
            for each in unit.deliveries.claim(1000, "worker", at, HOUR).claimed:
                attempt = replied(each.id, 250, at=at)
                unit.deliveries.record([(attempt, RetryPolicy().decide(attempt, 0, due + DAY))])
                self.deliveries.setdefault(str(each.address), []).append(each.id)


def verp(delivery: int) -> str:
    return f"bounces+{STAMPS.of(delivery).bounce}@ours.example"


def about(address: Address | str, bounce: BounceClass | None, status: str = "") -> Returned:
    return Returned(str(address), status, bounce, "what the server said")


@pytest.fixture
def post(store: Store) -> RelayPool:
    know(store)
    with store.begin() as unit:
        unit.subscribers.add_confirmed([NewReader(Address(f"reader{n}@example.org"), "main") for n in range(8)], CONSENT, NOW)
    made = RelayPool(store)
    made.send(0)
    return made


def test_hard_is_suppressed_now_and_once(post: RelayPool) -> None:
    delivery = post.deliveries[str(READER)][0]
    assert post.bounce(delivery, about(READER, HARD)).action is Action.SUPPRESSED
    assert post.suppressed(READER) is SuppressionReason.BOUNCE
    assert post.bounce(delivery, about(READER, HARD)).action is Action.NONE
    post.send(1)
    assert len(post.deliveries[str(READER)]) == 1
    assert len(post.deliveries[str(OTHER)]) == 2


def test_whoever_the_mail_names_only_the_reader_of_the_delivery_is_touched(post: RelayPool) -> None:
    delivery = post.deliveries[str(READER)][0]
    post.bounce(delivery, about(OTHER, HARD))
    assert post.suppressed(OTHER) is None
    assert post.suppressed(READER) is SuppressionReason.BOUNCE


def test_of_several_addresses_that_a_reader_forwards_to_the_mildest_counts(post: RelayPool) -> None:
    delivery = post.deliveries[str(READER)][0]
    assert post.bounce(delivery, about("x@forward.example", HARD), about("y@forward.example", DELAYED)).action is Action.NONE
    assert post.suppressed(READER) is None


def test_forged_names_are_ignored(post: RelayPool) -> None:
    delivery, another = post.deliveries[str(READER)][0], post.deliveries[str(OTHER)][0]
    forged = verp(delivery).replace(f"{delivery}.", f"{another}.")
    for feedback in (
        Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),), verp=forged),
        Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),)),
        Feedback(
            FeedbackKind.COMPLAINT, (about(OTHER, None),), verp=forged, message_id=f"{another}.aaaaaaaaaaaaaaaa@ours.example"
        ),
        # the unsubscribe mailbox's name is not the envelope sender's, nor the Message-ID
        Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),), verp=f"bounces+{STAMPS.of(another).unsubscribe}@ours.example"),
        Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),), verp=f"bounces+{STAMPS.of(another).message}@ours.example"),
        Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),), verp=verp(10**9)),
    ):
        assert post.process_feedback(feedback).action is Action.NONE, feedback
    assert post.process_feedback(Feedback(FeedbackKind.UNSUBSCRIBE, verp=forged)).action is Action.ALARM
    assert post.suppressed(READER) is post.suppressed(OTHER) is None
    assert post.subscription(OTHER).state is SubscriptionState.ACTIVE


def test_a_message_id_finds_the_delivery_where_the_mail_also_names_its_reader(post: RelayPool) -> None:
    delivery = post.deliveries[str(READER)][0]
    message_id = f"{STAMPS.of(delivery).message}@ours.example"
    assert (
        post.process_feedback(Feedback(FeedbackKind.BOUNCE, (about(OTHER, HARD),), message_id=message_id)).action is Action.NONE
    )
    assert post.suppressed(READER) is post.suppressed(OTHER) is None
    assert (
        post.process_feedback(Feedback(FeedbackKind.BOUNCE, (about(READER, HARD),), message_id=message_id)).action
        is Action.SUPPRESSED
    )


def test_what_the_operator_gives_us_counts_for_the_addresses_it_names(post: RelayPool) -> None:
    stranger = Address("stranger@example.net")
    named = Feedback(FeedbackKind.BOUNCE, (about(READER, HARD), about(stranger, HARD), about("no address", HARD)))
    assert post.process_feedback(named, trusted=True).action is Action.SUPPRESSED
    assert post.suppressed(READER) is post.suppressed(stranger) is SuppressionReason.BOUNCE
    assert post.process_feedback(named, trusted=True).action is Action.NONE


def test_soft_bounces_are_scored_a_day_at_a_time_and_suppress_at_the_limit(post: RelayPool) -> None:
    for day in range(1, 5):
        post.send(day)
    mails = post.deliveries[str(READER)]
    done = [post.bounce(each, about(READER, SOFT), at=NOW + (day + 1) * DAY) for day, each in enumerate(mails)]
    assert [each.action for each in done] == [Action.SCORED] * 4 + [Action.SUPPRESSED]
    assert post.suppressed(READER) is SuppressionReason.SOFT_BOUNCES
    assert len(done[-1].alarms) == 1
    assert "@" not in done[-1].alarms[0]


def test_soft_bounces_of_one_day_are_one(post: RelayPool) -> None:
    for day in range(1, 8):
        post.send(day)
    for each in reversed(post.deliveries[str(READER)]):
        assert post.bounce(each, about(READER, SOFT), at=NOW + 9 * DAY).reason.startswith("soft bounce, day 1 of 5")
    assert post.suppressed(READER) is None


def test_a_mail_that_arrived_resets_the_score(post: RelayPool) -> None:
    for day in range(1, 12):
        post.send(day)
    mails = post.deliveries[str(READER)]
    for day in (0, 1, 2, 3):
        post.bounce(mails[day], about(READER, SOFT), at=NOW + (day + 1) * DAY)
    # the fourth and fifth day's arrived; by the twelfth that is settled
    last = post.bounce(mails[11], about(READER, SOFT), at=NOW + 12 * DAY)
    assert last.reason.startswith("soft bounce, day 1 of 5")
    assert post.suppressed(READER) is None


def test_a_mail_whose_bounce_may_still_come_resets_nothing(post: RelayPool) -> None:
    for day in range(1, 7):
        post.send(day)
    mails = post.deliveries[str(READER)]
    for day in (0, 1, 2, 3):
        post.bounce(mails[day], about(READER, SOFT), at=NOW + (day + 1) * DAY)
    # those of days 4 and 5 are less than three days old
    assert post.bounce(mails[6], about(READER, SOFT), at=NOW + 6 * DAY + 5 * HOUR).action is Action.SUPPRESSED


def test_a_refusal_because_of_us_alarms_and_touches_nobody(post: RelayPool) -> None:
    done = post.bounce(post.deliveries[str(READER)][0], about(READER, SENDER, "5.7.26"))
    assert done.action is Action.ALARM
    assert "5.7.26" in done.alarms[0]
    assert post.suppressed(READER) is None
    assert post.subscription(READER).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("kind", [FeedbackKind.AUTO_REPLY, FeedbackKind.OTHER])
def test_automatic_answers_and_chatter_change_nothing(post: RelayPool, kind: FeedbackKind) -> None:
    feedback = Feedback(kind, (about(READER, HARD),), verp=verp(post.deliveries[str(READER)][0]))
    assert post.process_feedback(feedback, trusted=True).action is Action.NONE
    assert post.suppressed(READER) is None


def test_a_complaint_suppresses_and_ends_with_its_reason(post: RelayPool) -> None:
    message_id = f"{STAMPS.of(post.deliveries[str(READER)][0]).message}@ours.example"
    complaint = Feedback(FeedbackKind.COMPLAINT, (about("redacted@provider.example", None),), message_id=message_id)
    assert post.process_feedback(complaint).action is Action.SUPPRESSED
    assert post.suppressed(READER) is SuppressionReason.COMPLAINT
    ended = post.subscription(READER)
    assert (ended.state, ended.end_reason) == (SubscriptionState.ENDED, "complaint: marked as spam")


def test_a_report_of_failed_authentication_is_about_us(post: RelayPool) -> None:
    message_id = f"{STAMPS.of(post.deliveries[str(READER)][0]).message}@ours.example"
    report = Feedback(FeedbackKind.COMPLAINT, (about(READER, SENDER),), message_id=message_id)
    assert post.process_feedback(report).action is Action.ALARM
    assert post.suppressed(READER) is None


def test_a_mail_to_the_unsubscribe_mailbox_ends_the_subscription(post: RelayPool) -> None:
    stamp = STAMPS.of(post.deliveries[str(READER)][0]).unsubscribe
    interest = Feedback(FeedbackKind.UNSUBSCRIBE, verp=f"unsubscribe+{stamp}@ours.example")
    done = post.process_feedback(interest)
    assert (done.action, len(done.notices)) == (Action.ENDED, 1)
    assert post.subscription(READER).end_reason == "unsubscribed by mail"
    assert post.process_feedback(interest).action is Action.NONE
    assert post.suppressed(READER) is None


def test_a_reply_confirms_by_its_token_and_only_by_it(post: RelayPool) -> None:
    with post.store.begin() as unit:
        waiting = unit.subscribers.request(
            Address("new@example.org"), "main", post.subscription(READER).preferences, post.subscription(READER).interests, NOW
        )

    def read(token: str, at: datetime) -> str:
        from digest.domain.errors import InvalidToken

        if token != "proof":
            raise InvalidToken("forged")
        return waiting.request

    def reply(token: str) -> FeedbackResult:
        return process_feedback(
            Feedback(FeedbackKind.CONFIRM, token=token), post.store, NOW, POLICY, STAMPS, read_confirmation=read
        )

    assert reply("else").action is Action.NONE
    assert post.subscription(waiting.address).state is SubscriptionState.PENDING
    assert reply("proof").action is Action.CONFIRMED
    confirmed = post.subscription(waiting.address)
    assert confirmed.state is SubscriptionState.ACTIVE
    assert confirmed.consent is not None
    assert confirmed.consent.event == "reply confirmed"
    assert reply("proof").action is Action.NONE


def test_a_flood_of_the_same_words_by_dsn_is_held_and_found_once(store: Store) -> None:
    """Sixty of sixty mailboxes gone overnight: three are suppressed, the rest waits, and the list is paused once."""
    know(store)
    with store.begin() as unit:
        unit.subscribers.add_confirmed([NewReader(Address(f"reader{n}@example.org"), "main") for n in range(60)], CONSENT, NOW)
    post = RelayPool(store)
    post.send(0)
    done = [
        post.bounce(mails[0], Returned(email, "5.1.1", HARD, f"550 5.1.1 <{email}>: no such user (id {n}x7)"))
        for n, (email, mails) in enumerate(post.deliveries.items())
    ]
    assert [each.action for each in done].count(Action.SUPPRESSED) == 3
    assert [each.action for each in done].count(Action.HELD) == 57
    assert sum(post.suppressed(Address(email)) is not None for email in post.deliveries) == 3
    assert sum("paused" in alarm for each in done for alarm in each.alarms) == 1
    again = [post.bounce(mails[0], about(email, HARD)) for email, mails in post.deliveries.items()]
    assert {each.action for each in again} == {Action.NONE}, "the same reports once more"
    assert [(len(each.addresses), each.state) for each in waiting(store)] == [(57, "held"), (3, "carried out")]
    (finding,) = [each for each in look(store, [], [], NOW + DAY) if each.cause == "review"]
    assert finding.seen[0].startswith("57 × 5.1.1 550 … no such user")
    assert "@" not in " ".join(finding.seen)
    undo(store, NOW + DAY)
    assert sum(post.suppressed(Address(email)) is not None for email in post.deliveries) == 0


def test_a_spike_pauses_the_list_and_does_not_pause_it_again_once_resumed(post: RelayPool) -> None:
    first = {email: each[0] for email, each in post.deliveries.items()}
    done = [post.bounce(first[f"reader{n}@example.org"], about(f"reader{n}@example.org", HARD)) for n in range(3)]
    assert [len(each.alarms) for each in done] == [0, 0, 1]
    with post.store.begin() as unit:
        assert "3 mailboxes that do not exist among 8 mails" in (unit.lists.paused("main") or "")
        unit.lists.resume("main")
    fourth = post.bounce(first["reader3@example.org"], about("reader3@example.org", HARD))
    assert fourth.action is Action.HELD, "the fourth in the same words: the operator decides"
    with post.store.read() as unit:
        assert unit.lists.paused("main") is None


def test_forgetting_a_reader_forgets_what_came_back(post: RelayPool) -> None:
    delivery = post.deliveries[str(READER)][0]
    post.bounce(delivery, about(READER, SOFT))
    with post.store.begin() as unit:
        assert unit.subscribers.erase(READER)
    assert post.bounce(delivery, about(READER, HARD)).action is Action.NONE


def test_a_mail_never_accepted_has_no_score(store: Store) -> None:
    edition = queue(store, 1)
    with store.read() as unit:
        assert unit.deliveries.tally(edition.id) == {DeliveryState.QUEUED: 1}
        assert unit.feedback_events.latest(READER, NOW + 9 * DAY) is None
        assert unit.feedback_events.soft_days(1, NOW + 9 * DAY) == 0


def test_bounces_from_strangers_suppress_nobody(post: RelayPool) -> None:
    """Every notice there is, renamed to be about our readers, but without a name that only we could have made."""
    mails = [notice.data for notice in (*notices(), *foreign())]
    for data in mails:
        feedback = read_feedback(data, is_verp=lambda address: STAMPS.read_bounce(address) is not None)
        forged = replace(feedback, recipients=tuple(replace(each, address=str(READER)) for each in feedback.recipients))
        done = post.process_feedback(forged, NOW + timedelta(days=2))
        assert done.action in (Action.NONE, Action.ALARM)
    assert len(mails) > 150
    assert post.suppressed(READER) is None
    assert post.subscription(READER).state is SubscriptionState.ACTIVE


def test_complaints_warn_over_one_in_a_thousand_and_pause_over_three_until_the_operator_resumes(store: Store) -> None:
    """The limits as shipped, on 1,500 accepted mails: 2 complaints warn (0.13 %), 5 pause (0.33 %)."""
    know(store)
    with store.begin() as unit:
        unit.subscribers.add_confirmed([NewReader(Address(f"reader{n}@example.org"), "main") for n in range(1500)], CONSENT, NOW)
    post = RelayPool(store)
    while len(post.deliveries) < 1500:
        post.send(0)
    alarms = []
    for number in range(5):
        complaint = Feedback(
            FeedbackKind.COMPLAINT,
            (about(f"reader{number}@example.org", None),),
            verp=verp(post.deliveries[f"reader{number}@example.org"][0]),
        )
        alarms.append("".join(process_feedback(complaint, store, NOW + DAY, FeedbackPolicy(), STAMPS).alarms))
        assert process_feedback(complaint, store, NOW + DAY, FeedbackPolicy(), STAMPS).alarms == (), "told twice, it counts once"
    assert alarms[0] == ""
    assert alarms[1:4] == [
        f"list main: {n} complaints among 1500 mails ({rate} %); at most 0.1 %"
        for n, rate in ((2, "0.13"), (3, "0.20"), (4, "0.27"))
    ]
    assert alarms[4] == "list main is paused: 5 complaints among 1500 mails (0.33 %); at most 0.3 %"
    with store.read() as unit:
        assert unit.lists.paused("main") is not None
