"""How other people's tools judge our mail: five real mornings, full and compact, and one mail of each other kind, before all.

    DIGEST_MAILQA=DIR python benchmarks/judged.py

DIR is where ../shared/tools/mailqa/setup.sh installed the judges. Prints one JSON line: the worst of each figure. The test
(tests/shared/test_judged_mail.py) asks the same judges, the slow spam filters of fewer mails.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.servers.judges import Judge, asked, missing, negative
from tests.servers.real_mail import real_mail


def main() -> None:
    if why := missing():
        sys.exit(f"judged: {why}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        mail = real_mail(Path(folder))
        verdicts = {judge: ask() for judge, ask in asked(mail, everything=True).items()}
        mornings = (*mail.mornings, *mail.compact)
        sizes = [path.stat().st_size for path in mornings]
    spam = verdicts[Judge.SPAM].values()
    held = [negative(said) for said in spam]
    names = {path.stem for path in mornings}
    said = {
        f"{judge.name.lower()} {name}": told["problems"]
        for judge, by_name in verdicts.items()
        for name, told in by_name.items()
        if told["problems"]
    }
    print(
        json.dumps(
            {
                "benchmark": "judged",
                "mails": len(mornings) + len(mail.others),
                "spamassassin_local_worst": max(each["spamassassin"]["score"] for each in spam),
                "spamassassin_with_dns_worst": max(each["spamassassin_auth"]["score"] for each in spam),
                "rspamd_worst": max(each["rspamd"]["score"] for each in spam),
                "rspamd_content_symbols": {name: max(each.get(name, 0) for each in held) for name in set().union(*held)},
                "clients_unsupported": sum(each["figure"] for each in verdicts[Judge.CLIENTS].values()),
                "html_and_axe_errors": sum(each["figure"] for each in verdicts[Judge.HTML].values()),
                "largest_morning_bytes": max(sizes),
                "mornings_with_problems": sorted(key for key in said if key.partition(" ")[2] in names),
                "other_problems": {key: problems for key, problems in said.items() if key.partition(" ")[2] not in names},
                "seconds": round(time.monotonic() - started, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
