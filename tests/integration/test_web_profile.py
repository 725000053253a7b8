"""What we think a reader likes, and why a paper came to them or did not, on their own page and in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import html

from digest.domain.subscriber import Interests, Preferences
from digest.links import Purpose
from tests.servers.website import NOON, Website, sightings

AFTER = NOON + timedelta(hours=20)


def profile(site: Website, paper: str = "", address: str = "ada@example.org") -> str:
    path = f"{site.link(Purpose.MANAGE, address)}/profile"
    answer = site.request("GET", path, params={"paper": paper} if paper else {})
    assert answer.status_code == (404 if "paper-wrong" in answer.text else 200)
    tree = html.fromstring(answer.text)
    found = tree.find(".//*[@role='status']") if paper else tree.find(".//main")
    if found is None:
        found = tree.find(".//*[@id='paper-wrong']")
    return " ".join(found.text_content().split())


def mailed(site: Website, interests: Interests, picks: int | None = 3) -> list[str]:
    """The identifiers a reader was sent, in order."""
    subscription = site.reader(interests=interests)
    with site.container.adapters.store.begin() as unit:
        unit.subscribers.change(subscription.id, Preferences(picks=picks))
    site.now = AFTER
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    (sent,) = site.container.editions.past_issues(subscription, 2)
    issue = site.container.editions.past_issue(subscription, sent.delivery_id)
    return [str(each.ranked.paper.identifier) for each in issue.papers]


def test_what_came_says_where_and_why(site: Website) -> None:
    came = mailed(site, Interests(words=("diffusion",), authors=("ada writer5",)))
    for place, paper in enumerate(came, start=1):
        for asked in (paper, paper.removeprefix("arxiv:"), f"https://arxiv.org/abs/{paper[6:]}v2", f" {paper} "):
            said = profile(site, asked)
            assert f"We sent it to you in the issue of 28 May 2026, as number {place} of {len(came)}." in said
            assert "Open that issue" in said
    reasons = [profile(site, paper) for paper in came]
    assert any("matches: diffusion" in each for each in reasons)
    assert any("whom you follow" in each for each in reasons)


def test_what_did_not_come_says_how_far_it_was_from_it(site: Website) -> None:
    came = mailed(site, Interests(words=("diffusion",)))
    others = [f"arxiv:2605.{number:05}" for number in range(1, 13) if f"arxiv:2605.{number:05}" not in came]
    said = [profile(site, paper) for paper in others]
    assert all("It was considered for the issue of 28 May 2026." in each for each in said)
    places = []
    for each in said:
        if found := re.search(r"it was number (\d+) of 12, and your email has 3", each):
            places.append(int(found[1]))
            last, own = map(float, re.search(r"scored ([-\d.]+), this one ([-\d.]+)\.", each).groups())  # type: ignore[union-attr]
            assert own <= last
            assert float(re.search(r"Popularity: ([+-][\d.]+)", each)[1]) <= own + 0.01  # type: ignore[index]
        else:
            assert "an email is kept varied" in each
    assert places
    assert len(places) == len(set(places))
    assert min(places) > 3


NOT_CHOSEN = [
    (Interests(words=("diffusion",), muted_words=("robots",)), "arxiv:2605.00003", "You hide papers on “robots”, and it is one."),
    (Interests(muted_authors=("ada writer7",)), "arxiv:2605.00007", "You hide papers on “ada writer7”"),
    (Interests(disliked=("arxiv:2605.00008",)), "arxiv:2605.00008", "You disliked it yourself"),
    (Interests(liked=("arxiv:2605.00008",)), "arxiv:2605.00008", "You liked it yourself"),
    (Interests(), "arxiv:2605.00001", "and your email has 3"),
]


@pytest.mark.parametrize(("interests", "paper", "words"), NOT_CHOSEN)
def test_each_ground_is_named(site: Website, interests: Interests, paper: str, words: str) -> None:
    assert paper not in mailed(site, interests)
    assert words in profile(site, paper)


def test_who_got_no_mail_is_told_so(site: Website) -> None:
    site.reader(interests=Interests(words=("diffusion",)))
    site.now = AFTER
    said = profile(site, "arxiv:2605.00001")
    assert "We sent you no email with that issue." in said
    assert "number" in said


def test_what_no_issue_weighed_says_why(site: Website) -> None:
    site.reader()
    site.now = AFTER
    new, old, foreign = (
        replace(each, seen_at=seen, categories=("cs.LG",), signals=())
        for each, seen in zip(list(sightings(43))[40:], (AFTER, NOON - timedelta(days=90), NOON), strict=True)
    )
    with site.container.adapters.store.begin() as unit:
        unit.papers.merge([new, old])
    assert "after the latest issue was made. It is considered for the next one." in profile(site, "arxiv:2605.00041")
    assert "a paper is considered for 7 days from then" in profile(site, "arxiv:2605.00042")
    with site.container.adapters.store.begin() as unit:
        unit.papers.merge([foreign])
    narrow = replace(site.container.adapters.lists[0], categories=frozenset({"q-bio"}))
    site.container.adapters.__dict__["lists"] = (narrow,)
    assert "takes papers of some sources and categories only" in profile(site, "arxiv:2605.00043")


WRONG = [
    ("2605.99999", "none of our sources has shown it to us"),
    ("no paper", "Enter an arXiv ID"),
    ("<script>alert(1)</script>", "Enter an arXiv ID"),
    ("x" * 5000, "Enter an arXiv ID"),
    ("\N{RIGHT-TO-LEFT OVERRIDE}\x00", ""),
]


@pytest.mark.parametrize(("asked", "words"), WRONG)
def test_what_is_no_paper_is_said_beside_the_field(site: Website, asked: str, words: str) -> None:
    site.reader()
    path = f"{site.link(Purpose.MANAGE)}/profile"
    answer = site.request("GET", path, params={"paper": asked})
    assert answer.status_code == (404 if words else 200)
    assert words in answer.text
    assert "<script>alert" not in answer.text


def test_the_profile_tells_what_picks_go_by_and_forgets_papers(site: Website) -> None:
    subscription = site.reader(interests=Interests(words=("diffusion",), authors=("ada lovelace",), muted_words=("benchmark",)))
    for number in (1, 2):
        site.container.subscriptions.react(subscription, f"arxiv:2605.{number:05}", like=True)
    site.container.subscriptions.react(subscription, "arxiv:2605.00009", like=False)
    site.post(site.link(Purpose.MANAGE), {"papers": "2605.99999"})
    shown = profile(site)
    for words in (
        "Topics: diffusion",
        "Authors you follow: Ada Lovelace",
        "Hidden topics: benchmark",
        "You like 3 papers",
        "1 of them is not in our database yet, and does not affect your picks.",
        "Bo Author (2)",
        "Papers you disliked (1)",
        "part 9",
    ):
        assert words in shown, words
    removed = site.post(f"{site.link(Purpose.MANAGE)}/profile", {"forget": ["arxiv:2605.00001", "arxiv:2605.00009"]})
    assert removed.status_code == 303
    found = site.subscription()
    assert found
    assert (found.interests.liked, found.interests.disliked) == (("arxiv:2605.00002", "arxiv:2605.99999"), ())
    assert (found.interests.words, found.preferences) == (("diffusion",), subscription.preferences)


def test_a_weaker_link_shows_no_profile(site: Website) -> None:
    reader = site.reader()
    for weaker in (Purpose.UNSUBSCRIBE, Purpose.FEEDBACK):
        assert site.get(f"/manage/{site.token(weaker, reader)}/profile").status_code == 403
