"""Access tokens for relays that want OAuth (XOAUTH2) in place of a password: made from a refresh token, kept while they last.

Google: https://developers.google.com/identity/protocols/oauth2/web-server#offline
Microsoft: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from digest.config.read import read_secret
from digest.config.secret_files import write_secret
from digest.domain.errors import ConfigurationError, DigestError, RelayRefusedUs, RelayUnreachable, SourceError, SourceRefused
from digest.sources.port import Getter, Pace

if TYPE_CHECKING:
    from digest.config.mail import OAuth

_ENDPOINTS = {
    "google": "https://oauth2.googleapis.com/token",
    "microsoft": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
}
_SCOPES = {"google": "", "microsoft": "https://outlook.office.com/SMTP.Send offline_access"}
"""Google's refresh token holds its own scope, https://mail.google.com/."""
_EARLY = 60.0
"""Seconds before its end from which on a token is not used any more."""
_USUAL_LIFETIME = 3600
_AT_ONCE = Pace("oauth", 0.0)
_ADVICE = {
    "invalid_grant": "the refresh token has expired or was withdrawn: let the account sign in again, and put the new one into"
    " relays.oauth.refresh_token_file",
    "invalid_client": "set relays.oauth.client_id and relays.oauth.client_secret to those of the registered application",
    "unauthorized_client": "the application may not use this refresh token: set relays.oauth.client_id to the one it is for",
    "invalid_scope": "the refresh token was made without the right to send mail over SMTP (SMTP.Send, https://mail.google.com/)",
    "invalid_request": "check relays.oauth: provider, tenant, client_id and client_secret",
}
"""By the `error` of RFC 6749 §5.2."""


class AccessTokens:
    """The tokens of one relay. Threads may share it. `now` is the real clock."""

    def __init__(self, relay: str, settings: OAuth, getter: Callable[[], Getter], now: Callable[[], datetime]) -> None:
        self._relay, self._settings, self._getter, self._now = relay, settings, getter, now
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0
        self._refresh_token = ""
        self.url = _endpoint(settings)

    @property
    def refresh_token(self) -> str:
        """Raises ConfigurationError where there is none."""
        ours, key = self._settings, "relays.oauth.refresh_token"
        token = self._refresh_token or read_secret(ours.refresh_token, ours.refresh_token_file, key)
        if not token:
            raise ConfigurationError(key, "is missing; set it, or refresh_token_file, to what the provider gave")
        return token

    def access_token(self) -> str:
        """Raises RelayRefusedUs saying what to set, RelayUnreachable where the endpoint does not answer."""
        with self._lock:
            now = self._now().timestamp()
            if now >= self._until - _EARLY:
                try:
                    answer = self._asked()
                except ConfigurationError as error:
                    raise RelayRefusedUs(self._relay, str(error).removeprefix("configuration: ")) from None
                self._token, self._until = str(answer["access_token"]), now + _lifetime(answer)
            return self._token

    def _asked(self) -> dict[str, Any]:
        ours = self._settings
        form = {"grant_type": "refresh_token", "client_id": ours.client_id, "refresh_token": self.refresh_token}
        if secret := read_secret(ours.client_secret, ours.client_secret_file, "relays.oauth.client_secret"):
            form["client_secret"] = secret
        if scope := _SCOPES[ours.provider]:
            form["scope"] = scope
        try:
            answer = _table(self._getter().post(f"of tokens for relay {self._relay}", self.url, form=form, pace=_AT_ONCE).data)
        except SourceRefused as refused:
            raise RelayRefusedUs(self._relay, _why(_table(refused.body), refused)) from None
        except SourceError as error:
            raise RelayUnreachable(self._relay, f"no access token: {error.reason}") from None
        if not answer.get("access_token"):
            raise RelayRefusedUs(self._relay, f"{self.url} gave no access token; check relays.oauth.provider")
        self._keep(answer.get("refresh_token"))
        return answer

    def _keep(self, renewed: object) -> None:
        """Microsoft gives a new refresh token each time and lets the older ones expire: the file gets the newest."""
        if not isinstance(renewed, str) or not renewed or renewed == self.refresh_token:
            return
        self._refresh_token = renewed
        if file := self._settings.refresh_token_file:
            try:
                write_secret(file, renewed)
            except DigestError:
                return  # read-only, as in a container: the one that is there works for as long as the provider lets it


def _endpoint(settings: OAuth) -> str:
    url = settings.token_url or _ENDPOINTS[settings.provider].format(tenant=settings.tenant)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigurationError("relays.oauth.token_url", "should begin with https://: the refresh token is sent there")
    return url


def _lifetime(answer: dict[str, Any]) -> float:
    try:
        return max(float(answer.get("expires_in", _USUAL_LIFETIME)), 0.0)
    except (TypeError, ValueError):
        return _USUAL_LIFETIME


def _table(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _why(answer: dict[str, Any], refused: SourceRefused) -> str:
    """The endpoint's own words, in one line, and what to do."""
    kind = str(answer.get("error", ""))[:60]
    words = " ".join(str(answer.get("error_description", "")).split())[:160]
    reported = ": ".join(filter(None, (kind, words))) or refused.reason
    return f"no access token ({reported}); {_ADVICE.get(kind, 'check relays.oauth')}"
