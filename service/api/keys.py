"""API keys, and sessions of people who signed in with one. Asked before a body is read."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum, auto
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.api.problems import HttpRefusal
from service.api.sessions import SessionId, refuse_foreign, session_of
from service.core.access import ApiKey, Scope, secret_sha256
from service.ports import Ledger

FRESH_S = 2.0
"""How long an answer of the ledger is used: a revoked key works that much longer."""
MAX_REMEMBERED = 1_000

Claim = str | SessionId | None
"""Who a request says it comes from: a key's secret, a session, or nobody."""


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
    """Checks keys and sessions against the ledger, remembering its word for `FRESH_S`.

    Thread-safe.
    """

    def __init__(
        self,
        ledger: Ledger,
        rule: AuthRule,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._rule = rule
        self._clock = clock
        self._now = now
        self._lock = Lock()
        self._keys: dict[tuple[type, str], tuple[ApiKey, float]] = {}
        self._key_exists = False
        self._asked_at: float | None = None

    def check(self, claim: Claim, scope: Scope) -> None:
        """Raises `AccessDenied` unless the claim's key, where one is asked for, has the scope."""
        if not self.asks_for_keys():
            return
        key = self.key_of(claim)
        if not key.allows(scope):
            raise AccessDenied(
                "auth.forbidden",
                f"the key {key.name!r} lacks the scope {scope}, or admin",
                challenge=', error="insufficient_scope"',
            )

    def lets_pass(self, claim: Claim, scope: Scope) -> bool:
        """Whether what is remembered is enough for `check` to pass; asks nobody, so never waits."""
        if self._rule is AuthRule.NEVER:
            return True
        if self._rule is AuthRule.ONCE_A_KEY_EXISTS and self._was_open_lately():
            return True
        key = None if claim is None else self._remembered(_place(claim))
        return key is not None and key.revoked_at is None and key.allows(scope)

    def key_of(self, claim: Claim) -> ApiKey:
        """The valid key that the claim names; raises `AccessDenied`."""
        if claim is None:
            raise AccessDenied(
                "auth.missing",
                "send a key as `Authorization: Bearer KEY`; `metercrop keys create` makes one",
            )
        key = self._key(claim)
        if key is None or key.revoked_at is not None:
            raise AccessDenied(
                "auth.unknown",
                "the key is not known, or has been revoked",
                challenge=', error="invalid_token"',
            )
        return key

    def forget(self, claim: SessionId) -> None:
        """From now on the ledger is asked about it."""
        with self._lock:
            self._keys.pop(_place(claim), None)

    def asks_for_keys(self) -> bool:
        match self._rule:
            case AuthRule.ALWAYS:
                return True
            case AuthRule.NEVER:
                return False
            case AuthRule.ONCE_A_KEY_EXISTS:
                return self._a_key_exists()

    def _a_key_exists(self) -> bool:
        """Keys are revoked but never deleted, so a yes holds for good."""
        if self._key_exists or self._was_open_lately():
            return self._key_exists
        now = self._clock()
        self._key_exists = bool(self._ledger.keys())
        self._asked_at = now
        return self._key_exists

    def _was_open_lately(self) -> bool:
        asked_at = self._asked_at
        fresh = asked_at is not None and self._clock() - asked_at < FRESH_S
        return fresh and not self._key_exists

    def _key(self, claim: str | SessionId) -> ApiKey | None:
        """Unknown keys are not remembered: a new key works at once, and guesses fill no memory."""
        place, now = _place(claim), self._clock()
        known = self._remembered(place)
        if known is not None:
            return known
        key = self._asked(claim)
        with self._lock:
            self._keys.pop(place, None)
            if key is not None:
                if len(self._keys) >= MAX_REMEMBERED:
                    self._keys.pop(next(iter(self._keys)))
                self._keys[place] = (key, now)
        return key

    def _remembered(self, place: tuple[type, str]) -> ApiKey | None:
        with self._lock:
            key, asked_at = self._keys.get(place, (None, 0.0))
        return key if self._clock() - asked_at < FRESH_S else None

    def _asked(self, claim: str | SessionId) -> ApiKey | None:
        match claim:
            case SessionId(text):
                return self._ledger.session_key(secret_sha256(text), at=self._now())
            case str():
                return self._ledger.key_by_secret(secret_sha256(claim))


def _place(claim: str | SessionId) -> tuple[type, str]:
    """Under which it is remembered; apart, so that neither can be used as the other."""
    text = claim.text if isinstance(claim, SessionId) else claim
    return type(claim), secret_sha256(text)


BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="A key that `metercrop keys create` printed. Scopes: upload, read, jobs, admin.",
)


async def claim_of(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> Claim:
    """The key sent along; without one the session that the browser's cookie names.

    Raises `RequestRejected` `request.cross_origin`.
    """
    if credentials is not None:
        return credentials.credentials
    session = session_of(request)
    if session is not None:
        refuse_foreign(request)
    return session


Claimed = Annotated[Claim, Depends(claim_of)]


def requires(scope: Scope) -> Callable[..., Awaitable[None]]:
    """A dependency that lets a request pass if it may use `scope`."""

    async def check(request: Request, claim: Claimed) -> None:
        authentication: Authentication = request.app.state.running.parts.authentication
        if not authentication.lets_pass(claim, scope):
            await run_in_threadpool(authentication.check, claim, scope)

    return check
