"""Writes docs/reference/configuration.md, commands.md and sources.md from what the program itself says: `python docs/make.py`.

A test compares; whoever adds a key or a command runs this.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import click

from digest.cli import COMMANDS, Commands, digest
from digest.render.edition.acknowledgements import acknowledgements
from digest.sources.registry import KINDS

DOCS = Path(__file__).resolve().parent


def configuration() -> str:
    """Every key of config/digest.toml, which a test holds complete."""
    lines = [
        "# Configuration",
        "",
        "One TOML file: `--config PATH`, else `DIGEST_CONFIG`, else `config/local.toml` (which `digest init` writes) or",
        "`config/digest.toml` in the working folder, else `/etc/digest/digest.toml`; without any, the defaults.",
        "Each key can also come from the environment: `DIGEST_` + its path joined by `__` (`DIGEST_WEB__BASE_URL`), lists and",
        "tables as JSON. Secrets may lie in files: use the `*_file` keys.",
        "A wrong or unknown key ends every command with exit code 2 and one line that names it.",
    ]
    section, lead = "", list[str]()
    for line in (DOCS.parent / "config/digest.toml").read_text("utf-8").splitlines():
        if header := re.fullmatch(r"(?:# )?(\[{1,2}[a-z_]+\]{1,2})", line):
            section = header[1]
            lines += [
                "",
                f"## `{section}`",
                "",
                *lead,
                *([""] if lead else []),
                "| key | default or example | |",
                "|---|---|---|",
            ]
            lead = []
        elif key := re.match(r"(?:# )?([a-z0-9_]+) = (.+?)(?:\s+# (.*))?$", line):
            if not section:
                section = "the top"
                lines += ["", "## at the top", "", "| key | default or example | |", "|---|---|---|"]
            lines.append(f"| `{key[1]}` | `{key[2].strip()}` | {key[3] or ''} |".replace("|  |", "| |"))
            lead = []
        elif section and (words := re.match(r"# ([A-Z].*)", line)):
            lead.append(words[1])
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command with its arguments and options."""
    lines = [
        "# Commands",
        "",
        "`digest COMMAND`, or `./run digest COMMAND` in a clone. Commands that read or write take `--config PATH`; most take",
        "`--json` (one JSON document on stdout, nothing else there) and, where time matters, `--at INSTANT`. Exit code 0: done;",
        "1: failed, with the reason in one line on stderr; 2: wrong usage or configuration.",
    ]
    context = click.Context(digest, info_name="digest")
    for name in COMMANDS:
        command = digest.get_command(context, name)
        assert command is not None
        lines += list(_told(command, f"digest {name}", context))
    return "\n".join(lines) + "\n"


def _told(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, parent=parent, info_name=name.rpartition(" ")[2])
    usage = " ".join([name, *command.collect_usage_pieces(context)]).replace(" [OPTIONS]", "")
    yield from ("", f"## `{usage}`", "", (command.help or "").strip(), "")
    if isinstance(command, click.Group) and not isinstance(command, Commands):
        for inner in command.commands:
            yield from _told(command.commands[inner], f"{name} {inner}", context)
        return
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in ("config", "as_json", "help"):
            takes = "" if option.is_flag else f" {option.make_metavar(context)}"
            said = (option.help or "").strip()
            yield f"- `{', '.join(option.opts)}{takes}`" + (f": {said}" if said else "")


def sources() -> str:
    """Every kind of source with its options: their names and defaults from the code, their meaning from its docstring."""
    lines = [
        "# Sources",
        "",
        "A `[[sources]]` table has a `name` of your choice and a `kind`, one of these; the keys that all share are in",
        "[configuration.md](configuration.md). What a kind alone understands goes in `options`:",
        "",
        "    [[sources]]",
        '    name = "arxiv"',
        '    kind = "arxiv-rss"',
        '    options = { categories = ["cs.CL", "stat"] }',
        "",
        "A secret is not among them: it is the table's `api_key`, or the file that `api_key_file` names. An unknown kind or",
        "option ends every command with exit code 2 and a line that names it.",
    ]
    for kind, build in KINDS.items():
        made = get_type_hints(build)["return"]
        head, _, told = (inspect.getdoc(made) or "").partition("\n\nOptions: ")
        told = " ".join(told.partition("\nState:")[0].split())
        meanings = dict(re.findall(r"`(\w+)` \(((?:[^()]|\([^()]*\))*)\)", told))
        rest = re.sub(r"^(?:,? ?`\w+` \((?:[^()]|\([^()]*\))*\))*\.? ?", "", told)
        public = next((each.default for each in fields(made) if each.name == "base_url"), MISSING)
        lines += ["", f"## `{kind}`", "", " ".join(head.partition("\nState:")[0].split()), *(["", rest] if rest else []), ""]
        lines.append(f"`base_url`: {f'`{public}` unless set' if public and public is not MISSING else 'none by itself'}.")
        options = [each for each in fields(made) if each.name not in ("name", "base_url")]
        keys = [
            f"| `{each.name}` | {_toml(each.default)} | {meanings[each.name]} |" for each in options if each.name != "api_key"
        ]
        if len(keys) < len(options):
            lines.append("It takes an `api_key`.")
        if keys:
            lines += ["", "| option | default | |", "|---|---|---|", *keys]
        lines += [f"\nShown on pages and in mail: “{each.text}”" for each in acknowledgements([kind])]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    written = str(value).lower() if isinstance(value, bool) else value if isinstance(value, int) else f'"{value}"'
    return f"`{[*value]}`".replace("'", '"') if isinstance(value, tuple) else f"`{written}`"


PAGES = {"reference/configuration.md": configuration, "reference/commands.md": commands, "reference/sources.md": sources}

if __name__ == "__main__":
    for page, made in PAGES.items():
        (DOCS / page).write_text(made(), "utf-8")
