"""What a reader's own pages ask the store: past issues, which issue a paper came in, and saved papers; on both databases."""

from __future__ import annotations

from datetime import timedelta

from digest.domain.delivery import SentIssue
from digest.domain.identifier import Identifier
from digest.domain.retry import RetryPolicy
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, NOW, arxiv, queue, replied, sighting

LATER = NOW + 3 * HOUR
OWN = [[("interest", "matches: clocks"), ("also", "also: a twin")], []]


def sent(store: Store, readers: int = 2) -> list[SentIssue]:
    """One issue for each reader: the first with picks and reasons of their own, the others as the list has it."""
    queue(store, readers)
    with store.begin() as unit:
        first, *others = unit.deliveries.claim(10, "me", LATER, HOUR).claimed
        unit.deliveries.freeze_picks({(3, 1): [first.id]}, {first.id: OWN})
        unit.deliveries.freeze_picks({(0, 2): [first.id]}, {first.id: [[("interest", "never kept")], []]})
        for each in (first, *others):
            accepted = replied(each.id, 250)
            unit.deliveries.record([(accepted, RetryPolicy().decide(accepted, 0, NOW + DAY))], "me")
    with store.read() as unit:
        return [unit.sent_papers.issues(each.subscription_id, 5)[0] for each in (first, *others)]


def test_an_issue_is_what_was_frozen_for_its_reader(store: Store) -> None:
    mine, theirs = sent(store)
    assert mine.positions == (3, 1)
    assert [list(map(tuple, each)) for each in mine.reasons] == OWN
    assert (theirs.positions, theirs.reasons) == ((0, 1), ()), "the list's own picks"
    assert (mine.list, mine.date, mine.sent_at, mine.correction) == ("main", NOW.date(), LATER, False)
    with store.read() as unit:
        pooled = unit.editions.pooled({(mine.edition_id, position) for position in (3, 1)} | {(mine.edition_id, 99), (0, 0)})
        assert sorted(pooled) == [(mine.edition_id, 1), (mine.edition_id, 3)]
        assert pooled[mine.edition_id, 3].ranked.paper.title.startswith("Paper number 4")
        own = unit.sent_papers.own_reasons([mine.delivery_id, theirs.delivery_id])
        assert own.keys() == {mine.delivery_id}


def test_issues_are_paged_and_nobody_elses(store: Store) -> None:
    mine, theirs = sent(store)
    with store.read() as unit:
        claimed = unit.deliveries.known([mine.delivery_id, theirs.delivery_id])
        me, other = (claimed[each.delivery_id].subscription_id for each in (mine, theirs))
        assert unit.sent_papers.issue(me, mine.delivery_id) == mine
        assert unit.sent_papers.issue(me, theirs.delivery_id) is None
        assert unit.sent_papers.issues(me, 5, mine.delivery_id) == []
        assert unit.sent_papers.issues(other, 5, theirs.delivery_id + 1) == [theirs]


def test_which_issue_a_paper_came_in(store: Store) -> None:
    mine, theirs = sent(store)
    with store.read() as unit:
        ids = {number: paper.id for number in range(1, 5) if (paper := unit.papers.find(arxiv(number)))}
        claimed = unit.deliveries.known([mine.delivery_id, theirs.delivery_id])
        me, other = (claimed[each.delivery_id] for each in (mine, theirs))
        found = {n: unit.sent_papers.sent_with(me.subscriber_id, paper) for n, paper in ids.items()}
        assert found == {1: None, 2: (me.subscription_id, mine.delivery_id), 3: None, 4: (me.subscription_id, mine.delivery_id)}
        assert unit.sent_papers.sent_with(other.subscriber_id, ids[1]) == (other.subscription_id, theirs.delivery_id)
        assert unit.sent_papers.sent_with(other.subscriber_id, ids[4]) is None
        assert unit.sent_papers.weighed_in(me.subscription_id, "main", ids[1]) == (mine.edition_id, True)
        assert unit.sent_papers.weighed_in(0, "main", ids[1]) == (mine.edition_id, False)
        assert unit.sent_papers.weighed_in(me.subscription_id, "other", ids[1]) is None


def test_papers_are_saved_once_in_their_order_and_follow_a_merge(store: Store) -> None:
    mine, theirs = sent(store)
    with store.begin() as unit:
        claimed = unit.deliveries.known([mine.delivery_id, theirs.delivery_id])
        me, other = (claimed[each.delivery_id].subscription_id for each in (mine, theirs))
        ids = [paper.id for number in range(1, 4) if (paper := unit.papers.find(arxiv(number)))]
        for hours, paper_id in enumerate([ids[0], ids[1], ids[2], ids[0]]):
            unit.saved_papers.save(me, paper_id, NOW + timedelta(hours=hours))
        unit.saved_papers.save(other, ids[0], NOW)
        assert list(unit.saved_papers.of(me)) == [ids[2], ids[1], ids[0]]
        assert list(unit.saved_papers.of(me, 1, 1)) == [ids[1]]
        assert unit.saved_papers.count(me) == 3
        unit.saved_papers.remove(me, [ids[1], 0])
        assert list(unit.saved_papers.of(me)) == [ids[2], ids[0]]
    with store.begin() as unit:
        both = (arxiv(1), arxiv(3), Identifier("doi", "10.1000/both"))
        unit.papers.merge([sighting(1, identifiers=(arxiv(1), both[2])), sighting(3, identifiers=(arxiv(3), both[2]))])
    with store.begin() as unit:
        left = {paper.id for identifier in both if (paper := unit.papers.find(identifier))}
        assert set(unit.saved_papers.of(me)) <= left
        assert unit.saved_papers.count(me) == len(left)
