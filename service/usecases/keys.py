"""API keys: created, revoked."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from service.core.access import ApiKey, Scope, secret_sha256
from service.core.errors import NotFound
from service.core.fields import check_name
from service.ports import Ledger

SECRET_PREFIX = "mc_"  # noqa: S105  what lets scanners of leaked secrets recognise ours
SECRET_BYTES = 32


def create_key(
    ledger: Ledger, name: str, *, scopes: frozenset[Scope], at: datetime
) -> tuple[ApiKey, str]:
    """The key and its secret, which is kept nowhere and cannot be shown again."""
    check_name("name", name)
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(uuid7(), name, scopes, secret_sha256(secret), at)
    ledger.add_key(key)
    return key, secret


def revoke_key(ledger: Ledger, key_id: UUID, *, at: datetime) -> ApiKey:
    """The key as it is now; raises `NotFound` `key.not_found`."""
    key = ledger.revoke_key(key_id, at=at)
    if key is None:
        raise NotFound(
            "key.not_found", f"there is no key {key_id}; `metercrop keys list` shows all"
        )
    return key
