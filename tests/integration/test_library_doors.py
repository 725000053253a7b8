"""Libraries by way of the pages and commands: a preview for strangers, send --to, and explain."""

from __future__ import annotations

from pathlib import Path

from digest.domain.subscriber import Address, Interests
from tests.servers.website import NOON, Website, website


def test_a_stranger_sees_what_todays_mail_would_have_been(stocked: Path, tmp_path: Path) -> None:
    with website(tmp_path, stocked) as site:
        shown = site.request("POST", "/subscribe/preview", data={"interests": "diffusion"})
        assert shown.status_code == 200
        assert "Today’s email would have been" in shown.text
        assert shown.text.index("matches: diffusion") < shown.text.index(
            "is not all you need", shown.text.index("matches: diffusion")
        )
        assert "outside your interests" not in shown.text
        nothing = site.request("POST", "/subscribe/preview", data={"interests": ""})
        assert (nothing.status_code, "Say what you care about first." in nothing.text) == (400, True)
        assert site.request("POST", "/subscribe/preview", data={"interests": "x" * 400}).status_code == 400
        asked = [site.request("POST", "/subscribe/preview", data={"interests": "diffusion"}).status_code for _ in range(31)]
        assert asked[-1] == 429


def test_send_to_a_subscriber_uses_their_interests_and_explain_shows_the_parts(stocked: Path, tmp_path: Path) -> None:
    with website(tmp_path, stocked) as site:
        container, daily = site.container, site.container.adapters.paper_list("daily")
        _reader(site, "ada@example.org", Interests(words=("retrieval",)))
        edition = container.editions.edition(daily, NOON.date(), NOON)
        mine = container.editions.preview(edition, daily, Address("ada@example.org"), NOON)
        sent = container.delivery.send(
            daily, NOON.date(), [Address("ada@example.org"), Address("ben@example.org")], NOON, dry_run=True
        )
        sizes = [int(each.reply.split()[0]) for each in sent]
        assert abs(sizes[0] - mine.size) < 200, "the mail they would get as a subscriber"
        [mine_too] = container.subscriptions.of(Address("ada@example.org"))
        best, parts = container.editions.weighed(edition, mine_too.interests)[0]
        assert "retrieval" in best.paper.title.lower()
        assert parts["words"] > 0 < parts["trend"]


def _reader(site: Website, address: str, interests: Interests) -> None:
    site.reader(address, interests)
