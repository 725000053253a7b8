"""Papers saved by a link on each card of a mail or in a past issue: listed, taken along, removed, and erased with the person."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from lxml import html

from digest.domain.paper import Sighting
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from digest.services.libraries import service as libraries
from digest.services.libraries.read_library import read_library
from digest.store.schema_libraries import saved_papers as table
from tests.servers.website import NOON, Website, sightings

PAPER = "arxiv:2605.00003"
OTHER = "arxiv:2605.00004"


def save_path(site: Website, paper: str = PAPER, address: str = "ada@example.org") -> str:
    found = site.subscription(address)
    assert found
    return f"/save/{site.token(Purpose.FEEDBACK, found)}/{paper}"


def listed(site: Website, address: str = "ada@example.org") -> list[str]:
    page = site.get(f"{site.link(Purpose.MANAGE, address)}/saved").text
    return [box.get("value") for box in html.fromstring(page).findall(".//input[@name='forget']")]


def test_saved_from_a_mail_listed_exported_and_removed(site: Website) -> None:
    site.reader()
    site.reader("bob@example.org")
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    mail = next(each for each in site.container.transport.envelopes if each.recipient == "ada@example.org")
    in_html, in_text = parts_of(mail.data)
    links = re.findall(rf"{re.escape(site.base)}(/save/[^\s\"]+)", in_text)
    assert len(links) == len(set(links)) == 10
    assert all(f"{site.base}{link}" in in_html for link in links)
    for link in links[:2]:
        for method in ("GET", "HEAD", "OPTIONS", "GET"):
            site.request(method, link)
        assert "Save this paper?" in site.get(link).text
    assert listed(site) == []
    for link in (links[0], links[1], links[0]):
        site.now += timedelta(minutes=1)
        saved = site.post(link)
        assert (saved.status_code, "<h1>Saved</h1>" in saved.text) == (200, True)
        assert "/manage/" not in saved.text, "the link of a card is weaker than the reader's own"
    newest, first = (link.split("/", 3)[3] for link in (links[1], links[0]))
    assert listed(site) == [newest, first]
    assert listed(site, "bob@example.org") == []

    manage = site.link(Purpose.MANAGE)
    as_json = site.get(f"{manage}/saved.json").json()
    assert [each["id"] for each in as_json] == [newest, first]
    assert all(each["title"] and each["abstract"] and each["authors"] and each["saved_at"] for each in as_json)
    bibtex = site.get(f"{manage}/saved.bib")
    assert "attachment" in bibtex.headers["content-disposition"]
    assert bibtex.text.count("@misc{") == 2
    held = site.get(f"{manage}/data.json").json()
    assert [each["paper"] for each in held["subscriptions"][0]["saved_papers"]] == [newest, first]

    assert site.post(f"{manage}/saved", {"forget": [first, OTHER]}).status_code == 303
    assert listed(site) == [newest]
    assert "Removed" in site.post(links[1], {"remove": "yes"}).text
    assert listed(site) == []
    site.post(links[0])
    site.post(f"{manage}/erase", {"sure": "yes"})
    assert site.tables()["saved_papers"] == []


def test_saved_from_a_past_issue(site: Website) -> None:
    site.reader()
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    manage = site.link(Purpose.MANAGE)
    issue = html.fromstring(site.get(f"{manage}/issues").text).find(".//ul[@class='issues']//a").get("href")
    forms = [form for form in html.fromstring(site.get(issue).text).forms if "save" in form.fields]
    assert len(forms) == 10
    answer = site.post(str(forms[3].action), dict(forms[3].form_values()))
    assert (answer.status_code, 'role="status" data-answer>Saved: ' in answer.text) == (200, True)
    assert listed(site) == [forms[3].fields["save"]]


UNKNOWN = [("arxiv:2605.99999", 404), ("no-paper", 400), ("%00", 404), ("../../manage", 404)]


@pytest.mark.parametrize(("paper", "status"), UNKNOWN)
def test_what_is_no_paper_of_ours_is_not_saved(site: Website, paper: str, status: int) -> None:
    site.reader()
    assert site.get(save_path(site, paper)).status_code == status
    assert site.post(save_path(site, paper)).status_code in (status, 405)
    assert listed(site) == []


def test_there_is_an_end_to_them(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    site.reader()
    monkeypatch.setattr(libraries, "MOST_SAVED", 2)
    for number in (1, 2):
        assert site.post(save_path(site, f"arxiv:2605.{number:05}")).status_code == 200
    refused = site.post(save_path(site))
    assert (refused.status_code, "remove some first" in refused.text) == (400, True)
    assert len(listed(site)) == 2
    assert site.post(save_path(site, "arxiv:2605.00001")).status_code == 200, "it is one of them"


def test_many_are_paged(site: Website) -> None:
    site.reader()
    more = [each for each in sightings(130) if each.identifiers]
    with site.container.adapters.store.begin() as unit:
        unit.papers.merge(more)
    for number in range(1, 121):
        found = site.subscription()
        assert found
        site.container.libraries.save_paper(found.id, f"arxiv:2605.{number:05}", NOON + timedelta(minutes=number))
    place: str | None = f"{site.link(Purpose.MANAGE)}/saved"
    seen: list[str] = []
    while place:
        page = site.get(place)
        assert len(page.content) < 150_000
        tree = html.fromstring(page.text)
        seen += [box.get("value") for box in tree.findall(".//input[@name='forget']")]
        place = next((link.get("href") for link in tree.findall(".//a[@rel='next']")), None)
    assert seen == [f"arxiv:2605.{number:05}" for number in range(120, 0, -1)]


def test_the_export_is_read_back(site: Website, tmp_path: object) -> None:
    from pathlib import Path

    site.reader()
    for paper in (PAPER, OTHER):
        site.post(save_path(site, paper))
    file = Path(str(tmp_path)) / "saved.bib"
    file.write_bytes(site.get(f"{site.link(Purpose.MANAGE)}/saved.bib").content)
    works, problems = read_library(file, NOON)
    assert {str(each.identifiers[0]) for each in works} == {PAPER, OTHER}
    assert list(problems) == []


def test_two_papers_that_turn_out_to_be_one_are_saved_once(site: Website) -> None:
    subscription = site.reader()
    one, two = (
        Sighting(source=source, identifiers=ids, title=f"{source} on clocks", abstract="", seen_at=NOON, authors=("A B",))
        for source, ids in (("a", _ids("doi:10.1000/one")), ("b", _ids("arxiv:2605.77777")))
    )
    with site.container.adapters.store.begin() as unit:
        unit.papers.merge([one, two])
    for paper in ("doi:10.1000/one", "arxiv:2605.77777"):
        site.container.libraries.save_paper(subscription.id, paper, NOON)
    assert len(listed(site)) == 2
    both = Sighting(source="c", identifiers=_ids("doi:10.1000/one", "arxiv:2605.77777"), title="a on clocks", seen_at=NOON)
    with site.container.adapters.store.begin() as unit:
        unit.papers.merge([both])
    assert len(listed(site)) == 1
    assert len(site.tables()[table.name]) == 1


def _ids(*names: str) -> tuple[object, ...]:
    from digest.domain.identifier import parse_identifier

    return tuple(parse_identifier(name).identifier for name in names)
