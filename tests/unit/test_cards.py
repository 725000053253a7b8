"""An edition rendered once: shell and cards, cut where readers differ."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as markup

from digest.domain.errors import TemplateError
from digest.domain.paper import Reason
from digest.ranking.sentences import title_shortened
from digest.render.edition.cards import render_edition
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import Personal, own_picks, teaser
from digest.render.environment import Templates
from tests.editions import EVERY_TROUBLE, ROOT, TEMPLATES, WHY, Reader, edition, many, paper, ranked, rendered, view_of
from tests.mails import assemble, personal

SHELL = {"missed", "why", "count", "manage-url", "manage-word", "unsubscribe-url", "cards"}
CARD = {"number", "because", "more-url", "less-url", "save-url"}


def own(made_rendered: object, *picks: tuple[int, list[Reason] | None]) -> Personal:
    return personal(made_rendered, picks, Reader(), WHY)  # type: ignore[arg-type]


def marked(mail_nonce: str, text: str) -> set[str]:
    return {name for _, name in Markers(mail_nonce).split(text) if name}


def test_what_differs_per_reader_is_marked_and_nothing_else() -> None:
    mail = rendered(edition(EVERY_TROUBLE[:5]))
    assert marked(mail.nonce, mail.html) == {*SHELL, "titles", "top"}
    assert marked(mail.nonce, mail.text) == SHELL
    assert [card.paper_id for card in mail.cards] == [1, 2, 3, 4, 5]
    for card in mail.cards:
        assert marked(mail.nonce, card.html) == CARD
        assert marked(mail.nonce, card.text) == CARD


def test_reasons_follow_a_dot_only_where_something_stands_before_them() -> None:
    bare = ranked(paper(1, "Bare", abstract="", categories=(), published_at=None), "new today")
    for style, before in (("full", "\N{NO-BREAK SPACE} "), ("compact", "")):
        mail = rendered(edition((bare,)), style)
        html, _ = assemble(mail, own(mail, *own_picks(mail)))
        assert re.search(rf"{before}<span class=\"reason\"[^>]*>new today</span>", html), style


def test_compact_and_public_editions_do_not_ask_for_feedback() -> None:
    for mail in (rendered(edition(), "compact"), render_edition(TEMPLATES, view_of(edition(), templates_feedback=False))):
        for card in mail.cards:
            assert marked(mail.nonce, card.html) - {"number"} in ({"because"}, {"reasons"})


def test_the_edition_has_its_own_order_and_reasons() -> None:
    made = edition(many(5), picked=2)
    mail = rendered(made)
    assert mail.picks == (0, 1)
    html, text = assemble(mail, own(mail, *own_picks(mail)))
    assert "+1 upvotes" in html
    assert re.findall(r"^ ?\d+\. (.+)$", text, re.MULTILINE) == ["Paper 1 about clocks", "Paper 2 about clocks"]


def test_a_readers_order_reasons_and_links() -> None:
    mail = rendered(edition(many(5), picked=2))
    html, text = assemble(mail, own(mail, (4, [Reason("author", "by <Ada> & co")]), (2, None)))
    assert re.findall(r"^ ?(\d+)\. (.+)$", text, re.MULTILINE) == [("1", "Paper 5 about clocks"), ("2", "Paper 3 about clocks")]
    assert "by &lt;Ada&gt; &amp; co" in html
    assert "by <Ada> & co" in text
    assert 'href="https://papers.example/unsubscribe/17.sig?a=1&amp;b=2"' in html
    assert "https://papers.example/more/17.sig/arxiv:2511.00005\n" in text
    assert "2 papers" in html


def test_a_reader_without_any_paper_and_one_paper() -> None:
    mail = rendered(edition(many(2)))
    assert "· 0 papers" in assemble(mail, own(mail))[1]
    assert "· 1 paper\n" in assemble(mail, own(mail, (0, None)))[1]


def test_long_reasons_and_why_wrap_at_72_columns() -> None:
    mail = rendered(edition(many(1)))
    values = personal(mail, [(0, [Reason("interest", "like words " * 30)])], Reader(), "because " * 40)
    _, text = assemble(mail, values)
    assert max(map(len, text.splitlines())) <= 72
    assert all(line.startswith("    like") or "like" not in line for line in text.splitlines()[5:12])


def test_a_marker_that_nothing_fills_is_an_error() -> None:
    mail = rendered(edition(many(1)))
    values = own(mail, (0, None))
    with pytest.raises(TemplateError, match="marks 'more-url', which nothing fills; known are because, number, reasons, section"):
        assemble(mail, replace(values, html={}, text={}))


def test_the_html_is_a_document_that_word_gmail_and_dark_mode_understand() -> None:
    html, _ = assemble(*(lambda mail: (mail, own(mail, *own_picks(mail))))(rendered(edition())))
    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 3
    assert "@media (prefers-color-scheme: dark)" in html
    assert "#e9e7e3 !important" in html
    assert html.count("<style") == 2, "the dark rules and Word's; those that were inlined are not kept"
    assert re.search(r'<h2 style="[^"]*font-size:20px', html)
    assert 'class="title"' in html
    assert "<img" not in html
    assert '<h2 dir="rtl"' in html


def test_hostile_text_stays_text() -> None:
    html, text = assemble(*(lambda mail: (mail, own(mail, *own_picks(mail))))(rendered(edition())))
    tree = markup.document_fromstring(html)
    assert not tree.xpath("//script | //b")
    assert "<script>alert('&')</script> & \"quotes\"" in [h.text_content() for h in tree.xpath("//h2")]
    assert "javascript:" not in html
    assert "ftp:" not in text


@settings(max_examples=25)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4), st.text(max_size=60))
def test_any_title_and_author_render_to_as_many_cards(titles: list[str], author: str) -> None:
    papers = tuple(ranked(paper(n, title, authors=(author,)), title) for n, title in enumerate(titles, start=1))
    mail = rendered(edition(papers))
    html, text = assemble(mail, own(mail, *own_picks(mail)))
    assert len(markup.document_fromstring(html).xpath("//td[contains(@class, 'card')]")) == len(titles)
    assert mail.nonce not in html + text


def test_text_that_looks_like_a_marker_is_only_text() -> None:
    first = rendered(edition(many(1)))
    imitation = Markers(first.nonce).mark("unsubscribe-url")
    mail = rendered(edition((ranked(paper(1, f"On {imitation}"), "new"),)))
    html, text = assemble(mail, own(mail, (0, None)))
    assert mail.nonce != first.nonce
    assert imitation in html
    assert imitation in text


@pytest.mark.parametrize(
    ("titles", "reasons", "least"),
    [
        (["A"], [], 40),
        (["A clock"] * 30, [], 40),
        (["Long words " * 30], [], 40),
        (["A"], ["+4 upvotes"], 40),
        (["大" * 200], [], 20),
    ],
)
def test_what_an_inbox_shows_after_the_subject(titles: list[str], reasons: list[str], least: int) -> None:
    said = teaser(titles, [*reasons, "the papers of the day in one short email"], 120)
    assert least <= len(said) <= 130
    assert said.startswith(titles[0][:4])


def test_an_empty_day_says_why_once_and_what_it_may_lack_in_a_sentence_of_its_own() -> None:
    silent = "Nothing new from arxiv so far: papers may be missing here."
    html, text = assemble(mail := rendered(edition((), notes=("no paper was seen", silent))), own(mail))
    for part in (html, text.replace("\n", " ")):
        assert "No papers today, because no paper was seen." in part
        assert part.count("No papers today, because") == 1
        assert silent in part
        assert f"{silent}." not in part


def test_an_empty_day_says_why() -> None:
    mail = rendered(edition((), notes=("all 12 papers were in earlier editions",)))
    html, text = assemble(mail, own(mail))
    assert mail.subject == "Trending papers, 6 November 2025: nothing new"
    assert mail.cards == ()
    for part in (html, text.replace("\n", " ")):
        assert "because all 12 papers were in earlier editions." in part
        assert "https://papers.example/unsubscribe/17.sig" in part


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("A" * 59 + "!", "A" * 59 + "!"),
        (
            "GLM-5V-Turbo: Toward a Native Foundation Model for Multimodal Agents",
            "GLM-5V-Turbo: Toward a Native Foundation Model…",
        ),
        (
            "LLaDA2.0-Uni: Unifying Multimodal Understanding and of the Generation",
            "LLaDA2.0-Uni: Unifying Multimodal Understanding…",
        ),
        (
            "Where Should Diffusion Enter a Language Model? Geometry-Guided Replacement",
            "Where Should Diffusion Enter a Language Model?",
        ),
        ("Zero-Shot Sim-to-Real Robot Learning: A Dexterous Manipulation Study", "Zero-Shot Sim-to-Real Robot Learning…"),
        ("大" * 80, "大" * 59 + "…"),
        ("of " * 30, "of…"),
    ],
)
def test_a_title_is_cut_where_a_word_may_stand_last(title: str, shown: str) -> None:
    assert title_shortened(title, 60) == shown


@given(st.text(min_size=1, max_size=200), st.integers(20, 80))
def test_a_title_cut_is_never_longer_than_asked(title: str, longest: int) -> None:
    assert len(title_shortened(title, longest)) <= longest


def test_an_operators_template_that_forgets_a_cut_is_blamed(tmp_path: Path) -> None:
    body = tmp_path / "mail/edition/body.txt"
    body.parent.mkdir(parents=True)
    body.write_text("{{ view.title }}")
    with pytest.raises(TemplateError, match=r"mail/edition/body\.txt: has mark\(\"cut\"\) 0 times for 2 cards"):
        render_edition(Templates([tmp_path, ROOT / "templates"]), view_of(edition(many(2))))


def test_an_operators_stylesheet_is_inlined(tmp_path: Path) -> None:
    sheet = tmp_path / "mail/_base/inline.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(".title { color: #00aa00 }")
    mail = render_edition(Templates([tmp_path, ROOT / "templates"]), view_of(edition(many(1))))
    assert 'style="color:#0a0"' in mail.cards[0].html


def test_the_same_edition_renders_to_the_same_bytes() -> None:
    assert rendered(edition()) == rendered(edition())


def test_thirty_papers_fit_and_a_pool_of_300_renders_in_seconds() -> None:
    began = process_time()
    mail = rendered(edition(EVERY_TROUBLE * 50))
    seconds = process_time() - began
    assert len(mail.cards) == 300
    assert seconds < 10, f"{seconds:.1f} s"
    html, _ = assemble(mail, own(mail, *((n, None) for n in range(30))))
    assert len(html.encode()) <= 90_000
