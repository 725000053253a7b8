"""/papers/{identifier}: all there is to say of one paper, and its reference as BibTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from digest.domain.errors import InvalidIdentifier, NotFound
from digest.domain.paper import Ranked, Signal
from digest.domain.phrase import N_, Phrase, phrases
from digest.ranking.signal_history import signal_history
from digest.render.edition.excerpt import shorten
from digest.render.edition.topics import topic
from digest.render.edition.views import Lengths, card_view
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.services.papers.service import PaperPage
from digest.web.feeds import bibliography
from digest.web.plots import votes_plot
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

MOST_AUTHORS = 60
LONGEST_ABSTRACT = 6_000
DESCRIPTION = 200
COUNTS: Mapping[str, Callable[[int], Phrase]] = {
    "upvotes": lambda n: phrases("%(n)s vote", "%(n)s votes", n),
    "github_stars": lambda n: phrases("%(n)s GitHub star", "%(n)s GitHub stars", n),
    "comments": lambda n: phrases("%(n)s comment", "%(n)s comments", n),
    "citations": lambda n: phrases("%(n)s citation", "%(n)s citations", n),
}


@router.get("/papers/{identifier:path}.bib")
async def reference(request: Request, identifier: str) -> Response:
    site = Site.of(request)

    def make() -> Answer:
        try:
            paper = site.container.papers.paper(identifier)
        except InvalidIdentifier as error:
            raise NotFound(error.where, error.reason) from None
        return Answer.of(bibliography([paper]), "application/x-bibtex; charset=utf-8", 300)

    return (await run_in_threadpool(make)).to(request)


@router.get("/papers/{identifier:path}")
async def paper(request: Request, identifier: str) -> Response:
    """By an arXiv id, a DOI or `source:key`; from any other spelling or name of the paper to the one it is linked by."""
    site = Site.of(request)

    def make() -> Answer | str:
        try:
            page = site.container.papers.page(identifier, site.clock())
        except InvalidIdentifier as error:
            raise NotFound(error.where, error.reason) from None
        name = str(page.paper.identifier)
        return _written(site, page) if name == identifier else name

    # not kept: anybody can ask for any paper, and the front page should not be pushed out by them
    made = await run_in_threadpool(make)
    if isinstance(made, str):
        return RedirectResponse(f"{site.root_path}/papers/{quote(made, safe='/:')}", 302)
    return made.to(request)


def _written(site: Site, page: PaperPage) -> Answer:
    paper, adapters = page.paper, site.container.adapters
    card = card_view(Ranked(paper, 0.0), Lengths.of("full"), "full", spoken=site.translation)
    titles = {each.name: each.title for each in adapters.lists}
    authors = [name for author in paper.authors[:MOST_AUTHORS] if (name := shorten(readable(author), 80))]
    abstract = shorten(readable(paper.abstract), LONGEST_ABSTRACT)
    links = (
        (_host(card.url), card.url),
        (N_("PDF"), card.pdf_url),
        (N_("Code"), card.code_url),
        (N_("Project"), card.project_url),
    )
    return site.answer(
        "paper.html",
        max_age=300,
        card=card,
        paper=paper,
        authors=authors,
        more_authors=len(paper.authors) - len(authors) if len(paper.authors) > MOST_AUTHORS else 0,
        abstract=abstract,
        topics=[(code, topic(code)) for code in dict.fromkeys(map(clean, paper.categories[:8]))],
        date=paper.published_at or paper.first_seen_at,
        links=[(site.translation.known(label), url) for label, url in links if url],
        counts=counts(page.signals, site),
        plot=votes_plot(page.signals, site.clock(), site.translation),
        appearances=[(titles[each.list], each, each.date) for each in page.appearances if each.list in titles],
        similar=[card_view(Ranked(each, 0.0), Lengths.of("compact"), "compact") for each in page.similar],
        reference=bibliography([paper]),
        permalink=adapters.links.paper(card.identifier),
        description=shorten(card.summary or abstract or card.title, DESCRIPTION),
        names={each.scheme: clean(each.value) for each in paper.identifiers},
    )


def counts(signals: tuple[Signal, ...], site: Site) -> list[Phrase]:
    """The latest numbers about a paper: ["145 votes", "1 GitHub star"]."""
    known = signal_history(signals, site.clock())
    found = {kind: round(known[kind].last) for kind in COUNTS if kind in known}
    return [COUNTS[kind](number) for kind, number in found.items() if number or kind == "upvotes"]


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
