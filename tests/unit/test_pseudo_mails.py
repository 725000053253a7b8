"""Every mail in the pseudo-language: a plain English letter in it is a string that nobody can translate.

What is data here has no Latin letters, but for addresses.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from lxml import etree, html

from digest.domain.delivery import DeliveryState
from digest.domain.delivery_words import why
from digest.domain.edition import Edition, PaperList, Update
from digest.domain.notice import Notice, NoticeKind
from digest.domain.paper import Candidate, Paper, Ranked, Reason, Signal, Summary, TrackRecord
from digest.domain.phrase import phrase
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Address, Preferences, Subscription, SubscriptionState
from digest.domain.updates import KINDS, update
from digest.links import Links
from digest.mail.message.headers import Sender
from digest.mail.verp import VerpSigner
from digest.ranking.gained import Gained
from digest.ranking.model import PLAIN
from digest.ranking.selection import also
from digest.ranking.trending import counted, rank
from digest.render.environment import Templates
from digest.services.editions.edition_renderer import EditionRenderer
from digest.services.editions.message_composer import SAMPLE, one_off
from digest.services.notices.transactional import NoticeComposer
from digest.sources.publishing_schedule import PublishingSchedule, SourceHealth, silence_note
from digest.translation import PSEUDO
from tests.editions import ROOT, TEMPLATES, edition, paper

AT = datetime(2025, 11, 6, 7, 0, tzinfo=UTC)
LIST = PaperList(name="daily", title="Χρόνος", description="Κάθε μέρα", language=PSEUDO)
SENDER = Sender(name="Ομάδα", address=Address("digest@papers.example"), postal_address="1 Οδός\n10115 Πόλη")
LINKS = Links("https://papers.example", "a secret of some length")
ADDRESS = Address("reader@example.org")

_DATA = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+|papers\.example\S*|\bUTC\b|2511\.\d+")
_ENGLISH = re.compile(r"[A-Za-z]{2,}")
_SHOWN = ("alt", "title", "aria-label", "placeholder")


def plain(number: int, **fields: object) -> Paper:
    words = "Ένα ρολόι που δεν λέει ψέματα. Προτείνουμε δύο ελατήρια. Είναι φτηνό και ακριβές."
    known: dict[str, object] = {
        "abstract": words,
        "authors": ("Ἀριστοτέλης", "Πλάτων", "Σωκράτης", "Ζήνων", "Θαλῆς"),
        "categories": ("φυσική",),
        "venue": "Ἀκαδημία",
        "code_url": "https://github.example/x",
    }
    title = str(fields.pop("title", f"Περί χρόνου {number}"))
    return paper(number, title, **{**known, **fields})


MODEL = Summary(text="Ένα φτηνό ρολόι.", provenance="model:Μ")
ELSEWHERE = Summary(text="Άλλα λόγια εδώ.", provenance="πηγή")
REASONS = (
    Reason("votes", phrase("%(votes)s · %(stars)s", votes=counted("▲", 145, 102), stars=counted("★", 7, 7))),
    Gained(1, 3, 9).reason(phrase("this week")),
    also([plain(7), plain(8), plain(9), plain(10), plain(11), plain(12)]),
    also([plain(7)]),
)
PAPERS = (
    Ranked(plain(1, summary=MODEL), 1.0, REASONS, (1, 2, 3)),
    Ranked(plain(2, summary=ELSEWHERE), 0.9, ()),
    Ranked(plain(3, code_url="", project_url="https://project.example/x", summary=None), 0.8, ()),
)
DOWN = SourceHealth(
    source="α", asked_at=AT, rhythm=PublishingSchedule.IRREGULAR, last_unseen_at=AT, failing_since=AT.replace(day=4)
)
SILENT = silence_note([DOWN, replace(DOWN, source="β", last_unseen_at=None)], AT)
NONE_SEEN = phrase("no paper was seen in the %(days)s days before %(day)s", days=7, day=AT.date())


def updates() -> tuple[Update, ...]:
    then, now = plain(20, venue="", code_url="", version=1), plain(20, version=3, withdrawn=True, title="Νέο")
    found = [update(then, now, set(KINDS) - {kind}) for kind in KINDS]
    found.append(update(then, replace(now, venue="", comment="Accepted at Ἀκαδημία"), {"withdrawn", "code", "version"}))
    return tuple(each for each in found if each)


EDITIONS: Mapping[str, tuple[Edition, str]] = {
    "full": (edition(PAPERS, notes=(SILENT,), updates=updates()), "full"),
    "compact": (edition(PAPERS), "compact"),
    "by one model": (edition(PAPERS[:1]), "full"),
    "weekly": (edition(PAPERS, frequency=Frequency.WEEKLY, considered=1204), "full"),
    "monthly": (edition(PAPERS, frequency=Frequency.MONTHLY, considered=1204), "full"),
    "empty": (
        edition((), notes=(NONE_SEEN,)),
        "full",
    ),
    "empty without a reason": (edition(()), "full"),
    "correction": (edition((), notes=("Λάθος.",), corrects=1), "full"),
}


def renderer(templates: Templates = TEMPLATES) -> EditionRenderer:
    return EditionRenderer(templates, LINKS, SENDER, VerpSigner(b"key" * 10))


def mails_of(made: Edition, style: str, templates: Templates = TEMPLATES) -> Iterator[bytes]:
    ours, paper_list = renderer(templates), replace(LIST, style=style)
    rendered = ours.correction(made, paper_list) if made.corrects else ours.render(made, paper_list)
    compose = ours.message_composer(made, paper_list, rendered)
    claimed = one_off(ADDRESS, made, AT, SAMPLE)
    assert ours.proof(made, paper_list, rendered) == ()
    for each in (claimed, replace(claimed, public_id=""), replace(claimed, away=True, missed=why(DeliveryState.EXPIRED, ""))):
        yield compose(each, None).data


def read(data: bytes) -> tuple[str, str, str]:
    """Subject, html and text."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    found = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert message["Content-Language"] == PSEUDO
    return message["Subject"], found["text/html"], found["text/plain"]


def english(data: bytes) -> list[str]:
    """The runs of English letters that a reader of the mail would see."""
    subject, page, text = read(data)
    root = html.document_fromstring(page)
    assert root.get("dir") == "rtl"
    assert root.get("lang") == PSEUDO
    for element in list(root.iter("style", etree.Comment)):
        element.drop_tree()
    shown = [root.text_content(), *(value for element in root.iter("*") for name, value in element.items() if name in _SHOWN)]
    return [found for part in (subject, text, *shown) for found in _ENGLISH.findall(_DATA.sub(" ", part))]


@pytest.mark.parametrize("name", EDITIONS)
def test_no_plain_english_in_an_edition(name: str) -> None:
    for data in mails_of(*EDITIONS[name]):
        assert english(data) == []


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("pages", [True, False])
def test_no_plain_english_in_a_notice(kind: NoticeKind, pages: bool) -> None:
    for preferences in (
        Preferences(),
        Preferences(weekdays=frozenset(range(5))),
        Preferences(weekdays=frozenset({0, 3})),
        Preferences(frequency=Frequency.WEEKLY),
        Preferences(frequency=Frequency.MONTHLY),
        Preferences(frequency=Frequency.MONTHLY, weekdays=frozenset({0, 3}), hour=time(19, 30)),
    ):
        subscription = Subscription(
            id=17,
            public_id=SAMPLE,
            subscriber_id=1,
            address=ADDRESS,
            list=LIST.name,
            state=SubscriptionState.ACTIVE,
            preferences=preferences,
            requested_at=AT,
            request=SAMPLE,
        )
        links = Links("https://papers.example", "a secret of some length", pages=pages)
        composer = NoticeComposer(TEMPLATES, links, SENDER, VerpSigner(b"key" * 10), {LIST.name: LIST})
        notice = Notice(kind, subscription)
        assert english(composer.envelope(notice, AT).data) == []
    if kind is NoticeKind.WELCOME and pages:
        made, style = EDITIONS["full"]
        shell = composer.welcome(notice, made, renderer().render(made, replace(LIST, style=style)), AT)
        data = renderer().message_composer(made, LIST, shell)(one_off(ADDRESS, made, AT, SAMPLE), None).data
        assert english(data) == []


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize("reason", ["", "held for review", "450 4.7.1 δοκιμάστε", "waits: its domain"])
def test_no_plain_english_in_why_an_email_did_not_come(state: DeliveryState, reason: str) -> None:
    if state is DeliveryState.ACCEPTED:
        return
    assert _ENGLISH.findall(TEMPLATES.in_language(PSEUDO).translation.phrase(why(state, reason))) == []


def test_no_plain_english_in_what_a_ranking_says() -> None:
    votes = [Signal("votes", count, AT.replace(hour=hour), "α") for count, hour in ((1, 1), (9, 6))]
    candidates = [
        Candidate(plain(1), tuple(votes)),
        Candidate(plain(2), (), TrackRecord(authors=3, likeness=1.0)),
        Candidate(plain(3, categories=("φυσική",)), tuple(votes), topic_weight=1.5),
    ]
    spoken = TEMPLATES.in_language(PSEUDO).translation
    texts = [spoken.phrase(reason.text) for each in rank(candidates, AT, PLAIN) for reason in each.reasons]
    assert len(texts) >= 3
    assert [found for text in texts for found in _ENGLISH.findall(text)] == []


def test_a_planted_string_is_found(tmp_path: Path) -> None:
    card = (ROOT / "templates/mail/edition/_card.html").read_text("utf-8")
    (tmp_path / "mail/edition").mkdir(parents=True)
    (tmp_path / "mail/edition/_card.html").write_text(card.replace('{{ _("Save") }}', "Keep"), "utf-8")
    made, style = EDITIONS["full"]
    found = [english(data) for data in mails_of(made, style, Templates([tmp_path, ROOT / "templates"]))]
    assert {word for each in found for word in each} == {"Keep"}
