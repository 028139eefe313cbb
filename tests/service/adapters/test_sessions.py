"""Sessions of people who signed in, held by the fake and by both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from service.core.access import ApiKey, Scope, SignIn, secret_sha256
from service.ports import Ledger
from tests.records import NOON

HOUR = timedelta(hours=1)


def added_key(ledger: Ledger, name: str = "gate") -> ApiKey:
    key = ApiKey(uuid4(), name, frozenset({Scope.READ}), secret_sha256(name), NOON)
    ledger.add_key(key)
    return key


def signed_in(ledger: Ledger, key: ApiKey, name: str = "laptop") -> SignIn:
    sign_in = SignIn(secret_sha256(name), key.id, NOON + HOUR)
    ledger.add_session(sign_in, at=NOON)
    return sign_in


def test_session_leads_to_the_key_it_was_begun_with(ledger: Ledger) -> None:
    key, other = added_key(ledger), added_key(ledger, "other")
    laptop, phone = signed_in(ledger, key), signed_in(ledger, other, "phone")

    assert ledger.session_key(laptop.id_sha256, at=NOON) == key
    assert ledger.session_key(phone.id_sha256, at=NOON) == other
    assert ledger.session_key(secret_sha256("guessed"), at=NOON) is None


def test_session_ends_at_its_hour(ledger: Ledger) -> None:
    session = signed_in(ledger, added_key(ledger))

    moment = timedelta(microseconds=1)
    assert ledger.session_key(session.id_sha256, at=NOON + HOUR - moment) is not None
    assert ledger.session_key(session.id_sha256, at=NOON + HOUR) is None


def test_session_that_was_ended_leads_nowhere(ledger: Ledger) -> None:
    key = added_key(ledger)
    laptop, phone = signed_in(ledger, key), signed_in(ledger, key, "phone")

    ledger.end_session(laptop.id_sha256)
    ledger.end_session(laptop.id_sha256)

    assert ledger.session_key(laptop.id_sha256, at=NOON) is None
    assert ledger.session_key(phone.id_sha256, at=NOON) == key


def test_session_tells_that_its_key_was_revoked(ledger: Ledger) -> None:
    key = added_key(ledger)
    session = signed_in(ledger, key)

    ledger.revoke_key(key.id, at=NOON)

    assert ledger.session_key(session.id_sha256, at=NOON) == replace(key, revoked_at=NOON)


def test_expired_sessions_go_when_somebody_signs_in(ledger: Ledger) -> None:
    key = added_key(ledger)
    expired = signed_in(ledger, key)

    ledger.add_session(SignIn(secret_sha256("new"), key.id, NOON + 2 * HOUR), at=NOON + HOUR)

    assert ledger.session_key(expired.id_sha256, at=NOON) is None
    assert ledger.session_key(secret_sha256("new"), at=NOON + HOUR) == key
