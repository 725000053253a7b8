"""summarise: lines for papers whose sources have none, from the endpoint configured, if one is.

    papers ─▶ remembered? ─▶ within the day's budget? ─▶ asked, some at a time ─▶ remembered

An edition waits for at most `patience` seconds and one answer more, and is made without the lines that did not come: the abstract
speaks then. A batch that gets no readable answer is split, so that one paper a model refuses costs no other its line; that it was
refused is remembered, of the paper in that language: another language is another question, and a filter may stumble over an
answer. What went wrong is kept for `digest doctor`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from digest.domain.errors import SourceError, SourceRefused, UnreadableAnswer
from digest.domain.instant import isoformat
from digest.domain.paper import Paper, Summary
from digest.store.unit_of_work import Store

Summaries = Callable[[Sequence[Paper], datetime | None, str], Mapping[int, Summary]]
"""Papers, those that matter most first, an instant, and a language (BCP 47) → lines by paper id, for those that got one. Without
an instant nobody is asked: only what is remembered. An endpoint in trouble raises nothing.
"""

ENGLISH = "en"
PLACE = "summaries:"
"""Among what sources remember; no source can be called so."""
BUDGET, TROUBLE = "budget", "trouble"
SUMMARIES_KEPT_FOR = timedelta(days=90)
"""Longer than any paper is a candidate."""


MOST_WASTED = 8
"""Questions without an answer after which an endpoint that has given none is asked about no smaller batch."""


def nobody(papers: Sequence[Paper], at: datetime | None, language: str) -> Mapping[int, Summary]:
    """No endpoint: every line is the source's or the abstract's."""
    return {}


class Written(Protocol):
    @property
    def lines(self) -> Mapping[int, Summary]: ...
    @property
    def tokens(self) -> int: ...


class Endpoint(Protocol):
    """Raises SourceError from `write`."""

    def write(self, papers: Sequence[Paper], language: str) -> Written: ...
    def estimated_tokens(self, papers: Sequence[Paper], language: str) -> int: ...
    def key(self, paper: Paper, language: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`batch` papers a question; `budget` tokens a day (UTC), all lists together; `patience` in seconds."""

    batch: int
    budget: int
    patience: float


class Summariser:
    """Keeps Summaries. No transaction is open while the endpoint is asked."""

    def __init__(self, store: Store, endpoint: Endpoint, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._endpoint, self._limits, self._clock = store, endpoint, limits, clock
        self._unreachable: tuple[str, float] | None = None
        """For lines in which language it did not answer last, and when."""

    def __call__(self, papers: Sequence[Paper], at: datetime | None, language: str = ENGLISH) -> Mapping[int, Summary]:
        asked = {
            self._endpoint.key(paper, language): paper for paper in papers if paper.abstract and not _has_summary(paper, language)
        }
        with self._store.read() as unit:
            known = unit.sources.some(PLACE, asked)
        lines = {asked[key].id: Summary(**value) for key, value in known.items() if value["text"]}
        missing = {key: paper for key, paper in asked.items() if key not in known}
        lines |= self._written(missing, at, language) if missing and at and not self._is_given_up(language) else {}
        return lines if language == ENGLISH else {paper: replace(line, language=language) for paper, line in lines.items()}

    def _is_given_up(self, language: str) -> bool:
        """Who did not answer for one language is not waited for in the next ones: an edition may be needed in several."""
        if self._unreachable is None:
            return False
        tried, when = self._unreachable
        return tried != language and self._clock() - when < self._limits.patience

    def _written(self, papers: Mapping[str, Paper], at: datetime, language: str) -> dict[int, Summary]:
        began, lines, trouble, keys = self._clock(), dict[int, Summary](), "", list(papers)
        batches = deque(keys[start : start + self._limits.batch] for start in range(0, len(keys), self._limits.batch))
        refused, answers, wasted = list[str](), 0, 0
        while batches:
            some = {key: papers[key] for key in batches.popleft()}
            if self._clock() - began >= self._limits.patience:
                left = len(some) + sum(map(len, batches))
                trouble = trouble or f"{left} papers were not asked for within {self._limits.patience:g} s"
                break
            estimated_tokens = self._endpoint.estimated_tokens(list(some.values()), language)
            if not self._afford(estimated_tokens, at):
                trouble = trouble or f"the day's budget of {self._limits.budget:,} tokens is spent"
                break
            try:
                written = self._endpoint.write(list(some.values()), language)
            except SourceError as error:
                if not isinstance(error, UnreadableAnswer):
                    self._spend(-estimated_tokens, at)
                if not _of_these_papers(error):
                    trouble = error.reason
                    self._unreachable = language, self._clock()
                    break
                wasted += 1
                if len(some) > 1 and (
                    answers or wasted <= MOST_WASTED
                ):  # one of them may be to blame: the others come without it
                    batches.extendleft(reversed(_halves(list(some))))
                    continue
                trouble = error.reason
                refused += some if len(some) == 1 else []
            else:
                answers += 1
                self._unreachable = None
                self._remember(some, written, estimated_tokens, at)
                lines |= written.lines
        if answers:  # it answers for others: these it refuses
            self._refused(refused, at)
        self._note(trouble, at)
        return lines

    def _refused(self, keys: Sequence[str], at: datetime) -> None:
        with self._store.begin() as unit:
            for key in keys:
                unit.sources.save(PLACE, key, {"text": "", "provenance": ""}, at)

    def _afford(self, tokens: int, at: datetime) -> bool:
        """Sets tokens aside if the day has them left: before asking, so that two who ask at once spend no more."""
        afforded = False

        def take(before: dict[str, Any]) -> dict[str, Any]:
            nonlocal afforded
            spent = _spent(before, at)
            afforded = spent + tokens <= self._limits.budget
            return _day(before, at, spent + tokens if afforded else spent)

        with self._store.begin() as unit:
            unit.sources.change(PLACE, BUDGET, take, at)
        return afforded

    def _spend(self, tokens: int, at: datetime) -> None:
        with self._store.begin() as unit:
            unit.sources.change(PLACE, BUDGET, lambda before: _day(before, at, max(0, _spent(before, at) + tokens)), at)

    def _remember(self, papers: Mapping[str, Paper], written: Written, estimated_tokens: int, at: datetime) -> None:
        """That there is no usable line, too: tomorrow's edition need not ask again."""
        self._spend(written.tokens - estimated_tokens, at)
        with self._store.begin() as unit:
            for key, paper in papers.items():
                line = written.lines.get(paper.id)
                value = {"text": line.text if line else "", "provenance": line.provenance if line else ""}
                unit.sources.save(PLACE, key, value, at)

    def _note(self, trouble: str, at: datetime) -> None:
        with self._store.begin() as unit:
            unit.sources.forget_before(PLACE, at - SUMMARIES_KEPT_FOR)
            if trouble:
                unit.sources.save(PLACE, TROUBLE, {"reason": trouble, "at": isoformat(at)}, at)
            else:
                unit.sources.forget(PLACE, TROUBLE)


def _of_these_papers(error: SourceError) -> bool:
    """Whether it may be for what was asked that there is no answer: prose instead of lines, or a filter's refusal."""
    return isinstance(error, UnreadableAnswer) or (isinstance(error, SourceRefused) and error.status in (400, 422))


def _halves(keys: list[str]) -> list[list[str]]:
    middle = (len(keys) + 1) // 2
    return [keys[:middle], keys[middle:]]


def _has_summary(paper: Paper, language: str) -> bool:
    """Whether there is a line that nobody need be asked for: the source's own, in whose language a model's is no better."""
    summary = paper.summary
    if summary is None or not summary.text.strip() or summary.provenance == "abstract":
        return False
    return not summary.is_by_model or (summary.language or ENGLISH) == language


def _spent(kept: Mapping[str, Any], at: datetime) -> int:
    return int(kept.get("tokens", 0)) if kept.get("day", "") >= at.date().isoformat() else 0


def _day(kept: Mapping[str, Any], at: datetime, tokens: int) -> dict[str, Any]:
    """What is asked about an edition of an earlier day counts on the last day too."""
    return {"day": max(kept.get("day", ""), at.date().isoformat()), "tokens": tokens}
