"""What a reader writes into the forms: what is wrong is told beside its field and changes nothing; bibliographies are read."""

from __future__ import annotations

import json
import re

import pytest

from digest.domain.subscriber import Interests
from digest.links import Purpose
from tests.servers.website import Website

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
    assert ("This we could not read" in sent.text) is (data is BIBTEX)
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
