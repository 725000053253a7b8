"""Composes messages: an edition that was rendered and encoded once becomes each reader's mail.

A reader's copy is a join of ready pieces (docs/adr/0002). Nothing here renders: a process that only delivers loads no templates.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Protocol

from digest.domain.delivery import Claimed, Envelope
from digest.domain.edition import Card, Edition, PaperList, Rendered, language_of, variant_of
from digest.domain.errors import DigestError
from digest.domain.instant import as_utc
from digest.domain.paper import Reason
from digest.domain.subscriber import Address, Interests
from digest.links import Links, ReaderLinks
from digest.mail.message.headers import HeaderTemplate, Sender, unsubscribe_by_mail
from digest.mail.verp import VerpSigner
from digest.render.edition.compose import Composer
from digest.render.edition.personalise import CardSelection, Personal, addressed, own_picks, selected, subject_of
from digest.render.text.one_line import clean
from digest.translation import read_language, translation

Choices = Sequence[tuple[int, Sequence[Reason] | None]]
Sign = Callable[[bytes, Sequence[bytes], datetime], bytes]
"""(header, pieces of the body, the message's date) → the DKIM-Signature fields to put before it; b"" where we do not sign."""


def unsigned(header: bytes, body: Sequence[bytes], at: datetime) -> bytes:
    """For relays that sign themselves."""
    return b""


SAMPLE = "sample".ljust(22, "0")
"""The public id of nobody's subscription, for proofs and previews: its links have the length of real ones and open nothing."""
_SHARED = 64
"""Selections that are kept of an edition."""
ONE_OFF = 2**62
"""Deliveries that no row stands for (one-off sends, previews) are numbered from here: their stamps point at no row."""


class MoreCards(Protocol):
    """What an edition was frozen without: made where somebody needs it, and frozen then."""

    def __call__(self, edition_id: int, positions: Collection[int], variant: str = "") -> Mapping[int, tuple[Card, Card | None]]:
        """Cards at positions of its pool, in its style and in the other, as it was frozen ("") or in a variant."""

    def translated(self, edition_id: int, rendered: Rendered, variant: str) -> Rendered:
        """All of it in another variant (domain/edition.py). Raises TemplateError, LintFailed."""


class _NoMoreCards:
    """For an edition whose cards are all there, and which is in one language."""

    def __call__(self, edition_id: int, positions: Collection[int], variant: str = "") -> Mapping[int, tuple[Card, Card | None]]:
        return {}

    def translated(self, edition_id: int, rendered: Rendered, variant: str) -> Rendered:
        return rendered


NO_MORE_CARDS = _NoMoreCards()


class MessageComposer:
    """Composes one edition's mails. The same delivery gives the same bytes."""

    def __init__(
        self,
        edition: Edition,
        paper_list: PaperList,
        rendered: Rendered,
        links: Links,
        sender: Sender,
        verp_signer: VerpSigner,
        sign: Sign,
        more_cards: MoreCards = NO_MORE_CARDS,
        variant: str = "",
    ) -> None:
        self._links = links
        self._sign = sign
        self._more_cards = partial(more_cards, edition.id, variant=variant)
        self._variant = variant or rendered.language

        @cache
        def in_variant(other: str) -> MessageComposer:
            try:
                read_language(language_of(other))
                translated = more_cards.translated(edition.id, rendered, other)
            except (DigestError, ValueError) as error:  # better in the list's language than not at all
                logging.getLogger("digest").warning("list %s in %s: %s", paper_list.name, other, error)
                return self
            return MessageComposer(edition, paper_list, translated, links, sender, verp_signer, sign, more_cards, other)

        self._in_variant = in_variant
        self._cards = [list(each.cards) for each in (rendered, rendered.other) if each]
        both = zip((rendered, rendered.other), self._cards, strict=False)
        self._styles = {each.style: _Styled(replace(each, cards=cards)) for each, cards in both if each}
        self._nothing = _Styled(rendered.nothing) if rendered.nothing else None
        self._style = rendered.style
        self._spoken = spoken = translation(rendered.language)
        why = spoken.gettext("You get this because %(address)s subscribed to %(title)s.", address="\0", title=paper_list.title)
        self._subscribed = why.partition("\0")[::2]  # said in every mail: only the address is put in
        self._preferences = spoken.gettext("Preferences")
        self._list = paper_list
        self._from = sender.name
        self._by_mail = partial(unsubscribe_by_mail, sender, verp_signer)
        self._headers = lru_cache(maxsize=_SHARED)(
            lambda subject, boundary: HeaderTemplate(
                sender,
                verp_signer,
                subject=subject,
                boundary=boundary,
                list_name=paper_list.name,
                list_title=paper_list.title,
                campaign=edition.date.isoformat(),
                archive_url=links.archive(paper_list.name),
                help_url=links.home and links.home + "/",
                language=rendered.language,
            )
        )

    def __call__(self, claimed: Claimed, choices: Choices | None) -> Envelope:
        """The mail for one delivery; `choices` None means the list's own picks. Raises DigestError."""
        wanted = variant_of(claimed.language or language_of(self._variant), authors_words=claimed.authors_words)
        return (self if wanted == self._variant else self._in_variant(wanted))._compose(claimed, choices)

    def _compose(self, claimed: Claimed, choices: Choices | None) -> Envelope:
        styled = self._styles.get(claimed.style or self._style) or self._styles[self._style]
        if not choices and self._nothing is not None:
            styled = self._nothing
        selection = styled.selection(choices or styled.own, away=claimed.away, complete=self._complete)
        links, own = self._personal(claimed, selection)
        headers = self._headers(styled.subject(selection), styled.composer.boundary)
        to = headers.address(claimed.id, claimed.address, claimed.due_at, links.unsubscribe)
        body = styled.composer.pieces(own)
        signature = self._sign(to.header, body, claimed.due_at)
        pieces = (signature, to.header, *body)
        return Envelope(claimed.id, to.envelope_sender, to.envelope_recipient, pieces, to.smtputf8, ready=True)

    def _complete(self, choices: Choices) -> None:
        """Fetches the cards that were not made with the edition."""
        if missing := {position for position, _ in choices if not self._cards[0][position].html}:
            for position, made in self._more_cards(missing).items():
                for cards, card in zip(self._cards, made, strict=False):
                    cards[position] = card or cards[position]

    def _personal(self, claimed: Claimed, selection: CardSelection) -> tuple[ReaderLinks, Personal]:
        if claimed.public_id:
            links = self._or_by_mail(self._links.for_reader(claimed.public_id), claimed)
            before, after = self._subscribed
            missed = self._missed(claimed.missed) if claimed.missed else ""
            return links, addressed(selection, links, f"{before}{claimed.address}{after}", self._preferences, missed)
        links = self._or_by_mail(self._links.for_stranger(claimed.address, self._list.name), claimed)
        names = {"sender": self._from, "address": str(claimed.address), "title": self._list.title}
        why = self._spoken.gettext("%(sender)s sent this to %(address)s once; you have no subscription to %(title)s.", **names)
        return links, addressed(selection, links, why, self._spoken.gettext("Subscribe"))

    def _missed(self, why: str) -> str:
        words = clean(self._spoken.phrase(why))
        return self._spoken.gettext("Yesterday’s email could not be delivered: %(why)s.", why=words)

    def _or_by_mail(self, links: ReaderLinks, claimed: Claimed) -> ReaderLinks:
        """Where there are no pages, one unsubscribes by mail."""
        return links if links.unsubscribe else replace(links, unsubscribe=self._by_mail(claimed.id))


class _Styled:
    """An edition in one style, ready to be composed."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.composer = Composer(rendered)
        self.own = own_picks(rendered)
        self._while_away = translation(rendered.language).gettext("While you were away")
        self._shared: dict[tuple[bool, Choices], CardSelection] = {}
        self.subject = lru_cache(maxsize=_SHARED)(partial(subject_of, rendered))
        """Of a mail with these cards."""

    def selection(self, choices: Choices, *, away: bool, complete: Callable[[Choices], None]) -> CardSelection:
        """Of those whose reasons are the list's own, one and the same for the same papers: what is made of it is remembered.

        `complete` sees to it that there is a card for each of them.
        """
        key = away, tuple(choices)
        found = self._shared.get(key)
        if found is None:
            complete(choices)
            found = selected(self.rendered, choices, self._while_away if away else None)
            if all(reasons is None for _, reasons in choices):
                if len(self._shared) >= _SHARED:
                    self._shared.clear()
                self._shared[key] = found
        return found


def one_off(address: Address, edition: Edition, at: datetime, public_id: str = "") -> Claimed:
    """A delivery that no row stands for: composed like any other, recorded nowhere. Without a subscription its links
    are a stranger's. The same one at another instant is another mail: it has another Message-ID.
    """
    occasion = f"{edition.list}/{edition.slug}/{address.key}/{as_utc(at).isoformat()}"
    return Claimed(
        id=ONE_OFF + int.from_bytes(hashlib.sha256(occasion.encode()).digest()[:7]),
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
        public_id=public_id,
    )
