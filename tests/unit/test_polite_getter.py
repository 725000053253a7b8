"""The polite getter against a real server on loopback that misbehaves. Time is a fake: waits are recorded, not waited."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from digest.domain.errors import SourceRefused, SourceThrottled, SourceUnreachable, UnreadableAnswer
from digest.sources import ssrf_guard
from digest.sources.http import HttpPolicy, PoliteGetter
from digest.sources.port import ARXIV_PACE, Pace
from digest.sources.throttle import pace_of
from tests.servers.running import PATIENCE
from tests.servers.scripted_http import Act, ScriptedServer, drip, hang_up, reply, silent, zipped
from tests.tables import every_row

FINE = reply(body=b"papers", Content_Type="text/plain")


class Time:
    """Goes forward only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@contextmanager
def getting(*acts: Act, **http_policy: object) -> Iterator[tuple[PoliteGetter, ScriptedServer, Time]]:
    settings = HttpPolicy(**{"contact": "op@example.org", "timeout": 5.0, "deadline": 10.0, **http_policy})  # type: ignore[arg-type]
    time = Time()
    getter = PoliteGetter(settings, version="1.2", sleep=time.sleep, clock=time.clock, jitter=lambda: 0.0)
    with ScriptedServer(list(acts)) as server:
        try:
            yield getter, server, time
        finally:
            getter.close()


SLOWLY = Pace("test", 0.0)
"""No pause of its own, so that the waits recorded are the retries'."""


def test_a_good_answer_comes_with_what_a_conditional_request_needs() -> None:
    act = reply(body=b"papers", ETag='"v1"', Last_Modified="Mon, 02 Mar 2026 10:00:00 GMT", Content_Type="text/plain")
    with getting(act, reply("304 Not Modified")) as (getter, server, _):
        first = getter.get("feed", server.url + "/rss", params={"q": "a b"})
        again = getter.get("feed", server.url + "/rss", validators=first.validators)
    assert first.data == b"papers"
    assert (again.data, again.not_modified) == (b"", True)
    assert server.asked[0].target == "/rss?q=a+b"
    assert server.asked[0].headers["user-agent"] == "digest/1.2 (+mailto:op@example.org)"
    assert server.asked[1].headers["if-none-match"] == '"v1"'
    assert server.asked[1].headers["if-modified-since"] == "Mon, 02 Mar 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        pytest.param(reply("503 Service Unavailable"), [0.5], id="503"),
        pytest.param(reply("500 Oops", b"<html>"), [0.5], id="500"),
        pytest.param(reply("429 Too Many Requests", Retry_After="7"), [7.0], id="429 in seconds"),
        pytest.param(
            reply("429 Too Many", Retry_After="Mon, 02 Mar 2026 12:00:20 GMT", Date="Mon, 02 Mar 2026 12:00:00 GMT"),
            [20.0],
            id="429 with a date",
        ),
        pytest.param(reply("429 Too Many", Retry_After="Mon, 02 Mar 2026 12:00:20 GMT"), [0.5], id="a date held against none"),
        pytest.param(reply("503 Busy", Retry_After="9"), [9.0], id="503 that says when"),
        pytest.param(reply("429 Too Many", Retry_After="soon"), [0.5], id="429 that makes no sense"),
        pytest.param(hang_up, [0.5], id="hangs up"),
        pytest.param(reply(body=b"half", length=400), [0.5], id="cut short"),
        pytest.param(reply(body=b""), [0.5], id="200 with nothing"),
        pytest.param(reply(body=b"not gzip", Content_Encoding="gzip"), [0.5], id="not what its encoding says"),
    ],
)
def test_a_passing_fault_is_tried_again_after_the_right_wait(fault: Act, waits: list[float]) -> None:
    with getting(fault, FINE) as (getter, server, time):
        assert getter.get("feed", server.url, pace=SLOWLY).data == b"papers"
        assert len(server.asked) == 2
    assert time.slept == waits


def test_backoff_doubles_and_ends() -> None:
    with getting(reply("502 Bad Gateway"), retries=3) as (getter, server, time):
        with pytest.raises(SourceUnreachable, match=r"^source feed: http://127.0.0.1:\d+: HTTP 502$"):
            getter.get("feed", server.url, pace=SLOWLY)
        assert len(server.asked) == 4
    assert time.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("act", "error", "tries"),
    [
        pytest.param(reply("404 Not Found"), SourceRefused, 1, id="404"),
        pytest.param(reply("400 Bad Request", b"<feed/>"), SourceRefused, 1, id="400 dressed as a feed"),
        pytest.param(reply("302 Found", Location="/again"), SourceRefused, 6, id="redirects in a circle"),
        pytest.param(reply("302 Found", Location="file:///etc/passwd"), SourceRefused, 1, id="redirect to a file"),
        pytest.param(reply("302 Found", Location="http://[bad"), SourceRefused, 1, id="redirect to nonsense"),
        pytest.param(reply(body=b""), UnreadableAnswer, 2, id="always empty"),
        pytest.param(reply(body=b"half", length=400), UnreadableAnswer, 2, id="always cut short"),
        pytest.param(reply(body=b"x" * 5000), UnreadableAnswer, 1, id="too large"),
        pytest.param(zipped(b"x" * 5_000_000), UnreadableAnswer, 1, id="too large once unpacked"),
        pytest.param(silent, SourceUnreachable, 2, id="silent"),
        pytest.param(reply("429 Too Many Requests"), SourceThrottled, 2, id="429 for ever"),
        pytest.param(reply("429 Too Many Requests", Retry_After="3600"), SourceThrottled, 1, id="429 for an hour"),
    ],
)
def test_a_lasting_fault_is_named_in_one_line(act: Act, error: type[Exception], tries: int) -> None:
    with getting(act, retries=1, most_bytes=4000, timeout=0.2 if act is silent else PATIENCE) as (getter, server, time):
        with pytest.raises(error) as caught:
            getter.get("feed", server.url + "/x?api_key=secret", pace=SLOWLY)
        assert len(server.asked) == tries
    assert caught.type is error
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert sum(time.slept) < 10


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="in the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="in the header"),
    ],
)
def test_a_slow_drip_meets_the_deadline(head: bytes) -> None:
    with getting(drip(head, b"x", every=0.05), deadline=1) as (getter, server, _):
        with pytest.raises(SourceUnreachable, match=r"not complete after 1 s"):
            getter.get("feed", server.url, pace=SLOWLY)
        assert len(server.asked) == 1, "a drip is not worth another try"


def test_nobody_listens() -> None:
    with getting(FINE, retries=1) as (getter, server, _):
        port = server.port
    with getting(FINE, retries=1) as (getter, _, time), pytest.raises(SourceUnreachable, match="ConnectError"):
        getter.get("feed", f"http://127.0.0.1:{port}/", pace=SLOWLY)
    assert len(time.slept) == 1


def test_arxiv_is_asked_once_in_three_seconds_whatever_the_host() -> None:
    with getting(FINE) as (getter, server, time):
        for path in ("/api/query", "/rss/cs.AI", "/oai"):
            getter.get("arxiv", server.url + path, pace=ARXIV_PACE)
    assert time.slept == [3.0, 3.0]
    assert {pace_of(h).group for h in ("export.arxiv.org", "rss.arxiv.org", "oaipmh.arxiv.org", "arxiv.org")} == {"arxiv"}
    assert pace_of("notarxiv.org").group == "notarxiv.org"


def test_a_retry_and_a_redirect_keep_the_pace_too() -> None:
    with getting(reply("500 Oops"), reply("302 Found", Location="/b"), FINE) as (getter, server, time):
        getter.get("arxiv", server.url, pace=ARXIV_PACE)
    assert time.now - 1000.0 == pytest.approx(6.0)


def test_after_a_long_retry_after_nobody_asks_again_before_its_time() -> None:
    with getting(reply("429 Too Many Requests", Retry_After="600"), FINE) as (getter, server, time):
        for _ in range(3):
            with pytest.raises(SourceThrottled) as caught:
                getter.get("a", server.url)
        assert caught.value.retry_after == timedelta(seconds=600)
        assert len(server.asked) == 1
        time.now += 601
        assert getter.get("a", server.url).data == b"papers"


def test_the_circuit_opens_after_five_failures_and_lets_one_try_through_later() -> None:
    with getting(*[reply("500 Oops")] * 5, FINE, retries=0) as (getter, server, time):
        for _ in range(5):
            with pytest.raises(SourceUnreachable):
                getter.get("a", server.url)
        with pytest.raises(SourceThrottled, match="left in peace for another 300 s"):
            getter.get("a", server.url)
        assert len(server.asked) == 5
        time.now += 301
        assert getter.get("a", server.url).data == b"papers"


def test_a_key_meant_for_one_host_is_not_told_to_another() -> None:
    with getting(FINE) as (getter, other, _):
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with ScriptedServer([reply("307 Temporary Redirect", Location=elsewhere + "/there")]) as server:
            getter.get("a", server.url, headers={"x-api-key": "secret"})
    assert server.asked[0].headers["x-api-key"] == "secret"
    assert "x-api-key" not in other.asked[0].headers


@every_row(
    "address",
    ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[64:ff9b::7f00:1]"],
)
def test_private_addresses_are_refused_where_only_public_ones_are_wanted(address: str) -> None:
    with getting(FINE) as (getter, server, _):
        with pytest.raises(SourceRefused, match="not a public address"):
            getter.get("feed", f"http://{address}:{server.port}/", public_only=True)
        assert not server.asked


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses as a test wants them; 127.0.0.1 stands for a public one, so that a server can be there."""
    known = {"public.example": ["127.0.0.1"], "inside.example": ["10.0.0.7"], "both.example": ["127.0.0.1", "10.0.0.7"]}
    looked_up, is_public = socket.getaddrinfo, ssrf_guard._is_public

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        given = known.get(host)
        if given is None:
            return looked_up(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in given]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(ssrf_guard, "_is_public", lambda address: address == "127.0.0.1" or is_public(address))
    return known


@pytest.mark.parametrize("public_only", [True, False], ids=["added by URL", "configured"])
@pytest.mark.parametrize(
    "inside",
    ["10.1.2.3", "127.0.0.2", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "inside.example", "both.example"],
)
def test_a_public_server_cannot_send_us_into_the_operators_network(
    names: dict[str, list[str]], inside: str, public_only: bool
) -> None:
    with getting(reply("302 Found", Location=f"http://{inside}:1/latest/meta-data"), FINE) as (getter, server, _):
        with pytest.raises(SourceRefused, match=r"leads to \S+, which is not a public address"):
            getter.get("feed", f"http://public.example:{server.port}/feed", public_only=public_only)
        assert len(server.asked) == 1


def test_a_public_redirect_is_followed_to_the_address_that_was_checked(names: dict[str, list[str]]) -> None:
    with getting(FINE) as (getter, there, _):
        names["there.example"] = ["127.0.0.1"]
        with ScriptedServer([reply("301 Moved", Location=f"http://there.example:{there.port}/feed")]) as server:
            assert getter.get("feed", f"http://public.example:{server.port}/").data == b"papers"
        assert there.asked[0].headers["host"] == f"there.example:{there.port}"


def test_within_the_operators_own_network_redirects_are_followed() -> None:
    with getting(FINE) as (getter, there, _):
        elsewhere = there.url.replace("127.0.0.1", "localhost")
        with ScriptedServer([reply("301 Moved", Location=elsewhere)]) as server:
            assert getter.get("feed", server.url).data == b"papers"


@pytest.mark.parametrize("kind", ["text/html", "image/png", "application/json; charset=utf-16", "", "nonsense"])
def test_a_wrong_content_type_decides_nothing(kind: str) -> None:
    with getting(reply(body=b"papers", Content_Type=kind)) as (getter, server, _):
        answer = getter.get("feed", server.url)
    assert answer.data == b"papers"


def test_fifty_megabytes_are_the_most_that_is_taken() -> None:
    """The limit is reached while reading: what a server has besides is never asked for."""
    with getting(zipped(bytes(50_000_001))) as (getter, server, _):
        with pytest.raises(UnreadableAnswer, match="more than 50,000,000 bytes"):
            getter.get("feed", server.url)
        assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "not an address", "http://a b/", "http://h:99999999/"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with getting(FINE) as (getter, _, _), pytest.raises(SourceRefused):
        getter.get("feed", url)


def test_post_sends_json() -> None:
    with getting(reply("500 Oops"), FINE) as (getter, server, _):
        assert getter.post("s2", server.url, json={"ids": ["ARXIV:1"]}, params={"fields": "tldr"}).data == b"papers"
    assert [(a.method, a.target, a.body) for a in server.asked] == [("POST", "/?fields=tldr", b'{"ids":["ARXIV:1"]}')] * 2


def test_gzip_is_unpacked() -> None:
    with getting(zipped(b"papers")) as (getter, server, _):
        assert getter.get("a", server.url).data == b"papers"
    assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("asked", [reply(body=b"papers", Backoff="12"), reply("304 Not Modified", Backoff="12")])
def test_backoff_beside_a_good_answer_holds_whoever_comes_next(asked: Act) -> None:
    with getting(asked, FINE) as (getter, server, time):
        getter.get("zotero", server.url, pace=SLOWLY)
        assert time.slept == []
        getter.get("another", server.url, pace=SLOWLY)
        assert sum(time.slept) == pytest.approx(12.0)


def test_a_long_backoff_closes_the_group_and_a_refusal_has_its_status() -> None:
    with getting(reply(body=b"papers", Backoff="600"), reply("403 Forbidden")) as (getter, server, time):
        getter.get("zotero", server.url, pace=SLOWLY)
        with pytest.raises(SourceThrottled) as throttled:
            getter.get("zotero", server.url, pace=SLOWLY)
        assert throttled.value.retry_after == timedelta(seconds=600)
        time.now += 601
        with pytest.raises(SourceRefused) as refused:
            getter.get("zotero", server.url, pace=SLOWLY)
        assert refused.value.status == 403
