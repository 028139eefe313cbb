"""Batches in real ONNX Runtime, bound to buffers of the CPU as they are to a GPU's."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.adapters.onnx import OneByOne, OnnxSegmenter
from service.adapters.onnx_buckets import Buckets, cuda_buckets, sizes_for, warm_buckets
from service.adapters.onnx_gathering import Gathering, Outcome, Pixels
from service.adapters.onnx_session import NO_GRAPH, cpu_session
from service.core.errors import Unavailable
from service.ports import ModelDescription
from tests.segmenters import SIDE, colour_model

if TYPE_CHECKING:
    import onnxruntime as ort

SIZES = (1, 2, 4)


class Watched:
    """A real session that fails or stands still as it is told."""

    def __init__(self, session: "ort.InferenceSession", *, most: int = 99) -> None:
        self._session = session
        self.most = most
        self.sizes: list[int] = []
        self.graphs: list[int] = []
        self.graphs_stand_still = False

    def io_binding(self) -> "ort.IOBinding":
        return self._session.io_binding()

    def run_with_iobinding(self, binding: "ort.IOBinding", options: "ort.RunOptions") -> None:
        size = binding.get_outputs()[0].shape()[0]
        graph = int(options.get_run_config_entry("gpu_graph_id"))
        self.sizes.append(size)
        self.graphs.append(graph)
        if size > self.most:
            raise RuntimeError("CUDA failure 2: out of memory\nin some file")
        if graph == NO_GRAPH or not self.graphs_stand_still:
            self._session.run_with_iobinding(binding, options)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return colour_model(tmp_path_factory.mktemp("model")).read_bytes()


@pytest.fixture(scope="module")
def session(content: bytes) -> "ort.InferenceSession":
    return cpu_session(content, threads=1)


@pytest.fixture
def watched(session: "ort.InferenceSession") -> Watched:
    return Watched(session)


@pytest.fixture
def buckets(session: "ort.InferenceSession") -> Buckets:
    return warm_buckets(session, "cpu", sizes=SIZES, side=SIDE)


@cache
def photo(number: int) -> Pixels:
    """Noise with red patches, other ones for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels[number % 64 :: 8, number % 5 :: 3] = (230, 20, 20)
    return pixels


def photos(count: int, *, first: int = 0) -> list[Pixels]:
    return [photo(number) for number in range(first, first + count)]


def assert_answers(
    session: "ort.InferenceSession", found: Sequence[Outcome], pixels: Sequence[Pixels]
) -> None:
    """They are to the last bit what each photo has alone."""
    alone = OneByOne(session)
    for each, photo_of_it in zip(found, pixels, strict=True):
        assert isinstance(each, np.ndarray)
        np.testing.assert_array_equal(each, alone.answer(photo_of_it))


@pytest.mark.parametrize(
    ("callers", "sizes"),
    [(1, (1,)), (2, (1, 2)), (3, (1, 2, 4)), (16, (1, 2, 4, 8, 16)), (200, (1, 2, 4, 8, 16, 32))],
)
def test_sizes_double_up_to_as_many_as_ask_at_once(callers: int, sizes: tuple[int, ...]) -> None:
    assert sizes_for(callers) == sizes


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_batch_gives_each_photo_the_answer_it_has_alone(
    session: "ort.InferenceSession", buckets: Buckets, count: int
) -> None:
    buckets.outcomes(photos(4, first=10))  # what was there before must not show
    assert_answers(session, buckets.outcomes(photos(count)), photos(count))


def test_answers_stay_as_they_are_when_the_buffers_are_used_again(
    session: "ort.InferenceSession", buckets: Buckets
) -> None:
    found = buckets.outcomes(photos(4))
    buckets.outcomes(photos(4, first=20))
    assert_answers(session, found, photos(4))


def test_batch_is_padded_to_the_next_size(watched: Watched) -> None:
    buckets = warm_buckets(watched, "cpu", sizes=SIZES, side=SIDE)
    watched.sizes.clear()
    for count in (1, 2, 3, 4):
        buckets.outcomes(photos(count))
    assert watched.sizes == [1, 2, 4, 4]


def test_batch_that_finds_no_memory_is_run_in_halves(
    session: "ort.InferenceSession", watched: Watched
) -> None:
    buckets = warm_buckets(watched, "cpu", sizes=SIZES, side=SIDE)
    watched.most = 2
    with capture_logs() as logs:
        assert_answers(session, buckets.outcomes(photos(3)), photos(3))
    assert [(log["event"], log["size"]) for log in logs] == [("model.batch_failed", 4)]
    assert logs[0]["why"] == "CUDA failure 2: out of memory"


def test_photo_of_another_size_fails_alone(
    session: "ort.InferenceSession", buckets: Buckets
) -> None:
    wrong = np.zeros((SIDE + 1, SIDE, 3), dtype=np.uint8)
    with capture_logs():
        *right, refused = buckets.outcomes([*photos(3), wrong])
    assert isinstance(refused, Exception)
    assert_answers(session, right, photos(3))


def test_device_without_memory_for_a_size_gets_smaller_batches(watched: Watched) -> None:
    watched.most = 2
    with capture_logs() as logs:
        buckets = warm_buckets(watched, "cpu", sizes=SIZES, side=SIDE)
    assert buckets.largest == 2
    assert buckets.way == "plain runs of 1, 2 photos"
    assert [(log["event"], log["largest"]) for log in logs] == [("model.smaller_batches", 2)]


def test_device_that_runs_nothing_is_told(watched: Watched) -> None:
    watched.most = 0
    with pytest.raises(RuntimeError, match="out of memory"):
        warm_buckets(watched, "cpu", sizes=SIZES, side=SIDE)


def test_graphs_that_hold_are_used(session: "ort.InferenceSession", watched: Watched) -> None:
    """The CPU makes a plain run of each; what is tried is the way to them."""
    buckets = cuda_buckets(lambda **_: watched, "cpu", sizes=SIZES, side=SIDE)
    assert buckets.way == "CUDA graphs of 1, 2, 4 photos"
    assert_answers(session, buckets.outcomes(photos(3)), photos(3))
    assert watched.graphs[-1] == 4


def test_graphs_whose_answers_differ_are_not_used(
    session: "ort.InferenceSession", watched: Watched
) -> None:
    watched.graphs_stand_still = True
    with capture_logs() as logs:
        buckets = cuda_buckets(lambda **_: watched, "cpu", sizes=SIZES, side=SIDE)
    (log,) = logs
    assert log["event"] == "model.no_cuda_graphs"
    assert "in batches of 1 its answers differ from a plain run's by 0." in log["why"]
    assert buckets.way == "plain runs of 1, 2, 4 photos"
    assert_answers(session, buckets.outcomes(photos(3)), photos(3))


def test_model_that_cannot_be_captured_runs_without_graphs(
    session: "ort.InferenceSession", watched: Watched
) -> None:
    def opened(*, graphs: bool) -> Watched:
        if graphs:
            raise RuntimeError("not all nodes have been partitioned to CUDA")
        return watched

    with capture_logs() as logs:
        buckets = cuda_buckets(opened, "cpu", sizes=SIZES, side=SIDE)
    assert [log["why"] for log in logs] == ["not all nodes have been partitioned to CUDA"]
    assert_answers(session, buckets.outcomes(photos(4)), photos(4))


@pytest.fixture
def segmenter(buckets: Buckets) -> Iterator[OnnxSegmenter]:
    """As it is on a GPU, but on the CPU's buffers."""
    described = ModelDescription("colours", "1", "", "", "TestProvider", SIDE, 0.5, 0.8)
    segmenter = OnnxSegmenter(Gathering(lambda: buckets), described)
    yield segmenter
    segmenter.close()


def test_many_threads_at_once_each_get_their_own_answer(
    session: "ort.InferenceSession", segmenter: OnnxSegmenter
) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(segmenter.probabilities, photos(40)))
    assert_answers(session, found, photos(40))


def test_failing_inference_is_an_outage_of_the_model_for_its_caller(
    segmenter: OnnxSegmenter,
) -> None:
    wrong = np.zeros((SIDE + 1, SIDE, 3), dtype=np.uint8)
    with pytest.raises(Unavailable, match="the model fails on TestProvider") as failed:
        segmenter.probabilities(wrong)
    assert failed.value.code == "model.unavailable"
    assert segmenter.probabilities(photo(1)).shape == (SIDE, SIDE)


def test_closed_segmenter_says_so(segmenter: OnnxSegmenter) -> None:
    segmenter.close()
    with pytest.raises(Unavailable, match="the model has been closed"):
        segmenter.probabilities(photo(1))


def test_thread_ends_with_the_last_who_refers_to_the_segmenter(buckets: Buckets) -> None:
    described = ModelDescription("colours", "1", "", "", "TestProvider", SIDE, 0.5, 0.8)
    gathering = Gathering(lambda: buckets)
    segmenter = OnnxSegmenter(gathering, described)
    assert gathering._thread.is_alive()
    del segmenter
    assert not gathering._thread.is_alive()
