"""The file of a model as an operator reads and writes it."""

from __future__ import annotations

import tomllib

import pytest

from digest.domain.errors import InvalidInput
from digest.ranking.model import WITHOUT_VOTES, Model, parse, written
from digest.ranking.text_prior import TextPrior
from tests.tables import every_row

TASTE = TextPrior(
    title={"weak": 0.1, "strong": 0.9, "bad": -0.5, "also": 0.1},
    abstract={"test-time": 0.2, "time": 0.3},
    shape={"authors": (1.5, 0.4), "title_colon": (0.2, -0.1)},
    centre=0.05,
)
MODEL = Model({"votes": 0.5, "age": -1.0}, power=0.5, base=2.5, appeal=TASTE, fitted_on={"until": "2026-03-27", "papers": 12})


def test_a_model_comes_back_from_its_file_whole() -> None:
    assert parse(written(MODEL), "mine.toml") == MODEL


def test_the_file_is_for_people_the_strongest_words_come_first() -> None:
    text = written(MODEL)
    read = tomllib.loads(text)
    assert list(read["title_words"]) == ["strong", "also", "weak", "bad"]
    assert list(read["abstract_words"]) == ["time", "test-time"]
    assert list(read) == ["fitted", "growth", "weights", "without_votes", "shape", "shape_usual", "title_words", "abstract_words"]
    assert "digest train" in text.partition("[")[0], "it says where it comes from"
    assert all(line.startswith("#") for line in text.partition("[")[0].splitlines() if line)
    assert read["fitted"] == {"until": "2026-03-27", "papers": 12}
    assert "# what a word of the title adds" in text.partition("[title_words]")[2].splitlines()[1]
    assert "[fitted]\nuntil" in text, "no empty lines where there is nothing to remark"


def test_strange_words_and_remarks_are_written_so_that_they_can_be_read() -> None:
    odd = Model(
        {"votes": 1.0}, appeal=TextPrior(title={"c++": 0.1, "naïve": 0.2, "a.b": 0.3}), fitted_on={"by": 'Ann "A" \\ Lee'}
    )
    again = parse(written(odd), "mine.toml")
    assert again.appeal == odd.appeal
    assert again.fitted_on == {"by": "Ann A  Lee"}


def test_what_a_file_leaves_out_is_plain() -> None:
    assert parse("[weights]\nvotes = 2", "mine.toml") == Model({"votes": 2.0}, power=1.0, base=0.0)
    assert parse("[weights]\nvotes = 2\n[without_votes]\ncode = 0", "mine.toml").without_votes == {**WITHOUT_VOTES, "code": 0.0}
    assert parse("[weights]\nvotes = 2\n[shape]\nauthors = 1", "mine.toml").appeal == TextPrior(shape={"authors": (0.0, 1.0)})


@every_row(
    ("text", "place", "told"),
    [
        ("[weights]\nvotes = true", "weights.votes", "True should be a number"),
        ("[weights]\nvotes = inf", "weights.votes", "inf should be a number"),
        ("[weights]\nvotes = 1\n[growth]\nbase = 'x'", "growth.base", "'x' should be a number"),
        ("[weights]\nvotes = 1\n[growth]\npower = -1", "growth.power", "should be above 0"),
        ("growth = 1\n[weights]\nvotes = 1", "growth", "should be a table"),
        ("shape = []\n[weights]\nvotes = 1", "shape", "should be a table"),
        ("[weights]\nvotes = 1\n[shape_usual]\nauthors = 'x'", "shape_usual.authors", "'x' should be a number"),
        (
            "[weights]\nvotes = 1\n[title_words]\nagents = '" + "x" * 99 + "'",
            "title_words.agents",
            f"'{'x' * 39} should be a number",
        ),
        ("[weights]\nvotes = 1\n[abstract_words]\nagents = []", "abstract_words.agents", "[] should be a number"),
        ("[weights]\nzeal = 1\nfame = 1", "weights.fame", "is no feature; there are votes, votes_while_young,"),
        ("[weights]\nvotes = 1\n[without_votes]\nfame = 1", "without_votes.fame", "is no feature; there are text, authors,"),
        ("[weights]", "weights", "is missing; run `digest train` to make such a file"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, place: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text, "mine.toml")
    assert str(caught.value).startswith(f"mine.toml: {place}")
    assert told in str(caught.value)
