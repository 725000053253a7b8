"""`digest edition`, `preview`, `send` and `lint`: one digest, made, looked at, sent."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import Day, Language, answer, at_option, wired
from digest.cli.papers import ranked_document
from digest.domain.edition import Edition
from digest.render.text.latex import readable

if TYPE_CHECKING:
    from digest.container import Container

list_option = click.option("--list", "list_name", help="The list (default: the first one configured).")
date_option = click.option("--date", "day", type=Day(), help="The edition's date (default: the day of --at).")


@click.command()
@list_option
@date_option
@click.option("--include-featured", is_flag=True, help="A trial that forgets what was featured; nothing is kept.")
@at_option
@wired
def edition(
    container: Container, as_json: bool, list_name: str | None, day: date | None, include_featured: bool, at: datetime
) -> None:
    """Make (once) or show an edition."""
    paper_list = container.adapters.paper_list(list_name)
    shown = container.editions.trial(paper_list, day, at) if include_featured else container.editions.edition(paper_list, day, at)

    def lines() -> None:
        click.echo(f"{paper_list.title}, {shown.date:%A} {shown.date.day} {shown.date:%B %Y}")
        for pick in shown.picks:
            reasons = "; ".join(readable(reason.text) for reason in pick.ranked.reasons)
            click.echo(f"{pick.rank:>3}. {readable(pick.ranked.paper.title)}\n     {pick.ranked.paper.url}  {reasons}".rstrip())
        for note in shown.notes:
            click.echo(note)

    answer(as_json, _document(shown), lines)


def _document(edition: Edition) -> dict[str, object]:
    return {
        "list": edition.list,
        "date": edition.date.isoformat(),
        "picks": [{"rank": pick.rank, **ranked_document(pick.ranked)} for pick in edition.picks],
        "notes": list(edition.notes),
        "content_hash": edition.content_hash,
    }


@click.command()
@list_option
@date_option
@click.option("--for", "email", help="As this subscriber would get it.")
@click.option("--style", type=click.Choice(["full", "compact"]), help="Default: the subscriber's, else the list's.")
@click.option("--language", type=Language(), help="Default: the subscriber's, else the list's.")
@click.option(
    "--rerender", is_flag=True, help="With the templates as they are now, not as they were when the edition was frozen."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder (default: a new one).")
@at_option
@wired
def preview(
    container: Container,
    as_json: bool,
    list_name: str | None,
    day: date | None,
    email: str | None,
    style: str | None,
    language: str | None,
    rerender: bool,
    out: Path | None,
    at: datetime,
) -> None:
    """Write message.eml, message.html and message.txt, exactly what would be sent; says what the lint has against it."""
    from digest.mail.inbound.message_parts import parts_of
    from digest.mail.lint.lint import lint as judge

    paper_list = container.adapters.paper_list(list_name)
    shown = container.editions.edition(paper_list, day, at)
    data = container.editions.preview(
        shown,
        paper_list,
        container.adapters.address(email) if email else None,
        at,
        style=style,
        language=language,
        rerender=rerender,
    ).data
    folder = out or Path(tempfile.mkdtemp(prefix="digest-preview-"))
    folder.mkdir(parents=True, exist_ok=True)
    html, text = parts_of(data)
    (folder / "message.eml").write_bytes(data)
    (folder / "message.html").write_text(html, "utf-8")
    (folder / "message.txt").write_text(text, "utf-8")
    errors = list(judge(data, one_click=container.settings.web.enabled).errors)

    def lines() -> None:
        click.echo(f"{folder}: message.eml ({len(data)} bytes), message.html, message.txt")
        for error in errors:
            click.echo(f"error: {error}")

    answer(as_json, {"out": str(folder), "bytes": len(data), "content_hash": shown.content_hash, "errors": errors}, lines)
    if errors:
        raise SystemExit(1)


@click.command()
@click.option("--to", "emails", multiple=True, required=True, help="An address; may be given more than once.")
@list_option
@date_option
@click.option("--dry-run", is_flag=True, help="Compose and check, send nothing.")
@at_option
@wired
def send(
    container: Container,
    as_json: bool,
    emails: tuple[str, ...],
    list_name: str | None,
    day: date | None,
    dry_run: bool,
    at: datetime,
) -> None:
    """Send an edition to given addresses now, outside subscriptions; refuses suppressed addresses."""
    addresses = [container.adapters.address(email) for email in emails]
    paper_list = container.adapters.paper_list(list_name)
    sent = container.delivery.send(paper_list, day, addresses, at, dry_run=dry_run)

    def lines() -> None:
        for each in sent:
            click.echo(f"{each.to}: {each.state} ({each.reply})")

    answer(as_json, [{"to": each.to, "state": each.state, "reply": each.reply} for each in sent], lines)
    if any(each.state not in ("accepted", "dry-run") for each in sent):
        raise SystemExit(1)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else there.")
def lint(file: Path, as_json: bool) -> None:
    """The compliance report of a mail; the same lint gates every edition."""
    from digest.mail.lint.lint import lint as lint_mail

    findings = lint_mail(file.read_bytes())

    def lines() -> None:
        for line in findings.errors:
            click.echo(f"error: {line}")
        for line in findings.warnings:
            click.echo(f"warning: {line}")
        if not findings.errors:
            click.echo("no errors")

    answer(as_json, {"errors": list(findings.errors), "warnings": list(findings.warnings)}, lines)
    if findings.errors:
        raise SystemExit(1)
