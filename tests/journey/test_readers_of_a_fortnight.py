"""Two weeks of readers all over the world: each mail comes once, on its day, and nobody is sent a paper twice.

Papers appear day and night, and their votes grow. Auckland, Berlin and Los Angeles read daily, Rome weekly, Paris monthly; one
reader moves, one joins late, one pauses; the machine is down over two cutoffs, and one edition cannot be made for some hours.
Europe's clocks go forward on 29 March, New Zealand's back on 5 April.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.domain.delivery import Envelope
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.errors import TemplateError
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Interests, Preferences
from digest.mail.inbound.message_parts import parts_of
from digest.services.subscriptions.subscribe import confirm, request
from tests.transport import FakeTransport, OfflineContainer

BEGINNING, END = datetime(2026, 3, 21, 6, tzinfo=UTC), datetime(2026, 4, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DOWN = datetime(2026, 3, 31, 9, tzinfo=UTC), datetime(2026, 3, 31, 19, tzinfo=UTC)
"""Over the cutoffs at 11:00 and 17:00."""
BROKEN = datetime(2026, 3, 26, 10, tzinfo=UTC), datetime(2026, 3, 26, 16, tzinfo=UTC)
"""No edition can be made: what is read by Los Angeles at 07:00 (14:00 UTC) comes when it can."""
AWAKE = {0, 5, 6, 7, 8, 12, 14, 15, 16, 17, 18, 19}
"""Each hour of UTC at which somebody's mail is due or late, an hour before and after, and some at which nobody's is."""
READERS = {
    "auckland": Preferences(timezone="Pacific/Auckland", hour=time(7)),
    "berlin": Preferences(timezone="Europe/Berlin", hour=time(7)),
    "angeles": Preferences(timezone="America/Los_Angeles", hour=time(7)),
    "rome": Preferences(timezone="Europe/Rome", hour=time(8), frequency=Frequency.WEEKLY),
    "paris": Preferences(timezone="Europe/Paris", hour=time(9), frequency=Frequency.MONTHLY),
    "mover": Preferences(timezone="Europe/Berlin", hour=time(7)),
    "pauser": Preferences(timezone="Europe/Berlin", hour=time(7)),
}
NUMBER = re.compile(r"^ *\d+\. +Paper (\d+) ", re.MULTILINE)


@dataclass
class World:
    container: OfflineContainer
    now: datetime
    failed: list[str] = field(default_factory=list)
    published: int = 0

    def publish(self) -> None:
        """A paper every hour, and votes for those of the last days: how many follows from a paper's number."""
        self.published += 1
        young = range(max(1, self.published - 100), self.published + 1)
        with self.container.adapters.store.begin() as unit:
            unit.papers.merge(
                [self._paper(number) for number in young if number == self.published or number % 12 == self.now.hour % 12]
            )

    def _paper(self, number: int) -> Sighting:
        age = self.published - number
        votes = float(min(age, 40) * (1 + number * 7919 % 23))
        return Sighting(
            source="huggingface",
            identifiers=(Identifier("arxiv", f"2603.{10000 + number}"),),
            title=f"Paper {number} on {_word(number)} and {_word(number * 31)} of {_word(number * 17 + 5)}",
            abstract=f"We study {_word(number)}. We propose a way to {_word(number * 13)} that works in every case we tried.",
            seen_at=self.now,
            signals=(Signal("upvotes", votes, self.now, "huggingface"),),
        )

    def subscribe(self, name: str, preferences: Preferences) -> None:
        address = self.container.adapters.address(f"{name}@example.org")
        step = request(self.container.adapters.store, address, "daily", preferences, Interests(), self.now)
        confirm(self.container.adapters.store, step.subscription.id, "web form", "link confirmed", self.now)

    def change(self, name: str, preferences: Preferences) -> None:
        adapters = self.container.adapters
        mine = self.container.subscriptions.subscription(adapters.address(f"{name}@example.org"), adapters.paper_list("daily"))
        with self.container.adapters.store.begin() as unit:
            unit.subscribers.change(mine.id, preferences)

    def live(self, until: datetime) -> None:
        while self.now < until:
            self.now += HOUR
            self.publish()
            if DOWN[0] <= self.now < DOWN[1] or self.now.hour not in AWAKE:
                continue
            for _ in range(1 + (self.now.hour % 6 == 0)):  # twice is as good as once
                ticked = self.container.scheduler.tick(self.now)
                assert not ticked.cohorts_failed
                self.failed += ticked.failed
                self.container.delivery.deliver(lambda: self.now)

    def mails(self, name: str) -> list[tuple[datetime, Envelope]]:
        return [(at, each) for at, each in self.container.transport.accepted if each.recipient == f"{name}@example.org"]

    def came(self, name: str, zone: str) -> list[str]:
        return [f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for at, _ in self.mails(name)]


def _word(number: int) -> str:
    return "".join(chr(ord("a") + number * k % 26) for k in (3, 5, 7, 11, 13, 17, 19))


def papers_in(envelope: Envelope) -> list[int]:
    return [int(number) for number in NUMBER.findall(parts_of(envelope.data)[1])]


def subject_of(envelope: Envelope) -> str:
    return str(make_header(decode_header(message_from_bytes(envelope.data)["Subject"])))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fortnight")
    settings = Settings.model_construct(
        database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=folder / "digest.key"),
        mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
        relays=(Relay(host="127.0.0.1"),),
        delivery=Delivery(journal=folder / "journal"),
        lists=(ListSettings(name="daily", title="Trending papers", picks=5, pool=12),),
        sources=(),
    )
    transport = FakeTransport(lambda: world.now)
    with OfflineContainer(settings, transport) as container:
        world = World(container, BEGINNING)
        render = container.adapters.edition_renderer.render

        def breaking(draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
            if BROKEN[0] <= world.now < BROKEN[1]:
                raise TemplateError("mail/edition/body.html", "is being edited")
            return render(draft, paper_list, brevity=brevity)

        container.adapters.edition_renderer.render = breaking  # type: ignore[method-assign]
        world.live(datetime(2026, 3, 22, tzinfo=UTC))
        for name, preferences in READERS.items():
            world.subscribe(name, preferences)
        world.live(datetime(2026, 3, 25, 12, tzinfo=UTC))
        world.subscribe("late", Preferences(timezone="Europe/Berlin", hour=time(7)))
        world.live(datetime(2026, 3, 27, 18, tzinfo=UTC))
        world.change("mover", replace(READERS["mover"], timezone="America/Los_Angeles"))
        world.change("pauser", replace(READERS["pauser"], paused_until=date(2026, 4, 3)))
        world.live(END)
        yield world


def days(first: date, last: date, *besides: date) -> list[str]:
    return [f"{each:%m-%d} 07:00" for n in range((last - first).days + 1) if (each := first + timedelta(days=n)) not in besides]


MARCH, APRIL = (lambda day: date(2026, 3, day)), (lambda day: date(2026, 4, day))


def test_every_mail_comes_once_and_on_its_day(world: World) -> None:
    assert world.came("berlin", "Europe/Berlin") == days(MARCH(22), APRIL(6))
    assert world.came("auckland", "Pacific/Auckland") == [
        # 07:00 on 1 April was 18:00 UTC, an hour before the machine was back
        each.replace("04-01 07:00", "04-01 08:00")
        for each in days(MARCH(23), APRIL(7))
    ]
    los_angeles = world.came("angeles", "America/Los_Angeles")
    # on the 26th no edition could be made at 07:00, on the 31st the machine was down
    assert los_angeles == [
        {"03-26 07:00": "03-26 09:00", "03-31 07:00": "03-31 12:00"}.get(each, each) for each in days(MARCH(22), APRIL(6))
    ]
    assert world.came("rome", "Europe/Rome") == ["03-23 08:00", "03-30 08:00", "04-06 08:00"]
    assert world.came("paris", "Europe/Paris") == ["04-01 09:00"]
    assert world.came("late", "Europe/Berlin") == days(MARCH(26), APRIL(6))
    assert {each.partition(":")[0] for each in world.failed} == {"list daily, 2026-03-26"}


def test_who_moves_has_one_mail_on_each_of_their_days(world: World) -> None:
    before = [
        f"{at.astimezone(ZoneInfo('Europe/Berlin')):%m-%d}"
        for at, _ in world.mails("mover")
        if at < datetime(2026, 3, 27, 18, tzinfo=UTC)
    ]
    after = [f"{at.astimezone(ZoneInfo('America/Los_Angeles')):%m-%d}" for at, _ in world.mails("mover")[len(before) :]]
    assert [*before, *after] == [each[:5] for each in days(MARCH(22), APRIL(6))]


def test_after_a_pause_the_first_mail_has_the_best_of_the_gap(world: World) -> None:
    assert world.came("pauser", "Europe/Berlin") == [*days(MARCH(22), MARCH(27)), *days(APRIL(3), APRIL(6))]
    subjects = [subject_of(each) for _, each in world.mails("pauser")]
    away = [each for each in subjects if each.startswith("While you were away: ")]
    assert [subjects.index(each) for each in away] == [6]
    back = parts_of(world.mails("pauser")[6][1].data)[1]
    assert "While you were away · 5 of " in back
    gap = papers_in(world.mails("pauser")[6][1])
    berlin = {number for _, each in world.mails("berlin")[6:13] for number in papers_in(each)}
    assert len(berlin.intersection(gap)) >= 3, "what the others were sent meanwhile"


def test_a_week_and_a_month_say_what_they_cover(world: World) -> None:
    subjects = [subject_of(each) for _, each in world.mails("rome")]
    assert [each.partition(": ")[0] for each in subjects] == ["Week of 16 March", "Week of 23 March", "Week of 30 March"]
    assert all(each.partition(": ")[2] and len(each) <= 60 for each in subjects)
    ((_, month),) = world.mails("paris")
    assert subject_of(month).startswith("March: ")
    assert " this month" in parts_of(month.data)[1]


def test_nobody_is_sent_a_paper_twice(world: World) -> None:
    for name in (*READERS, "late"):
        shown = Counter(number for _, each in world.mails(name) for number in papers_in(each))
        assert shown, name
        assert set(shown.values()) == {1}, name
        assert all(len(papers_in(each)) == 5 for _, each in world.mails(name)), name
    identities = [message_from_bytes(each.data)["Message-ID"] for each in world.container.transport.envelopes]
    assert len(identities) == len(set(identities))


def test_editions_are_made_where_somebody_is_due(world: World) -> None:
    """05:00 for the pages and Berlin, 14:00 for Los Angeles, 19:00 for Auckland; nobody needs any other."""
    with world.container.adapters.store.read() as unit:
        daily = [each for each in unit.editions.of_day("daily", date(2026, 4, 4)) if each.on_pages]
        assert [f"{each.cutoff:%H:%M}" for each in daily] == ["19:00", "14:00", "05:00"]
        missed = [each for each in unit.editions.of_day("daily", DOWN[0].date()) if each.on_pages]
        assert [f"{each.cutoff:%H:%M}" for each in missed] == ["19:00", "05:00"], "one for all who waited"
        assert unit.connection.scalar(text("SELECT count(*) FROM editions")) < 16 * 4
