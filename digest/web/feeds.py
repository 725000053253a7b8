"""A list's papers for feed readers (Atom, RFC 4287; JSON Feed 1.1) and reference managers (BibTeX). A search has feeds too.

An entry is a paper; its id is the paper's own, so that a reader who follows list and search sees it once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request
from lxml import etree
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.domain.edition import Edition, PaperList
from digest.domain.instant import isoformat
from digest.domain.paper import Paper, Ranked
from digest.render.edition.views import CardView, Lengths, card_view
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.web.pages import Period, find_edition
from digest.web.response_cache import Answer
from digest.web.search import asked, find, must_ask
from digest.web.site import Site

router = APIRouter()

ATOM = "http://www.w3.org/2005/Atom"
EDITIONS = 7
"""How many of the newest editions a feed holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    card: CardView
    paper: Paper
    at: datetime
    earlier: Sequence[tuple[str, str]] = ()
    """(hour, address) of the earlier editions of its day."""


@dataclass(frozen=True, slots=True)
class Feed:
    """`path` is that of the page it belongs to, `own` its own; both begin with a slash."""

    title: str
    path: str
    own: str
    entries: Sequence[Entry]
    updated: datetime


@router.get("/lists/{name}/feed.atom")
async def list_atom(request: Request, name: str) -> Response:
    return await _list_feed(request, name, "feed.atom")


@router.get("/lists/{name}/feed.json")
async def list_json(request: Request, name: str) -> Response:
    return await _list_feed(request, name, "feed.json")


@router.get("/papers/feed.atom")
async def search_atom(request: Request, q: str = "") -> Response:
    return await _search_feed(request, q, "feed.atom")


@router.get("/papers/feed.json")
async def search_json(request: Request, q: str = "") -> Response:
    return await _search_feed(request, q, "feed.json")


@router.get("/lists/{name}/{period}.bib")
async def bibtex(request: Request, name: str, period: str) -> Response:
    """The references of one edition."""
    site = Site.of(request)
    paper_list, wanted = site.container.adapters.paper_list(name), Period.read(period)

    def make() -> Answer:
        found = find_edition(site, paper_list, wanted)
        earlier = [f"% earlier that day: {url}.bib\n" for _, url in earlier_that_day(site, paper_list, found)]
        text = "".join(earlier) + bibliography(pick.ranked.paper for pick in found.picks)
        return Answer.of(text, "application/x-bibtex; charset=utf-8", 300)

    return await site.public(request, f"/lists/{name}/{wanted.slug}.bib", make)


async def _list_feed(request: Request, name: str, kind: str) -> Response:
    site = Site.of(request)
    paper_list = site.container.adapters.paper_list(name)

    def make() -> Answer:
        editions = site.container.editions.history(paper_list, EDITIONS)
        entries = [
            _entry(pick.ranked, each.frozen_at, earlier)
            for each in editions
            for earlier in [earlier_that_day(site, paper_list, each)]
            for pick in each.picks
        ]
        updated = editions[0].frozen_at if editions else site.clock()
        feed = Feed(clean(paper_list.title), f"/lists/{name}", f"/lists/{name}/{kind}", entries, updated)
        return _written(site, feed, kind)

    return await site.public(request, f"/lists/{name}/{kind}", make)


async def _search_feed(request: Request, q: str, kind: str) -> Response:
    site, query = Site.of(request), asked(q)
    must_ask(query)

    def make() -> Answer:
        # only papers that hold all that was asked for: a feed is followed
        whole = [match.paper for match in find(site, query).whole]
        found = sorted(whole, key=lambda paper: paper.first_seen_at, reverse=True)
        entries = [_entry(Ranked(paper, 0.0), paper.first_seen_at) for paper in found]
        asking = urlencode({"q": query})
        updated = entries[0].at if entries else site.clock()
        feed = Feed(f"Papers about {query}", f"/papers?{asking}", f"/papers/{kind}?{asking}", entries, updated)
        return _written(site, feed, kind)

    return (await run_in_threadpool(make)).to(request)


def earlier_that_day(site: Site, paper_list: PaperList, edition: Edition) -> list[tuple[str, str]]:
    """(hour by the list's clock, address) of each edition of that day before it, newest first."""
    of_day, links = site.container.editions.of_day(paper_list, edition.date), site.container.adapters.links
    return [
        (f"{each.cutoff.astimezone(paper_list.zone):%H:%M}", links.edition(paper_list.name, each.slug))
        for each in of_day
        if each.cutoff < edition.cutoff
    ]


def _entry(ranked: Ranked, at: datetime, earlier: Sequence[tuple[str, str]] = ()) -> Entry:
    return Entry(card_view(ranked, Lengths.of("full"), "full"), ranked.paper, at, earlier)


def _written(site: Site, feed: Feed, kind: str) -> Answer:
    base = site.container.adapters.links.base_url
    if kind == "feed.json":
        return Answer.of(json_feed(feed, base), "application/feed+json; charset=utf-8", 300)
    return Answer.of(atom(feed, base), "application/atom+xml; charset=utf-8", 300)


def atom(feed: Feed, base: str) -> bytes:
    unprefixed: dict[Any, str] = {None: ATOM}
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=unprefixed)

    def add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
        child = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        child.text = text or None
        return child

    add(root, "id", base + feed.path)
    add(root, "title", feed.title)
    add(root, "updated", isoformat(feed.updated))
    add(root, "link", href=base + feed.path, rel="alternate", type="text/html")
    add(root, "link", href=base + feed.own, rel="self", type="application/atom+xml")
    for each in feed.entries:
        card, entry = each.card, add(root, "entry")
        add(entry, "id", _id(base, card))
        add(entry, "title", card.title)
        add(entry, "updated", isoformat(each.at))
        if each.paper.published_at:
            add(entry, "published", isoformat(each.paper.published_at))
        if card.url:
            add(entry, "link", href=card.url, rel="alternate")
        for author in _authors(each.paper) or [feed.title]:
            add(add(entry, "author"), "name", author)
        for category in each.paper.categories:
            add(entry, "category", term=clean(category))
        add(entry, "content", _html(base, each), type="html")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def json_feed(feed: Feed, base: str) -> str:
    items: list[dict[str, object]] = [
        {
            "id": _id(base, each.card),
            "url": each.card.url or None,
            "title": each.card.title,
            "content_html": _html(base, each),
            "date_published": isoformat(each.at),
            "authors": [{"name": name} for name in _authors(each.paper)],
            "tags": [clean(category) for category in each.paper.categories],
        }
        for each in feed.entries
    ]
    whole = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": base + feed.path,
        "feed_url": base + feed.own,
        "items": [{name: value for name, value in item.items() if value} for item in items],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _id(base: str, card: CardView) -> str:
    host = (urlsplit(base).hostname or "localhost").lower()
    return f"tag:{host},2026:{quote(card.identifier, safe=':/.')}"  # RFC 4151


def _authors(paper: Paper) -> list[str]:
    return [name for author in paper.authors if (name := readable(author))]


def _html(base: str, entry: Entry) -> str:
    card = entry.card
    details = f"{base}/papers/{card.feedback_path}"
    text = [" · ".join(card.reasons), card.summary, card.excerpt]
    named = (("PDF", card.pdf_url), ("Code", card.code_url), ("Details", details))
    links = [f'<a href="{escape(url)}">{label}</a>' for label, url in named if url]
    earlier = [f'<a href="{escape(url)}">{hour}</a>' for hour, url in entry.earlier]
    lines = [*map(escape, filter(None, text)), " · ".join(links), f"Earlier that day: {', '.join(earlier)}" if earlier else ""]
    return "".join(f"<p>{line}</p>" for line in lines if line)


# ---- BibTeX ----------------------------------------------------------------------------------------------------------------

_SPECIAL = re.compile(r"[\\{}$&#%_~^]")
_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def bibliography(papers: Iterable[Paper]) -> str:
    """One entry a paper, keys unique, in UTF-8 (biber and current BibTeX styles read it)."""
    entries, keys = [], set[str]()
    for paper in papers:
        key = base = _key(paper)
        number = 1
        while key in keys:
            number += 1
            key = f"{base}-{number}"
        keys.add(key)
        entries.append(_reference(paper, key))
    return "\n".join(entries)


def _reference(paper: Paper, key: str) -> str:
    card = card_view(Ranked(paper, 0.0), Lengths.of("full"), "full")
    names = {each.scheme: each.value for each in paper.identifiers}
    published = paper.published_at
    arxiv = names.get("arxiv", "")
    fields = {
        "title": _tex(readable(paper.title), protect=True),
        "author": " and ".join(_tex(name) for name in _authors(paper)),
        "year": str(published.year) if published else "",
        "month": f"{published:%b}".lower() if published else "",
        "eprint": arxiv,
        "archiveprefix": "arXiv" if arxiv else "",
        "primaryclass": _tex(clean(paper.categories[0])) if arxiv and paper.categories else "",
        "doi": _tex(names.get("doi", "")),
        "url": card.url,
    }
    lines = [f"  {name} = {value if name == 'month' else '{' + value + '}'}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def _key(paper: Paper) -> str:
    """Like "smith2026attention": letters and digits only."""
    family = readable(paper.authors[0]).split()[-1:] if paper.authors else []
    words = [word for word in re.findall(r"[A-Za-z0-9]+", readable(paper.title)) if len(word) > 3]
    year = str(paper.published_at.year) if paper.published_at else ""
    key = re.sub(r"[^A-Za-z0-9]", "", "".join(family)) + year + "".join(words[:1])
    return key.lower() or re.sub(r"[^A-Za-z0-9]", "", str(paper.identifier)) or "paper"


def _tex(text: str, *, protect: bool = False) -> str:
    """Special characters escaped; with `protect`, words with capitals inside keep them ("{BERT}")."""
    words = [
        f"{{{word}}}" if protect and re.search(r"\w[A-Z]", word) else word
        for word in _SPECIAL.sub(lambda found: _ESCAPED.get(found[0], "\\" + found[0]), text).split(" ")
    ]
    return " ".join(words)
