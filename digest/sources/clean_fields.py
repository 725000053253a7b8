"""One field of a hostile record → one clean value, or nothing. Every parser reads through here, so every parser is as strict.

Each function takes whatever a record held and promises a value of its type: text without control characters or lone surrogates,
addresses that are http(s), instants that are aware and in UTC.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from digest.domain.errors import InvalidIdentifier, InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier, Versioned, parse_identifier
from digest.domain.identity import REFERENCE
from digest.domain.paper import Sighting
from digest.sources.encoding import decoded, wide
from digest.sources.port import Parsed, Reading, Rejection
from digest.sources.record_kind import judged

_Record = TypeVar("_Record")

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. The getter stops far earlier; this holds for files."""
LONGEST_TEXT = 60_000
LONGEST_LINE = 2_000
MOST_NAMES = 5_000
MOST_RECORDS = 20_000
"""Of one document, where it is small. A large one may have more, as long as a record has SMALLEST_RECORD bytes on average: what a
document takes to read is bounded by its size, and no paper with title and id is described in less."""
SMALLEST_RECORD = 100
MOST_REJECTED = 20_000
"""Records of one file that cannot be read; a file with more is of another kind."""
_LONGEST_REASON = 200

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]+")
_TWICE_ENCODED = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf]|[\u00c4-\u00df][\u0080-\u009f]|[\u00e0-\u00ef](?:[\u0080-\u009f][\u0080-\u00bf]|[\u00a0-\u00bf][\u0080-\u009f])"
)
"""UTF-8 read as Latin-1 and encoded again ("WÃ¼bben"): arXiv and its mirrors pass on names that came so."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]+")
_BETWEEN = re.compile(r"[,;]?\s+|[,;](?=10\.\d{4})")
_CODE = re.compile(r"https?://(?:www\.)?(?:github\.com|gitlab\.com|codeberg\.org)/[\w.-]+/[\w.-]*\w", re.IGNORECASE)


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """Whitespace folded into single spaces; "" for anything that is no text. Cut at `longest` characters."""
    if not isinstance(value, str) or not value:
        return ""
    words = value[: longest * 2]
    if not words.isascii():
        words = _TWICE_ENCODED.sub(_decoded_once, words)
    if not words.isprintable():
        words = _UNSAFE.sub(" ", words)
    return " ".join(words.split())[:longest].rstrip()


def _decoded_once(match: re.Match[str]) -> str:
    try:
        return match[0].encode("latin-1").decode()
    except UnicodeDecodeError:
        return match[0]


def title(value: object) -> str:
    """A title. Raises InvalidInput where there is none."""
    if not (words := text(value, LONGEST_LINE)):
        raise InvalidInput("title", "is missing")
    return words


def names(values: Iterable[object]) -> tuple[str, ...]:
    """In order, without the empty ones. A lone ":" (arXiv writes one after a collaboration) is no name."""
    words = (text(value, 300) for value, _ in zip(values, range(MOST_NAMES), strict=False))
    return tuple(name for name in words if name.strip(":;,.- "))


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def rows(value: object) -> list[Any]:
    """A list as it is; nothing for null; a lone value as a list of one (some writers unwrap lists of one)."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def whole(value: object) -> int | None:
    """A count: an int, or a string of digits. None for anything else, negative or absurd."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,15}\s*", value, re.ASCII):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15 else None


def address(value: object) -> str:
    """An http(s) address without invisible characters, or ""."""
    words = _INVISIBLE.sub("", value).strip() if isinstance(value, str) else ""
    return words if re.fullmatch(r"https?://[^\s\x00-\x20\x7f\"<>\\^`{|}\ud800-\udfff]{1,1990}", words, re.IGNORECASE) else ""


def code_address(*texts: str) -> str:
    """The first repository that `texts` name, or ""."""
    found = next((match[0] for words in texts for match in [_CODE.search(words)] if match), "")
    return found.removesuffix(".git")


def identify(value: object) -> Versioned | None:
    """An arXiv id or DOI with its version; None for anything else."""
    if not isinstance(value, str) or len(value) > 500:
        return None
    try:
        found = parse_identifier(_UNSAFE.sub("", value))
    except InvalidIdentifier:
        return None
    return found if found.identifier.scheme in ("arxiv", "doi") else None


def identifiers(*values: object) -> tuple[Identifier, ...]:
    """The arXiv ids and DOIs among `values`, in order, each once. One value may hold several, set apart by comma or space."""
    found: list[Identifier] = []
    for value in values:
        parts = _BETWEEN.split(value[:LONGEST_LINE]) if isinstance(value, str) and value else []
        found += [one.identifier for part in parts if (one := identify(part))]
    return tuple(dict.fromkeys(found))


def own(scheme: str, key: object) -> tuple[Identifier, ...]:
    """A source's own number for a paper, where it has one that can be kept."""
    words = re.sub(r"\s+", "", text(key, 400))
    return (Identifier(scheme, words),) if words else ()


def titled(words: str, authors: tuple[str, ...]) -> tuple[Identifier, ...]:
    """A name made of title and authors, for a reference that has no other: the same reference read twice is one paper."""
    written = "|".join([words, *authors]).casefold()
    return (Identifier(REFERENCE, hashlib.sha256(re.sub(r"[\W_]+", " ", written).encode()).hexdigest()[:32]),)


def decoded_json(data: bytes, source: str) -> Any:
    """Raises UnreadableAnswer naming what is wrong: empty, too large, not JSON, cut short, nested beyond reason."""
    bounded(data, source)
    try:
        return json.loads(decoded(data) if wide(data) else data.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(source, f"not JSON, or cut short: {clipped(str(error))}") from None


def bounded(data: bytes, source: str) -> None:
    """Raises UnreadableAnswer for an empty or an absurdly large body."""
    if not data.strip():
        raise UnreadableAnswer(source, "an empty body")
    if len(data) > LARGEST_ANSWER:
        raise UnreadableAnswer(source, f"{len(data)} bytes; the most read is {LARGEST_ANSWER}")


def clipped(reason: str) -> str:
    """One line, short enough for a log."""
    words = text(reason, _LONGEST_REASON)
    if words == reason:  # a phrase, perhaps
        return reason
    return words if len(words) < _LONGEST_REASON else words[: _LONGEST_REASON - 1] + "…"


def collected(
    records: Iterable[tuple[str, _Record]],
    read: Callable[[_Record], Sighting | Reading | Identifier | None],
    *,
    size: int | None = None,
    undated: bool = False,
) -> Parsed:
    """Reads each (where, record). One that raises InvalidInput becomes a Rejection and the rest is kept. Raises UnreadableAnswer
    after MOST_REJECTED, and where a document of `size` bytes has more records than MOST_RECORDS and SMALLEST_RECORD allow.

    `read` gives an Identifier for a paper that the source removed, None where there is nothing to say.
    """
    sightings: list[Sighting] = []
    readings: list[Reading] = []
    rejected: list[Rejection] = []
    gone: list[Identifier] = []
    most = most_records(size) if size is not None else None
    for count, (where, record) in enumerate(records):
        if count == most:
            raise too_many(where, size or 0)
        try:
            found = read(record)
            found = judged(found) if isinstance(found, Sighting) else found
        except InvalidInput as bad:
            if len(rejected) == MOST_REJECTED:
                raise UnreadableAnswer(where, f"more than {MOST_REJECTED:,} records cannot be read; the last: {bad}") from None
            rejected.append(Rejection(clipped(where), clipped(str(bad))))
            continue
        if isinstance(found, Sighting):
            sightings.append(found)
        elif isinstance(found, Identifier):
            gone.append(found)
        elif found is not None:
            readings.append(found)
    signals = any(sighting.signals for sighting in sightings) or bool(readings)
    return Parsed(tuple(sightings), tuple(rejected), tuple(readings), undated and signals, tuple(gone))


def most_records(size: int) -> int:
    """Of a document of `size` bytes."""
    return max(MOST_RECORDS, size // SMALLEST_RECORD)


def too_many(where: str, size: int) -> UnreadableAnswer:
    return UnreadableAnswer(where, f"more than {most_records(size):,} records; the most read of a document of {size:,} bytes")


def numbered(values: Iterable[Any], noun: str = "row") -> Iterator[tuple[str, Any]]:
    """("row 1", value) and so on."""
    for number, value in enumerate(values, 1):
        yield f"{noun} {number}", value
