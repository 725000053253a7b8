"""How a relay may be set up, and what is said of a way that cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from digest.domain.errors import ConfigurationError
from digest.mail.smtp.relay_settings import RelaySettings, Timeouts
from tests.tables import every_row

CLEAR = "should be starttls or tls: the password would cross the network in clear"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "two words"}, "relays.name: 'two words' should be one word in ASCII"),
    ({"name": "größe"}, "relays.name: 'größe' should be one word in ASCII"),
    ({"host": "a b"}, "relays.name: 'a b:25' should be one word in ASCII"),
    ({"port": 0}, "relays.mx.example:0.port: 0 should be between 1 and 65535"),
    ({"port": 65536, "name": "main"}, "relays.main.port: 65536 should be between 1 and 65535"),
    ({"tls": "ssl", "name": "main"}, "relays.main.tls: 'ssl' should be none, starttls or tls"),
    ({"max_per_connection": 0, "name": "main"}, "relays.main.max_per_connection: should be at least 1"),
    ({"tls": "none", "username": "ada", "name": "main"}, f"relays.main.tls: {CLEAR}"),
    ({"username": "größe", "name": "main"}, "relays.main.password: should be ASCII: SMTP AUTH here knows no other"),
    ({"password": "größe", "name": "main"}, "relays.main.password: should be ASCII: SMTP AUTH here knows no other"),
]


@every_row(("given", "said"), WRONG)
def test_what_cannot_work_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        RelaySettings(**{"host": "mx.example"} | given)
    assert str(refused.value) == f"configuration: {said}"


WELL: list[dict[str, Any]] = [
    {"port": 1},
    {"port": 65535},
    {"tls": "none"},
    {"tls": "tls"},
    {"max_per_connection": 1},
    {"username": "ada", "password": "x"},
    {"username": "ada", "tls": "tls"},
    {"username": "ada", "tls": "none", "cleartext_login": True},
    {"username": "ada", "tls": "none", "host": "127.0.0.1"},
    {"username": "ada", "tls": "none", "host": "localhost"},
    {"username": "ada", "tls": "none", "host": "::1"},
]


@every_row("given", WELL, ids=str)
def test_what_can_work_is_taken(given: dict[str, Any]) -> None:
    made = RelaySettings(**{"host": "mx.example"} | given)
    assert made.name == f"{made.host}:{made.port}", "how it is called where it has no name"


def test_without_more_than_a_host_it_is_safe() -> None:
    made = RelaySettings(host="mx.example", password="hush")
    assert (made.name, made.port, made.tls, made.max_per_connection) == ("mx.example:25", 25, "starttls", 1000)
    assert "hush" not in repr(made)


def test_waits_may_be_shortened_never_lengthened_and_the_final_dot_has_twice_as_long() -> None:
    """RFC 5321 §4.5.3.2.6: who gives up on the dot too early has the reader get the mail twice."""
    assert Timeouts.within(20) == Timeouts(connect=20, greeting=20, command=20, data=20, block=20, dot=40)
    assert Timeouts.within(3600) == Timeouts()
    assert Timeouts().dot == 600
    assert Timeouts.within(200).dot == 400
