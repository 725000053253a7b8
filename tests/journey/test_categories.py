"""Papers without categories get them from arXiv, so that a list of one category is full; an empty list says why it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from digest.domain.edition import PaperList
from digest.domain.errors import SourceUnreachable
from digest.services.editions.build_edition import drafted
from digest.services.papers.fill_categories import fill_categories
from digest.sources.arxiv_atom import ArxivApi
from digest.sources.port import ARXIV_PACE, Answer, Pace
from digest.store.unit_of_work import Store
from tests.libraries import NOON, window
from tests.servers.website import Sending, _settings

LANGUAGE = PaperList(name="language", title="Language", categories=frozenset({"cs.CL"}))


@dataclass
class LocalArxiv:
    """Answers the API's id_list as arXiv does: what it does not know is left out without a word."""

    lacks: frozenset[str] = frozenset()
    down: bool = False
    asked: list[list[str]] = field(default_factory=list)

    def get(self, source: str, url: str, *, params: Mapping[str, str], pace: Pace, **_: object) -> Answer:
        assert (url, pace) == ("http://arxiv.test/api/query", ARXIV_PACE)
        self.asked.append(params["id_list"].split(","))
        if self.down:
            raise SourceUnreachable(source, "no answer")
        entries = "".join(self._entry(each) for each in self.asked[-1] if each not in self.lacks)
        feed = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">{entries}</feed>'
        return Answer(url, feed.encode())

    @staticmethod
    def _entry(identifier: str) -> str:
        category = "cs.CL" if int(identifier[-1]) % 2 else "cs.RO"
        return (
            f"<entry><id>http://arxiv.org/abs/{identifier}v1</id><title>{escape(f'Paper {identifier} on its own')}</title>"
            f"<summary>Words.</summary><author><name>Ann Lee</name></author>"
            f'<arxiv:primary_category term="{category}"/><category term="{category}"/></entry>'
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Sending(_settings(tmp_path / "c.sqlite3", "https://digest.example")) as made:
        with made.adapters.store.begin() as unit:
            unit.papers.merge(window(230))
        yield made.adapters.store


def fill(store: Store, arxiv: LocalArxiv, minutes: int = 0) -> tuple[int, str | None]:
    return fill_categories(ArxivApi("arxiv", "http://arxiv.test"), arxiv, store, NOON + timedelta(minutes=minutes))  # type: ignore[arg-type]


def test_a_list_of_one_category_is_full_once_arxiv_was_asked(store: Store) -> None:
    empty = drafted(LANGUAGE, NOON.date(), store, NOON)
    assert empty.notes[0] == (
        "230 papers were seen in the 7 days before 27 May 2026, none of them in cs.CL;"
        " the categories of 230 of them are not known"
    )
    arxiv = LocalArxiv()
    assert fill(store, arxiv) == (230, None)
    assert [len(some) for some in arxiv.asked] == [100, 100, 30]
    edition = drafted(LANGUAGE, NOON.date(), store, NOON)
    assert len(edition.picks) == 10
    assert all(pick.ranked.paper.categories == ("cs.CL",) for pick in edition.picks)
    assert fill(store, arxiv, 1) == (0, None)
    assert len(arxiv.asked) == 3, "nothing is asked twice"


def test_what_arxiv_does_not_know_is_not_asked_again_the_same_day(store: Store) -> None:
    arxiv = LocalArxiv(lacks=frozenset({"2605.00001", "2605.00002"}))
    assert fill(store, arxiv) == (228, None)
    fill(store, arxiv, 60)
    assert len(arxiv.asked) == 3
    fill(store, arxiv, 24 * 60)
    assert sorted(arxiv.asked[3]) == ["2605.00001", "2605.00002"]


def test_an_arxiv_that_is_down_is_left_alone_for_an_hour(store: Store) -> None:
    arxiv = LocalArxiv(down=True)
    assert fill(store, arxiv) == (0, "source arxiv: no answer")
    fill(store, arxiv, 30)
    assert len(arxiv.asked) == 1
    arxiv.down = False
    assert fill(store, arxiv, 61)[0] == 230


@pytest.mark.parametrize(
    ("paper_list", "why"),
    [
        (replace(LANGUAGE, categories=frozenset({"math"})), "none of them in math"),
        (replace(LANGUAGE, categories=frozenset(), sources=frozenset({"crossref"})), "none of them by crossref"),
    ],
)
def test_an_empty_list_says_the_true_reason(store: Store, paper_list: PaperList, why: str) -> None:
    fill(store, LocalArxiv())
    assert drafted(paper_list, NOON.date(), store, NOON).notes[0].endswith(why)
