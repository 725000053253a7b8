"""How fresh a mail is: readers in 24 time zones, by hours since their edition's cutoff; ./run bench freshness [FOLDER]

FOLDER holds hf_history's papers.jsonl.gz and observations.csv.gz. For ten days the bell rings hourly; a reader in each zone
is mailed at 07:00. Each mail is compared with the plain ranking at the minute that it was due, less what that reader was sent:
NDCG@10, with the plain ranking's own score (the votes expected next) as the gain. Beside it, what the choice for variety and new
papers costs by itself: the same selection made from the plain ranking of that minute.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from math import log2
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backtest import as_json_lines

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.domain.delivery import Claimed, Envelope
from digest.domain.edition import Card, Edition, PaperList, Pooled, Rendered
from digest.domain.paper import Ranked
from digest.domain.subscriber import Address, Consent, NewReader, Preferences
from digest.ranking.selection import select_unsent
from digest.services.papers.import_files import load
from tests.transport import FakeTransport, OfflineContainer

DATA = Path(__file__).resolve().parents[2] / "shared/data/hf_history"
START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = [f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT" for offset in range(-11, 13)]
TEN = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=DATA)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--before", type=int, default=8, help="days that readers are mailed before anything is measured")
    parser.add_argument("--every", type=int, default=1, help="hours between cutoffs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return measure(given.folder, Path(folder), given.days, given.every, timedelta(days=given.before))


def measure(data: Path, folder: Path, days: int, every: int, before: timedelta) -> int:
    at, end = START - before, START + timedelta(days=days)
    with history_site(data, folder, at - timedelta(days=10), end, cutoff_every_hours=every) as container:
        consent = Consent(at, "command line", "v1", "recorded by operator")
        with container.adapters.store.begin() as unit:
            readers = [
                NewReader(Address(f"r{n}@example.org"), "daily", Preferences(timezone=z, hour=time(7)))
                for n, z in enumerate(ZONES)
            ]
            unit.subscribers.add_confirmed(readers, consent, at)
        paper_list = container.adapters.paper_list("daily")
        sent: dict[str, set[int]] = defaultdict(set)
        by_hour: dict[int, list[tuple[float, float]]] = defaultdict(list)
        while at < end:
            at += HOUR
            container.scheduler.tick(at)
            container.transport.accepted.clear()
            container.transport.clock = lambda at=at: at  # type: ignore[misc]
            container.delivery.deliver(container.transport.clock)
            if not container.transport.accepted:
                continue
            with container.adapters.store.read() as unit:
                candidates = unit.papers.candidates(at, at - paper_list.candidates_for, paper_list)
            ranking = [each for each in container.adapters.ranker(candidates, at) if not each.paper.withdrawn]
            for envelope in container.transport.envelopes:
                shown, cutoff = papers_of(container, envelope.delivery_id)
                had = sent[envelope.recipient]
                if at > START:
                    plain = [each for each in ranking if each.paper.id not in had]
                    fresh = _selected(ranking, had)
                    by_hour[int((at - cutoff) / HOUR)].append((ndcg(shown, plain), ndcg(fresh, plain)))
                had.update(shown)
    return report(by_hour)


@contextmanager
def history_site(
    data: Path, folder: Path, since: datetime, until: datetime, *lists: ListSettings, **of_daily: object
) -> Iterator[OfflineContainer]:
    """An installation that knows the papers first seen, and the readings taken, in [since, until); it sends to nobody."""
    settings = Settings.model_construct(
        database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=folder / "digest.key"),
        mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
        relays=(Relay(host="127.0.0.1"),),
        delivery=Delivery(journal=folder / "journal"),
        lists=(ListSettings(name="daily", title="Trending papers", **of_daily), *lists),  # type: ignore[arg-type]
        sources=(),
    )
    with OfflineContainer(settings, FakeTransport(lambda: until)) as container:
        container.adapters.edition_renderer = Unprinted()  # type: ignore[assignment]
        container.editions.compose = _blank  # type: ignore[method-assign]
        load(as_json_lines(data, folder, since, until), container.adapters.store, None, until)
        yield container


class Unprinted:
    """What is chosen is measured, not how it looks: no edition is rendered, and no mail composed of it."""

    def render(self, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        cards = tuple(Card(each.ranked.paper.id, "", "") for each in draft.pool)
        return Rendered(subject="", html="", text="", cards=cards, nonce="")

    def proof(self, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        return ()


def _blank(claimed: Claimed, choices: object) -> Envelope:
    return Envelope(claimed.id, "", str(claimed.address), ())


def papers_of(container: OfflineContainer, delivery_id: int) -> tuple[list[int], datetime]:
    """(the papers that a mail shows, by their ids; the cutoff of its edition)."""
    with container.adapters.store.read() as unit:
        delivery = unit.deliveries.known([delivery_id])[delivery_id]
        edition = unit.editions.get(delivery.edition_id)
        at = {position: paper for paper, position in unit.editions.pool_ids(delivery.edition_id).items()}
        assert edition is not None
        own = [pick.ranked.paper.id for pick in edition.picks]
        return own if delivery.picks is None else [at[position] for position in delivery.picks], edition.cutoff


def _selected(ranking: list[Ranked], had: set[int]) -> list[int]:
    pool = [Pooled(position, each) for position, each in enumerate(ranking[:300])]
    before = frozenset(each.position for each in pool if each.ranked.paper.id in had)
    return [pool[position].ranked.paper.id for position in select_unsent(pool, TEN, before)]


def ndcg(shown: list[int], plain: list[Ranked]) -> float:
    gains = {each.paper.id: max(each.score, 0.0) for each in plain}
    ideal = sum(gain / log2(place + 2) for place, gain in enumerate(sorted(gains.values(), reverse=True)[:TEN]))
    return sum(gains.get(paper, 0.0) / log2(place + 2) for place, paper in enumerate(shown[:TEN])) / ideal


def report(by_hour: dict[int, list[tuple[float, float]]]) -> int:
    print("hours since the cutoff   mails   mail   selection alone")
    means = {}
    for hour, found in sorted(by_hour.items()):
        mail, fresh = (sum(column) / len(found) for column in zip(*found, strict=True))
        means[hour] = mail
        print(f"{hour:>22}   {len(found):>5}   {mail:.3f}  {fresh:.3f}")
    everything = [pair for found in by_hour.values() for pair in found]
    whole, alone = (sum(column) / len(everything) for column in zip(*everything, strict=True))
    blocks = [[pair[0] for hour in range(first, first + 4) for pair in by_hour.get(hour, ())] for first in sorted(by_hour)]
    fours = [sum(block) / len(block) for block in blocks if block]
    print(f"{'all':>22}   {len(everything):>5}   {whole:.3f}  {alone:.3f}")
    print(f"worst four hours {min(fours):.3f}, best {max(fours):.3f}: {min(fours) / max(fours):.3f} (at least 0.9)")
    met = whole >= 0.80 and min(fours) >= 0.9 * max(fours)
    print("met" if met else "not met: at least 0.80 in all")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
