"""Takes docs/pictures/pages: the pages of a real week on a phone (375 px) and a desk (1280 px), light and dark.

    .venv/bin/python docs/page_pictures.py [--out FOLDER] [--language LANGUAGE] [--device phone] [--scheme light] [PAGE ...]

Needs ../shared/data (the recorded pages its editions are made of) and Chromium. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest.config import Web  # noqa: E402  # found by the line above
from digest.domain.subscriber import Interests, NewReader, Preferences  # noqa: E402
from digest.links import Purpose  # noqa: E402
from digest.mail.auth.dkim import new_key  # noqa: E402
from digest.services.papers.import_files import load  # noqa: E402
from digest.web.app import create_app  # noqa: E402
from tests.servers.chromium import chromium, missing  # noqa: E402
from tests.servers.real_mail import DAYS, READER, settings_of, unpack  # noqa: E402
from tests.servers.running import free_port  # noqa: E402
from tests.servers.stocked import CONSENT  # noqa: E402
from tests.servers.website import serving  # noqa: E402
from tests.transport import FakeTransport, OfflineContainer  # noqa: E402

WIDTHS = {"phone": 375, "desk": 1280}
SCHEMES = ("light", "dark")
HEIGHTS = {"phone": 1200, "desk": 900}
MORNING = timedelta(hours=8, minutes=5)


def main() -> None:
    read = argparse.ArgumentParser(description="Pictures of the pages, as a phone and a desk show them.")
    read.add_argument("pages", nargs="*", help="home, edition, paper …; all unless told")
    read.add_argument("--out", type=Path, default=ROOT / "docs/pictures/pages")
    read.add_argument("--whole", action="store_true", help="each page to its end")
    read.add_argument("--language", default="en", help="what the browser asks for")
    read.add_argument("--device", choices=WIDTHS, action="append")
    read.add_argument("--scheme", choices=SCHEMES, action="append")
    asked = read.parse_args()
    if why := missing():
        sys.exit(f"pictures: {why}")
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, week(Path(folder)) as pages:
        wanted = {name: address for name, address in pages.items() if name in asked.pages or not asked.pages}
        views = [(device, scheme) for device in asked.device or WIDTHS for scheme in asked.scheme or SCHEMES]
        take(wanted, views, asked.out, asked.language, whole=asked.whole)


@contextmanager
def week(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of pages, by name, while they are served: five editions, and a reader who got them and saved two papers."""
    unpack(folder / "pages")
    (folder / "rsa.pem").write_bytes(new_key("rsa"))
    port = free_port()
    now = [datetime(2026, 5, 1, tzinfo=UTC)]
    settings = settings_of(folder, f"http://127.0.0.1:{port}")
    with OfflineContainer(settings, FakeTransport(lambda: now[0])) as container:
        store, links = container.adapters.store, container.adapters.links
        load([folder / "pages"], store, None, datetime(2026, 5, 26, tzinfo=UTC))
        paper_list = container.adapters.paper_list(None)
        wishes = Interests(words=("diffusion language models", "robot manipulation"), authors=("ziwei liu",))
        reader = NewReader(READER, paper_list.name, Preferences(timezone="Europe/Berlin"), wishes)
        with store.begin() as unit:
            unit.subscribers.add_confirmed([reader], CONSENT, now[0])
        for day in DAYS:
            now[0] = datetime(day.year, day.month, day.day, tzinfo=UTC) + MORNING
            container.scheduler.tick(now[0])
            container.delivery.deliver(lambda: now[0])
        subscription = container.subscriptions.subscription(READER, paper_list)
        edition = container.editions.newest(paper_list, now[0])
        assert edition
        manage = f"/manage/{links.token(Purpose.MANAGE, subscription.public_id, now[0])}"
        first, second = (str(pick.ranked.paper.identifiers[0]) for pick in edition.picks[:2])
        for identifier in (first, second):
            container.libraries.save_paper(subscription.id, identifier, now[0])
        with serving(create_app(container, lambda: now[0], keep_seconds=0), Web(port=port)):
            base = f"http://127.0.0.1:{port}"
            yield {
                "home": base,
                "edition": f"{base}/lists/{paper_list.name}/{DAYS[-1]}",
                "paper": f"{base}/papers/{first}",
                "trending": f"{base}/trending?window=week",
                "archive": f"{base}/lists/{paper_list.name}",
                "search": f"{base}/papers?q=diffusion+language+model",
                "subscribe": f"{base}/subscribe",
                "preferences": base + manage,
                "issues": f"{base}{manage}/issues",
                "saved": f"{base}{manage}/saved",
                "profile": f"{base}{manage}/profile",
            }


def take(pages: dict[str, str], views: list[tuple[str, str]], out: Path, language: str, *, whole: bool) -> None:
    """<name>-<phone or desk>-<scheme>.png for each page, with the language where it is not English."""
    ending = "" if language == "en" else f"-{language}"
    with chromium() as browser:
        for device, scheme in views:
            view = {"width": WIDTHS[device], "height": HEIGHTS[device]}
            context = browser.new_context(viewport=view, color_scheme=scheme, locale=language)
            page = context.new_page()
            for name, address in pages.items():
                answer = page.goto(address)
                assert answer is not None
                assert answer.status == 200, f"{name}: {answer.status}"
                page.screenshot(path=out / f"{name}-{device}-{scheme}{ending}.png", full_page=whole)
            context.close()


if __name__ == "__main__":
    main()
