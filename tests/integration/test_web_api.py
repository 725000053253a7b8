"""/api/v1 and /admin: what everybody may read, what only the operator may do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from digest.domain.subscriber import SubscriptionState
from tests.servers.website import ADMIN, BASIC, BEARER, NOON, Website, website


def test_what_everybody_may_read(site: Website) -> None:
    (daily,) = site.get("/api/v1/lists").json()
    assert (daily["name"], daily["picks"], daily["weekdays"]) == ("daily", 10, "daily")
    (edition,) = site.get("/api/v1/lists/daily/editions").json()
    assert edition == site.get("/api/v1/lists/daily/editions/2026-05-27").json()
    assert [pick["rank"] for pick in edition["picks"]] == list(range(1, 11))
    assert all(pick["reasons"] for pick in edition["picks"])
    paper = site.get(f"/api/v1/papers/{edition['picks'][0]['id']}").json()
    assert paper["title"] == edition["picks"][0]["title"]
    assert site.get("/api/v1/papers/https://arxiv.org/abs/2605.00001v2").json()["id"] == "arxiv:2605.00001"
    trending = site.get("/api/v1/trending?limit=3").json()
    assert len(trending) == 3
    assert [each["score"] for each in trending] == sorted((each["score"] for each in trending), reverse=True)
    assert {found["id"] for found in site.get("/api/v1/search?q=diffusion").json()} == {"arxiv:2605.00001", "arxiv:2605.00011"}
    assert site.get("/api/v1/lists/daily/editions?before=2026-05-27").json() == []


WRONG = [
    ("/api/v1/lists/nope/editions", 404),
    ("/api/v1/lists/daily/editions/2020-01-01", 404),
    ("/api/v1/lists/daily/editions/today", 422),
    ("/api/v1/papers/arxiv:2605.99999", 404),
    ("/api/v1/papers/nonsense", 400),
    ("/api/v1/search", 422),
    ("/api/v1/search?q=a&limit=0", 422),
    ("/api/v1/search?q=%00", 200),
    ("/api/v1/trending?list=nope", 404),
    ("/api/v1/nope", 404),
]


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_wrong_questions_have_an_answer_in_json(site: Website, path: str, status: int) -> None:
    answer = site.get(path)
    assert answer.status_code == status
    assert status == 200 or isinstance(answer.json()["error"], str)


CLOSED = [
    ("GET", "/admin"),
    ("GET", "/admin/mail/daily/2026-05-27"),
    ("POST", "/admin/pause"),
    ("POST", "/admin/test"),
    ("GET", "/api/v1/subscriptions?email=ada@example.org"),
    ("POST", "/api/v1/subscriptions"),
    ("DELETE", "/api/v1/subscriptions?email=ada@example.org"),
    ("POST", "/api/v1/subscriptions/import"),
    ("GET", "/api/v1/subscriptions/export"),
    ("GET", "/api/v1/subscriptions/held?email=ada@example.org"),
    ("DELETE", "/api/v1/subscriptions/held?email=ada@example.org"),
]
NOT_THE_TOKEN = [
    "",
    "Bearer",
    f"Bearer {ADMIN}x",
    f"Bearer {ADMIN[:-1]}",
    f"Token {ADMIN}",
    "Basic !!!",
    "Basic OnM=",
    "Bearer é",
]


@pytest.mark.parametrize("path", ["/admin", "/api/v1/subscriptions?email=ada@example.org", "/admin/editions/daily/2026-05-27"])
def test_who_guesses_tokens_is_stopped_and_told(site: Website, path: str) -> None:
    """Ten a minute and a network, whatever the door; the right one waits out the minute, and no longer."""
    site.now = NOON + timedelta(seconds=25)
    right = {"authorization": f"Bearer {ADMIN}"}
    known = site.request("GET", path, headers=right).status_code
    assert known in (200, 404)
    doors = [path, "/admin", "/api/v1/subscriptions/export"]
    for n in range(10):
        assert site.get(path).status_code == 401, "to ask without a token is no guess"
        wrong = {"authorization": f"Bearer guess{n}"}
        assert site.request("GET", doors[n % 3], headers=wrong).status_code == 401
        assert site.request("GET", path, headers=right).status_code == (known if n < 9 else 429), "a few mistakes lock nobody out"
    refused = [site.request("GET", path, headers=headers) for headers in ({"authorization": "Bearer guess"}, BASIC, right)]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(429, "35")] * 3
    assert len({answer.text for answer in refused}) == 1, "nobody is told which was right"
    assert refused[0].text.count("Many wrong tokens came from your network. Please try again in a minute.") == 1
    assert site.get("/healthz").status_code == 200
    site.now += timedelta(seconds=35)
    assert site.request("GET", path, headers=right).status_code == known
    assert site.request("GET", path, headers=wrong).status_code == 401


def test_another_networks_guesses_lock_nobody_out(tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked, proxies=("127.0.0.1",)) as site:

        def ask(client: str, token: str) -> int:
            headers = {"authorization": f"Bearer {token}", "x-forwarded-for": client}
            return site.request("GET", "/admin", headers=headers).status_code

        assert [ask(f"203.0.113.{n}", f"guess{n}") for n in range(12)] == [401] * 10 + [429] * 2
        assert ask("198.51.100.1", ADMIN) == 200


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_the_operators_doors_are_closed(site: Website, method: str, path: str) -> None:
    site.reader()
    for header in NOT_THE_TOKEN:
        answer = _ask(site, method, path, header)
        assert answer.status_code == 401, header
        assert ADMIN not in answer.text
    found = site.subscription()
    assert found
    assert found.state is SubscriptionState.ACTIVE


def _ask(site: Website, method: str, path: str, authorization: str) -> httpx2.Response:
    return site.request(method, path, headers=[(b"authorization", authorization.encode())], json={"email": "x@example.org"})


def test_without_a_token_there_is_no_operator(tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked, admin=None) as site:
        for method, path in CLOSED:
            assert _ask(site, method, path, f"Bearer {ADMIN}").status_code == 404
            assert _ask(site, method, path, "Bearer").status_code == 404


def test_the_document_says_who_may_do_what(site: Website) -> None:
    """Every operator's operation asks for the token and says what comes of asking without; every other asks for none."""
    document = site.get("/api/v1/openapi.json").json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            closed = path.startswith("/subscriptions")
            assert (bool(operation.get("security")), "401" in operation["responses"]) == (closed, closed), (method, path)
            assert operation["responses"]["200"]["content"], (method, path)
    assert "text/csv" in document["paths"]["/subscriptions/import"]["post"]["requestBody"]["content"]


def test_what_is_held_is_told_and_forgotten(site: Website) -> None:
    site.reader()
    path = "/api/v1/subscriptions/held?email=ada@example.org"
    told = site.request("GET", path, headers=BEARER)
    assert (told.json()["address"], told.headers["cache-control"]) == ("ada@example.org", "no-store")
    assert [each["consent_event"] for each in told.json()["subscriptions"]] == ["link confirmed"]
    for erased in (True, False):
        assert site.request("DELETE", path, headers=BEARER).json() == {"erased": erased}
    left = site.request("GET", path, headers=BEARER).json()
    assert (left["subscriptions"], [each["reason"] for each in left["suppressions"]]) == ([], ["erased"])


def test_who_left_or_never_confirmed_is_not_exported(site: Website) -> None:
    """Or an import elsewhere would bring them back."""
    from digest.services.subscriptions.subscribe import end

    site.reader("active@example.org")
    site.reader("waiting@example.org", confirmed=False)
    end(site.container.adapters.store, site.reader("gone@example.org").id, "test", NOON)
    exported = site.request("GET", "/api/v1/subscriptions/export", headers=BEARER).text.splitlines()
    assert [line.partition(",")[0] for line in exported] == ["email", "active@example.org"]


def test_subscriptions_by_program(site: Website) -> None:
    given = {
        "email": "Ada@Example.org",
        "timezone": "Europe/Berlin",
        "hour": "06:30",
        "weekdays": "mon,tue",
        "language": "zh-hans",
        "authors_words": True,
        "interests": "-hype",
    }
    asked = site.request("POST", "/api/v1/subscriptions", json=given, headers=BEARER).json()
    assert (asked["state"], asked["hour"], asked["weekdays"]) == ("pending", "06:30", "mon,tue")
    assert len(site.letters(1)) == 1
    taken = site.request("POST", "/api/v1/subscriptions", json={**given, "confirmed": True}, headers=BASIC).json()
    assert taken["state"] == "active"
    (shown,) = site.request("GET", "/api/v1/subscriptions?email=ADA@example.org", headers=BEARER).json()
    assert (shown["timezone"], shown["language"], shown["authors_words"]) == ("Europe/Berlin", "zh-Hans", True)
    exported = site.request("GET", "/api/v1/subscriptions/export", headers=BEARER)
    assert exported.text.splitlines()[1] == "Ada@example.org,daily,Europe/Berlin,06:30,mon;tue,daily,zh-Hans,'-hype"
    assert exported.headers["cache-control"] == "no-store"
    ended = site.request("DELETE", "/api/v1/subscriptions?email=ada@example.org", headers=BEARER).json()
    assert (ended[0]["state"], ended[0]["end_reason"]) == ("ended", "unsubscribed by the operator (api)")
    assert site.request("DELETE", "/api/v1/subscriptions?email=ada@example.org", headers=BEARER).status_code == 404
    for wrong in (
        {"email": "no"},
        {"timezone": "Mars"},
        {"language": "klingon"},
        {"weekdays": "someday"},
        {"hour": "25:00"},
        {"list": "nope"},
        {"typo": 1},
    ):
        answer = site.request("POST", "/api/v1/subscriptions", json={**given, **wrong}, headers=BEARER)
        assert answer.status_code in (400, 404, 422), wrong
        assert answer.json()["error"]


def test_a_roster_comes_and_goes_as_csv(site: Website) -> None:
    lines = [
        "email,timezone",
        *(f"reader{n}@example.org,Europe/Berlin" for n in range(50)),
        "nonsense,UTC",
        "late@example.org,Mars",
    ]
    path = "/api/v1/subscriptions/import?confirmed=true"
    report = site.request("POST", path, content="\n".join(lines).encode(), headers=BEARER).json()
    assert (report["added"], report["unchanged"], [each["line"] for each in report["rejected"]]) == (50, 0, [52, 53])
    out = site.request("GET", "/api/v1/subscriptions/export", headers=BEARER).text
    again = site.request("POST", path, content=out.encode(), headers=BEARER).json()
    assert (again["added"], again["unchanged"], again["rejected"]) == (0, 50, [])
    assert site.request("POST", path, content=b"name\nx", headers=BEARER).status_code == 400


def test_the_openapi_document_is_of_the_api_alone(site: Website) -> None:
    document = site.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert {"/papers/{identifier}", "/search", "/trending", "/lists", "/subscriptions"} <= set(document["paths"])
    assert not any("manage" in path or "admin" in path for path in document["paths"])


def test_the_operators_page(site: Website) -> None:
    site.reader()
    site.container.scheduler.tick(NOON.replace(hour=20))
    page = site.request("GET", "/admin", headers=BASIC).text
    for words in (
        "2026-05-27",
        "1 subscriber",
        "Subscribers: 1 (0 60 days ago)",
        "New subscribers: 1 in 60 days",
        "Hard bounces: 0",
        "<svg",
    ):
        assert words in page
    assert "Sending: 0 accepted, 1 to go" in page
    mail = site.request("GET", "/admin/mail/daily/2026-05-27", headers=BASIC)
    assert mail.headers.get_list("content-security-policy") == [mail.headers["content-security-policy"]]
    assert "sandbox" in mail.headers["content-security-policy"]
    assert "is not all you need" in mail.text
    assert site.request("POST", "/admin/pause", data={"list": "daily", "reason": "holidays"}, headers=BASIC).status_code == 303
    assert "paused: holidays" in site.request("GET", "/admin", headers=BASIC).text
    site.request("POST", "/admin/pause", data={"list": "daily", "action": "resume"}, headers=BASIC)
    assert "paused: holidays" not in site.request("GET", "/admin", headers=BASIC).text
    sent = site.request("POST", "/admin/test", data={"email": "op@example.org"}, headers=BASIC)
    assert "op@example.org: accepted" in sent.text
    assert [to for to, _ in site.letters(1)] == ["op@example.org"]
    assert site.request("POST", "/admin/test", data={"email": "op"}, headers=BASIC).status_code == 400
    stranger = {**BASIC, "sec-fetch-site": "cross-site"}
    assert site.request("POST", "/admin/pause", data={"list": "daily"}, headers=stranger).status_code == 403
