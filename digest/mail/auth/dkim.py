"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, RSA-SHA256 and Ed25519-SHA256, by `cryptography`.

From is signed once more than it occurs, so that nobody can add a second one; both unsubscribe fields are covered (RFC 8058 §4);
there is no l= tag, so that nothing can be appended. The signature of a message never changes: both schemes are deterministic and
t= is the message's own date.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from digest.domain.errors import ConfigurationError

SIGNED = (
    "from", "reply-to", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-id", "list-archive",
    "list-help", "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "auto-submitted", "in-reply-to", "references",
)  # fmt: skip
OVERSIGNED = ("from", "to", "subject", "date", "reply-to", "content-type")
"""Named once more than they occur: adding one breaks the signature."""
_SHORTEST_RSA = 1024
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and where its public half is published: `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @classmethod
    def from_pem(cls, domain: str, selector: str, pem: bytes) -> SigningKey:
        """Reads an unencrypted PEM private key, RSA (2048 bits advised) or Ed25519. Raises ConfigurationError."""
        where = f"dkim.{selector}"
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError(where, "should be an unencrypted PEM private key, RSA or Ed25519") from None
        if isinstance(private, rsa.RSAPrivateKey):
            if private.key_size < _SHORTEST_RSA:
                raise ConfigurationError(where, f"RSA of {private.key_size} bits; verifiers want at least {_SHORTEST_RSA}")
        elif not isinstance(private, ed25519.Ed25519PrivateKey):
            raise ConfigurationError(where, "should be an RSA or Ed25519 key")
        if not all(re.fullmatch(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", name) for name in (domain, selector)):
            raise ConfigurationError(where, f"domain {domain!r} and selector {selector!r} should be DNS names in ASCII")
        return cls(domain, selector, private)

    @classmethod
    def from_file(cls, domain: str, selector: str, path: Path) -> SigningKey:
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"dkim.{selector}", f"{path}: {error.strerror or error}") from None
        return cls.from_pem(domain, selector, pem)

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519-sha256"

    def record(self) -> tuple[str, str]:
        """(name, value) of the DNS TXT record to publish."""
        name = f"{self.selector}._domainkey.{self.domain}"
        public = self.private.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            return name, f"v=DKIM1; k=ed25519; p={_base64(public.public_bytes_raw())}"
        encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return name, f"v=DKIM1; k=rsa; p={_base64(encoded)}"

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463 §3: PureEdDSA over the SHA-256 hash


def new_key(algorithm: str) -> bytes:
    """A new private key as unencrypted PEM: "rsa" (2048 bits: longer ones do not fit one DNS packet everywhere) or "ed25519"."""
    private = ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else rsa.generate_private_key(65537, 2048)
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Signer:
    """Signs with every key given: with an RSA and an Ed25519 key, each verifier finds one it understands.

    The body comes in pieces and is hashed as they come, once for all keys; a piece that many mails share is brought into its
    relaxed form once. (Keeping the hash of what two bodies share from the start would save next to nothing more: the first
    personal link stands in the first card.)
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = tuple(keys)

    def sign(self, header: bytes, body: Sequence[bytes], at: datetime | None = None) -> bytes:
        """The DKIM-Signature fields to put before `header`, CRLF lines. Each piece of `body` is whole lines; `at` (t=) is the
        message's own date."""
        body_hash = _base64(hashlib.sha256(relaxed_body(body)).digest())
        fields = _relaxed_fields(header)
        names = [name for name in SIGNED for _ in range(len(fields.get(name, ())) + (name in OVERSIGNED))]
        # From the bottom up, and nothing for those named once more than they occur (RFC 6376 §5.4.2).
        signed = b"".join(value for name in SIGNED for value in reversed(fields.get(name, ())))
        return b"".join(self._signature(key, names, signed, body_hash, at) for key in self._keys)

    def _signature(self, key: SigningKey, names: list[str], signed: bytes, body_hash: str, at: datetime | None) -> bytes:
        time = f" t={int(at.timestamp())};" if at else ""
        unsigned = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector};{time}\r\n"
            f" h={_folded(names)};\r\n bh={body_hash};\r\n b="
        ).encode()
        relaxed = b"dkim-signature:" + _SPACES.sub(b" ", unsigned.partition(b":")[2].replace(b"\r\n", b"")).strip()
        signature = _base64(key.sign(signed + relaxed))
        return unsigned + "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72)).encode() + b"\r\n"


def relaxed_body(pieces: Sequence[bytes]) -> bytes:
    """RFC 6376 §3.4.4: runs of white space are one space, none ends a line, no empty lines at the end.

    Each piece is whole CRLF lines (the last may lack its line end), so that its form does not depend on its neighbours.
    """
    body = b"".join(map(_remembered if len(pieces) > 1 else _relaxed, pieces))
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _relaxed(lines: bytes) -> bytes:
    if b"\t" in lines:
        lines = lines.replace(b"\t", b" ")
    while b"  " in lines:
        lines = lines.replace(b"  ", b" ")
    return lines.replace(b" \r\n", b"\r\n").removesuffix(b" ")


_remembered = lru_cache(maxsize=16_384)(_relaxed)
"""The mails of an edition share most of their pieces."""


def _relaxed_fields(header: bytes) -> dict[str, list[bytes]]:
    """RFC 6376 §3.4.2, by lower-case name, in order of occurrence."""
    fields: dict[str, list[bytes]] = {}
    for name, value in _FIELD.findall(header):
        lower = name.lower()
        relaxed = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
        fields.setdefault(lower.decode(), []).append(lower + b":" + relaxed + b"\r\n")
    return fields


def _folded(names: list[str]) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > 70:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n  ".join([*lines, line]).rstrip(":").rstrip()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
