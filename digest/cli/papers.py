"""`digest import`, `collect`, `trending` and `search`: papers in, papers shown."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import Instant, answer, at_option, wired
from digest.domain.errors import InvalidInput
from digest.domain.instant import isoformat
from digest.domain.paper import Ranked
from digest.domain.query import parse_query
from digest.domain.search_result import Match, SearchResult, in_words
from digest.render.text.latex import readable

if TYPE_CHECKING:
    from digest.container import Container


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--observed-at", type=Instant(), help="When the signals in undated pages were read.")
@at_option
@wired
def import_(container: Container, as_json: bool, paths: tuple[Path, ...], observed_at: datetime | None, at: datetime) -> None:
    """Load papers and signals from files; the format is recognised by content (gz and xz too)."""
    if observed_at is not None and observed_at > at:
        raise InvalidInput("--observed-at", f"{isoformat(observed_at)} is in the future; should be when the page was fetched")
    report = container.papers.load(paths, observed_at, at)

    def lines() -> None:
        click.echo(
            f"{report.papers_new} new papers, {report.papers_updated} updated, {report.papers_unchanged} unchanged,"
            f" {report.signals} signals"
        )
        for each in report.rejected[:20]:
            click.echo(f"  rejected {each.file}: {each.where}: {each.reason}", err=True)
        if len(report.rejected) > 20:
            click.echo(f"  … and {len(report.rejected) - 20} more (all with --json)", err=True)

    answer(as_json, asdict(report), lines)
    if report.rejected and not (report.papers_new or report.papers_updated or report.papers_unchanged or report.signals):
        raise SystemExit(1)


@click.command()
@click.option("--source", "names", multiple=True, help="Only this source; may be given more than once.")
@at_option
@wired
def collect(container: Container, as_json: bool, names: tuple[str, ...], at: datetime) -> None:
    """Fetch papers and signals from the configured sources; look up again what they know of recent papers."""
    from digest.services.libraries.service import A_RUN

    reports = container.papers.collect(names, at)
    synced = container.libraries.sync(lambda: at, most=A_RUN)
    categorised, looked_up = container.papers.look_up(at)
    encoded = container.papers.encode(lambda: at)

    def lines() -> None:
        for each in reports:
            state = f"failed: {each.error}" if each.error else "stale: nothing unseen" if each.stale else "fresh"
            click.echo(f"{each.source}: {each.papers_new} new, {each.papers_updated} updated, {each.signals} signals ({state})")
        if categorised:
            click.echo(f"arXiv: categories of {categorised} papers")
        if synced.requests or synced.problems:
            click.echo(f"readers' libraries: {synced.read} read, {synced.problems} could not be")
        if synced.error:
            click.echo(f"  not all could be read: {synced.error}", err=True)
        if looked_up.asked or looked_up.found:
            click.echo(f"readers' papers: {looked_up.found} abstracts found, {looked_up.asked} papers asked for")
        if encoded.papers or encoded.works:
            rest = "; the next run goes on" if encoded.unfinished else ""
            click.echo(f"encoded: {encoded.papers} papers, {encoded.works} readers' papers{rest}")
        if encoded.error:
            click.echo(f"  not all could be encoded: {encoded.error}", err=True)
        if looked_up.error:
            click.echo(f"  not all could be looked up: {looked_up.error}", err=True)

    answer(as_json, [asdict(each) for each in reports], lines)
    if reports and all(each.error for each in reports):
        raise SystemExit(1)


@click.command()
@click.option("--list", "list_name", help="The list (default: the first one configured).")
@click.option("--for", "email", help="This reader's own ranking.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@at_option
@wired
def trending(container: Container, as_json: bool, list_name: str | None, email: str | None, limit: int, at: datetime) -> None:
    """Show the ranking at an instant, using only signals observed by then."""
    ranked = container.papers.ranking(
        container.adapters.paper_list(list_name), at, container.adapters.address(email) if email else None
    )[:limit]

    def lines() -> None:
        if not ranked:
            click.echo("no papers to rank: none was seen lately that this list takes; see digest status, digest collect")
        for number, each in enumerate(ranked, start=1):
            click.echo(f"{number:>3}. {readable(each.paper.title)}")
            why = "; ".join(readable(reason.text) for reason in each.reasons)
            click.echo(f"     {each.paper.url or each.paper.identifier}  {why}")

    answer(as_json, [ranked_document(each) for each in ranked], lines)


def ranked_document(ranked: Ranked) -> dict[str, object]:
    return {
        "id": str(ranked.paper.identifier),
        "title": readable(ranked.paper.title),
        "url": ranked.paper.url,
        "score": round(ranked.score, 6),
        "reasons": [readable(reason.text) for reason in ranked.reasons],
    }


@click.command()
@click.argument("query", default="")
@click.option("--similar", metavar="ID", help="Papers like this one; a query's filters (cat:, since:) still hold.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@wired
def search(container: Container, as_json: bool, query: str, similar: str | None, limit: int) -> None:
    """Find papers: words, "a phrase", author:NAME, cat:cs.CL, since:2026-05, until:2026; -WORD leaves out (first: after --)."""
    if similar is None and not query.strip():
        raise click.UsageError("say what to search for, or --similar ID")
    if similar is None and (missing_hint := parse_query(query).missing_hint):
        raise click.UsageError(missing_hint)
    papers = container.papers
    if similar is None:
        found = papers.search(query, limit)
    else:
        alike = papers.similar(similar, limit, query)
        found = SearchResult(matches=tuple(Match(paper=paper, score=score) for paper, score in alike))

    def lines() -> None:
        for note in found.notes:
            click.echo(note)
        for match in found.whole:
            _show_match(match)
        if found.whole and found.partial:
            click.echo("With some of the words:")
        for match in found.partial:
            _show_match(match)
        if not found.matches:
            click.echo("nothing found")

    answer(as_json, [_match(match) for match in found.matches], lines)
    if as_json:
        for note in found.notes:
            click.echo(note, err=True)


def _show_match(match: Match) -> None:
    paper = match.paper
    click.echo(f"{paper.identifier}  {readable(paper.title)}")
    authors = ", ".join(map(readable, paper.authors[:3])) + (
        f" and {len(paper.authors) - 3} more" if len(paper.authors) > 3 else ""
    )
    day = f"{paper.published_at or paper.first_seen_at:%Y-%m-%d}"
    votes = "" if match.votes is None else f"{match.votes:,} upvote{'' if match.votes == 1 else 's'}"
    missing = f"without {in_words(match.missing)}" if match.missing else ""
    click.echo("    " + " · ".join(filter(None, (authors, day, votes, missing))))
    if match.sentence:
        click.echo(f"    {readable(match.sentence)}")


def _match(match: Match) -> dict[str, object]:
    paper = match.paper
    return {
        "id": str(paper.identifier),
        "title": readable(paper.title),
        "score": round(match.score, 6),
        "authors": [readable(author) for author in paper.authors],
        "date": f"{paper.published_at or paper.first_seen_at:%Y-%m-%d}",
        "votes": match.votes,
        "sentence": readable(match.sentence),
        "missing": list(match.missing),
    }
