"""A list made of lists: one mail, a section each, and a paper once, also where it is in both or was sent by one of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.config.read import load
from digest.domain.errors import ConfigurationError
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.subscriber import Address, Consent, NewReader, Preferences
from digest.mail.inbound.message_parts import parts_of
from tests.transport import FakeTransport, OfflineContainer

SEEN, CUTOFF = datetime(2026, 3, 2, 2, tzinfo=UTC), datetime(2026, 3, 2, 5, tzinfo=UTC)
DUE = datetime(2026, 3, 2, 7, tzinfo=UTC)


def _paper(number: int, *categories: str) -> Sighting:
    return Sighting(
        source="huggingface",
        identifiers=(Identifier("arxiv", f"2603.{10000 + number}"),),
        title=f"Paper {number} {'abcdefghij'[number % 10] * 5} {'klmnopqrst'[number // 2 % 10] * 6}",
        abstract=f"We study {'uvwxyzabcd'[number % 10] * 7}. It works.",
        categories=categories,
        seen_at=SEEN,
        signals=(Signal("upvotes", float(100 - number), SEEN, "huggingface"),),
    )


def test_one_mail_has_a_section_for_each_list_and_a_paper_once(tmp_path: Path) -> None:
    settings = Settings.model_construct(
        database=Database(url=f"sqlite:///{tmp_path / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=tmp_path / "digest.key"),
        mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
        relays=(Relay(host="127.0.0.1"),),
        delivery=Delivery(journal=tmp_path / "journal"),
        lists=(
            ListSettings(name="both", title="Both", picks=4, includes=("cs-cl", "robotics")),
            ListSettings(name="cs-cl", title="Language", categories=("cs.CL",), picks=2),
            ListSettings(name="robotics", title="Robots & more", categories=("cs.RO",), picks=2),
        ),
        sources=(),
    )
    transport = FakeTransport(lambda: DUE)
    with OfflineContainer(settings, transport) as container:
        with container.adapters.store.begin() as unit:
            papers = [_paper(n, "cs.CL") for n in range(5)] + [_paper(n, "cs.RO") for n in range(5, 9)]
            unit.papers.merge([*papers, _paper(9, "cs.CL", "cs.RO"), _paper(10, "q-bio.NC")])
            consent = Consent(SEEN, "command line", "v1", "recorded by operator")
            readers = [("one@example.org", "both"), ("two@example.org", "both"), ("two@example.org", "cs-cl")]
            interests = Preferences(hour=time(7))
            unit.subscribers.add_confirmed([NewReader(Address(email), name, interests) for email, name in readers], consent, SEEN)
        for at in (CUTOFF, DUE):
            ticked = container.scheduler.tick(at)
            assert not [*ticked.failed, *ticked.skipped, *ticked.cohorts_failed]
        container.delivery.deliver(lambda: DUE)
    texts = [(each.recipient, parts_of(each.data)) for each in transport.envelopes]
    both = next(parts for email, parts in texts if email == "one@example.org")
    assert re.findall(r"^(?:Language|Robots & more)$|^ *\d+\. Paper \d+", both[1], re.MULTILINE) == [
        "Language", " 1. Paper 0", " 2. Paper 1", "Robots & more", " 3. Paper 5", " 4. Paper 6",
    ]  # fmt: skip
    assert both[0].count("Robots &amp; more") == 1
    two = [re.findall(r"^ *\d+\. (Paper \d+)", parts[1], re.MULTILINE) for email, parts in texts if email == "two@example.org"]
    assert sorted(map(len, two)) == [2, 4]
    assert len({paper for mail in two for paper in mail}) == 6, "two mails of two lists, no paper in both"


@pytest.mark.parametrize("includes", ['["nowhere"]', '["both"]'])
def test_a_list_is_made_of_lists_that_are_there_and_are_not_made_of_others(tmp_path: Path, includes: str) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(f'[[lists]]\nname = "both"\ntitle = "Both"\nincludes = {includes}\n', "utf-8")
    with pytest.raises(ConfigurationError, match="both includes"):
        load(file, {})
