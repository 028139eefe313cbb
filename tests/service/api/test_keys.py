"""API keys: who may ask what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import FRESH_S, AccessDenied, Authentication, AuthRule
from service.bootstrap import auth_rule_of
from service.core.access import ApiKey, Scope
from service.core.errors import Unavailable
from service.core.photo import Limits
from service.settings import Auth, Settings
from tests.fakes import FakeLedger, FakeObjectStore
from tests.problems import assert_problem
from tests.serving import add_key, bearer, client_of, parts_of

NOBODY = "/v1/photos/01900000-0000-7000-8000-000000000000"
ROUTES = [
    ("POST", "/v1/photos", Scope.UPLOAD),
    ("POST", "/v1/segment", Scope.UPLOAD),
    ("GET", "/v1/photos", Scope.READ),
    ("GET", NOBODY, Scope.READ),
    ("GET", f"{NOBODY}/content", Scope.READ),
    ("HEAD", f"{NOBODY}/content", Scope.READ),
    ("GET", f"{NOBODY}/original", Scope.READ),
    ("GET", "/v1/savings", Scope.READ),
    ("DELETE", NOBODY, Scope.ADMIN),
]
OPEN = ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"]


@pytest.fixture
def client(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    for scope in Scope:
        add_key(ledger, f"secret-{scope}", scope)
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_route_asks_for_a_key_that_is_known_and_has_the_scope(
    client: httpx.Client, method: str, path: str, scope: Scope
) -> None:
    wrong = Scope.JOBS

    no_key = client.request(method, path)
    unknown = client.request(method, path, headers=bearer("guessed"))
    without_scope = client.request(method, path, headers=bearer(f"secret-{wrong}"))
    allowed = client.request(method, path, headers=bearer(f"secret-{scope}"))
    admin = client.request(method, path, headers=bearer("secret-admin"))

    assert (no_key.status_code, unknown.status_code, without_scope.status_code) == (401, 401, 403)
    assert allowed.status_code not in (401, 403)
    assert admin.status_code not in (401, 403)
    if method != "HEAD":
        assert_problem(no_key, 401, "auth.missing")
        assert_problem(unknown, 401, "auth.unknown")
        assert_problem(without_scope, 403, "auth.forbidden", names=scope)
    for refused in (no_key, unknown, without_scope):
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["secret-read", "Basic c2VjcmV0LXJlYWQ=", "Bearer", ""])
def test_header_that_is_no_bearer_key_is_no_key(client: httpx.Client, header: str) -> None:
    answer = client.get("/v1/photos", headers={"Authorization": header})

    assert_problem(answer, 401, "auth.missing")


@pytest.mark.parametrize("path", OPEN)
def test_what_machines_and_people_look_at_first_is_open(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_key_is_asked_for_before_the_body_is_read(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    short = Limits(max_bytes=100_000)
    with client_of(
        parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS, limits=short)
    ) as client:
        answer = client.post("/v1/photos", content=bytes(2_000_000))

    assert_problem(answer, 401, "auth.missing")


@pytest.mark.parametrize(
    ("auth", "host", "rule"),
    [
        (None, "127.0.0.1", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "::1", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "localhost", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "0.0.0.0", AuthRule.ALWAYS),
        (None, "::", AuthRule.ALWAYS),
        (None, "meters.example", AuthRule.ALWAYS),
        (Auth.ON, "127.0.0.1", AuthRule.ALWAYS),
        (Auth.OFF, "0.0.0.0", AuthRule.NEVER),
    ],
)
def test_keys_are_asked_for_unless_only_this_machine_can_call(
    auth: Auth | None, host: str, rule: AuthRule
) -> None:
    assert auth_rule_of(Settings(auth=auth), host=host) is rule


def test_service_without_keys_opens_no_more_once_the_first_is_created(ledger: FakeLedger) -> None:
    now = [0.0]
    authentication = Authentication(ledger, AuthRule.ONCE_A_KEY_EXISTS, clock=lambda: now[0])
    authentication.check(None, Scope.ADMIN)

    add_key(ledger, "first", Scope.READ)
    now[0] += FRESH_S

    with pytest.raises(AccessDenied, match="Authorization"):
        authentication.check(None, Scope.READ)
    authentication.check("first", Scope.READ)


def test_revoking_the_last_key_does_not_open_the_service(ledger: FakeLedger) -> None:
    key_id = add_key(ledger, "only", Scope.READ)
    ledger.revoke_key(key_id, at=datetime.now(UTC))
    authentication = Authentication(ledger, AuthRule.ONCE_A_KEY_EXISTS)

    with pytest.raises(AccessDenied):
        authentication.check(None, Scope.READ)


def test_revoked_key_works_no_longer_than_answers_are_remembered(ledger: FakeLedger) -> None:
    now = [0.0]
    authentication = Authentication(ledger, AuthRule.ALWAYS, clock=lambda: now[0])
    key_id = add_key(ledger, "secret", Scope.READ)
    authentication.check("secret", Scope.READ)

    ledger.revoke_key(key_id, at=datetime.now(UTC))
    now[0] += FRESH_S

    with pytest.raises(AccessDenied, match="revoked"):
        authentication.check("secret", Scope.READ)


def test_known_key_costs_the_ledger_one_question_while_it_is_fresh() -> None:
    ledger = CountingLedger()
    add_key(ledger, "secret", Scope.READ)
    authentication = Authentication(ledger, AuthRule.ALWAYS, clock=lambda: 0.0)

    for _ in range(10):
        authentication.check("secret", Scope.READ)

    assert ledger.questions == 1


def test_what_is_remembered_lets_pass_without_a_question_while_it_is_fresh() -> None:
    ledger, now = CountingLedger(), [0.0]
    add_key(ledger, "secret", Scope.READ)
    authentication = Authentication(ledger, AuthRule.ALWAYS, clock=lambda: now[0])
    assert not authentication.lets_pass("secret", Scope.READ)

    authentication.check("secret", Scope.READ)

    assert authentication.lets_pass("secret", Scope.READ)
    assert not authentication.lets_pass("secret", Scope.JOBS)
    assert not authentication.lets_pass(None, Scope.READ)
    assert ledger.questions == 1
    now[0] += FRESH_S
    assert not authentication.lets_pass("secret", Scope.READ)


def test_service_without_keys_lets_pass_for_as_long_as_it_is_known_to_have_none(
    ledger: FakeLedger,
) -> None:
    now = [0.0]
    authentication = Authentication(ledger, AuthRule.ONCE_A_KEY_EXISTS, clock=lambda: now[0])
    assert not authentication.lets_pass(None, Scope.READ)

    authentication.check(None, Scope.READ)

    assert authentication.lets_pass(None, Scope.READ)
    add_key(ledger, "first", Scope.READ)
    now[0] += FRESH_S
    assert not authentication.lets_pass(None, Scope.READ)


def test_key_that_was_just_created_works_at_once(ledger: FakeLedger) -> None:
    authentication = Authentication(ledger, AuthRule.ALWAYS)
    with pytest.raises(AccessDenied):
        authentication.check("new", Scope.READ)

    add_key(ledger, "new", Scope.READ)

    authentication.check("new", Scope.READ)


def test_nobody_gets_in_while_the_ledger_cannot_be_asked() -> None:
    authentication = Authentication(SilentLedger(), AuthRule.ONCE_A_KEY_EXISTS)

    with pytest.raises(Unavailable):
        authentication.check(None, Scope.READ)


class CountingLedger(FakeLedger):
    questions = 0

    def key_by_secret(self, secret_sha256: str) -> ApiKey | None:
        self.questions += 1
        return super().key_by_secret(secret_sha256)


class SilentLedger(FakeLedger):
    def keys(self) -> tuple[ApiKey, ...]:
        raise Unavailable("database.unavailable", "the database does not answer")
