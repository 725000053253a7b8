"""A model's lines in each reader's language, asked for once, and the authors' words alone for who wants those."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import html

from digest.cli import digest
from digest.config import load
from digest.domain.paper import Paper, Sighting, Summary
from digest.domain.subscriber import Address, Interests, NewReader, Preferences
from digest.services.papers.summarise import Limits, Summariser
from digest.sources.http import HttpPolicy, PoliteGetter
from digest.sources.llm_summaries import LlmSummaries
from digest.store.unit_of_work import Store
from tests.journey.test_languages import part, read
from tests.outbox import AT, configured
from tests.servers.chat_model import MODEL, chat_model, material, said
from tests.servers.scripted_http import Act, Asked, ScriptedServer, reply
from tests.servers.stocked import CONSENT, DAY, NOW, sighting, upvotes
from tests.transport import FakeTransport, OfflineContainer

LINES = {
    "English": "Method {n} learns to rank with less.",
    "German": "Methode {n} lernt das Ordnen mit weniger Aufwand.",
    "Japanese": "手法{n}は少ない計算で順位付けを学習します。",
    "French": "La méthode {n} apprend à classer avec 99 modèles de Google.",
}
"""What the model says of a paper by its number; in French it makes things up."""
PAPERS = 4


def language_of(asked: Asked) -> str:
    instructions = json.loads(asked.body)["messages"][0]["content"]
    return next(each for each in LINES if f"one plain {each} sentence" in instructions)


@dataclass
class Model:
    """Answers in the language that it is asked for; refuses, in a language, a batch with a paper that is named."""

    refuses: dict[str, str] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(language, title) → how often."""

    def __call__(self, asked: Asked) -> Act:
        language, rows = language_of(asked), material(asked)
        self.asked.update((language, row["title"]) for row in rows)
        if self.refuses.get(language) in [row["title"] for row in rows]:
            return said("I would rather not.")
        return said({str(row["n"]): LINES[language].format(n=row["title"].split()[2]) for row in rows})


def sightings() -> list[Sighting]:
    return [
        sighting(
            n,
            abstract=f"Ranking is hard. We present method {n}, which learns to rank with few samples.",
            signals=(upvotes(100.0 - n, NOW - timedelta(hours=1)),),
        )
        for n in range(1, PAPERS + 1)
    ]


def as_papers() -> list[Paper]:
    return [
        Paper(id=n, identifiers=each.identifiers, title=each.title, first_seen_at=NOW, abstract=each.abstract)
        for n, each in enumerate(sightings(), 1)
    ]


@contextmanager
def sent(
    folder: Path, url: str, model: Model | None, readers: dict[str, Preferences], *papers: Sighting, list_language: str = "en"
) -> Iterator[World]:
    """Readers with their preferences; "de" is called de@example.org."""
    with chat_model(choose=model or Model()) as server:
        file = configured(folder, url, 9)
        if model:
            with file.open("a", encoding="utf-8") as settings:
                settings.write(f'language = "{list_language}"\n[summaries]\nbase_url = "{server.url}/v1"\nmodel = "{MODEL}"\n')
        with OfflineContainer(load(file), FakeTransport(lambda: AT)) as container:
            with container.adapters.store.begin() as unit:
                unit.papers.merge(papers or sightings())
                new = [NewReader(Address(f"{name}@example.org"), "daily", each) for name, each in readers.items()]
                unit.subscribers.add_confirmed(new, CONSENT, NOW - DAY)
            yield World(container, server)


@dataclass
class World:
    container: OfflineContainer
    server: ScriptedServer

    def morning(self) -> dict[str, str]:
        """By reader, the page of the mail that they are sent."""
        self.container.scheduler.tick(AT)
        asked = len(self.server.asked)
        self.container.delivery.deliver(lambda: AT)
        assert len(self.server.asked) == asked, "who sends asks nobody"
        return {each.recipient.partition("@")[0]: part(read(each), "html") for each in self.container.transport.envelopes}


def lines(page: str) -> list[tuple[str, str, str]]:
    """Of each card: the language that its summary is marked with ("": the mail's), the summary, and whose it says that it is."""
    found = []
    for card in html.fromstring(page).cssselect("p.more"):
        whose = card.cssselect(".whose")
        found.append(
            (card.get("lang", ""), (card.text or "").strip(), whose[0].text_content().replace("\u00a0", " ") if whose else "")
        )
    return found


THREE = {"en": Preferences(), "de": Preferences(language="de"), "ja": Preferences(language="ja")}


def test_each_reader_gets_the_models_line_in_their_language(tmp_path: Path, sqlite_url: str) -> None:
    model = Model()
    with sent(tmp_path, sqlite_url, model, THREE) as world:
        mails = world.morning()
        for name, language, whose in (
            ("en", "English", "AI summary"),
            ("de", "German", "KI-Zusammenfassung"),
            ("ja", "Japanese", "AI要約"),
        ):
            said_of = lines(mails[name])
            assert [line for _, line, _ in said_of] == [LINES[language].format(n=n) for n in range(1, PAPERS + 1)]
            assert {marked for marked, _, _ in said_of} == {""}, "it is in the language of the mail"
            assert all(whose in each for _, _, each in said_of)
        excerpts = [each.text_content() for each in html.fromstring(mails["de"]).cssselect('p.more > span[lang="en"]')]
        assert len(excerpts) == PAPERS, "the abstract is in English all the same"
        assert all("We present method" in each for each in excerpts)
        assert set(model.asked.values()) == {1}
        assert len(model.asked) == len(LINES.keys() - {"French"}) * PAPERS, "French has no reader"
        world.container.scheduler.tick(AT + timedelta(hours=1))
        world.container.scheduler.tick(AT + DAY)
        assert set(model.asked.values()) == {1}, "once a paper and language ever"


def test_what_the_model_makes_up_in_a_language_is_dropped_there(tmp_path: Path, sqlite_url: str) -> None:
    with sent(tmp_path, sqlite_url, Model(), {"en": Preferences(), "fr": Preferences(language="fr")}) as world:
        found = lines(world.morning()["fr"])
        assert [(marked, line) for marked, line, _ in found] == [
            ("en", LINES["English"].format(n=n)) for n in range(1, PAPERS + 1)
        ]


def test_what_is_in_no_language_that_can_be_told_is_not_marked_as_the_line(tmp_path: Path, sqlite_url: str) -> None:
    abstract = "排序很难。我们提出第 1 种方法，用更少的样本学习排序。它在所有基准上都更快。"
    paper = replace(sightings()[0], title="论文 第 1 号：学习排序", abstract=abstract)
    with sent(tmp_path, sqlite_url, Model(), {"fr": Preferences(language="fr")}, paper) as world:
        page = world.morning()["fr"]
        assert [(marked, line) for marked, line, _ in lines(page)] == [("en", LINES["English"].format(n=1))]
        [rest] = html.fromstring(page).cssselect("p.more > span:not(.whose)")
        assert rest.get("lang") == ""
        assert "方法" in rest.text_content()


def test_who_reads_english_gets_no_line_of_a_german_list(tmp_path: Path, sqlite_url: str) -> None:
    model = Model(refuses={"English": "Paper number 1 on learning to rank"})
    with sent(
        tmp_path, sqlite_url, model, {"list": Preferences(), "en": Preferences(language="en")}, list_language="de"
    ) as world:
        mails = world.morning()
        assert lines(mails["list"])[0][:2] == ("", LINES["German"].format(n=1))
        assert lines(mails["en"])[0][1:] == ("We present method 1, which learns to rank with few samples.", "")
        assert lines(mails["en"])[1][1] == LINES["English"].format(n=2)


def test_a_lists_own_language_is_asked_for_first_and_its_english_readers_get_english(tmp_path: Path, sqlite_url: str) -> None:
    model = Model()
    with sent(
        tmp_path, sqlite_url, model, {"list": Preferences(), "en": Preferences(language="en")}, list_language="de"
    ) as world:
        mails = world.morning()
        assert lines(mails["list"])[0][:2] == ("", LINES["German"].format(n=1))
        assert lines(mails["en"])[0][:2] == ("", LINES["English"].format(n=1))
        assert next(iter(model.asked))[0] == "German"


def test_a_refusal_is_of_a_paper_in_a_language_and_remembered(store: Store) -> None:
    model = Model(refuses={"German": "Paper number 2 on learning to rank"})
    papers = as_papers()
    with chat_model(choose=model) as server:
        getter = PoliteGetter(HttpPolicy(retries=0))
        endpoint = LlmSummaries(base_url=f"{server.url}/v1", model=MODEL, getter=getter)
        ask = Summariser(store, endpoint, Limits(batch=10, budget=1_000_000, patience=60), lambda: 0.0)
        assert sorted(ask(papers, NOW, "de")) == [1, 3, 4]
        assert sorted(ask(papers, NOW, "en")) == [1, 2, 3, 4], "another language is another question"
        questions = len(server.asked)
        assert ask(papers, NOW, "de")[1] == Summary(text=LINES["German"].format(n=1), provenance=f"model:{MODEL}", language="de")
        assert ask(papers, None, "ja") == {}, "nobody is asked without an instant"
        assert len(server.asked) == questions
        getter.close()


def test_who_does_not_answer_for_one_language_is_not_waited_for_in_the_next(sqlite_store: Store) -> None:
    model, clock, papers = Model(), [0.0], as_papers()
    with chat_model(choose=lambda asked: model(asked) if clock[0] else reply("502 Bad")) as server:
        getter = PoliteGetter(HttpPolicy(retries=0))
        endpoint = LlmSummaries(base_url=f"{server.url}/v1", model=MODEL, getter=getter)
        ask = Summariser(sqlite_store, endpoint, Limits(batch=10, budget=1_000_000, patience=60), lambda: clock[0])
        assert ask(papers, NOW, "en") == ask(papers, NOW, "de") == ask(papers, NOW, "ja") == {}
        assert len(server.asked) == 1
        clock[0] = 60.0
        assert sorted(ask(papers, NOW, "de")) == sorted(ask(papers, NOW, "ja")) == [1, 2, 3, 4]
        getter.close()


OWN = Summary(text="A summary by somebody's model.", provenance="huggingface")


@pytest.mark.parametrize("with_endpoint", [True, False])
def test_who_wants_the_authors_words_only_gets_no_models(tmp_path: Path, sqlite_url: str, *, with_endpoint: bool) -> None:
    """Neither that of the endpoint nor that of a source; in the list's language or another, in the mail and on the pages."""
    readers = {
        "en": Preferences(),
        "own": Preferences(authors_words=True),
        "own-de": Preferences(authors_words=True, language="de"),
        "own-compact": Preferences(authors_words=True, style="compact"),
    }
    papers = [replace(each, summary=OWN if n % 2 else None) for n, each in enumerate(sightings())]
    with sent(tmp_path, sqlite_url, Model() if with_endpoint else None, readers, *papers) as world:
        mails = world.morning()
        assert OWN.text in mails["en"]
        assert (LINES["English"].format(n=1) in mails["en"]) is with_endpoint
        for name in readers.keys() - {"en"}:
            found = lines(mails[name])
            assert len(found) == PAPERS
            assert all("learns to rank with few samples" in line and not whose for _, line, whose in found), name
            assert "AI summar" not in mails[name]
            assert "KI-" not in mails[name]
        assert {marked for marked, _, _ in lines(mails["own-de"])} == {"en"}
        subscription = world.container.subscriptions.of(Address("own@example.org"))[0]
        [issue] = world.container.editions.past_issues(subscription, 10)
        shown = world.container.editions.past_issue(subscription, issue.delivery_id).papers
        assert {each.ranked.paper.summary for each in shown} == {None}, "its page is summed up by the abstract too"


def test_a_readers_own_papers_come_in_the_authors_words_too(tmp_path: Path, sqlite_url: str) -> None:
    """Whose card is made when somebody first needs it."""
    hour = NOW - timedelta(hours=1)
    many = [
        sighting(
            n,
            abstract=f"Ranking is hard. We present method {n} of many.",
            summary=OWN,
            signals=(upvotes(200.0 - n, hour),),
        )
        for n in range(1, 80)
    ]
    with sent(tmp_path, sqlite_url, None, {"own": Preferences(authors_words=True)}, *many) as world:
        subscription = world.container.subscriptions.of(Address("own@example.org"))[0]
        world.container.subscriptions.change(subscription, subscription.preferences, Interests(authors=("ann author70",)))
        page = world.morning()["own"]
        assert "We present method 70 of many." in page
        assert OWN.text not in page


@pytest.mark.parametrize(("chosen", "line"), [("de", "Methode 1 lernt"), ("", "which learns to rank with few samples")])
def test_a_welcome_and_a_preview_are_in_the_readers_words_too(tmp_path: Path, sqlite_url: str, chosen: str, line: str) -> None:
    """`chosen`: a language, or the authors' words only."""
    preferences = Preferences(language=chosen or None, authors_words=not chosen)
    with sent(tmp_path, sqlite_url, Model(), {}) as world:
        container, paper_list = world.container, world.container.adapters.paper_list("daily")
        edition = container.editions.edition(paper_list, AT.date(), AT)
        step = container.subscriptions.request(Address("new@example.org"), "daily", preferences, Interests(), AT)
        assert step.notice
        with container.adapters.store.read() as unit:
            [queued] = unit.notices.current([step.notice.subscription.id])
        welcome = container.subscriptions.confirm(queued.notice.subscription, "web form", AT + timedelta(hours=1)).notice
        assert welcome
        container.notices.mail_notice(welcome, AT + timedelta(hours=1))
        pages = [part(read(each), "html") for each in container.transport.envelopes]
        pages += [
            part(read(container.editions.preview(edition, paper_list, Address("new@example.org"), AT, rerender=rerender)), "html")
            for rerender in (False, True)
        ]
        assert len(pages) == 3
        for page in pages:
            assert line in page
            assert LINES["English"].format(n=1) not in page


def test_the_command_line_changes_it_and_goes_back_to_the_lists_language(tmp_path: Path, sqlite_url: str) -> None:
    with sent(tmp_path, sqlite_url, Model(), {"de": Preferences(language="de")}):
        config = ["--config", str(tmp_path / "digest.toml")]

        def run(*arguments: str) -> tuple[dict[str, object], str]:
            done = CliRunner().invoke(digest, [*arguments, "--json", *config])
            assert done.exit_code == 0, done.output
            document = json.loads(done.stdout)
            return document[0] if isinstance(document, list) else document, done.stderr

        shown, _ = run("preferences", "de@example.org", "--authors-words")
        assert (shown["authors_words"], shown["language"]) == (True, "de")
        shown, _ = run("preferences", "de@example.org", "--language", "list")
        assert (shown["authors_words"], shown["language"]) == (True, None)
        [explained] = run("explain", "de@example.org")[0]["subscriptions"]  # type: ignore[misc]
        assert (explained["authors_words"], explained["language"]) == (True, None)  # type: ignore[index]
        shown, _ = run("preferences", "de@example.org", "--any-words")
        assert shown["authors_words"] is False
        done = CliRunner().invoke(digest, ["preferences", "de@example.org", "--language", "xx", *config])
        assert done.exit_code == 2
        assert "should be one of en, de" in done.output


def test_where_no_model_writes_the_command_line_says_so(tmp_path: Path, sqlite_url: str) -> None:
    with sent(tmp_path, sqlite_url, None, {"en": Preferences()}):
        with (tmp_path / "digest.toml").open("a", encoding="utf-8") as settings:
            settings.write('[[sources]]\nname = "arxiv"\nkind = "arxiv-rss"\noptions = {categories = ["cs.LG"]}\n')
        config = ["--config", str(tmp_path / "digest.toml")]
        done = CliRunner().invoke(digest, ["preferences", "en@example.org", "--authors-words", *config])
        assert done.exit_code == 0
        assert "no model writes summaries here" in done.stderr
        assert "authors' words only" in done.stdout


def test_the_choice_is_exported(tmp_path: Path, sqlite_url: str) -> None:
    with sent(tmp_path, sqlite_url, None, {"own": Preferences(authors_words=True)}) as world:
        held = world.container.privacy.export_personal_data(Address("own@example.org"), AT)
        assert held["subscriptions"][0]["authors_words"] is True
