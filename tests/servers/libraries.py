"""Zotero, ORCID and OpenAlex on loopback, as they document their answers; each request is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from digest.domain.paper import Sighting
from tests.servers.scripted_http import Act, Asked, ScriptedServer, reply

KEY = "Zk7pQ2mV9xR4tL8wN3sB6yHc"


@dataclass
class ZoteroLibrary:
    """Items by key, each with the version in which it changed last; every change counts the library's version up."""

    name: str = "users/475425"
    key: str = KEY
    version: int = 100
    items: dict[str, dict[str, object]] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    deleted_collections: dict[str, int] = field(default_factory=dict)
    revoked: bool = False
    faults: list[Act | None] = field(default_factory=list)
    """Given instead of the next answers; None: the right one."""
    backoff: int = 0
    """Seconds, in every answer."""
    asked: list[Asked] = field(default_factory=list)

    def put(self, key: str, **data: object) -> None:
        """Adds or changes an item."""
        self.version += 1
        before = self.items.get(key, {})
        self.items[key] = {"itemType": "journalArticle", "collections": [], **before, **data, "version": self.version}

    def put_works(self, works: Sequence[Sighting], **data: object) -> None:
        for number, work in enumerate(works):
            people = [
                {"creatorType": "author", "firstName": given, "lastName": family}
                for given, _, family in (name.rpartition(" ") for name in work.authors)
            ]
            of_work = {"title": work.title, "abstractNote": work.abstract, "creators": people, "date": "2025-03-01"}
            self.put(f"W{number:07}", **of_work, **data)

    def delete(self, key: str) -> None:
        self.version += 1
        del self.items[key]
        self.deleted[key] = self.version

    def answer(self, asked: Asked) -> Act:
        self.asked.append(asked)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            return fault
        if asked.headers.get("zotero-api-key") != self.key or self.revoked:
            return reply("403 Forbidden", b"Forbidden")
        url = urlsplit(asked.target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/keys/current":
            return self._found({"key": self.key, "userID": int(self.name.rpartition("/")[2]), "username": "ada", "access": {}})
        if not url.path.startswith(f"/{self.name}/"):
            return reply("404 Not Found", b"Not found")
        rest = url.path.removeprefix(f"/{self.name}/")
        since = int(query.get("since", 0))
        if rest == "deleted":
            gone = {"collections": self.deleted_collections, "items": self.deleted}
            of_since = {kind: [key for key, version in keys.items() if version > since] for kind, keys in gone.items()}
            return self._found({**of_since, "searches": [], "tags": [], "settings": []})
        if int(asked.headers.get("if-modified-since-version", -1)) >= self.version:
            return reply("304 Not Modified", Last_Modified_Version=str(self.version))
        return self._page(rest, query, since)

    def _page(self, rest: str, query: dict[str, str], since: int) -> Act:
        collection = rest.split("/")[1] if rest.startswith("collections/") else None
        wanted = [
            {"key": key, "version": data["version"], "library": {}, "meta": {}, "data": {"key": key, **data}}
            for key, data in self.items.items()
            if int(str(data["version"])) > since
            and (query.get("includeTrashed") == "1" or not data.get("deleted"))
            and (collection is None or collection in data["collections"])  # type: ignore[operator]  # a list
            and not data.get("parentItem")
        ]
        start, limit = int(query.get("start", 0)), min(int(query.get("limit", 25)), 100)
        more: dict[str, str] = {"Total_Results": str(len(wanted))}
        if start + limit < len(wanted):
            more["Link"] = (
                f'<https://api.zotero.org/{self.name}/{rest}?limit={limit}&start={start + limit}>; rel="next",'
                f' <https://api.zotero.org/{self.name}/{rest}?start=9900>; rel="last"'
            )
        return self._found(wanted[start : start + limit], **more)

    def _found(self, document: object, **headers: str) -> Act:
        more = {"Backoff": str(self.backoff)} if self.backoff else {}
        return reply(body=json.dumps(document).encode(), Last_Modified_Version=str(self.version), **more, **headers)


@dataclass
class Elsewhere:
    """One server for all three services; `works` are the author's at OpenAlex and those of the ORCID iD."""

    zotero: ZoteroLibrary = field(default_factory=ZoteroLibrary)
    works: list[Sighting] = field(default_factory=list)
    orcid: str = "0000-0002-1825-0097"
    author: str = "A5023888391"
    page: int = 25
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Act:
        self.asked.append(asked)
        path = urlsplit(asked.target).path
        if path.startswith("/v3.0/"):
            return self._orcid(path)
        return self._openalex(asked) if path == "/works" else self.zotero.answer(asked)

    def _orcid(self, path: str) -> Act:
        if path != f"/v3.0/{self.orcid}/works":
            return reply("404 Not Found", b'{"response-code": 404}')
        groups = [
            {
                "work-summary": [
                    {
                        "put-code": int(work.identifiers[0].value[5:]),
                        "type": "journal-article",
                        "title": {"title": {"value": work.title}, "subtitle": None},
                        "external-ids": {"external-id": _ids(work)},
                        "publication-date": {"year": {"value": "2025"}, "month": {"value": "03"}, "day": None},
                        "journal-title": {"value": "Journal of Things"},
                        "url": None,
                    }
                ]
            }
            for work in self.works
        ]
        return reply(body=json.dumps({"group": groups, "path": path}).encode(), Content_Type="application/json")

    def _openalex(self, asked: Asked) -> Act:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(asked.target).query).items()}
        works = self.works if query["filter"] == f"author.id:{self.author}" else []
        start = 0 if query["cursor"] == "*" else int(query["cursor"])
        rows = [
            {
                "id": f"https://openalex.org/W{work.identifiers[0].value[5:]}",
                "title": work.title,
                "type": "article",
                "abstract_inverted_index": _inverted(work.abstract),
                "authorships": [{"author": {"display_name": name}} for name in work.authors],
                "publication_date": "2025-03-01",
            }
            for work in works[start : start + self.page]
        ]
        following = str(start + self.page) if rows else None
        meta = {"count": len(works), "next_cursor": following}
        return reply(body=json.dumps({"meta": meta, "results": rows}).encode())


def _ids(work: Sighting) -> list[dict[str, object]]:
    arxiv = work.identifiers[0].value
    return [
        {
            "external-id-type": "arxiv",
            "external-id-value": f"arXiv:{arxiv}",
            "external-id-normalized": {"value": arxiv},
            "external-id-relationship": "self",
        },
        {"external-id-type": "issn", "external-id-value": "1234-5678", "external-id-relationship": "part-of"},
    ]


def _inverted(text: str) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, word in enumerate(text.split()):
        places.setdefault(word, []).append(place)
    return places


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    with ScriptedServer(choose=made.answer) as server:
        made.url = server.url
        yield made
