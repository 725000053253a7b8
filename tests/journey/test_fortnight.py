"""Two weeks of collects and editions on a travelling clock, against servers that fail as the real ones do.

Every paper arrives once, at the first collect at which any server shows it; every paper is featured once; silence is told on the
mornings it is felt and on no other; and the servers' own log shows that the pace was kept.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.identifier import Identifier
from digest.services.editions.build_edition import edit
from digest.services.papers.collect import CollectReport, collect
from digest.sources.arxiv_oai import ArxivOai
from digest.sources.arxiv_rss import ArxivAnnouncements
from digest.sources.http import HttpPolicy, PoliteGetter
from digest.sources.huggingface import HuggingFace
from digest.store.unit_of_work import Store
from tests.servers.scripted_http import Act, Asked, ScriptedServer, hang_up, reply
from tests.servers.stocked import rendered

MONDAY = datetime(2026, 1, 12, 6, 0, tzinfo=UTC)
"""The week after has a holiday: no announcement on Monday the 19th."""
DAYS = 14
EVERY = timedelta(hours=3)
HOUR = timedelta(hours=1)
PAGE = 3
"""Records a page of OAI-PMH."""
BATCH = 5
HOLIDAY = date(2026, 1, 19)
STALE = (datetime(2026, 1, 15, 1, 0, tzinfo=UTC), datetime(2026, 1, 15, 11, 0, tzinfo=UTC))
"""arXiv shows Wednesday's batch as Thursday's, and OAI-PMH nothing new."""
BUSY = (datetime(2026, 1, 13, 9, 0, tzinfo=UTC), datetime(2026, 1, 13, 14, 0, tzinfo=UTC))
"""arXiv answers 429 and asks to wait until its end."""
DOWN = (datetime(2026, 1, 21, 0, 30, tzinfo=UTC), datetime(2026, 1, 22, 0, 30, tzinfo=UTC))
"""Nobody answers for a day, and the batch of the day is replaced in the feed soon after."""
HALF_WAY = (datetime(2026, 1, 16, 1, 0, tzinfo=UTC), datetime(2026, 1, 16, 4, 0, tzinfo=UTC))
"""OAI-PMH's second page fails, and its token has died when it is asked for again."""
LIST = PaperList(name="daily", title="Trending", picks=20)


def inside(span: tuple[datetime, datetime], now: datetime) -> bool:
    return span[0] <= now < span[1]


@dataclass
class World:
    """The time, what is announced by then, and the servers' log of (instant, path)."""

    now: datetime = MONDAY
    log: list[tuple[datetime, str]] = field(default_factory=list)
    tokens: dict[str, tuple[datetime, int, str]] = field(default_factory=dict)
    monotonic: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds

    def travel(self, to: datetime) -> None:
        self.sleep(max((to - self.now).total_seconds(), 0.0))

    def batches(self) -> list[tuple[datetime, list[str]]]:
        """What arXiv shows by now: (announced, papers), oldest first. Evenings of Sunday to Thursday in New York."""
        shown = []
        for n in range(-3, DAYS + 1):
            announced = MONDAY.replace(hour=1) + n * timedelta(days=1)
            evening = (announced - timedelta(hours=6)).date()
            late = STALE[1] if inside(STALE, announced) else announced
            if evening.weekday() not in (4, 5) and evening != HOLIDAY and late <= self.now:
                shown.append((announced, [f"2601.{100 * (n + 3) + k:05}" for k in range(BATCH)]))
        return shown

    def answer(self, asked: Asked) -> Act:
        path = urlsplit(asked.target).path
        query = {key: values[0] for key, values in parse_qs(urlsplit(asked.target).query).items()}
        self.log.append((self.now, path))
        if inside(DOWN, self.now):
            return hang_up if len(self.log) % 2 else reply("503 Service Unavailable")
        if path == "/api/daily_papers":
            return reply("502 Bad Gateway") if len(self.log) % 29 == 0 else self.hub(date.fromisoformat(query["date"]))
        if inside(BUSY, self.now):
            left = (BUSY[1] - self.now).total_seconds()
            return reply("429 Too Many Requests", Retry_After=f"{left:.0f}")
        return self.rss() if path.startswith("/rss/") else self.oai(query)

    def rss(self) -> Act:
        announced, papers = self.batches()[-1]
        # a stale batch goes out under today's date; on days without announcement the feed is empty
        dated = self.now if inside(STALE, self.now) else announced
        fresh = self.now - announced < timedelta(hours=24) or inside(STALE, self.now)
        items = "".join(
            f"<item><title>Paper {p}</title><link>https://arxiv.org/abs/{p}</link><guid>oai:arXiv.org:{p}v1</guid>"
            f"<description>arXiv:{p}v1 Announce Type: new\nAbstract: About {p}.</description><arxiv:announce_type>new"
            f"</arxiv:announce_type><pubDate>{dated:%a, %d %b %Y} 00:00:00 -0500</pubDate></item>"
            for p in (papers if fresh else [])
        )
        feed = f'<rss xmlns:arxiv="http://arxiv.org/schemas/atom"><channel><title>cs</title>{items}</channel></rss>'
        return reply(body=feed.encode())

    def oai(self, query: dict[str, str]) -> Act:
        start, since = 0, query.get("from", "")
        if token := query.get("resumptionToken"):
            given, start, since = self.tokens.get(token, (MONDAY, 0, ""))
            if not since or self.now - given > 2 * HOUR:
                return reply(body=b'<OAI-PMH><error code="badResumptionToken">dead</error></OAI-PMH>')
            if inside(HALF_WAY, self.now):
                return reply("500 Internal Server Error")
        records = [(announced, p) for announced, papers in self.batches() for p in papers if str(announced.date()) >= since]
        if not records:
            return reply(body=b'<OAI-PMH><error code="noRecordsMatch">none</error></OAI-PMH>')
        told = "".join(
            f"<record><header><identifier>oai:arXiv.org:{p}</identifier></header><metadata><arXiv><id>{p}</id><title>Paper {p}"
            f"</title><created>{announced.date()}</created><abstract>About {p}.</abstract></arXiv></metadata></record>"
            for announced, p in records[start : start + PAGE]
        )
        token = f"t{len(self.tokens)}" if start + PAGE < len(records) else ""
        self.tokens[token] = (self.now, start + PAGE, since)
        page = f"<OAI-PMH><ListRecords>{told}<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"
        return reply(body=page.encode())

    def hub(self, day: date) -> Act:
        """Two papers of each batch, with votes that grow; two more of the last one on the day after the holiday."""
        shown = {announced.date(): (announced, papers[:2]) for announced, papers in self.batches()}
        if (before := shown.get(HOLIDAY)) and self.now.date() > HOLIDAY:
            others = [papers[2:4] for announced, papers in self.batches() if announced.date() == HOLIDAY]
            shown[HOLIDAY + timedelta(days=1)] = (before[0], others[0])
        announced, papers = shown.get(day, (self.now, []))
        votes = int((self.now - announced) / HOUR)
        rows = [{"paper": {"id": p, "title": f"Paper {p}", "upvotes": votes}, "numComments": 0} for p in papers]
        return reply(body=json.dumps(rows).encode())


class EditionRenderer:
    def render(self, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        return rendered([each.ranked.paper for each in draft.pool], len(draft.picks))

    def proof(self, draft: Edition, paper_list: PaperList, mail: Rendered) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Lived:
    """What two weeks left behind."""

    log: list[tuple[datetime, str]]
    collects: dict[datetime, list[CollectReport]]
    available: dict[str, datetime]
    """By paper, the first collect that found it on any server."""
    first_seen: dict[str, datetime]
    editions: list[Edition]


@pytest.fixture(scope="module")
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    import shutil

    from digest.store.engine import open_engine
    from tests.servers.databases import hash_address

    file = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path_factory.mktemp("fortnight") / "digest.sqlite")
    store = Store(open_engine(f"sqlite:///{file}"), hash_address)
    with store.begin() as unit:
        unit.lists.sync([LIST])
    world = World()
    with ScriptedServer(choose=world.answer) as server:
        getter = PoliteGetter(HttpPolicy(retries=2), sleep=world.sleep, clock=lambda: world.monotonic, jitter=lambda: 0.0)
        sources = [
            ArxivAnnouncements("arxiv-rss", server.url, categories=("cs",)),
            ArxivOai("arxiv-oai", server.url),
            HuggingFace("huggingface", server.url, days=3),
        ]
        collects, available, editions = {}, dict[str, datetime](), list[Edition]()
        for turn in range(DAYS * 8):
            world.travel(MONDAY + turn * EVERY)
            at = world.now
            if not inside(DOWN, at):
                shown = [p for _, papers in world.batches() for p in papers]
                available |= {p: at for p in shown if p not in available}
            collects[at] = collect(sources, getter, store, at)
            if at.hour == 9:
                made = edit(LIST, at.date(), store, EditionRenderer(), at + timedelta(minutes=30))
                assert made.edition is not None
                editions.append(made.edition)
        getter.close()
    with store.read() as unit:
        first_seen = {p: paper.first_seen_at for p in available if (paper := unit.papers.find(Identifier("arxiv", p)))}
        assert unit.papers.count() == len(available)
    store.close()
    return Lived(world.log, collects, available, first_seen, editions)


def test_every_paper_arrives_within_one_collect_of_being_shown(lived: Lived) -> None:
    assert len(lived.available) == BATCH * 11
    assert lived.first_seen.keys() == lived.available.keys()
    late = {p: seen - lived.available[p] for p, seen in lived.first_seen.items() if seen > lived.available[p] + EVERY}
    # while arXiv asks to be left alone nothing can be asked of it
    assert late == {}
    assert sum(lived.first_seen[p] == lived.available[p] for p in lived.available) >= BATCH * 10


def test_and_is_featured_once(lived: Lived) -> None:
    featured = Counter(pick.ranked.paper.identifier.value for made in lived.editions for pick in made.picks)
    assert set(featured.values()) == {1}
    morning = lived.editions[-1].frozen_at
    assert featured.keys() == {p for p, seen in lived.first_seen.items() if seen <= morning}


def test_a_late_batch_is_in_the_next_edition(lived: Lived) -> None:
    late = {p for p, seen in lived.first_seen.items() if seen.date() == STALE[1].date()}
    assert len(late) == BATCH
    found = [made.date for made in lived.editions if {pick.ranked.paper.identifier.value for pick in made.picks} & late]
    assert found == [date(2026, 1, 16)]


def test_silence_is_told_when_it_is_felt_and_on_no_weekend_or_holiday(lived: Lived) -> None:
    told = {made.date.day: " ".join(note for note in made.notes if note.startswith("Nothing new")) for made in lived.editions}
    felt = {day for day, note in told.items() if note}
    assert felt == {15, 21}, told
    stale = {at for at, reports in lived.collects.items() for each in reports if each.stale and each.source.startswith("arxiv")}
    assert {at.day for at in stale} <= {15, 21, 22}
    assert any(inside(STALE, at) for at in stale)


def test_faults_are_named_and_cost_nobody_else(lived: Lived) -> None:
    faults = {
        each.error.partition(": ")[2].partition("HTTP ")[2][:3] for rs in lived.collects.values() for each in rs if each.error
    }
    assert {"429", "500", "503"} <= faults
    broken = [at for at, reports in lived.collects.items() if all(each.error for each in reports)]
    assert broken
    assert all(inside(DOWN, at) for at in broken)


def test_the_pace_is_kept_and_a_retry_after_heeded(lived: Lived) -> None:
    arxiv = [at for at, path in lived.log if path.startswith(("/rss/", "/oai"))]
    hub = [at for at, path in lived.log if path.startswith("/api/")]
    assert len(arxiv) > 250
    assert min(later - earlier for earlier, later in pairwise(arxiv)) >= timedelta(seconds=3)
    assert min(later - earlier for earlier, later in pairwise(hub)) >= timedelta(seconds=0.6)
    assert len([at for at in arxiv if inside(BUSY, at)]) == 1


def test_a_token_that_died_starts_the_harvest_again(lived: Lived) -> None:
    (harvest,) = [
        each for at, reports in lived.collects.items() if inside(HALF_WAY, at) for each in reports if each.source == "arxiv-oai"
    ]
    assert harvest.error is not None
    assert "HTTP 500" in harvest.error
