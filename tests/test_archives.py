from __future__ import annotations

from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.core.archive import ArchivedObject
from service.core.errors import PhotoRejected
from service.core.job import Item, ItemState
from service.core.photo import Limits
from service.imaging.decode import decoded
from service.imaging.probe import photo_of
from tests import archives, photos
from tests.archives import REFUSED_AS, ArchiveEntry, Damage, damaged, make_archive, numbered, tally
from tests.servers.s3 import S3Server

LIMITS = Limits(max_bytes=300_000)
FAILED = frozenset({ItemState.FAILED})


@cache
def archive(objects: int = 120, *, seed: int = 0) -> tuple[ArchiveEntry, ...]:
    """Of two small drawn photos, a fifth of it broken and a fifth odd."""
    originals = [photos.jpeg(width=160, height=120, seed=seed) for seed in range(2)]
    return tuple(
        make_archive(
            originals, objects=objects, broken_share=0.2, odd_share=0.2, oversized_bytes=300_001,
            seed=seed,
        )
    )  # fmt: skip


def refusal(content: bytes) -> str | None:
    """The code, None where it is decoded."""
    try:
        decoded(photo_of(content, LIMITS))
    except PhotoRejected as error:
        return error.code
    return None


@pytest.mark.parametrize("damage", Damage)
@pytest.mark.parametrize("orientation", [None, 6])
def test_damage_is_refused_as_what_it_is(damage: Damage, orientation: int | None) -> None:
    photo = photos.jpeg(width=160, height=120, orientation=orientation)
    assert refusal(photo) is None
    assert refusal(damaged(photo, damage)) == REFUSED_AS[damage]


@pytest.mark.parametrize(
    "content",
    [photos.jpeg(orientation=6), photos.jpeg(progressive=True), photos.png(), photos.heic(),
     photos.gif(frames=3)],
)  # fmt: skip
def test_number_makes_another_file_of_the_same_pixels(content: bytes) -> None:
    first, second = numbered(content, 1), numbered(content, 2)
    assert len({content, first, second}) == 3
    before, after = photo_of(content, Limits()), photo_of(second, Limits())
    assert (before.exif, before.orientation) == (after.exif, after.orientation)
    assert np.array_equal(np.asarray(decoded(before)), np.asarray(decoded(after)))


def test_archive_is_the_same_in_every_run() -> None:
    assert archive.__wrapped__() == archive()
    assert archive(seed=1) != archive()


def test_archive_has_as_many_objects_as_asked_for_each_under_its_own_key() -> None:
    entries = archive()
    assert len({entry.key for entry in entries}) == len(entries) == 120
    assert tally(entry.expected for entry in entries).failed == 1 + round(0.2 * 119)


def test_every_object_is_what_is_expected_of_it() -> None:
    for key, content, expected in archive():
        assert refusal(content) == (expected.code if expected.states == FAILED else None), key


def test_every_kind_is_in_it() -> None:
    entries = archive()
    codes = {entry.expected.code for entry in entries}
    assert codes == {None, *REFUSED_AS.values(), "photo.too_large", "is_crop"}
    endings = Counter(Path(entry.key).suffix for entry in entries)
    assert {".jpg", ".png", ".heic", ".gif"} <= set(endings)
    assert any(entry.key.endswith(".jpg.metercrop.jpg") for entry in entries)
    assert any(entry.key.count("/") == 40 for entry in entries)
    assert any(not entry.key.isascii() for entry in archive(400))


def test_only_twins_have_the_same_bytes_and_name_each_other() -> None:
    entries = {entry.key: entry for entry in archive() if entry.expected.states != FAILED}
    twins = {key for key, entry in entries.items() if entry.expected.twin is not None}
    assert len({entry.content for entry in entries.values()}) == len(entries) - len(twins) // 2
    for key in twins:
        other = entries[entries[key].expected.twin or ""]
        assert other.content == entries[key].content
        assert other.expected.twin == key


def test_tally_counts_one_of_each_pair_and_the_crops_as_skipped() -> None:
    expected = [entry.expected for entry in archive()]
    pairs = sum(each.twin is not None for each in expected) // 2
    crops = sum(each.code == "is_crop" for each in expected)
    counted = tally(expected)
    assert pairs > 0 < crops
    assert counted.skipped == pairs + crops
    assert counted.photos + counted.failed + counted.skipped == counted.total == 120


def test_item_meets_what_is_expected_of_it_or_not() -> None:
    found = ArchivedObject("s3://archive", "x.jpg", 1, "etag")
    failed = Item(0, found, ItemState.FAILED, code="photo.corrupt")
    assert archives.Expected(FAILED, "photo.corrupt").is_met_by(failed)
    assert not archives.Expected(FAILED, "photo.empty").is_met_by(failed)
    assert not archives.PHOTO.is_met_by(failed)
    assert archives.PHOTO.is_met_by(Item(0, found, ItemState.KEPT_ORIGINAL, code="no_region"))


def test_archive_that_is_mostly_broken_is_refused() -> None:
    with pytest.raises(ValueError, match="over half"):
        list(make_archive([photos.jpeg()], objects=10, broken_share=0.6))


def test_keys_are_possible_in_a_bucket_and_in_a_folder(s3_server: S3Server, tmp_path: Path) -> None:
    keys = {entry.key for entry in archive(400)}
    client, bucket = s3_server.client(), s3_server.new_bucket()
    for key in keys:
        client.put_object(bucket, key, BytesIO(b"x"), 1)
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"x")
    listed = {found.object_name for found in client.list_objects(bucket, recursive=True)}
    files = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert listed == keys
    assert {str(path) for path in files} == keys


def test_real_photos_are_shrunk_and_small_ones_left_out(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(photos.jpeg(width=1200, height=900, orientation=6))
    (tmp_path / "small.jpg").write_bytes(photos.jpeg(width=320, height=240))
    (shrunk,) = archives.meter_photos(longer_px=400, folder=tmp_path)
    assert Image.open(BytesIO(shrunk)).size == (400, 300)
    assert photo_of(shrunk, LIMITS).exif_orientation == 6


def test_photos_are_rendered_where_there_are_no_real_ones(tmp_path: Path) -> None:
    rendered = archives.meter_photos(longer_px=342, folder=tmp_path)
    assert len(set(rendered)) == archives.RENDERED_PHOTOS
    assert all(refusal(photo) is None for photo in rendered)
