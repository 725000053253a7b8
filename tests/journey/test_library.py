"""A reader's library, brought in any form and unknown to us: kept with its texts, it chooses, and it goes with its reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.domain.errors import SourceUnreachable
from digest.domain.identifier import Identifier
from digest.domain.library_account import AccountName, openalex_account, orcid_account, zotero_library
from digest.domain.paper import Paper
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.delivery.one_off import of_subscriber
from digest.services.editions.message_composer import one_off
from digest.services.libraries.look_up import look_up
from digest.services.subscriptions.interests import add_interests
from digest.services.subscriptions.subscribe import confirm, erase, request
from digest.sources.port import Batch, Getter
from tests.libraries import NOON, THEMES, WAYS, answers, bibtex, library, window
from tests.library_accounts import reading
from tests.rendering import render_once
from tests.servers.website import Sending, _settings

ADA, BEN = Address("ada@example.org"), Address("ben@example.org")


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Sending]:
    with Sending(_settings(tmp_path / "library.sqlite3", "https://digest.example")) as made:
        render_once(made)
        with made.adapters.store.begin() as unit:
            unit.papers.merge(window())
        for address in (ADA, BEN):
            step = request(made.adapters.store, address, "daily", Preferences(), Interests(), NOON - timedelta(days=1))
            confirm(made.adapters.store, step.subscription.id, "test", "link confirmed", NOON - timedelta(days=1))
        yield made


@dataclass
class Known:
    """A source that can be asked by name."""

    name: str = "arxiv"
    schemes: tuple[str, ...] = ("arxiv", "doi")
    asked: list[int] = field(default_factory=list)
    down: bool = False

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: datetime) -> Iterator[Batch]:
        self.asked.append(len(identifiers))
        if self.down:
            raise SourceUnreachable("arxiv", "no answer")
        yield Batch(tuple(answers(library(), identifiers)))


def bring(container: Sending, address: Address, text: str, folder: Path) -> list[str]:
    """Files are brought as people do: named as it happens. Returns what was not understood."""
    file = folder / "my papers.txt"
    file.write_text(text, "utf-8")
    understood, kept = add_interests(container.adapters.store, address, [file], "", "", False, NOON)
    assert len(kept.works) == 40
    return [*understood.rejected, *(each.reason for each in kept.rejected)]


def looked_up(container: Sending, source: Known, at: datetime = NOON, a_day: int = 1000) -> int:
    return look_up([source], None, container.adapters.store, at, a_day).found  # type: ignore[arg-type]  # the source asks no getter


def first_ten(container: Sending, address: Address) -> list[tuple[Paper, str]]:
    """What is in the mail, with the first reason of each."""
    daily = container.adapters.paper_list("daily")
    edition = container.editions.edition(daily, NOON.date(), NOON)
    claimed = of_subscriber(one_off(address, edition, NOON), container.subscriptions.subscription(address, daily))
    with container.adapters.store.read() as unit:
        pool = unit.editions.pool(edition.id)
    if not claimed.personal:
        return [(each.ranked.paper, each.ranked.reasons[0].text) for each in edition.picks]
    return [
        (pool[position].ranked.paper, (reasons or ())[0].text)
        for position, reasons in container.adapters.personaliser.alone(claimed)
    ]


def share(picks: Sequence[tuple[Paper, str]]) -> float:
    on_theme = [any(word in paper.title.lower() for word in THEMES["glaciers"].split()) for paper, _ in picks]
    return sum(on_theme) / len(picks)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_chooses_the_theme_beside_a_reader_without_one(container: Sending, way: str, tmp_path: Path) -> None:
    assert bring(container, ADA, WAYS[way](library()), tmp_path) == []
    looked_up(container, Known())
    mine, theirs = first_ten(container, ADA), first_ten(container, BEN)
    assert share(mine) >= 0.6 > 0.3 >= share(theirs)
    with container.adapters.store.read() as unit:
        works = unit.libraries.named(
            container.subscriptions.subscription(ADA, container.adapters.paper_list("daily")).interests.liked
        )
    told = {work.title[:30] for work in works.values()}
    named = [reason for _, reason in mine if reason.startswith("like “")]
    assert len(named) >= 6, "a reason names the reader's own paper"
    shown = {reason.split("“")[1].split("”")[0].rstrip("…")[:30] for reason in named}
    assert all(any(title.startswith(each[: len(title)]) for title in told) for each in shown)
    assert not any("outside your interests" in reason for _, reason in mine)


@pytest.mark.parametrize(
    "name",
    [zotero_library(""), orcid_account("0000-0002-1825-0097"), openalex_account("A5023888391")],
    ids=lambda name: name.kind,
)
def test_each_library_kept_elsewhere_chooses_the_theme_beside_a_reader_without_one(tmp_path: Path, name: AccountName) -> None:
    with reading(tmp_path / "elsewhere.sqlite3") as ada:
        store = ada.container.adapters.store
        render_once(ada.container)
        with store.begin() as unit:
            unit.papers.merge(window())
        step = request(store, BEN, "daily", Preferences(), Interests(), NOON - timedelta(days=1))
        confirm(store, step.subscription.id, "test", "link confirmed", NOON - timedelta(days=1))
        ada.there.works = library()
        ada.there.zotero.put_works(library())
        ada.connect(name)
        ada.sync()
        looked_up(ada.container, Known())
        assert (ada.account.papers, ada.account.without_abstract, ada.account.not_understood) == (40, 0, 0)
        mine, theirs = first_ten(ada.container, ADA), first_ten(ada.container, BEN)
        print(f"\n{name.kind}: {share(mine):.1f} of the first ten on the theme, {share(theirs):.1f} without a library")
        assert share(mine) >= 0.6 > 0.3 >= share(theirs)
        assert sum(reason.startswith("like “") for _, reason in mine) >= 6


def test_a_paper_of_the_library_is_no_candidate_and_one_work_is_one_row(container: Sending, tmp_path: Path) -> None:
    for address in (ADA, BEN):
        bring(container, address, bibtex(library()), tmp_path)
        bring(container, address, WAYS["ris"](library()), tmp_path)
    with container.adapters.store.read() as unit:
        assert unit.papers.count() == len(window())
        ids = [container.subscriptions.subscription(a, container.adapters.paper_list("daily")).id for a in (ADA, BEN)]
        held = unit.libraries.held(ids)
    assert held[ids[0]] == held[ids[1]]
    assert len(held[ids[0]]) == 40


def test_what_a_source_shows_later_meets_the_work_and_comes_last(container: Sending, tmp_path: Path) -> None:
    bring(container, ADA, bibtex(library()), tmp_path)
    shown = [each.title for each in library()[:20]]
    with container.adapters.store.begin() as unit:
        unit.papers.merge([*library()[:20]])
    assert not {paper.title for paper, _ in first_ten(container, ADA)} & set(shown)


def test_look_ups_have_one_budget_a_day_and_bear_silence(container: Sending, tmp_path: Path) -> None:
    bring(container, ADA, WAYS["arxiv_ids"](library()), tmp_path)
    bring(container, BEN, WAYS["arxiv_ids"](library()), tmp_path)
    silent, source = Known(down=True), Known()
    assert looked_up(container, silent, a_day=30) == 0
    assert looked_up(container, source, NOON + timedelta(minutes=1), a_day=30) == 0, "not asked again within the hour …"
    assert (silent.asked, source.asked) == ([30], [])
    tomorrow = NOON + timedelta(days=1)
    assert looked_up(container, source, tomorrow, a_day=30) == 30, "… nor beyond the budget"
    assert looked_up(container, source, tomorrow, a_day=30) == 0
    assert looked_up(container, source, tomorrow + timedelta(days=1), a_day=30) == 10
    assert source.asked == [30, 10]


def test_what_nobody_knows_is_asked_for_ever_less(container: Sending, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("2401.99999 and 2401.99998")
    add_interests(container.adapters.store, ADA, [tmp_path / "x"], "", "", False, NOON)
    source, at = Known(), NOON
    for _ in range(100):
        looked_up(container, source, at)
        at += timedelta(days=1)
    assert source.asked == [2, 2, 2, 2]


def test_erased_with_its_reader_and_kept_for_the_other(container: Sending, tmp_path: Path) -> None:
    database = tmp_path / "library.sqlite3"
    bring(container, ADA, bibtex(library()), tmp_path)
    (tmp_path / "two").write_text(bibtex(library()[:2]))
    add_interests(container.adapters.store, BEN, [tmp_path / "two"], "", "", False, NOON)
    held = container.privacy.export_personal_data(ADA, NOON)
    assert [each["title"] for each in held["subscriptions"][0]["library"]] == [each.title for each in library()]
    erase(container.adapters.store, ADA, NOON)
    container.adapters.store.close()
    left = database.read_bytes() + b"".join(each.read_bytes() for each in tmp_path.glob("library.sqlite3-*"))
    assert [each.title.encode() in left for each in library()] == [True, True] + [False] * 38
    assert not any(str(each.identifiers[0].value).encode() in left for each in library()[2:])


def test_each_way_reports_what_it_kept_and_what_it_did_not_understand(container: Sending, tmp_path: Path) -> None:
    (tmp_path / "a.ris").write_text("TY  - JOUR\nTI  - Ice in motion on land\nER  - \nTY  - JOUR\nAU  - Nobody\nER  - \n")
    (tmp_path / "b.csv").write_text("Key,Title,Author\nA,Snow on the roof,\nB,,Nobody\n")
    (tmp_path / "c.txt").write_text("Melting of the northern ice\n???\n")
    files = [tmp_path / name for name in ("a.ris", "b.csv", "c.txt")]
    _, kept = add_interests(container.adapters.store, ADA, files, "", "", False, NOON)
    assert [title for _, title in kept.works] == ["Ice in motion on land", "Snow on the roof", "Melting of the northern ice"]
    assert len(kept.without_abstract) == 3
    assert [(each.where, each.reason.split(":")[0]) for each in kept.rejected] == [
        ("a.ris: line 4", "title"),
        ("b.csv: line 3", "title"),
        ("c.txt: line 2", "'???'"),
    ]
