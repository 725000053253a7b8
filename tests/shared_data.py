"""Where the real data lies, and the mark for tests that need it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
needs_shared = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="needs ../shared/data, which is not here")
