"""`digest dkim-key`: keys only their owner reads, records to publish, and mail signed by the keys the settings name."""

from __future__ import annotations

import json
from pathlib import Path

import dkim
import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address
from digest.services.editions.message_composer import one_off
from tests.editions import SEEN, edition


def made(*options: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(digest, ["dkim-key", "--json", *options], catch_exceptions=False)
    assert done.exit_code == 0
    told: list[dict[str, str]] = json.loads(done.stdout)
    return told


def test_keys_are_made_once_and_sign_what_we_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_MAIL__FROM_ADDRESS", "digest@papers.test")
    first = made()
    assert [(each["made"], each["name"]) for each in first] == [
        (True, "digest._domainkey.papers.test"),
        (True, "digest-ed25519._domainkey.papers.test"),
    ]
    assert [Path(each["file"]).stat().st_mode & 0o777 for each in first] == [0o600, 0o600]
    again = made()
    assert [each["value"] for each in again] == [each["value"] for each in first]
    assert not any(each["made"] for each in again)

    for each in first:
        monkeypatch.setenv(f"DIGEST_DKIM__{each['key'].upper()}", each["file"])
    with Container(load(None)) as container:
        drafted = edition()
        rendered = container.adapters.edition_renderer.render(drafted, container.adapters.paper_list(None))
        room = container.adapters.edition_renderer.message_composer(drafted, container.adapters.paper_list(None), rendered)
        data = room(one_off(Address("ann@reader.test"), drafted, SEEN), None).data
    zone = {f"{each['name']}.".encode(): each["value"].encode() for each in first}
    for index in (0, 1):
        assert dkim.DKIM(data).verify(index, dnsfunc=lambda name, timeout=5: zone[name])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(digest, ["dkim-key", "--out", "nowhere"])
    assert "nowhere" in str(done.exception)
    assert "cannot be made" in str(done.exception)
