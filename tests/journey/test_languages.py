"""Readers of one list in several languages: each gets theirs, once, and those who share one share what was rendered."""

from __future__ import annotations

import email
import email.policy
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import func, select

from digest import translation as module
from digest.config import load
from digest.domain.delivery import Envelope
from digest.domain.errors import TemplateError
from digest.domain.notice import Notice, NoticeKind
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.editions.edition_renderer import EditionRenderer
from digest.store.schema import deliveries
from digest.store.schema_editions import card_translations, edition_translations
from tests.outbox import AT, configured, queue
from tests.transport import FakeTransport, OfflineContainer

CATALOGUES = {
    "de": {"Unsubscribe": "Abbestellen", "Preferences": "Einstellungen", "matches: %(what)s": "passt zu: %(what)s"},
    "ja": {"Unsubscribe": "購読を解除"},
}
LANGUAGES = {0: None, 1: "de", 2: "ja", 3: "de", 4: None}
"""By the number of a reader."""


@pytest.fixture(autouse=True)
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few messages in each language, whatever the shipped catalogues hold."""
    for language, messages in CATALOGUES.items():
        lines = [f'msgid "{text}"\nmsgstr "{other}"\n' for text, other in messages.items()]
        (tmp_path / f"{language}.po").write_text(
            'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n' + "\n".join(lines)
        )
    monkeypatch.setattr(module, "catalogue_file", lambda language: tmp_path / f"{language}.po")
    module.translation.cache_clear()
    yield
    module.translation.cache_clear()


@pytest.fixture
def kept() -> FakeTransport:
    return FakeTransport(lambda: datetime.now(UTC))


@pytest.fixture
def container(tmp_path: Path, sqlite_url: str, kept: FakeTransport) -> Iterator[OfflineContainer]:
    settings = load(configured(tmp_path, sqlite_url, 9))
    queue(settings, len(LANGUAGES))
    with OfflineContainer(settings, kept) as made:
        for number, language in LANGUAGES.items():
            choose(made, number, Preferences(language=language))
        yield made


def choose(container: OfflineContainer, number: int, preferences: Preferences, interests: Interests | None = None) -> None:
    address = Address(f"reader{number}@example.org")
    subscription = container.subscriptions.subscription(address, container.adapters.paper_list("daily"))
    container.subscriptions.change(subscription, preferences, interests)


def read(envelope: Envelope) -> EmailMessage:
    found = email.message_from_bytes(envelope.data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_each_reader_gets_their_language_once(container: OfflineContainer, kept: FakeTransport) -> None:
    container.delivery.deliver(lambda: datetime.now(UTC))
    mails = {envelope.recipient: read(envelope) for envelope in kept.envelopes}
    assert len(kept.envelopes) == len(mails) == len(LANGUAGES)
    for number, language in LANGUAGES.items():
        mail = mails[f"reader{number}@example.org"]
        says = {"de": ("Abbestellen", "Montag, 2. März 2026"), "ja": ("購読を解除", "2026年3月2日月曜日")}
        word, day = says.get(language or "", ("Unsubscribe", "Monday, 2 March 2026"))
        assert mail["Content-Language"] == (language or "en")
        assert mail["List-Id"] == mails["reader0@example.org"]["List-Id"]
        assert word in part(mail)
        assert day in part(mail)
        page = part(mail, "html")
        assert f'<html lang="{language or "en"}" dir="ltr"' in page
        assert page.count('lang="en"') == (0 if language else 2) + (20 if language else 0), (
            "papers are not in the mail's language"
        )
    with container.adapters.store.read() as unit:
        languages = unit.connection.scalars(select(edition_translations.c.language).order_by("language")).all()
        cards = unit.connection.scalar(select(func.count()).select_from(card_translations))
    assert languages == ["de", "ja"]
    assert cards == 2 * 12


def test_english_mail_is_what_it_was_without_other_languages(container: OfflineContainer, kept: FakeTransport) -> None:
    edition = container.editions.edition(container.adapters.paper_list("daily"), AT.date(), AT)
    address, at = Address("reader0@example.org"), datetime.now(UTC)
    before = container.editions.preview(edition, container.adapters.paper_list("daily"), address, at).data
    container.delivery.deliver(lambda: datetime.now(UTC))
    after = container.editions.preview(edition, container.adapters.paper_list("daily"), address, at).data
    assert before == after


def test_a_language_is_rendered_once(container: OfflineContainer, kept: FakeTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    made = EditionRenderer.translated

    def counted(self: EditionRenderer, *given: object) -> object:
        asked.append(str(given[-1]))
        return made(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(EditionRenderer, "translated", counted)
    container.delivery.deliver(lambda: datetime.now(UTC))
    with OfflineContainer(container.settings, FakeTransport(lambda: AT)) as another:
        edition = another.editions.edition(another.adapters.paper_list("daily"), AT.date(), AT)
        again = another.editions.preview(edition, another.adapters.paper_list("daily"), Address("reader1@example.org"), AT)
    assert sorted(asked) == ["de", "ja"]
    assert "Abbestellen" in part(read(again))


def test_what_a_reader_chooses_holds_from_the_next_mail_on(container: OfflineContainer, kept: FakeTransport) -> None:
    container.delivery.deliver(lambda: datetime.now(UTC))
    edition = container.editions.edition(container.adapters.paper_list("daily"), AT.date(), AT)
    choose(container, 1, Preferences(language="ja"))
    mail = read(container.editions.preview(edition, container.adapters.paper_list("daily"), Address("reader1@example.org"), AT))
    assert mail["Content-Language"] == "ja"
    choose(container, 1, Preferences())
    mail = read(container.editions.preview(edition, container.adapters.paper_list("daily"), Address("reader1@example.org"), AT))
    assert mail["Content-Language"] == "en"


def test_own_reasons_are_said_in_the_readers_language_also_after_a_crash(
    container: OfflineContainer, kept: FakeTransport
) -> None:
    choose(container, 1, Preferences(language="de"), Interests(words=("clocks",), categories=("cs.LG",)))
    now = datetime.now(UTC)
    with container.adapters.store.begin() as unit:
        [mine] = [
            each for each in unit.deliveries.claim(10, "me", now, timedelta(minutes=5)).claimed if "reader1@" in each.address.text
        ]
    choices = container.adapters.personaliser.alone(mine)
    assert choices
    assert "passt zu: cs.LG" in part(read(container.editions.compose(mine, choices)))


def test_what_cannot_be_translated_comes_in_the_lists_language(
    container: OfflineContainer, kept: FakeTransport, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> object:
        raise TemplateError("mail/edition/body.html line 3", "is broken")

    monkeypatch.setattr(EditionRenderer, "translated", broken)
    with caplog.at_level(logging.WARNING, "digest"):
        container.delivery.deliver(lambda: datetime.now(UTC))
    assert len(kept.envelopes) == len(LANGUAGES)
    assert {read(each)["Content-Language"] for each in kept.envelopes} == {"en"}
    assert [record.getMessage() for record in caplog.records if "in de" in record.getMessage()] == [
        "list daily in de: template mail/edition/body.html line 3: is broken"
    ]


def test_a_correction_comes_in_the_language_that_its_edition_came_in(container: OfflineContainer, kept: FakeTransport) -> None:
    container.delivery.deliver(lambda: datetime.now(UTC))
    edition = container.editions.edition(container.adapters.paper_list("daily"), AT.date(), AT)
    container.operations.correct(edition, "The second paper was withdrawn.", datetime.now(UTC))
    kept.accepted.clear()
    container.delivery.deliver(lambda: datetime.now(UTC) + timedelta(seconds=1))
    mails = {envelope.recipient: read(envelope) for envelope in kept.envelopes}
    assert len(mails) == len(LANGUAGES)
    german = mails["reader1@example.org"]
    assert german["Content-Language"] == "de"
    assert "The second paper was withdrawn." in part(german)
    assert "2. März 2026" in part(german)
    assert "Abbestellen" in part(german)
    assert mails["reader0@example.org"]["Content-Language"] == "en"


def test_translations_go_with_the_cards_that_are_kept_no_longer(container: OfflineContainer, kept: FakeTransport) -> None:
    container.delivery.deliver(lambda: datetime.now(UTC))
    with container.adapters.store.begin() as unit:
        unit.connection.execute(deliveries.delete())
        assert unit.retention.cards(AT + timedelta(days=400), 100) == 0, "the newest edition keeps all"
    container.editions.edition(container.adapters.paper_list("daily"), AT.date() + timedelta(days=1), AT + timedelta(days=1))
    with container.adapters.store.begin() as unit:
        while unit.retention.cards(AT + timedelta(days=400), 100):
            pass
        for table in (edition_translations, card_translations):
            assert unit.connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize("kind", [NoticeKind.CONFIRM, NoticeKind.GOODBYE, NoticeKind.LINK])
def test_mail_to_one_person_is_in_their_language(container: OfflineContainer, kind: NoticeKind) -> None:
    paper_list = container.adapters.paper_list("daily")
    subscription = container.subscriptions.subscription(Address("reader1@example.org"), paper_list)
    mail = read(container.notice_composer.envelope(Notice(kind, subscription), AT))
    assert mail["Content-Language"] == "de"
    english = replace(subscription, preferences=Preferences())
    assert read(container.notice_composer.envelope(Notice(kind, english), AT))["Content-Language"] == "en"


def test_a_confirmation_is_in_the_language_that_was_asked_for(container: OfflineContainer) -> None:
    address, paper_list = Address("new@example.org"), container.adapters.paper_list("daily")
    for language in ("ja", "de"):
        step = container.subscriptions.request(address, paper_list.name, Preferences(language=language), Interests(), AT)
        assert step.notice
        assert step.notice.subscription.preferences.language == language
        with container.adapters.store.read() as unit:
            [queued] = unit.notices.current([step.notice.subscription.id])
        assert queued.notice.subscription.preferences.language == language
    welcome = container.subscriptions.confirm(queued.notice.subscription, "web form", AT + timedelta(hours=1)).notice
    assert welcome
    assert welcome.subscription.preferences.language == "de"
    container.notices.mail_notice(welcome, AT + timedelta(hours=1))
    [sent] = [read(each) for each in container.transport.envelopes if each.recipient == "new@example.org"]
    assert sent["Content-Language"] == "de"
    assert "Abbestellen" in part(sent)
    assert "2. März 2026" in part(sent)


def test_a_readers_language_is_exported_and_goes_with_them(container: OfflineContainer) -> None:
    address = Address("reader1@example.org")
    assert container.privacy.export_personal_data(address, AT)["subscriptions"][0]["language"] == "de"
    container.privacy.erase(address, AT)
    assert container.subscriptions.of(address) == []
