"""Libraries kept elsewhere, by way of the page, the commands and the daemon's job."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from digest.config import load
from digest.config.papers import LookUps
from digest.container import Container
from digest.domain.library_account import zotero_library
from digest.domain.subscriber import Address
from digest.links import Purpose
from tests.command_line import clean_environment, command
from tests.libraries import library
from tests.servers import preloaded
from tests.servers.libraries import KEY, Elsewhere, elsewhere
from tests.servers.running import PATIENCE, free_port, until
from tests.servers.scripted_http import reply, silent
from tests.servers.website import Website, website

ADA = "ada@example.org"


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with elsewhere() as made:
        yield made


# ---- the page ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, stocked: Path, there: Elsewhere) -> Iterator[Website]:
    with website(tmp_path, stocked) as made:
        urls = {"zotero_url": there.url, "orcid_url": there.url, "openalex_url": there.url}
        made.container.settings.__dict__["look_ups"] = LookUps(**urls)  # type: ignore[arg-type]
        made.reader(ADA)
        yield made


def test_connected_read_refused_and_disconnected_on_the_page(site: Website, there: Elsewhere) -> None:
    manage = site.link(Purpose.MANAGE)
    there.zotero.put_works(library(count=3))
    there.zotero.put("BAD00001", title="", abstractNote="<script>")
    answer = site.post(f"{manage}/connect", {"zotero_key": KEY, "orcid": "", "openalex": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{manage}?saved=connected")
    assert "Not read to its end yet" in site.get(f"{manage}?saved=connected").text
    site.container.libraries.sync(lambda: site.now)
    page = site.get(manage).text
    assert "Zotero users/475425: 3 papers, 1 not understood. Last read on 27 May 2026." in page
    assert "BAD00001: title: is missing" in page
    assert KEY not in page

    there.zotero.revoked = True
    site.post(f"{manage}/connect", {"zotero_key": KEY})
    site.container.libraries.sync(lambda: site.now)
    page = site.get(manage).text
    assert "Zotero does not accept your key any more. Create a new one at https://www.zotero.org/settings/keys" in page
    assert "3 papers" in page

    data = site.get(f"{manage}/data.json").text
    assert json.loads(data)["subscriptions"][0]["library_accounts"][0]["key"] == "kept encrypted"
    assert KEY not in data
    [account] = site.container.libraries.of(site.subscription().id)  # type: ignore[union-attr]
    site.post(f"{manage}/disconnect", {"account": str(account.id), "papers": "remove"})
    assert site.container.libraries.of(account.subscription_id) == []
    assert not [row for row in site.tables()["works"] if "reader" in row.lower()]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"zotero_key": "two words"}, "should be the 24 letters and digits"),
        ({"zotero_library": "groups/abc"}, "should be like users/475425"),
        ({"zotero_library": "users/475425"}, "Zotero key: is needed for users/475425"),
        ({"orcid": "0000-0002-1825-0098"}, "has a digit that is wrong"),
        ({"openalex": "https://example.org/A1"}, "should be like A5023888391"),
        ({}, "Enter a key, an ORCID iD or an author."),
    ],
)
def test_what_cannot_be_read_is_said_beside_the_field(site: Website, form: dict[str, str], words: str) -> None:
    answer = site.post(f"{site.link(Purpose.MANAGE)}/connect", form)
    assert answer.status_code == 400
    assert words in answer.text
    assert "two words" not in answer.text
    assert site.tables()["library_accounts"] == []


def test_nobody_disconnects_what_is_not_theirs(site: Website) -> None:
    site.post(f"{site.link(Purpose.MANAGE)}/connect", {"orcid": "0000-0002-1825-0097"})
    site.reader("ben@example.org")
    assert site.post(f"{site.link(Purpose.MANAGE, 'ben@example.org')}/disconnect", {"account": "1"}).status_code == 404
    assert len(site.tables()["library_accounts"]) == 1


# ---- commands ----------------------------------------------------------------------------------------------------------------


class Terminal:
    def __init__(self, folder: Path, there: Elsewhere) -> None:
        self.folder, self.port = folder, free_port()
        self.key = folder / "key"
        self.key.write_text(f"{KEY}\n")
        (folder / "digest.toml").write_text(f"""
database.url = "sqlite:///{folder}/digest.sqlite3"
secrets.key = "a key of the tests' own"
mail.from_address = "digest@example.test"
sources = []
web.port = {self.port}
web.base_url = "http://127.0.0.1:{self.port}"
relays = [{{ host = "127.0.0.1", port = 9, tls = "none" }}]
delivery.journal = "{folder}/journal"
[look_ups]
arxiv_url = ""
zotero_url = "{there.url}"
orcid_url = "{there.url}"
openalex_url = "{there.url}"
[[lists]]
name = "daily"
title = "Papers"
""")
        assert self("subscribe", ADA, "--confirmed").returncode == 0

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return command(self.folder, *words, "--config", "digest.toml", environment=clean_environment())


@pytest.fixture
def digest(tmp_path: Path, there: Elsewhere) -> Terminal:
    return Terminal(tmp_path, there)


def test_each_way_in_reports_what_it_kept(digest: Terminal, there: Elsewhere) -> None:
    there.zotero.put_works(library(count=4))
    there.zotero.put("BAD00001", title="")
    there.works = library(count=3)
    said = digest("interests", ADA, "--zotero", "own", "--zotero-key-file", str(digest.key))
    assert "Zotero users/475425: 4 papers kept, 0 of them without abstract, 1 not understood; read at" in said.stdout
    assert "not understood: BAD00001: title: is missing" in said.stderr
    said = digest("interests", ADA, "--orcid", "https://orcid.org/0000-0002-1825-0097", "--openalex", "a5023888391", "--json")
    kept = {each["kind"]: (each["kept"], each["without_abstract"]) for each in json.loads(said.stdout)["libraries"]}
    assert kept == {"zotero": (4, 0), "orcid": (3, 3), "openalex": (3, 0)}
    assert KEY not in said.stdout + said.stderr


def test_later_runs_read_what_changed_and_a_revoked_key_is_told(digest: Terminal, there: Elsewhere) -> None:
    there.zotero.put_works(library(count=4))
    digest("interests", ADA, "--zotero", "users/475425", "--zotero-key-file", str(digest.key))
    there.zotero.delete("W0000000")
    before = len(there.asked)
    assert "readers' libraries: 1 read, 0 could not be" in digest("collect", "--at", "2099-01-01T06:00:00Z").stdout
    assert len(there.asked) - before == 2
    there.zotero.revoked = True
    digest("once", "--at", "2099-01-02T06:00:00Z")
    said = digest("interests", ADA)
    assert "3 papers kept" in said.stdout
    assert "Create a new one at https://www.zotero.org/settings/keys" in said.stderr
    explained = digest("explain", ADA)
    assert "Create a new one at" in explained.stdout
    assert KEY not in said.stdout + said.stderr + explained.stdout
    assert digest("interests", ADA, "--disconnect", "zotero").stdout == "3 papers in the library\n", "they stay"
    assert digest("interests", ADA, "--disconnect", "zotero").returncode != 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--zotero", "groups/x"], "Zotero library 'groups/x': should be like users/475425, groups/4711"),
        (["--zotero", "users/5"], "Zotero key: is needed for users/5"),
        (["--zotero", "own"], "Zotero library: should be named, such as groups/4711, or come with its key"),
        (["--zotero", "groups/5"], "This Zotero library is not public."),
        (["--orcid", "0000-0001-5109-3700"], "ORCID has no such iD: 0000-0001-5109-3700"),
        (["--openalex", "A11111"], "OpenAlex has no such author with works: A11111"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_is_not_connected(digest: Terminal, words: list[str], said: str) -> None:
    answer = digest("interests", ADA, *words)
    assert (answer.returncode != 0, answer.stdout) == (True, "")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert json.loads(digest("interests", ADA, "--json").stdout)["libraries"] == []


def test_a_key_that_never_worked_is_refused_at_once(digest: Terminal) -> None:
    digest.key.write_text("mistyped")
    answer = digest("interests", ADA, "--zotero", "own", "--zotero-key-file", str(digest.key))
    assert (answer.returncode != 0, "does not accept this key for this library" in answer.stderr) == (True, True)
    assert "mistyped" not in answer.stderr
    assert json.loads(digest("interests", ADA, "--json").stdout)["libraries"] == []


def test_clear_takes_the_libraries_along(digest: Terminal, there: Elsewhere) -> None:
    there.zotero.put_works(library(count=4))
    digest("interests", ADA, "--zotero", "own", "--zotero-key-file", str(digest.key))
    said = json.loads(digest("interests", ADA, "--clear", "--json").stdout)
    assert (said["libraries"], said["understood"]) == ([], [])


# ---- the daemon --------------------------------------------------------------------------------------------------------------


def test_the_daemon_reads_in_a_job_of_its_own_and_ends_while_it_waits(digest: Terminal, there: Elsewhere) -> None:
    there.zotero.put_works(library(count=150))
    whose, pages = 1, 2
    there.zotero.faults = [silent, *[None] * (whose + pages), reply("429 Too Many Requests", Retry_After="50")]
    with Container(load(digest.folder / "digest.toml")) as container:
        [subscription] = container.subscriptions.of(Address(ADA))
        for each in ("", "users/475425"):
            container.libraries.connect(subscription.id, zotero_library(each), KEY, datetime.now(UTC))
        daemon = preloaded.start(["run", "--config", "digest.toml"], cwd=digest.folder, env=clean_environment())
        try:
            until(lambda: there.asked)
            assert httpx2.get(f"http://127.0.0.1:{digest.port}/healthz", trust_env=False).status_code == 200
            until(lambda: [each.papers for each in container.libraries.of(subscription.id)] == [150, 0])
            until(lambda: not there.zotero.faults)  # and it waits
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(PATIENCE) == 0
            assert "stopped" in daemon.stdout + daemon.stderr
            assert KEY not in daemon.stdout + daemon.stderr
        finally:
            daemon.kill()
            daemon.wait(10)
