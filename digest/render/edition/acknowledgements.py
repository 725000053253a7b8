"""What the sources ask to be said wherever their data is shown: on the pages and in an edition's mail, for those configured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementView:
    """`url` is where the words lead."""

    text: str
    url: str


_ARXIV = AcknowledgementView(
    text="Thank you to arXiv for use of its open access interoperability.",
    url="https://arxiv.org",
)
"""Word for word as https://info.arxiv.org/help/api/index.html asks for it, for its API, RSS and OAI alike."""

_BY_KIND = {
    "arxiv-rss": _ARXIV,
    "arxiv-oai": _ARXIV,
    "arxiv-api": _ARXIV,
    # by its license (https://www.semanticscholar.org/product/api/license): the name, and a link that says it comes by the API
    "semantic-scholar": AcknowledgementView(
        text="Data source: Semantic Scholar API", url="https://www.semanticscholar.org/?utm_source=api"
    ),
    # what follows asks for no words: OpenAlex is CC0, Crossref claims no rights in metadata, bioRxiv and medRxiv ask that readers
    # are sent to the text there (https://www.biorxiv.org/tdm), Hugging Face's terms are silent. Readers should know all the same.
    "openalex": AcknowledgementView(text="Data source: OpenAlex", url="https://openalex.org"),
    "crossref": AcknowledgementView(text="Data source: Crossref", url="https://www.crossref.org"),
    "biorxiv": AcknowledgementView(text="Data source: bioRxiv and medRxiv", url="https://www.biorxiv.org"),
    "huggingface": AcknowledgementView(text="Data source: Hugging Face Daily Papers", url="https://huggingface.co/papers"),
}


def acknowledgements(kinds: Iterable[str]) -> tuple[AcknowledgementView, ...]:
    """For these kinds of sources, each once, in their order. Feeds and folders are the operator's own business."""
    return tuple(dict.fromkeys(_BY_KIND[kind] for kind in kinds if kind in _BY_KIND))
