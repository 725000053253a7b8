"""The judges of ../shared/tools/mailqa, at work on our mail: other people's tools, each one JSON line a mail.

DIGEST_MAILQA   where its setup.sh installed them (default: beside their sources)
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from tests.servers.real_mail import RealMail
from tests.shared_data import SHARED

JUDGES = Path(os.environ.get("DIGEST_MAILQA", SHARED / "tools/mailqa"))
Verdicts = Callable[[], Mapping[str, Mapping[str, Any]]]
"""Waits for a judge; what it says by the mail's name."""
PATIENCE = 120
NEGATIVE = (
    "MANY_INVISIBLE_PARTS",
    "DATE_IN_PAST",
    "HFILTER",
    "URIBL",
    "PHISH",
    "R_SUSPICIOUS",
    "MIME_BAD",
    "ZERO_FONT",
    "HTML_SHORT",
)
"""How rspamd's symbols for content that spam has begin; of these only a hint up to `HINT` may stand."""
HINT = 0.1


class Judge(Enum):
    SPAM = ("judge_spam.sh",)
    HTML = ("judge_html.mjs", "--no-vnu")
    CLIENTS = ("judge_clients.mjs",)
    MIME = ("judge_mime.py",)
    DKIM = ("judge_dkim.py",)

    @property
    def program(self) -> str:
        return self.value[0]

    def command(self, zone: Path) -> list[str]:
        python = str(JUDGES / ".venv/bin/python")
        first = {".mjs": ["node"], ".py": [python]}.get(Path(self.program).suffix, [])
        known = {Judge.SPAM: ["--python", python, "--zone", str(zone), "--sa-max", "0.1"], Judge.DKIM: ["--zone", str(zone)]}
        return [*first, str(JUDGES / self.program), *self.value[1:], *known.get(self, [])]


def missing() -> str | None:
    """Why they cannot be asked; None when they can."""
    if (JUDGES / "node_modules").is_dir() and (JUDGES / ".venv/bin/python").exists():
        return None
    return "needs mailqa's judges: run its setup.sh DIR and set DIGEST_MAILQA=DIR"


def negative(said: Mapping[str, Any]) -> dict[str, float]:
    """What rspamd holds against the content of a mail, by symbol."""
    symbols: Mapping[str, float] = said["rspamd"]["symbols"]
    return {name: score for name, score in symbols.items() if name.startswith(NEGATIVE) and score > 0}


@contextmanager
def asked(mail: RealMail, *, everything: bool = False) -> Iterator[Mapping[Judge, Verdicts]]:
    """Every judge started on every mail, side by side. The spam filters, which need seconds a mail, get the mornings and the
    shortest notice; with `everything`, all.
    """
    every = [*mail.mornings, *mail.others.values()]
    some = [*mail.mornings, mail.others["goodbye"]]
    with ExitStack() as end:
        yield {
            judge: _started(end, judge, mail.zone, some if judge is Judge.SPAM and not everything else every) for judge in Judge
        }


def _started(end: ExitStack, judge: Judge, zone: Path, mails: Sequence[Path]) -> Verdicts:
    out, errors = (zone.with_name(f"{judge.name}-{mails[0].stem}.{ending}") for ending in ("out", "err"))
    with out.open("wb") as says, errors.open("wb") as complains:
        process = subprocess.Popen(
            [*judge.command(zone), *map(str, mails)], cwd=JUDGES, stdout=says, stderr=complains, start_new_session=True
        )

    def stopped() -> None:
        if process.poll() is None:
            process.terminate()
            process.wait(10)

    end.callback(stopped)

    def verdicts() -> Mapping[str, Mapping[str, Any]]:
        process.wait(PATIENCE)
        said = [json.loads(line) for line in out.read_text("utf-8").splitlines() if line.startswith("{")]
        assert len(said) == len(mails), errors.read_text("utf-8", "replace")[-2000:]
        return {Path(each["file"]).stem: each for each in said}

    return verdicts
