"""Many files at once, over fakes and a real model."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import CropPolicy, Reason
from service.core.encoding import Encoding
from service.core.errors import Unavailable
from service.core.photo import Limits
from service.core.record import PhotoFilter, Source, Status
from service.usecases.ingest import Failed, Ingest, IngestTotals, PixelBudget, Taken
from service.usecases.optimize import Optimizer
from service.usecases.photo_files import photo_files
from service.usecases.upload import Intake
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import BLUE, painted_photo
from tests.segmenters import colour_segmenter
from tests.serving import now_in_utc

AT_ONCE = (0.0,)
EVERYTHING = PhotoFilter()


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


@pytest.fixture
def store() -> FakeObjectStore:
    return FakeObjectStore()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


MakeIngest = Callable[..., Ingest]


@pytest.fixture
def ingest(segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger) -> MakeIngest:
    def made(
        *,
        limits: Limits | None = None,
        budget_px: int = 10**9,
        stop: Event | None = None,
        retry_after_s: tuple[float, ...] = AT_ONCE,
    ) -> Ingest:
        optimizer = Optimizer(
            segmenter, CropPolicy(), Encoding.AUTO, keep_gps=False, context_px=320
        )
        intake = Intake(optimizer, store, ledger, timedelta(0), now_in_utc)
        budget = PixelBudget(budget_px)
        return Ingest(intake, limits or Limits(), budget, 2, stop or Event(), retry_after_s)

    return made


def photos_in(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number:02d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(painted_photo(number))
    return paths


def test_outcomes_come_in_the_files_order(tmp_path: Path, ingest: MakeIngest) -> None:
    paths = photos_in(tmp_path, 20)
    outcomes = list(ingest().outcomes(paths))
    assert [outcome.path for outcome in outcomes] == paths
    assert all(isinstance(outcome, Taken) and outcome.created for outcome in outcomes)


def test_photo_is_taken_in_as_an_upload_would_be(
    tmp_path: Path, ingest: MakeIngest, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    (outcome,) = ingest().outcomes(photos_in(tmp_path, 1))
    assert isinstance(outcome, Taken)
    record = outcome.record
    assert (record.status, record.source) == (Status.CROPPED, Source.INGEST)
    assert ledger.by_id(record.id) == record
    stored = store.get(record.stored.key)
    assert stored is not None
    assert len(stored) == record.stored.bytes < record.original.bytes


def test_failing_photo_stops_no_other(tmp_path: Path, ingest: MakeIngest) -> None:
    first, last = photos_in(tmp_path, 2)
    text, empty, missing = (tmp_path / name for name in ("notes.txt", "empty.jpg", "missing.jpg"))
    text.write_text("no photo")
    empty.touch()
    outcomes = list(ingest().outcomes([first, text, empty, missing, last]))
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Failed)]
    assert codes == ["photo.unsupported", "photo.empty", "file.unreadable"]
    assert isinstance(outcomes[0], Taken)
    assert isinstance(outcomes[-1], Taken)


def test_file_over_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, ingest: MakeIngest
) -> None:
    sparse = tmp_path / "enormous.jpg"
    with sparse.open("wb") as file:
        file.truncate(10**12)
    (outcome,) = ingest(limits=Limits(max_bytes=1_000)).outcomes([sparse])
    assert isinstance(outcome, Failed)
    assert outcome.code == "photo.too_large"


def test_pipe_is_no_photo_and_is_not_waited_for(tmp_path: Path, ingest: MakeIngest) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (outcome,) = ingest().outcomes([tmp_path / "pipe.jpg"])
    assert isinstance(outcome, Failed)
    assert outcome.message == "it is no regular file"


def test_same_bytes_twice_are_stored_once(
    tmp_path: Path, ingest: MakeIngest, store: FakeObjectStore
) -> None:
    paths = photos_in(tmp_path, 1)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(paths[0].read_bytes())
    list(ingest().outcomes(paths))
    (again,) = ingest().outcomes([copy])
    assert isinstance(again, Taken)
    assert not again.created
    assert {each.key for each in store.objects()} == set(again.record.keys)


def test_store_that_comes_back_in_time_is_waited_for(
    tmp_path: Path, ingest: MakeIngest, store: FakeObjectStore
) -> None:
    paths = photos_in(tmp_path, 2)
    store.available = False

    def come_back() -> None:
        sleep(0.1)
        store.available = True

    thread = Thread(target=come_back)
    thread.start()
    outcomes = list(ingest(retry_after_s=(0.05,) * 1_000).outcomes(paths))
    thread.join()
    assert [type(outcome) for outcome in outcomes] == [Taken, Taken]


def test_store_that_stays_away_ends_the_work_after_bounded_tries(
    tmp_path: Path, ingest: MakeIngest, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    store.available = False
    work = ingest(retry_after_s=(0.01, 0.01))
    with pytest.raises(Unavailable, match="told to be unavailable"):
        list(work.outcomes(photos_in(tmp_path, 20)))
    assert work.stop.is_set()
    assert ledger.page(where=EVERYTHING, limit=10).items == ()


def test_stopped_work_finishes_what_it_has_begun_and_begins_no_more(
    tmp_path: Path, ingest: MakeIngest, ledger: FakeLedger
) -> None:
    stop = Event()
    told = []
    for outcome in ingest(stop=stop).outcomes(photos_in(tmp_path, 40)):
        told.append(outcome)
        stop.set()
    recorded = ledger.page(where=EVERYTHING, limit=100).items
    assert 1 <= len(told) == len(recorded) < 40
    assert {one.record.id for one in told if isinstance(one, Taken)} == {
        record.id for record in recorded
    }


def test_photo_over_the_whole_budget_goes_alone(tmp_path: Path, ingest: MakeIngest) -> None:
    outcomes = list(ingest(budget_px=1).outcomes(photos_in(tmp_path, 4)))
    assert [type(outcome) for outcome in outcomes] == [Taken] * 4


def test_budget_lets_in_no_more_than_it_holds() -> None:
    budget, entered = PixelBudget(100), Event()

    def enter() -> None:
        with budget.held(60):
            entered.set()

    thread = Thread(target=enter)
    with budget.held(60):
        thread.start()
        assert not entered.wait(0.1)
    assert entered.wait(60.0)
    thread.join()


def test_totals_count_every_outcome_once(tmp_path: Path, ingest: MakeIngest) -> None:
    paths = photos_in(tmp_path, 3)
    doubtful, text = tmp_path / "doubtful.jpg", tmp_path / "text.jpg"
    doubtful.write_bytes(painted_photo(9, colour=BLUE))
    text.write_text("no photo")
    totals = IngestTotals()
    for outcome in ingest().outcomes([*paths, paths[0], doubtful, text]):
        totals.add(outcome)
    assert totals.photos == 6
    assert totals.cropped + totals.already_stored == 4
    assert totals.kept == {Reason.LOW_CONFIDENCE: 1}
    assert totals.failed == {"photo.unsupported": 1}
    sizes = [path.stat().st_size for path in (*paths, doubtful)]
    assert totals.original_bytes == sum(sizes)
    assert 0 < totals.stored_bytes < totals.original_bytes


def test_folders_are_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "a.jpg", ".hidden.jpg", ".git/3.jpg", "b/c/4.jpg"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = [str(path.relative_to(tmp_path)) for path in photo_files([tmp_path])]
    assert found == ["a.jpg", "b/1.jpg", "b/2.jpg", "b/c/4.jpg"]


def test_file_that_is_named_is_taken_even_if_hidden(tmp_path: Path) -> None:
    hidden = tmp_path / ".hidden.jpg"
    hidden.touch()
    assert list(photo_files([hidden])) == [hidden]


def test_link_to_a_folder_above_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list(photo_files([tmp_path])) == [tmp_path / "a.jpg"]
