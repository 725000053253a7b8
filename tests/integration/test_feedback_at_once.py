"""▲ and ▼ in a mail change what the reader gets next, at once: through the link's page, the store and the ranking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digest.domain.subscriber import Interests
from digest.links import Purpose
from tests.servers.website import NOON, Website, sightings, stock, website

SUBJECTS = ("protein folding", "speech recognition", "robot grasping")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve papers on three subjects in turn, each by authors of its own."""
    papers = [
        replace(
            shown,
            title=f"{SUBJECTS[n % 3].title()}, part {n}",
            abstract=f"About {SUBJECTS[n % 3]} and nothing else.",
            authors=(f"Ada Writer{n}",),
        )
        for n, shown in enumerate(sightings(12))
    ]
    return stock(tmp_path_factory.mktemp("stocked"), papers)


@pytest.fixture
def site(tmp_path: Path, stocked: Path) -> Iterator[Website]:
    with website(tmp_path, stocked) as running:
        running.reader(interests=Interests(categories=("cs.LG",)))
        yield running


def own_ranking(site: Website) -> list[tuple[str, str]]:
    """(identifier, reasons) of all papers, in the reader's order."""
    subscription = site.subscription()
    assert subscription
    ranked = site.container.papers.ranking(site.container.adapters.paper_list("daily"), NOON, subscription.address)
    return [(str(each.paper.identifier), " · ".join(reason.text for reason in each.reasons)) for each in ranked]


def next_mail(site: Website) -> list[str]:
    """The identifiers in the order a mail composed now would have them."""
    subscription = site.subscription()
    assert subscription
    edition = site.container.editions.edition(site.container.adapters.paper_list("daily"), NOON.date(), NOON)
    mail = site.container.editions.preview(edition, site.container.adapters.paper_list("daily"), subscription.address, NOON)
    text = mail.data.replace(b"=\r\n", b"").decode()
    shown = {
        name: text.index(f"/abs/{name.removeprefix('arxiv:')}")
        for name, _ in own_ranking(site)
        if name.removeprefix("arxiv:") in text
    }
    return sorted(shown, key=lambda name: shown[name])


def react(site: Website, way: str, identifier: str, **form: str) -> None:
    subscription = site.subscription()
    assert subscription
    token = site.token(Purpose.FEEDBACK, subscription)
    assert site.post(f"/{way}/{token}/{identifier}", form).status_code == 200


def test_more_like_this_lifts_its_like(site: Website) -> None:
    before = own_ranking(site)
    last = before[-1][0]
    alike = [name for name, _ in before if (int(name[-2:]) - int(last[-2:])) % 3 == 0 and name != last]
    react(site, "more", last)
    after = own_ranking(site)
    assert {name for name, _ in after[: len(alike)]} == set(alike)
    assert all("which you liked" in said for _, said in after[: len(alike)])
    assert next_mail(site)[: len(alike)] == [name for name, _ in after[: len(alike)]]


def test_less_like_this_sinks_its_like(site: Website) -> None:
    first = own_ranking(site)[0][0]
    react(site, "less", first)
    after = [name for name, _ in own_ranking(site)]
    alike = [name for name in after if (int(name[-2:]) - int(first[-2:])) % 3 == 0]
    assert set(after[-len(alike) :]) == set(alike)
    assert after[-1] == first


def test_a_second_thought_undoes_the_first(site: Website) -> None:
    first = own_ranking(site)[0][0]
    react(site, "less", first)
    react(site, "more", first)
    subscription = site.subscription()
    assert subscription
    assert (subscription.interests.liked, subscription.interests.disliked) == ((first,), ())


@pytest.mark.parametrize(
    "form", [{"mute_author": "Ada Writer3"}, {"mute_words": "protein folding, part 3"}, {"mute_words": "protein"}]
)
def test_what_was_muted_is_gone(site: Website, form: dict[str, str]) -> None:
    assert "arxiv:2605.00004" in dict(own_ranking(site))
    react(site, "less", "arxiv:2605.00004", **form)
    assert "arxiv:2605.00004" not in dict(own_ranking(site))
    assert "arxiv:2605.00004" not in next_mail(site)
    assert "arxiv:2605.00002" in dict(own_ranking(site))
