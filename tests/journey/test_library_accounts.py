"""Libraries kept elsewhere: read by version and page by page, followed when they change, kept when they cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time

import pytest

from digest.domain.errors import InvalidInput
from digest.domain.library_account import AccountName, openalex_account, orcid_account, zotero_library
from digest.domain.paper import Sighting
from digest.domain.subscriber import Interests
from digest.mail.inbound.message_parts import parts_of
from digest.services.libraries.sync_accounts import Synced
from digest.services.subscriptions.subscribe import end
from tests.libraries import library
from tests.library_accounts import ADA, DAY, OWN, Reader, reading
from tests.servers.libraries import KEY
from tests.servers.scripted_http import reply


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Reader]:
    with reading(tmp_path / "accounts.sqlite3") as reader:
        yield reader


def works(count: int, offset: int = 0) -> list[Sighting]:
    return library("glaciers", offset + count)[offset:]


@pytest.mark.slow
def test_five_thousand_items_then_three_changes_for_two_requests(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put_works(works(5000))
    ada.connect()
    began, before = process_time(), getrusage(RUSAGE_SELF).ru_maxrss
    asked = ada.requests()
    grown = (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\n5,000 items: {len(asked)} requests, {process_time() - began:.1f} s of the processor, {grown:.0f} MB")
    assert len(asked) == 51, "whose key it is, and 50 pages"
    assert process_time() - began < 60
    assert grown < 100
    assert (ada.account.papers, ada.account.without_abstract, ada.account.not_understood) == (5000, 0, 0)
    assert len(ada.titles()) == 5000

    assert ada.requests() == [], "not again within the day"
    ada.now += DAY
    assert [target.split("?")[0] for target in ada.requests()] == ["/users/475425/items/top"], "304"

    zotero.put("W0000000", abstractNote="Another abstract.")
    zotero.put("NEWITEM1", title="Firn that nobody has measured", abstractNote="Snow that lasts.")
    zotero.delete("W0000001")
    ada.now += DAY
    asked = ada.requests()
    assert [target.split("?")[0].rpartition("/")[2] for target in asked] == ["top", "deleted"]
    assert ada.account.papers == 5000
    assert "Firn that nobody has measured" in ada.titles()
    assert works(2)[1].title not in ada.titles()


def test_a_revoked_key_keeps_the_last_good_state_and_says_what_to_do(ada: Reader) -> None:
    ada.there.zotero.put_works(works(10))
    ada.connect()
    ada.sync()
    before = ada.titles()
    ada.there.zotero.revoked = True
    ada.now += DAY
    assert ada.sync() == Synced(0, 1, 1, None)
    assert ada.titles() == before
    assert len(before) == 10
    assert "https://www.zotero.org/settings/keys" in ada.account.problem
    assert KEY not in ada.account.problem + repr(ada.account)
    assert ada.requests() == [], "not asked again before tomorrow"
    ada.now += DAY
    ada.sync()
    assert ada.container.notices.send_queued(lambda: ada.now, lambda: False) == 1, "one mail, however often it fails"
    [letter] = ada.container.transport.envelopes
    assert letter.recipient == ADA.text
    text = parts_of(letter.data)[1]
    assert "no longer lets us read it" in text
    assert "https://digest.example/manage/" in text
    assert KEY not in text
    ada.there.zotero.revoked = False
    ada.there.zotero.key = "another"
    ada.there.zotero.delete("W0000003")
    ada.connect(key="another")
    ada.sync()
    assert (ada.account.problem, ada.account.papers) == ("", 9)


@pytest.mark.parametrize(
    ("fault", "slept"),
    [
        pytest.param(reply("429 Too Many Requests", Retry_After="7"), 7.0, id="429 with Retry-After"),
        pytest.param(reply("429 Too Many Requests", Backoff="9"), 9.0, id="429 with Backoff"),
        pytest.param(reply("503 Service Unavailable", Retry_After="5"), 5.0, id="503 with Retry-After"),
    ],
)
def test_what_zotero_asks_to_wait_is_waited(ada: Reader, fault: object, slept: float) -> None:
    ada.there.zotero.put_works(works(150))
    ada.there.zotero.faults = [fault]  # type: ignore[list-item]
    ada.connect()
    ada.sync()
    assert slept in ada.slept
    assert ada.account.papers == 150


def test_backoff_beside_a_good_answer_holds_the_next_request(ada: Reader) -> None:
    ada.there.zotero.put_works(works(250))
    ada.there.zotero.backoff = 10
    ada.connect()
    ada.sync()
    assert sum(ada.slept) >= 30, "before each of the three pages"
    assert ada.account.papers == 250


def test_a_long_wait_ends_the_run_which_resumes_at_the_page(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put_works(works(250))
    ada.connect(zotero_library("users/475425"))
    zotero.backoff = 300
    synced = ada.sync()
    assert (synced.requests, ada.account.papers) == (2, 100)
    assert synced.error is not None
    assert "zotero is left in peace" in synced.error
    assert ada.account.problem == "", "nothing that its owner could do anything about"
    zotero.backoff = 0
    assert ada.requests() == []
    ada.now += timedelta(seconds=301)
    assert [target.partition("start=")[2] for target in ada.requests()] == ["100", "200"]
    assert ada.account.papers == 250


def test_a_stop_between_pages_loses_nothing(ada: Reader) -> None:
    ada.there.zotero.put_works(works(250))
    ada.connect(zotero_library("users/475425"))
    ada.sync(stop=lambda: len(ada.there.asked) >= 1)
    assert ada.account.papers == 100
    assert [target.partition("start=")[2] for target in ada.requests()] == ["100", "200"]


def test_one_budget_of_requests_a_day(tmp_path: Path) -> None:
    with reading(tmp_path / "budget.sqlite3", library_requests_per_day=3) as ada:
        ada.there.zotero.put_works(works(450))
        ada.connect(zotero_library("users/475425"))
        assert (len(ada.requests()), ada.account.papers) == (3, 300)
        ada.now += timedelta(hours=11)
        assert ada.requests() == []
        ada.now += timedelta(hours=2)  # another day
        assert (len(ada.requests()), ada.account.papers) == (2, 450)


def test_collections_the_trash_and_what_leaves_a_collection(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put_works(works(4), collections=["ABCD2345"])
    zotero.put("OTHER001", title="Bread that rises in the night", abstractNote="Dough.", collections=["ZZZZ9999"])
    ada.connect(zotero_library("users/475425/collections/ABCD2345"))
    ada.sync()
    assert ada.titles() == [each.title for each in works(4)]
    zotero.put("W0000000", collections=["ZZZZ9999"])
    zotero.put("W0000001", deleted=1)
    zotero.put("OTHER001", collections=["ABCD2345"])
    ada.now += DAY
    ada.sync()
    assert ada.titles() == [*(each.title for each in works(4)[2:]), "Bread that rises in the night"]
    zotero.put("W0000001", deleted=0)
    zotero.deleted_collections["ABCD2345"] = zotero.version
    ada.now += DAY
    ada.sync()
    assert works(2)[1].title in ada.titles()
    assert ada.container.libraries.not_understood(ada.account.id, 5) == [
        ("collection ABCD2345", "was deleted in Zotero; connect another one")
    ]


def test_a_library_that_changes_while_it_is_read_is_read_to_its_end(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put_works(works(250))
    answer, done = zotero.answer, []

    def meddled(asked: object) -> object:
        if "start=100" in asked.target and not done:  # type: ignore[attr-defined]
            done.append(1)
            zotero.delete("W0000000")  # and every later item moves up by one
        return answer(asked)  # type: ignore[arg-type]

    zotero.answer = meddled  # type: ignore[assignment, method-assign]
    ada.connect()
    ada.sync()
    ada.now += DAY
    ada.sync()
    assert ada.account.papers == 249
    assert set(ada.titles()) == {each.title for each in works(250)[1:]}


def test_what_is_no_paper_and_what_has_no_title(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put("NOTE0001", itemType="note", note="<p>mine</p>")
    zotero.put("FILE0001", itemType="attachment", title="a.pdf")
    zotero.put("PART0001", title="A figure", parentItem="PAPER001")
    zotero.put("PAPER001", title="", abstractNote="Of what?")
    zotero.put("PAPER002", title="Ice on the move in winter", archiveID="arXiv:2501.00001")
    ada.connect()
    ada.sync()
    assert (ada.account.papers, ada.account.without_abstract, ada.account.not_understood) == (1, 1, 1)
    assert ada.container.libraries.not_understood(ada.account.id, 9) == [("PAPER001", "title: is missing")]
    zotero.put("PAPER001", title="Snow on the roofs of the north")
    ada.now += DAY
    ada.sync()
    assert (ada.account.papers, ada.account.not_understood) == (2, 0)


def test_a_paper_taken_off_stays_off_and_one_brought_by_hand_stays(ada: Reader) -> None:
    zotero = ada.there.zotero
    zotero.put_works(works(3))
    with ada.container.adapters.store.begin() as unit:
        [first] = unit.libraries.keep(works(1), ada.now)
        unit.subscribers.change(ada.id, interests=Interests(liked=(first,)))
    ada.connect()
    ada.sync()
    assert ada.account.papers == 3
    with ada.container.adapters.store.begin() as unit:
        subscription = unit.subscribers.get(ada.id)
        assert subscription
        unit.subscribers.change(ada.id, interests=Interests(liked=subscription.interests.liked[:2]))
    zotero.put("W0000002", date="2024")
    zotero.delete("W0000000")
    zotero.delete("W0000001")
    ada.now += DAY
    ada.sync()
    assert ada.titles() == [works(1)[0].title], "the one by hand"


@pytest.mark.parametrize("name", [orcid_account("0000-0002-1825-0097"), openalex_account("A5023888391")])
def test_works_of_an_orcid_id_and_of_an_author_are_read_weekly(ada: Reader, name: AccountName) -> None:
    ada.there.works = works(60)
    ada.connect(name)
    ada.sync()
    assert ada.titles() == [each.title for each in works(60)]
    ada.there.works = [*works(60)[:10], *works(1, 60)]
    ada.now += 3 * DAY
    assert ada.requests() == []
    ada.now += 4 * DAY
    ada.sync()
    assert ada.titles() == [each.title for each in ada.there.works]
    ada.there.works = []
    ada.there.orcid = "another"
    ada.now += 7 * DAY
    ada.sync()
    assert len(ada.titles()) == 11, "an author who is not found any more keeps the last good state"
    assert "no such" in ada.account.problem


@pytest.mark.parametrize("with_papers", [True, False])
def test_disconnected_with_or_without_its_papers(ada: Reader, with_papers: bool) -> None:
    ada.there.zotero.put_works(works(3))
    ada.connect()
    ada.sync()
    assert ada.personal()
    ada.container.libraries.disconnect(ada.id, ada.account.id, with_papers=with_papers)
    assert ada.container.libraries.of(ada.id) == []
    assert len(ada.titles()) == (0 if with_papers else 3)
    assert ada.personal() is not with_papers


def test_whoever_left_is_not_read_and_leaves_no_key(ada: Reader) -> None:
    ada.there.zotero.put_works(works(3))
    ada.connect()
    ada.sync()
    end(ada.container.adapters.store, ada.id, "asked", ada.now)
    assert ada.container.libraries.of(ada.id) == []
    assert len(ada.titles()) == 3
    ada.now += DAY
    assert ada.requests() == []


def test_a_fault_or_an_outage_names_nobody_and_is_tried_again(ada: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.there.zotero.put_works(works(3))
    ada.there.zotero.faults = [reply("500 Oops", b"no")] * 4
    ada.connect(zotero_library("users/475425"))
    outage = ada.sync()
    assert outage.error
    assert "HTTP 500" in outage.error
    assert "475425" not in outage.error
    ada.now += timedelta(hours=1)
    with monkeypatch.context() as broken:
        broken.setattr("digest.sources.zotero.zotero_csv.work", lambda *_: 1 / 0)
        assert "a fault in this program: ZeroDivisionError" in str(ada.sync().error)
    ada.now += timedelta(hours=1)
    ada.sync()
    assert (ada.account.papers, ada.account.problem) == (3, "")


def test_no_trace_of_key_and_works_is_left(ada: Reader, tmp_path: Path) -> None:
    ada.there.zotero.put_works(works(40))
    ada.connect()
    ada.sync()
    store = ada.container.adapters.store
    held = ada.container.privacy.export_personal_data(ADA, ada.now)
    [account] = held["subscriptions"][0]["library_accounts"]
    assert (account["kind"], account["key"], len(account["items"])) == ("zotero", "kept encrypted", 40)
    with store.engine.connect() as connection:
        encrypted = connection.exec_driver_sql("SELECT encrypted_key FROM library_accounts").scalar_one()
    assert KEY not in str(held) and encrypted not in str(held)  # noqa: PT018
    assert KEY.encode() not in _files(tmp_path)
    assert ada.container.privacy.erase(ADA, ada.now)
    store.close()
    left = _files(tmp_path)
    assert encrypted.encode() not in left
    assert b"475425" not in left
    assert not [each.title for each in works(40) if each.title.encode() in left]


def _files(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.glob("accounts.sqlite3*"))


def test_a_key_of_another_installation_is_asked_for_again(ada: Reader) -> None:
    ada.there.zotero.put_works(works(3))
    ada.connect()
    ada.sync()
    with ada.container.adapters.store.begin() as unit:
        unit.library_accounts.save(ada.account.id, encrypted_key="gAAAAAnothers", next_at=ada.now)
    assert ada.sync().problems == 1
    assert "Enter your Zotero key again" in ada.account.problem
    assert len(ada.titles()) == 3


@pytest.mark.parametrize(("name", "key"), [(OWN, ""), (zotero_library("users/5"), "")])
def test_what_cannot_work_is_refused(ada: Reader, name: AccountName, key: str) -> None:
    with pytest.raises(InvalidInput, match="key"):
        ada.connect(name, key)


def test_two_accounts_with_the_same_paper(ada: Reader) -> None:
    ada.there.zotero.put_works(works(2))
    ada.there.works = works(2)[1:]
    ada.connect()
    ada.connect(openalex_account("A5023888391"))
    ada.sync()
    assert len(ada.titles()) == 2
    ada.there.zotero.delete("W0000000")
    ada.there.zotero.delete("W0000001")
    ada.now += DAY
    ada.sync()
    assert ada.titles() == [works(2)[1].title]
