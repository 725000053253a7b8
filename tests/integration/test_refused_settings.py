"""Settings that would bring nothing are refused by every command, with what would be right and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import clean_environment, command

FEED = '[[sources]]\nname = "blog"\nkind = "feed"\nbase_url = "https://example.org/feed"\n'
LIST = '[[lists]]\nname = "daily"\ntitle = "Daily"\n'


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (FEED + 'options = { categorys = ["cs.CL"] }', "sources.blog.options.categorys: unknown; may be"),
        ('[[sources]]\nname = "x"\nkind = "arxive"', "sources.x.kind: 'arxive' is unknown; may be huggingface, arxiv-rss"),
        (
            '[[sources]]\nname = "ax"\nkind = "arxiv-oai"\noptions = { since = "2999-01-01" }',
            "sources.ax.options.since: '2999-01-01' is in the future; should be",
        ),
        (
            FEED + LIST + 'sources = ["blogg"]',
            "lists.daily.sources: 'blogg' is the name of no [[sources]] table; did you mean blog?",
        ),
        (
            FEED + LIST + 'sources = ["blog", "zzz"]',
            "lists.daily.sources: 'zzz' is the name of no [[sources]] table; there are blog",
        ),
        ('[[lists]]\nname = "My List"\ntitle = "x"', "'My List' should be lower-case letters and digits"),
        ('[mail]\nfrom_name = "a\\nb"', "should be one line of text without control characters"),
        ('[[sources]]\nname = "x"\nkind = "feed"\nbase_url = "ftp://example.org"', "should be a web address such as https://"),
    ],
)
def test_a_setting_that_brings_nothing_is_refused(tmp_path: Path, settings: str, said: str) -> None:
    (tmp_path / "digest.toml").write_text(settings)
    for words in (("status",), ("doctor", "--no-dns")):
        ran = command(tmp_path, *words, "--config", "digest.toml", environment=clean_environment())
        assert ran.returncode == 2
        [line] = ran.stderr.splitlines()
        assert said in line
        assert re.search(r"[\^$]|\[a-z|match pattern", line) is None, "no regular expression is shown"
    assert not (tmp_path / "digest.sqlite3").exists()


@pytest.mark.parametrize(
    "settings",
    [
        FEED + LIST + 'sources = ["blog"]',
        LIST + 'sources = ["arxiv"]',  # papers of imported files
        '[[sources]]\nname = "ax"\nkind = "arxiv-oai"\noptions = { since = "2025-01-01" }',
    ],
)
def test_what_is_right_is_taken(tmp_path: Path, settings: str) -> None:
    (tmp_path / "digest.toml").write_text(settings)
    ran = command(tmp_path, "status", "--config", "digest.toml", environment=clean_environment())
    assert (ran.returncode, ran.stderr) == (0, "")


def test_votes_are_not_read_in_the_future(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("x")
    words = ("import", "page.txt", "--observed-at", "2026-03-03T00:00:00Z", "--at", "2026-03-02T00:00:00Z")
    ran = command(tmp_path, *words, environment=clean_environment())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "--observed-at: 2026-03-03T00:00:00Z is in the future" in ran.stderr
