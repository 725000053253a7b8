"""While mail is sent the garbage collector looks rarely; afterwards it is as it was."""

from __future__ import annotations

import gc

from digest.services.delivery.service import _rarely_collected


def test_what_is_set_is_set_back() -> None:
    usual = gc.get_threshold()
    with _rarely_collected():
        assert gc.get_threshold() > usual
    assert gc.get_threshold() == usual
