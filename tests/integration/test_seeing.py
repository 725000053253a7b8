"""`digest status` and `digest explain` as a person reads them, before anything happened and when something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.cli import main
from digest.config import load
from digest.container import Container
from tests.outbox import configured, queue

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def said(capsys: pytest.CaptureFixture[str], config: Path, *words: str) -> list[str]:
    main([*words, "--config", str(config)])
    return capsys.readouterr().out.splitlines()


def test_before_anything_happened_it_says_so(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, sqlite_url, 9)
    config.write_text(config.read_text() + '[[sources]]\nname = "hf"\nkind = "huggingface"\n')
    lines = said(capsys, config, "status")
    assert "  - name daily, edition none" in lines
    assert "outbox: none" in lines
    assert "  - name hf, fresh_at none, asked_at none" in lines
    assert lines[-1] == "No daemon runs here: editions are made by digest once, or by digest run while it runs."


def test_what_is_wrong_stands_where_one_looks(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, sqlite_url, 9)
    config.write_text(config.read_text() + '[[sources]]\nname = "hf"\nkind = "huggingface"\n')
    queue(load(config), 3)
    with Container(load(config)) as container:
        with container.adapters.store.begin() as unit:
            unit.sources.save("hf", "health", {"at": "2026-03-02T05:00:00Z", "stale": True, "error": None}, AT)
        container.operations.pause(["daily"], "wrong links", AT)
        container.monitoring.alarm(container.monitoring.findings(AT), AT)
        election = container.scheduler.election()
        assert election.acquire_or_renew()
        lines = said(capsys, config, "status")
        assert "  - name daily, paused wrong links, edition 2026-03-02, state frozen, picks 10" in lines
        assert "  queued: 3" in lines
        assert "  - name hf, fresh_at none, asked_at 2026-03-02T05:00:00Z, stale" in lines
        assert f"  owner: {election.owner}" in lines
        assert "Nothing makes editions" not in lines[-1]
    lines = said(capsys, config, "explain", "reader0@example.org")
    assert any("now the list is paused: wrong links" in line for line in lines)
    assert any(line.strip().startswith("- edition 2026-03-02, cutoff 2026-03-02T12:00:00Z, state queued") for line in lines)
    assert any("accepted_at none" in line for line in lines)
