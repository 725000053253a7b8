"""Pages in a reader's language: which one, how it is carried on, and that no sentence is left in English.

The pseudo-language puts each message into ⟦brackets⟧: what is English outside them was never translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import html

from digest.config import Web
from digest.domain.feedback import SuppressionReason
from digest.domain.library_account import orcid_account
from digest.domain.subscriber import Interests, Subscription
from digest.links import Purpose
from digest.services.libraries.sync_accounts import PROBLEMS
from digest.services.subscriptions.subscribe import END_REASONS, end
from digest.translation import LANGUAGES, PSEUDO
from digest.web.app import create_app
from digest.web.language import OFFERED
from tests.servers.running import free_port
from tests.servers.website import BASIC, NOON, Website, serving

DATA = re.compile(
    r"Trending papers|The papers people talk about, once a day"  # the operator's
    r"|1 Test Street, Testville|digest@example\.test|Hugging Face|[\w.…%+-]+@[\w.]+"
    r"|\b[A-Z][a-z]+ Writer\d+|Bo Author|Cleo Third|Dan Fourth|ada writer5|Machine Learning(?: \(cs\.LG\))?"
    r"|https?://\S+|huggingface|name@example\.org|arxiv:[\d.]+|\bcs\.\w+|arXiv|BibTeX|\bP\d+\b"
    r"|\(UTC\)|\bUTC\b|Universal|(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)(?:/\S+)?"
    r"|\bPseudo\b|\bDigest\b|\bfake\b|Alice Q\. Example|ORCID|[\d-]{19}|arxiv\.org|example\.org|GMT[+-]?\d*|xxx+"
    r"|\w+ is not all you need, part|dif+usion|robots|unheardof|nonsense|yesterday|Mars/Crater|a b|\bada\b|cat:|since:|\{zone\}"
    r"|window: |day, week, month|daily, weekly, monthly"
)
"""What pages hold in whatever language: names, addresses, what somebody typed."""
SHOWN = ("aria-label", "placeholder", "data-offer", "title")


def left_in_english(page: str) -> list[str]:
    """Runs of plain letters that a reader sees or hears: in a message of ours each has an accent."""
    tree = html.fromstring(page)
    for each in tree.xpath(
        f"//*[@lang and @lang != '{PSEUDO}'] | //script | //style | //pre | //textarea | //select[@name='topic']"
    ):
        each.text = None
        for part in list(each):
            each.remove(part)
    shown = [*tree.xpath("//body//text()"), *(each.get(name) for name in SHOWN for each in tree.xpath(f"//*[@{name}]"))]
    return re.findall(r"[A-Za-z][A-Za-z’' -]*[A-Za-z]", DATA.sub("", "\n".join(map(str, shown))))


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch, site: Website) -> Website:
    """The site, which offers the pseudo-language too."""
    monkeypatch.setitem(OFFERED, PSEUDO, "Pseudo")
    return site


def speaking(site: Website, address: str, **how: object) -> Subscription:
    """A reader who chose the pseudo-language."""
    reader = site.reader(address, **how)  # type: ignore[arg-type]
    with site.container.adapters.store.begin() as unit:
        unit.subscribers.change(reader.id, replace(reader.preferences, language=PSEUDO))
    found = site.subscription(address)
    assert found
    return found


def visited(site: Website) -> Iterator[tuple[str, str]]:
    """(what was opened or answered, its page) of every page that a reader may see."""
    prefix, store = f"/{PSEUDO}", site.container.adapters.store
    interests = Interests(words=("diffusion",), authors=("ada writer5",), muted_words=("robots",), liked=("arxiv:2605.00001",))
    ada = speaking(site, "ada@example.org", interests=replace(interests, disliked=("arxiv:2605.99999",)))
    gone = speaking(site, "gone@example.org")
    waiting = site.reader("bob@example.org", confirmed=False)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    (issue,) = site.container.editions.past_issues(ada, 2)
    site.container.libraries.save_paper(ada.id, "arxiv:2605.00001", site.now)
    site.container.libraries.connect(ada.id, orcid_account("0000-0002-1825-0097"), "", site.now)
    links = {(each.id, purpose): site.token(purpose, each) for each in (ada, gone, waiting) for purpose in Purpose}
    manage, feedback = f"/manage/{links[ada.id, Purpose.MANAGE]}", links[ada.id, Purpose.FEEDBACK]
    stop = site.container.adapters.links.for_stranger(site.container.adapters.address("x@example.org"), "daily").unsubscribe
    for path in (
        *("/", "/lists/daily", "/lists/daily/2026-05-27", "/lists/daily/2026-W22", "/lists/daily/2026-05", "/papers"),
        *("/papers?q=diffusion", "/papers?q=unheardof", "/papers?q=diffusion&topic=cs.LG&period=year", "/papers?q=-diffusion"),
        *("/papers?q=diffusion%20unheardof", "/papers?q=difusion", "/papers/arxiv:2605.00012", "/privacy"),
        *("/trending", "/trending?window=week", "/trending?window=month", "/subscribe", "/subscribe?interests=diffusion"),
        *("/nope", "/manage/1.forged", "/lists/daily/yesterday", "/lists/daily/2020-01-01", "/lists/daily/2020-W01"),
        *(
            "/trending?window=ever",
            "/papers/nonsense",
            "/papers/arxiv:2605.99999",
            f"/confirm/{links[waiting.id, Purpose.CONFIRM]}",
        ),
        f"/confirm/{links[ada.id, Purpose.CONFIRM]}",
        *(f"{manage}{page}" for page in ("", "/issues", "/saved", "/profile", "/issues/x", "/issues/99999", "/issues?before=1")),
        *(f"{manage}?saved={each}" for each in ("when", "interests", "back", "connected", "disconnected")),
        *(f"{manage}/profile?paper={each}" for each in ("2605.00001", "2605.00002", "2605.00012", "nonsense", "2605.77777")),
        f"{manage}/issues/{issue.delivery_id}",
        *(f"/{verb}/{feedback}/arxiv:2605.00001" for verb in ("more", "less", "save")),
        f"/unsubscribe/{links[ada.id, Purpose.UNSUBSCRIBE]}",
        stop.removeprefix(site.base),
    ):
        yield path, site.get(prefix + path).text
    for path, fields in (
        ("/subscribe", {"email": "nonsense", "hour": "x", "timezone": "Mars/Crater", "frequency": "x", "with-weekdays": "1"}),
        ("/subscribe", {"email": "new@example.org", "interests": "x" * 101}),
        ("/subscribe", {"email": "new@example.org", "interests": "diffusion"}),
        ("/subscribe/preview", {"interests": ""}),
        ("/subscribe/preview", {"interests": "diffusion"}),
        (manage, {"picks": "99", "paused_until": "x", "papers": "nonsense"}),
        (manage, {"interests": "diffusion\n-robots\ncs.LG\nauthor: ada\n“a b” since:2020 -c"}),
        (manage, {"interests": "-diffusion, " * 2 + "x" * 101}),
        (manage, {"papers": "2605.00002, 2605.99998"}),
        (f"{manage}/connect", {}),
        (f"{manage}/connect", {"zotero_library": "x/y", "orcid": "1", "openalex": "1"}),
        (f"{manage}/connect", {"zotero_key": "é", "orcid": "0000-0002-1825-0098"}),
        (f"{manage}/address", {"email": "ada@example.org"}),
        (f"{manage}/address", {"email": "@"}),
        (f"{manage}/address", {"email": "ada@elsewhere.example"}),
        (f"{manage}/erase", {}),
        (f"{manage}/saved", {"save": "arxiv:2605.00002"}),
        (f"{manage}/saved", {"save": "nonsense"}),
        (f"/more/{feedback}/arxiv:2605.00001", {}),
        (f"/less/{feedback}/arxiv:2605.00001", {}),
        (f"/less/{feedback}/arxiv:2605.00001", {"mute_author": "Bo Author"}),
        (f"/less/{feedback}/arxiv:2605.00001", {"mute_words": "robots"}),
        (f"/less/{feedback}/arxiv:2605.00001", {"mute_author": "!"}),
        (f"/save/{feedback}/arxiv:2605.00001", {}),
        (f"/save/{feedback}/arxiv:2605.00001", {"remove": "yes"}),
        (f"/feedback/{feedback}/link", {}),
        (f"/confirm/{links[waiting.id, Purpose.CONFIRM]}", {}),
        (stop.removeprefix(site.base), {}),
    ):
        yield f"{path} {fields}", site.post(prefix + path, fields, origin=site.url).text
    yield "another site", site.post(f"{prefix}/subscribe", {}, origin="https://elsewhere.example").text
    yield "too much", site.post(f"{prefix}/subscribe", {"interests": "x" * 70_000}).text
    yield "put", site.request("PUT", f"{prefix}/subscribe").text
    for reason in END_REASONS:
        end(store, gone.id, reason, NOON)
        yield reason, site.get(f"/manage/{links[gone.id, Purpose.MANAGE]}").text
        with store.begin() as unit:
            unit.subscribers.confirm(gone.id, gone.consent, NOON)  # type: ignore[arg-type]
    account = site.container.libraries.of(ada.id)[0]
    for problem in PROBLEMS:
        with store.begin() as unit:
            unit.library_accounts.save(account.id, problem=re.sub(r"%\(\w+\)s", "ORCID", problem))
        yield problem, site.get(manage).text
    for reason in SuppressionReason:
        with store.begin() as unit:
            unit.suppressions.add(gone.address, reason, NOON)
        yield str(reason), site.get(f"/manage/{links[gone.id, Purpose.MANAGE]}").text
        yield f"{reason} link", site.post(f"/unsubscribe/{links[gone.id, Purpose.UNSUBSCRIBE]}/link").text
    yield "unsubscribed", site.post(f"/unsubscribe/{links[ada.id, Purpose.UNSUBSCRIBE]}", {"why": "often"}).text
    yield "erased", site.post(f"{manage}/erase", {"sure": "yes"}).text
    yield "gone", site.get(prefix + manage).text


def test_no_sentence_is_left_in_english(pseudo: Website) -> None:
    left, pages = {}, 0
    for what, page in visited(pseudo):
        pages += 1
        tree = html.fromstring(page)
        assert tree.xpath("/html/@lang") == [PSEUDO], what
        assert tree.xpath("/html/@dir") == ["rtl"], what
        if found := left_in_english(page):
            left[what] = found
    assert left == {}
    assert pages > 100


def test_every_language_there_is_is_offered() -> None:
    assert tuple(OFFERED) == LANGUAGES


def test_what_operators_and_programs_read_stays_in_english(pseudo: Website) -> None:
    answer = pseudo.request("GET", f"/admin?lang={PSEUDO}", headers=BASIC)
    assert answer.status_code == 200
    assert "⟦" not in answer.text
    for path in ("/lists/daily/feed.atom", "/lists/daily/feed.json"):
        answer = pseudo.get(f"/{PSEUDO}{path}", **{"accept-language": "de"})
        assert "⟦" not in answer.text
        assert answer.text == pseudo.get(path).text
    for path in ("/api/v1/papers?q=diffusion", "/api/v1/papers/x/y"):
        assert pseudo.get(path, **{"accept-language": PSEUDO}).text == pseudo.get(path).text
    for path in ("/admin", "/api/v1/lists", "/metrics", "/healthz", "/readyz"):
        answer = pseudo.request("GET", f"/{PSEUDO}{path}", headers=BASIC)
        assert answer.status_code == 404, "a web server's rule for it has to hold for all ways there"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("DE-ch", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0.5,fr;q=0.7", "fr"),
        ("de;q=0,fr;q=0.1", "fr"),
        ("pt-BR,pt;q=0.9", "en"),
        ("pt,es;q=0.3", "es"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-TW", "en"),
        ("zh-Hant-HK, ja;q=0.2", "ja"),
        ("*", "en"),
        ("*;q=0.5, fr;q=0.1", "fr"),
        ("de;q=x, fr;q=2, es", "es"),
        ("<script>,;;;=,,q=1", "en"),
        ("x" * 10_000, "en"),
        (", ".join(["pt"] * 2_500) + ", de", "en"),
        ("qps-plocm", "en"),
    ],
)
def test_a_page_is_in_the_browsers_language(site: Website, asked: str, language: str) -> None:
    """Traditional Chinese is another script, so it gets what comes next; of a long header only the beginning counts."""
    answer = site.get("/subscribe", **({"accept-language": asked} if asked else {}))
    assert answer.status_code == 200
    assert html.fromstring(answer.text).xpath("/html/@lang") == [language]
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]


def test_a_language_that_is_chosen_is_carried_on_without_a_cookie(site: Website) -> None:
    browser = {"accept-language": "fr"}
    page = site.get("/?lang=de", **browser)
    assert (page.headers["content-language"], page.headers["vary"]) == ("de", "Accept-Encoding")
    tree = html.fromstring(page.text)
    offered = tree.xpath("//p[@class='languages']/a")
    assert [(each.get("lang"), each.text_content()) for each in offered] == list(OFFERED.items())
    inner = [href for href in tree.xpath("//main//a/@href | //nav//a/@href | //form/@action") if href.startswith("/")]
    assert inner
    assert all(href.startswith("/de/") for href in inner)
    for path in ("/de/trending?window=week", "/DE/papers?q=diffusion", "/de", "/de/lists/daily/2026-05-27"):
        answer = site.get(path, **browser)
        assert (answer.status_code, answer.headers["content-language"]) == (200, "de"), path
        assert "set-cookie" not in answer.headers
    there = html.fromstring(site.get("/de/trending?window=week").text).xpath("//p[@class='languages']/a/@href")
    assert there[3] == "?window=week&lang=es"
    assert site.get(f"/de/trending{there[3]}").headers["content-language"] == "es"
    assert site.get("/?lang=tlh", **browser).headers["content-language"] == "fr"
    assert site.get("/tlh/trending").status_code == 404
    assert site.request("GET", "/de/trending/").headers["location"] == "/de/trending"


def test_kept_pages_are_kept_by_language(site: Website) -> None:
    """Whoever asks first does not choose for those who come next."""
    tags, web = set(), Web(port=free_port())
    kept = replace(site, url=f"http://127.0.0.1:{web.port}")
    with serving(create_app(site.container, lambda: site.now, keep_seconds=60), web):
        for path, language in (("/", "de"), ("/", "fr"), ("/", ""), ("/?lang=de", ""), ("/de", "fr")):
            answer = kept.get(path, **({"accept-language": language} if language else {}))
            expected = "de" if "de" in path else language or "en"
            assert (answer.headers["content-language"], html.fromstring(answer.text).get("lang")) == (expected, expected)
            tags.add(answer.headers["etag"].removeprefix("W/"))
            again = kept.get(path, **{"accept-language": language or "en", "if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.headers["content-language"]) == (304, expected)
    assert len(tags) == 4  # the last two are one page


def test_a_readers_own_choice_wins(site: Website) -> None:
    reader = site.reader()
    manage = f"/manage/{site.token(Purpose.MANAGE, reader)}"
    assert site.get(f"{manage}?lang=ja", **{"accept-language": "fr"}).headers["content-language"] == "ja"
    choice = html.fromstring(site.get(manage).text).xpath("//select[@id='language']/option")
    assert [(each.get("value"), each.text_content()) for each in choice[1:]] == list(OFFERED.items())
    assert site.post(manage, {"language": "de", "hour": "08:15"}, **{"accept-language": "fr"}).status_code == 303
    page = site.get(f"{manage}?lang=ja", **{"accept-language": "fr"})
    assert page.headers["content-language"] == "de"
    assert "vary" not in page.headers
    assert not html.fromstring(page.text).xpath("//p[@class='languages']")
    for path in (
        f"/unsubscribe/{site.token(Purpose.UNSUBSCRIBE, reader)}",
        f"/less/{site.token(Purpose.FEEDBACK, reader)}/2605.00001",
    ):
        assert site.get(path, **{"accept-language": "fr"}).headers["content-language"] == "de", path
    site.post(manage, {"language": "tlh"})
    assert stored(site) == "de"
    site.post(manage, {"language": ""})
    assert stored(site) is None
    assert site.get(manage, **{"accept-language": "fr"}).headers["content-language"] == "fr"


@pytest.mark.parametrize(
    ("path", "asked", "language"),
    [("/subscribe", "de", "de"), ("/fr/subscribe", "de", "fr"), ("/subscribe", "", None), ("/subscribe?lang=ja", "", "ja")],
)
def test_the_confirmation_comes_in_the_language_of_the_page(site: Website, path: str, asked: str, language: str | None) -> None:
    how = {"accept-language": asked} if asked else {}
    page = site.get(path, **how)
    action = html.fromstring(page.text).xpath("//main//form/@action")[0]
    answer = site.post(action, {"email": "ada@example.org"}, **how)
    assert answer.status_code == 200
    site.letters(1)
    found = site.subscription()
    assert found
    assert found.preferences.language == language
    assert site.get(site.link(Purpose.CONFIRM), **{"accept-language": "es"}).headers["content-language"] == (language or "es")


def stored(site: Website) -> str | None:
    found = site.subscription()
    assert found
    return found.preferences.language


def test_what_readers_agree_to_is_in_english_until_the_operator_approves_it(pseudo: Website) -> None:
    wording = "preferences only to send you Trending papers"
    for path in (f"/{PSEUDO}/subscribe", f"/{PSEUDO}/"):
        (line,) = html.fromstring(pseudo.get(path).text).xpath("//p[@lang='en'][@dir='ltr'][contains(@class, 'fine')]")
        assert wording in " ".join(line.text_content().split())
        assert "⟦" in line.xpath("string(span)")  # it says so in the page's language
    privacy = html.fromstring(pseudo.get(f"/{PSEUDO}/privacy").text)
    assert "no redirect behind the links" in privacy.xpath("string(//div[@lang='en'])")
    assert "⟦" in privacy.xpath("string(//main/p)")
    pseudo.container.settings.web.__dict__["translations_approved"] = (PSEUDO,)
    assert not html.fromstring(pseudo.get(f"/{PSEUDO}/privacy").text).xpath("//main//*[@lang='en']")
    assert not html.fromstring(pseudo.get(f"/{PSEUDO}/privacy").text).xpath("//main/p")
    assert wording not in pseudo.get(f"/{PSEUDO}/subscribe").text
