"""A week in the life of one list and three readers, told by a clock that travels in half hours.

The list is made on working days at 05:00 UTC. Ada reads in Berlin at 07:00 every day, Grace in New York at 07:30, and Linus
comes late. Europe's clocks go forward on Sunday, nothing is published on Monday, and on Tuesday the machine is down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.domain.delivery import Envelope
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.subscriber import Interests, Preferences
from digest.mail.inbound.message_parts import parts_of
from digest.services.monitoring.explain import explain
from digest.services.subscriptions.subscribe import confirm, request
from tests.transport import FakeTransport, OfflineContainer

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HALF_HOUR = timedelta(minutes=30)


@dataclass
class Week:
    container: OfflineContainer
    now: datetime

    def publish(self, at: datetime, *names: str) -> None:
        """Papers appear on a source, each with a few votes."""
        with self.container.adapters.store.begin() as unit:
            unit.papers.merge(
                [
                    Sighting(
                        source="huggingface",
                        identifiers=(Identifier("arxiv", f"2603.{10000 + int(name.split('-')[1])}"),),
                        title=name,
                        abstract=f"We present {name}, a method of its own. It works well on everything we tried.",
                        seen_at=at,
                        signals=(Signal("upvotes", 3 + number, at, "huggingface"),),
                    )
                    for number, name in enumerate(names)
                ]
            )

    def subscribe(self, email: str, zone: str, hour: time, at: datetime) -> None:
        address = self.container.adapters.address(email)
        step = request(self.container.adapters.store, address, "daily", Preferences(timezone=zone, hour=hour), Interests(), at)
        confirm(self.container.adapters.store, step.subscription.id, "web form", "link confirmed", at)

    def pass_until(self, end: datetime) -> None:
        """The bell rings every half hour, and once more at the end: ticking twice must change nothing."""
        while self.now < end:
            self.now = min(self.now + HALF_HOUR, end)
            self.container.scheduler.tick(self.now)
            self.container.delivery.deliver(lambda: self.now)
        self.container.scheduler.tick(end)

    def sleep_until(self, end: datetime) -> None:
        """The machine is down: nothing rings."""
        self.now = end

    def mails(self, email: str, zone: ZoneInfo) -> list[tuple[str, list[str]]]:
        """When each mail came, on the reader's own clock, and what was in it."""
        return [
            (f"{at.astimezone(zone):%a %d %H:%M}", sorted(titles_in(envelope)))
            for at, envelope in self.container.transport.accepted
            if envelope.recipient == email
        ]

    def why(self, email: str) -> str:
        told = explain(
            self.container.adapters.store, self.container.adapters.address(email), self.container.adapters.lists, self.now
        )
        now = told["subscriptions"][0]["now"]
        assert isinstance(now, str)
        return now


def titles_in(envelope: Envelope) -> list[str]:
    return re.findall(r"^ *\d+\.? +(Paper-\d+)$", parts_of(envelope.data)[1], re.MULTILINE)


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    settings = Settings.model_construct(
        database=Database(url=f"sqlite:///{tmp_path / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=tmp_path / "digest.key"),
        mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
        relays=(Relay(host="127.0.0.1"),),
        delivery=Delivery(journal=tmp_path / "journal"),
        lists=(ListSettings(name="daily", title="Trending papers", picks=3, weekdays="weekdays"),),
        sources=(),
    )
    transport = FakeTransport(lambda: week.now)
    with OfflineContainer(settings, transport) as container:
        week = Week(container, datetime(2026, 3, 26, tzinfo=UTC))
        yield week


def day(number: int, hour: int = 0, minute: int = 0) -> datetime:
    """March 2026; days past the 31st are April's."""
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC) + timedelta(days=number - 1)


def test_a_week_of_mornings(week: Week) -> None:
    # Wednesday evening: Ada and Grace have subscribed, and three papers are out
    week.now = day(25, 18)
    week.subscribe("ada@example.org", "Europe/Berlin", time(7, 0), day(25, 17))
    week.subscribe("grace@example.com", "America/New_York", time(7, 30), day(25, 17))
    week.publish(day(25, 17), "Paper-11", "Paper-12", "Paper-13")

    # The first edition is made at once, and whoever waited for it has it
    week.pass_until(day(25, 19))
    first = ["Paper-11", "Paper-12", "Paper-13"]
    assert week.mails("ada@example.org", BERLIN) == [("Wed 25 19:30", first)]
    assert week.mails("grace@example.com", NEW_YORK) == [("Wed 25 14:30", first)]

    # Thursday: each at their own hour, the same edition
    week.publish(day(25, 20), "Paper-14", "Paper-15", "Paper-16")
    week.pass_until(day(26, 18))
    thursday = ["Paper-14", "Paper-15", "Paper-16"]
    assert week.mails("ada@example.org", BERLIN)[1:] == [("Thu 26 07:00", thursday)]
    assert week.mails("grace@example.com", NEW_YORK)[1:] == [("Thu 26 07:30", thursday)]

    # Friday: other papers; Linus comes after Friday's mail was due and does not get it late
    week.publish(day(26, 19), "Paper-21", "Paper-22", "Paper-23")
    week.pass_until(day(27, 15))
    week.subscribe("linus@example.net", "Europe/Berlin", time(7, 0), day(27, 15))
    week.pass_until(day(27, 23))
    assert week.mails("ada@example.org", BERLIN)[2] == ("Fri 27 07:00", ["Paper-21", "Paper-22", "Paper-23"])
    assert week.mails("linus@example.net", BERLIN) == []
    assert "confirmed after the last mail was due" in week.why("linus@example.net")

    # The weekend: the list is not made, and Friday's edition is not sent again; Linus, new, gets it on Saturday
    week.pass_until(day(29, 22))
    assert [when for when, _ in week.mails("ada@example.org", BERLIN)][1:] == ["Thu 26 07:00", "Fri 27 07:00"]
    assert week.mails("linus@example.net", BERLIN) == [("Sat 28 07:00", ["Paper-21", "Paper-22", "Paper-23"])]

    # Monday: Europe's clocks have changed, and there is nothing new: no mail, and a reason; but Linus was not sent all of it
    week.pass_until(day(30, 18))
    assert len(week.mails("ada@example.org", BERLIN)) == 3
    assert week.why("ada@example.org").startswith("nothing to send from the edition of 2026-03-30: every paper")
    [_, (when, titles)] = week.mails("linus@example.net", BERLIN)
    assert (when, len(titles)) == ("Mon 30 07:00", 3)
    assert set(titles) < {*first, *thursday}

    # Tuesday: papers appear, the machine is down all day. Wednesday at ten it comes back: one mail each, nothing lost
    week.publish(day(30, 19), "Paper-51", "Paper-52")
    week.publish(day(31, 12), "Paper-61")
    week.sleep_until(day(32, 8))
    week.pass_until(day(32, 9))
    assert week.mails("ada@example.org", BERLIN)[3:] == [("Wed 01 10:30", ["Paper-51", "Paper-52", "Paper-61"])]
    week.pass_until(day(32, 20))
    assert week.mails("grace@example.com", NEW_YORK)[3:] == [("Wed 01 07:30", ["Paper-51", "Paper-52", "Paper-61"])]

    # Thursday: 07:00 is 05:00 UTC now, the very minute of the cutoff
    week.publish(day(32, 21), "Paper-71")
    week.pass_until(day(33, 18))
    assert week.mails("ada@example.org", BERLIN)[4:] == [("Thu 02 07:00", ["Paper-71"])]

    # Looking back: nobody was shown a paper twice, and every mail had a Message-ID of its own
    for email in ("ada@example.org", "grace@example.com", "linus@example.net"):
        shown = [title for _, titles in week.mails(email, BERLIN) for title in titles]
        assert len(shown) == len(set(shown)), email
    identities = [message_from_bytes(each.data)["Message-ID"] for each in week.container.transport.envelopes]
    assert len(identities) == len(set(identities))
