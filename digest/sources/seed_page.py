"""The seed page: two banner lines, then title and abstract on alternating lines; "Subscribe" is glued to the first title.

Its papers have no identifier, author or date. Each is named `seed:` and a digest of its title, so it is the same every time.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.port import Parsed

BANNERS = 2
BANNER = "Get trending papers in your email inbox"
_GLUED = "Subscribe"
SCHEME = "seed"


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Raises UnreadableAnswer where the banner is not there or the text is not UTF-8."""
    clean_fields.bounded(data, source)
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise UnreadableAnswer(source, f"not UTF-8 at byte {error.start}") from None
    if not all(line.startswith(BANNER) for line in lines[:BANNERS]) or len(lines) <= BANNERS:
        raise UnreadableAnswer(source, f"should begin with {BANNERS} lines that say {BANNER!r}, then titles and abstracts")
    while lines and not lines[-1].strip():
        lines.pop()
    lines[BANNERS : BANNERS + 1] = [first.removeprefix(_GLUED) for first in lines[BANNERS : BANNERS + 1]]
    placed = ((f"line {number + 1}", lines[number : number + 2]) for number in range(BANNERS, len(lines), 2))
    return clean_fields.collected(placed, lambda pair: _sighting(pair, source, seen_at), size=len(data))


def _sighting(pair: list[str], source: str, seen_at: datetime) -> Sighting:
    title = clean_fields.title(pair[0])
    abstract = clean_fields.text(pair[1]) if len(pair) == 2 else ""
    if not abstract:
        raise InvalidInput("abstract", "is missing; should be on the line after the title")
    key = hashlib.sha256(title.casefold().encode()).hexdigest()[:16]
    return Sighting(source=source, identifiers=(Identifier(SCHEME, key),), title=title, seen_at=seen_at, abstract=abstract)
