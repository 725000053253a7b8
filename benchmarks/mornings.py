"""What mails say of their papers: 20 mornings of a recorded history, as five kinds of readers got them, in a table.

    python benchmarks/mornings.py TABLE [FOLDER]       writes TABLE (CSV): every subject and every card's reasons
    python benchmarks/mornings.py draw TABLE SEED SHEET ...   draws a sheet of TABLE by SEED; a copy for each reader who marks it
    python benchmarks/mornings.py join COPY COPY SHEET  writes two marked copies as one SHEET
    python benchmarks/mornings.py marks SHEET ...      prints a JSON line a marked sheet: useful by each, both, agreement, kappa

The mornings go through the program's own doors: papers and readings are imported, editions made, and mail delivered to readers
who are subscribed from the first morning on, with a relay that takes all. FOLDER is ../shared/data. A sheet has every subject
once, and cards of all kinds of reason, the rare kinds whole. Each reader marks a copy, 1 or 0: useful, and against its pick.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backtest import END, as_json_lines
from lxml import html
from sentences import agreement

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Address, Consent, Interests, NewReader, Preferences
from digest.services.papers.import_files import load
from tests.transport import FakeTransport, OfflineContainer

ROOT = Path(__file__).resolve().parents[1]
LIST = "daily"
FIRST, MORNINGS = date(2026, 4, 28), 20
HOUR = time(8)
"""When the mails go out: an hour after Hugging Face's new papers were first read."""
KNOWN_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""From when on the history is imported: whom its authors are, and what readers like, is told by what came before."""
LIBRARY_OF = "SteveZeyuZhang"
"""Whose submissions before the first morning are a reader's library (../shared/data/profiles)."""
CARDS_DRAWN = 200
COLUMNS = ("date", "subscriber", "where", "title", "text")
READERS = ("first", "second")
MARKS = ("useful", "against")


@dataclass(frozen=True, slots=True)
class Row:
    """`where` is "subject" or the card's place; `text` the subject, or the card's reasons as it shows them."""

    date: str
    reader: str
    where: str
    title: str
    text: str


def readers(folder: Path) -> dict[str, tuple[Preferences, Interests]]:
    """By what they are called in the table, which is what they asked for."""
    daily = Preferences(hour=HOUR, weekdays=frozenset(range(5)))
    words = ("diffusion language models", "test-time scaling", "robot manipulation")
    authors = ("ziwei liu", "ji-rong wen", "ranjay krishna", "furu wei")
    with gzip.open(folder / "profiles/hf_submitters.jsonl.gz", "rt", encoding="utf-8") as lines:
        submitted = next(row["papers"] for row in map(json.loads, lines) if row["user"] == LIBRARY_OF)
    held = [name for name, at in submitted if KNOWN_SINCE.isoformat() < at < FIRST.isoformat()]
    return {
        "no interests": (daily, Interests()),
        f"words: {', '.join(words)}": (daily, Interests(words=words)),
        f"follows {', '.join(name.title() for name in authors)}": (daily, Interests(authors=authors)),
        f"a library of {len(held)} papers on 3D scenes and motion": (
            daily,
            Interests(liked=tuple(f"arxiv:{name}" for name in held)),
        ),
        "no interests, once a week": (
            Preferences(hour=HOUR, weekdays=frozenset({0}), frequency=Frequency.WEEKLY),
            Interests(),
        ),
    }


def table(folder: Path) -> list[Row]:
    """All that was said, morning by morning."""
    begins = datetime.combine(FIRST, time(), UTC)
    now = [begins]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        settings = Settings.model_construct(
            database=Database(url=f"sqlite:///{scratch / 'digest.sqlite3'}"),
            secrets=Secrets(key_file=scratch / "digest.key"),
            mail=Mail(from_address="digest@example.org", postal_address="1 Example Street"),
            relays=(Relay(host="127.0.0.1"),),
            delivery=Delivery(journal=scratch / "journal"),
            lists=(ListSettings(name=LIST, title="Trending papers"),),
            sources=(),
        )
        transport = FakeTransport(lambda: now[0])
        with OfflineContainer(settings, transport) as container:
            store = container.adapters.store
            paths = [
                *as_json_lines(folder / "hf_history", scratch, since=KNOWN_SINCE),
                _categories(folder, scratch),
                _pages(folder, scratch),
            ]
            load(paths, store, None, END)
            people = {f"reader{n}@example.org": (kind, *asked) for n, (kind, asked) in enumerate(readers(folder).items())}
            consent = Consent(begins, "csv import", "v1", "recorded by operator")
            with store.begin() as unit:
                added = [NewReader(Address(address), LIST, *asked) for address, (_, *asked) in people.items()]
                unit.subscribers.add_confirmed(added, consent, begins)
            rows: list[Row] = []
            for day in _weekdays():
                now[0] = datetime.combine(day, HOUR, UTC) + timedelta(minutes=5)
                container.scheduler.tick(now[0])
                container.delivery.deliver(lambda: now[0])
                for _, envelope in sorted(transport.accepted, key=lambda each: each[1].recipient):
                    rows += said(f"{day}", people[envelope.recipient][0], envelope.data)
                transport.accepted.clear()
            return rows


def said(day: str, reader: str, data: bytes) -> Iterator[Row]:
    """Of one mail as its reader got it."""
    message = message_from_bytes(data, policy=policy.default)
    part = message.get_body(("html",))
    page = html.document_fromstring(part.get_content() if part else "")
    cards = page.find_class("card")
    titles = [" ".join(card.find(".//h2").text_content().split()) for card in cards]
    yield Row(day, reader, "subject", titles[0] if titles else "", str(message["Subject"]))
    for number, (card, title) in enumerate(zip(cards, titles, strict=True), 1):
        reasons = " ".join(each.text_content() for each in card.find_class("reason"))
        yield Row(day, reader, f"{number}", title, reasons.strip(" ·"))


def _weekdays() -> Iterator[date]:
    days = (FIRST + timedelta(days=n) for n in range(2 * MORNINGS))
    return islice((day for day in days if day.weekday() < 5), MORNINGS)


def _categories(folder: Path, into: Path) -> Path:
    """What arXiv says of the history's papers: their categories."""
    out = into / "categories.jsonl"
    with (
        gzip.open(folder / "hf_history/papers.jsonl.gz", "rt", encoding="utf-8") as lines,
        gzip.open(folder / "corpus/arxiv_papers.jsonl.gz", "rt", encoding="utf-8") as known,
        out.open("w", encoding="utf-8") as file,
    ):
        seen = {row["paper_id"]: row["first_seen_at"] for row in map(json.loads, lines) if row["first_seen_at"] >= "2026-01-01"}
        for row in map(json.loads, known):
            if row["id"] in seen:
                kept = {key: row.get(key) for key in ("title", "abstract", "authors", "categories")}
                file.write(json.dumps({"id": f"arxiv:{row['id']}", "seen_at": seen[row["id"]], **kept}) + "\n")
    return out


def _pages(folder: Path, into: Path) -> Path:
    """The recorded pages of the mornings and the week before: abstracts, and Hugging Face's own summaries."""
    (into / "pages").mkdir()
    with tarfile.open(folder / "hf_history/raw_api_daily_papers.tar.xz") as archive:
        for member in archive:
            name = Path(member.name).name
            if f"{FIRST - timedelta(days=7)}" <= name[:10] and (page := archive.extractfile(member)):
                (into / "pages" / name).write_bytes(page.read())
    return into / "pages"


def drawn(rows: list[Row], seed: int) -> list[Row]:
    """Every subject once, and cards: of each kind of reason one after the other until there are CARDS_DRAWN."""
    subjects = {row.text: row for row in reversed(rows) if row.where == "subject"}
    kinds: dict[str, dict[tuple[str, str], Row]] = defaultdict(dict)
    for row in rows:
        if row.where != "subject" and row.text:  # a card that gives no reason claims nothing
            kinds[kind(row.text)][row.title, row.text] = row
    chance = random.Random(seed)
    waiting = [chance.sample(list(kinds[each].values()), len(kinds[each])) for each in sorted(kinds)]
    cards: list[Row] = []
    while len(cards) < CARDS_DRAWN and any(waiting):
        cards += [some.pop() for some in waiting if some]
    return [*subjects.values(), *chance.sample(cards[:CARDS_DRAWN], min(len(cards), CARDS_DRAWN))]


def kind(reasons: str) -> str:
    """What two cards' reasons share: figures, names and titles left out."""
    for pattern, instead in (
        (r"also: .*", "also"),
        (r"“[^”]*”", "“…”"),
        (r"matches: [^·]*", "matches "),
        (r"by [^·]*, whom", "by …, whom"),
        (r"[\d,]+", "9"),
    ):
        reasons = re.sub(pattern, instead, reasons)
    return reasons


def write(file: Path, rows: list[Row], more: tuple[str, ...] = ()) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*COLUMNS, *more])
        writer.writerows([row.date, row.reader, row.where, row.title, row.text, *("" for _ in more)] for row in rows)


def read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [Row(*(row[column] for column in COLUMNS)) for row in csv.DictReader(lines)]


def join(first: Path, second: Path, sheet: Path) -> None:
    """One sheet of two marked copies of the same rows."""
    if read(first) != read(second):
        sys.exit(f"mornings: {first} and {second} are not copies of one sheet")
    with first.open(encoding="utf-8", newline="") as one, second.open(encoding="utf-8", newline="") as other:
        pairs = list(zip(csv.DictReader(one), csv.DictReader(other), strict=True))
    with sheet.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*COLUMNS, *(f"{reader}_{mark}" for reader in READERS for mark in MARKS)])
        for marked in pairs:
            writer.writerow([*(marked[0][column] for column in COLUMNS), *(row[mark] for row in marked for mark in MARKS)])


def main(words: list[str]) -> None:
    if words[:1] == ["marks"]:
        for name in words[1:]:
            for mark in MARKS:
                figures = agreement(Path(name), [f"{reader}_{mark}" for reader in READERS])
                print(json.dumps({"sheet": Path(name).name, "mark": mark, **figures}))
    elif words[:1] == ["join"]:
        join(Path(words[1]), Path(words[2]), Path(words[3]))
    elif words[:1] == ["draw"]:
        for name in words[3:]:
            write(Path(name), drawn(read(Path(words[1])), int(words[2])), MARKS)
    else:
        write(Path(words[0]), table(Path(words[1]) if words[1:] else ROOT.parent / "shared/data"))


if __name__ == "__main__":
    main(sys.argv[1:])
