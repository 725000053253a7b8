"""The relay client against servers that misbehave: every envelope ends in one attempt, nothing lost, nothing doubled."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from digest.config import load
from digest.container import Container
from digest.domain.delivery import Attempt, Envelope, Reply, Stage
from digest.domain.errors import MailError, RelayRefusedUs, RelayUnreachable, StoreError
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_settings import RelaySettings, Timeouts
from tests.outbox import configured, queue
from tests.servers.running import until
from tests.servers.smtp import OFFERS, Do, Script, SmtpServer

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
NO_PIPELINING = tuple(offer for offer in OFFERS if offer != "PIPELINING")
BOTH = pytest.mark.parametrize("extensions", [OFFERS, NO_PIPELINING], ids=["pipelined", "plain"])
IMPATIENT = Timeouts(connect=20, greeting=3, command=3, data=3, block=20, dot=3)
PATIENT = Timeouts(connect=60, greeting=60, command=60, data=60, block=60, dot=60)


class Notes:
    """A send log in memory, which can refuse to write."""

    def __init__(self, *, full_at: tuple[str, int] = ("", 0)) -> None:
        self.lines: list[tuple[str, int]] = []
        self._full_at = full_at

    def _note(self, verb: str, delivery_id: int) -> None:
        if (verb, delivery_id) == self._full_at:
            raise MailError("journal: the disk is full")
        self.lines.append((verb, delivery_id))

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None:
        self._note("dot", delivery_id)

    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None:
        self._note("reply", delivery_id)

    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None:
        self._note("lost", delivery_id)


def envelopes(count: int, body: bytes = b"Subject: hello\r\n\r\nline\r\n.dot\r\nlast\r\n") -> list[Envelope]:
    return [Envelope(n, f"bounces+{n}@x.test", f"r{n}@y.test", (b"X-Id: %d\r\n" % n + body,)) for n in range(1, count + 1)]


def relay_to(server: SmtpServer, timeouts: Timeouts = PATIENT, **more: object) -> Relay:
    settings = RelaySettings(host="127.0.0.1", port=server.port, tls="none", helo="me.test", timeouts=timeouts)
    return Relay(replace(settings, **more), clock=lambda: AT)  # type: ignore[arg-type]


def everything(attempts: Iterator[Attempt]) -> list[Attempt]:
    """All attempts, also where the relay turns out to be unreachable at the end."""
    found: list[Attempt] = []
    with suppress(RelayUnreachable):
        take_all(found, attempts)
    return found


def take_all(found: list[Attempt], attempts: Iterator[Attempt]) -> None:
    """Into `found` one by one, so that what came before an error is there."""
    while (attempt := next(attempts, None)) is not None:
        found.append(attempt)


def said(attempt: Attempt) -> str:
    return f"{attempt.stage} {attempt.reply.code if attempt.reply else '-'}"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "accepted.jsonl"


@BOTH
def test_all_arrive_as_they_were_over_one_connection(store: Path, extensions: tuple[str, ...]) -> None:
    mails = envelopes(20)
    with SmtpServer(store, Script(extensions=extensions)) as server:
        attempts = list(relay_to(server).send(mails, Notes()))
        kept = server.accepted()
    assert [a.delivery_id for a in attempts if a.accepted] == list(range(1, 21))
    assert [(k.sender, k.recipients, k.data) for k in kept] == [(m.sender, (m.recipient,), m.data) for m in mails]
    assert server.connections == 1
    assert server.commands[-1] == "QUIT"


def test_pipelining_is_one_round_trip_a_message(store: Path) -> None:
    """The next message's commands travel with the final dot of the one before; without the offer they never do."""
    with SmtpServer(store) as server:
        list(relay_to(server).send(envelopes(3), Notes()))
    announced = [b"MAIL FROM:<bounces+%d@x.test> SIZE=45\r\nRCPT TO:<r%d@y.test>\r\nDATA\r\n" % (n, n) for n in (2, 3)]
    assert server.behind_dots == [*announced, b""]
    with SmtpServer(store, Script(extensions=NO_PIPELINING)) as server:
        list(relay_to(server).send(envelopes(3), Notes()))
    assert server.behind_dots == [b"", b"", b""]


REFUSALS = [
    # verb, what the server says, what the attempt says
    ("MAIL", "451 4.3.0 not now", "mail 451"),
    ("MAIL", "550 5.7.1 not you", "mail 550"),
    ("RCPT", "550 5.1.1 nobody here", "rcpt 550"),
    ("RCPT", "450 4.2.0 greylisted", "rcpt 450"),
    ("RCPT", "550-5.1.1 nobody\r\n550-5.1.1 of that name\r\n550 5.1.1 here", "rcpt 550"),
    ("DATA", "451 4.3.0 not now", "data 451"),
    ("DOT", "554 5.7.1 looks like spam", "dot 554"),
    ("DOT", "452 4.3.1 disk full", "dot 452"),
    ("DOT", "250-2.0.0 taken\r\n250 2.0.0 really", "dot 250"),
]


@BOTH
@pytest.mark.parametrize(("verb", "reply", "expected"), REFUSALS)
def test_one_refused_message_leaves_the_others_alone(
    store: Path, extensions: tuple[str, ...], verb: str, reply: str, expected: str
) -> None:
    script = Script(extensions=extensions, nth={(verb, 3): Do(reply, accept="250" in reply)})
    with SmtpServer(store, script) as server:
        notes = Notes()
        attempts = list(relay_to(server).send(envelopes(6), notes))
        kept = server.accepted()
    assert [a.delivery_id for a in attempts] == [1, 2, 3, 4, 5, 6]
    assert [said(a) for a in attempts] == ["dot 250"] * 2 + [expected] + ["dot 250"] * 3
    assert [k.recipients[0] for k in kept] == [f"r{a.delivery_id}@y.test" for a in attempts if a.accepted]
    assert server.connections == 1
    assert all(len(k.recipients) == 1 for k in kept)
    assert ("dot", 3) in notes.lines if verb == "DOT" else ("dot", 3) not in notes.lines


def test_the_reply_is_read_in_full(store: Path) -> None:
    script = Script(nth={("RCPT", 1): Do("550-5.1.1 nobody\r\n550-5.1.1 of that name\r\n550 5.1.1 here\tnow\x07")})
    with SmtpServer(store, script) as server:
        (attempt,) = relay_to(server).send(envelopes(1), Notes())
    assert attempt == Attempt(1, AT, f"127.0.0.1:{server.port}", Stage.RCPT, Reply(550, "nobody of that name here now", "5.1.1"))


@BOTH
def test_no_body_is_ever_sent_for_nobody(store: Path, extensions: tuple[str, ...]) -> None:
    """354 although the only recipient was refused: an empty message ends it (RFC 2920 §3.1), and the next one is whole."""
    script = Script(extensions=extensions, nth={("RCPT", 2): Do("550 5.1.1 no"), ("DATA", 2): Do("354 come on")})
    with SmtpServer(store, script) as server:
        attempts = list(relay_to(server).send(envelopes(3), Notes()))
        kept = server.accepted()
    assert [said(a) for a in attempts] == ["dot 250", "rcpt 550", "dot 250"]
    assert [k.recipients for k in kept] == [("r1@y.test",), ("r3@y.test",)]
    assert b"X-Id: 2" not in b"".join(k.data for k in kept)


def test_a_refused_message_at_the_end_leaves_no_body_open(store: Path) -> None:
    script = Script(nth={("RCPT", 1): Do("550 5.1.1 no"), ("DATA", 1): Do("354 come on")})
    with SmtpServer(store, script) as server:
        attempts = list(relay_to(server).send(envelopes(1), Notes()))
        kept = server.accepted()
    assert [said(a) for a in attempts] == ["rcpt 550"]
    assert kept == []
    assert server.commands[-1] == "QUIT"  # a command, not a line of a message


SESSION_ENDS = [
    # what happens to the third message, what its attempt says, whether it was kept
    (("RCPT", Do("421 4.3.2 closing", close=True)), "rcpt 421", False),
    (("DATA", Do("421 4.3.2 closing", close=True)), "data 421", False),
    (("DOT", Do("421 4.3.2 closing", close=True)), "dot 421", False),
    (("RCPT", Do(close=True)), "rcpt -", False),
    (("DATA", Do(close=True)), "data -", False),
    (("DOT", Do(close=True)), "dot -", False),
    (("DOT", Do(close=True, accept=True)), "dot -", True),
    (("DOT", Do("250 2.0.0 kept", close=True, accept=True)), "dot 250", True),
    (("DOT", Do("250-2.0.0 ke", close=True, accept=True)), "dot -", True),
    (("RCPT", Do(stall=True)), "rcpt -", False),
    (("DOT", Do(stall=True)), "dot -", False),
    (("RCPT", Do("HTTP/1.1 400 Bad Request", close=True)), "rcpt -", False),
    (("RCPT", Do("\xff\xfe\x00" * 900, close=True)), "rcpt -", False),
    (("DOT", Do("\x00\x00garbage")), "dot -", False),
    (("DATA", Do("250 2.0.0 what data?")), "data -", False),
    (("DOT", Do("354 more please")), "dot -", False),
    (("DATA", Do("354 go\r\n250 2.0.0 already kept", close=True)), "data -", False),
    (("DATA", Do("354 go\r\n552 5.3.4 too large", close=True)), "data 552", False),
]


@BOTH
@pytest.mark.parametrize(("fault", "expected", "kept_it"), SESSION_ENDS, ids=lambda v: v if isinstance(v, str) else None)
def test_a_session_that_ends_costs_one_message_at_most(
    store: Path, extensions: tuple[str, ...], fault: tuple[str, Do], expected: str, kept_it: bool
) -> None:
    verb, do = fault
    with SmtpServer(store, Script(extensions=extensions, nth={(verb, 3): do})) as server:
        attempts = list(relay_to(server, IMPATIENT).send(envelopes(6), Notes()))
        kept = [k.recipients[0] for k in server.accepted()]
    assert [a.delivery_id for a in attempts] == [1, 2, 3, 4, 5, 6]
    assert [said(a) for a in attempts] == ["dot 250"] * 2 + [expected] + ["dot 250"] * 3
    assert kept == [f"r{n}@y.test" for n in range(1, 7) if n != 3 or kept_it]
    assert all(a.error for a in attempts if a.reply is None)


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        "",
        "421 4.3.2 closing",
        "421 4.7.0 Too many messages on this connection",
        "452 4.5.3 Too many messages in this session",
        "450 4.7.1 maximum number of messages per connection reached",
        "554 5.5.0 too many transactions in this session",
    ],
)
def test_a_connection_lost_between_messages_costs_nothing(store: Path, extensions: tuple[str, ...], words: str) -> None:
    """The third message had not been heard of: it goes out over the next connection as if nothing had been."""
    with SmtpServer(store, Script(extensions=extensions, nth={("MAIL", 3): Do(words, close=True)})) as server:
        attempts = list(relay_to(server).send(envelopes(5), Notes()))
        assert len(server.accepted()) == 5
    assert [said(a) for a in attempts] == ["dot 250"] * 5
    assert server.connections == 2


@BOTH
def test_quit_and_rset_change_nothing_about_a_message_that_was_accepted(store: Path, extensions: tuple[str, ...]) -> None:
    script = Script(
        extensions=extensions,
        nth={
            ("RCPT", 2): Do("550 5.1.1 no"),
            ("RSET", 1): Do("554 5.5.1 never"),
            ("QUIT", 0): Do("550 nobody leaves", close=True),
        },
    )
    with SmtpServer(store, script) as server:
        attempts = list(relay_to(server).send(envelopes(4), Notes()))
        kept = [k.recipients[0] for k in server.accepted()]
    assert [said(a) for a in attempts] == ["dot 250", "rcpt 550", "dot 250", "dot 250"]
    assert kept == ["r1@y.test", "r3@y.test", "r4@y.test"]


@BOTH
def test_replies_byte_by_byte(store: Path, extensions: tuple[str, ...]) -> None:
    with SmtpServer(
        store, Script(extensions=extensions, in_pieces=True, nth={("RCPT", 2): Do("550-5.1.1 a\r\n550 5.1.1 b")})
    ) as server:
        attempts = list(relay_to(server).send(envelopes(4), Notes()))
    assert [said(a) for a in attempts] == ["dot 250", "rcpt 550", "dot 250", "dot 250"]


@BOTH
def test_a_server_that_hangs_up_at_any_byte(store: Path, extensions: tuple[str, ...]) -> None:
    """Either side of the dialogue cut at every few bytes: nothing lost, and what may be doubled is what we call uncertain."""
    mails = envelopes(3, b"\r\n" + b"x" * 5000 + b"\r\n")
    cuts = [*range(1, 420, 23), 3000, 5000, 5100, 5150, 5200, 5230, 5260, 5290, 5320, 10600, 15700]
    for number, (read, mute) in enumerate([(n, 0) for n in cuts] + [(0, n) for n in range(1, 420, 17)]):
        kept_in = store.with_name(f"{number}.jsonl")
        with SmtpServer(kept_in, Script(extensions=extensions, hang_up_after=(read,), mute_after=(mute,))) as server:
            notes = Notes()
            attempts, left = [], list(mails)
            for _ in range(4):
                try:
                    attempts += list(relay_to(server).send(left, notes))
                    break
                except RelayUnreachable:  # at the greeting or EHLO: nothing was taken that did not come out
                    left = [
                        m for m in mails if m.delivery_id not in {a.delivery_id for a in attempts if a.stage is not Stage.CONNECT}
                    ]
            kept = Counter(k.recipients[0] for k in server.accepted())
        final = [a for a in attempts if a.stage is not Stage.CONNECT]
        assert sorted(a.delivery_id for a in final) == [1, 2, 3], (read, mute, attempts)
        for attempt in final:
            times = kept[f"r{attempt.delivery_id}@y.test"]
            assert times <= 1
            if attempt.accepted:
                assert times == 1, (read, mute, attempt)
            elif not attempt.uncertain:
                assert times == 0, (read, mute, attempt)
        assert sum(a.uncertain for a in final) <= 1
        assert {n for verb, n in notes.lines if verb == "dot"} >= {a.delivery_id for a in final if a.stage is Stage.DOT}


def test_one_poisoned_recipient_among_a_thousand(store: Path) -> None:
    script = Script(recipients={"r500@y.test": (Do(close=True),) * 5})
    with SmtpServer(store, script) as server:
        attempts = list(relay_to(server).send(envelopes(1000, b"\r\nhi\r\n"), Notes()))
        kept = server.accepted()
    assert Counter(map(said, attempts)) == {"dot 250": 999, "rcpt -": 1}
    assert len({k.recipients for k in kept}) == len(kept) == 999


def test_a_body_that_breaks_off_is_not_uncertain(store: Path) -> None:
    """Megabytes that the server stopped reading: the dot never went out, and its last words are the reply."""
    big = envelopes(1, b"\r\n" + (b"y" * 70 + b"\r\n") * 300_000)
    script = Script(extensions=("PIPELINING",), nth={("BODY", 1): Do("452 4.3.1 disk full", close=True)})
    with SmtpServer(store, script) as server:
        notes = Notes()
        (attempt,) = relay_to(server).send(big, notes)
    assert attempt.stage is Stage.BODY
    assert not attempt.uncertain
    assert notes.lines == []


IMPOSSIBLE = [
    # offers missing, envelope, enhanced status of our own answer
    (("SMTPUTF8",), Envelope(2, "b@x.test", "jörg@y.test", (b"\r\nx\r\n",), smtputf8=True), "5.6.7"),
    (("8BITMIME", "SMTPUTF8"), Envelope(2, "b@x.test", "r@y.test", ("\r\nä\r\n".encode(),)), "5.6.3"),
    ((), Envelope(2, "b@x.test", "r@y.test", (b"\r\n" + b"x" * 10240000,)), "5.3.4"),
    ((), Envelope(2, "b@x.test", "r@y.test>\r\nRCPT TO:<victim@z.test", (b"\r\nx\r\n",)), "5.5.4"),
]


@pytest.mark.parametrize(("missing", "envelope", "status"), IMPOSSIBLE, ids=["utf8", "8bit", "size", "injection"])
def test_what_the_relay_cannot_carry_fails_alone(store: Path, missing: tuple[str, ...], envelope: Envelope, status: str) -> None:
    one, _, three = envelopes(3)
    with SmtpServer(store, Script(extensions=tuple(o for o in OFFERS if o not in missing))) as server:
        attempts = list(relay_to(server).send([one, envelope, three], Notes()))
        kept = server.accepted()
    replies = {a.delivery_id: a.reply for a in attempts}
    assert replies[2] is not None
    assert replies[2].enhanced == status
    assert replies[2].text.startswith("not sent: ")
    assert len(attempts) == 3
    assert [k.recipients[0] for k in kept] == ["r1@y.test", "r3@y.test"]


def test_smtputf8_is_asked_for_only_where_needed(store: Path) -> None:
    mails = [Envelope(1, "b@x.test", "jörg@y.test", ("To: jörg@y.test\r\n\r\nx\r\n".encode(),), smtputf8=True), *envelopes(1)]
    with SmtpServer(store) as server:
        attempts = list(relay_to(server).send(mails, Notes()))
    assert all(a.accepted for a in attempts)
    asked = [c for c in server.commands if c.startswith("MAIL")]
    assert [("SMTPUTF8" in c, "8BITMIME" in c) for c in asked] == [(True, True), (False, False)]


@BOTH
def test_the_cap_per_connection(store: Path, extensions: tuple[str, ...]) -> None:
    with SmtpServer(store, Script(extensions=extensions, nth={("RCPT", 0): Do("550 5.1.1 none")})) as server:
        attempts = list(relay_to(server, max_per_connection=2).send(envelopes(9), Notes()))
    assert [said(a) for a in attempts] == ["rcpt 550"] * 9
    assert server.connections == 5


def test_a_server_with_its_own_cap_is_obeyed(store: Path) -> None:
    with SmtpServer(store, Script(most_per_connection=2)) as server:
        attempts = list(relay_to(server).send(envelopes(4), Notes()))
        kept = len(server.accepted())
    assert [said(a) for a in attempts] == ["dot 250"] * 4
    assert kept == 4
    assert server.connections == 2


def test_a_relay_that_never_answers_a_message_is_unreachable_after_three_sessions(store: Path) -> None:
    taken: list[int] = []

    def taking() -> Iterator[Envelope]:
        for mail in envelopes(100):
            taken.append(mail.delivery_id)
            yield mail

    with SmtpServer(store, Script(nth={("MAIL", 0): Do("421 4.3.2 too busy", close=True)})) as server:
        found: list[Attempt] = []
        with pytest.raises(RelayUnreachable, match="3 sessions in a row"):
            take_all(found, relay_to(server).send(taking(), Notes()))
    assert [a.delivery_id for a in found] == taken
    assert len(taken) < 10


NO_SESSION = [
    (Script(nth={("CONNECT", 1): Do("554 5.7.1 not you", close=True)}), {}, RelayRefusedUs, "greeting was answered 554"),
    (Script(nth={("CONNECT", 1): Do("421 4.3.2 busy", close=True)}), {}, RelayUnreachable, "greeting was answered 421"),
    (Script(nth={("CONNECT", 1): Do(stall=True)}), {}, RelayUnreachable, "no greeting"),
    (Script(nth={("CONNECT", 1): Do("SSH-2.0-OpenSSH", close=True)}), {}, RelayUnreachable, "garbage"),
    (Script(nth={("CONNECT", 1): Do(close=True)}), {}, RelayUnreachable, "closed the connection"),
    (Script(nth={("EHLO", 1): Do("421 4.3.2 busy", close=True)}), {}, RelayUnreachable, "EHLO"),
    (Script(), {"tls": "starttls"}, RelayRefusedUs, "does not offer STARTTLS"),
    (Script(), {"tls": "tls"}, RelayUnreachable, "cannot connect"),
    (Script(), {"username": "me", "password": "guess"}, RelayRefusedUs, "AUTH"),
]


@pytest.mark.parametrize(("script", "settings", "error", "reason"), NO_SESSION)
def test_no_session(store: Path, script: Script, settings: dict[str, str], error: type[Exception], reason: str) -> None:
    with SmtpServer(store, script) as server, pytest.raises(error, match=reason) as caught:
        relay_to(server, IMPATIENT, **settings).connect()
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_nobody_listens() -> None:
    relay = Relay(RelaySettings(host="127.0.0.1", port=9, name="none", tls="none"), lambda: AT)
    found: list[Attempt] = []
    with pytest.raises(RelayUnreachable, match=r"relay none: cannot connect to 127\.0\.0\.1:9: Connection refused"):
        take_all(found, relay.send(envelopes(3), Notes()))
    assert [(a.delivery_id, a.stage, a.reply) for a in found] == [(1, Stage.CONNECT, None)]


def test_wrong_password(store: Path) -> None:
    with SmtpServer(store, password="right") as server:
        with pytest.raises(RelayRefusedUs, match=r"AUTH was answered 535 5\.7\.8"):
            relay_to(server, username="me", password="wrong").connect()
        assert all(a.accepted for a in relay_to(server, username="me", password="right").send(envelopes(2), Notes()))


class Unreadable:
    """What is known of a relay, in a database that hangs up when it is asked to `fail`."""

    def __init__(self, fail: str) -> None:
        self._fail = fail

    def _asked(self, what: str) -> None:
        if what == self._fail:
            raise StoreError("the database hung up")

    def enter(self) -> str:
        return ""

    def worked(self) -> None:
        self._asked("worked")

    def refused(self, reply: str) -> None: ...
    def left(self) -> None: ...

    def unusable(self) -> frozenset[str]:
        self._asked("unusable")
        return frozenset()

    def extension_failed(self, keyword: str) -> None: ...


@pytest.mark.parametrize("fail", ["worked", "unusable"])
def test_a_connection_is_closed_where_the_database_hangs_up_meanwhile(store: Path, fail: str) -> None:
    with SmtpServer(store, password="right") as server:
        known = Unreadable(fail)
        settings = replace(relay_to(server).settings, username="me", password="right")
        relay = Relay(settings, lambda: AT, logins=known, record=known)
        with pytest.raises(StoreError) as caught:  # which keeps alive what the connection was made with
            relay.connect()
        until(lambda: server.connections == 1 and not server.open, "the server sees the connection end")
    assert caught.value.args


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_over_tls(store: Path, certificate: Path, server_tls: ssl.SSLContext, tls: str) -> None:
    with SmtpServer(store, context=server_tls, implicit_tls=tls == "tls", password="right") as server:
        relay = relay_to(server, tls=tls, ca_file=certificate, username="me", password="right")
        attempts = list(relay.send(envelopes(5), Notes()))
    assert [said(a) for a in attempts] == ["dot 250"] * 5


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_we_do_not_trust(store: Path, certificate: Path, server_tls: ssl.SSLContext, tls: str) -> None:
    with SmtpServer(store, context=server_tls, implicit_tls=tls == "tls") as server:
        with pytest.raises(RelayUnreachable, match=r"not to be trusted: self.signed certificate; .* relays\.ca_file$"):
            relay_to(server, tls=tls).connect()
        with pytest.raises(RelayUnreachable, match=r"not to be trusted: .*; set relays\.host to a name that it is for$"):
            relay_to(server, tls=tls, ca_file=certificate, host="localhost").connect()
        assert not [c for c in server.commands if c.startswith("MAIL")]


def test_words_slipped_in_before_tls_are_not_believed(store: Path, certificate: Path, server_tls: ssl.SSLContext) -> None:
    """STARTTLS injection: what was said in clear behind the 220 must not be read as if it came under TLS."""
    script = Script(nth={("STARTTLS", 1): Do("220 2.0.0 go\r\n250-evil\r\n250 AUTH PLAIN", usual=False)})
    with (
        SmtpServer(store, script, context=server_tls) as server,
        pytest.raises(RelayUnreachable, match="said in clear"),
    ):
        relay_to(server, IMPATIENT, tls="starttls", ca_file=certificate).connect()


def test_a_full_disk_keeps_the_message_from_being_sent(store: Path) -> None:
    with SmtpServer(store) as server:
        with closing(relay_to(server).connect()) as session:
            found: list[Attempt] = []
            with pytest.raises(MailError, match="disk is full"):
                take_all(found, session.send(envelopes(4), Notes(full_at=("dot", 3))))
        kept = len(server.accepted())
    assert [a.delivery_id for a in found] == [1, 2]
    assert [e.delivery_id for e in session.unsent] == [3, 4]
    assert kept == 2


def test_a_disk_full_after_the_answer_does_not_hide_the_answer(store: Path) -> None:
    with SmtpServer(store) as server:
        found: list[Attempt] = []
        with pytest.raises(MailError, match="disk is full"):
            take_all(found, relay_to(server).send(envelopes(4), Notes(full_at=("reply", 2))))
        kept = len(server.accepted())
    assert [said(a) for a in found] == ["dot 250"] * 2
    assert kept == 2


def test_stopping_half_way_leaves_nothing_in_doubt(store: Path) -> None:
    with SmtpServer(store) as server:
        session = relay_to(server).connect()
        attempts = session.send(envelopes(5), Notes())
        assert next(attempts).accepted
        attempts.close()  # type: ignore[attr-defined]
        assert [e.delivery_id for e in session.unsent] == [2]
        assert not session.usable
        session.close()
        assert len(server.accepted()) == 1


def test_the_journal_knows_what_was_answered_and_what_was_not(store: Path, tmp_path: Path) -> None:
    script = Script(
        nth={("DOT", 2): Do("451 4.3.0 later"), ("DOT", 3): Do(close=True, accept=True), ("RCPT", 4): Do("550 5.1.1 no")}
    )
    with SmtpServer(store, script) as server, Journal.create(tmp_path / "journals") as journal:
        attempts = list(relay_to(server).send(envelopes(5), journal))
        known = journal.replay()
    assert list(known.replies) == [a for a in attempts if a.stage is Stage.DOT and a.reply]
    assert [a.delivery_id for a in known.uncertain] == [3]


def test_servers_end_their_threads(store: Path) -> None:
    before = threading.active_count()
    with SmtpServer(store, Script(nth={("DOT", 1): Do(stall=True)})) as server:
        everything(relay_to(server, IMPATIENT).send(envelopes(1), Notes()))
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("words", "suppressed"),
    [
        ("550 5.1.2 digest.example.org quux", []),
        ("550 5.1.1 quux <digest@digest.example.org>", []),
        ("550 5.1.1 <reader0@example.org>: user unknown", ["reader0@example.org"]),
    ],
)
def test_who_is_refused_in_words_about_our_domain_stays_a_reader(tmp_path: Path, words: str, suppressed: list[str]) -> None:
    """Over the wire: of one reader among six. Whom it is about is open, so the mail is tried again."""
    refusing = Script(recipients={"reader0@example.org": (Do(words), Do(words))})
    with SmtpServer(tmp_path / "kept", refusing) as relay:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", relay.port)
        emails = queue(load(config), 6)
        with Container(load(config)) as container:
            tally = container.delivery.deliver(lambda: datetime.now(UTC)).tally
            assert (tally.accepted, tally.retry + tally.failed) == (5, 1)
            found = [email for email in emails if container.subscriptions.suppression(container.adapters.address(email))]
    assert found == suppressed
