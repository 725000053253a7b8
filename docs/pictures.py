"""Takes docs/pictures: mails of a real morning on a phone (375 px) and in a pane (600 px), light and dark.

    .venv/bin/python docs/pictures.py [--out FOLDER] [--all] [MAIL.eml ...]

Without mails it needs ../shared/data (the recorded pages that its edition is made of) and takes the edition in both styles;
with --all every other kind of mail too. With mails (`digest preview --eml`, or any other) it takes those. Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest.mail.inbound.parsed_message import ParsedMessage  # noqa: E402  # found by the line above
from tests.servers.chromium import chromium, missing  # noqa: E402  # found by the line above
from tests.servers.real_mail import real_mail  # noqa: E402  # found by the line above

WIDTHS = (375, 600)
SCHEMES = ("light", "dark")
HEIGHT = 1700
"""Of a picture for the documentation: three papers say enough."""


def main() -> None:
    read = argparse.ArgumentParser(description="Pictures of mails, as a phone and a pane show them.")
    read.add_argument("mails", nargs="*", type=Path)
    read.add_argument("--out", type=Path, default=ROOT / "docs/pictures")
    read.add_argument("--all", action="store_true", help="every kind of mail, whole, not only the edition")
    asked = read.parse_args()
    if why := missing():
        sys.exit(f"pictures: {why}")
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if asked.mails:
            mails = {mail.stem: mail for mail in asked.mails}
        else:
            made = real_mail(Path(folder))
            mails = {"full": made.mornings[-1], "compact": made.compact[-1], **(made.others if asked.all else {})}
        take(mails, asked.out, whole=asked.all or bool(asked.mails))


def take(mails: dict[str, Path], out: Path, *, whole: bool) -> None:
    """<name>-<width>-<scheme>.png for each mail. Nothing is fetched from anywhere, no script runs."""
    with chromium() as browser:
        for scheme in SCHEMES:
            for width in WIDTHS:
                view = {"width": width, "height": 200 if whole else HEIGHT}
                context = browser.new_context(
                    viewport=view, color_scheme=scheme, device_scale_factor=1.5, java_script_enabled=False, offline=True
                )
                page = context.new_page()
                for name, mail in mails.items():
                    page.set_content(ParsedMessage.read(mail.read_bytes()).html)
                    page.screenshot(path=out / f"{name}-{width}-{scheme}.png", full_page=whole)
                context.close()


if __name__ == "__main__":
    main()
