"""What machines ask, and what every answer carries."""

from __future__ import annotations

import asyncio
import re
import threading

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.adapters.onnx import OnnxSegmenter
from service.api.readiness import FRESH_S, Readiness
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem


def test_process_that_lives_says_so(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.head("/healthz").status_code == 200


def test_ready_service_names_each_part(client: httpx.Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert [check["part"] for check in answer.json()["checks"]] == ["model", "store", "database"]
    assert all(check["failure"] is None for check in answer.json()["checks"])


def test_service_without_its_store_is_not_ready_and_says_why(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    store.available = False

    answer = client.get("/readyz")

    assert_problem(answer, 503, "service.not_ready", names="store: ")
    assert "database" not in answer.json()["detail"]


def test_part_that_never_answers_is_not_waited_for(
    segmenter: OnnxSegmenter, ledger: FakeLedger
) -> None:
    store = SilentStore()
    readiness = Readiness(segmenter, store, ledger, patience_s=3.0)

    model, of_store, database = asyncio.run(readiness.checks())
    store.may_answer.set()

    assert (model.failure, database.failure) == (None, None)
    assert of_store.failure == "no answer within 3 s"


def test_many_who_ask_at_once_share_one_check(segmenter: OnnxSegmenter, ledger: FakeLedger) -> None:
    store, now = CountingStore(), [0.0]
    readiness = Readiness(segmenter, store, ledger, clock=lambda: now[0])

    async def asked_at_once() -> None:
        await asyncio.gather(*(readiness.checks() for _ in range(16)))

    asyncio.run(asked_at_once())
    assert store.checks == 1
    now[0] += FRESH_S
    asyncio.run(asked_at_once())
    assert store.checks == 2


def test_metrics_count_requests_photos_and_bytes(client: httpx.Client) -> None:
    record = client.post("/v1/photos", content=painted_photo(1)).json()
    client.post("/v1/photos", content=painted_photo(1))
    client.post("/v1/photos", content=painted_photo(2, regions=[]))
    client.get(f"/v1/photos/{record['id']}")
    client.get("/wp-login.php")

    samples = metrics_of(client)

    uploads = {"method": "POST", "route": "/v1/photos"}
    assert samples["metercrop_http_requests_total", key(uploads | {"status": "201"})] == 2
    assert samples["metercrop_http_requests_total", key(uploads | {"status": "200"})] == 1
    shown = {"method": "GET", "route": "/v1/photos/{photo_id}", "status": "200"}
    assert samples["metercrop_http_requests_total", key(shown)] == 1
    lost = {"method": "GET", "route": "unmatched", "status": "404"}
    assert samples["metercrop_http_requests_total", key(lost)] == 1
    assert samples["metercrop_http_request_seconds_count", key(uploads)] == 3
    cropped, kept = {"status": "cropped", "reason": ""}, {"reason": "no_region"}
    assert samples["metercrop_photos_total", key(cropped)] == 1
    assert samples["metercrop_photos_total", key(kept | {"status": "kept_original"})] == 1
    saved = (
        samples["metercrop_original_bytes_total", key({})]
        - samples["metercrop_stored_bytes_total", key({})]
    )
    assert saved == record["saved_bytes"]
    assert samples["metercrop_stage_seconds_count", key({"stage": "segment"})] == 2
    assert samples["metercrop_admitted_pixels", key({})] == 0
    assert samples["metercrop_body_bytes", key({})] == 0


def test_metrics_name_version_model_and_provider(client: httpx.Client) -> None:
    (labels,) = [dict(labels) for name, labels in metrics_of(client) if name == "metercrop_info"]

    assert labels["model"] == "colours"
    assert labels["provider"] == "CPUExecutionProvider"
    assert set(labels) == {"version", "model", "model_sha256", "provider"}


def test_docs_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert loaded == ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/docs.js"]
    for path in loaded:
        assert client.get(f"/{path}").status_code == 200
    assert "SwaggerUIBundle" in client.get("/docs/docs.js").text


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/healthz", "/v1/photos", "/v1/nothing", "/openapi.json", "/metrics"]
)
def test_every_answer_carries_safe_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def metrics_of(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample's value by its name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, key(sample.labels)): sample.value
        for family in families
        for sample in family.samples
    }


def key(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


class SilentStore(FakeObjectStore):
    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    def check(self) -> None:
        assert self.may_answer.wait(60.0)


class CountingStore(FakeObjectStore):
    checks = 0

    def check(self) -> None:
        self.checks += 1
        super().check()
