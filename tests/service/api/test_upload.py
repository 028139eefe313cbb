"""`POST /v1/photos`: what is taken in, and how it is answered."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.core.geometry import Box
from service.core.photo import sha256_of
from service.core.record import PhotoFilter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import BLUE, COUNTER, painted_photo
from tests.problems import assert_problem
from tests.serving import client_of, parts_of

JPEG = {"Content-Type": "image/jpeg"}
FIELDS = {
    "meter_id": "G-1047",
    "site": "Nørrebro 7",
    "meter_type": "gas",
    "captured_at": "2026-03-01T10:35:21+01:00",
    "reader_id": "r-3",
    "tags": '{"route": "7", "note": "klein & groß"}',
}
RECORD = {
    "id": ...,
    "status": ...,
    "reason": ...,
    "meter_id": ...,
    "site": ...,
    "meter_type": ...,
    "reader_id": ...,
    "tags": ...,
    "captured_at": ...,
    "received_at": ...,
    "source": ...,
    "original": [
        "sha256",
        "bytes",
        "media_type",
        "width",
        "height",
        "exif_orientation",
        "retained_until",
    ],
    "stored": [
        "sha256",
        "bytes",
        "media_type",
        "width",
        "height",
        "key",
        "exact",
        "encoding",
        "content_bytes",
    ],
    "context": ["sha256", "bytes", "media_type", "width", "height", "key"],
    "crop": ["left", "top", "right", "bottom", "region"],
    "confidence": ...,
    "model": ["name", "sha256", "provider"],
    "saved_bytes": ...,
    "saved_fraction": ...,
    "timings_ms": ["decode", "segment", "crop", "store", "total"],
}
"""The record's fields in the interface's order, and those of its objects."""


def test_photo_as_the_body_is_cropped_and_recorded(client: httpx.Client) -> None:
    photo = painted_photo()

    answer = client.post("/v1/photos", content=photo, headers=JPEG, params={"meter_id": "G-1"})

    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["Location"] == f"/v1/photos/{record['id']}"
    assert UUID(record["id"]).version == 7
    assert (record["status"], record["reason"]) == ("cropped", None)
    assert record["meter_id"] == "G-1"
    assert record["original"]["sha256"] == sha256_of(photo)
    assert record["original"]["bytes"] == len(photo)
    assert record["stored"]["exact"] is True
    kept_bytes = record["stored"]["bytes"] + record["context"]["bytes"]
    assert record["saved_bytes"] == len(photo) - kept_bytes > 0
    assert record["source"] == "upload"
    assert record["model"]["provider"] == "CPUExecutionProvider"


def test_record_has_the_fields_of_the_interface_in_their_order(client: httpx.Client) -> None:
    record = client.post("/v1/photos", content=painted_photo(), headers=JPEG).json()

    assert list(record) == list(RECORD)
    for name, inner in RECORD.items():
        if inner is not ...:
            assert list(record[name]) == inner
    assert list(record["crop"]["region"]) == ["left", "top", "right", "bottom"]


def test_crop_holds_its_region_and_lies_where_the_counter_was_painted(client: httpx.Client) -> None:
    crop = client.post("/v1/photos", content=painted_photo(), headers=JPEG).json()["crop"]

    region = Box(**crop.pop("region"))
    assert Box(**crop).contains(region)
    assert region.contains(COUNTER)
    assert region.area < 1.2 * COUNTER.area


def test_form_with_fields_before_and_after_the_file_is_the_same_upload(
    client: httpx.Client,
) -> None:
    names = list(FIELDS)
    parts: list[tuple[str, Any]] = [(name, (None, FIELDS[name])) for name in names[:3]]
    parts.append(("file", ("m.jpg", painted_photo(), "image/jpeg")))
    parts += [(name, (None, FIELDS[name])) for name in names[3:]]

    answer = client.post("/v1/photos", files=parts)

    assert answer.status_code == 201
    _assert_fields(answer.json())


def test_fields_in_the_address_are_read_with_a_raw_body(client: httpx.Client) -> None:
    answer = client.post("/v1/photos", content=painted_photo(), headers=JPEG, params=FIELDS)

    assert answer.status_code == 201
    _assert_fields(answer.json())


def test_octet_stream_and_a_body_without_a_type_are_photos_too(client: httpx.Client) -> None:
    typed = {"Content-Type": "application/octet-stream"}

    assert client.post("/v1/photos", content=painted_photo(1), headers=typed).status_code == 201
    assert client.post("/v1/photos", content=painted_photo(2)).status_code == 201


def test_chunked_body_without_a_length_is_taken(client: httpx.Client) -> None:
    photo = painted_photo()
    chunks = (photo[at : at + 10_000] for at in range(0, len(photo), 10_000))

    answer = client.post("/v1/photos", content=chunks, headers=JPEG)

    assert answer.status_code == 201
    assert answer.json()["original"]["sha256"] == sha256_of(photo)


def test_cameras_own_time_is_taken_where_none_is_sent(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:02:28 23:59:58"

    record = client.post("/v1/photos", content=painted_photo(exif=exif), headers=JPEG).json()

    assert record["captured_at"] == "2026-02-28T23:59:58Z"


def test_same_bytes_are_answered_with_the_earlier_record(client: httpx.Client) -> None:
    first = client.post("/v1/photos", content=painted_photo(), headers=JPEG)
    again = client.post("/v1/photos", files={"file": painted_photo()}, data={"meter_id": "other"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]


def test_same_bytes_from_many_threads_make_one_record(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    def upload(_: int) -> httpx.Response:
        return client.post("/v1/photos", content=painted_photo(), headers=JPEG)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(upload, range(16)))

    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(ledger.page(PhotoFilter(), limit=10).items) == 1


def test_idempotency_key_with_the_same_bytes_answers_the_same_record(client: httpx.Client) -> None:
    headers = JPEG | {"Idempotency-Key": "visit-17"}

    first = client.post("/v1/photos", content=painted_photo(), headers=headers)
    again = client.post("/v1/photos", content=painted_photo(), headers=headers)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_idempotency_key_with_other_bytes_is_a_conflict_and_nothing_is_recorded(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    headers = JPEG | {"Idempotency-Key": "visit-17"}
    client.post("/v1/photos", content=painted_photo(1), headers=headers)

    answer = client.post("/v1/photos", content=painted_photo(2), headers=headers)

    assert_problem(answer, 409, "idempotency.conflict")
    assert len(ledger.page(PhotoFilter(), limit=10).items) == 1


@pytest.mark.parametrize("key", [b"", b"k" * 256, "grün".encode("latin-1"), b"tab\there"])
def test_idempotency_key_that_is_no_short_text_is_refused(client: httpx.Client, key: bytes) -> None:
    headers = [(b"Content-Type", b"image/jpeg"), (b"Idempotency-Key", key)]

    answer = client.post("/v1/photos", content=painted_photo(), headers=headers)

    assert_problem(answer, 422, "field.invalid", names="Idempotency-Key")


@pytest.mark.parametrize(
    ("reason", "photo"),
    [
        ("no_region", painted_photo(regions=[])),
        ("low_confidence", painted_photo(colour=BLUE)),
        (
            "several_regions",
            painted_photo(regions=[Box(60, 60, 140, 100), Box(460, 360, 560, 410)]),
        ),
        ("region_at_border", painted_photo(regions=[Box(0, 180, 160, 260)])),
        ("no_gain", painted_photo(regions=[Box(20, 20, 620, 460)])),
    ],
)
def test_photo_that_is_not_cropped_is_kept_whole_and_says_why(
    client: httpx.Client, store: FakeObjectStore, reason: str, photo: bytes
) -> None:
    answer = client.post("/v1/photos", content=photo, headers=JPEG)

    assert answer.status_code == 201
    record = answer.json()
    assert (record["status"], record["reason"]) == ("kept_original", reason)
    assert record["crop"] is None
    assert record["stored"]["sha256"] == record["original"]["sha256"]
    assert (record["saved_bytes"], record["saved_fraction"]) == (0, 0.0)
    assert store.get(record["stored"]["key"]) == photo


def test_original_is_kept_beside_its_crop_for_the_grace_that_is_set(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    photo = painted_photo()
    parts = parts_of(segmenter, store, ledger, keep_originals=timedelta(days=7))

    with client_of(parts) as client:
        record = client.post("/v1/photos", content=photo, headers=JPEG).json()
        original = client.get(f"/v1/photos/{record['id']}/original")

    kept = datetime.fromisoformat(record["original"]["retained_until"])
    received = datetime.fromisoformat(record["received_at"])
    assert timedelta(0) <= received - (kept - timedelta(days=7)) < timedelta(seconds=30)
    assert original.content == photo


def _assert_fields(record: dict[str, object]) -> None:
    sent = {name: record[name] for name in FIELDS}
    assert sent == {
        **FIELDS,
        "captured_at": "2026-03-01T09:35:21Z",
        "tags": json.loads(FIELDS["tags"]),
    }
