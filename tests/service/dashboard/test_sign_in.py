"""Signing in to the pages: the cookie, what may ride on it, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import FRESH_S, AccessDenied, Authentication, AuthRule
from service.api.sessions import SessionId
from service.core.access import ApiKey, Scope, SignIn, secret_sha256
from service.dashboard.sign_in import LASTS
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.serving import ANSWER_S, add_key, bearer, client_of, parts_of, served, site_of

OWN = {"Sec-Fetch-Site": "same-origin"}
HTTPS = {"X-Forwarded-Proto": "https"}
"""As a proxy on the same machine tells it."""
NO_JOB = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def client(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    for scope in Scope:
        add_key(ledger, f"secret-{scope}", scope)
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        yield client


def sign_in(
    client: httpx.Client, key: str, *, next_: str = "", headers: dict[str, str] | None = None
) -> httpx.Response:
    return client.post(
        "/sign-in", data={"key": key, "next": next_}, headers=OWN if headers is None else headers
    )


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    """The only one that it sets."""
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    return cookie


def test_page_leads_to_the_sign_in_and_back_to_itself(client: httpx.Client) -> None:
    asked = client.get("/health?since=day")
    page = client.get(asked.headers["Location"])
    signed_in = sign_in(client, "secret-read", next_="/health?since=day")

    assert asked.status_code == signed_in.status_code == 303
    assert asked.headers["Location"] == "/sign-in?next=%2Fhealth%3Fsince%3Dday"
    assert 'value="/health?since=day"' in page.text
    assert signed_in.headers["Location"] == "/health?since=day"


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/\t/evil.example",
    "/%0d%0a//x\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "photos",
    "///evil.example",
    "/photos//evil.example",
]


def test_next_leads_nowhere_else(client: httpx.Client) -> None:
    for elsewhere in ELSEWHERE:
        assert sign_in(client, "secret-read", next_=elsewhere).headers["Location"] == "/"
        led_on = client.get("/sign-in", params={"next": elsewhere})
        assert led_on.headers["Location"] == "/"


def test_wrong_key_is_refused_in_the_words_of_the_api(client: httpx.Client) -> None:
    refused = sign_in(client, "guessed", next_="/photos")
    by_the_api = client.get("/v1/photos", headers=bearer("guessed")).json()

    assert refused.status_code == by_the_api["status"] == 401
    assert by_the_api["detail"] in refused.text.replace("The key", "the key")
    assert 'value="/photos"' in refused.text
    assert "guessed" not in refused.text
    assert "Set-Cookie" not in refused.headers


def test_empty_form_asks_for_a_key(client: httpx.Client) -> None:
    refused = client.post("/sign-in", headers=OWN)

    assert refused.status_code == 401
    assert "Type a key first" in refused.text


def test_cookie_is_out_of_reach_of_scripts_and_of_other_sites(client: httpx.Client) -> None:
    cookie = cookie_of(sign_in(client, "secret-read"))

    assert cookie.key == "metercrop"
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert (cookie["secure"], cookie["domain"]) == ("", "")
    assert int(cookie["max-age"]) == LASTS.total_seconds()
    assert len(cookie.value) >= 43


def test_cookie_over_https_is_bound_to_it_and_to_this_host(client: httpx.Client) -> None:
    cookie = cookie_of(sign_in(client, "secret-read", headers=OWN | HTTPS))
    of_http = {"Cookie": f"metercrop={cookie.value}"}
    of_https = {"Cookie": f"__Host-metercrop={cookie.value}"}

    assert (cookie.key, cookie["secure"], cookie["path"]) == ("__Host-metercrop", True, "/")
    assert client.get("/v1/photos", headers=of_https | HTTPS).status_code == 200
    assert client.get("/v1/photos", headers=of_http | HTTPS).status_code == 401


def test_cookie_of_a_service_below_a_path_stays_there(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    add_key(ledger, "secret", Scope.READ)
    app = site_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS))
    app.root_path = "/meters"
    with served(app) as url, httpx.Client(base_url=url, timeout=ANSWER_S) as client:
        asked = client.get("/meters/health")
        plain = sign_in(client, "secret", next_="/meters/health")
        secure = sign_in(client, "secret", next_="/elsewhere", headers=OWN | HTTPS)

    assert asked.headers["Location"] == "/meters/sign-in?next=%2Fmeters%2Fhealth"
    assert plain.headers["Location"] == "/meters/health"
    assert secure.headers["Location"] == "/meters/"
    assert cookie_of(plain)["path"] == cookie_of(secure)["path"] == "/meters"
    assert cookie_of(secure).key == "__Secure-metercrop"


def test_only_a_hash_of_the_id_is_kept(client: httpx.Client, ledger: FakeLedger) -> None:
    text = cookie_of(sign_in(client, "secret-read")).value

    assert list(ledger._sessions) == [secret_sha256(text)]


def test_session_opens_what_its_key_opens_and_no_more(client: httpx.Client) -> None:
    sign_in(client, "secret-upload")

    assert client.get("/v1/photos").status_code == 403
    refused = client.get("/health")
    assert refused.status_code == 403
    assert "lacks the scope read" in refused.text
    assert "Sign out" in refused.text
    assert client.post("/v1/photos", content=painted_photo(), headers=OWN).status_code == 201


def test_key_in_the_header_counts_before_the_session(client: httpx.Client) -> None:
    sign_in(client, "secret-read")

    assert client.get("/v1/photos", headers=bearer("guessed")).status_code == 401
    assert client.get("/v1/jobs", headers=bearer("secret-read")).status_code == 403


def test_session_id_is_no_key_and_a_key_no_session(client: httpx.Client) -> None:
    text = cookie_of(sign_in(client, "secret-read")).value
    client.get("/v1/photos")
    client.cookies.clear()

    assert client.get("/v1/photos", headers=bearer(text)).status_code == 401
    for key in ("secret-read", "guessed", ""):
        answer = client.get("/v1/photos", headers={"Cookie": f"metercrop={key}"})
        assert answer.status_code == 401


def test_signing_out_ends_the_session_at_once(client: httpx.Client) -> None:
    cookie = cookie_of(sign_in(client, "secret-read"))
    assert client.get("/v1/photos").status_code == 200

    left = client.post("/sign-out", headers=OWN)

    assert (left.status_code, left.headers["Location"]) == (303, "/sign-in")
    assert cookie_of(left)["max-age"] == "0"
    kept = {"Cookie": f"metercrop={cookie.value}"}
    assert client.get("/v1/photos", headers=kept).status_code == 401


def test_signing_in_again_ends_the_session_of_before(client: httpx.Client) -> None:
    first = cookie_of(sign_in(client, "secret-read"))
    second = cookie_of(sign_in(client, "secret-admin"))
    client.cookies.clear()

    assert first.value != second.value
    answer = client.get("/v1/photos", headers={"Cookie": f"metercrop={first.value}"})
    assert answer.status_code == 401


FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {},
]


def test_page_of_another_site_can_set_off_nothing(client: httpx.Client) -> None:
    sign_in(client, "secret-admin")

    for headers in FOREIGN:
        for path in ("/sign-out", "/sign-in"):
            refused = client.post(path, headers=headers)
            assert refused.status_code == 403
            assert "another site" in refused.text
        for method, path in (
            ("POST", "/v1/photos"),
            ("POST", f"/v1/jobs/{NO_JOB}/cancel"),
            ("DELETE", f"/v1/photos/{NO_JOB}"),
        ):
            answer = client.request(method, path, headers=headers)
            assert_problem(answer, 403, "request.cross_origin")
        assert client.get("/v1/photos", headers=headers).status_code == 200


def test_own_page_is_known_by_its_origin_where_the_browser_tells_no_more(
    client: httpx.Client,
) -> None:
    sign_in(client, "secret-upload")
    own = {"Origin": str(client.base_url)}

    assert client.post("/v1/photos", content=painted_photo(), headers=own).status_code == 201
    assert client.post("/sign-out", headers=own).status_code == 303


def test_page_of_another_site_can_set_off_nothing_without_keys_either(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger)) as client:
        assert client.post("/sign-in", headers={"Origin": "http://evil.example"}).status_code == 403


def test_nothing_of_it_shows_where_no_keys_are_asked_for(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger)) as client:
        page = client.get("/health")
        sign_in_page = client.get("/sign-in?next=/health")

    assert page.status_code == 200
    assert "Sign out" not in page.text
    assert sign_in_page.headers["Location"] == "/health"


def test_live_part_has_its_page_loaded_again_once_the_session_is_over(
    client: httpx.Client,
) -> None:
    answer = client.get("/health", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (401, "true")
    assert answer.text == ""


def test_form_that_is_too_large_is_refused_before_it_is_read(client: httpx.Client) -> None:
    assert client.post("/sign-in", content=bytes(1_000_000), headers=OWN).status_code == 413


def signed_in(ledger: FakeLedger, *scopes: Scope) -> tuple[SessionId, ApiKey]:
    """A session of an hour from now on."""
    key_id = add_key(ledger, "secret", *scopes)
    now = datetime.now(UTC)
    ledger.add_session(SignIn(secret_sha256("id"), key_id, now + timedelta(hours=1)), at=now)
    (key,) = ledger.keys()
    return SessionId("id"), key


def test_revoking_a_key_ends_its_sessions_once_answers_are_stale(ledger: FakeLedger) -> None:
    passed = [0.0]
    authentication = Authentication(ledger, AuthRule.ALWAYS, clock=lambda: passed[0])
    session, key = signed_in(ledger, Scope.READ)
    assert authentication.key_of(session) == key

    ledger.revoke_key(key.id, at=datetime.now(UTC))
    passed[0] += FRESH_S

    with pytest.raises(AccessDenied, match="revoked"):
        authentication.check(session, Scope.READ)


def test_session_is_over_when_its_time_is(ledger: FakeLedger) -> None:
    session, _ = signed_in(ledger, Scope.READ)
    later = datetime.now(UTC) + timedelta(hours=1)
    authentication = Authentication(ledger, AuthRule.ALWAYS, now=lambda: later)

    with pytest.raises(AccessDenied):
        authentication.check(session, Scope.READ)


def test_known_session_costs_the_ledger_one_question_while_it_is_fresh() -> None:
    ledger = CountingLedger()
    session, _ = signed_in(ledger, Scope.READ)
    authentication = Authentication(ledger, AuthRule.ALWAYS, clock=lambda: 0.0)

    for _ in range(10):
        authentication.check(session, Scope.READ)

    assert ledger.questions == 1


class CountingLedger(FakeLedger):
    questions = 0

    def session_key(self, id_sha256: str, *, at: datetime) -> ApiKey | None:
        self.questions += 1
        return super().session_key(id_sha256, at=at)
