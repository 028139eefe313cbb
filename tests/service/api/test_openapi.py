"""The OpenAPI page: complete, and true of what the service answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.api.app import application
from service.api.examples import PHOTO
from service.api.job_examples import JOB, JOB_REQUEST
from service.api.job_schemas import JobAnswer
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.api.problems import MEDIA_TYPE, PROBLEMS
from service.api.schemas import PhotoAnswer
from service.core.access import Scope
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.servers.postgres import opened
from tests.serving import ANSWER_S, add_key, bearer, parts_of, served

OPERATIONS = {
    ("/v1/photos", "post"): "200 201 400 401 403 408 409 413 415 422 429 503",
    ("/v1/photos", "get"): "200 401 403 422 503",
    ("/v1/photos/{photo_id}", "get"): "200 401 403 404 422 503",
    ("/v1/photos/{photo_id}", "delete"): "204 401 403 404 422 503",
    ("/v1/photos/{photo_id}/audit", "get"): "200 401 403 404 422 503",
    ("/v1/photos/{photo_id}/restore", "post"): "200 401 403 404 410 422 503",
    ("/v1/photos/{photo_id}/content", "get"): "200 206 304 307 401 403 404 416 422 503",
    ("/v1/photos/{photo_id}/context", "get"): "200 206 304 401 403 404 416 422 503",
    ("/v1/photos/{photo_id}/original", "get"): "200 206 304 401 403 404 410 416 422 503",
    ("/v1/segment", "post"): "200 400 401 403 408 413 415 422 429 503",
    ("/v1/jobs", "post"): "201 400 401 403 408 413 415 422 429 503",
    ("/v1/jobs", "get"): "200 401 403 422 503",
    ("/v1/jobs/{job_id}", "get"): "200 401 403 404 422 503",
    ("/v1/jobs/{job_id}/confirm", "post"): "200 401 403 404 409 422 503",
    ("/v1/jobs/{job_id}/pause", "post"): "200 401 403 404 409 422 503",
    ("/v1/jobs/{job_id}/resume", "post"): "200 401 403 404 409 422 503",
    ("/v1/jobs/{job_id}/cancel", "post"): "200 401 403 404 409 422 503",
    ("/v1/jobs/{job_id}/retry-failed", "post"): "200 401 403 404 409 422 503",
    ("/v1/jobs/{job_id}/items", "get"): "200 401 403 404 422 503",
    ("/v1/jobs/{job_id}/report.csv", "get"): "200 401 403 404 422 503",
    ("/v1/jobs/{job_id}/contact-sheet", "get"): "200 401 403 404 422 503",
    ("/v1/savings", "get"): "200 401 403 422 503",
    ("/v1/savings.csv", "get"): "200 401 403 422 503",
    ("/v1/savings/drift", "get"): "200 401 403 422 503",
    ("/healthz", "get"): "200",
    ("/readyz", "get"): "200 503",
    ("/metrics", "get"): "200",
}
CHECK_NAMES = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
]
BOUNDED = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def openapi(parts: Parts) -> dict[str, Any]:
    return application(parts).openapi()


def test_every_operation_names_all_its_answers(openapi: dict[str, Any]) -> None:
    found = {
        (path, method): " ".join(sorted(operation["responses"]))
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    }

    assert found == OPERATIONS


def test_every_refusal_is_a_problem(openapi: dict[str, Any]) -> None:
    for path, method in OPERATIONS:
        for status, answer in openapi["paths"][path][method]["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == [MEDIA_TYPE]
                codes = [code for code, (of, _) in PROBLEMS.items() if of == int(status)]
                assert any(f"`{code}`" in answer["description"] for code in codes)
    assert "code" in openapi["components"]["schemas"]["Problem"]["properties"]


def test_photo_comes_raw_or_in_a_form_with_the_same_fields(openapi: dict[str, Any]) -> None:
    upload = openapi["paths"]["/v1/photos"]["post"]
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    in_the_address = {each["name"] for each in upload["parameters"] if each["in"] == "query"}

    assert set(form) == {"file", *in_the_address}
    assert "image/*" in upload["requestBody"]["content"]


def test_routes_that_need_a_key_say_so_and_others_do_not(openapi: dict[str, Any]) -> None:
    for path, method in OPERATIONS:
        assert ("security" in openapi["paths"][path][method]) == path.startswith("/v1/")


@pytest.fixture
def url(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, sqlite_url: str
) -> Iterator[str]:
    add_key(ledger, "secret", Scope.ADMIN)
    with opened(sqlite_url) as engine:
        jobs = SqlJobLedger(engine)
        parts = parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS, jobs=jobs)
        with served(application(parts)) as url:
            yield url


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_generated_requests_are_answered_as_the_page_says(url: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    asked = 0

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not operation.path.startswith("/v1/"):
            continue  # nothing can be wrong about a request without fields

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            asked += 1
            checks: list[Any] = CHECKS.get_by_names(CHECK_NAMES)
            case.call_and_validate(headers=bearer("secret"), checks=checks)

        ask()
    assert asked >= 8 * 10


def test_examples_of_the_page_are_taken(url: str, openapi: Mapping[str, Any]) -> None:
    parameters = openapi["paths"]["/v1/photos"]["post"]["parameters"]
    examples = {each["name"]: each["schema"].get("examples", [None])[0] for each in parameters}
    given_in_the_page = {name: value for name, value in examples.items() if value}

    answer = httpx.post(
        f"{url}/v1/photos",
        files={"file": painted_photo()},
        data=given_in_the_page,
        headers=bearer("secret"),
        timeout=ANSWER_S,
    )

    assert set(given_in_the_page) == {"meter_id", "captured_at", "tags"}
    assert answer.status_code == 201


def test_record_that_the_page_shows_is_one(openapi: Mapping[str, Any]) -> None:
    (shown,) = openapi["components"]["schemas"]["PhotoAnswer"]["examples"]

    assert PhotoAnswer.model_validate(PHOTO).model_dump(mode="json") == PHOTO
    assert shown == {name: value for name, value in PHOTO.items() if value is not None} | {
        "original": shown["original"],
        "stored": shown["stored"],
    }


def test_job_that_the_page_shows_is_one_and_can_be_asked_for(
    url: str, openapi: Mapping[str, Any]
) -> None:
    (shown,) = openapi["components"]["schemas"]["JobAnswer"]["examples"]
    body = openapi["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]

    answer = httpx.post(
        f"{url}/v1/jobs",
        json=body["schema"]["examples"][0],
        headers=bearer("secret"),
        timeout=ANSWER_S,
    )

    assert JobAnswer.model_validate(JOB).model_dump(mode="json") == JOB
    assert {name for name in JOB if JOB[name] is not None} == set(shown)
    assert body["schema"]["examples"] == [JOB_REQUEST]
    assert answer.status_code == 201, answer.text
