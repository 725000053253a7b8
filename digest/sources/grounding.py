"""Whether each number and each name in a model's line stands in the paper: what does not, the model made up.

A paper is read as English, a line as its language writes: "1.204" is 1,204 in German, "1,2 Billionen" 1.2 trillion, "3万5000"
35,000. Names are what has a capital, in Chinese and Japanese whatever is in Latin letters. Every German noun has a capital, so
there only words with one inside ("GPT", "ImageNet") are known to be names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from functools import cache

from digest.domain.paper import Paper
from digest.translation import translation

NO_SPACES = ("zh-Hans", "ja")
"""Languages that put no spaces between words."""
_LETTERS = {"k": 3, "K": 3, "M": 6, "b": 9, "B": 9, "T": 12}
"""Right after a number: "7B"."""
_CHINESE = {"十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8}
_SCALES: Mapping[str, Mapping[str, int]] = {
    "en": {"hundred": 2, "thousand": 3, "millions?": 6, "billions?": 9, "trillions?": 12},
    "de": {"tausend": 3, "tsd": 3, "million(?:en)?": 6, "mio": 6, "milliarden?": 9, "mrd": 9, "billion(?:en)?": 12},
    "fr": {"mille": 3, "millions?": 6, "milliards?": 9, "billions?": 12},
    "es": {"mill[oó]n(?:es)?": 6, "mil": 3, "bill[oó]n(?:es)?": 12},
    "zh-Hans": _CHINESE,
    "ja": {**_CHINESE, "兆": 12},
}
"""Words after a number, by how many zeros they stand for; several in a row are multiplied: "mil millones", "百万"."""
_COUNTED = dict(zip(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), range(1, 11), strict=True))
_COUNT = re.compile(rf"\b(?:single|a(?= (?:hundred|thousand|[a-z]+illion)\b)|{'|'.join(_COUNTED)})\b", re.IGNORECASE)
_SAME = {
    "de": {"ki": "ai", "dns": "dna", "rns": "rna", "mrt": "mri"},
    "fr": {"ia": "ai", "adn": "dna", "arn": "rna", "irm": "mri"},
    "es": {"ia": "ai", "adn": "dna", "arn": "rna"},
}
"""Initials that are others in English."""
_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f\d]*")
_SENTENCE = re.compile(r"(?<=[.!?:])\s+")
_SPACES = " \u00a0\u2009\u202f"
_NARROW = {0xFEE0 + n: n for n in range(0x30, 0x7F) if chr(n).isalnum()}
"""Digits and letters as wide as a Chinese character."""


def is_grounded(line: str, paper: Paper, language: str = "en") -> bool:
    text = f"{paper.title} {paper.abstract}".replace("{,}", ",").translate(_NARROW)
    line = line.translate(_NARROW)
    counted = _COUNT.sub(lambda found: str(_COUNTED.get(found[0].lower(), 1)), text)
    if not set(_numbers(counted, "en", bare=True)).issuperset(_numbers(line, language)):
        return False
    words = _WORD.findall(text.casefold())
    initials, known, same = "".join(word[0] for word in words), set(words), _SAME.get(language, {})
    names = (name.casefold() for name in _names(line, language))
    return all(any(_stands(each, known, initials) for each in (name, same.get(name, name))) for name in names)


def _names(line: str, language: str) -> Iterator[str]:
    """Words written like names: with a capital but where a sentence begins, or with one inside ("LoRA", "GPT")."""
    if language in NO_SPACES:
        yield from _LATIN.findall(line)
        return
    for sentence in _SENTENCE.split(line):
        for place, word in enumerate(_WORD.findall(sentence)):
            first = place and word[0].isupper() and language != "de"
            if not word[0].isdigit() and (first or any(map(str.isupper, word[1:]))):
                yield word


def _stands(name: str, words: Set[str], initials: str) -> bool:
    """As it is, in singular or plural, with its number apart ("GPT-4"), or as what first letters of words in a row spell ("LLMs":
    large language models).
    """
    singular = name.removesuffix("s")
    found = {name, singular, f"{name}s", name.rstrip("0123456789")} & words
    return bool(found) or (len(singular) > 1 and singular in initials)


def _numbers(text: str, language: str, *, bare: bool = False) -> Iterator[Decimal]:
    """The value of each; "7B" is 7,000,000,000, and with `bare` also 7."""
    whole = Decimal(0)
    for digits, fraction, letter, scale, joined in (found.groups() for found in _pattern(language).finditer(text)):
        value = Decimal(re.sub(r"\D", "", digits) + f".{fraction or 0}")
        if letter and bare:
            yield value
        zeros = _LETTERS.get(letter, 0) + sum(_zeros(word, language) for word in _scale_words(language).findall(scale))
        whole += value * 10**zeros
        if joined is None:  # "3万5000" is one number
            yield whole
            whole = Decimal(0)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """(digits, digits after the decimal mark, letter, words of scale, whether the next number belongs to it)."""
    decimal = translation(language).number(0.5)[1]
    group, mark = (",", r"\.") if decimal == "." else (".", "[.,]")  # "GPT-3.5" is written so everywhere
    scale = "|".join(_SCALES[language])
    if language in NO_SPACES:  # not "5千米" (kilometres), "3百分点" (points)
        scale, joined = rf"((?:\s?(?:{scale})(?![克米瓦赫分]))*)", rf"((?<=[{scale}])(?=\d))?"
    else:
        scale, joined = rf"((?:[\s-]?(?:{scale})\b)*)", "((?!))?"
    digits = rf"(?<!\d)([1-9]\d{{0,2}}(?:[{group}{_SPACES}]\d{{3}})+(?!\d)|\d+)(?:{mark}(\d+))?"
    return re.compile(rf"{digits}(?:(?-i:([{''.join(_LETTERS)}]))(?![a-z\u00c0-\u024f]))?{scale}{joined}", re.IGNORECASE)


@cache
def _scale_words(language: str) -> re.Pattern[str]:
    return re.compile("|".join(_SCALES[language]), re.IGNORECASE)


def _zeros(word: str, language: str) -> int:
    return next(zeros for pattern, zeros in _SCALES[language].items() if re.fullmatch(pattern, word, re.IGNORECASE))
