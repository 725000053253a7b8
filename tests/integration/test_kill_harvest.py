"""`digest collect` under `kill -9` in mid-harvest: it goes on after the last page kept; no paper is lost or doubled."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from digest.domain.identifier import Identifier
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store
from tests.servers import preloaded
from tests.servers.harvesting import hasten
from tests.servers.running import PATIENCE
from tests.servers.scripted_http import Act, Asked, ScriptedServer, reply, silent

PAGES = 6


def page(number: int) -> Act:
    records = "".join(
        f"<record><header><identifier>oai:arXiv.org:2611.{key:05}</identifier></header><metadata><arXiv><id>2611.{key:05}</id>"
        f"<title>Paper {key}</title><created>2026-11-02</created></arXiv></metadata></record>"
        for key in range(number * 10, number * 10 + 10)
    )
    token = f"page-{number + 1}" if number + 1 < PAGES else ""
    body = f"<OAI-PMH><ListRecords>{records}<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"
    return reply(body=body.encode())


class Arxiv:
    """Serves pages by token. The first time `hangs_at` is asked for it says nothing, and tells the test that it was asked."""

    def __init__(self, hangs_at: str) -> None:
        self.hangs_at = hangs_at
        self.reached = threading.Event()
        self.log: list[str] = []

    def answer(self, asked: Asked) -> Act:
        token = parse_qs(urlsplit(asked.target).query).get("resumptionToken", [""])[0]
        self.log.append(token)
        if token == self.hangs_at and not self.reached.is_set():
            self.reached.set()
            return silent
        return page(int(token.removeprefix("page-") or 0))


def start(config: Path, dies_at: int = 0) -> preloaded.Command:
    return preloaded.start(["collect", "--json", "--config", str(config)], first=partial(hasten, dies_at))


def test_a_harvest_killed_twice_is_completed_page_by_page(tmp_path: Path) -> None:
    arxiv = Arxiv(hangs_at="page-2")
    with ScriptedServer(choose=arxiv.answer) as server:
        config = tmp_path / "digest.toml"
        config.write_text(
            f'[database]\nurl = "sqlite:///{tmp_path}/digest.sqlite"\n[secrets]\nkey_file = "{tmp_path}/key"\n'
            f'[http]\ntotal_timeout = 1\n[[sources]]\nname = "oai"\nkind = "arxiv-oai"\nbase_url = "{server.url}"\n'
        )
        asking = start(config)  # killed while it waits for an answer
        assert arxiv.reached.wait(PATIENCE)
        asking.kill()
        assert asking.wait(PATIENCE) == -9
        assert arxiv.log == ["", "page-1", "page-2"]
        assert start(config, 2).wait(PATIENCE) == -9  # kills itself while it keeps its second page
        assert arxiv.log[3:] == ["page-2", "page-3"]
        last = start(config)
        assert last.wait(PATIENCE) == 0, last.stderr
    assert arxiv.log[5:] == ["page-3", "page-4", "page-5"]
    assert json.loads(last.stdout)[0]["papers_new"] == 30
    store = Store(open_engine(f"sqlite:///{tmp_path}/digest.sqlite"), str)
    with store.read() as unit:
        assert unit.papers.count() == PAGES * 10
        assert all(unit.papers.find(Identifier("arxiv", f"2611.{key:05}")) for key in range(PAGES * 10))
        assert (unit.sources.load("oai", "state") or {}).keys() == {"from"}
    store.close()
