"""Rendering and proofreading, two thirds of the work of making an edition, done once for the tests that begin with the same."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from digest.container import Container
from digest.domain.edition import Edition, PaperList, Rendered

_RENDERED: defaultdict[str, list[tuple[Edition, int, Rendered]]] = defaultdict(list)
_NOT_SEEN = {"database", "secrets", "relays", "delivery", "look_ups"}
"""Settings that an edition does not depend on."""


def render_once(container: Container) -> None:
    """An edition that is drafted again, by another test, is as it was rendered and proofread the first time."""
    renderer = container.adapters.edition_renderer
    render, proof = renderer.render, renderer.proof
    known = _RENDERED[repr(container.settings.model_dump(exclude=_NOT_SEEN))]

    def once(draft: Edition, paper_list: PaperList, *, brevity: int = 0, **also: Any) -> Rendered:
        for same, shorter, rendered in known:
            if (same, shorter) == (draft, brevity) and not also:
                return rendered
        return render(draft, paper_list, brevity=brevity, **also)

    def proof_once(draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        if any(rendered is each for _, _, each in known):
            return ()
        if not (errors := proof(draft, paper_list, rendered)):
            known.append((draft, rendered.brevity, rendered))
        return errors

    renderer.render, renderer.proof = once, proof_once  # type: ignore[method-assign]
