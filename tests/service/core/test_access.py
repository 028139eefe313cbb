from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.core.access import ApiKey, Scope, secret_sha256

KEY = ApiKey(
    id=UUID("0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10"),
    name="reader app",
    scopes=frozenset({Scope.UPLOAD}),
    secret_sha256=secret_sha256("mc_something"),
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
)


def test_key_allows_its_own_scopes_and_no_other() -> None:
    assert KEY.allows(Scope.UPLOAD)
    assert not any(KEY.allows(scope) for scope in Scope if scope is not Scope.UPLOAD)


@pytest.mark.parametrize("scope", list(Scope))
def test_admin_allows_every_scope(scope: Scope) -> None:
    assert replace(KEY, scopes=frozenset({Scope.ADMIN})).allows(scope)


@pytest.mark.parametrize("scope", list(Scope))
def test_revoked_key_allows_nothing(scope: Scope) -> None:
    revoked = replace(KEY, scopes=frozenset(Scope), revoked_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert not revoked.allows(scope)


def test_secret_is_kept_as_its_sha256() -> None:
    assert secret_sha256("abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
