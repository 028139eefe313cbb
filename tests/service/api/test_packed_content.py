"""A packed crop over HTTP: the JPEG as it was, whole, in part or known already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.packing import keys_in, packed, without_codec
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.serving import client_of, parts_of, upload

STEADY = ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Disposition")


class Busy(FakeObjectStore):
    """It has addresses to hand out, and what happens before it next reads."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger: FakeLedger | None = None

    def get(self, key: str) -> bytes | None:
        if self.ledger is not None:
            ledger, self.ledger = self.ledger, None
            packed(ledger, self)
        return super().get(key)

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:  # noqa: ARG002 - the port names it
        return f"http://store.example/{key}"


@pytest.fixture
def store() -> Busy:
    return Busy()


@pytest.fixture
def photo(client: httpx.Client) -> dict[str, Any]:
    """One whose crop is a JPEG."""
    record = upload(client, painted_photo())
    assert record["stored"]["media_type"] == "image/jpeg"
    return record


@pytest.fixture
def before(client: httpx.Client, photo: dict[str, Any]) -> httpx.Response:
    return client.get(f"/v1/photos/{photo['id']}/content")


@pytest.fixture
def path(before: httpx.Response, photo: dict[str, Any], store: Busy, ledger: FakeLedger) -> str:
    """Of its content, once it is packed."""
    (outcome,) = packed(ledger, store)
    assert outcome.record.stored.key not in keys_in(store)
    return f"/v1/photos/{photo['id']}/content"


def test_content_is_the_very_same(client: httpx.Client, path: str, before: httpx.Response) -> None:
    whole, head = client.get(path), client.head(path)

    assert whole.status_code == head.status_code == 200
    assert whole.content == before.content
    for name in STEADY:
        assert whole.headers[name] == head.headers[name] == before.headers[name]


def test_who_knows_it_already_need_not_have_it_again(
    client: httpx.Client, path: str, before: httpx.Response, store: Busy
) -> None:
    store.available = False
    answer = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    store.available = True
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("asked", ["0-99", "100-", "-100", "50-50", "100-999999"])
def test_ranges_are_those_of_the_jpeg(
    client: httpx.Client, path: str, before: httpx.Response, asked: str
) -> None:
    answer = client.get(path, headers={"Range": f"bytes={asked}"})

    first, _, last = asked.partition("-")
    jpeg = before.content
    start = int(first) if first else len(jpeg) - int(last)
    end = min(len(jpeg), int(last) + 1) if first and last else len(jpeg)
    assert answer.status_code == 206
    assert answer.content == jpeg[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(jpeg)}"


def test_range_behind_its_end_is_refused_by_the_jpegs_length(
    client: httpx.Client, path: str, before: httpx.Response
) -> None:
    length = len(before.content)
    answer = client.get(path, headers={"Range": f"bytes={length}-"})
    assert_problem(answer, 416, "range.unsatisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{length}"


def test_object_store_can_not_serve_it_so_the_service_does(
    client: httpx.Client,
    photo: dict[str, Any],
    before: httpx.Response,
    store: Busy,
    ledger: FakeLedger,
) -> None:
    path = f"/v1/photos/{photo['id']}/content?presigned=true"
    assert client.get(path, follow_redirects=False).status_code == 307

    packed(ledger, store)

    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 200
    assert answer.content == before.content


def test_record_says_what_is_paid_for_and_what_is_served(
    client: httpx.Client, photo: dict[str, Any], path: str
) -> None:
    now = client.get(f"/v1/photos/{photo['id']}").json()

    stored, was = now["stored"], photo["stored"]
    assert (was["encoding"], was["content_bytes"]) == (None, was["bytes"])
    assert (stored["encoding"], stored["content_bytes"]) == ("jxl", was["bytes"])
    gained = was["bytes"] - stored["bytes"]
    assert gained > 0
    assert now["saved_bytes"] == photo["saved_bytes"] + gained
    changed = ("bytes", "key", "encoding")
    assert {k: v for k, v in stored.items() if k not in changed} == {
        k: v for k, v in was.items() if k not in changed
    }


def test_who_reads_while_it_is_packed_gets_it_all_the_same(
    client: httpx.Client,
    photo: dict[str, Any],
    before: httpx.Response,
    store: Busy,
    ledger: FakeLedger,
) -> None:
    store.ledger = ledger

    answer = client.get(f"/v1/photos/{photo['id']}/content")

    assert answer.status_code == 200
    assert answer.content == before.content
    assert photo["stored"]["key"] not in keys_in(store)


def test_damaged_one_is_never_served(
    client: httpx.Client, photo: dict[str, Any], path: str, store: Busy
) -> None:
    key = client.get(f"/v1/photos/{photo['id']}").json()["stored"]["key"]
    for damage in (b"other bytes", (store.get(key) or b"")[:-20]):
        store.put(key, damage, media_type="image/jxl")
        assert_problem(client.get(path), 503, "store.unavailable")


def test_service_without_the_library_says_what_it_lacks(client: httpx.Client, path: str) -> None:
    with without_codec():
        refused = client.get(path)
    assert_problem(refused, 503, "codec.unavailable")
    assert "metercrop[jxl]" in refused.json()["detail"]
    assert client.get(path).status_code == 200


def test_same_photo_again_is_known_and_so_is_its_crop(
    client: httpx.Client, photo: dict[str, Any], path: str
) -> None:
    again = client.post("/v1/photos", content=painted_photo())
    assert (again.status_code, again.json()["id"]) == (200, photo["id"])


@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_thumbnail_of_a_packed_crop_is_that_of_the_crop(
    segmenter: OnnxSegmenter, store: Busy, ledger: FakeLedger, size: str
) -> None:
    with client_of(parts_of(segmenter, store, ledger, context_px=0)) as client:
        path = f"/photos/{upload(client, painted_photo())['id']}/thumbnail?size={size}"
        before = client.get(path)
        packed(ledger, store)
        after = client.get(path)
    assert before.headers["Content-Type"] == after.headers["Content-Type"] == "image/webp"
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])


def test_page_of_a_packed_photo_says_so_plainly(
    client: httpx.Client, photo: dict[str, Any], path: str
) -> None:
    stored = client.get(f"/v1/photos/{photo['id']}").json()["stored"]
    page = client.get(f"/photos/{photo['id']}").text
    for told in (
        "packed as JPEG XL",
        f"({stored['bytes']:,} bytes)",
        f"({stored['content_bytes']:,} bytes)",
        stored["key"],
        "What is stored was recompressed, and is served as before",
        "packed (jxl)",
    ):
        assert told in page
