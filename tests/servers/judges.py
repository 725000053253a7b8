"""The judges of ../shared/tools/mailqa, at work on our mail: other people's tools, each one JSON line a mail.

DIGEST_MAILQA   where its setup.sh installed them (default: beside their sources)
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers.real_mail import RealMail
from tests.shared_data import SHARED

JUDGES = Path(os.environ.get("DIGEST_MAILQA", SHARED / "tools/mailqa"))
Verdicts = Callable[[], Mapping[str, Mapping[str, Any]]]
"""Asks a judge; what it says by the mail's name."""
PATIENCE = 300
"""Seconds: the browser alone needs ten a mail on a busy machine."""
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


def asked(mail: RealMail, *, everything: bool = False) -> Mapping[Judge, Verdicts]:
    """Every judge, to be asked one after the other: each has the machine to itself, which rspamd needs to begin in its time.

    The spam filters, which need seconds a mail, get the mornings and the shortest notice; with `everything`, all.
    """
    every = [*mail.mornings, *mail.compact, *mail.others.values()]
    some = [*mail.mornings, *mail.compact, *(path for name, path in mail.others.items() if name == "goodbye")]
    return {
        judge: partial(_verdicts, judge, mail.zone, some if judge is Judge.SPAM and not everything else every) for judge in Judge
    }


def _verdicts(judge: Judge, zone: Path, mails: Sequence[Path]) -> Mapping[str, Mapping[str, Any]]:
    command = [*judge.command(zone), *map(str, mails)]
    done = subprocess.run(command, cwd=JUDGES, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(said) == len(mails), done.stderr[-2000:]
    return {Path(each["file"]).stem: each for each in said}
