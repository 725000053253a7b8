"""Settings in, adapters out: what talks to the database, the sources and the templates. Each is made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, time
from functools import cached_property
from pathlib import Path
from time import time as seconds_now
from typing import TYPE_CHECKING

from digest.config import Settings, read_secret
from digest.config.secret_files import key_of
from digest.domain.errors import ConfigurationError, NotFound
from digest.domain.schedule import read_zone
from digest.domain.subscriber import Address, Preferences
from digest.links import Links, address_hasher, derive_key

if TYPE_CHECKING:
    from digest.domain.edition import Edition, PaperList, Rendered
    from digest.mail.auth.dkim import SigningKey
    from digest.mail.message.headers import Sender
    from digest.mail.verp import VerpSigner
    from digest.ranking.trending import Trending
    from digest.render.environment import Templates
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.editions.message_composer import MessageComposer, Sign
    from digest.services.editions.personalise import Personaliser
    from digest.services.papers.summarise import Summaries
    from digest.sources.http import PoliteGetter
    from digest.sources.llm_summaries import LlmSummaries
    from digest.sources.port import Source
    from digest.store.departures import DepartureLog
    from digest.store.unit_of_work import Store

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Where "templates", "config" or "seeds" are: inside an installed package, or beside it in a clone."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


class Adapters:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open = ExitStack()

    def close(self) -> None:
        """Closes what was opened."""
        self._open.close()

    @cached_property
    def lists(self) -> tuple[PaperList, ...]:
        return self.settings.paper_lists()

    def paper_list(self, name: str | None) -> PaperList:
        """The list named, or the first one configured. Raises NotFound naming those there are."""
        if name is None:
            return self.lists[0]
        for each in self.lists:
            if each.name == name:
                return each
        raise NotFound(f"list {name!r}", f"there are {', '.join(each.name for each in self.lists)}")

    def preferences(self, timezone: str | None, hour: time | None) -> Preferences:
        """A reader's own, or the configured defaults. Raises ConfigurationError for a zone that is none."""
        try:
            name = read_zone(timezone or self.settings.default_timezone)
        except ValueError as error:
            raise ConfigurationError("--timezone", str(error)) from None
        return Preferences(timezone=name, hour=hour or self.settings.default_send_time)

    def address(self, text: str) -> Address:
        from digest.mail.message.address import read_address

        return read_address(text)

    @cached_property
    def secret(self) -> str:
        """What links are signed and addresses hashed with; made once where there is none."""
        from digest.store.first_use import needs_its_key

        return key_of(self.settings.secrets, lambda: not needs_its_key(self.settings.database.url))

    @cached_property
    def links(self) -> Links:
        return Links(self.settings.web.base_url, self.secret, pages=self.settings.web.enabled)

    @cached_property
    def store(self) -> Store:
        """The store, its schema checked (SQLite: brought up to date)."""
        from digest.services.editions import lists

        store = self._opened()
        lists.keep(store, self.lists)
        return store

    def _opened(self) -> Store:
        from digest.store import migrate
        from digest.store.engine import open_engine
        from digest.store.unit_of_work import Store

        engine = open_engine(self.settings.database.url)
        self._open.callback(engine.dispose)
        if engine.dialect.name == "sqlite":
            migrate.upgrade(engine, self.hash_address)
        else:
            migrate.check(engine)
        return Store(engine, self.hash_address, self.departure_log)

    @cached_property
    def departure_log(self) -> DepartureLog:
        """Who left and what was sent, beside the journal."""
        from digest.store.departures import DepartureLog

        return DepartureLog(self.settings.delivery.journal / "departures", lambda: datetime.now(UTC))

    @cached_property
    def key_problem(self) -> str:
        """That our key is not the one this database knows; "" where it is."""
        from digest.services.scheduler.key_check import recognise

        return recognise(self.store, self.secret, datetime.now(UTC))

    def accept_new_key(self) -> None:
        """From now on the database belongs to the key configured, or to a new one: the one before is lost."""
        from digest.services.scheduler.key_check import accept_new_key

        accept_new_key(self._opened(), self.secret, datetime.now(UTC))

    def migrated_store(self) -> Store:
        self.migrate()
        return self._opened()

    def check_schema(self) -> None:
        """Raises SchemaMismatch where the database has been migrated under our feet."""
        from digest.store.migrate import check

        check(self.store.engine)

    def migrate(self, *, new_key: bool = False) -> tuple[str | None, str]:
        """Brings the schema up to date; says from which revision to which. `new_key`: the database's own may be gone."""
        if new_key:
            key_of(self.settings.secrets)
        from digest.store.engine import open_engine
        from digest.store.migrate import upgrade

        engine = open_engine(self.settings.database.url)
        try:
            return upgrade(engine, self.hash_address)
        finally:
            engine.dispose()

    @cached_property
    def hash_address(self) -> Callable[[str], str]:
        """What suppressions and logs know an address by."""
        return address_hasher(self.secret)

    @cached_property
    def templates(self) -> Templates:
        from digest.render.environment import Templates

        own = self.settings.templates.folder
        if own is not None and not own.is_dir():
            raise ConfigurationError("templates.folder", f"{own} is not a folder")
        return Templates([*([own] if own else []), shipped("templates")])

    @cached_property
    def sender(self) -> Sender:
        from digest.mail.message.headers import Sender
        from digest.services.delivery.relay_defaults import envelope_kind

        mail = self.settings.mail
        kind = envelope_kind(mail, self.settings.relays)
        return Sender(
            name=mail.from_name,
            address=self.address(mail.from_address),
            domain=mail.domain,
            bounce_domain=mail.bounce_domain,
            envelope="verp" if kind == "verp" else "plain" if kind == "plain" else self.address(kind),
            inbound=self.address(mail.inbound_address) if mail.inbound_address else None,
            reply_to=self.address(mail.reply_to) if mail.reply_to else None,
            postal_address=mail.postal_address,
            pages=self.settings.web.enabled,
        )

    @cached_property
    def edition_renderer(self) -> EditionRenderer:
        from digest.services.editions.edition_renderer import EditionRenderer

        return EditionRenderer(self.templates, self.links, self.sender, self.verp_signer, self.sign, self.settings.source_kinds)

    def composer_of(self, edition: Edition, paper_list: PaperList, rendered: Rendered) -> MessageComposer:
        """Composes an edition's mails; loads nothing that renders."""
        from digest.services.editions.message_composer import MessageComposer

        cards = self.personaliser.make_cards
        return MessageComposer(edition, paper_list, rendered, self.links, self.sender, self.verp_signer, self.sign, cards)

    @cached_property
    def sign(self) -> Sign:
        """Puts DKIM signatures on what we compose; nothing where no key is configured. Raises ConfigurationError."""
        from digest.services.editions.message_composer import unsigned

        if not self.signing_keys:
            return unsigned
        from digest.mail.auth.dkim import Signer

        return Signer(self.signing_keys).sign

    @cached_property
    def signing_keys(self) -> tuple[SigningKey, ...]:
        """The DKIM keys configured, maybe none. Raises ConfigurationError."""
        files = self.settings.dkim.files()
        if not files:  # and what signs is not loaded
            return ()
        from digest.mail.auth.dkim import SigningKey

        return tuple(SigningKey.from_file(self.dkim_domain, *key) for key in files)

    @property
    def dkim_domain(self) -> str:
        """What signatures are made for: d=, in ASCII."""
        from digest.mail.message.header_encoding import ascii_domain

        return ascii_domain(self.settings.dkim.domain or self.sender.address.domain)

    @cached_property
    def verp_signer(self) -> VerpSigner:
        from digest.mail.verp import VerpSigner

        return VerpSigner(derive_key(self.secret, "verp"))

    # --- papers in

    @cached_property
    def ranker(self) -> Trending:
        """What is trending, by the coefficients configured or shipped. Raises ConfigurationError, InvalidInput."""
        return self.ranker_of(self.settings.ranking.coefficients or shipped("config") / "trending.toml")

    def ranker_of(self, file: Path) -> Trending:
        from digest.ranking.model import parse
        from digest.ranking.trending import Trending

        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError("ranking.coefficients", f"{file} cannot be read ({error})") from None
        return Trending(parse(text, str(file)))

    @cached_property
    def getter(self) -> PoliteGetter:
        from digest import __version__
        from digest.services.papers.shared_throttle import SharedTurns
        from digest.sources.http import HttpPolicy, PoliteGetter

        http = self.settings.http
        http_policy = HttpPolicy(contact=http.contact, timeout=http.timeout, deadline=http.total_timeout, retries=http.retries)
        turns = SharedTurns(self.store, lease=http.total_timeout + 1)
        getter = PoliteGetter(http_policy, version=__version__, clock=seconds_now, book=turns)
        self._open.callback(getter.close)
        return getter

    def sources(self, names: Sequence[str] = ()) -> list[Source]:
        """The configured sources, or those named. Raises NotFound, ConfigurationError."""
        from digest.sources.registry import make_source

        known = {each.name: each for each in self.settings.sources}
        for name in names:
            if name not in known:
                raise NotFound(f"source {name!r}", f"there are {', '.join(known)}")
        wanted = [known[name] for name in names] if names else list(known.values())
        return [
            make_source(
                each.kind,
                each.name,
                each.base_url,
                {**each.options, "api_key": read_secret(each.api_key, each.api_key_file, f"sources.{each.name}.api_key")},
            )
            for each in wanted
        ]

    @cached_property
    def personaliser(self) -> Personaliser:
        from digest.services.editions.more_cards import CardKeeper
        from digest.services.editions.personalise import Personaliser

        cards = CardKeeper(self.store, lambda: self.edition_renderer, self.paper_list, lambda: self.summaries)
        return Personaliser(self.store, cards, {each.name for each in self.lists if each.send_empty})

    @cached_property
    def endpoint(self) -> LlmSummaries | None:
        """Who writes summaries, where one is configured. Raises ConfigurationError."""
        from digest import __version__
        from digest.sources.http import HttpPolicy, PoliteGetter
        from digest.sources.llm_summaries import LlmSummaries

        ours = self.settings.summaries
        if not ours.base_url:
            return None
        # asked once: an edition waits for the answer, and has another morning
        http_policy = HttpPolicy(contact=self.settings.http.contact, timeout=ours.timeout, deadline=ours.timeout, retries=0)
        getter = PoliteGetter(http_policy, version=__version__)
        self._open.callback(getter.close)
        key = read_secret(ours.api_key, ours.api_key_file, "summaries.api_key") or ""
        return LlmSummaries(base_url=ours.base_url, model=ours.model, getter=getter, api_key=key)

    @cached_property
    def summaries(self) -> Summaries:
        """Lines for papers whose sources have none: from the endpoint, else from nobody."""
        from digest.services.papers.summarise import Limits, Summariser, nobody

        if self.endpoint is None:
            return nobody
        ours = self.settings.summaries
        return Summariser(self.store, self.endpoint, Limits(batch=ours.batch, budget=ours.daily_tokens, patience=ours.max_wait))
