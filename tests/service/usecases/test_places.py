"""Every source has one place of its own, and nothing is overwritten."""

from __future__ import annotations

import pytest

from service.core.archive import ArchivedObject
from service.core.job import JobPlan, Mode
from service.usecases.places import OwnStore, Place, crop_place, named_apart

OWN = OwnStore("s3://metercrop", "crops/")


def plan(mode: Mode, destination: str = "") -> JobPlan:
    return JobPlan("s3://archive/2026", None, mode, destination)


def source(key: str) -> ArchivedObject:
    return ArchivedObject("s3://archive", key, 1, "etag")


@pytest.mark.parametrize(
    ("key", "extension", "place"),
    [
        ("2026/a.jpg", "jpg", "2026/a.jpg"),
        ("2026/a.JPEG", "jpg", "2026/a.JPEG"),
        ("2026/a.bmp", "png", "2026/a.bmp.png"),
        ("2026/no ending", "jpg", "2026/no ending.jpg"),
        ("2026/a.b/c", "jpg", "2026/a.b/c.jpg"),
    ],
)
def test_below_a_destination_the_whole_key_is_kept(key: str, extension: str, place: str) -> None:
    found = crop_place(plan(Mode.COPY, "s3://small/kept"), source(key), extension, own_store=OWN)

    assert found == Place("s3://small", f"kept/{place}")


def test_a_bucket_and_a_folder_are_destinations_too() -> None:
    bucket = crop_place(plan(Mode.COPY, "s3://small"), source("a.jpg"), "jpg", own_store=OWN)
    folder = crop_place(plan(Mode.COPY, "file:///small"), source("a.jpg"), "jpg", own_store=OWN)

    assert bucket == Place("s3://small", "a.jpg")
    assert folder == Place("file:///small", "a.jpg")


def test_a_copy_without_destination_lies_in_the_own_store_by_bucket() -> None:
    place = crop_place(plan(Mode.COPY), source("2026/a.jpg"), "jpg", own_store=OWN)

    assert place == Place("s3://metercrop", "crops/archive/archive/2026/a.jpg")
    assert OWN.key_of(place) == "archive/archive/2026/a.jpg"


def test_a_replacement_lies_beside_its_source_and_tells_that_it_is_a_crop() -> None:
    place = crop_place(plan(Mode.REPLACE), source("2026/a.jpg"), "jpg", own_store=OWN)

    assert place == Place("s3://archive", "2026/a.jpg.metercrop.jpg")
    assert OWN.key_of(place) == "s3://archive/2026/a.jpg.metercrop.jpg"


def test_another_models_crop_lies_apart() -> None:
    place = named_apart(Place("s3://small", "2026/a.jpg"), "0123456789abcdef")

    assert place == Place("s3://small", "2026/a.0123456789ab.jpg")
