"""What `digest init` asks for: typed in, or in a TOML file with these keys."""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from digest.config import Settings
from digest.config.read import explained
from digest.config.values import HOST, BaseUrl, Text, Zone
from digest.domain.errors import ConfigurationError, DigestError, InvalidInput
from digest.domain.interest import understand
from digest.domain.schedule import zone_names
from digest.mail.message.address import read_address
from digest.mail.smtp.relay_profiles import HOST_OF
from digest.services.setup.source_tables import ARXIV, source_table, source_word

_CATEGORY = r"[a-z][a-z-]*(?:\.[A-Za-z-]+)?"


def _address(text: str) -> str:
    try:
        return str(read_address(text))
    except DigestError as error:
        raise ValueError(str(error)) from None


def _words(value: object) -> object:
    """A list, or one line of text with commas."""
    return [word for part in value.split(",") if (word := part.strip())] if isinstance(value, str) else value


def _lines(value: object) -> object:
    return "\n".join(map(str, value)) if isinstance(value, list) else value


def _time(value: object) -> object:
    """07:00, as people write it: 7:00 and 7 are understood too."""
    if isinstance(value, time):
        return value
    found = re.fullmatch(r"\s*([01]?\d|2[0-3])(?::([0-5]\d))?\s*", str(value))
    if found is None:
        raise ValueError(f"{str(value)[:20]!r} should be like 07:00")
    return time(int(found[1]), int(found[2] or 0))


Mailbox = Annotated[str, BeforeValidator(lambda value: _address(str(value)))]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Answers(BaseModel):
    """Whoever reads it finds each question's key. Validated as it is set."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=False)

    email: Mailbox
    """Who gets the digest, the test mail and the alerts."""
    smtp_host: str = Field(pattern=HOST)
    smtp_port: int | None = Field(None, ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] | None = None
    smtp_username: Text = ""
    smtp_password: SecretStr | None = None
    smtp_password_file: Path | None = None
    from_address: Mailbox | None = None
    """Default: `email`."""
    from_name: Text = "Digest"
    postal_address: str = ""
    base_url: BaseUrl | None = None
    """Where readers reach the pages; none: no pages, and they unsubscribe by email."""
    timezone: Zone = "UTC"
    send_time: Annotated[time, BeforeValidator(_time)] = time(7, 0)
    sources: Words = ("huggingface",)
    categories: Words = ()
    interests: Annotated[str, BeforeValidator(_lines)] = ""
    library: Path | None = None

    @property
    def sender(self) -> str:
        return self.from_address or self.email

    @field_validator("smtp_password")
    @classmethod
    def _one_line(cls, secret: SecretStr | None) -> SecretStr | None:
        text = secret.get_secret_value() if secret else ""
        if text != text.strip() or not text.isascii() or not text.isprintable():
            raise ValueError("should be one line of ASCII without blanks before or after it")
        return secret if text else None

    @field_validator("smtp_password_file", "library")
    @classmethod
    def _is_there(cls, file: Path | None) -> Path | None:
        if file is not None and not (file.is_file() and os.access(file, os.R_OK)):
            raise ValueError(f"{file} should be a file that can be read")
        return file

    @field_validator("sources")
    @classmethod
    def _sources(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words:
            raise ValueError(f"there is none; should be one or more of huggingface, {ARXIV}, a feed's address or a folder")
        for word in words:
            source_table(word, ())
        return words

    @field_validator("categories")
    @classmethod
    def _categories(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [word for word in words if not re.fullmatch(_CATEGORY, word)]:
            raise ValueError(f"{wrong[0]!r} should be an arXiv category such as cs.CL, or an archive such as stat")
        return words

    @field_validator("interests")
    @classmethod
    def _interests(cls, text: str) -> str:
        if rejected := understand(text).rejected:
            raise ValueError(rejected[0])
        return text


def read_answers(file: Path, defaults: dict[str, Any]) -> Answers:
    """The answers in a TOML file; what it leaves out is as it is now. Raises ConfigurationError naming file and key."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(str(file), f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(str(file), f"is not TOML: {error}") from None
    if "smtp_password" in values or "smtp_password_file" in values:
        defaults = {key: value for key, value in defaults.items() if not key.startswith("smtp_password")}
    if values.get("smtp_host", defaults.get("smtp_host")) != defaults.get("smtp_host"):
        defaults = {key: value for key, value in defaults.items() if not key.startswith("smtp_")}
    try:
        return Answers(**(guesses(str(values.get("email", ""))) | defaults | values))
    except ValidationError as error:
        raise named(error, file) from None


def named(error: ValidationError, file: Path | None = None) -> ConfigurationError:
    """In one line: the answer's key, and what it may be."""
    found = explained(error, Answers)
    return ConfigurationError(f"{file}: {found.key}" if file else found.key, found.reason)


def guesses(email: str) -> dict[str, Any]:
    """What is likely where nobody said anything."""
    domain = email.strip().rpartition("@")[2].lower()
    host = {"smtp_host": HOST_OF[domain], "smtp_username": email.strip()} if domain in HOST_OF else {}
    return {"timezone": local_zone(), **host}


def present(settings: Settings) -> dict[str, Any]:
    """The answers that the settings hold: the defaults when somebody is asked again."""
    mail, relay, first = settings.mail, settings.relays[0] if settings.relays else None, settings.lists[0]
    found: dict[str, Any] = {
        "email": settings.alerts.to or mail.from_address,
        "from_address": mail.from_address,
        "from_name": mail.from_name,
        "postal_address": mail.postal_address,
        "base_url": settings.web.base_url if settings.web.enabled else None,
        "timezone": settings.default_timezone,
        "send_time": settings.default_send_time,
        "sources": tuple(source_word(each) for each in settings.sources),
        "categories": first.categories,
    }
    if relay is not None:
        given = relay.model_fields_set
        found |= {"smtp_host": relay.host, "smtp_username": relay.username, "smtp_password_file": relay.password_file}
        found |= {"smtp_port": relay.port if "port" in given else None, "smtp_tls": relay.tls if "tls" in given else None}
    return found


def local_zone() -> str:
    """The zone that this machine is set to; UTC where it does not say."""
    places = [os.environ.get("TZ", "").lstrip(":")]
    with suppress(OSError, UnicodeDecodeError):
        places.append(Path("/etc/timezone").read_text("ascii").strip())
    places.append(os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2])
    return next((place for place in places if place in zone_names()), "UTC")


def check_library(answers: Answers, at: datetime) -> int:
    """How many papers the library names. Raises InvalidInput where it names none."""
    from digest.services.libraries.read_library import read_library

    return len(read_library(answers.library, at)[0]) if answers.library else 0
