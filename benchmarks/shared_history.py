"""What tick and deliver cost in processor time for readers who were sent the same; ./run bench shared_history [READERS [DAYS]]

Readers of one list are mailed each morning for some days, through a transport that takes everything at once. Of the last three
mornings the medians are printed: seconds of processor time for the tick that makes edition and deliveries, and for delivering,
and how long an edition takes with 300 papers in its pool.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.subscriber import Address, Consent, NewReader
from tests.transport import FakeTransport, OfflineContainer

START = datetime(2026, 3, 2, tzinfo=UTC)
PAPERS_A_DAY = 60
MEASURED = 3


def main(readers: int, days: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, now = Path(name), [START]
        settings = Settings.model_construct(
            database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
            secrets=Secrets(key_file=folder / "digest.key"),
            mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
            relays=(Relay(host="127.0.0.1"),),
            delivery=Delivery(journal=folder / "journal"),
            lists=(ListSettings(name="daily", title="Trending papers"),),
            sources=(),
        )
        transport = FakeTransport(lambda: now[0])
        with OfflineContainer(settings, transport) as container:
            consent = Consent(START, "csv import", "v1", "recorded by operator")
            with container.adapters.store.begin() as unit:
                people = [NewReader(Address(f"r{n}@example.org"), "daily") for n in range(readers)]
                unit.subscribers.add_confirmed(people, consent, START)
            figures: dict[str, list[float]] = defaultdict(list)
            for day in range(days):
                publish(container, START + timedelta(days=day))
                for hour in (5, 7):
                    now[0] = START + timedelta(days=day, hours=hour)
                    began = time.process_time()
                    container.scheduler.tick(now[0])
                    figures["edition" if hour == 5 else "tick"].append(time.process_time() - began)
                transport.accepted.clear()
                began = time.process_time()
                container.delivery.deliver(lambda: now[0])
                figures["deliver"].append(time.process_time() - began)
                assert len(transport.accepted) == readers, (day, len(transport.accepted))
            print(json.dumps({"readers": readers, "days": days, **figures_of(figures)}))


def figures_of(figures: Mapping[str, list[float]]) -> dict[str, float]:
    return {key: round(statistics.median(values[-MEASURED:]), 3) for key, values in figures.items()}


def publish(container: OfflineContainer, at: datetime) -> None:
    first = (at - START).days * PAPERS_A_DAY
    with container.adapters.store.begin() as unit:
        unit.papers.merge(
            [
                Sighting(
                    source="huggingface",
                    identifiers=(Identifier("arxiv", f"2603.{10000 + first + n}"),),
                    title=f"Method {first + n} for question {n * 7919 % 101} of kind {n * 31 % 17}",
                    abstract=f"We present method {first + n}. It answers question {n * 7919 % 101} better than all before it.",
                    categories=(f"cs.{chr(65 + n % 20)}L",),
                    seen_at=at + timedelta(minutes=n),
                    signals=(Signal("upvotes", float(n * 7919 % 97), at + timedelta(hours=2), "huggingface"),),
                )
                for n in range(PAPERS_A_DAY)
            ]
        )


if __name__ == "__main__":
    main(*(int(each) for each in (*sys.argv[1:3], *("5000", "9")[len(sys.argv) - 1 :])))
