"""Logins with OAuth (XOAUTH2): a token endpoint and a relay that answer as Google and Microsoft document it."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.errors import ConfigurationError
from digest.services.delivery.oauth import AccessTokens
from tests.outbox import configured, queue
from tests.servers.scripted_http import ScriptedServer, reply
from tests.servers.smtp import SmtpServer


def answer(status: str = "200 OK", **fields: Any) -> Any:
    return reply(status, json.dumps(fields).encode(), Content_Type="application/json")


def settings(
    folder: Path, database_url: str, relay: SmtpServer, endpoint: str, oauth: str = "", username: str = "me@lab.example"
) -> Path:
    oauth = oauth or 'provider = "google", client_id = "app", client_secret = "s3cret", refresh_token_file = "{file}"'
    (folder / "refresh").write_text("rt-1\n")
    table = f'oauth = {{ {oauth.format(file=folder / "refresh")}, token_url = "{endpoint}/token" }}'
    return configured(folder, database_url, relay.port, "", f'username = "{username}"\n{table}')


def deliver(config: Path) -> tuple[int, str]:
    with Container(load(config)) as container:
        result = container.delivery.deliver(lambda: datetime.now(UTC))
    return result.tally.accepted, result.stopped


def test_a_refresh_token_logs_in(tmp_path: Path, sqlite_url: str) -> None:
    with (
        SmtpServer(tmp_path / "kept", token="at-1") as relay,
        ScriptedServer([answer(access_token="at-1", expires_in=3599, token_type="Bearer")]) as endpoint,
    ):
        config = settings(tmp_path, sqlite_url, relay, endpoint.url)
        queue(load(config), 3)
        assert deliver(config) == (3, "")
    [asked] = endpoint.asked
    assert (asked.method, asked.target) == ("POST", "/token")
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"], "client_id": ["app"], "client_secret": ["s3cret"], "refresh_token": ["rt-1"],
    }  # fmt: skip
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    [login] = {line for line in relay.commands if line.startswith("AUTH")}
    assert base64.b64decode(login.split()[2]) == b"user=me@lab.example\1auth=Bearer at-1\1\1"


def test_microsoft_names_a_scope_and_renews_the_refresh_token(tmp_path: Path, sqlite_url: str) -> None:
    oauth = 'provider = "microsoft", client_id = "app", refresh_token_file = "{file}"'
    with (
        SmtpServer(tmp_path / "kept", token="at-1") as relay,
        ScriptedServer([answer(access_token="at-1", expires_in=3599, refresh_token="rt-2")]) as endpoint,
    ):
        config = settings(tmp_path, sqlite_url, relay, endpoint.url, oauth)
        queue(load(config), 1)
        assert deliver(config) == (1, "")
    form = parse_qs(endpoint.asked[0].body.decode())
    assert form["scope"] == ["https://outlook.office.com/SMTP.Send offline_access"]
    assert "client_secret" not in form
    assert (tmp_path / "refresh").read_text() == "rt-2\n"
    assert stat.S_IMODE((tmp_path / "refresh").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("status", "fields", "named"),
    [
        (
            "400 Bad Request",
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
            "sign in again",
        ),
        ("401 Unauthorized", {"error": "invalid_client"}, "relays.oauth.client_id"),
        ("400 Bad Request", {"error": "unauthorized_client"}, "relays.oauth.client_id"),
        ("400 Bad Request", {"error": "invalid_scope"}, "SMTP.Send"),
        (
            "400 Bad Request",
            {"error": "something_new", "error_description": "AADSTS1: a\r\nb"},
            "AADSTS1: a b); check relays.oauth",
        ),
        ("403 Forbidden", {}, "HTTP 403); check relays.oauth"),
        ("200 OK", {"token_type": "Bearer"}, "gave no access token"),
    ],
)
def test_what_the_endpoint_refuses_says_what_to_do(
    tmp_path: Path, sqlite_url: str, status: str, fields: dict[str, str], named: str
) -> None:
    with SmtpServer(tmp_path / "kept", token="at-1") as relay, ScriptedServer([answer(status, **fields)]) as endpoint:
        config = settings(tmp_path, sqlite_url, relay, endpoint.url)
        queue(load(config), 2)
        accepted, stopped = deliver(config)
    assert accepted == 0
    assert named in stopped
    assert "\n" not in stopped
    assert "rt-1" not in stopped
    assert "s3cret" not in stopped


def test_a_token_that_the_relay_refuses(tmp_path: Path, sqlite_url: str) -> None:
    with (
        SmtpServer(tmp_path / "kept", token="at-1") as relay,
        ScriptedServer([answer(access_token="of another", expires_in=60)]) as endpoint,
    ):
        config = settings(tmp_path, sqlite_url, relay, endpoint.url)
        queue(load(config), 1)
        accepted, stopped = deliver(config)
    assert accepted == 0
    assert "AUTH was answered 535 5.7.8" in stopped
    assert "set relays.oauth to a refresh token of this account" in stopped


def test_a_relay_without_xoauth2_says_so(tmp_path: Path, sqlite_url: str) -> None:
    with (
        SmtpServer(tmp_path / "kept", password="at-1") as relay,
        ScriptedServer([answer(access_token="at-1", expires_in=60)]) as endpoint,
    ):
        config = settings(tmp_path, sqlite_url, relay, endpoint.url)
        queue(load(config), 1)
        assert "the relay offers the login methods PLAIN, LOGIN; we know XOAUTH2" in deliver(config)[1]


@pytest.mark.parametrize(
    ("oauth", "username", "named"),
    [
        (
            'provider = "yahoo", client_id = "x"',
            "me@x.example",
            "relays.0.oauth.provider: should be 'google'",
        ),
        ('provider = "google"', "me@x.example", "relays.0.oauth.client_id: is missing"),
        ('provider = "google", client_id = "x"', "me@x.example", "relays.oauth.refresh_token: is missing"),
        ('provider = "google", client_id = "x", refresh_token = "y"', "", "relays.recorder.username: is missing"),
    ],
)
def test_a_setting_that_cannot_work_is_named(tmp_path: Path, sqlite_url: str, oauth: str, username: str, named: str) -> None:
    with SmtpServer(tmp_path / "kept", token="at-1") as relay, ScriptedServer([answer(access_token="at-1")]) as endpoint:
        config = settings(tmp_path, sqlite_url, relay, endpoint.url, oauth, username)
        with pytest.raises(ConfigurationError, match=named.replace(".", r"\.")), Container(load(config)) as container:
            container.relays.each(lambda: datetime.now(UTC))


def test_a_token_is_kept_while_it_lasts_and_never_sent_in_clear(tmp_path: Path, sqlite_url: str) -> None:
    now = [datetime(2026, 3, 2, 7, tzinfo=UTC)]
    with (
        SmtpServer(tmp_path / "kept", token="at-1") as relay,
        ScriptedServer(
            [answer(access_token="at-1", expires_in=3600), answer(access_token="at-2", expires_in="soon")]
        ) as endpoint,
    ):
        config = settings(tmp_path, sqlite_url, relay, endpoint.url)
        with Container(load(config)) as container:
            oauth = container.settings.relays[0].oauth
            assert oauth
            tokens = AccessTokens("recorder", oauth, lambda: container.adapters.getter, lambda: now[0])
            found = []
            for minutes in (0, 58, 2):
                now[0] += timedelta(minutes=minutes)
                found.append(tokens.access_token())
            assert found == ["at-1", "at-1", "at-2"]
            bare = oauth.model_copy(update={"token_url": "http://login.example.org/token"})
            with pytest.raises(ConfigurationError, match="should begin with https://"):
                AccessTokens("recorder", bare, lambda: container.adapters.getter, lambda: now[0])
