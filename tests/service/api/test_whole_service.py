"""The service with all its real parts: model, store and database, each kind once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from service.adapters.folder import FolderStore
from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.ledger import SqlLedger
from service.api.parts import Parts
from service.core.geometry import Box
from service.core.photo import sha256_of
from service.core.record import PhotoFilter
from tests.painted import COUNTER, painted_photo
from tests.problems import assert_problem
from tests.servers.postgres import PostgresServer, opened
from tests.servers.s3 import S3Server
from tests.serving import ANSWER_S, client_of, parts_of

DEADLINE_S = 180.0


@pytest.fixture
def embedded(segmenter: OnnxSegmenter, sqlite_url: str, tmp_path: Path) -> Iterator[Parts]:
    with opened(sqlite_url) as engine:
        store = FolderStore(tmp_path / "objects")
        yield parts_of(segmenter, store, SqlLedger(engine), keep_originals=timedelta(days=1))


@pytest.fixture
def distributed(
    segmenter: OnnxSegmenter, postgresql_url: str, s3_server: S3Server, s3_bucket: str
) -> Iterator[Parts]:
    store = s3_server.store(f"s3://{s3_bucket}/photos")
    with opened(postgresql_url) as engine:
        yield parts_of(segmenter, store, SqlLedger(engine), keep_originals=timedelta(days=1))


@pytest.fixture(params=["embedded", "distributed"])
def parts(request: pytest.FixtureRequest) -> Parts:
    parts: Parts = request.getfixturevalue(request.param)
    return parts


def test_photo_goes_its_whole_way(client: httpx.Client, parts: Parts) -> None:
    photo = painted_photo()

    decision = client.post("/v1/segment", files={"file": photo}).json()
    uploaded = client.post("/v1/photos", content=photo, params={"meter_id": "G-1047"})
    record = uploaded.json()
    path = f"/v1/photos/{record['id']}"
    content = client.get(f"{path}/content")
    part = client.get(f"{path}/content", headers={"Range": "bytes=100-299"})
    context = client.get(f"{path}/context")

    assert uploaded.status_code == 201
    assert record["crop"] == decision["crop"]
    assert record["crop"]["region"]["left"] <= COUNTER.left
    assert client.get(path).json() == record
    assert client.get("/v1/photos?meter_id=G-1047").json()["items"] == [record]
    assert sha256_of(content.content) == record["stored"]["sha256"]
    assert (part.status_code, part.content) == (206, content.content[100:300])
    assert sha256_of(context.content) == record["context"]["sha256"]
    assert client.get(f"{path}/original").content == photo
    assert client.get("/v1/savings").json()["totals"]["freed_bytes"] < 0  # both are kept for a day
    assert client.get("/readyz").status_code == 200
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert list(parts.store.objects()) == []


def test_form_and_raw_body_of_the_same_photo_are_one_record(client: httpx.Client) -> None:
    first = client.post("/v1/photos", files={"file": painted_photo()}, data={"site": "Zürich"})
    second = client.post("/v1/photos", content=painted_photo())

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()


def test_same_photo_from_many_threads_is_one_record(client: httpx.Client, parts: Parts) -> None:
    def upload(_: int) -> httpx.Response:
        headers = {"Idempotency-Key": "visit-17"}
        return client.post("/v1/photos", content=painted_photo(), headers=headers)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(upload, range(16)))

    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(parts.ledger.page(PhotoFilter(), limit=10).items) == 1


def test_presigned_address_serves_the_crop_from_the_object_store(distributed: Parts) -> None:
    with client_of(distributed) as client:
        record = client.post("/v1/photos", content=painted_photo()).json()
        answer = client.get(f"/v1/photos/{record['id']}/content?presigned=true")

    assert answer.status_code == 307
    content = httpx.get(answer.headers["Location"], timeout=ANSWER_S).content
    assert sha256_of(content) == record["stored"]["sha256"]


def test_what_was_confirmed_survives_an_outage_of_the_database(
    distributed: Parts, postgres: PostgresServer
) -> None:
    with client_of(distributed) as client, uploading(client) as load:
        load.wait_for(201, more=5)
        postgres.stop()
        load.wait_for(503, more=5)
        assert_problem(client.get("/readyz"), 503, "service.not_ready", names="database")
        assert client.get("/healthz").status_code == 200
        postgres.start()
        load.wait_for(201, more=5)

    assert load.codes == {"database.unavailable"}
    assert_nothing_was_lost(distributed, load)


def test_what_was_confirmed_survives_an_outage_of_the_store(
    distributed: Parts, s3_server: S3Server
) -> None:
    with client_of(distributed) as client, uploading(client) as load:
        load.wait_for(201, more=5)
        with s3_server.outage():
            load.wait_for(503, more=5)
            assert_problem(client.get("/readyz"), 503, "service.not_ready", names="store")
        load.wait_for(201, more=5)

    assert load.codes == {"store.unavailable"}
    assert_nothing_was_lost(distributed, load)


@dataclass
class Load:
    """Uploads from several threads, each of another photo, and how they were answered."""

    client: httpx.Client
    ended: threading.Event = field(default_factory=threading.Event)
    answers: dict[int, httpx.Response] = field(default_factory=dict)

    @property
    def codes(self) -> set[str]:
        refusals = (answer for answer in self.answers.values() if answer.status_code != 201)
        return {refusal.json()["code"] for refusal in refusals}

    def upload_every_fourth(self, seed: int) -> None:
        while not self.ended.is_set() and seed < 4_000:
            self.answers[seed] = self.client.post("/v1/photos", content=small_photo(seed))
            seed += 4

    def wait_for(self, status: int, *, more: int) -> None:
        """Until that many more uploads were answered with this status."""
        before, deadline = self._count(status), monotonic() + DEADLINE_S
        while self._count(status) < before + more:
            assert monotonic() < deadline, f"no {more} answers of {status} within {DEADLINE_S} s"
            sleep(0.02)

    def _count(self, status: int) -> int:
        return sum(answer.status_code == status for answer in list(self.answers.values()))


@contextmanager
def uploading(client: httpx.Client) -> Iterator[Load]:
    load = Load(client)
    with ThreadPoolExecutor(4) as pool:
        try:
            running = [pool.submit(load.upload_every_fourth, seed) for seed in range(4)]
            yield load
        finally:
            load.ended.set()
    for each in running:
        each.result()


def assert_nothing_was_lost(parts: Parts, load: Load) -> None:
    """What was confirmed is there and whole, and what was refused can simply be sent again."""
    with client_of(parts) as client:
        for seed, answer in load.answers.items():
            if answer.status_code == 201:
                record = answer.json()
                assert client.get(f"/v1/photos/{record['id']}").json() == record
            else:
                assert_problem(answer, 503, answer.json()["code"])
                again = client.post("/v1/photos", content=small_photo(seed))
                assert again.status_code in (200, 201)
    records = parts.ledger.page(PhotoFilter(), limit=5_000).items
    assert len(records) == len(load.answers)
    for record in records:
        content = parts.store.get(record.stored.key)
        assert content is not None
        assert sha256_of(content) == record.stored.sha256


def small_photo(seed: int) -> bytes:
    """Every other one is cropped."""
    regions = [Box(60, 45, 100, 65)] if seed % 2 else []
    return painted_photo(seed, regions=regions, size=(160, 120))
