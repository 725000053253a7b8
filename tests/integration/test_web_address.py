"""A reader gets the link to their page again, and moves to another address; a stranger learns nothing by either."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned, SuppressionReason
from digest.domain.subscriber import Address, Interests, SubscriptionState
from digest.links import Purpose
from digest.services.feedback.process import Action
from tests.servers.website import NOON, Website

ADA, NEW = "ada@example.org", "ada@new.example.org"
INTERESTS = Interests(words=("diffusion",))


def asked(site: Website, address: str) -> str:
    """What the page says, without the address that was typed."""
    answer = site.post("/subscribe", {"email": address})
    assert answer.status_code == 200
    return answer.text.replace(address, "X").replace(address.partition("@")[2], "D")


def change(site: Website, address: str = NEW) -> str:
    answer = site.post(f"{site.link(Purpose.MANAGE)}/address", {"email": address})
    assert answer.status_code == 200
    return answer.text


def moved(site: Website, address: str = NEW) -> str:
    """The page after the link that went to the new address was used."""
    already = len(site.letters(0))
    change(site, address)
    to, text = site.letters(already + 1)[-1]
    assert to == address
    return site.post(site.path_in(text, "address")).text


def test_subscribing_again_mails_the_link_and_says_the_same(site: Website) -> None:
    before = site.reader(interests=INTERESTS)
    assert asked(site, ADA) == asked(site, "nobody@example.net")
    letters = dict(site.letters(2))
    assert site.get(site.path_in(letters[ADA], "manage")).status_code == 200
    assert "/confirm/" not in letters[ADA]
    assert "/confirm/" in letters["nobody@example.net"]
    assert site.subscription() == before, "nothing of it is changed by who asks"


def test_only_three_links_a_day(site: Website) -> None:
    site.reader()
    for number in range(1, 6):
        asked(site, ADA)
        site.letters(min(number, 3))
    asked(site, "last@example.net")
    assert [to for to, _ in site.letters(4)] == [ADA, ADA, ADA, "last@example.net"]


def test_a_reader_moves_with_all_they_have(site: Website) -> None:
    before = site.reader(interests=INTERESTS)
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    manage = site.link(Purpose.MANAGE)
    sent = len(site.letters(1))
    page = change(site)
    assert "Until then nothing changes" in page
    to, text = site.letters(sent + 1)[-1]
    assert (to, ADA in text) == (NEW, False), "the new mailbox is told of nobody's old address"
    link = site.path_in(text, "address")
    assert "Use this address" in site.get(link).text
    assert site.subscription(ADA) == before

    assert "Your address has changed" in site.post(link).text
    after = site.subscription(NEW)
    assert after
    assert site.subscription(ADA) is None
    assert (after.id, after.public_id, after.interests, after.consent) == (before.id, before.public_id, INTERESTS, before.consent)
    assert site.get(manage).status_code == 200
    [(last, notice)] = site.letters(sent + 2)[sent + 1 :]
    assert last == ADA
    assert NEW not in notice
    with site.container.adapters.store.read() as unit:
        assert len(unit.deliveries.of_subscription(after.id)) == 1
    assert site.post(link).status_code == 404, "a link works once"
    assert "used" in site.get(link).text
    assert len(site.letters(sent + 2)) == sent + 2
    held = site.get(f"{manage}/data.json").text
    assert ADA not in held

    site.now += timedelta(days=1)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    with site.container.adapters.store.read() as unit:
        assert len(unit.deliveries.of_subscription(after.id)) == 2
    assert {to for to, _ in site.letters(sent + 2)[sent + 2 :]} <= {NEW}


def test_what_comes_back_from_the_old_mailbox_says_nothing_of_the_new_one(site: Website) -> None:
    site.reader()
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    subscription = site.subscription()
    assert subscription
    with site.container.adapters.store.read() as unit:
        [delivery] = unit.deliveries.of_subscription(subscription.id)
    site.now += timedelta(hours=1)
    moved(site)
    signer = site.container.adapters.verp_signer
    bounce = Feedback(
        FeedbackKind.BOUNCE,
        (Returned(ADA, "5.1.1", BounceClass.HARD, "550 5.1.1 no such user"),),
        verp=f"bounces+{signer.of(delivery.id).bounce}@digest.example",
    )
    found = site.container.feedback.process_feedback(bounce, site.now, trusted=False)
    assert found.action is Action.NONE
    assert site.container.subscriptions.suppression(Address(NEW)) is None
    unsubscribe = Feedback(FeedbackKind.UNSUBSCRIBE, verp=f"unsubscribe+{signer.of(delivery.id).unsubscribe}@digest.example")
    assert site.container.feedback.process_feedback(unsubscribe, site.now, trusted=False).action is Action.ENDED


def suppressed(site: Website, address: str, reason: SuppressionReason) -> None:
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(Address(address), reason, site.now)


NOT_MAILED = [(SuppressionReason.OPERATOR, False), (SuppressionReason.BOUNCE, True), (SuppressionReason.ERASED, True)]


@pytest.mark.parametrize(("reason", "mailed"), NOT_MAILED)
def test_a_stopped_address_is_mailed_only_where_its_reader_can_lift_that(
    site: Website, reason: SuppressionReason, mailed: bool
) -> None:
    site.reader()
    suppressed(site, NEW, reason)
    other = change(site, "other@example.net")
    site.letters(1)
    assert change(site).replace(NEW, "X") == other.replace("other@example.net", "X")
    letters = dict(site.letters(1 + mailed))
    asked(site, "last@example.net")
    assert (NEW in dict(site.letters(2 + mailed))) is mailed
    if mailed:
        assert "Your address has changed" in site.post(site.path_in(letters[NEW], "address")).text
        assert site.container.subscriptions.suppression(Address(NEW)) is None


def test_the_old_address_stays_stopped(site: Website) -> None:
    site.reader()
    suppressed(site, ADA, SuppressionReason.BOUNCE)
    moved(site)
    assert site.container.subscriptions.suppression(Address(ADA))
    assert [to for to, _ in site.letters(1)] == [NEW], "no notice to a mailbox that is gone"


def test_who_reads_with_the_new_address_already_keeps_that(site: Website) -> None:
    site.reader()
    other = site.reader(NEW)
    page = change(site, "third@example.net")
    site.letters(1)
    assert change(site).replace(NEW, "X") == page.replace("third@example.net", "X")
    link = site.path_in(dict(site.letters(2))[NEW], "address")
    refused = site.post(link)
    assert (refused.status_code, "has a subscription of its own" in refused.text) == (400, True)
    assert site.subscription(NEW) == other
    assert site.state(ADA) is SubscriptionState.ACTIVE


def test_what_only_waits_for_a_confirmation_is_replaced(site: Website) -> None:
    before = site.reader(interests=INTERESTS)
    site.reader(NEW, confirmed=False)
    assert "Your address has changed" in moved(site)
    after = site.subscription(NEW)
    assert after
    assert after.public_id == before.public_id


def test_only_the_newest_link_counts_and_only_for_a_week(site: Website) -> None:
    site.reader()
    change(site, "first@example.net")
    first = site.path_in(site.letters(1)[0][1], "address")
    change(site)
    second = site.path_in(site.letters(2)[1][1], "address")
    assert site.post(first).status_code == 404
    site.now += timedelta(days=7)
    assert site.post(second).status_code == 403
    assert site.subscription(ADA)


@pytest.mark.parametrize("wrong", ["", "nobody", "a b@example.org", ADA])
def test_what_is_no_other_address_is_said_at_the_field(site: Website, wrong: str) -> None:
    site.reader()
    answer = site.post(f"{site.link(Purpose.MANAGE)}/address", {"email": wrong})
    assert answer.status_code == 400
    assert 'id="email-wrong"' in answer.text
    assert re.search('aria-invalid="true"', answer.text)
    assert site.queued() == 0


def test_an_erased_reader_leaves_no_change_behind(site: Website) -> None:
    site.reader()
    change(site)
    site.letters(1)
    site.container.privacy.erase(Address(ADA), site.now)
    assert not [row for rows in site.tables().values() for row in rows if NEW in row]
