"""Papers of the lists' windows and works of readers' libraries get their sentence vectors, each text once, in the background.

No unit of work is open while a text is encoded. What an edition was frozen without stays unknown to it (store/vectors.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from digest.domain.sentence_vector import Unencoded, text_to_encode
from digest.store.unit_of_work import Store, UnitOfWork

if TYPE_CHECKING:
    from digest.sentence_encoder import SentenceEncoder

AT_ONCE = 25
"""Texts between two looks at whether to stop: a second or three of one core."""


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    papers: int = 0
    works: int = 0
    unfinished: bool = False
    """There is more."""
    error: str = ""
    """Why it ended early."""


def encode_texts(
    encoder: Callable[[], SentenceEncoder],
    store: Store,
    first_seen_within: timedelta,
    clock: Callable[[], datetime],
    stop: Callable[[], bool],
) -> EncodedTexts:
    """Encodes what has no vector: papers first seen lately, the newest first, then works. Raises StoreError only."""
    at, run = clock(), _Run(encoder, store, stop)
    papers = run.encode(
        lambda unit: unit.vectors.unencoded_papers(at - first_seen_within, at, AT_ONCE),
        lambda unit, encoded: unit.vectors.keep_of_papers(encoded, clock()),
    )
    works = run.encode(
        lambda unit: unit.vectors.unencoded_works(AT_ONCE),
        lambda unit, encoded: unit.vectors.keep_of_works(encoded, clock()),
    )
    return EncodedTexts(papers, works, run.unfinished, run.error)


class _Run:
    def __init__(self, encoder: Callable[[], SentenceEncoder], store: Store, stop: Callable[[], bool]) -> None:
        self._make, self._store, self._stop = encoder, store, stop
        self.unfinished, self.error = False, ""

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        """Only where there is something to encode, and no longer: it takes 200 MB."""
        return self._make()

    def encode(
        self,
        unencoded: Callable[[UnitOfWork], list[Unencoded]],
        keep: Callable[[UnitOfWork, list[tuple[Unencoded, bytes]]], None],
    ) -> int:
        """How many texts were."""
        count = 0
        while True:
            with self._store.read() as unit:
                texts = unencoded(unit)
            self.unfinished = self.unfinished or bool(texts and self._stop())
            if not texts or self.unfinished:
                return count
            try:
                vectors = self._encoder.encode([text_to_encode(each.title, each.abstract) for each in texts])
            except Exception as fault:  # words do without it: nobody's mail may wait for this
                self.unfinished, self.error = True, f"{type(fault).__name__}: {fault}"
                return count
            with self._store.begin() as unit:
                keep(unit, list(zip(texts, vectors, strict=True)))
            count += len(texts)
