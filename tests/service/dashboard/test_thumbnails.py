"""Photos in small: what they are made of, how long they are kept, and when there is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.api.admission import Admission
from service.core.budget import Budget
from service.core.geometry import Box
from service.core.photo import sha256_of
from service.core.record import Record, StoredPhoto
from tests import photos
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import RED, painted_photo
from tests.records import kept_record
from tests.serving import ANSWER_S, client_of, parts_of, served, site_of, upload

DAY = timedelta(days=1)
NOBODY = "01900000-0000-7000-8000-000000000000"


def thumbnail(client: httpx.Client, photo_id: object, size: str = "small") -> httpx.Response:
    return client.get(f"/photos/{photo_id}/thumbnail", params={"size": size})


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/webp"
    return Image.open(BytesIO(answer.content))


def stored(store: FakeObjectStore, ledger: FakeLedger, content: bytes, media_type: str) -> Record:
    """A photo that was kept whole."""
    sha256 = sha256_of(content)
    record = kept_record(sha256)
    key = f"originals/{sha256}"
    photo = StoredPhoto(sha256, len(content), media_type, 640, 480, key, exact=True)
    record = replace(record, stored=photo)
    store.put(photo.key, content, media_type=media_type)
    ledger.record(record)
    return record


def test_picture_of_the_whole_is_shown_as_it_is_stored(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    photo = upload(client, painted_photo())

    answer = thumbnail(client, photo["id"])

    assert picture(answer).size == (320, 240)
    assert answer.content == store.get(photo["context"]["key"])


@pytest.mark.parametrize(("size", "long_side"), [("small", 320), ("medium", 640), ("large", 1280)])
def test_photo_kept_whole_is_made_small(client: httpx.Client, size: str, long_side: int) -> None:
    photo = upload(client, painted_photo(regions=[], size=(1600, 1200)))

    assert picture(thumbnail(client, photo["id"], size)).size == (long_side, long_side * 3 // 4)


def test_small_photo_is_not_enlarged(client: httpx.Client) -> None:
    photo = upload(client, painted_photo(regions=[], size=(200, 150)))

    assert picture(thumbnail(client, photo["id"], "large")).size == (200, 150)


def test_crop_without_a_picture_of_the_whole_is_shown_itself(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger, context_px=0)) as client:
        photo = upload(client, painted_photo())
        shown = picture(thumbnail(client, photo["id"]))

    assert photo["context"] is None
    assert shown.size == (photo["stored"]["width"], photo["stored"]["height"])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_thumbnail_stands_upright(client: httpx.Client, orientation: int) -> None:
    """The red region, which lies in the upper left of the raw frame, comes where EXIF says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = painted_photo(regions=[Box(0, 0, 800, 600)], size=(1600, 1200), exif=exif)
    photo = upload(client, content)

    shown = picture(thumbnail(client, photo["id"])).convert("RGB")

    left, top = {1: (0, 0), 3: (1, 1), 6: (1, 0), 8: (0, 1)}[orientation]
    corner = (10 + left * (shown.width - 20), 10 + top * (shown.height - 20))
    assert photo["reason"] == "region_at_border"
    assert (shown.width < shown.height) == (orientation in (6, 8))
    assert np.allclose(np.asarray(shown)[corner[::-1]], RED, atol=30)


def test_every_format_becomes_one_that_browsers_show(
    client: httpx.Client, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    for content, media_type in (
        (photos.jpeg(progressive=True), "image/jpeg"),
        (photos.jpeg(mode="L"), "image/jpeg"),
        (photos.jpeg(mode="CMYK"), "image/jpeg"),
        (photos.deep_png(), "image/png"),
        (photos.webp(mode="RGBA"), "image/webp"),
        (photos.tiff(), "image/tiff"),
        (photos.bmp(), "image/bmp"),
        (photos.gif(), "image/gif"),
        (photos.avif(), "image/avif"),
        (photos.heic(), "image/heic"),
    ):
        record = stored(store, ledger, content, media_type)

        shown = picture(thumbnail(client, record.id))

        assert shown.size == ((48, 64) if media_type == "image/heic" else (320, 240))


def test_browser_keeps_it_and_is_told_that_it_is_still_the_same(client: httpx.Client) -> None:
    for content in (painted_photo(), painted_photo(1, regions=[])):
        photo = upload(client, content)
        first = thumbnail(client, photo["id"])
        again = client.get(
            f"/photos/{photo['id']}/thumbnail",
            headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'},
        )
        larger = thumbnail(client, photo["id"], "large")

        assert first.headers["Cache-Control"] == "private, max-age=3600"
        assert "Cookie" in first.headers["Vary"]
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"] != larger.headers["ETag"]


def test_restored_photo_has_another_address_and_another_tag(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger, keep_originals=DAY)) as client:
        photo = upload(client, painted_photo())
        before, page = thumbnail(client, photo["id"]), client.get("/photos").text
        client.post(f"/v1/photos/{photo['id']}/restore")
        after, page_now = thumbnail(client, photo["id"]), client.get("/photos").text

    assert before.headers["ETag"] != after.headers["ETag"]
    assert f"v={photo['context']['sha256'][:12]}" in page
    assert f"v={photo['original']['sha256'][:12]}" in page_now


def test_picture_that_is_gone_broken_or_away_has_a_stand_in(
    client: httpx.Client, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    whole = upload(client, painted_photo(1, regions=[]))
    cropped = upload(client, painted_photo())
    store.put(cropped["context"]["key"], b"others", media_type="image/webp")
    store.delete(whole["stored"]["key"])
    broken = stored(store, ledger, painted_photo(2)[:5_000], "image/jpeg")

    for photo_id in (whole["id"], cropped["id"], broken.id):
        assert_stand_in(thumbnail(client, photo_id))
    store.available = False
    assert_stand_in(thumbnail(client, cropped["id"]))


def test_photo_that_never_was_has_a_stand_in_too(client: httpx.Client) -> None:
    answer = thumbnail(client, NOBODY)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "image/svg+xml")


class WatchedBudget(Budget):
    most = 0

    def take(self, amount: int) -> bool:
        taken = super().take(amount)
        self.most = max(self.most, self.held)
        return taken


def test_pages_of_large_photos_share_the_room_that_uploads_have(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    made = [stored(store, ledger, painted_photo(seed), "image/jpeg") for seed in range(12)]
    app = site_of(parts_of(segmenter, store, ledger))
    budget = WatchedBudget(400_000)
    admission = Admission(budget, patience_s=60.0)
    app.state.running = replace(app.state.running, admission=admission)
    with (
        served(app) as url,
        httpx.Client(base_url=url, timeout=ANSWER_S) as client,
        ThreadPoolExecutor(12) as pool,
    ):
        answers = list(pool.map(lambda record: thumbnail(client, record.id), made))

    assert {picture(answer).size for answer in answers} == {(320, 240)}
    assert budget.most == 640 * 480
    assert budget.held == 0


def assert_stand_in(answer: httpx.Response) -> None:
    """Not kept: at the next look the picture may be there."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"can't be shown" in answer.content
