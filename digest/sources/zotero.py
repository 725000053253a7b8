"""Zotero Web API v3 (https://www.zotero.org/support/dev/web_api/v3/syncing): somebody's own or a group's library, by version.

first    items/top, a page after the other                        ─▶ works, the library's version
then     items/top?since=…, If-Modified-Since-Version             ─▶ 304, or what changed, trash included
         deleted?since=…                                          ─▶ what is gone
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.library_account import AccountName
from digest.domain.paper import Sighting
from digest.sources import clean_fields, zotero_csv
from digest.sources.port import LEFT_OUT, MOST_ITEMS, Answer, Getter, LibraryPage, Pace, Rejection, State
from digest.sources.record_kind import refuse_kind

BASE_URL = "https://api.zotero.org"
PACE = Pace("zotero", 0.25)
PAGE = 100
"""Items; more than that Zotero does not give at once."""
READ_AGAIN = 2
"""Times that pages are read from the start because the library changed while they were read, which may have moved items."""
_NEXT = re.compile(r"<([^<>]{1,2000})>\s*;[^,<>]*\brel=\"?next\"?", re.IGNORECASE)
_ITEM_KEY = re.compile(r"\w{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Zotero:
    base_url: str = BASE_URL
    source: str = "zotero"

    def read(self, getter: Getter, name: AccountName, key: str, state: State, at: datetime) -> Iterator[LibraryPage]:
        """`state`: {"library", "version": up to which it is read, "reading": a read under way}."""
        asking = _Asking(self, getter, {"Zotero-API-Version": "3"} | ({"Zotero-API-Key": key} if key else {}), at)
        library = name.library or state.get("library") or asking.own_library()
        since = state.get("version")
        kept: dict[str, Any] = {"library": library} | ({} if since is None else {"version": since})
        places = [f"collections/{each}/items/top" for each in name.collections] if since is None else []
        for page in asking.pages(library, places or ["items/top"], since, state.get("reading") or {}):
            if page is None:  # 304
                yield LibraryPage(state=kept)
                return
            works, rejected, gone = asking.items(page.items, name.collections)
            if not page.last:
                yield LibraryPage(works, (*rejected, *page.rejected), gone, kept | {"reading": page.reading}, last=False)
                continue
            done: State = {"library": library, "version": page.version}
            if since is not None:
                deleted, collections = asking.deleted(library, since)
                gone += deleted
                rejected += tuple(_deleted_collection(each) for each in name.collections if each in collections)
            yield LibraryPage(works, (*rejected, *page.rejected), gone, done, whole=since is None and not page.rejected)


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[Any]
    reading: State
    last: bool
    version: int
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asking:
    zotero: Zotero
    getter: Getter
    headers: Mapping[str, str]
    at: datetime

    def get(self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        url = f"{self.zotero.base_url.rstrip('/')}/{path}"
        sent = {**self.headers, **(headers or {})}
        return self.getter.get(self.zotero.source, url, params=params, headers=sent, pace=PACE)

    def own_library(self) -> str:
        """Whose the key is."""
        answer = clean_fields.table(clean_fields.decoded_json(self.get("keys/current").data, self.zotero.source))
        if not (user := clean_fields.whole(answer.get("userID"))):
            raise UnreadableAnswer(self.zotero.source, "keys/current: names no userID")
        return f"users/{user}"

    def pages(self, library: str, places: list[str], since: int | None, reading: State) -> Iterator[_Page | None]:
        """Oldest first, so that what is added meanwhile comes last. `reading`: what it must know to go on ({}: it begins)."""
        version, first = reading.get("version"), reading.get("first")
        place, start, again = reading.get("place", 0), reading.get("start", 0), reading.get("again", 0)
        params = {"limit": str(PAGE), "sort": "dateAdded", "direction": "asc", "format": "json"}
        if since is not None:
            params |= {"since": str(since), "includeTrashed": "1"}
        while True:
            asked = {"If-Modified-Since-Version": str(since)} if since is not None and not start else {}
            answer = self.get(f"{library}/{places[min(place, len(places) - 1)]}", params | {"start": str(start)}, asked)
            if answer.not_modified:
                yield None
                return
            items = clean_fields.decoded_json(answer.data, self.zotero.source)
            if not isinstance(items, list):
                raise UnreadableAnswer(self.zotero.source, "items: should be a list")
            here = clean_fields.whole(answer.headers.get("last-modified-version"))
            if here is None:
                raise UnreadableAnswer(self.zotero.source, "items: without Last-Modified-Version")
            version, first = here if version is None else version, here if first is None else first
            following = self._following(answer, start, len(items))
            full = following is not None and following >= MOST_ITEMS
            place, start = (place, following) if following is not None and not full else (place + 1, 0)
            last = place >= len(places)
            if last and here != first and again < READ_AGAIN:
                last, place, start, first, again = False, 0, 0, None, again + 1
            under_way: State = {"version": version, "first": first, "place": place, "start": start, "again": again}
            yield _Page(items, under_way, last, version, (LEFT_OUT,) if full else ())
            if last:
                return

    def _following(self, answer: Answer, start: int, count: int) -> int | None:
        """Where the next page starts: only the number is taken from their address, so that the key goes nowhere else."""
        if link := _NEXT.search(answer.headers.get("link", "")[: clean_fields.LONGEST_TEXT]):
            named = clean_fields.whole(parse_qs(urlsplit(link[1]).query).get("start", [""])[0])
            if named is None or named <= start:
                raise UnreadableAnswer(self.zotero.source, "items: the next page is named by no later start")
            return named
        total = clean_fields.whole(answer.headers.get("total-results"))
        return start + count if count and total is not None and start + count < total else None

    def items(
        self, items: list[Any], collections: tuple[str, ...]
    ) -> tuple[tuple[tuple[str, Sighting], ...], tuple[Rejection, ...], tuple[str, ...]]:
        """Works, what was not understood, and keys of what is in the trash or in none of the `collections` any more."""
        works: list[tuple[str, Sighting]] = []
        rejected: list[Rejection] = []
        gone: list[str] = []
        for item in map(clean_fields.table, items):
            data, key = clean_fields.table(item.get("data")), clean_fields.text(item.get("key"))
            if not _ITEM_KEY.fullmatch(key):
                rejected.append(Rejection("an item", f"has no key: {clean_fields.clipped(str(item))[:60]}"))
            elif data.get("deleted") or (collections and not set(collections) & set(_words(data.get("collections")))):
                gone.append(key)
            elif not data.get("parentItem"):
                parsed = clean_fields.collected([(key, data)], self._work)
                works += [(key, each) for each in parsed.sightings]
                rejected += parsed.rejected
        return tuple(works), tuple(rejected), tuple(gone)

    def _work(self, data: dict[str, Any]) -> Sighting | None:
        kind = clean_fields.text(data.get("itemType"), 60)
        if not kind:
            raise InvalidInput("item", "has no itemType")
        refuse_kind(kind)
        return zotero_csv.work(_columns(data, kind), self.zotero.source, self.at)

    def deleted(self, library: str, since: int) -> tuple[tuple[str, ...], frozenset[str]]:
        """Keys of the items and of the collections that are gone."""
        answer = clean_fields.decoded_json(self.get(f"{library}/deleted", {"since": str(since)}).data, self.zotero.source)
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            raise UnreadableAnswer(self.zotero.source, "deleted: names no items")
        return tuple(_words(answer["items"])), frozenset(_words(answer.get("collections")))


def _words(values: object) -> list[str]:
    return [each for each in clean_fields.rows(values) if isinstance(each, str)]


def _deleted_collection(key: str) -> Rejection:
    return Rejection(f"collection {key}", "was deleted in Zotero; connect another one")


_COLUMNS = {
    "title": "title",
    "doi": "DOI",
    "url": "url",
    "abstract note": "abstractNote",
    "date": "date",
    "publication title": "publicationTitle",
    "archive location": "archiveLocation",
    "archive": "archiveID",
    "extra": "extra",
    "number": "number",
}
"""How Zotero's CSV, which is read alike, calls the fields of an item."""


def _columns(data: Mapping[str, Any], kind: str) -> dict[str, str]:
    people = [clean_fields.table(each) for each in clean_fields.rows(data.get("creators"))]
    written = [each for each in people if each.get("creatorType") == "author"]
    tags = (clean_fields.text(clean_fields.table(each).get("tag"), 80) for each in clean_fields.rows(data.get("tags"))[:50])
    return {
        "item type": kind,
        "author": "; ".join(filter(None, map(_person, written))),
        "manual tags": "; ".join(filter(None, tags)),
        **{column: clean_fields.text(data.get(name)) for column, name in _COLUMNS.items()},
    }


def _person(creator: Mapping[str, Any]) -> str:
    family, given = clean_fields.text(creator.get("lastName"), 300), clean_fields.text(creator.get("firstName"), 300)
    alone = family or clean_fields.text(creator.get("name"), 300)
    return (f"{alone}, {given}" if given else alone).replace(";", " ")
