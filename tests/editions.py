"""An edition of made-up papers that has every trouble a real one has, and what it takes to turn it into mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from digest.domain.edition import Edition, PaperList, Pick, Pooled, Rendered, Window
from digest.domain.identifier import parse_identifier
from digest.domain.paper import Paper, Ranked, Reason, Summary
from digest.render.edition.cards import render_edition
from digest.render.edition.views import EditionView, SenderView
from digest.render.environment import Templates

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = Templates([ROOT / "templates"])
LIST = PaperList(name="daily", title="Trending papers", description="Get trending papers in your inbox once a day")
SENDER = SenderView(name="Reading Group", home_url="https://papers.example", postal_address="1 Long Street\n10115 Berlin")
SEEN = datetime(2025, 11, 5, 20, 0, tzinfo=UTC)
WHY = "You get this because reader@example.org subscribed to Trending papers."


@dataclass(frozen=True)
class Site:
    """Addresses that are the same for every reader."""

    base: str = "https://papers.example"

    def edition(self, list_name: str, date: str) -> str:
        return f"{self.base}/lists/{list_name}/{date}"


@dataclass(frozen=True)
class Reader:
    """One reader's own addresses."""

    manage: str = "https://papers.example/manage/17.sig"
    unsubscribe: str = "https://papers.example/unsubscribe/17.sig?a=1&b=2"
    more: str = "https://papers.example/more/17.sig/"
    less: str = "https://papers.example/less/17.sig/"
    save: str = "https://papers.example/save/17.sig/"


def paper(number: int, title: str, **fields: object) -> Paper:
    name = f"2511.{number:05d}"
    known: dict[str, object] = {
        "abstract": "Much is known about clocks. We propose a clock that never lies. It uses two springs. It is cheap.",
        "authors": ("Ada Lovelace", "Charles Babbage", "Grace Hopper", "Alan Turing", "Emmy Noether"),
        "published_at": SEEN,
        "categories": ("cs.CL",),
        "url": f"https://arxiv.org/abs/{name}",
        "pdf_url": f"https://arxiv.org/pdf/{name}",
    }
    identifier = parse_identifier(name).identifier
    return Paper(id=number, identifiers=(identifier,), title=title, first_seen_at=SEEN, **{**known, **fields})  # type: ignore[arg-type]


def ranked(each: Paper, *reasons: str, growth: tuple[float, ...] = ()) -> Ranked:
    return Ranked(each, 1.0, tuple(Reason("votes", text) for text in reasons), growth)


EVERY_TROUBLE = (
    ranked(
        paper(
            1,
            "A Clock That Never Lies",
            summary=Summary(text="A cheap clock with two springs is never wrong.", provenance="semantic scholar"),
            code_url="https://github.com/ada/clock",
        ),
        "▲ 145 (+42 today) · ★ 1,310",
        growth=(1, 4, 2, 42),
    ),
    ranked(paper(2, "<script>alert('&')</script> & \"quotes\"", authors=("Bobby <b>Tables</b>",), abstract=""), "new & <shiny>"),
    ranked(paper(3, "بسم الله: نموذج لغوي كبير", authors=("محمد بن موسى", "عمر الخيام", "Omar Khayyam")), "new today"),
    ranked(
        paper(
            4,
            "大規模言語モデルの推論における計算量の削減について、および長い題名が七十二桁で正しく折り返されることの検証",
            authors=("山田太郎",),
            summary=Summary(text="我々は計算量を半分にする方法を提案する。", provenance="abstract"),
        ),
        "new today",
    ),
    ranked(paper(5, "Bounds of $O(n^2)$ for " + "Donaudampfschifffahrtsgesellschaft" * 4), "new today"),
    ranked(
        paper(6, "No Address at All", url="javascript:alert(1)", pdf_url="", code_url="ftp://x", categories=(), published_at=None)
    ),
)


def edition(papers: tuple[Ranked, ...] = EVERY_TROUBLE, picked: int | None = None, **fields: object) -> Edition:
    picks = papers if picked is None else papers[:picked]
    return Edition(
        id=1,
        list="daily",
        date=date(2025, 11, 6),
        window=Window(SEEN.replace(day=4), SEEN),
        cutoff=SEEN,
        frozen_at=SEEN,
        picks=tuple(Pick(rank, each) for rank, each in enumerate(picks, start=1)),
        pool=tuple(Pooled(position, each) for position, each in enumerate(papers)),
        content_hash="c0ffee",
        **fields,  # type: ignore[arg-type]
    )


def many(count: int) -> tuple[Ranked, ...]:
    return tuple(ranked(paper(n, f"Paper {n} about clocks"), f"+{n} upvotes", growth=(1, 2, n)) for n in range(1, count + 1))


def view_of(made: Edition, style: str = "full", brevity: int = 0, templates_feedback: bool = True) -> EditionView:
    return EditionView.from_edition(made, LIST, Site(), SENDER, style=style, brevity=brevity, feedback=templates_feedback)


def rendered(made: Edition, style: str = "full", brevity: int = 0) -> Rendered:
    return render_edition(TEMPLATES, view_of(made, style, brevity))
