"""What signing costs: mails composed and signed on one core, each reader's own bytes.

    python benchmarks/dkim.py [MAILS]

Prints one JSON line. The edition is that of benchmarks/compose.py (ten cards); keys are RSA-2048 and Ed25519. Figures are
processor seconds of this process, so other work on the machine hardly moves them; the median of five rounds is told.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from compose import AT, edition, reader

from digest.domain.subscriber import Address
from digest.mail.auth.dkim import Signer, SigningKey, new_key, relaxed_body
from digest.mail.message.headers import HeaderTemplate, Sender
from digest.mail.verp import VerpSigner
from digest.render.edition.compose import Composer

T = TypeVar("T")
ROUNDS = 5
DOMAIN = "papers.example.org"


def main(mails: int) -> None:
    rendered = edition()
    composer = Composer(rendered)
    headers = HeaderTemplate(
        Sender(name="Trending papers", address=Address(f"digest@{DOMAIN}")), VerpSigner(b"benchmark key of some bytes"),
        subject=rendered.subject, boundary=composer.boundary, list_name="daily", list_title="Daily papers", campaign="2026-11-23",
        archive_url=f"https://{DOMAIN}/lists/daily", help_url=f"https://{DOMAIN}/about",
    )  # fmt: skip
    rsa = SigningKey.from_pem(DOMAIN, "r", new_key("rsa"))
    ed25519 = SigningKey.from_pem(DOMAIN, "e", new_key("ed25519"))

    def composed(number: int) -> tuple[bytes, list[bytes]]:
        address = Address(f"reader{number}@mail.example")
        header = headers.address(number, address, AT, f"https://{DOMAIN}/unsubscribe/{number}").header
        return header, composer.pieces(reader(number, rendered.picks))

    def mail(signer: Signer | None, number: int) -> bytes:
        header, body = composed(number)
        signature = signer.sign(header, body, AT) if signer else b""
        return b"".join((signature, header, *body))

    ready = [composed(number) for number in range(200)]
    whole = [b"".join(body) for _, body in ready]
    used = iter(range(10**9))

    def rate(signer: Signer | None) -> float:
        return 1 / each(lambda: mail(signer, next(used)), mails)

    print(
        json.dumps(
            {
                "benchmark": "dkim",
                "mails": mails,
                "bytes": len(mail(None, 1)),
                "composed_per_second": round(rate(None)),
                "composed_and_signed_rsa2048_per_second": round(rate(Signer([rsa]))),
                "composed_and_signed_both_per_second": round(rate(Signer([rsa, ed25519]))),
                "body_hash_by_pieces_us": microseconds(ready, lambda mail: hashed(mail[1])),
                "body_hash_of_the_whole_us": microseconds(whole, lambda body: hashed([body])),
                "rsa2048_alone_us": round(each(lambda: rsa.sign(b"x" * 1500), 200) * 1e6, 1),
                "ed25519_alone_us": round(each(lambda: ed25519.sign(b"x" * 1500), 200) * 1e6, 1),
            }
        )
    )


def hashed(pieces: Sequence[bytes]) -> bytes:
    return hashlib.sha256(relaxed_body(pieces)).digest()


def microseconds(work: Sequence[T], do: Callable[[T], object]) -> float:
    left = iter(work * (ROUNDS + 1))
    return round(each(lambda: do(next(left)), len(work)) * 1e6, 1)


def each(do: Callable[[], object], times: int) -> float:
    """Processor seconds of one `do`, the median of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            do()
        rounds.append((time.process_time() - start) / times)
    return statistics.median(rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
