"""A number never changes its value: the digits of real titles and abstracts are those that readers see, in order."""

from __future__ import annotations

import gzip
import json
import re
from itertools import islice

import pytest

from digest.render.text.latex import readable
from tests.shared_data import SHARED
from tests.unit.test_readable_kinds import digits

_OF_NO_VALUE = re.compile(r"\\(?:href|unicode|hspace|mkern|label|scalebox|texorpdfstring)(?![A-Za-z])")
"""Their digits are an address, a character's code, a length, a name, or the same said twice."""


@pytest.mark.parametrize(("part", "each"), [("title", 3), ("abstract", 20)])
def test_the_digits_that_come_in_come_out_in_order(part: str, each: int) -> None:
    with gzip.open(SHARED / "data/corpus/arxiv_papers.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)[part] for line in islice(lines, 0, None, each)]
    of_value = [text for text in texts if digits(text) and not _OF_NO_VALUE.search(text)]
    assert len(of_value) > 3_000
    assert len([text for text in texts if _OF_NO_VALUE.search(text)]) < len(texts) / 100
    assert [text for text in of_value if digits(readable(text)) != digits(text)] == []
