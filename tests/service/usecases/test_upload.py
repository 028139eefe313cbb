"""A photo comes in: what is stored and recorded, and what is not when something fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Semaphore

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import CropPolicy, Reason
from service.core.encoding import Encoding
from service.core.errors import PhotoRejected, RequestRejected, Unavailable
from service.core.geometry import Box
from service.core.photo import Limits, Photo, sha256_of
from service.core.record import Capture, PhotoFilter, Record, Recorded, Source, Status
from service.imaging.probe import photo_of
from service.ports import Ledger, ModelDescription, ObjectStore, Segmenter
from service.usecases.optimize import Optimizer
from service.usecases.upload import Intake
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def intake_of(
    segmenter: Segmenter,
    store: ObjectStore,
    ledger: Ledger,
    *,
    keep_originals: timedelta = timedelta(0),
    context_px: int = 320,
) -> Intake:
    optimizer = Optimizer(
        segmenter, CropPolicy(), Encoding.AUTO, keep_gps=False, context_px=context_px
    )
    return Intake(optimizer, store, ledger, keep_originals, lambda: NOON)


@pytest.fixture
def intake(segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger) -> Intake:
    return intake_of(segmenter, store, ledger)


def take(intake: Intake, content: bytes, *, idempotency_key: str | None = None) -> Recorded:
    return intake.take(
        photo(content),
        Capture(meter_id="G-1"),
        source=Source.UPLOAD,
        idempotency_key=idempotency_key,
    )


def photo(content: bytes) -> Photo:
    return photo_of(content, Limits())


def records(ledger: Ledger) -> tuple[Record, ...]:
    return ledger.page(PhotoFilter(), limit=100).items


def keys_in(store: ObjectStore) -> set[str]:
    return {each.key for each in store.objects()}


def test_cropped_photo_is_stored_and_accounted_for(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    content = painted_photo()

    recorded = take(intake, content)

    record = recorded.record
    assert recorded.created
    assert records(ledger) == (record,)
    assert (record.status, record.reason) == (Status.CROPPED, None)
    assert record.original.sha256 == sha256_of(content)
    assert record.received_at == NOON
    stored = store.get(record.stored.key)
    assert stored is not None
    assert (len(stored), sha256_of(stored)) == (record.stored.bytes, record.stored.sha256)
    assert keys_in(store) == set(record.keys)
    assert record.saved_bytes == len(content) - sum(each.bytes for each in store.objects()) > 0
    timings = record.timings_ms
    assert timings.total >= timings.decode + timings.segment + timings.crop + timings.store > 0.0


def test_context_picture_lies_beside_the_crop_and_counts_as_stored(
    intake: Intake, store: FakeObjectStore
) -> None:
    record = take(intake, painted_photo()).record

    context = record.context
    assert context is not None
    picture = store.get(context.key)
    assert picture is not None
    assert (len(picture), sha256_of(picture)) == (context.bytes, context.sha256)
    assert (context.media_type, context.width, context.height) == ("image/webp", 320, 240)
    assert context.key.endswith(f"/{record.fingerprint}-320.webp")
    assert record.kept_bytes == record.stored.bytes + context.bytes


def test_no_context_picture_is_stored_where_none_is_asked_for(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    record = take(intake_of(segmenter, store, ledger, context_px=0), painted_photo()).record

    assert record.context is None
    assert keys_in(store) == {record.stored.key}
    assert record.kept_bytes == record.stored.bytes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (painted_photo(regions=[]), Reason.NO_REGION),
        (painted_photo(regions=[Box(20, 20, 620, 460)]), Reason.NO_GAIN),
    ],
)
def test_kept_original_is_stored_unchanged_under_its_own_hash(
    intake: Intake, store: FakeObjectStore, content: bytes, reason: Reason
) -> None:
    record = take(intake, content).record

    assert (record.status, record.reason) == (Status.KEPT_ORIGINAL, reason)
    assert (record.saved_bytes, record.context) == (0, None)
    assert store.get(record.stored.key) == content
    assert record.stored.sha256 in record.stored.key
    assert record.original.retained_key is None


def test_original_of_a_crop_is_kept_beside_it_for_its_grace(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    intake = intake_of(segmenter, store, ledger, keep_originals=timedelta(days=30))

    record = take(intake, painted_photo()).record

    assert record.original.retained_until == NOON + timedelta(days=30)
    assert record.original.retained_key is not None
    assert store.get(record.original.retained_key) == painted_photo()
    assert keys_in(store) == set(record.keys)


def test_kept_original_needs_no_second_copy_for_a_grace(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    intake = intake_of(segmenter, store, ledger, keep_originals=timedelta(days=30))

    record = take(intake, painted_photo(regions=[])).record

    assert record.original.retained_until is None
    assert len(list(store.objects())) == 1


def test_same_bytes_are_recorded_once_and_stored_once(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    first, again = take(intake, painted_photo()), take(intake, painted_photo())

    assert (first.created, again.created) == (True, False)
    assert again.record == first.record
    assert records(ledger) == (first.record,)
    assert keys_in(store) == set(first.record.keys)


def test_same_bytes_from_many_threads_are_recorded_once(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(intake, painted_photo()), range(8)))

    assert sum(each.created for each in taken) == 1
    assert len({each.record.id for each in taken}) == 1
    assert keys_in(store) == set(records(ledger)[0].keys)


def test_idempotency_key_answers_with_its_photo_and_refuses_another(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    first = take(intake, painted_photo(1), idempotency_key="visit-17")

    assert take(intake, painted_photo(1), idempotency_key="visit-17").record == first.record
    with pytest.raises(RequestRejected) as rejection:
        take(intake, painted_photo(2), idempotency_key="visit-17")
    assert rejection.value.code == "idempotency.conflict"
    assert records(ledger) == (first.record,)
    assert keys_in(store) == set(first.record.keys)


def test_key_that_comes_with_known_bytes_is_remembered(intake: Intake) -> None:
    take(intake, painted_photo(1))
    take(intake, painted_photo(1), idempotency_key="visit-17")

    with pytest.raises(RequestRejected):
        take(intake, painted_photo(2), idempotency_key="visit-17")


def test_nothing_is_recorded_where_the_store_does_not_answer(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    store.available = False

    with pytest.raises(Unavailable):
        take(intake, painted_photo())
    assert records(ledger) == ()

    store.available = True
    assert take(intake, painted_photo()).created


def test_nothing_is_recorded_where_the_original_cannot_be_kept(
    segmenter: OnnxSegmenter, ledger: FakeLedger
) -> None:
    store = StoreWithoutRoomForOriginals()
    intake = intake_of(segmenter, store, ledger, keep_originals=timedelta(days=30))

    with pytest.raises(Unavailable):
        take(intake, painted_photo())

    assert records(ledger) == ()


def test_a_core_is_held_while_a_photo_is_computed_and_not_while_it_is_stored(
    segmenter: OnnxSegmenter, ledger: FakeLedger
) -> None:
    core = Semaphore(1)
    free: list[tuple[str, bool]] = []

    def note(task: str) -> None:
        free.append((task, core.acquire(blocking=False)))
        if free[-1][1]:
            core.release()

    class Noting(FakeObjectStore):
        def put(self, key: str, content: bytes, *, media_type: str) -> None:
            note("put")
            super().put(key, content, media_type=media_type)

    class Noted:
        @property
        def description(self) -> ModelDescription:
            return segmenter.description

        def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            note("model")
            return segmenter.probabilities(pixels)

    take(replace(intake_of(Noted(), Noting(), ledger), cores=core), painted_photo())

    assert free == [("model", False), ("put", True), ("put", True)]


def test_put_comes_before_the_record_and_a_retry_finds_its_object(
    segmenter: OnnxSegmenter, store: FakeObjectStore
) -> None:
    ledger = LedgerThatFailsOnce(store)
    intake = intake_of(segmenter, store, ledger)

    with pytest.raises(Unavailable):
        take(intake, painted_photo())
    orphans = keys_in(store)

    record = take(intake, painted_photo()).record
    assert keys_in(store) == set(record.keys) == orphans


def test_photo_that_is_rejected_leaves_nothing(
    intake: Intake, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    content = painted_photo()
    half = replace(photo(content), content=content[: len(content) // 2])
    with pytest.raises(PhotoRejected):
        intake.take(half, Capture(), source=Source.UPLOAD)

    assert (list(store.objects()), records(ledger)) == ([], ())


def test_senders_time_goes_over_the_cameras(intake: Intake) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:02:28 23:59:58"
    sent = Capture(captured_at=NOON)

    cameras = take(intake, painted_photo(1, exif=exif)).record
    senders = intake.take(photo(painted_photo(2, exif=exif)), sent, source=Source.UPLOAD).record

    assert cameras.capture.captured_at == datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC)
    assert cameras.capture.meter_id == "G-1"
    assert senders.capture.captured_at == NOON
    assert cameras.exif is not None


class StoreWithoutRoomForOriginals(FakeObjectStore):
    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        if key.startswith("originals/"):
            raise Unavailable("store.unavailable", "the store is full")
        super().put(key, content, media_type=media_type)


class LedgerThatFailsOnce(FakeLedger):
    """Fails the first record, having seen that its object was there."""

    def __init__(self, store: FakeObjectStore) -> None:
        super().__init__()
        self._store = store
        self._failed = False

    def record(self, record: Record, *, idempotency_key: str | None = None) -> Recorded:
        assert all(self._store.head(key) is not None for key in record.keys)
        if not self._failed:
            self._failed = True
            raise Unavailable("database.unavailable", "the database went away")
        return super().record(record, idempotency_key=idempotency_key)
