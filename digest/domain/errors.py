"""Every error this project raises on purpose, in one tree.

    DigestError
    ├── ConfigurationError        a setting is missing, unknown or of the wrong type (exit 2)
    ├── PortUnavailable           the pages cannot be served where web.host and web.port say
    ├── InvalidInput              something given to us cannot be used; names the place and what would be right
    │   ├── InvalidIdentifier     not an arXiv id, DOI or source:key
    │   ├── InvalidAddress        not a mailbox we could deliver to
    │   ├── InvalidInstant        not an ISO 8601 instant with an offset
    │   └── InvalidToken          a link that is forged, cut, expired or made for another purpose
    ├── NotFound                  a list, edition, paper or subscriber that is not there
    ├── StoreError
    │   ├── DatabaseUnreachable   no answer from the database
    │   └── SchemaMismatch        the database is older or newer than this program
    ├── SourceError               a paper source did not give us what it promises
    │   ├── SourceUnreachable     no connection, timeout, 5xx: worth another try
    │   ├── SourceThrottled       429 or an open circuit: worth another try after `retry_after`
    │   ├── SourceRefused         4xx: asking again the same way is useless
    │   └── UnreadableAnswer      bytes that are not what the source documents
    ├── EditionError
    │   ├── TemplateError         a template cannot be read or rendered
    │   └── LintFailed            the composed mail breaks a rule that mailbox providers enforce
    └── MailError
        ├── RelayUnreachable      no session with the relay; no recipient is to blame and no attempt is counted
        └── RelayRefusedUs        authentication or policy (5.7.x): stop and alarm, nobody is suppressed

Each message is one line that names the place and says what would be right; what a reader can cause is a Phrase. `exit_code` is
what the command line returns.
"""

from __future__ import annotations

from datetime import timedelta

from digest.domain.phrase import joined, phrase


class DigestError(Exception):
    """The root: everything below is expected, explained, and printed without a traceback."""

    exit_code = 1


class ConfigurationError(DigestError):
    """`key` is the dotted path in the TOML file; the message says what it may be."""

    exit_code = 2

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"configuration: {key}: {reason}")
        self.key = key
        self.reason = reason


class PortUnavailable(DigestError):
    """Another program listens where the pages should be, or we may not: nothing of ours starts without them."""


class InvalidInput(DigestError):
    """`where` names the file, line, field or option; `reason` says what is wrong and what would be right."""

    exit_code = 2

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(joined((where, reason), ": "))
        self.where = where
        self.reason = reason


class InvalidIdentifier(InvalidInput):
    """Not an arXiv id, a DOI or `source:key`."""


class InvalidAddress(InvalidInput):
    """Not a mailbox we could deliver to."""


class InvalidInstant(InvalidInput):
    """Not an ISO 8601 instant with an offset."""


class InvalidToken(InvalidInput):
    """A link that is forged, cut, expired or made for another purpose. Says nothing about whom it was for."""

    def __init__(self, reason: str) -> None:
        super().__init__(phrase("link"), reason)


class NotFound(DigestError):
    """`what` is the thing asked for; the message may name what there is instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        not_found = phrase("%(what)s not found", what=what)
        super().__init__(joined((not_found, hint), ": ") if hint else not_found)
        self.what = what


class StoreError(DigestError):
    """The database did not do what was asked of it."""


class DatabaseUnreachable(StoreError):
    """No answer from the database; the message never holds its password."""


class SchemaMismatch(StoreError):
    """The database is older than this program (run `digest migrate`) or newer (upgrade the program)."""


class SourceError(DigestError):
    """`source` is the source's name in the configuration."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"source {source}: {reason}")
        self.source = source
        self.reason = reason


class SourceUnreachable(SourceError):
    """No connection, timeout or 5xx after the retries allowed."""


class SourceThrottled(SourceError):
    """429, or a circuit that opened after repeated failures."""

    def __init__(self, source: str, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(source, reason)
        self.retry_after = retry_after


class SourceRefused(SourceError):
    """A 4xx other than 429, which `status` then is, or a request that cannot be made. `body`: how its answer begins."""

    def __init__(self, source: str, reason: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(source, reason)
        self.status, self.body = status, body


class UnreadableAnswer(SourceError):
    """Bytes that are not what the source documents: truncated, empty, another content, an error dressed as a feed."""


class EditionError(DigestError):
    """The edition could not be made; nothing of it was kept."""


class TemplateError(EditionError):
    """`template` is the path under templates/; the message names the line."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"template {template}: {reason}")
        self.template = template


class LintFailed(EditionError):
    """`errors` are the lint's findings, one line each."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("the mail breaks " + (f"{len(errors)} rules: " if len(errors) > 1 else "a rule: ") + "; ".join(errors))
        self.errors = errors


class MailError(DigestError):
    """Mail could not be handed over."""


class RelayUnreachable(MailError):
    """No connection, no TLS, no greeting or a 421: the relay's fault or the network's."""

    def __init__(self, relay: str, reason: str) -> None:
        super().__init__(f"relay {relay}: {reason}")
        self.relay = relay
        self.reason = reason


class RelayRefusedUs(RelayUnreachable):
    """Authentication failed or the relay's policy is against this sender: stop, alarm, blame no reader."""
