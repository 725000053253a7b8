"""The press: a drafted edition becomes mail, is proofread, and is composed for each reader.

Rendering happens once an edition, encoding once a piece; a reader's copy is a join (docs/adr/0002).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from digest.domain.delivery import Claimed, Envelope
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.instant import as_utc
from digest.domain.paper import Reason
from digest.domain.subscriber import Address, Interests
from digest.links import Links, ReaderLinks
from digest.mail.headers import HeaderTemplate, Sender
from digest.mail.lint import lint
from digest.mail.verp import Stamps
from digest.render.cards import render_edition
from digest.render.compose import Composer
from digest.render.environment import Templates
from digest.render.personal import Personal, addressed, own_picks, selected
from digest.render.views import EditionView, SenderView

Choices = Sequence[tuple[int, Sequence[Reason] | None]]
Sign = Callable[[bytes, Sequence[bytes], datetime], bytes]
"""(header, pieces of the body, the message's date) → the DKIM-Signature fields to put before it; b"" where we do not sign."""


def unsigned(header: bytes, body: Sequence[bytes], at: datetime) -> bytes:
    """For relays that sign themselves."""
    return b""


WORST_ADDRESS = Address("a-reader-with-a-rather-long-name.and-a-tag+digest@mail.department.university.example")
"""Whom a proof is composed for: links and address as long as they get."""
WORST_ID = 10**12
ONE_OFF = 2**62
"""Deliveries that no row stands for (one-off sends, previews) are numbered from here: their stamps point at no row."""


class Press:
    """Renders, proofs and composes editions. Threads may share it."""

    def __init__(self, templates: Templates, links: Links, sender: Sender, stamps: Stamps, sign: Sign = unsigned) -> None:
        self._templates = templates
        self._links = links
        self._sender = sender
        self._stamps = stamps
        self._sign = sign

    def render(self, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        """The edition as mail. Raises TemplateError."""
        return render_edition(self._templates, self.view(draft, paper_list, brevity))

    def view(self, draft: Edition, paper_list: PaperList, brevity: int = 0) -> EditionView:
        sender = SenderView(name=self._sender.name, home_url=self._links.base_url, postal_address=self._sender.postal_address)
        return EditionView.from_edition(draft, paper_list, self._links, sender, brevity=brevity)

    def proof(self, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]:
        """The lint's errors for a worst-case recipient; empty when the edition may go."""
        claimed = one_off(WORST_ID, WORST_ADDRESS, draft, draft.frozen_at)
        return tuple(lint(self.mailroom(draft, paper_list, rendered)(claimed, None).data).errors)

    def mailroom(self, edition: Edition, paper_list: PaperList, rendered: Rendered) -> Mailroom:
        return Mailroom(edition, paper_list, rendered, self._links, self._sender, self._stamps, self._sign)


class Mailroom:
    """Composes one edition's mails. The same delivery gives the same bytes."""

    def __init__(
        self,
        edition: Edition,
        paper_list: PaperList,
        rendered: Rendered,
        links: Links,
        sender: Sender,
        stamps: Stamps,
        sign: Sign,
    ) -> None:
        self._rendered = rendered
        self._links = links
        self._sign = sign
        self._composer = Composer(rendered)
        self._own = selected(rendered, own_picks(rendered))
        self._title = paper_list.title
        self._headers = HeaderTemplate(
            sender,
            stamps,
            subject=rendered.subject,
            boundary=self._composer.boundary,
            list_name=paper_list.name,
            list_title=paper_list.title,
            campaign=edition.date.isoformat(),
            archive_url=links.archive(paper_list.name),
            help_url=links.base_url + "/",
        )

    def __call__(self, claimed: Claimed, choices: Choices | None) -> Envelope:
        """The mail for one delivery; `choices` None means the list's own picks. Raises DigestError."""
        addresses = self._links.for_reader(claimed.subscription_id)
        addressed = self._headers.address(claimed.id, claimed.address, claimed.due_at, addresses.unsubscribe)
        body = self._composer.pieces(self.personal(claimed.address, addresses, choices))
        signature = self._sign(addressed.header, body, claimed.due_at)
        data = b"".join((signature, addressed.header, *body))
        return Envelope(claimed.id, addressed.envelope_sender, addressed.envelope_recipient, data, addressed.smtputf8, ready=True)

    def personal(self, address: Address, addresses: ReaderLinks, choices: Choices | None) -> Personal:
        why = f"You get this because {address} subscribed to {self._title}."
        return addressed(self._own if choices is None else selected(self._rendered, choices), addresses, why)


def one_off(number: int, address: Address, edition: Edition, at: datetime) -> Claimed:
    """A delivery outside subscriptions: composed like any other, recorded nowhere."""
    return Claimed(
        id=ONE_OFF + number,
        edition_id=edition.id,
        subscription_id=0,
        subscriber_id=0,
        address=address,
        attempts=0,
        due_at=as_utc(at),
        expires_at=as_utc(at) + timedelta(days=1),
        picks=None,
        personal=False,
        wanted=None,
        interests=Interests(),
    )
