"""Whether a database was used before, asked without changing anything: the key that belongs to it may be gone."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, select

from digest.store.engine import open_engine, parse_url
from digest.store.schema import source_states, subscribers


def is_there(url: str) -> bool:
    """False for a SQLite file that is still to be made."""
    parsed = parse_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()


def needs_its_key(url: str) -> bool:
    """Whether a key was recorded in it, or readers are in it, who have links signed with one. Raises DatabaseUnreachable."""
    if not is_there(url):
        return False
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(subscribers.name):
                return False
            recorded = select(source_states.c.source).where(source_states.c.source == "secrets", source_states.c.key == "key")
            asked = (recorded, select(subscribers.c.id))
            return any(connection.execute(each.limit(1)).first() is not None for each in asked)
    finally:
        engine.dispose()
