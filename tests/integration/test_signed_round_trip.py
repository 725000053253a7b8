"""A signed mail through Postfix, OpenDKIM and Dovecot: what the reader fetches is what we composed, and the signature holds."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from digest.domain.delivery import Envelope, Stage
from digest.domain.subscriber import Address
from digest.links import Links
from digest.mail.auth.dkim import Signer, SigningKey, new_key
from digest.mail.message.headers import Sender
from digest.mail.smtp.journal import NullSendLog
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_settings import RelaySettings
from digest.mail.verp import VerpSigner
from digest.services.editions.edition_renderer import EditionRenderer
from digest.services.editions.message_composer import one_off
from tests.editions import EVERY_TROUBLE, LIST, TEMPLATES, edition
from tests.servers import opendkim
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix, postfix
from tests.servers.postfix import missing as no_postfix

DOMAIN = "papers.example.test"
RSA = SigningKey.from_pem(DOMAIN, "r1", new_key("rsa"))
ED25519 = SigningKey.from_pem(DOMAIN, "e1", new_key("ed25519"))
MADE = edition(EVERY_TROUBLE)


@pytest.fixture(scope="module")
def verifying_postfix(dovecot_server: Dovecot) -> Iterator[Postfix]:
    if reason := opendkim.missing() or no_postfix():
        pytest.skip(reason)
    with opendkim.opendkim(dict([RSA.record()])) as milter, postfix(dovecot_server.lmtp_port, milter_port=milter) as server:
        yield server


def signed(to: str) -> Envelope:
    sender = Sender(name="Lesekreis für Papiere", address=Address(f"digest@{DOMAIN}"), postal_address="1 Long Street")
    links = Links("https://papers.example.test", "a secret of some length")
    edition_renderer = EditionRenderer(TEMPLATES, links, sender, VerpSigner(b"key" * 10), Signer([RSA, ED25519]).sign)
    room = edition_renderer.message_composer(MADE, LIST, edition_renderer.render(MADE, LIST))
    return room(one_off(Address(to), MADE, MADE.frozen_at), None)


def sent_and_fetched(envelope: Envelope, server: Postfix, dovecot: Dovecot) -> EmailMessage:
    relay = Relay(RelaySettings(host="127.0.0.1", port=server.port, tls="none"), lambda: MADE.frozen_at)
    (attempt,) = relay.send([envelope], NullSendLog())
    assert (attempt.stage, attempt.accepted) == (Stage.DOT, True), attempt
    (received,) = dovecot.parsed(envelope.recipient, at_least=1)
    return received


def verdict(received: EmailMessage) -> str:
    return " ".join(str(received["Authentication-Results"]).split())


def test_parts_are_identical_and_the_signature_holds(verifying_postfix: Postfix, dovecot_server: Dovecot) -> None:
    envelope = signed("holds@reader.example")
    received = sent_and_fetched(envelope, verifying_postfix, dovecot_server)
    assert verdict(received).startswith(f"{opendkim.AUTHORITY}; dkim=pass"), verdict(received)
    assert f"header.d={DOMAIN}" in verdict(received)
    composed = email.message_from_bytes(envelope.data, policy=email.policy.default)
    for ours, theirs in zip(composed.walk(), received.walk(), strict=True):
        assert theirs.get_content_type() == ours.get_content_type()
        if not ours.is_multipart():
            assert theirs.get_content().replace("\r\n", "\n") == ours.get_content().replace("\r\n", "\n")
    added = {"return-path", "delivered-to", "received", "authentication-results"}
    kept = [(name, str(value)) for name, value in received.items() if name.lower() not in added]
    assert kept == [(name, str(value)) for name, value in composed.items()]
    assert received["Return-Path"] == f"<{envelope.sender}>"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("subject", b"\r\nSubject: ", b"\r\nSubject: Re: "),
        ("body", b"A Clock That Never Lies", b"A Clock That Ever Lies"),
        ("one-click", b"List-Unsubscribe=One-Click", b"List-Unsubscribe=No-Click"),
    ],
)
def test_what_was_changed_on_the_way_is_noticed(
    name: str, before: bytes, after: bytes, verifying_postfix: Postfix, dovecot_server: Dovecot
) -> None:
    envelope = signed(f"{name}@reader.example")
    damaged = Envelope(envelope.delivery_id, envelope.sender, envelope.recipient, (envelope.data.replace(before, after),))
    assert damaged.data != envelope.data
    assert "dkim=fail" in verdict(sent_and_fetched(damaged, verifying_postfix, dovecot_server))
