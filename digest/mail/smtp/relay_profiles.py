"""What mail providers ask of those who send through them, by the host of their relay: each with the page that says so.

Data only. A setting that the operator wrote wins; see services/delivery/relay_defaults.py. A limit that depends on the account
and that no page gives as one number is left out here: the relay's refusals teach it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayProfile:
    name: str
    hosts: str
    """A pattern for the whole host name."""
    logins: str = r".*"
    """A pattern for the domain of the user name, where a provider has several kinds of account behind one host."""
    envelope: Literal["verp", "plain"]
    """Whether the envelope sender may be another address than that of the login."""
    port: int = 587
    tls: Literal["starttls", "tls"] = "starttls"
    username: str = ""
    """Where it is the same for everybody."""
    per_minute: int | None = None
    per_day: int | None = None
    connections: int | None = None
    login_with: str
    """What relays.password is there."""
    sender: str
    """What mail.from_address may be."""
    oauth: Literal["google", "microsoft", ""] = ""
    """Which relays.oauth logs in there."""
    note: str = ""
    sources: tuple[str, ...]


_GMAIL_LIMITS = "https://support.google.com/mail/answer/22839"
_GMAIL_SMTP = "https://support.google.com/a/answer/176600"
_APP_PASSWORDS = "https://support.google.com/accounts/answer/185833"
_EXCHANGE = "https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements"
_EXCHANGE_AUTH = "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"

PROFILES: tuple[RelayProfile, ...] = (
    RelayProfile(
        name="Gmail",
        hosts=r"smtp\.g(?:oogle)?mail\.com",
        logins=r"g(?:oogle)?mail\.com|",
        envelope="plain",
        per_day=500,
        login_with=f"an app password of 16 letters, not that of the account: {_APP_PASSWORDS}",
        sender="the address of the login, or an alias set up there",
        oauth="google",
        sources=(_GMAIL_LIMITS, _GMAIL_SMTP, _APP_PASSWORDS),
    ),
    RelayProfile(
        name="Google Workspace",
        hosts=r"smtp\.g(?:oogle)?mail\.com",
        envelope="plain",
        per_day=2000,
        login_with=f"an app password of 16 letters, not that of the account: {_APP_PASSWORDS}",
        sender="the address of the login, or an alias set up there",
        oauth="google",
        sources=("https://support.google.com/a/answer/166852", _GMAIL_SMTP, _APP_PASSWORDS),
    ),
    RelayProfile(
        name="Google Workspace SMTP relay",
        hosts=r"smtp-relay\.gmail\.com",
        envelope="plain",
        per_day=10_000,
        login_with=f"an app password of 16 letters, or none where the relay service knows this host's address: {_APP_PASSWORDS}",
        sender="an address of the organisation",
        oauth="google",
        note="It wants a name of yours in EHLO: set relays.ehlo_name.",
        sources=("https://support.google.com/a/answer/2956491", "https://support.google.com/a/answer/166852"),
    ),
    RelayProfile(
        name="Microsoft 365",
        hosts=r"smtp\.office365\.com|[a-z0-9-]+\.smtp\.office365\.com",
        envelope="plain",
        per_minute=30,
        per_day=10_000,
        connections=3,
        login_with=f"that of the mailbox, where the organisation still allows SMTP AUTH, else use relays.oauth: {_EXCHANGE_AUTH}",
        sender="the address of the login, or one that this mailbox has the right to send as",
        oauth="microsoft",
        sources=(
            _EXCHANGE,
            "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits",
            _EXCHANGE_AUTH,
        ),
    ),
    RelayProfile(
        name="Outlook.com",
        hosts=r"smtp-mail\.outlook\.com",
        envelope="plain",
        connections=3,
        login_with="none: it takes relays.oauth only, https://support.microsoft.com/office/c5d65390-9676-4763-b41f-d7986499a90d",
        sender="the address of the login",
        oauth="microsoft",
        note="How many a day depends on the account.",
        sources=(
            "https://support.microsoft.com/office/279ee200-594c-40f0-9ec8-bb6af7735c2e",
            "https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
        ),
    ),
    RelayProfile(
        name="Amazon SES",
        hosts=r"email-smtp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?",
        envelope="verp",
        login_with="an SMTP password made for SES, not a secret access key: "
        "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html",
        sender="an address of an identity that is verified in this region",
        note="Quotas belong to the account. In the sandbox: 200 mails a day, one a second, to verified addresses only; "
        "then set relays.per_day = 200 and relays.per_minute = 60.",
        sources=(
            "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
            "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html",
            "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html",
        ),
    ),
    RelayProfile(
        name="Mailgun",
        hosts=r"smtp\.(?:eu\.)?mailgun\.org",
        envelope="verp",
        login_with="that of the domain's SMTP credentials, not an API key: "
        "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp",
        sender="an address of the domain that the credentials belong to",
        note="How many a day depends on the plan. Bounces come to its webhook (inbound.mailgun_signing_key).",
        sources=("https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp",),
    ),
    RelayProfile(
        name="SendGrid",
        hosts=r"smtp\.(?:eu\.)?sendgrid\.net",
        envelope="verp",
        username="apikey",
        login_with="an API key that may send mail; the user name is the word apikey: "
        "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
        sender="a verified sender identity: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sender-identity",
        note="How many a day depends on the plan. Bounces come to its webhook (inbound.sendgrid_public_key).",
        sources=(
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sender-identity",
        ),
    ),
    RelayProfile(
        name="QQ Mail",
        hosts=r"smtp\.(?:exmail\.)?qq\.com",
        envelope="plain",
        port=465,
        tls="tls",
        login_with="an authorization code (授权码), not that of the account: https://service.mail.qq.com/detail/0/75",
        sender="the address of the login",
        note="How many a day depends on the account.",
        sources=("https://service.mail.qq.com/detail/0/75",),
    ),
    RelayProfile(
        name="NetEase Mail",
        hosts=r"smtp\.(?:vip\.)?(?:163|126|188)\.com|smtp\.yeah\.net",
        envelope="plain",
        port=465,
        tls="tls",
        login_with="an authorization code (授权密码), not that of the account; SMTP is switched on in the mailbox's settings: "
        "https://help.mail.163.com/",
        sender="the address of the login",
        note="How many a day depends on the account.",
        sources=("https://help.mail.163.com/",),
    ),
)

HOST_OF: dict[str, str] = {
    "gmail.com": "smtp.gmail.com",
    "googlemail.com": "smtp.gmail.com",
    "outlook.com": "smtp-mail.outlook.com",
    "hotmail.com": "smtp-mail.outlook.com",
    "live.com": "smtp-mail.outlook.com",
    "qq.com": "smtp.qq.com",
    "foxmail.com": "smtp.qq.com",
    "163.com": "smtp.163.com",
    "126.com": "smtp.126.com",
    "yeah.net": "smtp.yeah.net",
}
"""The relay of a mailbox provider, by the domain of an address there."""


def profile_of(host: str, username: str = "") -> RelayProfile | None:
    """The profile of a relay, and of the kind of account that logs in there; None for a host that has none."""
    name, domain = host.lower().rstrip("."), username.lower().rpartition("@")[2] if "@" in username else ""
    return next((each for each in PROFILES if re.fullmatch(each.hosts, name) and re.fullmatch(each.logins, domain)), None)
