"""The command line: `digest COMMAND`. Each command imports only what it needs, when it is called."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from digest import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("digest.cli.init:init", "Set it up: ask, try the relay, write the settings, send a test mail."),
    "migrate": ("digest.cli.database:migrate", "Create or upgrade the database schema."),
    "import": ("digest.cli.papers:import_", "Load papers and signals from files."),
    "collect": ("digest.cli.papers:collect", "Fetch papers and signals from the configured sources."),
    "trending": ("digest.cli.papers:trending", "Show the ranking at an instant, with reasons."),
    "train": ("digest.cli.ranking:train", "Fit the ranking's coefficients to the stored history."),
    "backtest": ("digest.cli.ranking:backtest", "Replay the stored history: how well would each ranking have done?"),
    "search": ("digest.cli.papers:search", "Find papers by words."),
    "edition": ("digest.cli.editions:edition", "Make (once) or show an edition."),
    "preview": ("digest.cli.editions:preview", "Write the mail exactly as it would be sent."),
    "send": ("digest.cli.editions:send", "Send an edition to given addresses now, once."),
    "subscribe": ("digest.cli.readers:subscribe", "Subscribe an address."),
    "preferences": (
        "digest.cli.preferences:preferences",
        "Change when a reader's mail is due, its language and words; show all.",
    ),
    "interests": ("digest.cli.interests:interests", "Add what a reader cares about, and show what was understood."),
    "unsubscribe": ("digest.cli.readers:unsubscribe", "End an address's subscriptions."),
    "erase": ("digest.cli.readers:erase", "Forget a person, keeping only the suppression hash."),
    "unsuppress": ("digest.cli.readers:unsuppress", "Mail addresses again that were suppressed."),
    "subscribers": ("digest.cli.subscribers:subscribers", "Import, export, suppress or list subscribers."),
    "export-data": ("digest.cli.privacy:export_personal_data", "Everything held about an address, for the person it is about."),
    "prune": ("digest.cli.privacy:run_retention", "Drop what has been kept long enough; the daemon does it daily."),
    "backup": ("digest.cli.database:backup", "Write database and key into one file."),
    "restore": ("digest.cli.database:restore", "Put a backup in the place of the database."),
    "tick": ("digest.cli.running:tick", "One scheduler tick: editions and deliveries that are due."),
    "deliver": ("digest.cli.running:deliver", "Work the outbox until nothing is due."),
    "once": ("digest.cli.once:once", "Without a daemon: collect, make what is due, send, exit."),
    "run": ("digest.cli.running:run", "The daemon: web, scheduler and delivery."),
    "worker": ("digest.cli.running:worker", "Deliver batches handed out on PostgreSQL, on any number of hosts."),
    "pause": ("digest.cli.edition_operations:pause", "Make and send nothing of a list, or of all, until it is resumed."),
    "resume": ("digest.cli.edition_operations:resume", "Go on with a list, or with all."),
    "cancel": ("digest.cli.edition_operations:cancel", "Send no further copy of an edition; what went, what did not."),
    "correct": ("digest.cli.edition_operations:correct", "A correction to exactly those who got an edition."),
    "redeliver": ("digest.cli.edition_operations:redeliver", "An edition again, to exactly those who did not get it."),
    "review": ("digest.cli.review:review", "Refusals in the same words that are held: look, accept or undo."),
    "inbound": ("digest.cli.feedback:inbound", "Process bounces, complaints and unsubscribe mails from files."),
    "explain": ("digest.cli.status:explain", "Why an address was mailed, or not."),
    "lint": ("digest.cli.editions:lint", "The compliance report of a mail."),
    "dkim-key": ("digest.cli.dkim_key:dkim_key", "Make the keys that sign our mail, and say what to publish."),
    "doctor": ("digest.cli.doctor:doctor", "Check configuration, database, relays, DNS, clock and sources."),
    "translations": ("digest.cli.translations:translations", "Bring the catalogues of translations up to date, or check them."),
    "status": ("digest.cli.status:status", "Editions, outbox, and how fresh the sources are."),
    "demo": ("digest.cli.demo:demo", "Today's papers through a real mail server into an inbox on this machine."),
}

OLD_UNSUPPRESS = "digest.cli.readers:unsuppress_one"
"""What unsuppress was called; it takes one address and says so itself."""
OLDER_NAMES = {
    "disclose": "export-data",
    "housekeep": "prune",
    "--anew": "--rerender",
    "--unsure": "--include-uncertain",
    "--new-key": "--accept-new-key",
}
"""Commands and options that have a better name now: they still work, and say so on stderr."""


class Commands(click.Group):
    """Loads a command's module only when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        end = args.index("--") if "--" in args else len(args)
        return super().resolve_command(ctx, [*map(_todays_name, args[:1]), *map(_todays_option, args[1:end]), *args[end:]])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS and cmd_name != "readmit":
            return None
        module, _, attribute = (COMMANDS[cmd_name][0] if cmd_name in COMMANDS else OLD_UNSUPPRESS).partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _todays_name(word: str) -> str:
    new = OLDER_NAMES.get(word)
    if new:
        click.echo(f"digest: {word} is called {new} now", err=True)
    return new or word


def _todays_option(word: str) -> str:
    return _todays_name(word) if word.startswith("--") else word


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="digest")
def digest() -> None:
    """Get trending papers in your inbox once a day."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; every expected error is one line on stderr and an exit code, never a traceback."""
    atexit.register(gc.freeze)  # else Python walks through all there is when it ends, three times: a quarter of a second
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us: what is opened next must not be taken for it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    try:
        digest.main(args=list(arguments) if arguments is not None else None, prog_name="digest", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        from digest.domain.errors import DigestError

        if isinstance(error, DigestError):
            click.echo(f"digest: {error}", err=True)
            sys.exit(error.exit_code)
        if line := _of_the_machine(error):
            _give_up_stdout()
            click.echo(f"digest: {line}", err=True)
            sys.exit(1)
        raise


def _of_the_machine(error: BaseException) -> str:
    """One line about what this machine has no more of; "" for any other error."""
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "cannot start a thread: this user may have no more processes (ulimit -u, TasksMax)"
    if not isinstance(error, OSError):
        return ""
    limits = {
        errno.EMFILE: "this process may open no more files (ulimit -n, LimitNOFILE)",
        errno.ENFILE: "this machine may open no more files (fs.file-max)",
        errno.EAGAIN: "this user may start no more processes (ulimit -u, TasksMax)",
        errno.ENOSPC: "is the disk, or what stdout goes to, full?",
    }
    what = ": ".join(filter(None, (error.strerror or str(error), str(error.filename or ""))))
    return what + (f"; {limits[error.errno]}" if error.errno in limits else "")


def _give_up_stdout() -> None:
    """What is left in its buffer cannot be written: at the end the interpreter would try again, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
