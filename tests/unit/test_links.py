"""A token does one thing, for one subscription, and cannot be bent to another."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidToken
from digest.links import Links, Purpose

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ID = "Zk3x_mQ7-0aLpR2uVw9yTg"
LINKS = Links("https://digest.example/", "secret")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_is_read_back_for_its_purpose_only(purpose: Purpose) -> None:
    token = LINKS.token(purpose, ID, NOW)
    assert LINKS.verify(purpose, token, NOW) == ID
    for other in set(Purpose) - {purpose}:
        with pytest.raises(InvalidToken):
            LINKS.verify(other, token, NOW)


def test_a_confirmation_expires_and_an_unsubscription_never_does() -> None:
    with pytest.raises(InvalidToken, match="expired"):
        LINKS.verify(Purpose.CONFIRM, LINKS.token(Purpose.CONFIRM, ID, NOW), NOW + timedelta(days=7))
    assert LINKS.verify(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.UNSUBSCRIBE, ID), NOW + timedelta(days=4000)) == ID


def test_another_secret_makes_other_tokens() -> None:
    with pytest.raises(InvalidToken):
        LINKS.verify(Purpose.MANAGE, Links("https://digest.example", "other").token(Purpose.MANAGE, ID), NOW)


@given(st.text(max_size=120))
def test_nothing_made_up_is_a_token(made_up: str) -> None:
    with pytest.raises(InvalidToken):
        LINKS.verify(Purpose.MANAGE, made_up, NOW)


@given(st.integers(0, 65), st.characters())
def test_a_changed_character_makes_it_no_token(position: int, character: str) -> None:
    token = LINKS.token(Purpose.MANAGE, ID)
    changed = token[:position] + character + token[position + 1 :]
    if changed == token:
        return
    try:
        assert LINKS.verify(Purpose.MANAGE, changed, NOW) == ID  # unused low bits of the last base64 character
        assert position == len(token) - 1
    except InvalidToken:
        pass


@pytest.mark.parametrize("named", ["42", "1", "9" * 18])
def test_an_old_link_with_a_number_unsubscribes_and_does_nothing_else(named: str) -> None:
    assert LINKS.verify(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.UNSUBSCRIBE, named), NOW) == named
    expires = int((NOW + timedelta(days=7)).timestamp())
    old = [(purpose, LINKS.token(purpose, named)) for purpose in (Purpose.MANAGE, Purpose.FEEDBACK)]
    old.append((Purpose.CONFIRM, LINKS._signed[Purpose.CONFIRM](f"{named}-{expires}")))
    for purpose, token in old:
        with pytest.raises(InvalidToken, match="older email"):
            LINKS.verify(purpose, token, NOW)


@pytest.mark.parametrize("named", [f"{2**63}", "1" + "0" * 30])
def test_a_number_that_no_row_has_is_refused(named: str) -> None:
    with pytest.raises(InvalidToken, match="older email"):
        LINKS.verify(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.UNSUBSCRIBE, named), NOW)


def test_links_are_made_fast() -> None:
    """Three in every mail: some 10 µs on the machine this was written on, where composing a mail takes 60."""
    began = time.process_time()
    for _ in range(2000):
        LINKS.for_reader(ID)
    assert (time.process_time() - began) / 2000 < 60e-6
