"""Reading the settings: TOML and the environment in, one frozen tree or one clear line out."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from digest.config.mail import Relay
from digest.config.papers import ListSettings, SourceSettings
from digest.config.settings import RENAMED, Settings
from digest.config.values import SHAPES
from digest.domain.errors import ConfigurationError

LOCAL_PATH = Path("config/local.toml")
"""What `digest init` writes."""
DEFAULT_PATH = Path("config/digest.toml")
SYSTEM_PATH = Path("/etc/digest/digest.toml")
"""Looked up after the working folder's: where packages for a whole machine put settings."""
NOT_SETTINGS = frozenset({"DIGEST_CONFIG", "DIGEST_PYTHON"})


def load(path: Path | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Reads the settings. `path` must exist when given; without it DIGEST_CONFIG, then ./config/local.toml,
    ./config/digest.toml and /etc/digest/digest.toml, whichever is there first; without any, the defaults.

    Raises ConfigurationError naming the key and what it may be.
    """
    env = dict(os.environ) if environ is None else environ
    chosen = settings_file(path, env)
    return checked(_read_toml(chosen) if chosen else {}, env)


def checked(values: dict[str, Any], env: Mapping[str, str]) -> Settings:
    """The settings of a file's `values`, with what the environment sets. Raises ConfigurationError."""
    for name in env:
        if name.startswith("DIGEST_") and name not in NOT_SETTINGS:
            section = name.removeprefix("DIGEST_").split("__")[0].lower()
            if section in RENAMED:
                values[section] = env[name]
            elif section not in Settings.model_fields:
                raise ConfigurationError(name, f"unknown setting{_meant(section, Settings)}")
    try:
        return Settings(**values)
    except ValidationError as error:
        raise explained(error) from None
    except Exception as error:  # pydantic-settings wraps JSON faults in its own SettingsError
        field = re.search(r'field "(\w+)"', str(error))
        raise ConfigurationError(f"DIGEST_{field[1].upper()}" if field else "environment", "should be JSON") from None


def settings_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Which file `load` reads."""
    chosen = path or (Path(environ["DIGEST_CONFIG"]) if environ.get("DIGEST_CONFIG") else None)
    return chosen or next((place for place in (LOCAL_PATH, DEFAULT_PATH, SYSTEM_PATH) if place.is_file()), None)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(path), f"is not TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError(str(path), "is not TOML that can be read: brackets within brackets, too deep") from None


_TABLES: dict[str, type[BaseModel]] = {"relays": Relay, "lists": ListSettings, "sources": SourceSettings}
_IN_WORDS = {
    "missing": "is missing",
    "string_type": 'should be text in quotes: "…"',
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "time_type": 'should be like "07:00"',
    "time_parsing": 'should be like "07:00"',
    "path_type": 'should be a path in quotes: "…"',
    "dict_type": "should be a table: { key = value }",
}
"""What pydantic says in words of its own, by its type of fault."""


def explained(error: ValidationError, root: type[BaseModel] = Settings) -> ConfigurationError:
    """The first fault, with the key and what it may be."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    if not path:  # from _consistent, which names the key itself
        path, _, text = text.partition(": ")
    if first["type"] == "extra_forbidden":
        return ConfigurationError(path, f"unknown key{_meant(str(first['loc'][-1]), _model_at(first['loc'][:-1], root))}")
    if first["type"] == "string_pattern_mismatch":
        return ConfigurationError(path, f"{str(first['input'])[:40]!r} should be {SHAPES[first['ctx']['pattern']]}")
    if first["type"] in ("tuple_type", "model_type"):
        name = str(first["loc"][0])
        if root is Settings and name in _TABLES and len(first["loc"]) - (first["type"] == "model_type") == 1:
            return ConfigurationError(name, f"should be tables, each headed [[{name}]]")
        right = 'a list: ["a", "b"]' if first["type"] == "tuple_type" else f"a table, headed [{_heading(first['loc'])}]"
        return ConfigurationError(path, f"should be {right}")
    text = text.removeprefix("Input ")
    return ConfigurationError(path, _IN_WORDS.get(first["type"]) or text[0].lower() + text[1:])


def _heading(loc: tuple[int | str, ...]) -> str:
    return ".".join(part for part in loc if isinstance(part, str))


def _model_at(loc: tuple[int | str, ...], root: type[BaseModel]) -> type[BaseModel]:
    if not loc:
        return root
    name = str(loc[0])
    return _TABLES.get(name) or type(Settings.model_fields[name].default)


def _meant(word: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(word, model.model_fields, 1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(model.model_fields)}"


def read_secret(value: SecretStr | None, file: Path | None, key: str) -> str | None:
    """The secret itself, from the setting or from `*_file` (its surrounding white space removed). Raises ConfigurationError."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigurationError(f"{key}_file", f"{file} cannot be read ({why})") from None
