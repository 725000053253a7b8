"""The first mail after a confirmation carries the list's current edition, so that nobody waits a day to see one.

It is a delivery like any other (one row for edition and subscription), so the outbox sends that edition to nobody twice, bounces
find their reader, and later picks know what was seen. The row falls due a little later than now: should we end before the mail
is out, the outbox sends the edition without the welcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.edition import variant_of
from digest.domain.errors import DigestError
from digest.mail.smtp.reply_classifier import verdict_of
from digest.services.delivery.choose_papers import freeze
from digest.services.delivery.claims import Recheck, settle

if TYPE_CHECKING:
    from digest.domain.delivery import Claimed
    from digest.domain.notice import Notice
    from digest.domain.retry import RetryPolicy
    from digest.mail.smtp.journal import Journal
    from digest.services.delivery.choose_papers import Choice
    from digest.services.delivery.run import Transport
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.editions.message_composer import MoreCards
    from digest.services.notices.transactional import NoticeComposer
    from digest.store.unit_of_work import Store

HELD = timedelta(minutes=5)
"""How long the outbox leaves the delivery to us: longer than a relay takes to answer."""
GOOD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WelcomeTools:
    """What a welcome is made and sent with. `choose` gives a reader's own picks; `transport` writes to `journal`."""

    notice_composer: NoticeComposer
    edition_renderer: EditionRenderer
    choose: Callable[[Claimed], Sequence[Choice] | None]
    transport: Transport
    journal: Journal
    policy: RetryPolicy
    cards: MoreCards


def welcome(store: Store, means: WelcomeTools, notice: Notice, at: datetime) -> bool:
    """Sends the welcome with the current edition. False, and nothing done, where there is none or the reader had it.

    Raises RelayUnreachable when no relay took it: the outbox sends the edition when one does.
    """
    subscription = notice.subscription
    with store.begin() as unit:
        edition = unit.editions.latest(subscription.list, at)
        if edition is None or not edition.has_papers or unit.suppressions.find(subscription.address):
            return False
        # due as they confirmed: what is due after that is a scheduled mail, of which there is one a day (dispatch.mailed)
        due_at = subscription.confirmed_at or at
        created = unit.deliveries.create_one(edition.id, subscription.id, due_at, at + GOOD_FOR, at + HELD)
        if created is None:
            return False
        held: Mapping[int, Claimed] = unit.deliveries.known([created])
        rendered = unit.editions.rendered(edition.id)
    claimed = held[created]
    choices = means.choose(claimed)
    if not choices:  # they are back, and had all of it before: the outbox will write down why it is not sent
        return False
    with store.begin() as unit:
        freeze(unit, {created: choices})
    language = means.notice_composer.language_of(subscription)
    wanted, variant = variant_of(language, authors_words=claimed.authors_words), ""
    if wanted != rendered.language:
        with suppress(DigestError):  # better in the list's language than not at all
            rendered, variant = means.cards.translated(edition.id, rendered, wanted), wanted
    shell = means.notice_composer.welcome(notice, edition, rendered, at)
    paper_list = means.notice_composer.list_of(subscription)
    composer = means.edition_renderer.message_composer(edition, paper_list, shell, means.cards, variant)
    own = claimed.authors_words and bool(variant)
    envelope = composer(replace(claimed, language=rendered.language, authors_words=own), choices)
    recheck = Recheck(store, [created], None, lambda: at)  # who is not wanted any more is withheld by the outbox
    for attempt in means.transport.send_many([envelope], wanted=recheck.wanted):
        decision = means.policy.decide(attempt, claimed.attempts, claimed.expires_at, verdict_of(attempt))
        with store.begin() as unit:
            settle(unit, [(attempt, decision)], held, means.journal.owner)
        means.journal.recorded([created])
    return True
