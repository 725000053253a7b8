"""Vectors of texts from a sentence encoder: what is encoded, by which model, and how a vector is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MODEL = "all-MiniLM-L6-v2-int8"
"""Vectors of different models cannot be compared: those of any other are as if they were not there."""


def text_to_encode(title: str, abstract: str) -> str:
    return f"{title}. {abstract}" if title and abstract else title or abstract


def text_hash(title: str, abstract: str) -> str:
    """By which a vector is known to be of this very text."""
    return hashlib.sha256(text_to_encode(title, abstract).encode(errors="surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unencoded:
    """A text without vector. `id` is its paper's or work's."""

    id: int
    title: str
    abstract: str
