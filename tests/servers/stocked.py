"""A store with something in it: papers, an edition, readers. Values with sensible defaults, for tests of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.edition import Card, Edition, PaperList, Pick, Pooled, Rendered, Window
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason, Sighting, Signal
from digest.domain.schedule import Cutoff, MailDue
from digest.domain.subscriber import Address, Cohort, Consent, Interests, NewReader, Preferences, Subscription
from digest.store.unit_of_work import Store, UnitOfWork

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
"""A Monday, at the cutoff."""
TODAY = NOW.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MAIN = PaperList(name="main", title="Trending papers")
COHORT = Cohort("main", "UTC", time(7, 0), frozenset(range(7)))
CONSENT = Consent(NOW - DAY, "command line", "v1", "recorded by operator")


def arxiv(number: int) -> Identifier:
    return Identifier("arxiv", f"2603.{number:05}")


def sighting(number: int = 1, /, **fields: object) -> Sighting:
    said: dict[str, object] = {
        "source": "arxiv",
        "identifiers": (arxiv(number),),
        "title": f"Paper number {number} on learning to rank",
        "abstract": f"We present method {number}.",
        "authors": (f"Ann Author{number}", "Bo Writer"),
        "categories": ("cs.LG",),
        "seen_at": NOW - 3 * HOUR,
    }
    return Sighting(**(said | fields))  # type: ignore[arg-type]


def upvotes(value: float, at: datetime = NOW - HOUR) -> Signal:
    return Signal("upvotes", value, at, "huggingface")


def know(store: Store, *lists: PaperList) -> None:
    with store.begin() as unit:
        unit.lists.sync(lists or (MAIN,))


def papers(unit: UnitOfWork, count: int) -> list[Paper]:
    unit.papers.merge([sighting(n) for n in range(1, count + 1)])
    found = [unit.papers.find(arxiv(n)) for n in range(1, count + 1)]
    return [paper for paper in found if paper]


def draft(pool: Sequence[Paper], picks: int = 2, *, day: date = TODAY, list_name: str = "main") -> Edition:
    ranked = [Ranked(paper, 1 / (n + 1), (Reason("votes", f"+{n} upvotes"),), (0.0, float(n))) for n, paper in enumerate(pool)]
    frozen_at = datetime.combine(day, NOW.time(), UTC)
    return Edition(
        id=0,
        list=list_name,
        date=day,
        window=Window(frozen_at - DAY, frozen_at),
        cutoff=frozen_at,
        frozen_at=frozen_at,
        picks=tuple(Pick(n + 1, each) for n, each in enumerate(ranked[:picks])),
        pool=tuple(Pooled(n, each) for n, each in enumerate(ranked)),
        content_hash="0" * 64,
    )


def rendered(pool: Sequence[Paper], picks: int = 2) -> Rendered:
    return Rendered(
        subject="Ten papers",
        html="<p>shell</p>",
        text="shell",
        cards=tuple(Card(paper.id, f"<b>{paper.title}</b>", paper.title) for paper in pool),
        nonce="abc",
        picks=tuple(range(picks)),
        preheader="before the mail",
    )


def freeze(store: Store, count: int = 4, picks: int = 2, *, day: date = TODAY, list_name: str = "main") -> Edition:
    """An edition of the list with `count` pooled papers, the first `picks` of them its own choice."""
    with store.begin() as unit:
        pool = papers(unit, count)
        return unit.editions.freeze(draft(pool, picks, day=day, list_name=list_name), rendered(pool, picks))


def subscribe(
    unit: UnitOfWork,
    email: str,
    list_name: str = "main",
    preferences: Preferences | None = None,
    interests: Interests | None = None,
    at: datetime = NOW - DAY,
) -> Subscription:
    """An ACTIVE subscription."""
    made = unit.subscribers.request(Address(email), list_name, preferences or Preferences(), interests or Interests(), at)
    unit.subscribers.confirm(made.id, CONSENT, at)
    found = unit.subscribers.get(made.id)
    assert found is not None
    return found


def queue(store: Store, readers: int, *, due_at: datetime = NOW + 2 * HOUR) -> Edition:
    """A list, an edition, `readers` subscriptions and a delivery due for each."""
    know(store)
    edition = freeze(store)
    with store.begin() as unit:
        unit.subscribers.add_confirmed(
            [NewReader(Address(f"reader{n}@example.org"), "main") for n in range(readers)], CONSENT, NOW
        )
        assert create_due(unit, edition.id, COHORT, due_at, due_at + DAY, due_at.date()) == readers
    return edition


def replied(delivery_id: int, code: int, *, at: datetime = NOW + 3 * HOUR, text: str = "said", enhanced: str = "") -> Attempt:
    return Attempt(delivery_id, at, "relay.example.org:25", Stage.DOT, Reply(code, text, enhanced))


def create_due(
    unit: UnitOfWork,
    edition_id: int,
    cohort: Cohort,
    due_at: datetime,
    expires_at: datetime,
    today: date,
    confirmed_by: datetime | None = None,
    among: tuple[int, int | None] = (0, None),
) -> int:
    """A delivery of the edition for each reader of a cohort whose local day `today` is."""
    edition = unit.editions.get(edition_id)
    assert edition is not None
    cutoff = Cutoff(edition.date, edition.cutoff, edition.cutoff)
    mail = MailDue(due_at, today, cutoff, edition.cutoff, expires_at)
    return unit.deliveries.create_due(edition_id, cohort, mail, expires_at, confirmed_by, among)
