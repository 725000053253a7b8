"""Which replies ask us to be slower, or to take another connection: as relays say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.rate_limit import connection_is_full, throttled
from tests.tables import every_row

AT = datetime(2026, 5, 4, tzinfo=UTC)
M, R, D = Stage.MAIL, Stage.RCPT, Stage.DOT

SLOWER = [
    (D, 454, "", "Throttling failure: Maximum sending rate exceeded."),  # Amazon SES
    (M, 421, "4.7.0", "Try again later, closing connection."),  # Gmail
    (R, 421, "4.7.28", "Our system has detected an unusual rate of mail."),  # Gmail
    (M, 421, "4.3.2", "Service not available, closing transmission channel"),
    (R, 450, "4.7.1", "Error: too much mail from 192.0.2.1"),  # Postfix anvil
    (M, 450, "4.7.1", "Error: too many connections from 192.0.2.1"),
    (M, 451, "4.7.500", "Server busy. Please try again later from [192.0.2.1]. (S77714)"),  # Exchange Online
    (M, 452, "4.3.1", "Message rate exceeded, slow down"),
    (D, 451, "4.7.0", "Temporary server error. Rate limit reached, try again in a few seconds"),
    (R, 451, "", "4.7.1 Please slow down: 100 messages per minute"),
    (M, 454, "4.7.0", "Temporary failure"),
]
NOT_SLOWER = [
    (R, 450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that prevents delivery"),  # Gmail
    (R, 452, "4.2.2", "The email account that you tried to reach is over quota"),
    (R, 452, "", "Mailbox full: storage limit exceeded"),
    (R, 451, "4.7.1", "Greylisted, please try again later"),
    (R, 450, "4.1.1", "unverified address"),
    (R, 454, "4.7.1", "<a@b.test>: Relay access denied"),  # Postfix
    (D, 454, "", "Throttling failure: Daily message quota exceeded."),  # Amazon SES: tomorrow
    (M, 451, "4.3.0", "Temporary lookup failure"),
    (M, 452, "4.3.1", "Insufficient system storage"),
    (D, 550, "5.4.5", "Daily user sending limit exceeded"),
    (D, 250, "", "rate limit fine"),
    (Stage.CONNECT, 421, "", "too many connections"),
]


@every_row(("stage", "code", "enhanced", "text"), SLOWER)
def test_these_ask_us_to_be_slower(stage: Stage, code: int, enhanced: str, text: str) -> None:
    assert throttled(Attempt(1, AT, "mx", stage, Reply(code, text, enhanced)))


@every_row(("stage", "code", "enhanced", "text"), NOT_SLOWER)
def test_these_do_not(stage: Stage, code: int, enhanced: str, text: str) -> None:
    assert not throttled(Attempt(1, AT, "mx", stage, Reply(code, text, enhanced)))


def test_no_reply_is_no_request() -> None:
    assert not throttled(Attempt(1, AT, "mx", D, None, "lost"))


FULL = [
    (M, 421, "4.7.0", "Too many messages on this connection"),
    (M, 421, "", ""),
    (M, 452, "4.5.3", "Too many messages in this session"),
    (M, 452, "4.5.3", "Too many messages"),
    (M, 450, "", "Maximum number of messages per connection reached"),
    (M, 451, "", "session limit exceeded, reconnect"),
    (M, 554, "", "Too many transactions in this session"),
    (R, 452, "4.5.3", "Too many recipients on this connection"),
]
NOT_FULL = [
    (R, 421, "", "try again later"),
    (R, 452, "4.5.3", "Too many recipients"),
    (M, 450, "", "too many connections from your address"),
    (M, 451, "", "too many concurrent SMTP connections; please try again later."),
    (M, 250, "", "connection limit is 100"),
]


@every_row(("stage", "code", "enhanced", "text"), FULL)
def test_these_ask_for_another_connection(stage: Stage, code: int, enhanced: str, text: str) -> None:
    assert connection_is_full(stage, Reply(code, text, enhanced))


@pytest.mark.parametrize(("stage", "code", "enhanced", "text"), NOT_FULL)
def test_these_ask_for_none(stage: Stage, code: int, enhanced: str, text: str) -> None:
    assert not connection_is_full(stage, Reply(code, text, enhanced))
