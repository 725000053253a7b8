"""What a reader writes into the forms: what is wrong is told beside its field and changes nothing; bibliographies are read."""

from __future__ import annotations

import json
import re
from datetime import date, time
from pathlib import Path

import pytest
from lxml import html

from digest.config import SourceSettings, load
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Interests, Preferences
from digest.links import Purpose
from tests.outbox import configured
from tests.servers.website import Website, website

HOSTILE_ADDRESSES = [
    "",
    "plain",
    "a@b@c",
    "ada@example.org\r\nBcc: victim@example.org",
    "ada@example.org\nX: y",
    "ada@exam\x00ple.org",
    "\N{RIGHT-TO-LEFT OVERRIDE}ada@example.org",
    "ada@example.org, bob@example.org",
    "Ada <ada@example.org>",
    "ada@[127.0.0.1]",
    "a" * 65 + "@example.org",
    "a@" + "b" * 250 + ".org",
    '"><script>alert(1)</script>@example.org',
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_what_is_no_address_is_refused_beside_its_field(site: Website, address: str) -> None:
    answer = site.post("/subscribe", {"email": address})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert 'class="wrong"' in answer.text
    assert "<script>" not in answer.text
    assert site.container.transport.envelopes == []


@pytest.mark.parametrize("address", ["josé@example.org", "ada@bücher.example", "用户@例子.example", "a+b.c@sub.example.org"])
def test_international_addresses_get_in(site: Website, address: str) -> None:
    assert site.post("/subscribe", {"email": address}).status_code == 200
    assert len(site.letters(1)) == 1


EVERYTHING = {
    "hour": "06:15",
    "timezone": "Asia/Tokyo",
    "with-weekdays": "1",
    "weekdays": ["tue", "thu"],
    "frequency": "weekly",
    "picks": "7",
    "style": "compact",
    "paused_until": "2026-06-10",
    "interests": "diffusion\n-robots",
    "papers": "2605.00001",
    "forget": ["arxiv:2605.00009"],
}
"""What the one form of the preferences page holds."""


def test_one_save_keeps_every_field_of_the_form(site: Website) -> None:
    site.reader(interests=Interests(words=("before",), disliked=("arxiv:2605.00009", "arxiv:2605.00008")))
    page = site.get(site.link(Purpose.MANAGE))
    assert page.text.count(">Save</button>") == 1
    saved = site.post(site.link(Purpose.MANAGE), EVERYTHING)
    assert saved.status_code == 200
    for words in ("Saved. We understood:", "words: diffusion", "mute robots", "More like this paper"):
        assert words in saved.text
    found = site.subscription()
    assert found
    assert found.preferences == Preferences(
        timezone="Asia/Tokyo",
        hour=time(6, 15),
        weekdays=frozenset({1, 3}),
        frequency=Frequency.WEEKLY,
        picks=7,
        style="compact",
        paused_until=date(2026, 6, 10),
    )
    liked, disliked = ("arxiv:2605.00001",), ("arxiv:2605.00008",)
    assert found.interests == Interests(words=("diffusion",), muted_words=("robots",), liked=liked, disliked=disliked)


def test_the_authors_words_are_a_box_where_a_model_writes_summaries(tmp_path: Path, stocked: Path) -> None:
    def chosen(site: Website) -> bool:
        found = site.subscription()
        assert found
        return found.preferences.authors_words

    with website(tmp_path, stocked, sources=[SourceSettings(name="hf", kind="huggingface")]) as site:
        site.reader()
        path = site.link(Purpose.MANAGE)
        assert 'name="authors_words" value="yes">' in site.get(path).text
        site.post(path, {"with-authors-words": "1", "authors_words": "yes"})
        assert chosen(site)
        assert 'name="authors_words" value="yes" checked>' in site.get(path).text
        site.post(path, {"picks": "7"})
        assert chosen(site), "a form without the box changes nothing"
        wrong = site.post(path, {"with-authors-words": "1", "picks": "700"})
        assert wrong.status_code == 400
        assert 'name="authors_words" value="yes">' in wrong.text, "what was chosen is still there"
        assert chosen(site), "and nothing is saved"
        site.post(path, {"with-authors-words": "1"})
        assert not chosen(site)


def test_there_is_no_box_where_it_would_change_nothing(site: Website) -> None:
    site.reader()
    assert "authors_words" not in site.get(site.link(Purpose.MANAGE)).text


@pytest.mark.parametrize(
    ("kinds", "base_url", "writes"),
    [
        (["huggingface", "arxiv-rss"], "", True),
        (["semantic-scholar"], "", True),
        (["arxiv-rss", "openalex"], "", False),
        (["arxiv-rss"], "http://127.0.0.1:9/v1", True),
    ],
)
def test_a_model_writes_where_one_is_configured_or_a_source_brings_its_lines(
    tmp_path: Path, kinds: list[str], base_url: str, *, writes: bool
) -> None:
    file = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9)
    sources = "".join(f'[[sources]]\nname = "{kind}"\nkind = "{kind}"\n' for kind in kinds)
    endpoint = f'[summaries]\nbase_url = "{base_url}"\nmodel = "m"\n' if base_url else ""
    file.write_text(file.read_text("utf-8") + sources + endpoint, "utf-8")
    assert load(file).has_model_summaries is writes


WRONG = [
    ("hour", "25:00"),
    ("timezone", "Mars/Olympus"),
    ("picks", "700"),
    ("paused_until", "tomorrow"),
    ("interests", "x" * 101),
    ("papers", "no paper at all"),
    ("weekdays", []),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_field_saves_nothing_and_loses_nothing_of_the_form(site: Website, field: str, value: str | list[str]) -> None:
    site.reader(interests=Interests(words=("before",), disliked=("arxiv:2605.00009",)))
    before, typed = site.subscription(), {**EVERYTHING, field: value}
    answer = site.post(site.link(Purpose.MANAGE), typed)
    assert (answer.status_code, site.subscription()) == (400, before)
    assert f'id="{field.partition("_")[0]}-wrong"' in answer.text
    assert "Not saved yet" in answer.text
    form = next(each for each in html.fromstring(answer.text).forms if "data-unsaved" in each.attrib)
    assert form.attrib["data-unsaved"] == "yes"
    shown: dict[str, list[str]] = {}
    for name, text in form.form_values():
        shown.setdefault(name, []).append(text)
    expected = {name: some if isinstance(some, list) else [some] for name, some in typed.items()}
    kept = {name: some for name, some in shown.items() if name in expected}
    assert kept == {name: some for name, some in expected.items() if some}


def test_a_file_that_was_sent_with_a_wrong_field_is_asked_for_again(site: Website) -> None:
    site.reader()
    sent = {"data": {"hour": "25:00"}, "files": {"file": ("refs.bib", BIBTEX, "text/plain")}}
    answer = site.request("POST", site.link(Purpose.MANAGE), **sent)
    assert answer.status_code == 400
    assert 'id="file-wrong">Choose the file again' in answer.text


GUESSES = [("Europe/Berlin", "Europe/Berlin"), ("Etc/Unknown", "UTC"), ("../../etc/passwd", "UTC"), ("", "UTC")]


@pytest.mark.parametrize(("guess", "zone"), GUESSES)
def test_the_browsers_time_zone_counts_where_none_was_chosen(site: Website, guess: str, zone: str) -> None:
    assert site.post("/subscribe", {"email": "ada@example.org", "browser_timezone": guess}).status_code == 200
    site.letters(1)
    assert zone in site.get(site.link(Purpose.CONFIRM)).text
    chosen = {"email": "bob@example.org", "browser_timezone": "Asia/Tokyo", "timezone": "Europe/Paris"}
    site.post("/subscribe", chosen)
    site.letters(2)
    assert "Europe/Paris" in site.get(site.link(Purpose.CONFIRM, "bob@example.org")).text


WRONG_FIELDS = [
    ("when", {"timezone": "Mars/Olympus"}, "timezone-wrong"),
    ("when", {"timezone": "../../etc/passwd"}, "timezone-wrong"),
    ("when", {"hour": "25:00"}, "hour-wrong"),
    ("when", {"hour": "07:00+02:00"}, "hour-wrong"),
    ("when", {"weekdays": ["someday"]}, "weekdays-wrong"),
    ("when", {"with-weekdays": "1"}, "weekdays-wrong"),
    ("when", {"picks": "0"}, "picks-wrong"),
    ("when", {"picks": "٣"}, "picks-wrong"),
    ("when", {"picks": "9" * 5000}, "picks-wrong"),
    ("when", {"paused_until": "tomorrow"}, "paused-wrong"),
    ("interests", {"interests": "x" * 101}, "interests-wrong"),
    ("interests", {"interests": "\n".join(f"word{n}" for n in range(300))}, "interests-wrong"),
    ("interests", {"papers": "no paper at all"}, "papers-wrong"),
    ("erase", {}, "sure-wrong"),
]


@pytest.mark.parametrize(("form", "fields", "place"), WRONG_FIELDS)
def test_a_wrong_field_says_so_and_changes_nothing(site: Website, form: str, fields: dict[str, object], place: str) -> None:
    site.reader(interests=Interests(words=("kept",)))
    before = site.subscription()
    answer = site.post(f"{site.link(Purpose.MANAGE)}/{form}", fields)
    assert answer.status_code == 400
    assert f'id="{place}"' in answer.text
    assert site.subscription() == before


BIBTEX = rb"""@article{a, title={One {\\'e}tude}, eprint={2605.00001}, archiveprefix={arXiv}}
@misc{b, title={Two}, doi={10.1000/x}}
@misc{c, note={no title at all}}"""


CSL = json.dumps(
    [
        {"id": "1", "type": "article", "title": "One", "DOI": "10.48550/arXiv.2605.00001"},
        {"type": "book", "title": "T", "DOI": "10.1000/x"},
    ]
)


BIBLIOGRAPHIES = [
    ("refs.bib", BIBTEX),
    ("Zotero export.json", CSL.encode()),
    ("ids.txt", b"2605.00001v2\nhttps://doi.org/10.1000/X"),
]


@pytest.mark.parametrize(("name", "data"), BIBLIOGRAPHIES)
def test_a_bibliography_is_uploaded_and_told_back(site: Website, name: str, data: bytes) -> None:
    site.reader(interests=Interests(words=("kept",), disliked=("arxiv:2605.00009",)))
    path = f"{site.link(Purpose.MANAGE)}/interests"
    for _ in range(2):
        sent = site.request("POST", path, data={"interests": "kept\nkept too"}, files={"file": (name, data, "text/plain")})
        assert sent.status_code == 200
        assert "More like these 2 papers" in sent.text
        assert re.search("we look (it|them) up", sent.text)
    assert ("We couldn’t read these lines" in sent.text) is (data is BIBTEX)
    found = site.subscription()
    assert found
    expected = Interests(words=("kept", "kept too"), liked=("arxiv:2605.00001", "doi:10.1000/x"), disliked=("arxiv:2605.00009",))
    assert found.interests == expected
    site.request("POST", path, data={"interests": "kept", "forget": ["arxiv:2605.00001", "arxiv:2605.00009"]})
    found = site.subscription()
    assert found
    assert found.interests == Interests(words=("kept",), liked=("doi:10.1000/x",))


NO_BIBLIOGRAPHIES = [
    b"no paper at all",
    b"\x00" * 1000,
    b"PK\x03\x04",
    b"\x1f\x8b\x08" + b"\x00" * 100,
    b"@article{" * 20_000,
    b"[" * 100_000,
    b'{"title":' * 50_000,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><feed>&b;</feed>",
]


@pytest.mark.parametrize("data", NO_BIBLIOGRAPHIES)
def test_what_is_no_bibliography_is_refused_in_words(site: Website, data: bytes) -> None:
    site.reader(interests=Interests(words=("kept",)))
    before = site.subscription()
    path = f"{site.link(Purpose.MANAGE)}/interests"
    answer = site.request("POST", path, data={"interests": "other"}, files={"file": ("x", data, "application/octet-stream")})
    assert answer.status_code == 400
    assert 'id="papers-wrong"' in answer.text
    assert "digest-upload-" not in answer.text
    assert site.subscription() == before
