"""An old edition, of which retention has left the picks' cards alone, still makes a mail with picks of one's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from digest.domain.subscriber import Address, Interests
from digest.mail.inbound.message_parts import parts_of
from tests.servers.website import NOON, stock, website


def test_an_old_edition_is_rendered_anew_for_who_asks(tmp_path: Path) -> None:
    years_on = NOON + timedelta(days=400)
    with website(tmp_path, stock(tmp_path)) as site:
        container, address = site.container, Address("ada@example.org")
        site.reader(address.text, Interests(words=("diffusion", "retrieval")))
        daily = container.adapters.paper_list("daily")
        edition = container.editions.edition(daily, NOON.date(), NOON)
        before = parts_of(container.editions.preview(edition, daily, address, NOON).data)
        container.editions.edition(daily, years_on.date(), years_on)
        assert container.privacy.run_retention(years_on)["cards"] > 0
        assert parts_of(container.editions.preview(edition, daily, address, NOON).data) == before
