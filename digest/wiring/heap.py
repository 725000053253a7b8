"""What a process that composes mail by the ten thousand asks of Python's garbage collector: to look rarely."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (50_000, 20, 20)
"""Objects made and not yet freed before the collector looks (Python's own: 700), and how often it looks further back."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """While this lasts, the collector passes over everything made before, and looks at what is new only now and then.

    A mail leaves no cycles behind: reference counts free it. What is there before the first mail (modules, tables, an edition's
    pieces) is a few hundred thousand objects that stay; to walk over them time and again took a tenth of a mail's time.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
