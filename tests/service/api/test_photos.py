"""Photos that were taken in: listed, shown, served, deleted."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from PIL import Image, TiffImagePlugin

from service.adapters.onnx import OnnxSegmenter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.serving import client_of, parts_of, upload

NOBODY = "01900000-0000-7000-8000-000000000000"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_record_is_shown_as_it_was_answered(client: httpx.Client) -> None:
    record = upload(client, painted_photo(), meter_id="G-1", tags='{"route": "7"}')

    assert client.get(f"/v1/photos/{record['id']}").json() == record


@pytest.mark.parametrize("path", ["", "/content", "/original"])
@pytest.mark.parametrize("photo_id", [NOBODY, "no-uuid", "%2e%2e%2fetc"])
def test_photo_that_is_not_there_is_not_found(
    client: httpx.Client, photo_id: str, path: str
) -> None:
    answer = client.get(f"/v1/photos/{photo_id}{path}")

    assert answer.status_code == 404
    assert answer.json()["code"] in {"photo.not_found", "request.not_found"}


def test_photos_are_listed_newest_first_page_by_page(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    hours = count()
    parts = parts_of(segmenter, store, ledger, clock=lambda: NOON + timedelta(hours=next(hours)))
    with client_of(parts) as client:
        uploaded = [upload(client, painted_photo(seed))["id"] for seed in range(5)]
        first = client.get("/v1/photos", params={"limit": 2})
        second = client.get(
            "/v1/photos", params={"limit": 2, "cursor": first.json()["next_cursor"]}
        )
        last = client.get("/v1/photos", params={"limit": 2, "cursor": second.json()["next_cursor"]})
        in_two_hours = {"from": "2026-03-01T13:00:00Z", "to": "2026-03-01T16:00:00+01:00"}
        period = client.get("/v1/photos", params=in_two_hours)

    assert ids(first) + ids(second) + ids(last) == uploaded[::-1]
    assert last.json()["next_cursor"] is None
    assert ids(period) == [uploaded[2], uploaded[1]]


def test_photos_are_found_by_what_was_said_and_what_became_of_them(client: httpx.Client) -> None:
    cropped = upload(client, painted_photo(1), meter_id="G-1", site="north")["id"]
    kept = upload(client, painted_photo(2, regions=[]), meter_id="G-2", site="north")["id"]

    assert ids(client.get("/v1/photos?meter_id=G-1")) == [cropped]
    assert set(ids(client.get("/v1/photos?site=north"))) == {cropped, kept}
    assert ids(client.get("/v1/photos?status=cropped")) == [cropped]
    assert ids(client.get("/v1/photos?status=kept_original&reason=no_region")) == [kept]
    assert ids(client.get("/v1/photos?meter_id=G-1&reason=no_region")) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("status=lost", "status"),
        ("reason=lost", "reason"),
        ("from=yesterday", "from"),
        ("to=2026-03-01T00:00:00", "to"),
        ("to=0001-01-01T00:00:00%2B23:00", "to"),
        ("metre_id=G-1", "metre_id"),
        ("meter_id=a%00b", "meter_id"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_question_that_cannot_be_read_is_refused_by_name(
    client: httpx.Client, query: str, names: str
) -> None:
    assert_problem(client.get(f"/v1/photos?{query}"), 422, "field.invalid", names=names)


def test_exif_is_shown_only_where_it_is_asked_for(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera & Co"
    exif.get_ifd(0x8769)[0x829A] = TiffImagePlugin.IFDRational(1, 50)
    exif.get_ifd(0x8825)[2] = (55.0, 40.0, 30.5)
    record = upload(client, painted_photo(exif=exif))
    path = f"/v1/photos/{record['id']}"

    shown = client.get(path, params={"include": "exif"}).json()

    assert "exif" not in client.get(path).json()
    assert shown["exif"]["tags"]["Make"] == "Camera & Co"
    assert shown["exif"]["tags"]["ExposureTime"] == 0.02
    assert shown["exif"]["tags"]["GPSLatitude"] == [55.0, 40.0, 30.5]
    raw = base64.b64decode(shown["exif"]["raw_base64"])
    assert raw[:4] in (b"II*\0", b"MM\0*")
    assert {name: shown[name] for name in record} == record


def test_photo_without_exif_shows_none(client: httpx.Client) -> None:
    record = upload(client, painted_photo())

    answer = client.get(f"/v1/photos/{record['id']}", params={"include": "exif"})

    assert answer.json()["exif"] is None


def test_deleted_photo_is_gone_with_all_its_objects(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    parts = parts_of(segmenter, store, ledger, keep_originals=timedelta(days=1))
    with client_of(parts) as client:
        path = f"/v1/photos/{upload(client, painted_photo())['id']}"

        answer = client.delete(path)

        assert (answer.status_code, answer.content) == (204, b"")
        assert_problem(client.get(path), 404, "photo.not_found")
        assert_problem(client.delete(path), 404, "photo.not_found")
        assert list(store.objects()) == []
        assert client.post("/v1/photos", content=painted_photo()).status_code == 201


def test_photo_whose_object_cannot_be_deleted_keeps_its_record(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}"
    store.available = False

    assert_problem(client.delete(path), 503, "store.unavailable")
    assert client.get(path).status_code == 200
