"""Languages: which one a browser likes best, and how each writes dates, numbers, plurals and sentences."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from digest import translation as module
from digest.domain.phrase import Day, phrase, phrase_document, phrase_from, phrases
from digest.render.environment import Templates
from digest.translation import LANGUAGES, PSEUDO, preferred, pseudo, read_language, translation

DAY = date(2025, 11, 6)
SINCE = phrase("%(x)s since %(day)s", x="a", day=Day(2025, 11, 6))
LISTED = phrase("from %(which)s", which=[SINCE, phrase("b")])


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5, ja", "ja"),
        ("fr;q=0.3, es;q=0.3", "fr"),  # of those liked alike the first
        ("pt-BR, es;q=0.1", "es"),
        ("ja-JP-u-ca-japanese", "ja"),
        ("de-DE-1996", "de"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-TW", None),  # another script: English rather than the wrong one
        ("zh-Hant-HK, en;q=0.5", "en"),
        ("EN-us", "en"),
        ("de;q=0", None),
        ("de;q=x, fr;q=0.1", "fr"),
        ("*", None),
        ("", None),
        (",;q=1,,en;", "en"),
        ("qps-plocm", None),
        ("x" * 100_000, None),
        ("../../etc/passwd, \x00, de", "de"),
    ],
)
def test_what_a_browser_likes_best(header: str, language: str | None) -> None:
    assert preferred(header) == language


def test_only_what_is_offered_is_preferred() -> None:
    assert preferred("de, fr;q=0.5", among=("en", "fr")) == "fr"


@pytest.mark.parametrize(
    ("language", "full", "day", "month", "number", "clock"),
    [
        ("en", "Thursday, 6 November 2025", "6 November", "November", "1,204", "07:00"),
        ("de", "Donnerstag, 6. November 2025", "6. November", "November", "1.204", "07:00"),
        ("fr", "jeudi 6 novembre 2025", "6 novembre", "novembre", "1\u202f204", "07:00"),
        ("es", "jueves, 6 de noviembre de 2025", "6 de noviembre", "noviembre", "1.204", "7:00"),
        ("zh-Hans", "2025年11月6日星期四", "11月6日", "十一月", "1,204", "07:00"),
        ("ja", "2025年11月6日木曜日", "11月6日", "11月", "1,204", "7:00"),
    ],
)
def test_dates_and_numbers(language: str, full: str, day: str, month: str, number: str, clock: str) -> None:
    spoken, when = translation(language), date(2025, 11, 6)
    assert (spoken.date(when, "full"), spoken.date(when, "MMMMd"), spoken.month(when)) == (full, day, month)
    assert spoken.number(1204) == number
    assert spoken.time(time(7, 0)) == spoken.time(datetime(2025, 11, 6, 7, 0, tzinfo=UTC)) == clock


def test_what_a_sentence_holds_is_written_as_its_language_does() -> None:
    assert translation("en").gettext("%(n)s since %(day)s", n=1204, day=date(2025, 11, 6)) == "1,204 since 6 November 2025"
    assert translation("de").gettext("%(n)s since %(day)s", n=1204, day=date(2025, 11, 6)) == "1.204 since 6. November 2025"
    assert translation("en").ngettext("%(n)s paper", "%(n)s papers", 1) == "1 paper"
    assert translation("en").ngettext("%(n)s paper", "%(n)s papers", 0) == "0 papers"
    assert translation("en").gettext("100% sure") == "100% sure"


def test_a_translation_with_a_placeholder_of_its_own_is_said_in_english() -> None:
    assert translation("en").filled("%(nonsense)s Papiere", "%(n)s papers", {"n": 3}) == "3 papers"
    assert translation("en").filled("3 % Papiere", "%(n)s papers", {"n": 3}) == "3 papers"


def test_what_is_not_translated_whole_is_said_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ja.po").write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "%(n)s paper"\nmsgid_plural "%(n)s papers"\n'
        'msgstr[0] ""\n\nmsgid "%(n)s vote"\nmsgid_plural "%(n)s votes"\nmsgstr[0] "%(n)s票"\n\nmsgid "Save"\nmsgstr ""\n'
        '\n#, fuzzy\nmsgid "Code"\nmsgstr "?"\n'
    )
    monkeypatch.setattr(module, "catalogue_file", lambda language: tmp_path / f"{language}.po")
    spoken = module.translation.__wrapped__("ja")
    assert spoken.ngettext("%(n)s paper", "%(n)s papers", 10) == "10 papers"
    assert spoken.ngettext("%(n)s vote", "%(n)s votes", 10) == "10票"
    assert [spoken.gettext(text) for text in ("Save", "Code", "Never heard")] == ["Save", "Code", "Never heard"]


def test_lists_of_words() -> None:
    assert translation("en").list(["A", "B", "C"]) == "A, B and C"
    assert translation("ja").list(["A", "B", "C"]) == "A、B、C"
    assert translation("en").list([translation("en").weekday(0), translation("en").weekday(4)], "or") == "Monday or Friday"


@pytest.mark.parametrize("text", ["xx", "", "en-GB", PSEUDO, "../de"])
def test_a_language_that_is_not_offered(text: str) -> None:
    with pytest.raises(ValueError, match="should be one of en, de, fr, es, zh-Hans, ja"):
        read_language(text)


def test_a_language_is_read_however_it_is_written() -> None:
    assert [read_language(text) for text in ("zh_hans", " DE ", "zh-Hans")] == ["zh-Hans", "de", "zh-Hans"]
    assert all(translation(each).direction == "ltr" for each in LANGUAGES)


def test_the_pseudo_language_keeps_what_is_not_words() -> None:
    found = pseudo("Hello <b>%(name)s</b>&nbsp;and all")
    assert found == "⟦Ħḗŀŀǿ <b>%(name)s</b>&nbsp;ȧƞḓ ȧŀŀ ẋẋẋ ẋẋẋ⟧"
    assert translation(PSEUDO).direction == "rtl"


def test_templates_in_a_language(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "{{ language }} {{ direction }} {{ _('<b>%(x)s</b> & co', x=x) }}"
        " {% trans n=n %}\n  one paper\n{% pluralize n %}\n  {{ n }} papers\n{% endtrans %}"
        " {{ d | date('full') }} {{ n | number }} {{ pgettext('a button', 'Save') }}",
    )
    (tmp_path / "a.txt").write_text("{{ _('%(x)s & co', x=x) }}")
    templates = Templates([tmp_path])
    values = {"x": "<i>", "n": 1204, "d": date(2025, 11, 6)}
    assert templates.render("a.html", **values) == (
        "en ltr <b>&lt;i&gt;</b> & co 1,204 papers Thursday, 6 November 2025 1,204 Save"
    )
    assert templates.in_language("de").render("a.html", **values).endswith("Donnerstag, 6. November 2025 1.204 Save")
    backwards = templates.in_language(PSEUDO).render("a.html", **values)
    assert backwards.startswith("qps-plocm rtl ⟦<b>&lt;i&gt;</b> & ƈǿ ẋẋẋ⟧ ⟦1,204 ƥȧƥḗřş ẋẋẋ⟧")
    assert templates.render("a.txt", x="<i>") == "<i> & co"
    (tmp_path / "pager.html").write_text("{{ back }} {{ on }}")
    assert templates.render("pager.html") == "← →"
    assert templates.in_language(PSEUDO).render("pager.html") == "→ ←", "arrows turn round with the page"
    assert templates.in_language("de") is templates.in_language("de")
    assert templates.in_language("en") is templates


def test_a_phrase_is_english_text_that_can_be_said_in_other_languages() -> None:
    made = phrases(
        "%(n)s paper since %(day)s: %(which)s", "%(n)s papers since %(day)s: %(which)s", 1204, day=DAY, which=phrase("all")
    )
    assert made == "1,204 papers since 6 November 2025: all"
    assert translation("en").phrase(made) == "1,204 papers since 6 November 2025: all"
    assert translation(PSEUDO).phrase(made) == "⟦1,204 ƥȧƥḗřş şīƞƈḗ 6 نوفمبر 2025: ⟦ȧŀŀ ẋẋẋ⟧ ẋẋẋ ẋẋẋ⟧"
    assert translation(PSEUDO).phrase("plain") == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        phrase("100% “sure”"),
        phrases("%(n)s of %(x)s", "%(n)s of %(x)s!", 3, x=1.5),
        phrase("on %(day)s", day=DAY),
        LISTED,
    ],
)
def test_a_phrase_is_kept_with_what_it_is_made_of(text: str) -> None:
    for again in (
        phrase_from(json.loads(json.dumps(phrase_document(text)))),
        pickle.loads(pickle.dumps(text)),
        copy.deepcopy(text),
    ):
        assert again == text
        assert translation(PSEUDO).phrase(again) == translation(PSEUDO).phrase(text)
