"""`digest doctor`: is everything there that a morning's mail needs, and how to fix what is not."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, wired
from digest.cli.relay_checks import check_relays, tried
from digest.domain.errors import ConfigurationError, DigestError, MailError
from digest.mail.auth.domain_checks import (
    Checked,
    Identity,
    check_dkim,
    check_dmarc,
    check_ptr,
    check_return,
    check_spf,
)

if TYPE_CHECKING:
    from digest.container import Container
    from digest.mail.auth.dns_lookup import Lookup

_TIME_ERROR = 5
"""adjtimex(2): the kernel's clock is not synchronised."""


@click.command()
@click.option("--dns", "server", default="", metavar="HOST:PORT", help="Ask this name server instead of the system's.")
@click.option("--no-dns", is_flag=True, help="Leave out what needs the Domain Name System.")
@wired
def doctor(container: Container, as_json: bool, server: str, no_dns: bool) -> None:
    """Check configuration, database, relays, DNS records, clock and sources; says how to fix each."""
    names = [] if no_dns else _names(container, server)
    parts = [*_parts(container), *_encoder(container)]
    checks = [*parts, *check_relays(container), _clock(), *names, *_sources(container), *_summaries(container)]

    def lines() -> None:
        for each in checks:
            click.echo(f"{'FAIL' if not each.well else 'warn' if each.warns else 'ok  '} {each.name}: {each.finding}")
            if each.fix and (each.warns or not each.well):
                click.echo(f"     {each.fix}")
        wrong = sum(not each.well for each in checks)
        click.echo(f"{wrong} of {len(checks)} need you; below each stands what to do." if wrong else "All is well.")

    answer(as_json, [asdict(each) for each in checks], lines)
    if not all(each.well for each in checks):
        raise SystemExit(1)


def _parts(container: Container) -> Iterator[Checked]:
    settings = container.settings
    yield tried("database", lambda: _database(container), "start it, or fix database.url; then `digest migrate`")
    yield from _review(container)
    yield tried(
        "key", lambda: _key(container), "the same key for every host: copy it; if it is lost: digest migrate --accept-new-key"
    )
    yield from _exposed(container)
    yield tried("journal", lambda: _journal(container), "run as its owner, or give it to the user that sends (chown)")
    yield tried("templates", lambda: _templates(container), "fix the template named, or remove it from templates.folder")
    yield _pages(container)
    yield tried("mail.envelope_sender", lambda: _envelope(container), "fix mail.from_address or mail.envelope_sender")
    if not container.adapters.sender.makes_addresses:
        inbound = settings.mail.inbound_address
        why = "a mailbox provider's domain" if container.adapters.sender.at_provider else 'mail.envelope_sender is "plain"'
        yield Checked(
            "unsubscribe by mail",
            bool(inbound),
            f"goes to {inbound}" if inbound else f"not offered: {container.adapters.sender.bounce_domain}, {why}",
            "set mail.inbound_address to a mailbox that you read, or mail.bounce_domain to a domain of your own",
        )
    yield tried("time zones", lambda: _zones(container), "bring the machine's zones up to date: pip install -U tzdata")
    postal = bool(settings.mail.postal_address)
    yield Checked("mail.postal_address", postal, settings.mail.postal_address or "none", "set it: many countries ask for it")


def _pages(container: Container) -> Checked:
    settings = container.settings
    if not settings.web.enabled:
        return Checked("web.enabled", True, "false: no pages; readers unsubscribe by email", "")
    return Checked(
        "web.base_url",
        not settings.web.base_url.startswith("http://"),
        settings.web.base_url,
        "set it to the https address readers can reach: mailbox providers honour one-click only over https",
    )


def _envelope(container: Container) -> str:
    from digest.services.delivery.relay_defaults import profile_for

    sender = container.adapters.sender
    if not sender.fixed_envelope:
        return f"an address for each mail at {sender.bounce_domain}"
    why = f"; at {sender.bounce_domain}, a mailbox provider's domain, no address is made up" if sender.at_provider else ""
    profiles = [profile for each in container.settings.relays if (profile := profile_for(each)) and profile.envelope == "plain"]
    if not why and profiles and "envelope_sender" not in container.settings.mail.model_fields_set:
        why = f"; {profiles[0].name} takes no other (from its profile)"
    return f"{sender.fixed_envelope}: bounces come back there{why}"


def _zones(container: Container) -> str:
    """Raises ConfigurationError naming those of readers that this machine does not know."""
    if unknown := container.monitoring.unknown_zones():
        named = ", ".join(f"{zone[:40]!r} ({count})" for zone, count in sorted(unknown.items()))
        raise ConfigurationError("unknown here", f"{named}; these readers get mail by {container.settings.default_timezone}")
    return "those of all readers are known"


def _names(container: Container, server: str) -> Iterator[Checked]:
    """Everything a receiver looks up. A name server that does not answer fails the check that asked it."""
    from digest.mail.auth.dns_lookup import Lookup, NoAnswer
    from digest.mail.message.address import is_public
    from digest.mail.message.header_encoding import ascii_domain

    sender = container.adapters.sender
    if is_public(ascii_domain(sender.address.domain)):
        yield _at_provider(container, sender.address.domain)
        return
    hosts = tuple(dict.fromkeys(relay.host for relay in container.settings.relays))
    who = Identity(
        author=ascii_domain(sender.address.domain),
        envelope=sender.envelope_domain,
        dkim=container.adapters.dkim_domain,
        relays=hosts,
    )
    dns, keys = Lookup(server), container.adapters.signing_keys
    asked: list[tuple[str, Callable[[], Iterator[Checked]]]] = [
        ("SPF", lambda: iter([check_spf(dns, who)])),
        ("DKIM", lambda: check_dkim(dns, keys, who)),
        ("DMARC", lambda: iter([check_dmarc(dns, who, signed=bool(keys))])),
        ("mail back", lambda: iter([check_return(dns, who)])),
        *((f"PTR of {host}", partial(_pointing, dns, host)) for host in hosts),
    ]
    for place, (name, check) in enumerate(asked):
        try:
            yield from check()
        except NoAnswer as error:
            if not error.silent:
                yield Checked(name, False, str(error), "ask again; else look at the name servers of that domain")
                continue
            rest = ", ".join(other for other, _ in asked[place:])  # each would wait as long again, and say the same
            fix = "look at /etc/resolv.conf, or ask another: digest doctor --dns 9.9.9.9:53 (--no-dns leaves all this out)"
            yield Checked("name servers", False, f"{error}; nothing can be said of {rest}", fix)
            return


def _at_provider(container: Container, domain: str) -> Checked:
    """A mailbox provider's domain: there is nothing to publish, and only its own relay may send for it."""
    from digest.mail.smtp.relay_profiles import HOST_OF

    own = HOST_OF.get(domain)
    other = [relay.host for relay in container.settings.relays if own and relay.host != own]
    finding = f"{domain} is a mailbox provider's: SPF, DKIM and DMARC are its own matter"
    if other:
        finding += f", and fail for mail through {other[0]}"
    return Checked("DNS", not other, finding, f"send through {own}, or with an address at a domain of your own")


def _pointing(dns: Lookup, host: str) -> Iterator[Checked]:
    return check_ptr(dns, host)


def _sources(container: Container) -> Iterator[Checked]:
    """What the latest collect left behind; nobody is asked again for it."""
    from digest.services.monitoring.alerts import of_source

    for source in container.monitoring.sources():
        trouble = of_source(source.name, source.health)
        news = f"last news: {source.last_news or 'none yet'}"
        if trouble is None:
            yield Checked(f"source {source.name}", True, news if source.health else "not asked yet; `digest collect` asks it")
        else:
            yield Checked(f"source {source.name}", False, f"{trouble.headline}: {' '.join(trouble.seen)} {news}", trouble.fix[0])


def _encoder(container: Container) -> Iterator[Checked]:
    """Whether likeness is by what texts mean, too: not that it should be."""
    if not container.papers.encodes:
        switched_off = not container.settings.ranking.sentence_encoder
        why = "ranking.sentence_encoder is false" if switched_off else "the extra `semantic` is not installed"
        yield Checked("sentence encoder", True, f"off, likeness is by words alone: {why}")
        return
    fix = "install digest[semantic] again, or set ranking.sentence_encoder = false"
    yield tried("sentence encoder", lambda: _encoded(container), fix)


def _encoded(container: Container) -> str:
    from digest.sentence_encoder import SentenceEncoder

    try:
        SentenceEncoder().encode(["A title. And an abstract."])
    except Exception as fault:
        raise ConfigurationError("cannot be used", f"{type(fault).__name__}: {fault}") from None
    papers, works = container.papers.encoded()
    return f"on: {papers} papers and {works} works of readers' libraries have a vector"


def _summaries(container: Container) -> Iterator[Checked]:
    """Whether the endpoint answers and knows the model, without a question that costs; and what went wrong with the last one."""
    settings = container.settings.summaries
    if not settings.base_url:
        return
    fix = "check base_url, model and api_key of [summaries]; editions are made without it"
    yield tried("summaries", lambda: _endpoint(container), fix)
    if trouble := container.papers.summaries_problem():
        yield Checked("summaries last asked for", False, trouble, "fix what it says, or raise that limit of [summaries]")


def _endpoint(container: Container) -> str:
    endpoint = container.adapters.endpoint
    served = endpoint.models() if endpoint else ()
    model = container.settings.summaries.model
    if served and model not in served:
        raise ConfigurationError("summaries.model", f"{model!r} is not served there; known: {', '.join(served[:5])}")
    return f"{model} at {container.settings.summaries.base_url}"


def _clock() -> Checked:
    """Whether the kernel says that something keeps its clock right: due hours, signatures and links depend on it."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if not sys.platform.startswith("linux"):
        return Checked("clock", True, f"{now}; whether something sets it cannot be asked here")
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # all zero: asks, sets nothing
    except (OSError, AttributeError):
        state = 0
    if state == _TIME_ERROR:
        return Checked(
            "clock", False, f"{now}; nothing keeps it right", "run chrony or systemd-timesyncd (in a container: its host)"
        )
    return Checked("clock", True, f"{now}, synchronised" if state >= 0 else f"{now}; the kernel does not say more")


def _review(container: Container) -> Iterator[Checked]:
    from digest.cli.review import held_line

    with suppress(DigestError):  # that the database is away is said already
        if line := held_line(container):
            yield Checked("review", False, line, "decide: digest review --accept, or digest review --undo")


def _database(container: Container) -> str:
    return f"{container.adapters.store.engine.dialect.name}, {container.papers.count()} papers"


def _key(container: Container) -> str:
    if container.adapters.key_problem:
        raise ConfigurationError("secrets.key", container.adapters.key_problem.partition(" ")[2])
    return "the one that this database knows"


def _exposed(container: Container) -> Iterator[Checked]:
    from digest.config.read import settings_file
    from digest.config.secret_files import exposed

    file = settings_file(click.get_current_context().params.get("config"), os.environ)
    for each in exposed(container.settings, file):
        text = f"{each} holds a secret and is readable by everybody on this machine"
        yield Checked("secrets", True, text, f"chmod o-rw {each}", warns=True)


def _journal(container: Container) -> str:
    from digest.mail.smtp.journal import Journal

    folder = container.settings.delivery.journal
    if trouble := Journal.unreadable(folder):
        raise MailError(f"{trouble}; nothing is sent before it can be read")
    return f"{folder}: nothing in it that cannot be read"


def _templates(container: Container) -> str:
    count = container.adapters.templates.check_all()
    own = container.settings.templates.folder
    return f"all {count} can be read" + (f", those in {own} before ours" if own else "")
