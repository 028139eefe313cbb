"""One object of an archive, on folders, a real database and a real model."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Semaphore
from uuid import uuid4

import pytest

from service.adapters.addressed_store import AddressedStore
from service.adapters.archives import OpenedArchives
from service.adapters.folder import FolderStore
from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.core.archive import ArchivedObject, fit_for_a_list
from service.core.crop import CropPolicy
from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.job import Item, ItemState, Job, JobPlan, JobState, Mode
from service.core.photo import Limits, sha256_of
from service.core.record import Capture, Record, Retention, Source
from service.imaging.probe import photo_of
from service.usecases.ingest import PixelBudget
from service.usecases.optimize import Optimizer
from service.usecases.pace import Pace
from service.usecases.places import OwnStore
from service.usecases.reprocess import Reprocess, Worked
from service.usecases.run_chunk import ChunkEnd, ChunkRunner
from service.usecases.upload import Intake
from tests.painted import BLUE, painted_photo
from tests.records import NOON
from tests.servers.postgres import opened

LIMITS = Limits(50_000_000, 100_000_000)
POLICY = CropPolicy(threshold=0.5, min_confidence=0.9, margin=0.25)
SMALL = Box(240, 180, 320, 220)


@dataclass(frozen=True, slots=True)
class Desk:
    """Works on one object at a time, from `archive` to `objects` of one folder."""

    folder: Path
    reprocess: Reprocess
    jobs: SqlJobLedger
    ledger: SqlLedger
    store: AddressedStore

    def job(self, mode: Mode = Mode.COPY, *, destination: str = "", dry_run: bool = False) -> Job:
        plan = JobPlan(f"file://{self.folder}/archive", None, mode, destination, dry_run)
        job = Job(uuid4(), plan, JobState.RUNNING, NOON)
        self.jobs.create(job)
        return job

    def put(self, key: str, content: bytes) -> None:
        path = self.folder / "archive" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def worked(self, job: Job, key: str) -> Worked:
        """What became of it, settled."""
        archive = self.reprocess.archives.opened(f"file://{self.folder}/archive")
        found = archive.find(key)
        assert found is not None
        self.jobs.add_items(job.id, [found], listed_after=key)
        (item,) = self.jobs.pending_items(job.id, chunk=0)
        earlier = self.jobs.earlier([item], not_of=job.id)
        worked = self.reprocess.worked(job, item, earlier=earlier.get(item.number))
        self.jobs.settle(job.id, [worked.outcome])
        return worked

    def chunk_run(self, job: Job, *keys: str) -> list[Item]:
        """Its objects all at once, with what a worker tidies up behind them."""
        archive = self.reprocess.archives.opened(f"file://{self.folder}/archive")
        found = [each for each in archive.objects() if each.key in keys]
        self.jobs.add_items(job.id, found, listed_after="")
        with ThreadPoolExecutor(len(keys)) as pool:
            runner = ChunkRunner(
                jobs=self.jobs,
                ledger=self.ledger,
                archives=self.reprocess.archives,
                store=self.store,
                reprocess=self.reprocess,
                pool=pool,
                depth=len(keys),
                pace=lambda _: Pace(None),
                stop=Event(),
            )
            told = Event()
            end = runner.run(job.id, attempt=job.attempt, chunk=0, nearly_done=told.set)
            assert end is ChunkEnd.DONE
            assert told.is_set()
        return list(self.jobs.every_item(job.id))

    def own_keys(self) -> set[str]:
        return {each.key for each in self.store.objects()}

    def item(self, job: Job, key: str) -> Item:
        return self.worked(job, key).outcome.item

    def record(self, item: Item) -> Record:
        assert item.photo_id is not None
        record = self.ledger.by_id(item.photo_id)
        assert record is not None
        return record


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str, segmenter: OnnxSegmenter) -> Iterator[Desk]:
    for folder in ("archive", "objects"):
        (tmp_path / folder).mkdir()
    archives, own = OpenedArchives(None), OwnStore(f"file://{tmp_path}/objects", "")
    optimizer = Optimizer(segmenter, POLICY, Encoding.AUTO, keep_gps=False, context_px=320)
    with opened(sqlite_url) as engine:
        ledger = SqlLedger(engine)
        budget = PixelBudget(100_000_000)
        store = AddressedStore(FolderStore(tmp_path / "objects"), archives)
        reprocess = Reprocess(
            optimizer, ledger, archives, own, store, LIMITS, budget, Semaphore(1), lambda: NOON
        )
        yield Desk(tmp_path, reprocess, SqlJobLedger(engine), ledger, store)


def with_margin(desk: Desk, margin: float) -> Desk:
    """The same desk under other rules."""
    optimizer = replace(desk.reprocess.optimizer, policy=replace(POLICY, margin=margin))
    return replace(desk, reprocess=replace(desk.reprocess, optimizer=optimizer))


def test_a_copy_stores_the_crop_and_leaves_the_source(desk: Desk) -> None:
    desk.put("2026/a.jpg", painted_photo())

    item = desk.item(desk.job(), "2026/a.jpg")

    record = desk.record(item)
    assert item.state is ItemState.CROPPED
    assert (record.source, record.stored.key) == (Source.BATCH, "archive/archive/2026/a.jpg")
    assert record.original.retention is Retention.SOURCE
    assert record.original.retained_key == f"file://{desk.folder}/archive/2026/a.jpg"
    stored = desk.store.get(record.stored.key)
    assert stored is not None
    assert sha256_of(stored) == record.stored.sha256
    assert (desk.folder / "archive/2026/a.jpg").read_bytes() == painted_photo()


def test_a_copy_takes_a_kept_original_along(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo(regions=()))

    item = desk.item(desk.job(destination=f"file://{desk.folder}/small"), "a.jpg")

    assert (item.state, item.code) == (ItemState.KEPT_ORIGINAL, "no_region")
    assert (desk.folder / "small/a.jpg").read_bytes() == painted_photo(regions=())
    assert desk.record(item).stored.key == f"file://{desk.folder}/small/a.jpg"


def test_a_replacement_lies_beside_its_source_which_is_in_grace(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())

    record = desk.record(desk.item(desk.job(Mode.REPLACE), "a.jpg"))

    assert (desk.folder / "archive/a.jpg.metercrop.jpg").exists()
    assert (desk.folder / "archive/a.jpg").read_bytes() == painted_photo()
    assert record.original.retention is Retention.GRACE
    assert record.original.retained_until == NOON + timedelta(days=30)


def test_a_kept_original_stays_where_it_is_in_replace(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo(colour=BLUE))

    item = desk.item(desk.job(Mode.REPLACE), "a.jpg")

    record = desk.record(item)
    assert item.code == "low_confidence"
    assert record.stored.key == f"file://{desk.folder}/archive/a.jpg"
    assert record.original.retention is None
    assert record.keys == ()
    assert len(list((desk.folder / "archive").iterdir())) == 1


def test_a_dry_run_writes_nothing_and_draws_a_picture(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())

    worked = desk.worked(desk.job(dry_run=True), "a.jpg")

    assert worked.outcome.item.state is ItemState.CROPPED
    assert worked.outcome.item.stored_bytes < worked.outcome.item.original_bytes
    assert worked.picture is not None
    assert worked.picture.jpeg.startswith(b"\xff\xd8\xff")
    assert list((desk.folder / "objects").iterdir()) == []
    assert desk.ledger.by_original(sha256_of(painted_photo())) is None


def test_the_same_photo_under_another_name_is_skipped(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())
    desk.put("b.jpg", painted_photo())
    first = desk.item(desk.job(), "a.jpg")

    second = desk.item(desk.job(), "b.jpg")

    assert (second.state, second.code) == (ItemState.SKIPPED, "already_done")
    assert second.photo_id == first.photo_id


def test_what_was_refused_is_not_read_again(desk: Desk) -> None:
    desk.put("a.jpg", b"no photo")
    first = desk.item(desk.job(), "a.jpg")

    second = desk.item(desk.job(), "a.jpg")

    assert (first.state, first.code) == (ItemState.FAILED, "photo.unsupported")
    assert (second.state, second.code) == (ItemState.SKIPPED, "already_refused")
    assert "photo.unsupported" in (second.message or "")


def test_crops_are_no_sources_by_name_or_by_bytes(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())
    record = desk.record(desk.item(desk.job(Mode.REPLACE), "a.jpg"))
    crop = desk.store.get(record.stored.key)
    assert crop is not None
    desk.put("moved.jpg", crop)

    by_name = desk.item(desk.job(), "a.jpg.metercrop.jpg")
    by_bytes = desk.item(desk.job(), "moved.jpg")

    assert {by_name.code, by_bytes.code} == {"is_crop"}


def test_other_rules_make_a_new_crop_in_the_place_of_the_old(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo(regions=(SMALL,)))
    before = desk.record(desk.item(desk.job(), "a.jpg"))

    worked = with_margin(desk, 0.5).worked(desk.job(), "a.jpg")

    after = desk.record(worked.outcome.item)
    assert after.id == before.id
    assert after.stored.bytes > before.stored.bytes
    assert set(worked.replaced) == set(before.keys)
    assert set(after.keys).isdisjoint(before.keys)
    assert [entry.event for entry in desk.ledger.history(after.id)] == ["recorded", "superseded"]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_context_picture_lies_in_the_own_store_wherever_the_crop_goes(
    desk: Desk, mode: Mode
) -> None:
    desk.put("a.jpg", painted_photo())

    item = desk.item(desk.job(mode, destination=f"file://{desk.folder}/small"), "a.jpg")

    record = desk.record(item)
    assert record.context is not None
    (stored,) = desk.store.objects()
    assert (stored.key, stored.bytes) == (record.context.key, record.context.bytes)
    assert (item.stored_bytes, item.context_bytes) == (record.kept_bytes, record.context.bytes)
    assert [path.name for path in (desk.folder / "small").iterdir()] == ["a.jpg"]


def test_nothing_is_left_of_a_crop_that_other_rules_replaced(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo(regions=(SMALL,)))
    (first,) = desk.chunk_run(desk.job(), "a.jpg")
    assert desk.own_keys() == set(desk.record(first).keys)

    (second,) = with_margin(desk, 0.5).chunk_run(desk.job(), "a.jpg")

    assert first.photo_id == second.photo_id
    assert desk.own_keys() == set(desk.record(second).keys)
    assert len(desk.own_keys()) == 2


def test_the_same_photo_twice_in_a_chunk_leaves_one_crop_and_one_context_picture(
    desk: Desk,
) -> None:
    desk.put("a.jpg", painted_photo())
    desk.put("b.jpg", painted_photo())

    items = desk.chunk_run(desk.job(), "a.jpg", "b.jpg")

    assert {item.state for item in items} == {ItemState.CROPPED, ItemState.SKIPPED}
    assert desk.own_keys() == set(desk.record(items[0]).keys)


def test_a_crop_that_becomes_a_kept_original_leaves_no_context_picture(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo(regions=(SMALL,)))
    before = desk.record(desk.item(desk.job(), "a.jpg"))
    strict = replace(desk.reprocess.optimizer, policy=replace(POLICY, min_confidence=1.0))

    worked = replace(desk, reprocess=replace(desk.reprocess, optimizer=strict)).worked(
        desk.job(), "a.jpg"
    )

    after = desk.record(worked.outcome.item)
    assert before.context is not None
    assert (after.crop, after.context) == (None, None)
    assert before.context.key in worked.replaced


def test_an_uploads_words_and_grace_outlive_a_new_crop(desk: Desk) -> None:
    content = painted_photo(regions=(SMALL,))
    intake = Intake(
        desk.reprocess.optimizer, desk.store, desk.ledger, timedelta(days=7), lambda: NOON
    )
    before = intake.take(
        photo_of(content, LIMITS), Capture(meter_id="G-1047"), source=Source.UPLOAD
    ).record
    desk.put("a.jpg", content)

    after = desk.record(with_margin(desk, 0.5).item(desk.job(), "a.jpg"))

    assert (after.capture, after.source) == (before.capture, Source.UPLOAD)
    assert after.original == before.original


def test_an_object_over_the_limit_is_not_read(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())
    small = replace(desk.reprocess, limits=Limits(1000, 1000))

    item = replace(desk, reprocess=small).item(desk.job(), "a.jpg")

    assert (item.state, item.code) == (ItemState.FAILED, "photo.too_large")


def test_a_limit_that_was_raised_lets_in_what_was_too_large(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())
    small = replace(desk, reprocess=replace(desk.reprocess, limits=Limits(1000, 1000)))
    small.item(desk.job(), "a.jpg")

    assert small.item(desk.job(), "a.jpg").code == "already_refused"
    assert desk.item(desk.job(), "a.jpg").state is ItemState.CROPPED


def test_nothing_is_written_over_what_lies_at_the_destination(desk: Desk) -> None:
    desk.put("a.jpg", painted_photo())
    other = desk.folder / "small" / "a.jpg"
    other.parent.mkdir()
    other.write_bytes(b"somebody's")

    item = desk.item(desk.job(destination=f"file://{desk.folder}/small"), "a.jpg")

    assert (item.state, item.code) == (ItemState.FAILED, "object.exists")
    assert other.read_bytes() == b"somebody's"


def test_object_whose_address_no_list_can_hold_fails_alone(desk: Desk) -> None:
    job = desk.job()
    found = ArchivedObject(f"file://{desk.folder}/archive", "deep/" * 500 + "a.jpg", 9, "etag")
    desk.jobs.add_items(job.id, [fit_for_a_list(found)], listed_after="")
    (item,) = desk.jobs.pending_items(job.id, chunk=0)

    ended = desk.reprocess.worked(job, item, earlier=None).outcome.item

    assert (ended.state, ended.code) == (ItemState.FAILED, "object.key_too_long")
