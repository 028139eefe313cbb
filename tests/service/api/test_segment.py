"""`POST /v1/segment`: what an upload would do."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.fakes import FakeObjectStore
from tests.painted import BLUE, COUNTER, painted_photo
from tests.problems import assert_problem


def test_decision_is_what_an_upload_then_does(client: httpx.Client) -> None:
    decision = client.post("/v1/segment", files={"file": painted_photo()}).json()

    record = client.post("/v1/photos", files={"file": painted_photo()}).json()

    for name in ("status", "reason", "crop", "confidence", "model", "saved_bytes"):
        assert decision[name] == record[name]
    assert decision["stored_bytes"] == record["stored"]["bytes"] + record["context"]["bytes"]
    assert decision["exact"] == record["stored"]["exact"]


@pytest.mark.parametrize(
    ("photo", "reason"),
    [(painted_photo(regions=[]), "no_region"), (painted_photo(colour=BLUE), "low_confidence")],
)
def test_refusal_is_a_decision_too(client: httpx.Client, photo: bytes, reason: str) -> None:
    decision = client.post("/v1/segment", content=photo).json()

    assert (decision["status"], decision["reason"]) == ("kept_original", reason)
    assert decision["crop"] is None


def test_nothing_is_stored(client: httpx.Client, store: FakeObjectStore) -> None:
    client.post("/v1/segment", content=painted_photo())

    assert list(store.objects()) == []
    assert client.get("/v1/photos").json()["items"] == []


@pytest.mark.parametrize("photo", [painted_photo(), painted_photo(regions=[])])
def test_overlay_is_a_picture_of_the_photo(client: httpx.Client, photo: bytes) -> None:
    answer = client.post("/v1/segment?overlay=true", files={"file": photo})

    assert answer.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (640, 480)


def test_overlay_draws_the_box_around_the_region(client: httpx.Client) -> None:
    photo = painted_photo()
    answer = client.post("/v1/segment?overlay=true", content=photo)

    with Image.open(io.BytesIO(answer.content)) as picture, Image.open(io.BytesIO(photo)) as plain:
        drawn = np.asarray(picture.convert("RGB"), dtype=int)
        changed = np.abs(drawn - np.asarray(plain, dtype=int)).max(axis=2) > 40
    assert changed[:, COUNTER.left].any()
    assert not changed[:50, :].any()


def test_fields_of_an_upload_are_taken_and_others_are_refused(client: httpx.Client) -> None:
    taken = client.post("/v1/segment?meter_id=G-1", content=painted_photo())
    refused = client.post("/v1/segment?metre_id=G-1", content=painted_photo())
    unclear = client.post("/v1/segment?overlay=perhaps", content=painted_photo())

    assert taken.status_code == 200
    assert_problem(refused, 422, "field.invalid", names="metre_id")
    assert_problem(unclear, 422, "field.invalid", names="overlay")


def test_what_is_no_photo_is_refused_as_in_an_upload(client: httpx.Client) -> None:
    assert_problem(client.post("/v1/segment", content=b"text"), 415, "photo.unsupported")
    assert_problem(client.post("/v1/segment", content=b""), 422, "photo.empty")
