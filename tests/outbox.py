"""An outbox as `digest deliver` finds it: a real edition, readers, and a delivery due now for each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from digest.config import Settings, load
from digest.container import Container
from digest.domain.delivery import Delivery
from digest.domain.paper import Sighting
from digest.domain.subscriber import Address, Cohort, NewReader
from tests.rendering import render_once
from tests.servers.stocked import CONSENT, create_due, sighting, upvotes

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When the edition was made. The deliveries are due by the real clock, which is what `deliver` reads."""
EVERYBODY = Cohort("daily", "UTC", time(7, 0), frozenset(range(7)))


def configured(folder: Path, database_url: str, port: int, delivery: str = "", relay: str = "") -> Path:
    """A settings file; `delivery` and `relay` are more lines for those tables."""
    file = folder / "digest.toml"
    file.write_text(
        f"""
[database]
url = "{database_url}"
[secrets]
key_file = "{folder / "digest.key"}"
[web]
base_url = "https://digest.example.org"
[mail]
from_name = "Digest"
from_address = "digest@digest.example.org"
postal_address = "1 Example Street"
[[relays]]
host = "127.0.0.1"
port = {port}
tls = "none"
name = "recorder"
{relay}
[delivery]
journal = "{folder / "journal"}"
{delivery}
[[lists]]
name = "daily"
title = "Trending papers"
cutoff = 05:00:00
""",
        "utf-8",
    )
    return file


def queue(settings: Settings, readers: int) -> list[str]:
    """Makes the edition and a delivery due for each reader; their addresses, in the order they will be claimed."""
    emails = [f"reader{n}@example.org" for n in range(readers)]
    now = datetime.now(UTC)
    with Container(settings) as container:
        with container.adapters.store.begin() as unit:
            unit.papers.merge([_voted(n) for n in range(1, 13)])
            unit.subscribers.add_confirmed([NewReader(Address(email), "daily") for email in emails], CONSENT, AT)
        render_once(container)
        edition = container.editions.edition(container.adapters.paper_list("daily"), date(2026, 3, 2), AT)
        with container.adapters.store.begin() as unit:
            due = create_due(unit, edition.id, EVERYBODY, now - timedelta(hours=1), now + timedelta(days=1), date(2026, 3, 2))
    assert due == readers
    return emails


def rows(config: Path) -> dict[str, Delivery]:
    """By address: its delivery, as it stands."""
    with Container(load(config)) as container, container.adapters.store.read() as unit:
        found = {}
        for number in range(1, 100_000):
            subscription = unit.subscribers.get(number)
            if subscription is None:
                return found
            found[subscription.address.text] = unit.deliveries.of_subscription(number)[0]
        raise AssertionError("more readers than any test has")


def _voted(number: int) -> Sighting:
    return sighting(number, signals=(upvotes(100.0 - number, AT - timedelta(hours=8)),), seen_at=AT - timedelta(hours=9))
