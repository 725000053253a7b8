"""A model behind an OpenAI-compatible endpoint on loopback: it sums up what it is asked, or misbehaves as a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.scripted_http import Act, Asked, ScriptedServer, reply

MODEL = "tiny-model"


def said(content: object, tokens: int | None = 500) -> Act:
    """A whole answer whose message is `content`: text as it is, anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    answer: dict[str, Any] = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
    if tokens is not None:
        answer["usage"] = {"total_tokens": tokens}
    return reply(body=json.dumps(answer).encode(), Content_Type="application/json")


def material(asked: Asked) -> list[dict[str, Any]]:
    """The papers that a question was about."""
    question = json.loads(asked.body)
    rows: list[dict[str, Any]] = json.loads(question["messages"][-1]["content"])
    return rows


def sum_up(asked: Asked) -> Act:
    """A line for each paper, and the list of models."""
    if asked.method == "GET":
        return reply(body=json.dumps({"object": "list", "data": [{"id": MODEL}]}).encode())
    return said({str(row["n"]): f"In short: {row['title']}" for row in material(asked)})


@contextmanager
def chat_model(*acts: Act, choose: Callable[[Asked], Act] = sum_up) -> Iterator[ScriptedServer]:
    """Answers the n-th question with the n-th act; without any, as `choose` says: as a good model would."""
    with ScriptedServer(list(acts), choose=None if acts else choose) as server:
        yield server
