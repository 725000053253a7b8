"""Reading a send journal: what its writer knew of each message when it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.errors import InvalidInstant, MailError
from digest.domain.instant import parse_instant


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a journal knows that the table may not, one attempt a delivery, in the order the outcomes were seen.

    Recording them must be find-or-do: a process may die between the table's commit and the journal's `recorded` line.
    """

    owner: str = ""
    """Whose journal it is: the name under which its writer claimed; "" in one of an older version."""
    replies: tuple[Attempt, ...] = ()
    """The relay answered the final dot."""
    uncertain: tuple[Attempt, ...] = ()
    """The final dot may have gone out and no answer was seen."""
    unreadable: int = 0
    """Lines that are no records (a torn last line does not count): worth a warning."""


def replay(path: Path) -> Replayed:
    """Reads a journal. A last line without its newline was never finished and is ignored. Raises MailError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MailError(f"journal {path}: {error.strerror or error}") from error
    outcomes: dict[int, Attempt] = {}
    unreadable = 0
    lines = data.split(b"\n")[:-1]
    owner = ""
    if lines and lines[0].startswith(b"owner "):
        owner = lines.pop(0).decode(errors="replace").removeprefix("owner ")
    for line in lines:
        try:
            _apply(line.decode(), outcomes)
        except (ValueError, IndexError, InvalidInstant):
            unreadable += 1
    return Replayed(
        owner,
        replies=tuple(a for a in outcomes.values() if a.reply is not None),
        uncertain=tuple(a for a in outcomes.values() if a.reply is None),
        unreadable=unreadable,
    )


def _apply(line: str, outcomes: dict[int, Attempt]) -> None:
    verb, _, rest = line.partition(" ")
    if verb == "recorded":
        for word in rest.split():
            outcomes.pop(int(word), None)
        return
    delivery, instant, relay, *words = rest.split(" ", 3)
    at = parse_instant(instant)
    if verb == "dot":
        reply, error = None, "the process ended before an answer was seen"
    elif verb == "lost":
        reply, error = None, words[0]
    elif verb == "reply":
        code, status, text = words[0].split(" ", 2)
        reply, error = Reply(int(code), text, "" if status == "-" else status), ""
    else:
        raise ValueError(verb)
    outcomes.pop(int(delivery), None)  # to the end: the order in which outcomes were seen
    outcomes[int(delivery)] = Attempt(int(delivery), at, relay, Stage.DOT, reply, error)
