"""The log: one event a line, and nobody's address in it, whoever it was that logged."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from digest.cli.logs import WithoutAddresses, letters_of, set_up
from digest.config import Log
from digest.domain.errors import RelayUnreachable
from digest.domain.subscriber import Address
from tests.tables import every_row


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def said(**settings: str) -> tuple[io.StringIO, structlog.stdlib.BoundLogger]:
    out = io.StringIO()
    set_up(Log(**settings), hashed, out)  # type: ignore[arg-type]  # literals
    return out, structlog.get_logger("digest")


def test_json_is_one_object_a_line_with_when_and_how_bad() -> None:
    out, log = said(format="json")
    log.info("tick", editions=1, failed=("a list\nof two lines",))
    logging.getLogger("uvicorn.error").warning("the port %d is taken", 8000)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["level"], first["editions"], first["failed"]) == ("tick", "info", 1, ["a list\nof two lines"])
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("the port 8000 is taken", "warning")


def test_the_level_is_heeded_and_chatter_is_not_heard() -> None:
    out, log = said(level="warning")
    log.info("nothing")
    logging.getLogger("apscheduler.executors.default").info("Running job")
    assert out.getvalue() == ""
    log.error("something", reason="why")
    assert "something" in out.getvalue()
    assert "why" in out.getvalue()


PLACES = [
    "ada@example.org",
    "<ada@example.org>",
    "550 5.1.1 <ada@example.org>: no such user",
    "rcpt=ada@example.org,",
    "mailto:ada@example.org?subject=x",
    "ADA@EXAMPLE.ORG",
]


@every_row("text", PLACES)
@every_row("form", ["json", "console"])
def test_no_address_is_printed(form: str, text: str) -> None:
    out, log = said(format=form)
    log.error("failed", reason=text, nested={"to": [text]}, whom=Address("ada@example.org"))
    try:
        raise RelayUnreachable("smtp.example.org:25", text)
    except RelayUnreachable as error:
        log.exception("deliver", error=error)
    logging.getLogger("aiosmtpd").error("bad recipient %s", text)
    assert "ada@" not in out.getvalue().lower()
    assert out.getvalue().count("<address>") >= 4
    assert "smtp.example.org:25" in out.getvalue(), "only addresses go"


@dataclass(frozen=True)
class Sent:
    to: Address


KINDS = [
    Address("ada@example.org"),
    {"ada@example.org"},
    frozenset({"ada@example.org"}),
    {"ada@example.org": 1},
    [("to", Address("ada@example.org"))],
    b"RCPT TO:<ada@example.org>",
    Sent(Address("ada@example.org")),
    OSError(1, "ada@example.org"),
]


@every_row("value", KINDS, ids=lambda value: type(value).__name__)
@every_row("form", ["json", "console"])
def test_whatever_kind_of_value_it_is_in(form: str, value: object) -> None:
    out, log = said(format=form)
    log.info("sent", what=value)
    logging.getLogger("another").warning("sent %s", value)
    assert "ada@" not in out.getvalue()
    assert out.getvalue().count("<address>") == 2


def test_asked_for_they_are_hashed_and_the_same_reader_has_the_same_letters() -> None:
    out, log = said(format="json", addresses="hashed")
    log.info("sent", to="ada@example.org", text="<ADA@example.org> ok", other="bob@example.org")
    line = json.loads(out.getvalue())
    letters = letters_of("ada@example.org", hashed)
    assert line["to"] == f"<address {letters}>"
    assert line["text"] == f"<<address {letters}>> ok"
    assert line["other"] not in (line["to"], "bob@example.org")


@given(st.emails(), st.text(max_size=30), st.text(max_size=30))
def test_no_address_that_mail_can_go_to_survives(address: str, before: str, after: str) -> None:
    assert address not in WithoutAddresses(None)(None, "info", {"event": f"{before} {address} {after}"})["event"]
