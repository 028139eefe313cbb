"""The bytes of photos: crops and originals, whole, in part, or from elsewhere."""

from __future__ import annotations

import io
from datetime import timedelta

import httpx
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.core.photo import sha256_of
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.serving import client_of, parts_of, upload


def test_content_is_the_stored_crop(client: httpx.Client, store: FakeObjectStore) -> None:
    record = upload(client, painted_photo())
    stored = record["stored"]

    answer = client.get(f"/v1/photos/{record['id']}/content")

    assert answer.status_code == 200
    assert answer.content == store.get(stored["key"])
    assert sha256_of(answer.content) == stored["sha256"]
    assert answer.headers["Content-Type"] == stored["media_type"]
    assert answer.headers["Content-Length"] == str(stored["bytes"])
    assert answer.headers["ETag"] == f'"{stored["sha256"]}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "private" in answer.headers["Cache-Control"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (stored["width"], stored["height"])


def test_head_of_content_tells_the_same_without_the_bytes(client: httpx.Client) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"

    head, whole = client.head(path), client.get(path)

    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name]


def test_content_that_is_already_known_is_not_sent_again(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"
    etag = client.get(path).headers["ETag"]
    store.available = False

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
    store.available = True
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=-99999999", 0, None),
        ("bytes=10-99999999", 10, None),
    ],
)
def test_range_of_the_content_is_served(
    client: httpx.Client, asked: str, start: int, stop: int | None
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"
    whole = client.get(path).content

    answer = client.get(path, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    first = len(whole) + start if start < 0 else start
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=x"])
def test_range_that_cannot_be_read_is_answered_with_the_whole(
    client: httpx.Client, asked: str
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"

    assert client.get(path, headers={"Range": asked}).status_code == 200


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_range_behind_the_end_is_refused_with_the_length(client: httpx.Client, asked: str) -> None:
    record = upload(client, painted_photo())

    answer = client.get(f"/v1/photos/{record['id']}/content", headers={"Range": asked})

    assert_problem(answer, 416, "range.unsatisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{record['stored']['bytes']}"


def test_range_of_other_bytes_than_those_that_are_stored_is_answered_with_the_whole(
    client: httpx.Client,
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"
    etag = client.get(path).headers["ETag"]

    same = client.get(path, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})

    assert (same.status_code, other.status_code) == (206, 200)


def test_object_of_many_megabytes_comes_whole(client: httpx.Client) -> None:
    photo = painted_photo(regions=[], size=(2600, 2000), media_type="image/bmp")
    assert len(photo) > 15_000_000

    record = upload(client, photo)

    assert client.get(f"/v1/photos/{record['id']}/content").content == photo


def test_presigned_content_redirects_to_the_store(
    segmenter: OnnxSegmenter, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, SigningStore(), ledger)) as client:
        record = upload(client, painted_photo())
        answer = client.get(f"/v1/photos/{record['id']}/content?presigned=true")

    assert answer.status_code == 307
    assert answer.headers["Location"] == f"https://store.test/{record['stored']['key']}?for=300"
    assert answer.headers["Cache-Control"] == "no-store"


def test_presigned_content_is_served_here_where_the_store_signs_nothing(
    client: httpx.Client,
) -> None:
    path = f"/v1/photos/{upload(client, painted_photo())['id']}/content"

    assert client.get(f"{path}?presigned=true").content == client.get(path).content


def test_object_that_is_gone_is_the_stores_failure(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    record = upload(client, painted_photo())
    store.delete(record["stored"]["key"])

    answer = client.get(f"/v1/photos/{record['id']}/content")

    assert_problem(answer, 503, "store.unavailable", names=record["stored"]["key"])


def test_original_of_a_cropped_photo_is_gone_without_a_grace(client: httpx.Client) -> None:
    record = upload(client, painted_photo())

    assert_problem(client.get(f"/v1/photos/{record['id']}/original"), 410, "original.gone")


def test_original_that_was_kept_for_good_is_served(client: httpx.Client) -> None:
    photo = painted_photo(regions=[])
    record = upload(client, photo)

    assert client.get(f"/v1/photos/{record['id']}/original").content == photo


def test_retained_original_is_served_with_its_own_type_and_hash(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    photo = painted_photo(media_type="image/png")
    parts = parts_of(segmenter, store, ledger, keep_originals=timedelta(days=1))

    with client_of(parts) as client:
        record = upload(client, photo)
        answer = client.get(f"/v1/photos/{record['id']}/original", headers={"Range": "bytes=0-99"})

    assert answer.content == photo[:100]
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == f'"{sha256_of(photo)}"'


def test_context_is_the_small_picture_of_the_whole(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    record = upload(client, painted_photo())
    told, path = record["context"], f"/v1/photos/{record['id']}/context"

    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.content == store.get(told["key"])
    assert sha256_of(answer.content) == told["sha256"]
    assert answer.headers["Content-Type"] == told["media_type"] == "image/webp"
    assert answer.headers["Content-Length"] == str(told["bytes"])
    assert answer.headers["ETag"] == f'"{told["sha256"]}"'
    assert "private" in answer.headers["Cache-Control"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (told["width"], told["height"]) == (320, 240)
    known = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert client.head(path).headers["Content-Length"] == str(told["bytes"])


def test_kept_original_has_no_context(client: httpx.Client) -> None:
    record = upload(client, painted_photo(regions=[]))

    answer = client.get(f"/v1/photos/{record['id']}/context")

    assert record["context"] is None
    assert_problem(answer, 404, "context.none", names="/content")


def test_crop_without_a_context_says_so(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger, context_px=0)) as client:
        record = upload(client, painted_photo())
        answer = client.get(f"/v1/photos/{record['id']}/context")

    assert (record["status"], record["context"]) == ("cropped", None)
    assert_problem(answer, 404, "context.none", names=record["id"])


class SigningStore(FakeObjectStore):
    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:
        return f"https://store.test/{key}?for={expires_in.total_seconds():.0f}"
