"""A keyed hash is the standard library's HMAC, whatever the key and the data."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.keyed_hash import keyed_hash


@given(key=st.binary(max_size=200), data=st.binary(max_size=300))
def test_it_is_hmac(key: bytes, data: bytes) -> None:
    digest = keyed_hash(key)
    assert digest(data) == hmac.digest(key, data, "sha256")
    assert digest(data) == hmac.digest(key, data, "sha256"), "asked twice, the same: the key's blocks are not used up"


def test_a_key_as_long_as_a_block_and_one_longer() -> None:
    for length in (63, 64, 65):
        key = bytes(range(length))
        assert keyed_hash(key)(b"17") == hmac.digest(key, b"17", "sha256")
