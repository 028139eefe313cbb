"""A photo is looked at before anything is stored: the page says what `/v1/segment` says."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterator
from html import unescape
from io import BytesIO

import httpx
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.core.access import Scope
from service.core.figures import share, size
from service.core.photo import Limits
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import BLUE, painted_photo
from tests.serving import add_key, bearer, client_of, parts_of

PICTURE = re.compile(r'<img src="data:(image/[a-z]+);base64,([^"]+)"')
LIVE = {"HX-Request": "true"}


@pytest.fixture
def client(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    parts = parts_of(segmenter, store, ledger, limits=Limits(max_bytes=2_000_000))
    with client_of(parts) as client:
        yield client


def tried(client: httpx.Client, photo: bytes, **headers: str) -> httpx.Response:
    return client.post("/try", files={"file": ("meter.jpg", photo)}, headers=headers)


def pictures(page: str) -> list[bytes]:
    return [b64decode(content) for _, content in PICTURE.findall(page)]


def test_page_tells_what_an_upload_would_do_and_stores_nothing(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    decision = client.post("/v1/segment", content=painted_photo()).json()

    page = tried(client, painted_photo())

    assert page.status_code == 200
    for shown in (
        f"would be cropped, and {share(decision['saved_fraction'])} smaller",
        size(decision["stored_bytes"]),
        size(decision["saved_bytes"]),
        f"{decision['confidence']}<",
    ):
        assert shown in page.text
    assert list(store.objects()) == []
    assert client.get("/v1/photos").json()["items"] == []


def test_pictures_are_the_photo_with_its_mask_and_the_very_crop_that_is_stored(
    client: httpx.Client,
) -> None:
    overlay, crop = pictures(tried(client, painted_photo()).text)

    record = client.post("/v1/photos", content=painted_photo()).json()

    with Image.open(BytesIO(overlay)) as seen:
        assert seen.size == (640, 480)
        red, green, _ = seen.convert("RGB").getpixel((320, 220))  # type: ignore[misc]
    assert green > red / 2  # the painted counter, tinted
    assert hashlib.sha256(crop).hexdigest() == record["stored"]["sha256"]


def test_photo_that_would_be_kept_is_shown_whole_and_says_why(client: httpx.Client) -> None:
    for photo, said in (
        (painted_photo(regions=[]), "kept whole: no meter seen"),
        (painted_photo(colour=BLUE), "kept whole: not sure"),
    ):
        page = tried(client, photo).text
        assert said in page
        assert len(pictures(page)) == 1


def test_photo_that_cannot_be_read_is_refused_as_the_api_words_it(client: httpx.Client) -> None:
    for photo, status in (
        (b"no photo", 415),
        (b"", 422),
        (painted_photo()[:20_000], 422),
        (painted_photo() + bytes(2_000_000), 413),
    ):
        by_the_api = client.post("/v1/segment", files={"file": photo}).json()
        for path in ("/try", "/try/store"):
            page = client.post(path, files={"file": ("meter.jpg", photo)})
            assert page.status_code == by_the_api["status"] == status
            assert by_the_api["detail"][1:] in unescape(page.text)
            assert by_the_api["code"] in page.text
            assert "Choose a photo" in page.text


def test_script_is_answered_with_what_it_puts_into_the_page(client: httpx.Client) -> None:
    whole = tried(client, painted_photo())
    part = tried(client, painted_photo(), **LIVE)
    refused = tried(client, b"no photo", **LIVE)

    assert "<html" in whole.text
    assert "choose it once more" in whole.text
    assert part.text.lstrip().startswith("<section")
    assert "choose it once more" not in part.text
    assert (refused.status_code, "<html" in refused.text) == (415, False)


def test_storing_leads_to_the_photo_with_what_was_said_of_it(client: httpx.Client) -> None:
    answer = client.post(
        "/try/store",
        files={"file": ("meter.jpg", painted_photo())},
        data={"meter_id": "G-1047", "site": ""},
    )

    (record,) = client.get("/v1/photos").json()["items"]
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/photos/{record['id']}")
    assert (record["meter_id"], record["site"], record["source"]) == ("G-1047", None, "upload")


def test_script_is_led_to_the_stored_photo(client: httpx.Client) -> None:
    photo = {"file": ("meter.jpg", painted_photo())}

    answer = client.post("/try/store", files=photo, headers=LIVE)

    (record,) = client.get("/v1/photos").json()["items"]
    assert answer.headers["HX-Redirect"] == f"/photos/{record['id']}"


def test_page_asks_for_the_scope_of_uploads(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    add_key(ledger, "reader", Scope.READ)
    add_key(ledger, "camera", Scope.UPLOAD)
    photo = {"file": ("meter.jpg", painted_photo())}
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        assert client.get("/try").headers["Location"] == "/sign-in?next=%2Ftry"
        assert client.post("/try", content=bytes(3_000_000)).headers["Location"] == "/sign-in"
        for path in ("/try", "/try/store"):
            assert client.post(path, files=photo, headers=bearer("reader")).status_code == 403
        stored = client.post("/try/store", files=photo, headers=bearer("camera"))
        shown = client.get(stored.headers["Location"], headers=bearer("camera"))

    assert stored.headers["Location"].startswith("/try?stored=")
    assert "The photo is stored" in shown.text


def test_page_of_another_site_can_store_nothing(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    photo = {"file": ("meter.jpg", painted_photo())}

    answer = client.post("/try/store", files=photo, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert list(store.objects()) == []
