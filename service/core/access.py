"""API keys: shown once, kept hashed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Scope(StrEnum):
    UPLOAD = "upload"
    READ = "read"
    JOBS = "jobs"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `secret_sha256` is all that is kept of that."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    secret_sha256: str
    created_at: datetime
    revoked_at: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        """`admin` holds every other scope."""
        return self.revoked_at is None and bool({scope, Scope.ADMIN} & self.scopes)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody signed in to the pages with a key; of the id in their cookie the hash is kept."""

    id_sha256: str
    key_id: UUID
    expires_at: datetime


def secret_sha256(secret: str) -> str:
    """A plain hash is enough: secrets are 256 random bits, so guessing is hopeless without it."""
    return hashlib.sha256(secret.encode()).hexdigest()
