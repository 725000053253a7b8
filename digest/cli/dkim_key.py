"""`digest dkim-key`: the keys that sign our mail, and what to publish."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, wired
from digest.domain.errors import InvalidInput

if TYPE_CHECKING:
    from digest.container import Container


@click.command("dkim-key")
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="The folder for new keys (default: this one).")
@wired
def dkim_key(container: Container, as_json: bool, out: Path) -> None:
    """Make an RSA and an Ed25519 key where there is none, and print the DNS records to publish.

    Keys that are there stay as they are; a new one is readable by its owner only.
    """
    from digest.mail.auth.dkim import SigningKey, new_key

    dkim = container.settings.dkim
    wanted = (
        ("rsa", dkim.selector, dkim.rsa_key_file or out / f"{dkim.selector}.pem"),
        ("ed25519", dkim.ed25519_selector, dkim.ed25519_key_file or out / f"{dkim.ed25519_selector}.pem"),
    )
    records = []
    for algorithm, selector, file in wanted:
        made = _written(file, new_key(algorithm)) if not file.exists() else False
        name, value = SigningKey.from_file(container.adapters.dkim_domain, selector, file).record()
        records.append(
            {"key": f"{algorithm}_key_file", "file": str(file), "made": made, "name": name, "type": "TXT", "value": value}
        )

    def lines() -> None:
        click.echo("Publish these records:\n")
        for each in records:
            click.echo(f"{each['name']}. TXT {quoted_strings(str(each['value']))}\n")
        click.echo("Once they are published, sign with the keys (digest.toml):\n\n[dkim]")
        for each in records:
            click.echo(f'{each["key"]} = "{each["file"]}"{"" if each["made"] else "  # was there already"}')
        click.echo("\n`digest doctor` then says whether what is published fits.")

    answer(as_json, records, lines)


def quoted_strings(value: str) -> str:
    """A TXT value as zone files spell it: strings of at most 255 octets (RFC 7208 §3.3, RFC 1035 §3.3)."""
    return " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))


def _written(file: Path, pem: bytes) -> bool:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(pem)
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be made: {error.strerror or error}") from None
    return True
