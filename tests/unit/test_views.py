"""Views: values cleaned of what could harm a mail, told in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.paper import Summary
from digest.ranking.summary import summarised
from digest.render.edition.growth_plot import bar_heights
from digest.render.edition.topics import topic
from digest.render.edition.views import SenderView
from digest.render.text.letters import is_right_to_left
from digest.render.text.one_line import clean
from digest.render.text.web_url import web_url
from tests.editions import edition, many, paper, ranked, view_of
from tests.tables import every_row


@every_row(
    ("given_url", "shown"),
    [
        ("https://arxiv.org/abs/2511.1", "https://arxiv.org/abs/2511.1"),
        ("http://example.org", "http://example.org"),
        ("https://example.org/ä b\"<'>", "https://example.org/%C3%A4%20b%22%3C%27%3E"),
        ("https://example.org/%C3%A4", "https://example.org/%C3%A4"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://straße.example/x", "https://xn--strae-oqa.example/x"),
        ("https://[::1]:8000/", "https://[::1]:8000/"),
        ("javascript:alert(1)", ""),
        ("//example.org", ""),
        ("example.org/x", ""),
        ("ftp://example.org", ""),
        ("https://user:pw@example.org/", ""),
        ("https://exa\r\nmple.org/", ""),
        ("https://example.org:port/", ""),
        ("https://[::1/", ""),
        ("https://" + "a" * 300 + ".example/", "https://" + "a" * 300 + ".example/"),
        ("https://example.org/" + "a" * 1000, ""),
        ("", ""),
    ],
)
def test_web_url(given_url: str, shown: str) -> None:
    assert web_url(given_url) == shown


@given(st.text())
def test_a_url_is_ascii_and_breaks_out_of_nothing(text: str) -> None:
    for url in (web_url(text), web_url(f"https://example.org/{text}")):
        assert url.isascii()
        assert not set(url) & set(" \t\r\n\"'<>\\")
        assert not url or url.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\tc", "a b c"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("abc\u202etxt.exe\u2066", "abctxt.exe"),
        ("\ud800x\ufffe\ue000", "x"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("a\u2028b", "a b"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@every_row(
    ("growth", "heights"),
    [
        ((), ()),
        ((5.0, 6.0), ()),
        ((0.0, 0.0, 0.0), ()),
        ((1.0, float("inf"), 2.0), ()),
        ((1.0, float("nan"), 2.0), ()),
        ((0.0, 0.0, 0.0, 7.0), ()),
        ((100.0, 2.0, 0.0, 1.0), ()),
        ((0.0, 5.0, 10.0), ()),
        ((0.0, 5.0, 10.0, 5.0), (2, 10, 20, 10)),
        ((-3.0, 5.0, 10.0, 5.0), (2, 10, 20, 10)),
        (tuple(map(float, range(1, 11))), (8, 10, 12, 14, 16, 18, 20)),
    ],
)
def test_growth_as_bars(growth: tuple[float, ...], heights: tuple[int, ...]) -> None:
    assert bar_heights(growth) == heights


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("cs.CL", "Computation and Language"),
        ("hep-th", "High Energy Physics, Theory"),
        ("cs.ZZ", "Computer Science"),
        ("cell biology", "Cell biology"),
        ("", ""),
    ],
)
def test_topic(code: str, words: str) -> None:
    assert topic(code) == words


def test_a_card_in_words() -> None:
    card = view_of(edition()).cards[0]
    assert (card.authors, card.more_authors) == (("Ada Lovelace", "Charles Babbage", "Grace Hopper"), 2)
    assert (card.topic, card.date) == ("Computation and Language", "5 November")
    assert card.summary_by == "AI summary by Semantic Scholar"
    assert card.bars == ()


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        ("abstract", ""),
        ("huggingface", "AI summary by Hugging Face"),
        ("model:qwen3", "AI summary by qwen3"),
        ("bob's\nblog", "summary by bob's blog"),
    ],
)
def test_whose_words_the_summary_is(provenance: str, said: str) -> None:
    summary = Summary(text="It ticks.", provenance=provenance)
    assert view_of(edition((ranked(paper(1, "A", summary=summary)),))).cards[0].summary_by == said


def test_the_excerpt_follows_the_summary_taken_from_the_abstract_and_else_tells_the_contribution() -> None:
    ours = Summary(text="We propose a clock that never lies.", provenance="abstract")
    theirs = Summary(text="A good clock.", provenance="huggingface")
    cards = view_of(edition((ranked(paper(1, "A", summary=ours)), ranked(paper(2, "B", summary=theirs))))).cards
    assert cards[0].excerpt == "It uses two springs. It is cheap."
    assert cards[1].excerpt == "We propose a clock that never lies. It uses two springs. It is cheap."


def test_brevity_only_ever_shortens() -> None:
    long = Summary(text="A clock that " + "ticks and tocks, " * 40, provenance="huggingface")
    made = edition((ranked(paper(1, "A", abstract="We propose much. " + "It is a clock. " * 100, summary=long)),))
    sizes = [len(c.summary) + len(c.excerpt) for c in (view_of(made, brevity=n).cards[0] for n in range(5))]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[1] > sizes[2] > sizes[3] == sizes[4] > 0


def test_an_excerpt_does_not_repeat_the_summary_of_the_source() -> None:
    told = "GlacierEye sees the ice of polar glaciers from a low orbit."
    new = "We propose a radar that looks through clouds at night."
    abstract = f"{told} Clouds hide glaciers. {new} It sees polar ice, low glaciers, from orbit."
    own = Summary(text=told, provenance="huggingface")
    card = view_of(edition((ranked(paper(1, "A", abstract=abstract, summary=own)),))).cards[0]
    assert card.summary == told
    assert card.excerpt == new


@pytest.mark.parametrize(
    "key",
    [
        "Unlike these methods, we propose a radar that sees glaciers through clouds at night.",
        "We address this gap by introducing a radar that sees glaciers through clouds.",
        "We introduce GlacierEye, a radar.",
    ],
)
def test_an_excerpt_goes_on_after_the_summary_however_that_was_made_to_stand(key: str) -> None:
    after = "Nine glaciers were measured twice a day in three countries."
    made = summarised(ranked(paper(1, "GlacierEye: ice", abstract=f"Clouds hide glaciers. {key} {after}")))
    card = view_of(edition((made,))).cards[0]
    assert card.summary
    assert card.excerpt == after


def test_a_pick_outside_the_pool_has_a_card() -> None:
    made = replace(edition(many(3)), pool=edition(many(2)).pool)
    view = view_of(made)
    assert [card.paper_id for card in view.cards] == [1, 2, 3]
    assert view.picks == (0, 1, 2)


def test_right_to_left() -> None:
    assert is_right_to_left("  «بسم")
    assert not is_right_to_left("GPT بسم")
    assert not is_right_to_left("42")


def test_a_postal_address_is_one_line() -> None:
    assert SenderView(name="A\nB", home_url="", postal_address="1 Street,\n\n Berlin\n").postal_address == "1 Street, Berlin"
    assert SenderView(name="A\nB", home_url="").name == "A B"
