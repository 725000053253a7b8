"""A token does one thing, for one subscription, and cannot be bent to another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidToken
from digest.links import Links, Purpose

NOW = datetime(2026, 5, 4, tzinfo=UTC)
LINKS = Links("https://digest.example/", "secret")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_is_read_back_for_its_purpose_only(purpose: Purpose) -> None:
    token = LINKS.token(purpose, 42, NOW)
    assert LINKS.read(purpose, token, NOW) == 42
    for other in set(Purpose) - {purpose}:
        with pytest.raises(InvalidToken):
            LINKS.read(other, token, NOW)


def test_a_confirmation_expires_and_an_unsubscription_never_does() -> None:
    with pytest.raises(InvalidToken, match="expired"):
        LINKS.read(Purpose.CONFIRM, LINKS.token(Purpose.CONFIRM, 42, NOW), NOW + timedelta(days=7))
    assert LINKS.read(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.UNSUBSCRIBE, 42), NOW + timedelta(days=4000)) == 42


def test_another_secret_makes_other_tokens() -> None:
    with pytest.raises(InvalidToken):
        LINKS.read(Purpose.MANAGE, Links("https://digest.example", "other").token(Purpose.MANAGE, 42), NOW)


@given(st.text(max_size=120))
def test_nothing_made_up_is_a_token(made_up: str) -> None:
    with pytest.raises(InvalidToken):
        LINKS.read(Purpose.MANAGE, made_up, NOW)


@given(st.integers(0, 44), st.characters())
def test_a_changed_character_makes_it_no_token(position: int, character: str) -> None:
    token = LINKS.token(Purpose.MANAGE, 42)
    changed = token[:position] + character + token[position + 1 :]
    if changed == token:
        return
    try:
        assert LINKS.read(Purpose.MANAGE, changed, NOW) == 42  # unused low bits of the last base64 character
        assert position == len(token) - 1
    except InvalidToken:
        pass
