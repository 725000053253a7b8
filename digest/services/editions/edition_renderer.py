"""The press: a drafted edition becomes mail and is proofread.

Rendering happens once an edition, encoding once a piece; what each reader gets is composed in the mailroom (docs/adr/0002).
"""

from __future__ import annotations

from dataclasses import replace

from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.subscriber import Address
from digest.links import Links
from digest.mail.lint.lint import lint
from digest.mail.message.headers import Sender
from digest.mail.verp import Stamps
from digest.render.edition.cards import render_edition
from digest.render.edition.views import EditionView, SenderView
from digest.render.environment import Templates
from digest.services.editions.message_composer import SAMPLE, Mailroom, Sign, one_off, unsigned

WORST_ADDRESS = Address("a-reader-with-a-rather-long-name.and-a-tag+digest@mail.department.university.example")
"""Whom a proof is composed for: links and address as long as they get."""


class Press:
    """Renders, proofs and composes editions. Threads may share it."""

    def __init__(self, templates: Templates, links: Links, sender: Sender, stamps: Stamps, sign: Sign = unsigned) -> None:
        self._templates = templates
        self._links = links
        self._sender = sender
        self._stamps = stamps
        self._sign = sign

    def render(self, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        """The edition as mail, in the list's style and in the other. Raises TemplateError."""
        rendered = render_edition(self._templates, self.view(draft, paper_list, brevity))
        if not rendered.cards:  # an empty day looks the same to everybody
            return rendered
        other = "full" if paper_list.style == "compact" else "compact"
        return replace(rendered, other=render_edition(self._templates, self.view(draft, paper_list, brevity, other)))

    def view(self, draft: Edition, paper_list: PaperList, brevity: int = 0, style: str | None = None) -> EditionView:
        sender = SenderView(name=self._sender.name, home_url=self._links.home, postal_address=self._sender.postal_address)
        return EditionView.from_edition(
            draft, paper_list, self._links, sender, style=style, brevity=brevity, feedback=self._links.pages
        )

    def proof(self, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        """The lint's errors for a worst-case recipient; empty when the edition may go."""
        room = self.mailroom(draft, paper_list, rendered)
        claimed = one_off(WORST_ADDRESS, draft, draft.frozen_at, public_id=SAMPLE)
        styles = [each.style for each in (rendered, rendered.other) if each]
        mails = [room(replace(claimed, style=style), None).data for style in styles]
        nonces = {each.nonce for each in (rendered, rendered.other) if each}
        return tuple(
            dict.fromkeys(error for mail in mails for error in lint(mail, nonces=nonces, one_click=self._links.pages).errors)
        )

    def mailroom(self, edition: Edition, paper_list: PaperList, rendered: Rendered) -> Mailroom:
        return Mailroom(edition, paper_list, rendered, self._links, self._sender, self._stamps, self._sign)
