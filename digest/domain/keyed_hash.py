"""HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key that is asked for millions of times: every mail has four."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

_BLOCK = 64
"""Bytes that SHA-256 takes at a time."""


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """What `hmac.digest(key, data, "sha256")` gives, in less than half the time: the blocks that hold the key are hashed once.

    32 bytes. Compare them with `hmac.compare_digest`.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(data: bytes) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(data)
        outside.update(inside.digest())
        return outside.digest()

    return digest
