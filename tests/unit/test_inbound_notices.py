"""Notices of our own making, in the shapes and words of the servers there are: each is understood; no pattern is without one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import digest.mail
from digest.domain.feedback import FeedbackKind
from digest.mail.inbound.bounce_classifier import VAGUE, diagnose
from digest.mail.inbound.read_feedback import read_feedback
from tests.notices import READER, SHAPES, Notice, Refusal, every_mail, foreign, notices, refusals
from tests.tables import every_row

NOTICES, REFUSALS, FOREIGN = notices(), refusals(), foreign()


@every_row("notice", [*NOTICES, *FOREIGN], ids=lambda notice: notice.name)
def test_a_notice_is_understood(notice: Notice) -> None:
    found = read_feedback(notice.data)
    assert found.kind is notice.kind, found.reason
    assert {each.address: each.bounce for each in found.recipients} == notice.recipients


@every_row("refusal", REFUSALS, ids=lambda refusal: f"{refusal.cause}: {refusal.words}")
def test_a_refusal_is_understood_in_whatever_shape_it_comes_back(refusal: Refusal) -> None:
    found = diagnose(refusal.words, stage=refusal.finding)
    assert found.bounce is refusal.bounce
    assert found.cause in (VAGUE if refusal.cause == "VAGUE" else {refusal.cause})
    for name, put in SHAPES.items():
        feedback = read_feedback(put(refusal))
        assert feedback.kind is FeedbackKind.BOUNCE, name
        assert [(each.address, each.bounce) for each in feedback.recipients] == [(READER, refusal.bounce)], name


def test_the_corpus_is_whole() -> None:
    assert len(NOTICES) + len(FOREIGN) + len(REFUSALS) >= 500
    assert {notice.kind for notice in NOTICES} == set(FeedbackKind)
    folder = {file.stem for file in (Path(__file__).parents[1] / "fixtures/bounces").glob("*.eml")}
    assert folder == {notice.name for notice in NOTICES}


def patterns() -> Iterator[tuple[str, str]]:
    """(where it stands, alternative) of every pattern that is given to `words` in digest/mail."""
    for file in sorted(Path(digest.mail.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "words":
                for argument in node.args:
                    yield from ((f"{file.name}:{argument.lineno}", one) for one in alternatives(value(file, argument)))


def module_of(file: Path) -> str:
    within = file.relative_to(Path(digest.mail.__file__).parents[1]).with_suffix("")
    return ".".join(("digest", *within.parts))


def value(file: Path, argument: ast.expr) -> str:
    """A pattern, written out or put together from the constants of its module."""
    pattern: str = eval(compile(ast.Expression(argument), file.name, "eval"), vars(import_module(module_of(file))))
    return pattern


def alternatives(pattern: str) -> Iterator[str]:
    """What stands between the bars of a pattern that are in no bracket."""
    depth, start = 0, 0
    for mark in re.finditer(r"\\.|\[(?:\\.|[^\]])*\]|[()|]", pattern):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if mark[0] == "|" and not depth:
            yield pattern[start : mark.start()]
            start = mark.end()
    yield pattern[start:]


@cache
def said() -> str:
    """All that the corpus says, a refusal a line."""
    lines = [refusal.words.replace(f"<{READER}>", "@") for refusal in REFUSALS]
    return "\n".join([*lines, *(data.decode("utf-8", "replace") for data in every_mail())])


PATTERNS = list(patterns())


def test_every_alternative_of_every_pattern_has_a_notice() -> None:
    """A new pattern comes with a line in refusals.txt or languages.txt, or with a notice."""
    assert len(PATTERNS) > 480
    unmet = [f"{where}: {one}" for where, one in PATTERNS if not re.search(one, said(), re.IGNORECASE | re.MULTILINE)]
    assert unmet == []


def test_alternatives_are_those_outside_brackets() -> None:
    assert list(alternatives(r"a(?:b|c)|[|(]d|\||e")) == ["a(?:b|c)", "[|(]d", r"\|", "e"]
