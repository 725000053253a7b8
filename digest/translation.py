"""What is shown in the reader's language: gettext catalogues, and dates, numbers, plurals and lists as CLDR has them (Babel).

English is the msgid, so English has no catalogue. A sentence is translated whole: `gettext("%(n)s papers by %(name)s", n=3, …)`;
numbers and dates among its values are written as the language writes them. A message that no catalogue has is shown in English.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from digest.domain.phrase import Day, Either, Month, Phrase, Weekday

if TYPE_CHECKING:
    from babel import Locale  # loaded when something is to be written as a language does: what only delivers needs it rarely

LANGUAGES = ("en", "de", "fr", "es", "zh-Hans", "ja")
"""Those offered (BCP 47), each with a catalogue but the first."""
PSEUDO = "qps-plocm"
"""Every message accented, longer and in brackets, from right to left: what shows plain English letters in it is not translated.
Never offered to readers.
"""
DOMAIN = "digest"

_LOCALES = {"en": "en_GB", PSEUDO: "ar"}
"""Where the dates and numbers are not those of the language alone: "6 November 2025"."""
_FIXED = re.compile(r"(%\(\w+\)s|%%|<[^>]*>|&\w+;)")
_ACCENTED = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "ȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑ"
)
_LONGEST_HEADER = 1000

Value = object
"""Of a placeholder: int, float and date are written as the language writes them, all else as str() has it."""


class Translation:
    """One language. `translation` makes and remembers it; threads may share it."""

    def __init__(self, language: str, catalogue: NullTranslations) -> None:
        self.language = language
        """BCP 47."""
        self._catalogue = catalogue
        self.number = lru_cache(maxsize=1024)(self._number)
        """ "1,204" in English."""
        self._date = lru_cache(maxsize=1024)(self._written)

    @cached_property
    def locale(self) -> Locale:
        from babel import Locale

        return Locale.parse(_LOCALES.get(self.language, self.language).replace("-", "_"))

    @cached_property
    def direction(self) -> Literal["ltr", "rtl"]:
        return "rtl" if self.locale.character_order == "right-to-left" else "ltr"

    @property
    def full_stop(self) -> str:
        return "。" if self.language.startswith(("zh", "ja")) else "."

    def gettext(self, msgid: str, /, **values: Value) -> str:
        return self.filled(self._catalogue.gettext(msgid), msgid, values)

    def ngettext(self, one: str, many: str, n: int, /, **values: Value) -> str:
        """`n` chooses the form, and is %(n)s in it."""
        return self.filled(self._catalogue.ngettext(one, many, n), one if n == 1 else many, {"n": n, **values})

    def pgettext(self, context: str, msgid: str, /, **values: Value) -> str:
        """For a word that another language may say differently in this place ("Save" on a button, "May")."""
        return self.filled(self._catalogue.pgettext(context, msgid), msgid, values)

    def npgettext(self, context: str, one: str, many: str, n: int, /, **values: Value) -> str:
        found = self._catalogue.npgettext(context, one, many, n)
        return self.filled(found, one if n == 1 else many, {"n": n, **values})

    def phrase(self, text: str) -> str:
        """What was put into words before the reader's language was known (`Phrase`); other text as it is."""
        if not isinstance(text, Phrase) or self.language == LANGUAGES[0]:
            return str(text)
        if text.plural:
            return self.ngettext(text.msgid, text.plural, text.values["n"], **text.values)
        return self.gettext(text.msgid, **text.values)

    def known(self, text: str) -> str:
        """Text that is kept in English: translated where the catalogue has it as a whole."""
        return self.phrase(text) if isinstance(text, Phrase) or not text else self._catalogue.gettext(text)

    def filled(self, found: str, msgid: str, values: Mapping[str, Value]) -> str:
        """With its values; in English where the translation has placeholders that there are no values for. "%" is "%%" in a
        message with values.
        """
        if not values:
            return found
        shown = {name: self.shown(value) for name, value in values.items()}
        try:
            return found % shown
        except (KeyError, TypeError, ValueError):
            return msgid % shown

    def shown(self, value: Value) -> object:
        """A value as it stands in a sentence."""
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, (list, tuple)):
            return self.list([str(self.shown(each)) for each in value], "or" if isinstance(value, Either) else "standard")
        if isinstance(value, Weekday):
            return self.weekday(value)
        if isinstance(value, datetime.time):
            return self.time(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self.number(value)
        if isinstance(value, datetime.date):
            form = "yMMMM" if isinstance(value, Month) else "MMMMd" if isinstance(value, Day) else "long"
            return self.date(value, form)
        return value

    def date(self, value: datetime.date, form: str = "long") -> str:
        """ "full" ("Thursday, 6 November 2025"), "long" ("6 November 2025"), "medium", "short", or a CLDR skeleton of the
        fields that are wanted: "MMMMd" ("6 November"), "yMMMM" ("November 2025"). An instant counts by the zone that it has.
        """
        return self._date(value.date() if isinstance(value, datetime.datetime) else value, form)

    def _written(self, day: datetime.date, form: str) -> str:
        from babel.dates import format_date, format_skeleton

        if form in ("full", "long", "medium", "short"):
            return format_date(day, form, locale=self.locale)
        return format_skeleton(form, day, locale=self.locale)

    def month(self, value: datetime.date) -> str:
        """ "November", standing alone."""
        from babel.dates import format_date

        return format_date(value, "LLLL", locale=self.locale)

    def weekday(self, day: int, width: Literal["wide", "abbreviated", "narrow"] = "wide") -> str:
        """Monday is 0."""
        from babel.dates import get_day_names

        return str(get_day_names(width, locale=self.locale)[day])

    def time(self, value: datetime.time | datetime.datetime) -> str:
        """ "07:00"; an instant by the zone that it has."""
        from babel.dates import format_time

        wall = value.timetz() if isinstance(value, datetime.datetime) else value
        return format_time(wall.replace(tzinfo=None), "short", locale=self.locale)

    def list(self, items: Sequence[str], style: Literal["standard", "or", "unit"] = "standard") -> str:
        """ "A, B and C"."""
        from babel.lists import format_list

        return format_list(items, style=style, locale=self.locale)

    def _number(self, value: float) -> str:
        from babel.numbers import format_decimal

        return format_decimal(value, locale=self.locale)


@cache
def translation(language: str) -> Translation:
    """Raises ValueError naming a language that there is none for."""
    if language == PSEUDO:
        return Translation(language, _Pseudo())
    return Translation(language, _catalogue(read_language(language)))


def read_language(text: str) -> str:
    """A language that is offered, as we write it ("zh-hans" → "zh-Hans"). Raises ValueError saying what would be right."""
    wanted = text.strip().replace("_", "-").lower()
    found = next((each for each in LANGUAGES if each.lower() == wanted), None)
    if found is None:
        raise ValueError(f"unknown language {text.strip()[:20]!r}; should be one of {', '.join(LANGUAGES)}")
    return found


def catalogue_file(language: str) -> Path:
    """Where a language's catalogue lies: digest/locale/zh_Hans/LC_MESSAGES/digest.po."""
    return Path(__file__).with_name("locale") / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


def _catalogue(language: str) -> NullTranslations:
    """Read from its text when first needed: a few hundred messages take some hundredths of a second."""
    file = catalogue_file(language)
    if language == LANGUAGES[0] or not file.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with file.open("rb") as text:
        catalogue = read_po(text, locale=language.replace("-", "_"))
    for message in catalogue:
        if message.pluralizable and not all(message.string or ()):
            message.string = ""  # in English, which has its own forms, rather than half
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def preferred(accept_language: str, among: Iterable[str] = LANGUAGES) -> str | None:
    """The language of `among` that a browser's Accept-Language (RFC 9110 §12.5.4) likes best; None: it names none of them."""
    offered = {_language_and_script(each): each for each in among}
    liked: list[tuple[float, str]] = []
    for item in accept_language[:_LONGEST_HEADER].split(","):
        tag, _, parameter = item.partition(";")
        weight = _weight(parameter)
        if weight > 0 and (found := offered.get(_language_and_script(tag.strip()))):
            liked.append((weight, found))
    return max(liked, key=lambda each: each[0])[1] if liked else None  # the first of those liked alike


def _weight(parameter: str) -> float:
    """The q of "; q=0.8"; 1 where there is none, 0 where it is no number."""
    name, _, value = (part.strip() for part in parameter.partition("="))
    if not name:
        return 1.0
    return float(value) if name.lower() == "q" and re.fullmatch(r"[01](?:\.\d{0,3})?", value) else 0.0


@lru_cache(maxsize=256)
def _language_and_script(tag: str) -> tuple[str, str | None] | None:
    """ "de-AT" → ("de", None), "zh-CN" → ("zh", "Hans"), "zh-TW" → ("zh", "Hant"). None for what is no language tag."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag[:40]):
        return None
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    for name in (tag, "-".join(tag.split("-")[:2]), tag.split("-")[0]):  # variants and extensions are not needed
        try:
            locale = Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        likely = get_global("likely_subtags").get(locale.language, "").split("_")
        several = locale.language in ("zh", "sr")  # written in more than one script: which one is to be known
        return locale.language, (locale.script or (likely[1] if len(likely) > 1 else None)) if several else None
    return None


class _Pseudo(NullTranslations):
    """Made from the msgids: "⟦Ŧħḗ ƥȧƥḗřş ẋẋẋ⟧"; placeholders, tags and entities stay."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return pseudo(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)


def pseudo(message: str) -> str:
    """A message in the pseudo-language, a third longer."""
    pieces = _FIXED.split(message)
    accented = "".join(piece if n % 2 else piece.translate(_ACCENTED) for n, piece in enumerate(pieces))
    words = sum(len(piece.split()) for piece in pieces[::2])
    return f"⟦{accented}{' ẋẋẋ' * (words // 3 + 1)}⟧"
