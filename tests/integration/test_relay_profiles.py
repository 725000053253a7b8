"""The six providers that people send through: scripted relays with their documented limits and refusals.

Either the mail is sent with what the profile says, or one line names the setting. Each relay listens on loopback under the
provider's own name and ports, with a certificate for that name; everything else is as in an installation.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.mail.smtp.relay_profiles import PROFILES, profile_of
from tests.outbox import queue
from tests.servers.smtp import Do, Script, SmtpServer

HOSTS = {
    "gmail": ("smtp.gmail.com", "me@gmail.com"),
    "workspace": ("smtp.gmail.com", "me@lab.example"),
    "office365": ("smtp.office365.com", "me@lab.example"),
    "ses": ("email-smtp.eu-west-1.amazonaws.com", "AKIAEXAMPLE"),
    "mailgun": ("smtp.eu.mailgun.org", "postmaster@lab.example"),
    "sendgrid": ("smtp.sendgrid.net", ""),
    "qq": ("smtp.qq.com", "10001@qq.com"),
    "163": ("smtp.163.com", "me@163.com"),
}
"""(relay, login) as the operator writes them."""
OWN_SENDER_ONLY = {
    "gmail": "",  # takes any, and puts the login in its place
    "office365": "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "qq": "501 mail from address must be same as authorization user.",
    "163": "553 Mail from must equal authorized user",
}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for all of them, signed by itself, in one PEM file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "providers")])
    names = [x509.DNSName(host) for host in sorted({host for host, _ in HOSTS.values()})]
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "providers.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


class World:
    """One provider, reachable by its name at the ports it documents."""

    def __init__(self, folder: Path, name: str, certificate: Path) -> None:
        self.folder, self.name, self.certificate = folder, name, certificate
        self.host, self.login = HOSTS[name]
        self.servers: dict[int, SmtpServer] = {}

    @contextmanager
    def relay(self, script: Script | None = None) -> Iterator[SmtpServer]:
        """587 with STARTTLS and 465 with TLS from the start; the one of the profile is given."""
        profile = profile_of(self.host, self.login)
        assert profile
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        sender = self.login if OWN_SENDER_ONLY.get(self.name) else ""
        script = script or Script(only_sender=sender, other_sender=OWN_SENDER_ONLY.get(self.name, ""))
        with ExitStack() as stack:
            for port in (465, 587):
                server = SmtpServer(
                    self.folder / f"kept{port}", script, context=context, implicit_tls=port == 465, password="right"
                )
                self.servers[port] = stack.enter_context(server)
            yield self.servers[profile.port]

    def configure(self, relay: str = "", mail: str = "", password: str = "right") -> Path:
        file, folder = self.folder / "digest.toml", self.folder
        sender = self.login if "@" in self.login else "digest@lab.example"
        login = f'username = "{self.login}"\n' if self.login else ""
        file.write_text(
            f"""
[database]
url = "sqlite:///{folder / "digest.sqlite3"}"
[secrets]
key_file = "{folder / "digest.key"}"
[mail]
from_address = "{sender}"
{mail}
[delivery]
journal = "{folder / "journal"}"
[[relays]]
name = "provider"
host = "{self.host}"
{login}password = "{password}"
ca_file = "{self.certificate}"
{relay}
[[lists]]
name = "daily"
title = "Trending papers"
cutoff = 05:00:00
""",
            "utf-8",
        )
        return file

    def delivers(self, config: Path, readers: int = 3) -> tuple[int, str]:
        """(how many the relay took, the one line that says why the others wait)."""
        queue(load(config), readers)
        with Container(load(config)) as container:
            result = container.delivery.deliver(lambda: datetime.now(UTC))
        return result.tally.accepted, result.stopped

    def doctor(self, config: Path) -> tuple[dict[str, Any], int]:
        done = CliRunner().invoke(digest, ["doctor", "--no-dns", "--json", "--config", str(config)])
        return {each["name"]: each for each in json.loads(done.stdout)}, done.exit_code


@pytest.fixture
def world(tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    made = World(tmp_path, request.param, certificate)
    connect = socket.create_connection

    def routed(address: tuple[str, int], *how: Any, **more: Any) -> socket.socket:
        host, port = address
        if host != made.host:
            return connect(address, *how, **more)
        if port not in made.servers:
            raise ConnectionRefusedError(111, "Connection refused")
        return connect(("127.0.0.1", made.servers[port].port), *how, **more)

    monkeypatch.setattr(socket, "create_connection", routed)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)  # reading the authorities of the system takes 20 ms, each time
    return made


of_all = pytest.mark.parametrize("world", HOSTS, indirect=True)


def of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", names, indirect=True)


@of_all
def test_with_host_and_login_alone_the_mail_is_sent(world: World) -> None:
    profile = profile_of(*HOSTS[world.name])
    assert profile
    with world.relay() as server:
        config = world.configure()
        assert world.delivers(config) == (3, "")
        checks, _ = world.doctor(config)
        kept = server.accepted()
    assert len(kept) == 3, "on the port that the profile names"
    own = world.login if "@" in world.login else "digest@lab.example"
    assert all((each.sender == own) is (profile.envelope == "plain") for each in kept)
    assert server.connections <= (profile.connections or 10) + 1
    assert checks["relay provider"]["well"], checks["relay provider"]["finding"]
    assert (
        f"{profile.name}; taken from it: port = {profile.port}, tls = {profile.tls}" in checks["profile of provider"]["finding"]
    )
    assert profile.sources[0] in checks["profile of provider"]["finding"]
    said = server.commands[-4:]
    assert [line.split()[0] for line in said] == ["MAIL", "RCPT", "RSET", "QUIT"], "doctor sends nothing"


APP = ("relays.password", "an app password")
CODE = ("relays.password", "an authorization code")
REFUSED: list[tuple[str, str, str, tuple[str, ...]]] = [
    # https://support.google.com/a/answer/3726730
    ("gmail", "AUTH", "534-5.7.9 Application-specific password required.\r\n534 5.7.9 Learn more at Google", APP),
    ("gmail", "AUTH", "535 5.7.8 Username and Password not accepted. gsmtp", APP),
    ("gmail", "DOT", "550 5.4.5 Daily user sending limit exceeded. gsmtp", ("relays.per_day",)),
    ("workspace", "DOT", "550 5.4.5 Daily user sending quota exceeded. gsmtp", ("relays.per_day",)),
    ("workspace", "MAIL", "530 5.7.0 Authentication Required. gsmtp", ("relays.username",)),
    ("workspace", "EHLO", "421 4.7.0 Try again later, closing connection. (EHLO) gsmtp", ("relays.ehlo_name",)),
    ("workspace", "DOT", "550 5.7.1 Daily SMTP relay limit exceeded for customer. gsmtp", ("relays.per_day",)),
    ("workspace", "MAIL", "550 5.7.0 Mail Sending denied. The sender account is not registered. gsmtp", ("mail.from_address",)),
    (
        "workspace",
        "DOT",
        "550 5.7.0 Mail relay denied. Invalid credentials for relay. gsmtp",
        ("relays.username", "relays.password"),
    ),
    # https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
    ("office365", "AUTH", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", ("relays.oauth",)),
    ("office365", "AUTH", "535 5.7.3 Authentication unsuccessful", ("relays.password", "relays.oauth")),
    ("office365", "DOT", "554 5.2.252 SendAsDenied; me@lab.example not allowed to send as x@lab.example", ("mail.from_address",)),
    ("office365", "MAIL", "530 5.7.57 Client not authenticated to send mail", ("relays.username",)),
    ("office365", "DOT", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", ("relays.per_day",)),
    ("office365", "AUTH", "550 5.7.30 Basic authentication is not supported for Client Submission.", ("relays.oauth",)),
    (
        "office365",
        "DOT",
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        ("mail.from_address",),
    ),
    ("office365", "DOT", "550 5.1.90 Your message can't be sent because you've reached your daily limit", ("relays.per_day",)),
    (
        "office365",
        "DOT",
        "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit",
        ("relays.per_day",),
    ),
    ("office365", "RCPT", "550 5.7.501 Access denied, spam abuse detected.", ("ask there", "[[relays]]")),
    # https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
    ("ses", "AUTH", "535 Authentication Credentials Invalid", ("relays.password", "an SMTP password made for SES")),
    (
        "ses",
        "DOT",
        "554 Message rejected: Email address is not verified. The following identities",
        ("mail.from_address",),
    ),
    ("ses", "DOT", "454 Throttling failure: Daily message quota exceeded.", ("relays.per_day",)),
    ("ses", "MAIL", "530 Authentication required", ("relays.username", "relays.password")),
    (
        "ses",
        "DOT",
        "554 Access denied: User `u' is not authorized to perform `ses:SendRawEmail'",
        ("relays.username", "mail.from_address"),
    ),
    ("ses", "DOT", "554 Message rejected: Sending suspended for this account.", ("ask there",)),
    # https://help.mailgun.com/hc/en-us/articles/115001124753-Account-Sending-Limitation (hourly), and replies its users quote
    ("mailgun", "AUTH", "535 5.7.0 Authentication failed", ("relays.password", "SMTP credentials, not an API key")),
    ("mailgun", "DOT", "550 5.7.1 Domain sandbox.mailgun.org is not allowed to send: Free accounts", ("mail.from_address",)),
    ("mailgun", "MAIL", "550 5.7.1 Relaying denied", ("mail.from_address",)),
    (
        "mailgun",
        "DOT",
        "421 4.7.0 Domain lab.example is not allowed to send: recipient limit exceeded. try again after 17 minutes",
        ("relays.per_day", "17 min"),
    ),
    ("mailgun", "RCPT", "550 5.7.1 Sandbox subdomains are for test purposes only. Please add your own domain", ("ask there",)),
    # https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting
    ("sendgrid", "AUTH", "535 Authentication failed: The provided authorization grant is invalid", ("relays.password", "apikey")),
    ("sendgrid", "AUTH", "451 Authentication failed: Maximum credits exceeded", ("relays.per_day",)),
    ("sendgrid", "DOT", "550 The from address does not match a verified Sender Identity.", ("mail.from_address",)),
    ("sendgrid", "DOT", "403 You are not authorized to send from that email address", ("mail.from_address",)),
    ("sendgrid", "MAIL", "550 Unauthenticated senders not allowed", ("relays.username", "relays.password")),
    ("sendgrid", "RCPT", "452 Too many recipients received this hour (throttled)", ("relays.per_day",)),
    # https://service.mail.qq.com
    ("qq", "AUTH", "535 Login Fail. Please enter your authorization code to login.", CODE),
    ("qq", "MAIL", "501 mail from address must be same as authorization user.", ("mail.envelope_sender", "mail.from_address")),
    ("qq", "MAIL", "503 Error: need EHLO and AUTH first !", ("relays.username",)),
    ("qq", "DOT", "550 Mail content denied. http://service.mail.qq.com", ("ask there", "[[relays]]")),
    ("qq", "DOT", "550 The sender's account is abnormal: Suspected spam", ("ask there", "[[relays]]")),
    # https://help.mail.163.com (退信代码)
    ("163", "AUTH", "535 Error: authentication failed", CODE),
    ("163", "AUTH", "550 User has no permission", ("relays.password", "SMTP is switched on")),
    ("163", "MAIL", "553 Mail from must equal authorized user", ("mail.envelope_sender", "mail.from_address")),
    ("163", "MAIL", "553 authentication is required,163 smtp9", ("relays.username",)),
    ("163", "MAIL", "554 MI:STC 163 smtp5", ("relays.per_day",)),
    ("163", "AUTH", "451 Requested mail action not taken: too much fail authentication", CODE),
    ("163", "DOT", "554 DT:SPM 163 smtp2", ("ask there", "[[relays]]")),
    ("163", "MAIL", "553 Requested action not taken: NULL sender is not allowed", ("mail.envelope_sender",)),
]


@pytest.mark.parametrize(
    ("world", "verb", "reply", "named"),
    REFUSED,
    indirect=["world"],
    ids=[f"{name} {reply[:40]}" for name, _, reply, _ in REFUSED],
)
def test_what_is_refused_names_the_setting(world: World, verb: str, reply: str, named: tuple[str, ...]) -> None:
    with world.relay(Script(nth={(verb, 0): Do(reply)})):
        accepted, stopped = world.delivers(world.configure())
    assert accepted == 0
    assert "\n" not in stopped
    assert re.split(r"[\r ]", reply)[0].split("-")[0] in stopped, "the relay's own words"
    assert all(each in stopped for each in named), stopped


LATER = [
    ("gmail", "MAIL", "421 4.7.0 Try again later, closing connection. (MAIL) gsmtp"),
    ("office365", "MAIL", "432 4.3.2 Concurrent connections limit exceeded."),
    ("ses", "DOT", "454 Throttling failure: Maximum sending rate exceeded."),
    ("163", "RCPT", "451 MI:SFQ 163 smtp5"),
    ("163", "MAIL", "450 MI:DMC 163 smtp"),
    ("office365", "MAIL", "451 4.7.500 Server busy. Please try again later"),
    ("ses", "MAIL", "421 Too many concurrent SMTP connections"),
]


@pytest.mark.parametrize(
    ("world", "verb", "reply"), LATER, indirect=["world"], ids=[f"{each[0]} {each[2][:20]}" for each in LATER]
)
def test_what_is_too_fast_is_sent_in_the_same_run(world: World, verb: str, reply: str) -> None:
    with world.relay(Script(nth={(verb, 1): Do(reply, close=reply.startswith("421"))})):
        assert world.delivers(world.configure(), readers=2) == (2, "")


@of("office365")
def test_the_documented_rate_is_kept(world: World) -> None:
    with world.relay():
        config = world.configure()
        with Container(load(config)) as container:
            limits = container.relays.limits["provider"]
            taken = sum(limits.take() for _ in range(100))
            assert taken <= 4, "thirty a minute: a tenth at once"
            assert limits.wait() > 0


@of("gmail")
def test_the_documented_day_is_kept_and_what_the_operator_sets_wins(world: World) -> None:
    with world.relay() as server:
        config = world.configure("per_day = 2")
        accepted, stopped = world.delivers(config, readers=3)
        assert (accepted, len(server.accepted())) == (2, 2)
        assert "its 2 mails of this day (per_day) are used" in stopped
        checks, _ = world.doctor(config)
    assert "per_day" not in checks["profile of provider"]["finding"]


MIXED = [
    ("gmail", 'port = 465\ntls = "starttls"', 'port 465 speaks TLS from the start: set relays.tls = "tls"'),
    ("gmail", 'port = 465\ntls = "none"\nusername = ""', 'port 465 speaks TLS from the start: set relays.tls = "tls"'),
    ("gmail", 'port = 587\ntls = "tls"', 'it answers in clear; set relays.tls = "starttls" (port 587)'),
]


@pytest.mark.parametrize(("world", "relay", "line"), MIXED, indirect=["world"], ids=["465 starttls", "465 none", "587 tls"])
def test_ports_mixed_up(world: World, relay: str, line: str) -> None:
    with world.relay():
        config = world.configure(relay)
        if 'username = ""' in relay:
            config.write_text(config.read_text("utf-8").replace(f'username = "{world.login}"\n', "", 1), "utf-8")
        checks, code = world.doctor(config)
    assert code == 1
    assert line in checks["relay provider"]["finding"]
    assert "change the setting" in checks["relay provider"]["fix"]


@pytest.mark.parametrize("relay", ["port = 465", 'tls = "tls"', "port = 587", 'tls = "starttls"', "", 'port = 465\ntls = "tls"'])
@of("gmail", "qq")
def test_what_is_left_out_follows_from_what_is_set(world: World, relay: str) -> None:
    with world.relay():
        assert world.delivers(world.configure(relay), readers=1) == (1, "")


@of("workspace")
def test_a_sender_that_is_not_the_login_is_pointed_at(world: World) -> None:
    with world.relay():
        config = world.configure()
        config.write_text(config.read_text("utf-8").replace('from_address = "me@', 'from_address = "digest@'), "utf-8")
        checks, _ = world.doctor(config)
    assert checks["sender at provider"]["warns"]
    assert checks["sender at provider"]["fix"].startswith('set mail.from_address = "me@lab.example"')
    assert (
        "digest@lab.example: bounces come back there; Google Workspace takes no other"
        in checks["mail.envelope_sender"]["finding"]
    )


@of("ses")
def test_verp_can_be_turned_off_and_a_refused_one_names_the_setting(world: World) -> None:
    with world.relay(Script(only_sender="digest@lab.example")):
        checks, code = world.doctor(world.configure())
        assert code == 1
        assert "MAIL FROM:<bounces+" in checks["relay provider"]["finding"]
        assert 'set mail.envelope_sender = "plain"' in checks["relay provider"]["finding"]
        checks, _ = world.doctor(world.configure(mail='envelope_sender = "plain"'))
        assert checks["relay provider"]["well"]


@of("gmail", "qq")
def test_nothing_is_made_up_at_a_mailbox_providers_domain(world: World) -> None:
    """Neither in an envelope or a header, nor in what doctor says to publish."""
    domain = world.login.partition("@")[2]
    with world.relay() as server:
        config = world.configure()
        assert world.delivers(config, readers=1) == (1, "")
        [kept] = server.accepted()
        said = CliRunner().invoke(digest, ["doctor", "--config", str(config)]).output
        with Container(load(config)) as container:
            assert container.mailboxes == {world.login}
        other = config.read_text("utf-8").replace(f'host = "{world.host}"', 'host = "127.0.0.1"\nport = 9\ntls = "none"')
        config.write_text(other, "utf-8")
        elsewhere = CliRunner().invoke(digest, ["doctor", "--config", str(config)]).output
    header = kept.data.decode().partition("\r\n\r\n")[0]
    at_domain = set(re.findall(rf"[^\s<>:,\"]+@{re.escape(domain)}", header + said + kept.sender))
    made = {each for each in at_domain if each != world.login}
    assert len(made) == 1, "the Message-ID, which is no address"
    assert f"Message-ID: <{made.pop()}>" in header
    assert f"{domain} is a mailbox provider's" in said
    assert f"fail for mail through 127.0.0.1\n     send through {world.host}" in elsewhere


def test_the_page_says_what_the_profiles_say() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/relays.md").read_text("utf-8")
    rows = {row.split(" (")[0].removeprefix("| "): row for row in page.splitlines() if row.startswith("| ")}
    for each in PROFILES:
        row = rows[each.name]
        limits = [f"{each.per_minute} a minute"] if each.per_minute else []
        limits += [f"{each.per_day} a day"] if each.per_day else []
        told = [f"| {each.port}, {each.tls} | {each.envelope} |", *limits, *each.sources]
        assert [text for text in told if text not in row] == [], each.name


@of("office365")
def test_the_documented_connections_are_not_exceeded(world: World) -> None:
    with world.relay() as server:
        assert world.delivers(world.configure("per_minute = 60000\nper_day = 60000"), readers=20) == (20, "")
    assert 1 < server.connections <= 3


def test_every_profile_is_whole() -> None:
    for each in PROFILES:
        assert each.sources, each.name
        assert all(source.startswith("https://") for source in each.sources), each.name
        assert (each.tls == "tls") is (each.port == 465), each.name
    assert profile_of("smtp.example.org") is None
    assert profile_of("notsmtp.gmail.com.example.org") is None
    named = [profile_of(host, login) for host, login in HOSTS.values()]
    assert [each.name for each in named if each] == [
        "Gmail", "Google Workspace", "Microsoft 365", "Amazon SES", "Mailgun", "SendGrid", "QQ Mail", "NetEase Mail",
    ]  # fmt: skip
