"""API keys: who may ask what. Asked before a body is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.api.problems import HttpRefusal
from service.core.access import ApiKey, Scope, secret_sha256
from service.ports import Ledger

FRESH_S = 2.0
"""How long an answer of the ledger is used: a revoked key works that much longer."""
MAX_REMEMBERED = 1_000


class AuthRule(Enum):
    """When a key is asked for."""

    ALWAYS = auto()
    NEVER = auto()
    ONCE_A_KEY_EXISTS = auto()
    """On loopback a service works without keys until the first is created; revoking it later
    does not open the service again."""


class AccessDenied(HttpRefusal):
    """Codes `auth.missing`, `auth.unknown`, `auth.forbidden`."""

    def __init__(self, code: str, message: str, *, challenge: str = "") -> None:
        headers = {"WWW-Authenticate": f'Bearer realm="metercrop"{challenge}'}
        super().__init__(code, message, headers=headers)


class Authentication:
    """Checks keys against the ledger, remembering what it said for `FRESH_S`; thread-safe."""

    def __init__(
        self, ledger: Ledger, rule: AuthRule, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._rule = rule
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[str, tuple[ApiKey, float]] = {}
        self._key_exists = False
        self._asked_at: float | None = None

    def check(self, secret: str | None, scope: Scope) -> None:
        """Raises `AccessDenied` unless the secret's key, where one is asked for, has the scope."""
        if not self._asks_for_keys():
            return
        if secret is None:
            raise AccessDenied(
                "auth.missing",
                "send a key as `Authorization: Bearer KEY`; `metercrop keys create` makes one",
            )
        key = self._key(secret_sha256(secret))
        if key is None or key.revoked_at is not None:
            raise AccessDenied(
                "auth.unknown",
                "the key is not known, or has been revoked",
                challenge=', error="invalid_token"',
            )
        if not key.allows(scope):
            raise AccessDenied(
                "auth.forbidden",
                f"the key {key.name!r} lacks the scope {scope}, or admin",
                challenge=', error="insufficient_scope"',
            )

    def allows(self, secret: str | None, scope: Scope) -> bool:
        try:
            self.check(secret, scope)
        except AccessDenied:
            return False
        return True

    def _asks_for_keys(self) -> bool:
        match self._rule:
            case AuthRule.ALWAYS:
                return True
            case AuthRule.NEVER:
                return False
            case AuthRule.ONCE_A_KEY_EXISTS:
                return self._a_key_exists()

    def _a_key_exists(self) -> bool:
        """Keys are revoked but never deleted, so a yes holds for good."""
        now = self._clock()
        if self._key_exists or (self._asked_at is not None and now - self._asked_at < FRESH_S):
            return self._key_exists
        self._key_exists = bool(self._ledger.keys())
        self._asked_at = now
        return self._key_exists

    def _key(self, sha256: str) -> ApiKey | None:
        """Unknown keys are not remembered: a new key works at once, and guesses fill no memory."""
        now = self._clock()
        with self._lock:
            known = self._keys.get(sha256)
        if known is not None and now - known[1] < FRESH_S:
            return known[0]
        key = self._ledger.key_by_secret(sha256)
        with self._lock:
            self._keys.pop(sha256, None)
            if key is not None:
                if len(self._keys) >= MAX_REMEMBERED:
                    self._keys.pop(next(iter(self._keys)))
                self._keys[sha256] = (key, now)
        return key


BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="A key that `metercrop keys create` printed. Scopes: upload, read, jobs, admin.",
)


async def secret_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> str | None:
    return None if credentials is None else credentials.credentials


def requires(scope: Scope) -> Callable[..., None]:
    """A dependency that lets a request pass if it may use `scope`."""

    def check(request: Request, secret: Annotated[str | None, Depends(secret_of)]) -> None:
        authentication: Authentication = request.app.state.running.parts.authentication
        authentication.check(secret, scope)

    return check
