"""An outbox as `digest deliver` finds it: a real edition, readers, and a delivery due now for each."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from digest.config import Settings, load
from digest.container import Container
from digest.domain.delivery import Delivery
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.paper import Sighting
from digest.domain.subscriber import Address, Cohort, NewReader
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
        _render_once(container)
        edition = container.editions.edition(container.adapters.paper_list("daily"), date(2026, 3, 2), AT)
        with container.adapters.store.begin() as unit:
            due = create_due(unit, edition.id, EVERYBODY, now - timedelta(hours=1), now + timedelta(days=1), date(2026, 3, 2))
    assert due == readers
    return emails


_RENDERED: defaultdict[str, list[tuple[Edition, int, Rendered]]] = defaultdict(list)
_OF_SENDING = {"database", "secrets", "relays", "delivery"}
"""Settings that an edition does not depend on."""


def _render_once(container: Container) -> None:
    """Two in three tests of sending begin with the same edition: it is rendered and proofread for the first of them."""
    renderer = container.adapters.edition_renderer
    render, proof = renderer.render, renderer.proof
    known = _RENDERED[repr(container.settings.model_dump(exclude=_OF_SENDING))]

    def once(draft: Edition, paper_list: PaperList, *, brevity: int = 0, **also: Any) -> Rendered:
        for same, shorter, rendered in known:
            if (same, shorter) == (draft, brevity) and not also:
                return rendered
        return render(draft, paper_list, brevity=brevity, **also)

    def proof_once(draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        if any(rendered is each for _, _, each in known):
            return ()
        if not (errors := proof(draft, paper_list, rendered)):
            known.append((draft, rendered.brevity, rendered))
        return errors

    renderer.render, renderer.proof = once, proof_once  # type: ignore[method-assign]


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
