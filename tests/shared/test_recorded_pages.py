"""Recorded pages of Hugging Face's daily papers, one of each year read closely, and a history of them, read and loaded."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.domain.errors import UnreadableAnswer
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.paper import Signal
from digest.services.papers.import_files import load
from digest.sources.huggingface import parse
from digest.sources.port import Parsed
from digest.store.unit_of_work import Store
from tests.journey.test_load import counts
from tests.shared_data import SHARED

SEEN = AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PAGES = SHARED / "data/api_responses/hf_daily_papers"


def read(data: bytes) -> Parsed:
    return parse(data, source="huggingface", seen_at=SEEN)


# file, papers, then of one row: place, id, title, first authors, their number, published, listed, votes, stars, comments,
# code, project page, beginning of the summary, first keyword. Read off the files.
ROWS: list[tuple[Any, ...]] = [
    ("2024-05-28", 15, 0, "2405.17247", "An Introduction to Vision-Language Modeling",
     ("Florian Bordes", "Richard Yuanzhe Pang"), 41, "2024-05-27T15:01:23Z", None, 33, None, 3, "", "", "", ""),
    ("2024-05-28", 15, -1, "2405.17414", "Collaborative Video Diffusion: Consistent Multi-video Generation with Camera Control",
     ("Zhengfei Kuang", "Shengqu Cai", "Hao He"), 7, "2024-05-27T17:58:01Z", None, 4, None, 0, "", "", "", ""),
    ("2024-10-11", 22, -1, "2410.08159", "DART: Denoising Autoregressive Transformer for Scalable Text-to-Image Generation",
     ("Jiatao Gu", "Yuyang Wang"), 8, "2024-10-10T17:41:54Z", None, 1, None, 1, "", "", "", ""),
    ("2025-03-05", 12, 0, "2503.02682", "MPO: Boosting LLM Agents with Meta Plan Optimization",
     ("Weimin Xiong", "Yifan Song"), 7, "2025-03-04T14:54:45Z", None, 12, None, 1,
     "https://github.com/WeiminXiong/MPO", "", "", ""),
    ("2025-07-22", 16, 0, "2507.14683",
     "MiroMind-M1: An Open-Source Advancement in Mathematical Reasoning via Context-Aware Multi-Stage Policy Optimization",
     ("Xingxuan Li", "Yao Xiao"), 18, "2025-07-19T16:21:23Z", "2025-07-22T01:41:01.897Z", 63, None, 1, "", "",
     "The MiroMind-M1 series of open-source reasoning", "reasoning language models"),
    ("2025-12-12", 16, 0, "2512.10949", "Are We Ready for RL in Text-to-3D Generation? A Progressive Investigation",
     ("Yiwen Tang", "Zoey Guo"), 14, "2025-12-11T18:59:52Z", "2025-12-12T00:49:43.850Z", 30, 18, 1,
     "https://github.com/Ivan-Tang-3D/3DGen-R1", "", "This study investigates reinforcement learning", "reinforcement learning"),
    ("2026-02-10", 33, 0, "2602.07026",
     "Modality Gap-Driven Subspace Alignment Training Paradigm For Multimodal Large Language Models",
     ("Xiaomin Yu", "Yi Xin", "Wenjie Zhang"), 15, "2026-02-02T13:59:39Z", "2026-02-10T00:01:56.908Z", 78, 26, 1,
     "https://github.com/Yu-xm/ReVision", "", "Researchers address the modality gap", "multimodal contrastive learning"),
    ("2026-02-10", 33, -1, "2602.07040", "Aster: Autonomous Scientific Discovery over 20x Faster Than Existing Methods",
     ("Emmett Bicker",), 1, "2026-02-03T19:01:23Z", "2026-02-10T02:44:58.980Z", 0, None, 0, "", "https://www.asterlab.ai/",
     "Aster is an AI agent", "AI agent"),
    ("2026-04-20", 19, 0, "2604.16044", "Elucidating the SNR-t Bias of Diffusion Probabilistic Models",
     ("Meng Yu", "Lei Sun"), 5, "2026-04-17T00:00:00Z", "2026-04-20T07:56:13.917Z", 47, None, 1,
     "https://github.com/AMAP-ML/DCW", "", "Diffusion probabilistic models suffer", "diffusion probabilistic models"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} row {row[2]}" for row in ROWS])
def test_a_page_of_each_year(row: tuple[Any, ...]) -> None:
    page, papers, place, name, title, first, authors, published, listed, votes, stars, comments, code, project, summary, word = (
        row
    )
    parsed = read((PAGES / f"{page}.json").read_bytes())
    assert (len(parsed.sightings), parsed.rejected, parsed.undated) == (papers, (), True)
    shown = parsed.sightings[place]
    assert shown.identifiers == (Identifier("arxiv", name),)
    assert shown.title == title
    assert (shown.authors[: len(first)], len(shown.authors)) == (first, authors)
    assert shown.published_at == datetime.fromisoformat(published)
    assert shown.listed_at == (datetime.fromisoformat(listed) if listed else None)
    counted = {"upvotes": votes, "github_stars": stars, "comments": comments}
    expected = {Signal(kind, value, SEEN, "huggingface") for kind, value in counted.items() if value is not None}
    assert set(shown.signals) == expected
    assert (shown.code_url, shown.project_url) == (code, project)
    assert (shown.summary.text if shown.summary else "").startswith(summary)
    assert (shown.summary is None) == (not summary)
    assert "".join(shown.keywords[:1]) == word
    assert shown.url == f"https://huggingface.co/papers/{name}"
    assert len(shown.abstract) > 300


def test_pages_saved_as_text_are_refused_with_the_reason() -> None:
    with pytest.raises(UnreadableAnswer, match=r"each row should be an object with a paper, these are text \(a Python repr"):
        read((PAGES / "2024-12-25.json").read_bytes())


def test_every_page_of_the_history_is_read_or_refused_by_name() -> None:
    """446 pages; those saved as text (30 lists and one wrapped in an object) are refused, and no row of the others is lost."""
    refused, kept, rows = [], 0, 0
    with tarfile.open(SHARED / "data/hf_history/raw_api_daily_papers.tar.xz") as archive:
        for member in archive:
            if not member.isfile() or (file := archive.extractfile(member)) is None:
                continue
            data = file.read()
            try:
                parsed = read(data)
            except UnreadableAnswer as error:
                refused.append(error.reason)
                continue
            assert parsed.rejected == ()
            kept += len(parsed.sightings)
            rows += len(json.loads(data))
    assert (len(refused), kept) == (31, rows)
    assert kept == 6937
    assert sum("Python repr" in reason for reason in refused) == 30


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Some pages of every era and all that were saved as text."""
    folder = tmp_path_factory.mktemp("pages")
    with tarfile.open(SHARED / "data/hf_history/raw_api_daily_papers.tar.xz") as archive:
        members = sorted((m for m in archive.getmembers() if m.isfile()), key=lambda m: m.name)
        kept = []
        for number, member in enumerate(members):
            data = archive.extractfile(member).read()  # type: ignore[union-attr]  # it is a file
            if number % 20 == 0 or b"\"{'paper'" in data[:400]:
                target = folder / Path(member.name).name
                target.write_bytes(data)
                kept.append(target)
    return kept


def test_pages_of_the_history(store: Store, history: Sequence[Path]) -> None:
    rows: dict[str, set[str]] = {}
    broken = set()
    for file in history:
        page = json.loads(file.read_bytes())
        if isinstance(page, dict) or (page and isinstance(page[0], str)):
            broken.add(str(file))
        else:
            rows[str(file)] = {str(parse_identifier(row["paper"]["id"]).identifier) for row in page}
    assert len(broken) == 31
    report = load(history, store, None, AT)
    shown = sum(map(len, rows.values()))
    assert report.papers_new + report.papers_updated + report.papers_unchanged == shown
    assert report.papers_new == len(set().union(*rows.values()))
    assert {r.file for r in report.rejected} == broken
    assert all(r.where == "" and r.reason for r in report.rejected)
    again = load(history, store, None, AT)
    assert counts(again) == (0, 0, shown, 0)
