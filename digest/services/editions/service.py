"""Editions: made, shown again, and composed for their readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.edition import variant_of
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.subscriber import Address
from digest.services.delivery.one_off import of_subscriber
from digest.services.editions.build_edition import drafted, edit, instant_for
from digest.services.editions.explain_choice import ExplainedChoice, explain_choice
from digest.services.editions.message_composer import SAMPLE, Choices, MessageComposer, one_off
from digest.services.editions.past_issues import PastIssue, past_issue, past_issues

if TYPE_CHECKING:
    from digest.domain.delivery import Claimed, Envelope, SentIssue
    from digest.domain.edition import Edition, PaperList, Rendered
    from digest.domain.paper import Ranked, Signal
    from digest.domain.subscriber import Interests, Subscription
    from digest.ranking.trending import Ranker
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.editions.personalise import Personaliser
    from digest.services.papers.summarise import Summaries
    from digest.services.subscriptions.service import SubscriptionService
    from digest.store.unit_of_work import Store

_SAMPLE_READER = Address("reader@example.org")
_LOADED = 16
"""Editions whose pieces are kept in memory at most."""


class EditionService:
    """`paper_list` finds a list by its name (None: the first one) and raises NotFound."""

    def __init__(
        self,
        store: Store,
        paper_list: Callable[[str | None], PaperList],
        edition_renderer: Callable[[], EditionRenderer],
        composer_of: Callable[[Edition, PaperList, Rendered], MessageComposer],
        ranker: Callable[[], Ranker],
        summaries: Callable[[], Summaries],
        personaliser: Personaliser,
        subscriptions: SubscriptionService,
    ) -> None:
        self._store, self._paper_list, self._composer_of = store, paper_list, composer_of
        self._edition_renderer, self._ranker, self._summaries, self._personaliser = (
            edition_renderer,
            ranker,
            summaries,
            personaliser,
        )
        self._subscriptions, self._cards = subscriptions, personaliser.make_cards
        self._composers: dict[int, MessageComposer] = {}

    def edition(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """The edition of `day` (default: the list's day at `at`), made if need be. Raises NotFound saying why there is none."""
        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        instant = instant_for(paper_list, wanted, at)
        made = edit(paper_list, wanted, self._store, self._edition_renderer(), instant, self._ranker(), self._summaries())
        if made.edition is None:
            raise NotFound(f"edition of {paper_list.name} for {wanted}", made.skipped)
        return made.edition

    def trial(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """What the edition would be if nothing had ever been featured. Nothing is kept."""
        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        return drafted(paper_list, wanted, self._store, at, self._ranker(), include_featured=True)

    def edition_named(self, name: str) -> Edition:
        """ "LIST/DATE" (the last of that day) or "LIST/SLUG", or only what follows LIST/. Raises InvalidInput, NotFound."""
        list_name, _, wanted = name.rpartition("/")
        paper_list = self._paper_list(list_name or None)
        found = self._named(paper_list, wanted)
        if found is None:
            raise NotFound(f"edition {paper_list.name}/{wanted}", "it was never made")
        return found

    def newest(self, paper_list: PaperList, at: datetime) -> Edition | None:
        with self._store.read() as unit:
            return unit.editions.latest(paper_list.name, at)

    def published(self, paper_list: PaperList, name: str) -> Edition | None:
        """The last of a day, or the very one that is named; a cancelled one is as good as not there. Raises InvalidInput."""
        found = self._named(paper_list, name)
        return found if found and found.state == "frozen" else None

    def _named(self, paper_list: PaperList, name: str) -> Edition | None:
        """The one called "2026-11-30", "2026-11-30T1100" or "2026-11-30T1100-weekly". Raises InvalidInput for no such name."""
        day, exactly, _ = name.partition("T")
        try:
            wanted = date.fromisoformat(day)
        except ValueError:
            raise InvalidInput(
                f"edition {name[:60]!r}", "should be like 2026-05-27 or, for one of several, 2026-05-27T1100"
            ) from None
        with self._store.read() as unit:
            if not exactly:
                return unit.editions.find(paper_list.name, wanted)
            return next((each for each in unit.editions.of_day(paper_list.name, wanted) if each.slug == name), None)

    def of_day(self, paper_list: PaperList, day: date) -> Sequence[Edition]:
        """All of a day's that are on the list's pages, newest first."""
        with self._store.read() as unit:
            made = unit.editions.of_day(paper_list.name, day)
        return [each for each in made if each.on_pages and each.state == "frozen"]

    def history(self, paper_list: PaperList, most: int, before: date | None = None) -> Sequence[Edition]:
        """The last of each day, newest first; `before` (not included) pages on."""
        with self._store.read() as unit:
            return unit.editions.history(paper_list.name, most, before)

    def dates(self, paper_list: PaperList) -> Sequence[date]:
        """The days of all editions, newest first."""
        with self._store.read() as unit:
            return unit.editions.dates(paper_list.name)

    def readings(self, edition: Edition) -> Mapping[int, Sequence[Signal]]:
        """By paper, what was read of an edition's picks until it was frozen."""
        with self._store.read() as unit:
            return unit.papers.readings([pick.ranked.paper.id for pick in edition.picks], edition.frozen_at)

    def past_issues(self, subscription: Subscription, limit: int, before: int | None = None) -> list[SentIssue]:
        """What a reader was sent, newest first; `before` is a delivery's id, from which to page on."""
        return past_issues(self._store, subscription.id, limit, before)

    def past_issue(self, subscription: Subscription, delivery_id: int) -> PastIssue:
        """A reader's own copy. Raises NotFound."""
        found, preferences = past_issue(self._store, subscription.id, delivery_id), subscription.preferences
        usual = self._paper_list(subscription.list).language
        variant = variant_of(preferences.language or usual, authors_words=preferences.authors_words)
        return found if variant == usual else replace(found, papers=self._cards.worded(found.papers, variant))

    def explain_choice(self, subscription: Subscription, identifier: str, at: datetime) -> ExplainedChoice:
        """Why a paper came to a reader, or did not. Raises InvalidIdentifier, NotFound."""
        paper_list = self._paper_list(subscription.list)
        return explain_choice(self._store, self._personaliser, subscription, paper_list, identifier, at)

    def message_composer(self, edition: Edition) -> MessageComposer:
        with self._store.read() as unit:
            rendered = unit.editions.rendered(edition.id)
        return self._composer_of(edition, self._paper_list(edition.list), rendered)

    def weighed(
        self, edition: Edition, interests: Interests, wanted: int | None = None
    ) -> list[tuple[Ranked, Mapping[str, float]]]:
        """What an edition has for somebody with these interests, whatever they were sent: papers with reasons, and what each
        score is the sum of.
        """
        return self._personaliser.weighed(edition.id, interests, wanted or len(edition.picks)) if interests else []

    def compose(self, claimed: Claimed, choices: Choices | None) -> Envelope:
        """Composes any delivery; an edition's pieces are loaded and encoded when its first mail is."""
        composer = self._composers.get(claimed.edition_id)
        if composer is None:
            with self._store.read() as unit:
                edition = unit.editions.get(claimed.edition_id)
            if edition is None:
                raise NotFound(f"edition {claimed.edition_id}")
            while len(self._composers) >= _LOADED:
                self._composers.pop(next(iter(self._composers)), None)
            composer = self._composers[claimed.edition_id] = self.message_composer(edition)
        return composer(claimed, choices)

    def preview(
        self,
        edition: Edition,
        paper_list: PaperList,
        address: Address | None,
        at: datetime,
        *,
        style: str | None = None,
        language: str | None = None,
        rerender: bool = False,
    ) -> Envelope:
        """The mail as `address` would get it (as a subscriber, with their own picks), or as some subscriber would.

        `anew`: with the templates as they are now, not as they were when the edition was frozen. Raises TemplateError.
        """
        claimed = one_off(address or _SAMPLE_READER, edition, at, SAMPLE)
        if address is not None:
            claimed = of_subscriber(claimed, self._subscriptions.subscription(address, paper_list))
        claimed = replace(claimed, style=style or claimed.style, language=language or claimed.language)
        choices = None if address is None else self._personaliser.alone(claimed)
        needed = [position for position, _ in choices or ()]
        composer = (
            self._composer_of(edition, paper_list, self.rerendered(edition, paper_list, needed, claimed))
            if rerender
            else self.message_composer(edition)
        )
        return composer(replace(claimed, authors_words=False) if rerender else claimed, choices)

    def rerendered(
        self, edition: Edition, paper_list: PaperList, also: Collection[int] = (), claimed: Claimed | None = None
    ) -> Rendered:
        """A frozen edition with the templates as they are now, as a reader gets it; nothing is kept. Raises TemplateError."""
        language = (claimed and claimed.language) or paper_list.language
        variant = variant_of(language, authors_words=bool(claimed and claimed.authors_words))
        whole = self._cards.whole(edition.id, "" if variant == paper_list.language else variant)
        return self._edition_renderer().render(whole, paper_list, also=also, language=language)
