"""Words that a search engine's stemmer keeps apart and a reader does not: "generalizability" and "generalisation"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from digest.domain.query import COMMON

_FAMILIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), endings)
    for pattern, endings in (
        (
            r"(?P<stem>[a-z]{3,}i)[sz](?:e[drs]?|ers|ing|ations?|able|abilit(?:y|ies))",
            ("ze", "zation", "zable", "zability", "se", "sation", "sable", "sability"),
        ),
        (r"(?P<stem>(?:an|cat|par)aly|dialy)[sz](?:e[drs]?|ers|ing|is)", ("ze", "se", "sis", "ses")),
        (
            r"(?P<stem>(?:behavi|neighb|col|fav|flav|lab|tum|hon|harb|vap|vig|endeav|arm|hum|rig))ou?r(?P<rest>[a-z]*)",
            ("or{rest}", "our{rest}"),
        ),
        (r"(?P<stem>(?:cent|fib|met|lit|calib|theat|spect)|[a-z]+met)(?:re|er)(?P<rest>s?)", ("re{rest}", "er{rest}")),
        (r"(?P<stem>[a-z]{2,}[aeiou]l)l?(?P<rest>ed|ing|er|ers)", ("{rest}", "l{rest}")),
        (r"(?P<stem>(?:cata|ana|dia))log(?:ue)?(?P<rest>s?)", ("log{rest}", "logue{rest}")),
    )
)


def spellings(word: str) -> tuple[str, ...]:
    """The word (in lower case) first, then its other forms: British and American, and kin that stemmers part. Few, often none."""
    for pattern, endings in _FAMILIES:
        if found := pattern.fullmatch(word):
            parts = found.groupdict()
            related = (parts["stem"] + ending.format(rest=parts.get("rest", "")) for ending in endings)
            return tuple(dict.fromkeys((word, *related)))
    return (word,)


Form = tuple[str, ...]
"""Words that follow each other; mostly one."""

_ACRONYMS: dict[str, Form] = {
    short: tuple(long.split())
    for short, long in (
        ("asr", "automatic speech recognition"),
        ("cnn", "convolutional neural network"),
        ("cot", "chain of thought"),
        ("dnn", "deep neural network"),
        ("gan", "generative adversarial network"),
        ("gcn", "graph convolutional network"),
        ("gnn", "graph neural network"),
        ("kd", "knowledge distillation"),
        ("kg", "knowledge graph"),
        ("llm", "large language model"),
        ("lstm", "long short term memory"),
        ("mcts", "monte carlo tree search"),
        ("mdp", "markov decision process"),
        ("ml", "machine learning"),
        ("mllm", "multimodal large language model"),
        ("moe", "mixture of experts"),
        ("ner", "named entity recognition"),
        ("nlp", "natural language processing"),
        ("nmt", "neural machine translation"),
        ("ocr", "optical character recognition"),
        ("ood", "out of distribution"),
        ("peft", "parameter efficient fine tuning"),
        ("pinn", "physics informed neural network"),
        ("pde", "partial differential equation"),
        ("qa", "question answering"),
        ("rag", "retrieval augmented generation"),
        ("rl", "reinforcement learning"),
        ("rlhf", "reinforcement learning from human feedback"),
        ("rnn", "recurrent neural network"),
        ("sft", "supervised fine tuning"),
        ("sgd", "stochastic gradient descent"),
        ("slam", "simultaneous localization and mapping"),
        ("ssl", "self supervised learning"),
        ("snn", "spiking neural network"),
        ("svm", "support vector machine"),
        ("tts", "text to speech"),
        ("vae", "variational autoencoder"),
        ("vit", "vision transformer"),
        ("vla", "vision language action"),
        ("vlm", "vision language model"),
        ("vqa", "visual question answering"),
    )
}
_BORDER = re.compile(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST_PART = 3
"""Letters of each half of a word that may be written as two."""
SHORTEST_NEAR, LONGEST_NEAR = 4, 20
"""Letters of a word that may be a misspelling."""


def sure_forms(words: Sequence[str]) -> dict[str, dict[Form, None]]:
    """How else each word of a query, which come in this order, is written for certain: spellings, plurals, acronyms, "gpt 4"."""
    found: dict[str, dict[Form, None]] = {word: {(form,): None for form in _spellings_and_number(word)} for word in words}
    for word, forms in found.items():
        for form in _spellings_and_number(word):
            if form in _ACRONYMS:
                forms[_ACRONYMS[form]] = None
        if len(parts := _BORDER.split(word)) > 1:
            forms[tuple(parts)] = None
    for short, long in _ACRONYMS.items():
        for at in range(len(words) - len(long) + 1):
            *first, last = words[at : at + len(long)]
            if (*first, last.removesuffix("s")) == long or (*first, last) == long:
                for word in (*first, last):
                    found[word] |= {(short,): None, (f"{short}s",): None}
    return found


def possible_forms(words: Sequence[str]) -> dict[str, dict[Form, None]]:
    """How each word might be written as well, if any paper has it so: as two ("fine tuning"), or as one with its neighbour."""
    found: dict[str, dict[Form, None]] = {word: {} for word in words}
    for word, forms in found.items():
        if word.isascii() and word.isalpha():
            cuts = ((word[:at], word[at:]) for at in range(SHORTEST_PART, min(len(word), LONGEST_NEAR) - SHORTEST_PART + 1))
            forms.update((cut, None) for cut in cuts if COMMON.isdisjoint(cut))
    for one, other in pairwise(words):
        if COMMON.isdisjoint((one, other)):
            joined = (one, other) if one.isdigit() and other.isdigit() else (one + other,)
            found[one][joined] = found[other][joined] = None
    return found


def near_words(word: str) -> tuple[str, ...]:
    """All that is one edit away: a letter left out, put in, another, or two in each other's place."""
    if not (word.isascii() and word.isalpha() and SHORTEST_NEAR <= len(word) <= LONGEST_NEAR):
        return ()
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    swapped = [one + other[1] + other[0] + other[2:] for one, other in cuts if len(other) > 1]
    shorter = [one + other[1:] for one, other in cuts if other]
    changed = [one + letter + other[1:] for one, other in cuts if other for letter in _LETTERS]
    longer = [one + letter + other for one, other in cuts for letter in _LETTERS]
    return tuple(each for each in dict.fromkeys((*swapped, *shorter, *longer, *changed)) if each != word)


def _spellings_and_number(word: str) -> tuple[str, ...]:
    """An acronym's plural is no word that a stemmer knows: "llms"."""
    if word.isalpha() and word.isascii() and len(word) > 1 and not set(word) & set("aeiouy"):
        return (word, word[:-1] if word.endswith("s") else f"{word}s")
    single = word.removesuffix("s")
    if single in _ACRONYMS or word in _ACRONYMS:
        return (word, single if single != word else f"{word}s")
    return spellings(word)
