"""The settings: one frozen tree, read once from TOML and the environment, handed on as narrow arguments.

Precedence: environment (`DIGEST_` + path joined by `__`, lists and tables as JSON) over the TOML file over the defaults here.
Every key is described in config/digest.toml; a test fails when one is missing there.
"""

from __future__ import annotations

from digest.config.core import Database, Http, Ranking, Secrets, Templates, Web
from digest.config.mail import Delivery, Dkim, Inbound, Mail, Relay
from digest.config.papers import ListSettings, LookUps, SourceSettings, Summaries
from digest.config.read import DEFAULT_PATH, load, read_secret
from digest.config.settings import Alerts, Log, Retention, Settings

__all__ = [
    "DEFAULT_PATH",
    "Alerts",
    "Database",
    "Delivery",
    "Dkim",
    "Http",
    "Inbound",
    "ListSettings",
    "Log",
    "LookUps",
    "Mail",
    "Ranking",
    "Relay",
    "Retention",
    "Secrets",
    "Settings",
    "SourceSettings",
    "Summaries",
    "Templates",
    "Web",
    "load",
    "read_secret",
]
