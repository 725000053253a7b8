"""The small words of the field to the letter: what an operator reads in an error, what a row says of why, how things add up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from digest.domain import errors
from digest.domain.circuit_breaker import BreakerLimit, BreakerPolicy, Judgement, ReturnCounts, Verdict, judge
from digest.domain.delivery import NOT_SENT, Attempt, DeliveryState, Reply, Stage
from digest.domain.errors import InvalidAddress, InvalidInstant
from digest.domain.instant import as_utc, isoformat, parse_instant
from digest.domain.interest import LONGEST, MOST, understand
from digest.domain.paper import MergeCounts
from digest.domain.retry import Decision, Effect, RetryPolicy, UncertainPolicy
from digest.domain.subscriber import AddedReaders, Address, Interests
from digest.mail.smtp.reply_classifier import verdict_of
from tests.tables import every_row

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
S, E = DeliveryState, Effect

# ---- errors ----------------------------------------------------------------------------------------------------------------

SAID = [
    (errors.ConfigurationError, ("web.port", "should be a number"), "configuration: web.port: should be a number", 2),
    (errors.InvalidInput, ("line 3", "no title"), "line 3: no title", 2),
    (errors.InvalidIdentifier, ("id", "no arXiv id"), "id: no arXiv id", 2),
    (errors.InvalidToken, ("forged",), "link: forged", 2),
    (errors.NotFound, ("list 'x'",), "list 'x' not found", 1),
    (errors.NotFound, ("list 'x'", "there are daily"), "list 'x' not found: there are daily", 1),
    (errors.SourceUnreachable, ("hf", "timeout"), "source hf: timeout", 1),
    (errors.SourceThrottled, ("hf", "429", HOUR), "source hf: 429", 1),
    (errors.TemplateError, ("mail/x", "line 3"), "template mail/x: line 3", 1),
    (errors.LintFailed, (("a",),), "the mail breaks a rule: a", 1),
    (errors.LintFailed, (("a", "b"),), "the mail breaks 2 rules: a; b", 1),
    (errors.RelayUnreachable, ("mx:25", "refused"), "relay mx:25: refused", 1),
    (errors.RelayRefusedUs, ("mx:25", "535"), "relay mx:25: 535", 1),
    (errors.SchemaMismatch, ("too new",), "too new", 1),
]


@every_row(("kind", "given", "said", "code"), SAID)
def test_an_error_is_one_line_that_names_the_place(
    kind: Callable[..., errors.DigestError], given: tuple[object, ...], said: str, code: int
) -> None:
    error = kind(*given)
    assert (str(error), error.exit_code) == (said, code)


def test_an_error_keeps_what_its_line_was_made_of() -> None:
    wrong = errors.ConfigurationError("a.b", "why")
    assert (wrong.key, wrong.reason) == ("a.b", "why")
    given = errors.InvalidInput("where", "why")
    assert (given.where, given.reason) == ("where", "why")
    assert errors.InvalidToken("why").where == "link"
    assert errors.NotFound("this").what == "this"
    slow = errors.SourceThrottled("hf", "429", HOUR)
    assert (slow.source, slow.reason, slow.retry_after) == ("hf", "429", HOUR)
    assert errors.SourceThrottled("hf", "429").retry_after is None
    assert errors.TemplateError("mail/x", "y").template == "mail/x"
    assert errors.LintFailed(("a", "b")).errors == ("a", "b")
    gone = errors.RelayUnreachable("mx", "why")
    assert (gone.relay, gone.reason) == ("mx", "why")


# ---- instants and addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-05-04T07:00:00", "at: 2026-05-04T07:00:00 has no offset; should be like 2025-11-06T02:45:08Z"),
        ("yesterday", "at: 'yesterday' should be like 2025-11-06T02:45:08Z"),
        ("x" * 60, f"at: {'x' * 40!r} should be like 2025-11-06T02:45:08Z"),
        ("0001-01-01T00:00:00+05:00", "at: 0001-01-01T00:00:00+05:00 is outside the years 1 to 9999"),
    ],
)
def test_what_is_no_instant(text: str, said: str) -> None:
    with pytest.raises(InvalidInstant) as caught:
        parse_instant(text, "at")
    assert str(caught.value) == said


def test_an_instant_is_read_into_utc_and_printed_with_z() -> None:
    assert parse_instant(" 2026-05-04T09:00:00+02:00 ") == NOW
    assert parse_instant("2026-05-04T09:00:00+02:00").tzinfo is UTC
    with pytest.raises(InvalidInstant, match=r"^instant: .* has no offset"):
        as_utc(datetime(2026, 5, 4))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidInstant, match=r"^instant: 'no'"):
        parse_instant("no")


@pytest.mark.parametrize("machine", ["UTC", "America/New_York"])
def test_an_instant_is_printed_in_utc_wherever_the_machine_stands(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        assert isoformat(NOW.astimezone(timezone(2 * HOUR))) == isoformat(NOW) == "2026-05-04T07:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


NO_ADDRESS = [
    ("ada", "address 'ada': should be like name@example.org"),
    ("@example.org", "address '@example.org': should be like name@example.org"),
    ("ada@", "address 'ada@': should be like name@example.org"),
    ("a" * 250 + "@b.cc", f"address {'a' * 80!r}: should be like name@example.org"),
    ("a b@c.org", "address 'a b@c.org': holds a space or control character; should be like a@b.org"),
    ("a\n@c.org", "address 'a\\n@c.org': holds a space or control character; should be like a@b.org"),
]


@pytest.mark.parametrize(("text", "said"), NO_ADDRESS)
def test_what_is_no_address(text: str, said: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        Address(text)
    assert str(caught.value) == said


def test_an_address_as_long_as_they_get_and_what_two_spellings_share() -> None:
    longest = Address("a" * 248 + "@b.org")
    assert len(str(longest)) == 254
    assert Address("ADA@example.org").key == Address("ada@example.org").key
    assert Address("a@b@example.org").domain == "example.org"


def test_counts_add_up_each_to_its_own() -> None:
    assert AddedReaders(1, 2) + AddedReaders(10, 20) == AddedReaders(11, 22)
    assert MergeCounts(1, 2, 3, 4) + MergeCounts(10, 20, 30, 40) == MergeCounts(11, 22, 33, 44)
    assert MergeCounts() == MergeCounts(0, 0, 0, 0)
    assert not Interests()
    assert all(Interests(**{name: ("x",)}) for name in Interests.__dataclass_fields__)


def test_not_sent_is_what_ended_without_a_relay() -> None:
    assert {S.FAILED, S.WITHHELD, S.EXPIRED} == NOT_SENT
    assert [str(Reply(250)), str(Reply(250, "ok")), str(Reply(250, "ok", "2.0.0"))] == ["250", "250 ok", "250 2.0.0 ok"]


# ---- retries, to the word --------------------------------------------------------------------------------------------------


def attempt(stage: Stage, code: int | None = None, enhanced: str = "", error: str = "") -> Attempt:
    return Attempt(1, NOW, "mx", stage, None if code is None else Reply(code, "text", enhanced), error)


def later(at: datetime, why: str, counts: bool = True, effect: Effect = E.NONE) -> Decision:
    return Decision(S.QUEUED, why, at, counts, effect)


LOST = "mx: no reply after the final dot (cut)"
DECIDED = [  # attempt, attempts before → what exactly
    (attempt(Stage.DOT, 250, "2.0.0"), 0, Decision(S.ACCEPTED, "250 2.0.0 text")),
    (attempt(Stage.COMPOSE, error="no such card"), 0, Decision(S.FAILED, "could not be composed: no such card")),
    (attempt(Stage.CONNECT, error="refused"), 3, later(NOW + MINUTE, "mx: refused", counts=False)),
    (attempt(Stage.MAIL, 421), 3, later(NOW + MINUTE, "421 text", counts=False, effect=E.SLOW_RELAY)),
    (attempt(Stage.CONNECT, 450), 3, later(NOW + MINUTE, "450 text", counts=False, effect=E.SLOW_RELAY)),
    (attempt(Stage.CONNECT, 500), 0, later(NOW + MINUTE, "500 text", counts=False, effect=E.STOP_RUN)),
    (attempt(Stage.CONNECT, 599), 0, later(NOW + MINUTE, "599 text", counts=False, effect=E.STOP_RUN)),
    *((attempt(Stage.MAIL, code), 0, later(NOW + MINUTE, f"{code} text", False, E.STOP_RUN)) for code in (530, 534, 535, 538)),
    *((attempt(Stage.CONNECT, code), 0, later(NOW + MINUTE, f"{code} text", False, E.STOP_RUN)) for code in (530, 534, 535, 538)),
    (attempt(Stage.DOT, 550, "5.7.26"), 0, later(NOW + 30 * MINUTE, "550 5.7.26 text", counts=False)),
    (attempt(Stage.RCPT, 400), 0, later(NOW + 30 * MINUTE, "400 text")),
    (attempt(Stage.RCPT, 499), 1, later(NOW + HOUR, "499 text")),
    (attempt(Stage.RCPT, 450), 2, later(NOW + 2 * HOUR, "450 text")),
    (attempt(Stage.RCPT, 450), 3, later(NOW + 4 * HOUR, "450 text")),
    (attempt(Stage.RCPT, 450), 10, later(NOW + 4 * HOUR, "450 text")),
    (attempt(Stage.RCPT, 450), 11, Decision(S.FAILED, "450 text; gave up after 12 attempts")),
    (attempt(Stage.RCPT, 500), 0, later(NOW + 30 * MINUTE, "500 text", counts=False)),
    *((attempt(Stage.RCPT, code), 0, later(NOW + 30 * MINUTE, f"{code} text")) for code in (550, 551, 553)),
    (attempt(Stage.DOT, 550), 0, later(NOW + 30 * MINUTE, "550 text")),
    (attempt(Stage.DOT, 550), 11, Decision(S.FAILED, "550 text; gave up after 12 attempts")),
    (attempt(Stage.DOT, 550, "5.1.1"), 0, Decision(S.FAILED, "550 5.1.1 text", effect=E.SUPPRESS)),
    (attempt(Stage.RCPT, 550, "5.2.1"), 0, Decision(S.FAILED, "550 5.2.1 text")),
    (attempt(Stage.MAIL, 550, "5.1.7"), 0, later(NOW + MINUTE, "550 5.1.7 text", False, E.STOP_RUN)),
    (attempt(Stage.MAIL, 550, "5.1.8"), 0, later(NOW + MINUTE, "550 5.1.8 text", False, E.STOP_RUN)),
    (attempt(Stage.DOT, error="cut"), 0, later(NOW, f"{LOST}; sent again by policy")),
    (attempt(Stage.DOT, error="cut"), 1, later(NOW + HOUR, f"{LOST}; sent again by policy")),
    (attempt(Stage.DOT), 0, later(NOW, "mx: no reply after the final dot (connection lost); sent again by policy")),
]


@every_row(("given", "before", "decided"), DECIDED)
def test_a_decision_to_the_word(given: Attempt, before: int, decided: Decision) -> None:
    assert RetryPolicy().decide(given, before, NOW + DAY, verdict_of(given)) == decided


@pytest.mark.parametrize(
    ("policy", "decided"),
    [
        (UncertainPolicy.HOLD, Decision(S.UNCERTAIN, f"{LOST}; held by policy")),
        (UncertainPolicy.DROP, Decision(S.FAILED, f"{LOST}; dropped by policy")),
    ],
)
def test_what_a_lost_reply_means_by_policy(policy: UncertainPolicy, decided: Decision) -> None:
    assert RetryPolicy(uncertain=policy).decide(attempt(Stage.DOT, error="cut"), 0, NOW + DAY) == decided


STALE = [
    (attempt(Stage.RCPT, 450), 30 * MINUTE, "450 text", True, E.NONE),
    (attempt(Stage.MAIL, 421), MINUTE, "421 text", False, E.SLOW_RELAY),
    (attempt(Stage.MAIL, 535), MINUTE, "535 text", False, E.STOP_RUN),
]


@pytest.mark.parametrize(("given", "wait", "said", "counts", "effect"), STALE)
def test_a_try_that_would_come_with_the_next_edition_is_none(
    given: Attempt, wait: timedelta, said: str, counts: bool, effect: Effect
) -> None:
    expired = Decision(S.EXPIRED, f"{said}; the next edition comes before another try", None, counts, effect)
    assert RetryPolicy().decide(given, 0, NOW + wait, verdict_of(given)) == expired
    after = NOW + wait + timedelta(seconds=1)
    assert RetryPolicy().decide(given, 0, after, verdict_of(given)) == later(NOW + wait, said, counts, effect)


# ---- the breaker and interests, at their limits -------------------------------------------------------------------------------


def test_the_breakers_words() -> None:
    assert judge(ReturnCounts(1000, 4, 0)) == Judgement(Verdict.PAUSE, "4 complaints among 1000 mails (0.40 %); at most 0.3 %")
    gone = Judgement(Verdict.PAUSE, "60 mailboxes that do not exist among 1000 mails (6.00 %); at most 5 %")
    assert judge(ReturnCounts(1000, 0, 60)) == gone
    assert judge(ReturnCounts(1000, 2, 0)) == Judgement(Verdict.WARN, "2 complaints among 1000 mails (0.20 %); at most 0.1 %")
    assert judge(ReturnCounts(1000, 0, 30)).reason == "30 mailboxes that do not exist among 1000 mails (3.00 %); at most 2 %"
    assert judge(ReturnCounts(0, 3, 0)).reason == "3 complaints among 0 mails (without any mail accepted); at most 0.3 %"
    assert judge(ReturnCounts(1000, 1, 5)) == Judgement(Verdict.FINE, "")
    always = BreakerPolicy(pause_complaints=BreakerLimit(0.0, 1))
    assert judge(ReturnCounts(10, 1, 0), always).verdict is Verdict.PAUSE


@pytest.mark.parametrize(("cases", "crossed"), [(9, False), (10, False), (11, True)])
def test_a_limit_is_crossed_by_more_than_its_rate(cases: int, crossed: bool) -> None:
    assert BreakerLimit(0.1, 1).crossed(cases, 100) == crossed
    assert not BreakerLimit(0.0, cases + 1).crossed(cases, 100)
    assert BreakerLimit(0.0, cases).crossed(cases, 100)


def test_wishes_at_their_limits() -> None:
    fits, too_long = "w" * LONGEST, "w" * (LONGEST + 1)
    told = understand(f"{fits}, {too_long}, ---")
    assert told.interests.words == (fits,)
    said = f"should be at most {LONGEST} characters of words, and {MOST} interests in all"
    assert told.rejected == (f"{'w' * 40!r}: {said}", f"'---': {said}")
    many = understand(", ".join(f"word{n}" for n in range(MOST + 1)))
    assert (len(many.descriptions), len(many.rejected)) == (MOST, 1)
    assert understand("a; b\nc", "d; -e\nf").interests == Interests(words=("a", "b", "c"), muted_words=("d", "e", "f"))
