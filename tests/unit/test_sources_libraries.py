"""What services that keep libraries answer, right and wrong, read into pages; and the names that people give them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.domain.errors import InvalidInput, SourceRefused, UnreadableAnswer
from digest.domain.library_account import AccountName, openalex_account, orcid_account, zotero_key, zotero_library
from digest.encryption import Encryption
from digest.sources import orcid
from digest.sources.openalex import OpenAlexAuthor
from digest.sources.port import Answer, LibraryPage
from digest.sources.zotero import Zotero
from tests.tables import every_row

NOW = datetime(2026, 5, 27, tzinfo=UTC)
LIBRARY = zotero_library("users/5")


class Script:
    """Answers one after the other; keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    def get(
        self,
        source: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        self.asked.append((url, params or {}, headers or {}))
        return self.answers.pop(0)

    def post(self, *_: Any, **__: Any) -> Answer:
        raise AssertionError


def answer(document: object, version: object = 7, **headers: str) -> Answer:
    named = {"last-modified-version": str(version)} if version is not None else {}
    return Answer("http://test", json.dumps(document).encode(), headers={**named, **headers})


def item(key: str = "ABCD2345", **data: object) -> dict[str, object]:
    return {"key": key, "version": 1, "data": {"itemType": "preprint", "title": "Snow on the roof", **data}}


def read(*answers: Answer, name: AccountName = LIBRARY, state: Mapping[str, Any] | None = None) -> list[LibraryPage]:
    return list(Zotero("http://test/").read(Script(*answers), name, "key", state or {}, NOW))


# ---- Zotero ------------------------------------------------------------------------------------------------------------------


def test_an_item_is_read_as_zotero_keeps_it() -> None:
    data = {
        "creators": [
            {"creatorType": "author", "firstName": "Donald E.", "lastName": "Knuth"},
            {"creatorType": "editor", "firstName": "Ed", "lastName": "Itor"},
            {"creatorType": "author", "name": "ATLAS Collaboration"},
        ],
        "abstractNote": "  It \x00 melts. ",
        "DOI": "10.1000/ABC",
        "archiveID": "arXiv:2501.00001v2",
        "extra": "Citation Key: knuth",
        "date": "2025-03",
        "publicationTitle": "Journal of Roofs",
        "tags": [{"tag": "snow"}, {"tag": "roof"}, 5],
    }
    [page] = read(answer([item(**data)]))
    [(key, work)] = page.works
    assert key == "ABCD2345"
    assert [str(each) for each in work.identifiers] == ["arxiv:2501.00001", "doi:10.1000/abc"]
    assert (work.title, work.abstract, work.venue) == ("Snow on the roof", "It melts.", "Journal of Roofs")
    assert work.authors == ("Donald E. Knuth", "ATLAS Collaboration")
    assert (work.published_at, work.keywords) == (datetime(2025, 3, 1, tzinfo=UTC), ("snow", "roof"))
    assert (page.state, page.last, page.whole) == ({"library": "users/5", "version": 7}, True, True)


@every_row(
    ("bad", "where", "reason"),
    [
        (item(title=""), "ABCD2345", "title: is missing"),
        (item(title=["a"]), "ABCD2345", "title: is missing"),
        (item(itemType="dataset"), "ABCD2345", "type: 'dataset' is no paper"),
        (item(itemType=None), "ABCD2345", "item: has no itemType"),
        (item(key="../../etc"), "an item", "has no key"),
        ("text", "an item", "has no key"),
        (None, "an item", "has no key"),
        ({"key": "ABCD2345"}, "ABCD2345", "item: has no itemType"),
    ],
)
def test_a_bad_item_is_named_and_the_rest_kept(bad: object, where: str, reason: str) -> None:
    [page] = read(answer([bad, item("GOOD0001")]))
    assert [key for key, _ in page.works] == ["GOOD0001"]
    [rejected] = page.rejected
    assert (rejected.where, rejected.reason[: len(reason)]) == (where, reason)


@pytest.mark.parametrize(
    "wrong",
    [
        Answer("http://test", b"<html>", headers={"last-modified-version": "7"}),
        answer({"items": []}),
        answer([], version=None),
        answer([], version="-1"),
        answer([], version="seven"),
        answer([item()], link='<https://elsewhere.example/?start=0>; rel="next"'),
        answer([item()], link='<https://elsewhere.example/>; rel="next"'),
    ],
)
def test_an_answer_that_zotero_does_not_document_is_refused(wrong: Answer) -> None:
    with pytest.raises(UnreadableAnswer):
        read(wrong)


def test_the_next_page_is_asked_for_at_our_own_address_with_the_key_in_a_header() -> None:
    link = '<https://elsewhere.example/users/9/items?start=100&limit=100>; rel="next"'
    script = Script(answer([item()], link=link), answer([item("LAST0001")]))
    pages = list(Zotero("http://test").read(script, LIBRARY, "secret", {}, NOW))
    assert [url for url, _, _ in script.asked] == ["http://test/users/5/items/top"] * 2
    assert [(params["start"], headers["Zotero-API-Key"]) for _, params, headers in script.asked] == [
        ("0", "secret"),
        ("100", "secret"),
    ]
    assert not any("secret" in str((url, params)) for url, params, _ in script.asked)
    assert [page.last for page in pages] == [False, True]


def test_without_a_link_the_total_says_whether_there_is_more() -> None:
    pages = read(answer([item()], **{"total-results": "2"}), answer([item("LAST0001")], **{"total-results": "2"}))
    assert [page.last for page in pages] == [False, True]


def test_a_library_beyond_all_bounds_is_read_to_the_bound() -> None:
    link = '<http://test/?start=20000>; rel="next"'
    [page] = read(answer([item()], link=link))
    assert [each.where for each in page.rejected] == ["the rest"]
    assert not page.whole


@pytest.mark.parametrize("wrong", [answer([]), answer({}), answer({"items": None})])
def test_deletions_that_make_no_sense_are_refused(wrong: Answer) -> None:
    with pytest.raises(UnreadableAnswer):
        read(answer([item()], version=9), wrong, state={"library": "users/5", "version": 7})


@pytest.mark.parametrize("wrong", [answer({"key": "x"}), answer([]), answer({"userID": "../7"})])
def test_a_key_that_names_nobody_is_refused(wrong: Answer) -> None:
    with pytest.raises(UnreadableAnswer):
        read(wrong, name=zotero_library(""))


# ---- ORCID and OpenAlex ------------------------------------------------------------------------------------------------------


def test_an_orcid_work_takes_its_identifiers_from_all_who_told_it() -> None:
    def summary(kind: str, value: str, relationship: str = "self") -> dict[str, object]:
        ids = [{"external-id-type": kind, "external-id-value": value, "external-id-relationship": relationship}]
        title = {"title": {"value": "Snow on the roof"}}
        return {
            "put-code": 5,
            "title": title,
            "external-ids": {"external-id": ids},
            "publication-date": {"year": {"value": "2024"}},
        }

    told = [summary("isbn", "978-3"), summary("doi", "https://doi.org/10.1000/ABC"), summary("doi", "10.1000/book", "part-of")]
    page = orcid.parse(json.dumps({"group": [{"work-summary": told}]}).encode(), source="orcid", seen_at=NOW)
    [(key, work)] = page.works
    assert (key, [str(each) for each in work.identifiers]) == ("work 5", ["doi:10.1000/abc"])
    assert work.published_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert page.whole


@pytest.mark.parametrize(
    "group", [None, {}, {"work-summary": []}, {"work-summary": [None]}, {"work-summary": [{"title": None}]}, {"work-summary": 5}]
)
def test_a_bad_orcid_work_is_named_and_the_rest_kept(group: object) -> None:
    good = {"work-summary": [{"put-code": 1, "title": {"title": {"value": "Snow"}}}]}
    page = orcid.parse(json.dumps({"group": [group, good]}).encode(), source="orcid", seen_at=NOW)
    assert ([key for key, _ in page.works], len(page.rejected)) == (["work 1"], 1)


@pytest.mark.parametrize("data", [b"<html>", b"[]", b"{}", b'{"group": {}}'])
def test_no_orcid_works_at_all(data: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        orcid.parse(data, source="orcid", seen_at=NOW)


def test_an_author_at_openalex_is_read_by_cursor() -> None:
    def page(ids: list[str], following: str | None) -> Answer:
        rows: list[object] = [{"id": f"https://openalex.org/{each}", "title": f"Snow {each}"} for each in ids]
        return answer({"meta": {"next_cursor": following}, "results": rows}, None)

    script = Script(page(["W1", "W2"], "abc"), page(["A3"], "def"), page([], None))
    author = openalex_account("A5023888391")
    pages = list(OpenAlexAuthor("http://test", "ours").read(script, author, "", {}, NOW))
    assert [params["cursor"] for _, params, _ in script.asked] == ["*", "abc", "def"]
    assert script.asked[0][1] == {"filter": "author.id:A5023888391", "per_page": "100", "api_key": "ours", "cursor": "*"}
    assert [[key for key, _ in each.works] for each in pages] == [["W1", "W2"], [], []]
    assert [each.where for each in pages[1].rejected] == ["A3"]
    assert [each.whole for each in pages] == [False, False, True]
    assert "ours" not in repr(OpenAlexAuthor("http://test", "ours"))
    resumed = Script(page([], None))
    [rest] = OpenAlexAuthor("http://test").read(resumed, author, "", pages[1].state, NOW)
    assert rest.last
    assert resumed.asked[0][1]["cursor"] == "def"
    with pytest.raises(SourceRefused):
        list(OpenAlexAuthor("http://test").read(Script(page([], None)), author, "", {}, NOW))


# ---- names -------------------------------------------------------------------------------------------------------------------


@every_row(
    ("text", "library", "collections"),
    [
        ("", "", ()),
        ("475425", "users/475425", ()),
        (" users/475425 ", "users/475425", ()),
        ("user/475425/", "users/475425", ()),
        ("groups/4711", "groups/4711", ()),
        ("groups/4711/collections/ABCD2345,BCDE3456", "groups/4711", ("ABCD2345", "BCDE3456")),
        ("collections/ABCD2345", "", ("ABCD2345",)),
        ("https://www.zotero.org/groups/4711/some-name/library", "groups/4711", ()),
        ("https://www.zotero.org/groups/4711/n/collections/ABCD2345/items/X/item-list", "groups/4711", ("ABCD2345",)),
        ("https://www.zotero.org/ada/library", "", ()),
        ("https://www.zotero.org/ada/collections/ABCD2345", "", ("ABCD2345",)),
        ("https://api.zotero.org/users/5/items", "users/5", ()),
    ],
)
def test_zotero_libraries_as_people_write_them(text: str, library: str, collections: tuple[str, ...]) -> None:
    found = zotero_library(text)
    assert (found.library, found.collections) == (library, collections)


@every_row(
    "text",
    [
        *("groups/x", "groups", "users/0", "users/5/../6", "ada", "groups/5/collections/abc", "groups/5/collections", "a" * 999),
        *("https://example.org/groups/5", "https://zotero.org.example.com/groups/5", "https://notzotero.org/groups/5"),
        "users/5/items",
    ],
)
def test_what_is_no_zotero_library(text: str) -> None:
    with pytest.raises(InvalidInput, match="should be"):
        zotero_library(text)


@pytest.mark.parametrize("text", ["0000-0002-1825-0097", "0000000218250097", "https://orcid.org/0000-0002-1825-0097/"])
def test_orcid_ids(text: str) -> None:
    assert orcid_account(text).library == "0000-0002-1825-0097"
    assert orcid_account("0000-0002-1694-233x").library == "0000-0002-1694-233X"


@pytest.mark.parametrize("text", ["", "0000-0002-1825-0098", "0000-0002-1825", "https://example.org/0000-0002-1825-0097", "x"])
def test_what_is_no_orcid_id(text: str) -> None:
    with pytest.raises(InvalidInput, match="ORCID iD"):
        orcid_account(text)


@pytest.mark.parametrize("text", ["A5023888391", "a5023888391", "https://openalex.org/A5023888391", "authors/A5023888391"])
def test_openalex_authors(text: str) -> None:
    assert openalex_account(text).library == "A5023888391"


@pytest.mark.parametrize("text", ["", "W5023888391", "5023888391", "A1,author.id:A2"])
def test_what_is_no_openalex_author(text: str) -> None:
    with pytest.raises(InvalidInput, match="OpenAlex author"):
        openalex_account(text)


@pytest.mark.parametrize("text", ["two words", "line\nend", "schlüssel", "x" * 129])
def test_what_is_no_key_is_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        zotero_key(text)
    assert text not in str(refused.value)


def test_what_was_encrypted_is_read_by_the_same_key_alone() -> None:
    one, other = Encryption(b"1" * 32), Encryption(b"2" * 32)
    encrypted = one.encrypt("a secret")
    assert "secret" not in encrypted
    assert (one.decrypt(encrypted), other.decrypt(encrypted), one.decrypt("nonsense")) == ("a secret", None, None)
