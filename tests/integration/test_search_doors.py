"""Search where people meet it: the page, its feeds, the API and the command line; a saved search in a reader's own ranking."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from lxml import html

from digest.cli import digest
from digest.domain.interest import understand
from digest.domain.subscriber import Address, Interests
from digest.links import Purpose
from tests.servers.website import NOON, Website, sightings, stock


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Papers 1 to 12; every third one on protein folding."""
    papers = [
        replace(each, title=f"Protein folding, part {n}", abstract="Structures of folded proteins.") if n % 3 == 0 else each
        for n, each in enumerate(sightings(12), 1)
    ]
    return stock(tmp_path_factory.mktemp("stocked"), papers)


SIMILAR = {"arxiv:2605.00006", "arxiv:2605.00009", "arxiv:2605.00012"}


def test_a_card_leads_to_similar_papers_which_are_a_page_and_a_feed(site: Website) -> None:
    shown = site.get("/papers?q=%22protein+folding%22+author:writer3").text
    assert shown.count("<article") == 1
    assert '"/papers/arxiv:2605.00003"' in shown
    assert '"/papers?q=like:arxiv%3A2605.00003"' in site.get("/papers/arxiv:2605.00003").text
    page = site.get("/papers?q=like:arxiv:2605.00003").text
    assert "Protein folding, part 3" not in page
    assert page.count("Protein folding, part") >= 3
    items = site.get("/papers/feed.json?q=like:arxiv:2605.00003").json()["items"]
    assert {item["id"].partition("2026:")[2] for item in items} >= SIMILAR


def test_a_search_with_filters_is_a_feed(site: Website) -> None:
    def found(query: str) -> int:
        return len(site.get(f'/papers/feed.json?q="protein folding" {query}').json()["items"])

    assert [found("cat:cs.LG since:2026-05-25"), found("cat:math"), found("since:2026-05-26")] == [4, 0, 0]


def test_what_found_nothing_says_how_it_was_understood(site: Website) -> None:
    assert "No results for “protein, by nobody”" in site.get("/papers?q=protein+author:nobody").text


NEAREST = "No paper has all the words; the nearest:"


def test_partial_matches_are_told_as_such_through_every_door(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No paper is on speech and proteins; papers 5 on speech and 4 on proteins are, and those on folding."""
    asked = quote("speech and protein folding")
    page = html.fromstring(site.get(f"/papers?q={asked}").text)
    assert [line.text_content() for line in page.xpath("//*[@role='status']")] == [NEAREST]
    first = page.xpath("//article")[0].text_content()
    assert "Protein folding, part" in first
    assert "without “speech”" in first
    assert "No results" not in page.text_content()
    found = site.get(f"/api/v1/search?q={asked}").json()
    assert {tuple(each["missing"]) for each in found} == {("speech",), ("protein", "folding"), ("speech", "folding")}
    assert site.get(f"/papers/feed.json?q={asked}").json()["items"] == [], "a feed has only what was asked for"
    monkeypatch.setenv("DIGEST_DATABASE__URL", site.container.settings.database.url)
    monkeypatch.chdir(tmp_path)
    lines = CliRunner().invoke(digest, ["search", "speech and protein folding"]).output.splitlines()
    assert lines[0] == NEAREST
    assert any("without “speech”" in line for line in lines)


def test_papers_with_all_the_words_come_before_those_with_some(site: Website) -> None:
    page = html.fromstring(site.get(f"/papers?q={quote('protein folding writer9')}").text)
    titles = [each.text_content() for each in page.xpath("//main//h2")]
    assert titles[:2] == ["Protein folding, part 9", "Results with some of the words"]
    assert page.xpath("//*[@role='status']") == []


def test_a_result_shows_authors_date_votes_and_the_sentence_that_matches(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "method P5 <called>"
    card = html.fromstring(site.get(f"/papers?q={quote(asked)}").text).xpath("//article")[0]
    shown = " ".join(card.text_content().split())
    for part in ("Ada Writer5, Bo Author, Cleo Third and 1 more", "25 May 2026", "60 votes", "We propose a method <called> P5"):
        assert part in shown, part
    [found] = site.get(f"/api/v1/search?q={quote(asked)}&limit=1").json()
    assert (found["authors"][0], found["date"], found["votes"], found["missing"]) == ("Ada Writer5", "2026-05-25", 60, [])
    assert found["sentence"] == "We propose a method <called> P5 that is better."
    monkeypatch.setenv("DIGEST_DATABASE__URL", site.container.settings.database.url)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(digest, ["search", asked, "--limit", "1"]).output.splitlines() == [
        "arxiv:2605.00005  Speech is not all you need, part 5",
        "    Ada Writer5, Bo Author, Cleo Third and 1 more · 2026-05-25 · 60 upvotes",
        "    We propose a method <called> P5 that is better.",
    ]


def test_a_misspelled_word_is_read_as_a_near_one_and_that_is_told(site: Website) -> None:
    page = site.get("/papers?q=protien+folding").text
    assert "No paper has “protien”; showing results for “protein”." in page
    assert page.count("Protein folding, part") >= 4


@pytest.mark.parametrize(
    ("query", "interest", "told"),
    [
        ("protein folding", "protein folding", "words: protein folding"),
        ('"protein folding" cat:cs.LG', '"protein folding" cat:cs.LG', "search: “protein folding”, in cs.lg"),
        ("folding, proteins; <b>", "folding proteins <b>", "words: folding proteins <b>"),
        ("-protein folding", "search: -protein folding", "search: folding, without protein"),
        ('author:"Lovelace, Ada"', 'author:"Lovelace, Ada"', "follow author lovelace, ada"),
        ("author:Lovelace", "author:Lovelace", "follow author lovelace"),
        ("like:2605.00003", "like:2605.00003", "like arxiv:2605.00003"),
    ],
)
def test_a_search_can_be_had_by_mail_as_one_wish(site: Website, query: str, interest: str, told: str) -> None:
    """The page links to the form, which holds it; what the form sends is understood as that search."""
    page = html.fromstring(site.get(f"/papers?q={quote(query)}").text)
    [link] = page.xpath("//a[normalize-space()='email']/@href")
    form = html.fromstring(site.get(link).text)
    [written] = form.xpath("//textarea[@name='interests']")
    assert written.text_content().strip() == interest
    assert understand(interest).descriptions == (told,)


def test_a_search_that_finds_nothing_yet_can_be_followed_and_no_search_cannot(site: Website) -> None:
    assert "Get new results by" in site.get("/papers?q=unheardof").text
    assert "Get new results by" not in site.get("/papers").text
    assert "Get new results by" not in site.get("/papers?q=***").text


ONLY_WITHOUT = "only leaves papers out: add a word to look for, as in: diffusion -video"


def test_a_minus_leaves_out_through_every_door(site: Website) -> None:
    """Of four papers on protein folding, by writers 3, 6, 9 and 12."""
    asked = quote('"protein folding" -author:writer9 -"part 3"')
    left = {"arxiv:2605.00006", "arxiv:2605.00012"}
    assert {each["id"] for each in site.get(f"/api/v1/search?q={asked}").json()} == left
    items = site.get(f"/papers/feed.json?q={asked}").json()["items"]
    assert {item["id"].partition("2026:")[2] for item in items} == left
    page = site.get(f"/papers?q={asked}").text
    assert [n for n in (3, 6, 9, 12) if f"Protein folding, part {n}<" in page] == [6, 12]
    assert "-video" in page, "the hint says how"


def test_a_search_that_only_leaves_out_says_what_to_add(site: Website) -> None:
    page = site.get("/papers?q=-protein").text
    assert f"This search {ONLY_WITHOUT}." in page
    assert "No paper" not in page
    assert "Get new results by" not in page
    for path in ("/api/v1/search", "/papers/feed.atom", "/papers/feed.json"):
        answer = site.get(f"{path}?q=-protein+-cat:cs.LG")
        assert (answer.status_code, ONLY_WITHOUT in answer.text) == (400, True), path


def test_similar_papers_over_the_api(site: Website) -> None:
    found = site.get("/api/v1/papers/arxiv:2605.00003/similar?limit=3").json()
    assert {each["id"] for each in found} == SIMILAR
    assert all(0 < each["score"] <= 1 for each in found)
    assert site.get("/api/v1/papers/arxiv:2605.99999/similar").status_code == 404
    assert site.get("/api/v1/papers/nonsense/similar").status_code == 400
    assert site.get("/api/v1/papers/arxiv:2605.00003").json()["id"] == "arxiv:2605.00003"


def test_a_saved_search_is_a_readers_interest(site: Website) -> None:
    interests = understand('"protein folding" author:writer9').interests
    site.reader(interests=interests)
    ranked = site.container.papers.ranking(site.container.adapters.paper_list("daily"), NOON, Address("ada@example.org"))
    assert str(ranked[0].paper.identifier) == "arxiv:2605.00009"
    assert ranked[0].reasons[0].text == "matches: “protein folding”, by writer9"


def test_what_a_saved_search_leaves_out_is_no_reason_for_a_pick(site: Website) -> None:
    site.reader(interests=understand('"protein folding" -author:writer9 -"part 3"\nprotein -folding\nspeech -writer5').interests)
    ranked = site.container.papers.ranking(site.container.adapters.paper_list("daily"), NOON, Address("ada@example.org"))
    because = {str(each.paper.identifier) for each in ranked if each.reasons and each.reasons[0].kind == "interest"}
    assert because == {"arxiv:2605.00004", "arxiv:2605.00006", "arxiv:2605.00012"}, (
        "4 is on proteins, not their folding; 5 on speech, by writer 5"
    )
    assert ranked[0].reasons[0].text == "matches: “protein folding”, without “part 3” or by writer9"


def test_a_wish_for_a_name_with_a_comma_is_shown_as_it_was_saved(site: Website) -> None:
    subscription = site.reader()
    path = f"/manage/{site.token(Purpose.MANAGE, subscription)}"
    said = 'author:"LeCun, Yann"\n"a, b" -"c; d"'
    for _ in range(2):
        page = html.fromstring(site.post(f"{path}/interests", {"interests": said}).text)
        [shown] = page.xpath("//textarea[@name='interests']")
        said = shown.text_content().strip()
        assert said == '"a, b" -"c; d"\nauthor: "lecun, yann"'
    found = site.subscription()
    assert found
    assert found.interests == Interests(words=('"a, b" -"c; d"',), authors=("lecun, yann",))


def test_search_on_the_command_line(site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", site.container.settings.database.url)
    monkeypatch.chdir(tmp_path)

    def answer(*arguments: str, code: int = 0) -> list[str]:
        done = CliRunner().invoke(digest, ["search", *arguments, "--json"], standalone_mode=True)
        assert done.exit_code == code, done.output
        return [each["id"] for each in json.loads(done.stdout)] if code == 0 else []

    assert set(answer("--similar", "2605.00003", "--limit", "3")) == SIMILAR
    assert answer("cat:math", "--similar", "2605.00003") == []
    assert set(answer('"protein folding"')) == {*SIMILAR, "arxiv:2605.00003"}
    assert set(answer('"protein folding" -"part 3"')) == SIMILAR
    assert not SIMILAR & set(answer("x -folding", "--similar", "2605.00003"))
    answer("-folding", code=2)
    assert ONLY_WITHOUT in CliRunner().invoke(digest, ["search", "--", "-protein"]).output
    answer(code=2)
    answer("--similar", "2605.99999", code=1)
