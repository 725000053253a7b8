"""Five real mornings, full and compact, and one mail of every other kind, before judges that we did not write: spam filters,
tables of what mail clients can do, HTML and accessibility checkers, DKIM verifiers.

They live outside the project (../shared/tools/mailqa, installed by its setup.sh into a folder that DIGEST_MAILQA names).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from digest.mail.inbound.parsed_message import ParsedMessage
from tests.servers.judges import HINT, JUDGES, Judge, Verdicts, asked, missing, negative
from tests.servers.real_mail import RealMail, real_mail

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

_TO_ONE = ("confirm", "welcome-alone", "goodbye", "alert")
"""Mails that answer one person owe nobody List-Unsubscribe, which these judges ask of every mail."""
_OWED_BY_LISTS_ONLY = ("List-Unsubscribe", "no unsubscribe link", "list-unsubscribe", "missing-unsubscribe")
_ALSO_THAT_DAY = "Message-ID also in"
"""One delivery in several styles is one mail to its Message-ID; nobody gets two of them."""


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> list[RealMail]:
    """In three languages. Of the Chinese ones the editions: judges count characters, and words by the spaces between them, and
    two Chinese sentences have too few for them.
    """
    english, german, chinese = (real_mail(tmp_path_factory.mktemp("mail"), language) for language in ("en", "de", "zh-Hans"))
    return [english, german, replace(chinese, others={})]


@pytest.fixture(scope="module")
def verdicts(mails: list[RealMail]) -> list[Mapping[Judge, Verdicts]]:
    return list(map(asked, mails))


def problems(name: str, said: Mapping[str, Any]) -> list[str]:
    known = (_ALSO_THAT_DAY, *(_OWED_BY_LISTS_ONLY if name in _TO_ONE else ()))
    return [problem for problem in said["problems"] if not any(words in problem for words in known)]


def test_spam_filters(verdicts: list[Mapping[Judge, Verdicts]]) -> None:
    """SpamAssassin's and rspamd's local rules; with DNS, that is SPF, DKIM and DMARC, too."""
    for program in ("spamassassin", "rspamd"):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            pytest.skip(f"needs {program}")
    judged = [of_one[Judge.SPAM]() for of_one in verdicts]
    assert list(map(len, judged)) == [11, 11, 10]
    for name, said in chain.from_iterable(each.items() for each in judged):
        assert said["ok"], (name, said["problems"])
        assert said["spamassassin"]["score"] <= 0.1, name
        assert said["spamassassin_auth"]["score"] <= 0.1, name
        assert said["rspamd"]["score"] <= 0, name
        assert {symbol: score for symbol, score in negative(said).items() if score > HINT} == {}, name


@pytest.mark.parametrize("judge", [Judge.CLIENTS, Judge.HTML])
def test_clients_and_pages(verdicts: list[Mapping[Judge, Verdicts]], judge: Judge) -> None:
    """caniemail's tables; html-validate, and axe-core in a browser, light and dark, wide and narrow."""
    for name, said in chain.from_iterable(of_one[judge]().items() for of_one in verdicts):
        assert (problems(name, said), said["figure"]) == ([], 0), name


@pytest.mark.parametrize("judge", [Judge.MIME, Judge.DKIM])
def test_headers_parts_and_signatures(verdicts: list[Mapping[Judge, Verdicts]], judge: Judge) -> None:
    for name, said in chain.from_iterable(of_one[judge]().items() for of_one in verdicts):
        assert problems(name, said) == [], name


def test_ten_papers_fit_in_sixty_kilobytes(mails: list[RealMail]) -> None:
    for morning in chain.from_iterable((*mail.mornings, *mail.compact) for mail in mails):
        html = ParsedMessage.read(morning.read_bytes()).html
        assert (html.count("<h2"), len(html.encode()) <= 60_000) == (10, True), morning.stem


def test_the_judges_are_whole() -> None:
    for judge in Judge:
        assert (JUDGES / judge.program).is_file(), judge
