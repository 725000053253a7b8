"""`digest translations update | check`."""

from __future__ import annotations

from pathlib import Path

import click

from digest.cli.options import answer


@click.group()
def translations() -> None:
    """Bring the catalogues of translations up to date, or check them."""


_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else there.")


@translations.command(short_help="Write what code and templates say into the catalogues.")
@_as_json
def update(as_json: bool) -> None:
    """Write what code and templates say into the catalogues (digest/locale); translations that there are stay."""
    from digest.services.setup.catalogues import update as write

    missing = write(_sources())
    answer(as_json, missing, lambda: click.echo("\n".join(f"{each}: {n} not translated" for each, n in missing.items())))


@translations.command(short_help="Whether the catalogues are complete.")
@click.argument("languages", nargs=-1)
@_as_json
def check(languages: tuple[str, ...], as_json: bool) -> None:
    """Whether the catalogues (of all languages, or those named) are complete; a line for each fault."""
    from digest.services.setup.catalogues import faults
    from digest.translation import LANGUAGES, read_language

    try:
        wanted = [read_language(each) for each in languages] or LANGUAGES[1:]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="LANGUAGES") from None
    found = faults(_sources(), [each for each in wanted if each != LANGUAGES[0]])
    answer(as_json, found, lambda: click.echo("\n".join(found) or "complete"))
    if found:
        raise SystemExit(1)


def _sources() -> list[Path]:
    """The code, and our templates."""
    from digest.adapters import shipped

    return [Path(__file__).parents[1], shipped("templates")]
