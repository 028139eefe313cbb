"""What an upload is refused for, each with its status and code, and nothing stored."""

from __future__ import annotations

import io
import logging
import select
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from service.adapters.onnx import OnnxSegmenter
from service.core.errors import Unavailable
from service.core.photo import Limits
from service.core.record import Record
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.serving import client_of, parts_of

JPEG = {"Content-Type": "image/jpeg"}

pytestmark = pytest.mark.usefixtures("nothing_is_stored")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "photo.empty"),
        (b"certainly no photo", 415, "photo.unsupported"),
        (b"%PDF-1.7 neither is this", 415, "photo.unsupported"),
        (painted_photo()[: len(painted_photo()) // 2], 422, "photo.truncated"),
        (b"\xff\xd8\xff\xe0" + bytes(400), 422, "photo.corrupt"),
    ],
)
def test_what_is_no_whole_photo_is_refused(
    client: httpx.Client, content: bytes, status: int, code: str
) -> None:
    assert_problem(client.post("/v1/photos", content=content, headers=JPEG), status, code)
    assert_problem(client.post("/v1/photos", files={"file": content}), status, code)


def test_photo_of_too_many_pixels_is_refused(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    parts = parts_of(segmenter, store, ledger, limits=Limits(max_pixels=640 * 480 - 1))

    with client_of(parts) as client:
        answer = client.post("/v1/photos", content=painted_photo(), headers=JPEG)

    assert_problem(answer, 422, "photo.too_many_pixels")


def test_decompression_bomb_is_refused(client: httpx.Client) -> None:
    bomb = io.BytesIO()
    Image.fromarray(np.zeros((20_000, 20_000), dtype=bool)).save(bomb, "PNG")

    answer = client.post("/v1/photos", content=bomb.getvalue(), headers=JPEG)

    assert_problem(answer, 422, "photo.too_many_pixels")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "video/mp4"])
def test_body_of_another_type_is_refused(client: httpx.Client, kind: str) -> None:
    answer = client.post("/v1/photos", content=b"x", headers={"Content-Type": kind})

    assert_problem(answer, 415, "photo.unsupported", names=kind)


def test_photo_of_just_the_allowed_bytes_is_read_and_one_more_is_refused(
    segmenter: OnnxSegmenter,
) -> None:
    photo = painted_photo()
    exactly, short = Limits(max_bytes=len(photo)), Limits(max_bytes=len(photo) - 1)

    with client_of(parts_of(segmenter, FakeObjectStore(), FakeLedger(), limits=exactly)) as client:
        assert client.post("/v1/photos", content=photo, headers=JPEG).status_code == 201
    with client_of(parts_of(segmenter, FakeObjectStore(), FakeLedger(), limits=exactly)) as client:
        assert client.post("/v1/photos", files={"file": photo}).status_code == 201
    with client_of(parts_of(segmenter, FakeObjectStore(), FakeLedger(), limits=short)) as client:
        raw = client.post("/v1/photos", content=photo, headers=JPEG)
        chunked = client.post("/v1/photos", content=iter([photo]), headers=JPEG)
        form = client.post("/v1/photos", files={"file": photo})
    for answer in (raw, chunked, form):
        assert_problem(answer, 413, "photo.too_large")


def test_announced_length_is_refused_without_waiting_for_the_body(client: httpx.Client) -> None:
    with _connection(client) as connection:
        connection.sendall(_head("Content-Length: 999999999\r\nExpect: 100-continue"))
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_endless_chunked_body_is_answered_while_it_still_comes(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    parts = parts_of(segmenter, store, ledger, limits=Limits(max_bytes=100_000))
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"

    with client_of(parts) as client, _connection(client) as connection:
        connection.sendall(_head("Transfer-Encoding: chunked"))
        sent = _send_until_answered(connection, chunk, at_most=2_000)
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"photo.too_large" in answer
    assert sent < 2_000


def test_client_that_leaves_in_the_middle_of_its_body_leaves_nothing_behind(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as events, caplog.at_level(logging.WARNING):
        with _connection(client) as connection:
            connection.sendall(_head("Content-Length: 500000") + painted_photo()[:100_000])
        _wait_for("request.abandoned", events)

    assert [event for event in events if event["log_level"] in ("error", "critical")] == []
    assert caplog.records == []
    assert client.get("/healthz").status_code == 200


def test_busy_service_says_so_and_when_to_come_back(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    slow = SlowLedger()
    parts = parts_of(segmenter, FakeObjectStore(), slow, megapixels=0.5)

    def upload(seed: int) -> httpx.Response:
        return client.post("/v1/photos", content=painted_photo(seed), headers=JPEG)

    with client_of(parts) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(upload, 1)
        assert slow.asked.wait(60.0)
        second = upload(2)
        slow.may_answer.set()

        assert_problem(second, 429, "service.busy")
        assert first.result().status_code == 201
        assert upload(2).status_code == 201


def test_store_that_is_down_is_told_and_nothing_is_recorded(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    store.available = False

    answer = client.post("/v1/photos", content=painted_photo(), headers=JPEG)

    assert_problem(answer, 503, "store.unavailable")


def test_database_that_is_down_is_told(segmenter: OnnxSegmenter) -> None:
    with client_of(parts_of(segmenter, FakeObjectStore(), LostLedger())) as client:
        answer = client.post("/v1/photos", content=painted_photo(), headers=JPEG)

    assert_problem(answer, 503, "database.unavailable")


def test_failure_that_nobody_foresaw_is_logged_and_answered_without_its_trace(
    segmenter: OnnxSegmenter,
) -> None:
    parts = parts_of(segmenter, FakeObjectStore(), BrokenLedger())

    with client_of(parts) as client, capture_logs() as events:
        answer = client.post("/v1/photos", content=painted_photo(), headers=JPEG)

    assert_problem(answer, 500, "internal.error")
    assert "the ledger is on fire" not in answer.text
    (logged,) = [event for event in events if event["event"] == "request.failed"]
    assert logged["error_id"] in answer.json()["detail"]
    assert "on fire" in str(logged["exc_info"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/photos", 404, "request.not_found"),
        ("GET", "/../../etc/passwd", 404, "request.not_found"),
        ("GET", "/docs/..%2f..%2fapp.py", 404, "request.not_found"),
        ("PUT", "/v1/photos", 405, "request.method"),
    ],
)
def test_address_or_method_that_is_not_there_is_a_problem_too(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    assert_problem(client.request(method, path), status, code)


def test_nonsense_in_the_host_header_is_no_failure(client: httpx.Client) -> None:
    answer = client.get("/v1/nothing", headers={"Host": "["})

    assert_problem(answer, 404, "request.not_found")


class SlowLedger(FakeLedger):
    """Answers nothing before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def by_original(self, sha256: str) -> Record | None:
        self.asked.set()
        assert self.may_answer.wait(60.0)
        return super().by_original(sha256)


class LostLedger(FakeLedger):
    def by_original(self, sha256: str) -> Record | None:  # noqa: ARG002  the port names it
        raise Unavailable("database.unavailable", "the database went away")


class BrokenLedger(FakeLedger):
    def by_original(self, sha256: str) -> Record | None:  # noqa: ARG002  the port names it
        raise ZeroDivisionError("the ledger is on fire")


def _connection(client: httpx.Client) -> socket.socket:
    address = urlsplit(str(client.base_url))
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=60.0)


def _head(length: str) -> bytes:
    head = f"POST /v1/photos HTTP/1.1\r\nHost: test\r\nContent-Type: image/jpeg\r\n{length}"
    return f"{head}\r\n\r\n".encode()


def _send_until_answered(connection: socket.socket, chunk: bytes, *, at_most: int) -> int:
    """How many chunks were sent before there was something to read."""
    for sent in range(at_most):
        readable, _, _ = select.select([connection], [], [], 0)
        if readable:
            return sent
        connection.sendall(chunk)
    return at_most


def _wait_for(name: str, events: Sequence[Mapping[str, object]]) -> None:
    deadline = time.monotonic() + 60.0
    while not any(event["event"] == name for event in events):
        assert time.monotonic() < deadline, f"no {name} in {events}"
        time.sleep(0.01)
