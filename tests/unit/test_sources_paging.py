"""The paging loops, against a getter that answers from a list: what is asked for, what is kept, where a crash goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.domain.errors import ConfigurationError, SourceError, SourceRefused, SourceUnreachable, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.sources.port import ARXIV_PACE, Answer, Batch, Pace, Source
from digest.sources.registry import KINDS, make_source
from tests.tables import every_row

AT = datetime(2026, 11, 5, 6, 0, tzinfo=UTC)


class Listed:
    """Answers in order; an exception in the list is raised. Keeps what was asked."""

    def __init__(self, *answers: str | bytes | Exception | Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: list[Mapping[str, str]] = []
        self.posted: list[Any] = []
        self.paces: list[Pace | None] = []
        self.validators: list[Mapping[str, str] | None] = []

    def _answer(self, url: str, params: Mapping[str, str] | None) -> Answer:
        self.asked.append((url, dict(params or {})))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Answer):
            return answer
        return Answer(url, answer.encode() if isinstance(answer, str) else answer)

    def get(
        self,
        source: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        timeout: float | None = None,
        public_only: bool = False,
    ) -> Answer:
        self.headers.append(headers or {})
        self.paces.append(pace)
        self.validators.append(validators)
        return self._answer(url, params)

    def post(
        self,
        source: str,
        url: str,
        *,
        json: Any,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> Answer:
        self.posted.append(json)
        self.headers.append(headers or {})
        return self._answer(url, params)


def until_it_fails(kind: str, getter: Listed) -> tuple[list[Mapping[str, Any]], SourceError]:
    """The states kept before the error, as a store gives them back, and the error."""
    kept: list[Mapping[str, Any]] = []
    try:
        for batch in make_source(kind, "mine", None, {}).collect(getter, {}, AT):
            kept += [json.loads(json.dumps(batch.state))]
    except SourceError as error:
        return kept, error
    raise AssertionError("nothing failed")


def ids(batches: list[Batch]) -> list[str]:
    return [str(s.identifiers[0]) for batch in batches for s in batch.sightings]


def collected(kind: str, getter: Listed, state: Mapping[str, Any] | None = None, **options: Any) -> list[Batch]:
    return list(make_source(kind, "mine", None, options).collect(getter, state or {}, AT))


def oai(*keys: str, token: str = "", error: str = "") -> str:
    records = "".join(
        f"<record><header><identifier>oai:arXiv.org:{key}</identifier></header><metadata><arXiv><id>{key}</id>"
        f"<title>T {key}</title><created>2026-11-0{n % 4 + 1}</created></arXiv></metadata></record>"
        for n, key in enumerate(keys)
    )
    if error:
        return f'<OAI-PMH><error code="{error}">because</error></OAI-PMH>'
    return f"<OAI-PMH><ListRecords>{records}<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"


class TestOaiPmh:
    def test_follows_tokens_and_remembers_the_day_it_began(self) -> None:
        getter = Listed(oai("2611.00001", token="t1"), oai("2611.00002", token="t2"), oai("2611.00003"))
        batches = collected("arxiv-oai", getter, set="cs")
        assert ids(batches) == ["arxiv:2611.00001", "arxiv:2611.00002", "arxiv:2611.00003"]
        assert getter.asked[0] == (
            "https://oaipmh.arxiv.org/oai",
            {"verb": "ListRecords", "metadataPrefix": "arXiv", "set": "cs", "from": "2026-11-02"},
        )
        assert [params for _, params in getter.asked[1:]] == [
            {"verb": "ListRecords", "resumptionToken": "t1"},
            {"verb": "ListRecords", "resumptionToken": "t2"},
        ]
        assert batches[-1].state == {"from": "2026-11-05"}
        assert set(getter.paces) == {ARXIV_PACE}

    def test_a_crash_goes_on_from_the_token_kept(self) -> None:
        first = Listed(oai("2611.00001", token="t1"), SourceUnreachable("mine", "gone"))
        kept, _ = until_it_fails("arxiv-oai", first)
        again = Listed(oai("2611.00002"))
        batches = collected("arxiv-oai", again, kept[-1])
        assert again.asked[0][1] == {"verb": "ListRecords", "resumptionToken": "t1"}
        assert ids(batches) == ["arxiv:2611.00002"]
        assert batches[-1].state == {"from": "2026-11-05"}

    def test_a_token_that_died_starts_the_harvest_again_at_its_first_day(self) -> None:
        getter = Listed(oai(error="badResumptionToken"), oai("2611.00001"))
        batches = collected("arxiv-oai", getter, {"from": "2026-10-30", "began": "2026-11-04", "token": "old"})
        assert getter.asked[1][1]["from"] == "2026-10-30"
        assert batches[-1].state == {"from": "2026-11-04"}

    def test_tokens_refused_at_once_do_not_loop(self) -> None:
        bad = oai(error="badResumptionToken")
        with pytest.raises(UnreadableAnswer, match="refuses the resumption token"):
            collected("arxiv-oai", Listed(oai("2611.00001", token="a"), bad, oai("2611.00001", token="b"), bad))
        with pytest.raises(UnreadableAnswer, match="with itself"):
            collected("arxiv-oai", Listed(oai("2611.00001", token="a"), oai("2611.00002", token="a")))

    def test_nothing_new_is_an_answer_and_a_deleted_record_is_gone(self) -> None:
        assert collected("arxiv-oai", Listed(oai(error="noRecordsMatch")))[0].state == {"from": "2026-11-05"}
        deleted = (
            '<OAI-PMH><ListRecords><record><header status="deleted"><identifier>oai:arXiv.org:2611.00009</identifier></header>'
        )
        batch = collected("arxiv-oai", Listed(deleted + "</record></ListRecords></OAI-PMH>"))[0]
        assert (batch.gone, batch.rejected) == ((Identifier("arxiv", "2611.00009"),), ())


def rss(*items: tuple[str, str], title: str = "cs.AI updates on arXiv.org") -> str:
    told = "".join(
        f"<item><title>T {key}</title><link>https://arxiv.org/abs/{key}</link><guid>oai:arXiv.org:{key}v2</guid>"
        f"<description>arXiv:{key}v2 Announce Type: {kind} \nAbstract: Words of {key}.</description>"
        f"<pubDate>Thu, 05 Nov 2026 00:00:00 -0500</pubDate><a:announce_type>{kind}</a:announce_type>"
        f"<d:creator>Ann Lee (MIT, USA), Bo Li, J. Doe, Jr.</d:creator></item>"
        for key, kind in items
    )
    head = '<rss xmlns:a="http://arxiv.org/schemas/atom" xmlns:d="http://purl.org/dc/elements/1.1/"><channel>'
    return f"{head}<title>{title}</title><description>of cs.XX</description>{told}</channel></rss>"


class TestAnnouncements:
    def test_today_in_one_request_without_replacements(self) -> None:
        getter = Listed(
            Answer(
                "",
                rss(("2611.00001", "new"), ("2611.00002", "cross"), ("2509.00003", "replace")).encode(),
                validators={"etag": "1"},
            )
        )
        batches = collected("arxiv-rss", getter, {"validators": {"etag": "0"}}, categories=["cs.AI", "cs.CL"])
        assert getter.asked == [("https://rss.arxiv.org/rss/cs.AI+cs.CL", {})]
        assert getter.validators == [{"etag": "0"}]
        assert ids(batches) == ["arxiv:2611.00001", "arxiv:2611.00002"]
        assert batches[0].state == {"validators": {"etag": "1"}}
        first = batches[0].sightings[0]
        assert first.authors == ("Ann Lee", "Bo Li", "J. Doe Jr.")
        assert first.abstract == "Words of 2611.00001."
        assert first.listed_at == datetime(2026, 11, 5, 5, tzinfo=UTC)
        assert first.version == 2

    def test_replacements_are_updates_not_news(self) -> None:
        batches = collected("arxiv-rss", Listed(rss(("2509.00003", "replace-cross"))), replacements=1)
        replaced = batches[0].sightings[0]
        assert (replaced.listed_at, replaced.updated_at) == (None, datetime(2026, 11, 5, 5, tzinfo=UTC))

    def test_not_modified_brings_nothing(self) -> None:
        assert collected("arxiv-rss", Listed(Answer("", b"", not_modified=True))) == []

    def test_a_day_without_papers_is_no_error_an_unknown_category_is(self) -> None:
        assert ids(collected("arxiv-rss", Listed(rss()))) == []
        with pytest.raises(UnreadableAnswer, match="Feed error for query"):
            collected("arxiv-rss", Listed(rss(title='Feed error for query "cs.XX"')))


def atom(*entries: tuple[str, str], error: str = "") -> str:
    told = "".join(
        f"<entry><id>http://arxiv.org/abs/{key}v1</id><title>T</title><published>{day}T00:00:00Z</published></entry>"
        for key, day in entries
    )
    if error:
        told += f"<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>{error}</summary></entry>"
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>q</title>{told}</feed>'


class TestArxivApi:
    def test_pages_back_to_what_is_known_past_one_empty_page(self) -> None:
        getter = Listed(atom(("2611.00005", "2026-11-05")), atom(), atom(("2611.00001", "2026-11-01")))
        batches = collected("arxiv-api", getter, query="cat:cs.CL", page=50)
        assert ids(batches) == ["arxiv:2611.00005", "arxiv:2611.00001"]
        assert [params["start"] for _, params in getter.asked] == ["0", "50", "100"]
        assert batches[-1].state == {"since": "2026-11-05T06:00:00Z"}
        assert batches[0].state == {"since": "2026-11-02T06:00:00Z", "began": "2026-11-05T06:00:00Z", "start": 50}

    def test_no_empty_page_in_the_middle_is_the_end(self) -> None:
        count = '<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">200</opensearch:totalResults>'
        empty, *full = (
            page.replace("<title>q", f"{count}<title>q")
            for page in (atom(), *(atom((f"2611.0000{n}", "2026-11-05")) for n in range(3)))
        )
        getter = Listed(full[0], empty, empty, empty, full[1], full[2])
        batches = collected("arxiv-api", getter, query="cat:cs.CL", page=50)
        assert ids(batches) == ["arxiv:2611.00000", "arxiv:2611.00001", "arxiv:2611.00002"]
        assert [params["start"] for _, params in getter.asked] == ["0", "50", "50", "100", "100", "150"], "and 200 is the end"
        assert "start" not in batches[-1].state
        nothing = Listed(*[empty] * 20)
        assert ids(collected("arxiv-api", nothing, query="cat:cs.CL", page=50)) == []
        assert len(nothing.asked) == 6, "a source that has only empty pages is left"

    def test_by_id_names_what_arxiv_did_not_answer_for(self) -> None:
        api: Any = make_source("arxiv-api", "mine", None, {})
        asked = [Identifier("arxiv", "2611.00001"), Identifier("doi", "10.1/1"), Identifier("arxiv", "2611.00002")]
        getter = Listed(atom(("2611.00001", "2026-11-01")))
        batches = list(api.look_up(getter, asked, AT))
        assert getter.asked[0][1]["id_list"] == "2611.00001,2611.00002"
        assert [r.where for r in batches[0].rejected] == ["arxiv:2611.00002"]

    def test_the_primary_category_comes_first_wherever_it_stands(self) -> None:
        terms = '<category term="cs.AI"/><category term="cs.CL"/><primary_category term="cs.CL"/>'
        told = atom(("2611.00001", "2026-11-01")).replace("</entry>", f"{terms}</entry>")
        assert collected("arxiv-api", Listed(told), query="x")[0].sightings[0].categories == ("cs.CL", "cs.AI")

    def test_an_error_among_entries_is_told_and_the_rest_kept(self) -> None:
        batches = collected("arxiv-api", Listed(atom(("2611.00001", "2026-11-01"), error="bad id")), query="x")
        assert ids(batches) == ["arxiv:2611.00001"]
        assert batches[0].rejected[0].reason == "arXiv: bad id"


def preprints(count: int, total: int | str, start: int = 0) -> str:
    rows = [
        {
            "doi": f"10.64898/2026.11.0{n}",
            "title": f"T{n}",
            "version": "1" if n % 2 else 1,
            "date": "2026-11-4",
            "server": "medRxiv",
        }
        for n in range(start, start + count)
    ]
    return json.dumps({"messages": [{"status": "ok", "total": total}], "collection": rows})


class TestBioRxiv:
    def test_the_cursor_follows_the_rows_that_came(self) -> None:
        getter = Listed(preprints(30, "65"), preprints(25, 65, 30), preprints(10, 65, 55))
        batches = collected("biorxiv", getter, server="medrxiv")
        assert [url.removeprefix("https://api.biorxiv.org/details/medrxiv/") for url, _ in getter.asked] == [
            f"2026-11-02/2026-11-05/{cursor}/json" for cursor in (0, 30, 55)
        ]
        assert len(ids(batches)) == 65
        assert batches[0].state == {"from": "2026-11-02", "to": "2026-11-05", "cursor": 30}
        assert batches[-1].state == {"from": "2026-11-04"}
        assert batches[0].sightings[0].published_at == datetime(2026, 11, 4, tzinfo=UTC)
        assert batches[0].sightings[0].url == "https://www.medrxiv.org/content/10.64898/2026.11.00v1"

    def test_an_empty_body_is_refused_so_that_the_cursor_stays(self) -> None:
        kept, error = until_it_fails("biorxiv", Listed(preprints(30, 65), b""))
        assert "empty body" in str(error)
        assert [state["cursor"] for state in kept] == [30]

    def test_no_posts_found_is_an_answer(self) -> None:
        none = json.dumps({"messages": [{"status": "no posts found"}], "collection": []})
        assert collected("biorxiv", Listed(none))[0].sightings == ()
        with pytest.raises(UnreadableAnswer, match="Error: bad interval"):
            collected("biorxiv", Listed(json.dumps({"messages": [{"status": "Error: bad interval"}], "collection": []})))


class TestSemanticScholar:
    def test_a_batch_of_known_papers(self) -> None:
        scholar: Any = make_source("semantic-scholar", "s2", None, {"api_key": "secret"})
        row = {
            "paperId": "abc",
            "title": "T",
            "externalIds": {"ArXiv": "2611.00001"},
            "citationCount": 3,
            "tldr": {"text": "Short."},
        }
        getter = Listed(json.dumps([row, None, None]))
        asked = [
            Identifier("arxiv", "2611.00001"),
            Identifier("doi", "10.1/2"),
            Identifier("seed", "x"),
            Identifier("arxiv", "2611.00003"),
        ]
        (batch,) = scholar.look_up(getter, asked, AT)
        assert getter.posted == [{"ids": ["ARXIV:2611.00001", "DOI:10.1/2", "ARXIV:2611.00003"]}]
        assert getter.headers == [{"x-api-key": "secret"}]
        assert "secret" not in repr(scholar)
        assert [s.value for s in batch.sightings[0].signals] == [3]
        assert batch.sightings[0].identifiers[0] == Identifier("arxiv", "2611.00001")
        assert [r.reason for r in batch.rejected] == ["2 of 3 papers are not known to Semantic Scholar yet"]

    def test_a_search_follows_its_token(self) -> None:
        page: Callable[..., str] = lambda key, **more: json.dumps({"data": [{"paperId": key, "title": "T"}], **more})  # noqa: E731 - a table row
        getter = Listed(page("a", token="next"), page("b", token=None))
        batches = collected("semantic-scholar", getter, query="agents")
        assert ids(batches) == ["semanticscholar:a", "semanticscholar:b"]
        assert getter.asked[1][1]["token"] == "next"
        assert batches[-1].state == {"since": "2026-11-05"}


class TestOpenAlexAndCrossref:
    def test_openalex_follows_its_cursor(self) -> None:
        page: Callable[..., str] = lambda key, after: json.dumps(  # noqa: E731 - a table row
            {"meta": {"next_cursor": after}, "results": [{"id": f"https://openalex.org/{key}", "title": "T"}]}
        )
        getter = Listed(page("W1", "c1"), page("W2", None))
        batches = collected("openalex", getter, filter="primary_topic.field.id:17")
        assert ids(batches) == ["openalex:W1", "openalex:W2"]
        assert [params["cursor"] for _, params in getter.asked] == ["*", "c1"]
        assert getter.asked[0][1]["filter"] == "primary_topic.field.id:17,from_publication_date:2026-10-29"

    def test_an_arxiv_copy_among_the_places_of_a_work_names_it(self) -> None:
        work = {
            "id": "https://openalex.org/W1",
            "title": "T",
            "doi": "https://doi.org/10.1000/X",
            "locations": [{"landing_page_url": "http://arxiv.org/abs/2611.00001"}, {"landing_page_url": "https://a.org/b"}],
        }
        batch = collected("openalex", Listed(json.dumps({"results": [work]})), search="x")[0]
        assert [str(i) for i in batch.sightings[0].identifiers] == ["arxiv:2611.00001", "doi:10.1000/x", "openalex:W1"]

    def test_crossref_by_doi_and_one_that_is_not_there(self) -> None:
        found = json.dumps({"status": "ok", "message": {"DOI": "10.1000/X/1", "title": ["T"]}})
        getter = Listed(found, SourceRefused("mine", "404"))
        source: Any = make_source("crossref", "mine", None, {})
        batches = list(source.look_up(getter, [Identifier("doi", "10.1000/x/1"), Identifier("doi", "10.1000/none")], AT))
        assert getter.asked[0][0] == "https://api.crossref.org/works/10.1000%2Fx%2F1"
        assert ids(batches) == ["doi:10.1000/x/1"]
        assert [(r.where, r.reason) for r in batches[1].rejected] == [("doi:10.1000/none", "404")]

    def test_the_date_of_a_work_is_its_earliest_full_one(self) -> None:
        dates = {"issued": [2018], "published-print": [2018, 5, 1], "published-online": [2018, 3, 20], "posted": [2099, 1, 1]}
        work = {"DOI": "10.1000/1", "title": ["T"], "is-referenced-by-count": -1} | {
            k: {"date-parts": [d]} for k, d in dates.items()
        }
        batch = collected("crossref", Listed(json.dumps({"message": {"items": [work]}})), query="x")[0]
        assert batch.sightings[0].published_at == datetime(2018, 3, 20, tzinfo=UTC)
        assert batch.sightings[0].signals == ()

    def test_crossref_pages_until_one_is_empty(self) -> None:
        page: Callable[[list[str]], str] = lambda dois: json.dumps(  # noqa: E731 - a table row
            {"status": "ok", "message": {"next-cursor": "same", "items": [{"DOI": doi, "title": ["T"]} for doi in dois]}}
        )
        batches = collected("crossref", Listed(page(["10.1000/1"]), page(["10.1000/2"]), page([])), filter="prefix:10.1000")
        assert ids(batches) == ["doi:10.1000/1", "doi:10.1000/2"]
        assert batches[-1].state == {"since": "2026-11-05"}


class TestFolder:
    def test_a_file_is_read_once_and_again_when_it_changes(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub/refs.bib").write_text("@article{a, title={One of the papers}, eprint={2611.00001}}")
        (tmp_path / ".hidden.bib").write_text("@article{a, title={Hidden}}")
        (tmp_path / "half.bib.part").write_text("@article{a, title={Half}}")
        (tmp_path / "noise.txt").write_text("nothing known")
        batches = collected("folder", Listed(), path=str(tmp_path))
        assert ids(batches) == ["arxiv:2611.00001"]
        assert batches[0].sightings == () or batches[0].sightings[0].source == "mine"
        assert [r.where for batch in batches for r in batch.rejected] == ["noise.txt: the file"]
        kept = json.loads(json.dumps(batches[-1].state))
        assert collected("folder", Listed(), kept, path=str(tmp_path)) == []
        (tmp_path / "sub/refs.bib").write_text("@article{a, title={One of the papers, revised}, eprint={2611.00001}}")
        assert ids(collected("folder", Listed(), kept, path=str(tmp_path))) == ["arxiv:2611.00001"]

    def test_an_undated_page_brings_papers_without_signals(self, tmp_path: Path) -> None:
        (tmp_path / "work.json").write_text(json.dumps({"id": "https://openalex.org/W1", "title": "T", "cited_by_count": 9}))
        batches = collected("folder", Listed(), path=str(tmp_path))
        assert [s.signals for batch in batches for s in batch.sightings] == [()]

    def test_a_missing_folder_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(SourceUnreachable, match="is no folder"):
            collected("folder", Listed(), path=str(tmp_path / "none"))


class TestFeed:
    def test_is_asked_for_again_only_when_it_changed(self) -> None:
        told = '<rss version="2.0"><channel><item><title>T</title><guid>urn:x:1</guid></item></channel></rss>'
        source = make_source("feed", "A journal!", "https://journal.example/feed", {})
        getter = Listed(Answer("", told.encode(), validators={"last-modified": "x"}))
        (batch,) = source.collect(getter, {}, AT)
        assert getter.asked == [("https://journal.example/feed", {})]
        assert batch.state == {"validators": {"last-modified": "x"}}
        assert str(batch.sightings[0].identifiers[0]) == "a-journal:urn:x:1"


@every_row(
    ("kind", "options", "said"),
    [
        ("arxiv", {}, "sources.mine.kind: 'arxiv' is unknown; may be huggingface, arxiv-rss"),
        ("arxiv-rss", {"category": ["cs.AI"]}, "sources.mine.options.category: unknown; may be categories, replacements"),
        ("arxiv-rss", {"categories": ["cs/AI"]}, "should be like cs.CL or cs"),
        ("arxiv-rss", {"categories": []}, "should be a list of words"),
        ("arxiv-oai", {"set": "a b"}, "should be like cs or cs:cs:CL"),
        ("arxiv-oai", {"since": "yesterday"}, "should be a date like 2025-11-01"),
        ("arxiv-oai", {"days": "3"}, "should be a number"),
        ("biorxiv", {"server": "chemrxiv"}, "should be biorxiv or medrxiv"),
        ("feed", {}, "sources.mine.base_url: is missing"),
        ("folder", {}, "sources.mine.options.path: is missing"),
        ("crossref", {"api_key": "x"}, "options.api_key: unknown"),
    ],
)
def test_what_is_configured_wrongly_is_told_by_its_key(kind: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make_source(kind, "mine", None, options)


@every_row("kind", KINDS)
def test_every_kind_keeps_the_port(kind: str) -> None:
    needed = {"feed": {}, "folder": {"path": "."}}
    source: Source = make_source(kind, "mine", "https://mirror.example/", {**needed.get(kind, {}), "api_key": ""})
    assert (source.name, source.base_url) == ("mine", "https://mirror.example/")
    assert source.rhythm


@pytest.mark.parametrize("kind", ["arxiv-api", "semantic-scholar", "openalex", "crossref"])
def test_without_anything_to_look_for_nothing_is_asked(kind: str) -> None:
    assert collected(kind, Listed()) == []
