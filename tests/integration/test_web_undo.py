"""The operator's page of one edition: cancelled, corrected and sent again by forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.website import BASIC, NOON, Website, website

PAGE = "/admin/editions/daily/2026-05-27"


@pytest.fixture
def site(tmp_path: Path, stocked: Path) -> Iterator[Website]:
    with website(tmp_path, stocked) as running:
        running.reader()
        assert running.container.scheduler.tick(NOON).deliveries == 1
        yield running


def ask(site: Website, **form: str) -> str:
    answer = site.request("POST", PAGE, data=form, headers=BASIC)
    assert answer.status_code == (400 if form.get("wrong") else 200), answer.text
    return answer.text


def test_only_the_operator_may_look(site: Website) -> None:
    assert site.request("GET", PAGE).status_code == 401
    assert site.request("POST", PAGE, data={"action": "cancel"}).status_code == 401
    assert (
        site.request("POST", PAGE, data={"action": "cancel"}, headers={**BASIC, "sec-fetch-site": "cross-site"}).status_code
        == 403
    )
    assert site.request("GET", "/admin/editions/daily/2020-01-01", headers=BASIC).status_code == 404
    assert PAGE in site.request("GET", "/admin", headers=BASIC).text


def test_cancelled_and_let_stand_again(site: Website) -> None:
    assert "Cancelled. Deliveries withheld: 1." in ask(site, action="cancel", reason="wrong links")
    assert "Cancelled. Deliveries withheld: 0." in ask(site, action="cancel", reason="wrong links")
    told = site.request("GET", PAGE, headers=BASIC).text
    assert "<strong>cancelled</strong>" in told
    assert "Reinstate and resend" in told
    assert "is cancelled; --reinstate" in ask(site, action="redeliver", wrong="yes")
    assert "Deliveries queued again: 1." in ask(site, action="redeliver", reinstate="yes")
    assert "<strong>cancelled</strong>" not in site.request("GET", PAGE, headers=BASIC).text


def test_corrected(site: Website) -> None:
    assert "Corrections queued: 0." in ask(site, action="correct", text="Nobody has it yet.")
    assert site.container.delivery.deliver(lambda: site.now).tally.accepted == 1
    words = "A link was wrong.\n\nHere is the <right> one."
    assert "Corrections queued: 1." in ask(site, action="correct", text=words)
    assert "Corrections queued: 0." in ask(site, action="correct", text=words)
    assert site.container.delivery.deliver(lambda: site.now).tally.accepted == 1
    assert "Here is the <right> one." in site.letters(2)[1][1]
    assert "should be 1 to 4000 characters" in ask(site, action="correct", text=" ", wrong="yes")
    assert "should be cancel, correct or redeliver" in ask(site, action="explode", wrong="yes")
