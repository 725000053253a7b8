"""`digest interests`: what a reader cares about: words, their papers, and the libraries they keep elsewhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired
from digest.domain.errors import NotFound
from digest.domain.instant import isoformat
from digest.domain.interest import understand, written
from digest.domain.library_account import AccountKind, openalex_account, orcid_account, zotero_key, zotero_library
from digest.domain.subscriber import SubscriptionState

if TYPE_CHECKING:
    from digest.container import Container
    from digest.domain.library_account import AccountName, LibraryAccount
    from digest.domain.subscriber import Address

_LISTED = 20
"""Items not understood that are shown of a library."""


@click.command()
@click.argument("email")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", default="", help="Words, categories (cs.CL), authors (author: Name), arXiv ids; separated by commas.")
@click.option("--mute", default="", help="Words, or author: Name, never to see.")
@click.option("--clear", is_flag=True, help="Forget all interests first, connected libraries too.")
@click.option(
    "--zotero",
    metavar="LIBRARY",
    help="Connect a Zotero library: users/475425, groups/4711, either with /collections/KEY, its address, or own (the key's).",
)
@click.option(
    "--zotero-key-file", type=click.File(), help="The file with its key, or - for standard input; public groups need none."
)
@click.option("--orcid", metavar="ID", help="Connect the works of an ORCID iD.")
@click.option("--openalex", metavar="ID", help="Connect the works of an author at OpenAlex, such as A5023888391.")
@click.option("--disconnect", multiple=True, type=click.Choice([str(kind) for kind in AccountKind]), help="The papers stay.")
@at_option
@wired
def interests(
    container: Container,
    as_json: bool,
    email: str,
    files: tuple[Path, ...],
    text: str,
    mute: str,
    clear: bool,
    zotero: str | None,
    zotero_key_file: IO[str] | None,
    orcid: str | None,
    openalex: str | None,
    disconnect: tuple[str, ...],
    at: datetime,
) -> None:
    """Add what a reader cares about, and show what was understood.

    FILES are their papers: BibTeX, RIS, CSL-JSON, a Zotero CSV, arXiv ids, DOIs, titles a line, or pasted text. They are kept
    with title and abstract, whether or not we know them; a missing abstract is looked up by `digest run` or `digest collect`.
    These also read connected libraries again: Zotero daily, the others weekly.
    """
    address = container.adapters.address(email)
    names: list[tuple[AccountName, str]] = []
    if zotero is not None or zotero_key_file:
        own = (zotero or "").strip().lower() in ("", "own")
        key = zotero_key(zotero_key_file.read(1000)) if zotero_key_file else ""
        names.append((zotero_library("" if own else zotero or ""), key))
    names += [(orcid_account(orcid), "")] if orcid else []
    names += [(openalex_account(openalex), "")] if openalex else []
    understood, library = container.subscriptions.add_interests(address, files, text, mute, clear, at)
    for kind in disconnect:
        _disconnect(container, container.libraries.of_address(address), kind)
    if names:
        container.libraries.connect_now(address, names, lambda: at)
    accounts = [
        (account, container.libraries.not_understood(account.id, _LISTED)) for account in container.libraries.of_address(address)
    ]
    record = [*understood.descriptions, *(f"like {name}{f': {title}' if title else ''}" for name, title in library.works)]
    rejected = [*understood.rejected, *(f"{each.where}: {each.reason}" for each in library.rejected)]

    def lines() -> None:
        for line in record or _kept(container, address) or (() if accounts else ("nothing yet",)):
            click.echo(line)
        if files:
            missing = len(library.without_abstract)
            click.echo(
                f"{len(library.works)} papers kept, {missing} of them without abstract{' yet' if missing else ''},"
                f" {len(library.rejected)} not understood"
            )
        for line in rejected:
            click.echo(f"  not understood: {line}", err=True)
        for account, problems in accounts:
            click.echo(_line(account))
            for key, reason in problems:
                click.echo(f"  not understood: {key}: {reason}", err=True)
            if account.problem:
                click.echo(f"  {account.problem}", err=True)

    document = {
        "understood": record,
        "rejected": rejected,
        "kept": len(library.works),
        "without_abstract": list(library.without_abstract),
        "not_understood": [{"where": each.where, "reason": each.reason} for each in library.rejected],
        "libraries": [
            {
                "kind": str(account.name.kind),
                "library": account.library,
                "collections": list(account.name.collections),
                "kept": account.papers,
                "without_abstract": account.without_abstract,
                "not_understood": account.not_understood,
                "examples": [{"where": key, "reason": reason} for key, reason in problems],
                "read_at": account.read_at and isoformat(account.read_at),
                "problem": account.problem,
            }
            for account, problems in accounts
        ],
    }
    answer(as_json, document, lines)


def _kept(container: Container, address: Address) -> list[str]:
    """What an address cares about already, of all its subscriptions, as lines."""
    active = [each for each in container.subscriptions.of(address) if each.state is not SubscriptionState.ENDED]
    found = [line for each in active for line in understand(written(each.interests)).descriptions]
    papers = max((len(each.interests.liked) for each in active), default=0)
    return [*dict.fromkeys(found), *([f"{papers} paper{'s' if papers > 1 else ''} in the library"] if papers else [])]


def _disconnect(container: Container, accounts: list[LibraryAccount], kind: str) -> None:
    meant = [account for account in accounts if account.name.kind == kind]
    if not meant:
        raise NotFound(f"a connected {kind} library")
    for account in meant:
        container.libraries.disconnect(account.subscription_id, account.id, with_papers=False)


def _line(account: LibraryAccount) -> str:
    missing = account.without_abstract
    until = f"read at {isoformat(account.read_at)}" if account.read_at else "not read to its end yet; it goes on by itself"
    return (
        f"{account}: {account.papers} papers kept, {missing} of them without abstract{' yet' if missing else ''},"
        f" {account.not_understood} not understood; {until}"
    )
