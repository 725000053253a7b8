"""The main job on real parts: pages over HTTP → collect → edition → Postfix → Dovecot → read back by IMAP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings, SourceSettings, Web
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.subscriber import Interests, Preferences
from digest.services.monitoring.explain import explain
from digest.services.subscriptions.subscribe import confirm, request
from tests.pages import daily_pages
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import GONE
from tests.servers.postfix import Postfix
from tests.servers.running import PATIENCE

AT = datetime(2026, 5, 22, 12, 0, tzinfo=UTC)
"""A Friday."""


@contextmanager
def _hugging_face(pages: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serves the pages where the API has them; yields its address and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            wanted = parse_qs(urlsplit(self.path).query)
            body = pages.get(wanted["date"][0], b"[]") if wanted.get("p", ["0"]) == ["0"] else b"[]"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def container(tmp_path: Path, postfix_server: Postfix) -> Iterator[tuple[Container, list[str]]]:
    with _hugging_face(daily_pages(date(2026, 5, 15), AT.date())) as (base_url, asked):
        settings = Settings.model_construct(
            database=Database(url=f"sqlite:///{tmp_path / 'digest.sqlite3'}"),
            secrets=Secrets(key_file=tmp_path / "digest.key"),
            web=Web(base_url="https://digest.example.org"),
            mail=Mail(from_name="Digest", from_address="digest@digest.example.org", postal_address="1 Example Street"),
            relays=(Relay(host="127.0.0.1", port=postfix_server.port, tls="none", name="postfix", timeout=PATIENCE),),
            delivery=Delivery(journal=tmp_path / "journal", connections=2),
            lists=(ListSettings(name="daily", title="Trending papers", cutoff=time(5, 0)),),
            sources=(SourceSettings(name="huggingface", kind="huggingface", base_url=base_url),),
        )
        with Container(settings) as made:
            yield made, asked


def _subscribe(container: Container, email: str) -> None:
    address = container.adapters.address(email)
    step = request(
        container.adapters.store, address, "daily", Preferences(hour=time(11, 0)), Interests(), datetime(2026, 5, 20, tzinfo=UTC)
    )
    confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", datetime(2026, 5, 20, tzinfo=UTC))


def test_what_the_edition_says_is_what_the_mailbox_holds(
    container: tuple[Container, list[str]], dovecot_server: Dovecot, postfix_server: Postfix
) -> None:
    wired, asked = container
    readers = ("ada@journey.example", "grace@journey.example")
    for email in (*readers, GONE):
        _subscribe(wired, email)

    [report] = wired.papers.collect_due(AT)
    assert report.error is None or report.error == ""
    assert report.papers_new > 50
    assert report.signals > 50
    assert any("date=2026-05-22" in path for path in asked)
    assert wired.papers.collect_due(AT) == [], "not due again within the hour"

    ticked = wired.scheduler.tick(AT)
    assert (ticked.editions, ticked.deliveries, ticked.failed) == (1, 3, ())
    worked = wired.delivery.deliver(lambda: AT)
    assert (worked.tally.accepted, worked.tally.failed, worked.stopped) == (2, 1, ""), postfix_server.maillog

    edition = wired.editions.edition(wired.adapters.paper_list(None), date(2026, 5, 22), AT)
    assert len(edition.picks) == 10
    for email in readers:
        [mail] = dovecot_server.parsed(email, at_least=1)
        assert edition.picks[0].ranked.paper.title.startswith(str(mail["Subject"]).rstrip("…"))
        assert mail["To"].addresses[0].addr_spec == email
        assert mail["From"].addresses[0].addr_spec == "digest@digest.example.org"
        for header in ("Message-ID", "Date", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version"):
            assert len(mail.get_all(header, [])) == 1, header
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["List-Unsubscribe"].startswith("<https://digest.example.org/unsubscribe/")
        assert mail["Return-Path"].startswith("<bounces+")
        plain, html = mail.iter_parts()
        text, page = plain.get_content(), html.get_content()
        links = [pick.ranked.paper.url for pick in edition.picks]
        for part in (text, page):
            places = [part.index(link) for link in links]
            assert places == sorted(places), "the ten picks, in the edition's order"
            assert "https://digest.example.org/unsubscribe/" in part

    # the reader whose mailbox is gone is not mailed again, and one can see why
    told = explain(wired.adapters.store, wired.adapters.address(GONE), wired.adapters.lists, AT)
    assert told["suppression"]["reason"] == "hard bounce"
    assert "5.1.1" in told["subscriptions"][0]["deliveries"][0]["reason"]

    # all of it once more changes nothing
    again = wired.scheduler.tick(AT)
    assert (again.editions, again.deliveries) == (0, 0)
    assert wired.delivery.deliver(lambda: AT).tally.accepted == 0
    with wired.adapters.store.read() as unit:
        assert unit.deliveries.tally() == {DeliveryState.ACCEPTED: 2, DeliveryState.FAILED: 1}
