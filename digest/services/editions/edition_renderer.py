"""Renders editions: a drafted one becomes mail and is proofread.

Rendering happens once an edition, encoding once a piece; what each reader gets is composed by MessageComposer (docs/adr/0002).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from digest.domain.edition import Card, Edition, PaperList, Rendered, foremost
from digest.domain.subscriber import Address
from digest.links import Links
from digest.mail.lint.lint import lint
from digest.mail.message.headers import Sender
from digest.mail.verp import VerpSigner
from digest.ranking.summary import summarised
from digest.render.edition.acknowledgements import acknowledgements
from digest.render.edition.cards import render_edition
from digest.render.edition.correction import CorrectionView, render_correction
from digest.render.edition.views import ENGLISH, EditionView, SenderView
from digest.render.environment import Templates
from digest.services.editions.message_composer import NO_MORE_CARDS, SAMPLE, MessageComposer, MoreCards, Sign, one_off, unsigned
from digest.translation import Translation, translation

WORST_ADDRESS = Address("a-reader-with-a-rather-long-name.and-a-tag+digest@mail.department.university.example")
"""Whom a proof is composed for: links and address as long as they get."""


class EditionRenderer:
    """Renders, proofs and composes editions. Threads may share it."""

    def __init__(
        self,
        templates: Templates,
        links: Links,
        sender: Sender,
        verp_signer: VerpSigner,
        sign: Sign = unsigned,
        source_kinds: Iterable[str] = (),
    ) -> None:
        self._acknowledgements = acknowledgements(source_kinds)
        self._templates = templates
        self._links = links
        self._sender = sender
        self._verp_signer = verp_signer
        self._sign = sign

    def render(
        self,
        draft: Edition,
        paper_list: PaperList,
        *,
        brevity: int = 0,
        also: Collection[int] = (),
        language: str | None = None,
    ) -> Rendered:
        """The edition as mail, in the list's style and in the other: with the cards of its picks, of the first of its pool, and
        of the positions in `also`. `language`: the list's, or another. Raises TemplateError.
        """
        language = language or paper_list.language
        picked = {pick.ranked.paper.id for pick in draft.picks}
        only = {*also, *(each.position for each in foremost(draft.pool, draft.max_pool, picked))}
        rendered = self._rendered(draft, paper_list, brevity, paper_list.style, only, language)
        if not rendered.cards:  # an empty day looks the same to everybody
            return rendered
        other = "full" if paper_list.style == "compact" else "compact"
        nothing = None
        if not draft.picks:
            view = self.view(replace(draft, pool=()), paper_list, spoken=translation(language))
            nothing = render_edition(self._templates, view)
        return replace(rendered, other=self._rendered(draft, paper_list, brevity, other, only, language), nothing=nothing)

    def translated(self, edition: Edition, paper_list: PaperList, rendered: Rendered, language: str) -> Rendered:
        """A frozen edition (with its pool) in another language, as short as it is and with the cards that it has.

        Raises TemplateError.
        """
        if edition.corrects is not None:
            return self.correction(edition, paper_list, language)
        also = {position for position, card in enumerate(rendered.cards) if card.html}
        whole = self.render(
            edition, replace(paper_list, style=rendered.style), brevity=rendered.brevity, also=also, language=language
        )
        return whole.with_cards(also)

    def correction(self, draft: Edition, paper_list: PaperList, language: str | None = None) -> Rendered:
        """A correction (correct.py's draft) as mail. Raises TemplateError."""
        templates = self._templates.in_language(language or paper_list.language)
        sender = SenderView(name=self._sender.name, home_url=self._links.home, postal_address=self._sender.postal_address)
        view = CorrectionView.of(draft, paper_list, self._links, sender, templates.translation)
        return render_correction(templates, view)

    def more_cards(
        self, edition: Edition, paper_list: PaperList, rendered: Rendered, positions: Collection[int]
    ) -> dict[int, tuple[Card, Card | None]]:
        """Cards that a frozen edition (with its pool) has not yet, in its style and in the other, in the language of
        `rendered`: as they would have been made with it. Raises TemplateError.
        """
        styles = [each for each in (rendered, rendered.other) if each]
        made = [
            self._rendered(edition, paper_list, rendered.brevity, each.style, positions, each.language, each.nonce).cards
            for each in styles
        ]
        return {position: (made[0][position], made[1][position] if made[1:] else None) for position in positions}

    def _rendered(
        self,
        draft: Edition,
        paper_list: PaperList,
        brevity: int,
        style: str,
        only: Collection[int],
        language: str,
        nonce: str = "",
    ) -> Rendered:
        pool = [
            replace(each, ranked=summarised(each.ranked)) if position in only else each
            for position, each in enumerate(draft.pool)
        ]
        view = self.view(replace(draft, pool=tuple(pool)), paper_list, brevity, style, only, translation(language))
        return replace(render_edition(self._templates, view, nonce), brevity=brevity)

    def view(
        self,
        draft: Edition,
        paper_list: PaperList,
        brevity: int = 0,
        style: str | None = None,
        only: Collection[int] | None = None,
        spoken: Translation = ENGLISH,
    ) -> EditionView:
        sender = SenderView(
            name=self._sender.name,
            home_url=self._links.home,
            postal_address=self._sender.postal_address,
            acknowledgements=self._acknowledgements,
        )
        return EditionView.from_edition(
            draft,
            paper_list,
            self._links,
            sender,
            style=style,
            brevity=brevity,
            only=only,
            feedback=self._links.pages,
            spoken=spoken,
        )

    def proof(self, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        """The lint's errors for a worst-case recipient; empty when the edition may go."""
        room = self.message_composer(draft, paper_list, rendered)
        claimed = one_off(WORST_ADDRESS, draft, draft.frozen_at, public_id=SAMPLE)
        styles = [each.style for each in (rendered, rendered.other) if each]
        best = [(position, None) for position, card in enumerate(rendered.cards) if card.html][: draft.max_picks]
        shown = [None] if draft.picks or not best else [None, best]
        mails = [room(replace(claimed, style=style), choices).data for style in styles for choices in shown]
        nonces = {each.nonce for each in (rendered, rendered.other, rendered.nothing) if each}
        found = [lint(mail, nonces=nonces, one_click=self._links.pages).errors for mail in mails]
        return tuple(dict.fromkeys(error for errors in found for error in errors))

    def message_composer(
        self,
        edition: Edition,
        paper_list: PaperList,
        rendered: Rendered,
        more_cards: MoreCards = NO_MORE_CARDS,
        variant: str = "",
    ) -> MessageComposer:
        return MessageComposer(
            edition, paper_list, rendered, self._links, self._sender, self._verp_signer, self._sign, more_cards, variant
        )
