"""A list of thirty papers whose authors could not stop: the mail stays under what Gmail clips, and says what it left out."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.edition import Edition
from digest.mail.inbound.parsed_message import ParsedMessage
from digest.mail.lint.lint import lint
from tests.outbox import configured
from tests.servers.stocked import sighting, upvotes

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CLIPPED = 90_000
SENTENCE = "We propose, at some length and with conviction, a method that does what was asked of it and a little more besides. "
TITLE = "On the Many Ways in Which a Title May Go On, and On, with a Colon: and a Subtitle That Explains the Title in Other Words"
LONG_URL = "https://code.example.org/" + "deep/" * 170


def made(folder: Path, **fields: object) -> tuple[Edition, dict[str, ParsedMessage]]:
    """The edition of thirty such papers, and its mail in both styles, each without an error of the lint."""
    config = configured(folder, f"sqlite:///{folder / 'digest.sqlite3'}", 9)
    config.write_text(
        config.read_text("utf-8").replace('title = "Trending papers"', 'title = "Trending papers"\npicks = 30'), "utf-8"
    )
    with Container(load(config)) as container:
        with container.adapters.store.begin() as unit:
            said = {"abstract": SENTENCE * 200, "authors": tuple(f"Author {n} Withalongname" for n in range(400)), **fields}
            seen = AT - timedelta(hours=9)
            votes = [(upvotes(100.0 - n, AT - timedelta(hours=8)),) for n in range(1, 41)]
            unit.papers.merge(
                [sighting(n, title=f"{n}: {TITLE}", seen_at=seen, signals=votes[n - 1], **said) for n in range(1, 41)]
            )
        paper_list = container.adapters.paper_list(None)
        edition = container.editions.edition(paper_list, date(2026, 3, 2), AT)
        mails = {
            style: container.editions.preview(edition, paper_list, None, AT, style=style).data for style in ("full", "compact")
        }
    for mail in mails.values():
        assert lint(mail).errors == ()
    return edition, {style: ParsedMessage.read(mail) for style, mail in mails.items()}


def papers_in(letter: ParsedMessage) -> int:
    return len(re.findall(r"(?m)^ ?\d{1,2}\. ", letter.text))


@pytest.mark.parametrize(
    ("fields", "trimmed"),
    [({}, False), ({"url": LONG_URL, "pdf_url": LONG_URL + "pdf", "code_url": LONG_URL + "code"}, True)],
    ids=["giant abstracts", "giant addresses"],
)
def test_thirty_giants_fit(tmp_path: Path, fields: dict[str, object], trimmed: bool) -> None:
    edition, letters = made(tmp_path, **fields)
    for letter in letters.values():
        assert len(letter.html.encode()) <= CLIPPED
        assert papers_in(letter) == len(edition.picks)
        assert "{{" not in letter.html + letter.text
        assert ("to stay readable in a mail" in letter.text) is trimmed
        assert ("to stay readable in a mail" in letter.html) is trimmed
    if trimmed:
        assert 1 < len(edition.picks) < 30
        assert edition.notes[-1] == f"shortened to {len(edition.picks)} papers to stay readable in a mail"
        assert "We propose" in letters["full"].text, "summaries are shortened, not dropped"
    else:
        assert len(edition.picks) == 30
