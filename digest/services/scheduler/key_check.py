"""Whether the key at hand is the one that this database has known.

Links are signed and suppressed addresses hashed with it. With another one, as on a host it was not copied to or after a restore
without it, links in mails are dead for those who have the right one, and whoever must not be mailed is not known any more.
Nothing stops for it, but the operator is told by every door there is.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from digest.store.unit_of_work import Store

_PLACE = ("secrets", "key")


def recognise(store: Store, key: str, at: datetime) -> str:
    """What is wrong with the key; "" where it is the one known. The first key that a database meets is its own."""
    ours = fingerprint(key)
    with store.read() as unit:
        known = unit.sources.load(*_PLACE)
    if known is None:
        with store.begin() as unit:
            unit.sources.change(*_PLACE, lambda known: known or {"fingerprint": ours}, at)
            known = unit.sources.load(*_PLACE) or {}
    if hmac.compare_digest(known["fingerprint"], ours):
        return ""
    return (
        f"secrets.key is not the one that this database was used with ({ours}, not {known['fingerprint']}): copy that one here,"
        " the same for every host; if it is lost for good: digest migrate --accept-new-key"
    )


def accept_new_key(store: Store, key: str, at: datetime) -> None:
    """From now on it is this one."""
    with store.begin() as unit:
        unit.sources.save(*_PLACE, {"fingerprint": fingerprint(key)}, at)


def fingerprint(key: str) -> str:
    """Tells keys apart and gives nothing of them away."""
    return hmac.digest(key.encode(), b"digest: which key is this?", hashlib.sha256).hex()[:12]
