"""Why a paper came to one reader, or did not: said in words, from what was sent and what was weighed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from digest.domain.edition import Edition, PaperList
from digest.domain.errors import NotFound
from digest.domain.paper import Paper, for_readers
from digest.domain.phrase import joined, phrase, phrases
from digest.domain.subscriber import Subscription
from digest.services.editions.past_issues import past_issue
from digest.services.editions.personalise import Personaliser
from digest.services.papers.find_paper import find_paper
from digest.store.unit_of_work import Store

PARTS: Mapping[str, str] = {
    "trend": phrase("Popularity"),
    "words": phrase("Your topics"),
    "categories": phrase("Your categories"),
    "authors": phrase("Authors you follow"),
    "library": phrase("Likeness to papers you like"),
    "library authors": phrase("Authors of papers you like"),
    "disliked": phrase("Likeness to papers you disliked"),
}
"""What a score is the sum of (ranking/relevance.py), as a reader calls it."""
ALL = 1_000_000
"""More papers than any edition weighs."""


@dataclass(frozen=True, slots=True)
class ExplainedChoice:
    """`lines` are sentences; `parts` what its score for the reader is the sum of; `delivery_id` of the issue it was in."""

    title: str
    came: bool
    lines: tuple[str, ...]
    parts: tuple[tuple[str, float], ...] = ()
    delivery_id: int | None = None


def explain_choice(
    store: Store, personaliser: Personaliser, subscription: Subscription, paper_list: PaperList, identifier: str, at: datetime
) -> ExplainedChoice:
    """Raises InvalidIdentifier, NotFound."""
    with store.read() as unit:
        paper = find_paper(unit, identifier, phrase("none of our sources has shown it to us"))
        sent = unit.sent_papers.sent_with(subscription.subscriber_id, paper.id)
        weighed = unit.sent_papers.weighed_in(subscription.id, paper_list.name, paper.id)
        edition = unit.editions.get(weighed[0]) if weighed else None
        newest = unit.editions.latest(paper_list.name, at)
    if sent is not None:
        with suppress(NotFound):
            return _came(store, sent, subscription, paper)
    if weighed is None or edition is None:
        return ExplainedChoice(paper.title, False, (_not_weighed(paper, paper_list, newest),))
    return _not_chosen(personaliser, subscription, paper, edition, mailed=weighed[1])


def _came(store: Store, sent: tuple[int, int], subscription: Subscription, paper: Paper) -> ExplainedChoice:
    issue = past_issue(store, *sent)
    places = {each.ranked.paper.id: place for place, each in enumerate(issue.papers, start=1)}
    place = places[paper.id]
    lines = [
        phrase(
            "We sent it to you in the issue of %(day)s, as number %(place)s of %(all)s.",
            day=issue.edition.date,
            place=place,
            all=len(places),
        )
    ]
    own = sent[0] == subscription.id
    if not own:
        lines.append(phrase("It came with your subscription to %(list)s.", list=issue.sent.list))
    reasons = [each.text for each in for_readers(issue.papers[place - 1].ranked.reasons)]
    if reasons:
        lines.append(phrase("The reasons: %(reasons)s.", reasons=joined(reasons, " · ")))
    else:
        lines.append(phrase("It was among the most popular papers of that day."))
    return ExplainedChoice(paper.title, True, tuple(lines), delivery_id=sent[1] if own else None)


def _not_weighed(paper: Paper, paper_list: PaperList, newest: Edition | None) -> str:
    seen = paper.first_seen_at.date()
    if paper.withdrawn:
        return phrase("Its authors withdrew it, so it is not sent.")
    if not paper_list.takes(paper):
        return phrase(
            "%(list)s takes papers of some sources and categories only, and this paper is in none of them.", list=paper_list.title
        )
    if newest is None or paper.first_seen_at > newest.window.end:
        return phrase("We first saw it on %(day)s, after the latest issue was made. It is considered for the next one.", day=seen)
    days = paper_list.candidates_for.days
    return phrases(
        "No issue considered it: we first saw it on %(day)s, and a paper is considered for %(n)s day from then.",
        "No issue considered it: we first saw it on %(day)s, and a paper is considered for %(n)s days from then.",
        days,
        day=seen,
    )


def _not_chosen(
    personaliser: Personaliser, subscription: Subscription, paper: Paper, edition: Edition, *, mailed: bool
) -> ExplainedChoice:
    interests, wanted = subscription.interests, subscription.preferences.picks or edition.max_picks
    lines = [phrase("It was considered for the issue of %(day)s.", day=edition.date)]
    if not mailed:
        lines.append(phrase("We sent you no email with that issue."))
    ranked = personaliser.weighed(edition.id, interests, ALL)
    places = {each.paper.id: place for place, (each, _) in enumerate(ranked, start=1)}
    place = places.get(paper.id)
    if place is None:
        hidden = personaliser.hidden_by(edition.id, interests, paper.id)
        lines.append(
            phrase("You hide papers on “%(words)s”, and it is one.", words=hidden)
            if hidden
            else phrase("Its authors withdrew it, so it was not sent.")
        )
        return ExplainedChoice(paper.title, False, tuple(lines))
    names = {str(each) for each in paper.identifiers}
    number = {"place": place, "all": len(ranked)}
    parts = ranked[place - 1][1]
    if names.intersection(interests.liked):
        lines.append(phrase("You liked it yourself, and a paper you know comes after all others."))
    elif names.intersection(interests.disliked):
        lines.append(phrase("You disliked it yourself, and a paper you know comes after all others."))
    elif place > wanted:
        last = sum(ranked[wanted - 1][1].values())
        lines.append(
            phrase(
                "For you it was number %(place)s of %(all)s, and your email has %(wanted)s."
                " The last of those scored %(last)s, this one %(score)s.",
                **number,
                wanted=wanted,
                last=format(last, ".2f"),
                score=format(sum(parts.values()), ".2f"),
            )
        )
    elif mailed:
        lines.append(
            phrase(
                "For you it was number %(place)s of %(all)s, but an email is kept varied: a similar paper,"
                " or one on another of your topics, took its place.",
                **number,
            )
        )
    else:
        lines.append(phrase("For you it was number %(place)s of %(all)s, so it would have been in it.", **number))
    if interests:
        lines.append(phrase("This goes by your interests as they are now."))
    return ExplainedChoice(paper.title, False, tuple(lines), tuple((PARTS[name], value) for name, value in parts.items()))
