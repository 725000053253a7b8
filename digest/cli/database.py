"""`digest migrate`, `backup` and `restore`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired
from digest.domain.instant import isoformat

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.option(
    "--accept-new-key",
    "new_key",
    is_flag=True,
    help="Also go on with another secrets.key, the old one being lost: links in old mails die, suppressed addresses are unknown.",
)
@wired
def migrate(container: Container, as_json: bool, new_key: bool) -> None:
    """Create or upgrade the database schema."""
    before, after = container.adapters.migrate(new_key=new_key)
    if new_key:
        container.adapters.accept_new_key()
    text = f"schema {after}, as before" if before == after else f"schema {before or 'none'} → {after}"
    answer(as_json, {"from": before, "to": after}, lambda: click.echo(text))


_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_file
@at_option
@wired
def backup(container: Container, as_json: bool, file: Path, at: datetime) -> None:
    """Write database and key into one file that only its owner can read; everything may run meanwhile."""
    size = container.backups.back_up(file, at)
    answer(as_json, {"bytes": size}, lambda: click.echo(f"{file}: {size} bytes; the key is in it, so keep it to yourself"))


@click.command()
@_file
@click.option("--force", is_flag=True, help="Also in the place of a database that is in use.")
@at_option
@wired
def restore(container: Container, as_json: bool, file: Path, force: bool, at: datetime) -> None:
    """Put a backup in the place of the database; stop every daemon and worker first.

    Who left or was erased since the backup stays so, and nobody is mailed twice: that is read from the database that goes, and
    from the files beside the journal. Where both are lost, mail that was due by now is withheld.
    """
    size = file.stat().st_size if file.is_file() else 0
    done = container.backups.restore(file, at, force=force)

    def lines() -> None:
        click.echo(f"restored as of {isoformat(done.backup_at)}")
        words = {
            "moved": "readers who changed their address since, and keep the new one",
            "lost": "readers ended, whose address since is known to the old database only; they subscribe again",
            "erased": "people erased since",
            "ended": "subscriptions ended since",
            "suppressed": "addresses suppressed since",
            "paused": "lists paused, as before the restore",
            "sent": "emails sent since, not to be sent again",
        }
        for name, text in words.items():
            if done.changed[name]:
                click.echo(f"  {text}: {done.changed[name]}")

    answer(as_json, {"bytes": size, "at": isoformat(done.backup_at), "known": done.known, **done.changed}, lines)
    if not done.known:
        click.echo(
            f"digest: what happened since {isoformat(done.backup_at)} is not known: the old database and its files are not here. "
            "Mail that was due by now is withheld, so that nobody gets it twice; digest redeliver LIST/DATE sends it after all. "
            "Who unsubscribed or was erased since must be told to it again: look into the mails you got.",
            err=True,
        )
