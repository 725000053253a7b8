"""The words of a query as they are looked for: in the forms that papers hold, and the misspelled as what is near them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from digest.domain.query import content_words
from digest.ranking.text_match import SearchTerm, Text, cjk_grams, cjk_parts, tokens
from digest.store.papers.cjk import query_grams
from digest.store.papers.spelling import near_words, possible_forms, sure_forms

MOST_CORRECTED = 3
"""Words for which something near is sought; a further one is let be."""
RARE, TIMES = 5, 500
"""A word that some papers hold may still be misspelled: that few do, and so many times as many what is near it."""
LIKELY = 8
"""Words near one that are looked at more closely."""

Holding = Callable[[Iterable[str]], dict[str, int]]
"""How many papers hold each word or phrase."""
NewestWithAny = Callable[[Sequence[str]], Sequence[Text]]
"""Some of the newest papers that hold any of the words."""


def search_terms(typed: Sequence[str], holding: Holding, holding_gram: Callable[[str], int]) -> list[SearchTerm]:
    """The terms of the words that count. Chinese, Japanese and Korean are looked for by two characters each."""
    parts = [part for word in typed for part in cjk_parts(word)]
    words = [part for part in parts if not cjk_grams(part)]
    grams = {gram: part for part in reversed(parts) for gram in query_grams(part)}
    cjk = [SearchTerm(part, (tuple(gram),), holding_gram(gram), gram) for gram, part in grams.items()]
    return _word_terms(words, holding) + cjk


def _word_terms(words: Sequence[str], holding: Holding) -> list[SearchTerm]:
    asked = list(dict.fromkeys(content_words(words)))
    sure, possible = sure_forms(words), possible_forms(words)
    held = holding(dict.fromkeys(" ".join(form) for word in asked for form in (*sure[word], *possible[word])))
    terms = []
    for word in asked:
        forms = [*sure[word], *(form for form in possible[word] if form not in sure[word] and held[" ".join(form)])]
        terms.append(SearchTerm(word, tuple(forms), max(held[" ".join(form)] for form in forms)))
    return terms


def corrected(terms: Sequence[SearchTerm], holding: Holding, newest: NewestWithAny) -> tuple[list[SearchTerm], dict[str, str]]:
    """(the terms, those that few or no papers hold with the forms of what is near them as well, {word: the near one})."""
    odd = [term for term in terms if term.papers <= RARE and near_words(term.word)][:MOST_CORRECTED]
    used: dict[str, str] = {}
    found = list(terms)
    for term in odd:
        if not (near := _nearest(term.word, holding, newest)):
            continue
        forms = tuple(sure_forms([near])[near])
        papers = max(holding(" ".join(form) for form in forms).values())
        if papers >= TIMES * term.papers:
            used[term.word] = near
            found[found.index(term)] = replace(term, forms=(*term.forms, *forms), papers=papers)
    return found, used


def _nearest(word: str, holding: Holding, newest: NewestWithAny) -> str:
    """The word one edit away that most papers hold; "" for none.

    The index holds stems, and "agention" has that of "agent": what no paper spells so is no word.
    """
    near = near_words(word)
    held = holding(near)
    likely = sorted((each for each in near if held[each]), key=lambda each: -held[each])[:LIKELY]
    texts = newest(likely) if likely else ()
    spelled = Counter(token for text in texts for token in set(tokens(f"{text.title} {text.abstract} {text.authors}")))
    return max((each for each in likely if spelled[each]), key=lambda each: spelled[each], default="")
