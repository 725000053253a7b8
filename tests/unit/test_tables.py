"""A table tried in one test: every row that is wrong is named, and those behind it are tried all the same."""

from __future__ import annotations

import traceback

import pytest

from tests.tables import every_row


def report(test: object) -> str:
    with pytest.raises(BaseExceptionGroup) as caught:
        test()  # type: ignore[operator]
    return "".join(traceback.format_exception(caught.value))


def test_each_wrong_row_is_named_with_what_was_wrong_and_no_other() -> None:
    tried: list[int] = []

    @every_row(("number", "even"), [(1, False), (2, False), (3, True), (4, True)])
    def is_even(number: int, even: bool) -> None:
        tried.append(number)
        assert (number % 2 == 0) is even, f"{number} % 2"

    said = report(is_even)
    assert tried == [1, 2, 3, 4]
    assert "2 of 4 rows are wrong" in said
    assert "in the row (2, False)" in said
    assert "in the row (3, True)" in said
    assert "2 % 2" in said
    assert "(1, False)" not in said
    assert "(4, True)" not in said


def test_what_should_have_been_raised_and_any_error_count() -> None:
    @every_row("text", ["1", "one", "2"])
    def is_refused(text: str) -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            int(text)

    assert "2 of 3 rows are wrong" in report(is_refused)

    @every_row("divisor", [1, 0])
    def divides(divisor: int) -> None:
        assert 1 / divisor

    assert "ZeroDivisionError" in report(divides)


def test_tables_of_tables_and_names_of_their_own() -> None:
    @every_row("left", [1, 2], ids=["one", "two"])
    @every_row("right", {"a": 1, "b": 2}.values(), ids=lambda right: f"right {right}")
    def differ(left: int, right: int) -> None:
        assert left != right

    said = report(differ)
    assert "in the row one" in said
    assert "in the row right 2" in said


@every_row("name", ["x", "y"])
def test_fixtures_are_given(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    assert tmp_path_factory.mktemp(name).is_dir()


def test_a_table_without_a_row_is_refused() -> None:
    with pytest.raises(AssertionError, match="without a row"):
        every_row("row", [])
