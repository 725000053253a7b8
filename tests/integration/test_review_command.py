"""A relay refuses everybody as if no mailbox existed: `digest deliver` holds them, and one command brings all back."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from digest.cli import digest
from digest.config import load
from tests.outbox import configured, owe
from tests.servers.smtp import Do, Script, SmtpServer


def test_a_flood_at_rcpt_is_held_alarmed_and_undone(tmp_path: Path) -> None:
    refuse = Script(nth={("RCPT", 0): Do("550 5.1.1 User unknown")})
    with SmtpServer(tmp_path / "store", refuse) as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", server.port)
        owe(load(config), 30)

        def call(*arguments: str) -> Result:
            return CliRunner().invoke(digest, [*arguments, "--config", str(config)])

        delivered = call("deliver", "--json")
        assert delivered.exit_code == 1
        assert "27 refusals in the same words are held for review" in delivered.stderr
        assert [(len(each["addresses"]), each["state"]) for each in json.loads(call("review", "--json").stdout)] == [
            (27, "held"),
            (3, "carried out"),
        ]
        assert json.loads(call("status", "--json").stdout)["held_for_review"] == [
            {"reply": "550 5.1.1 User unknown", "refusals": 27}
        ]
        assert call("review", "--undo").exit_code == 0
        assert json.loads(call("status", "--json").stdout)["outbox"] == {"queued": 30}
        assert call("review", "--accept", "--undo").exit_code == 2
