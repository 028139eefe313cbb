"""Manifests as people, S3 Batch Operations and S3 Inventory write them."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.archives import OpenedArchives
from service.core.errors import ObjectRejected, RequestRejected
from service.usecases.manifest import (
    MAX_BYTES,
    MAX_LINE_BYTES,
    ManifestEntry,
    entries,
    entries_of,
)

CSV = "s3://lists/manifest.csv"
LIST = "s3://lists/manifest.txt"
VERSION = "3HL4kqtJvjVBH40Nrjfkd"

INVENTORY_HEADER = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"


def read(text: str | bytes, *, name: str = CSV, root: str = "s3://lists") -> list[ManifestEntry]:
    content = text.encode() if isinstance(text, str) else text
    return list(entries(content.splitlines(keepends=True), name=name, root=root))


def test_batch_manifest_names_bucket_and_key() -> None:
    assert read("photos,2019/a.jpg\nother,b.jpg\r\n") == [
        ManifestEntry("s3://photos", "2019/a.jpg"),
        ManifestEntry("s3://other", "b.jpg"),
    ]


def test_batch_manifest_may_name_versions() -> None:
    assert read(f"photos,a.jpg,{VERSION}\nphotos,b.jpg,\nphotos,c.jpg\n") == [
        ManifestEntry("s3://photos", "a.jpg", VERSION),
        ManifestEntry("s3://photos", "b.jpg"),
        ManifestEntry("s3://photos", "c.jpg"),
    ]


def test_keys_in_csv_are_decoded() -> None:
    (entry,) = read("photos,2019%2Fa+b%2Bc%252C%22%C3%BC.jpg")
    assert entry.key == '2019/a b+c%2C"ü.jpg'


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_key_comes_back_from_csv(key: str) -> None:
    assert [entry.key for entry in read(f"photos,{quote_plus(key, safe='/')}")] == [key]


def test_inventory_with_a_header_tells_version_size_and_etag() -> None:
    rows = f'{INVENTORY_HEADER}\n"photos","a.jpg","{VERSION}","true","false","123","2026","etag1"'
    assert read(rows) == [ManifestEntry("s3://photos", "a.jpg", VERSION, 123, "etag1")]


def test_header_may_be_quoted_and_in_any_order_and_case() -> None:
    rows = '"etag", "KEY", "is_latest", "Version Id", "bucket"\n"e","a.jpg","true","v","photos"'
    assert read(rows, name=LIST) == [ManifestEntry("s3://photos", "a.jpg", "v", etag="e")]


def test_inventorys_delete_markers_old_versions_and_folder_markers_are_left_out() -> None:
    rows = [
        INVENTORY_HEADER,
        '"photos","marked.jpg","v1","true","true","","2026",""',
        '"photos","a.jpg","v2","true","false","5","2026","e"',
        '"photos","a.jpg","v1","false","false","5","2026","e"',
        '"photos","folder/","v1","true","false","0","2026","e"',
    ]
    for text in ("\n".join(rows), "\n".join(rows[1:])):
        assert [(entry.key, entry.version_id) for entry in read(text)] == [("a.jpg", "v2")]


@pytest.mark.parametrize("columns", ['"12345"', '"12345","2026-03-01T09:35:21.000Z","etag"'])
def test_inventory_without_versions_and_header_is_read_by_its_keys_alone(columns: str) -> None:
    assert read(f'"photos","a.jpg",{columns}\n') == [ManifestEntry("s3://photos", "a.jpg")]


def test_long_number_is_a_version_and_no_size() -> None:
    (entry,) = read("photos,a.jpg,1360887697105000")
    assert entry.version_id == "1360887697105000"


def test_plain_list_holds_addresses_and_keys_as_they_are() -> None:
    text = "s3://photos/a%20b+c,d.jpg\nfile:///mnt/a b.jpg\n2019/a+b, c.jpg\n"
    assert read(text, name=LIST) == [
        ManifestEntry("s3://photos", "a%20b+c,d.jpg"),
        ManifestEntry("file:///mnt", "a b.jpg"),
        ManifestEntry("s3://lists", "2019/a+b, c.jpg"),
    ]


def test_plain_list_may_have_comments_blank_lines_and_a_byte_order_mark() -> None:
    text = "\ufeff# the meters of 2019\n\n  \na.jpg\r\n#b.jpg\n\nc.jpg"
    assert [entry.key for entry in read(text, name=LIST)] == ["a.jpg", "c.jpg"]


def test_byte_order_mark_and_blank_lines_are_no_part_of_csv() -> None:
    assert read("\ufeff\n\nphotos,a.jpg\n\n") == [ManifestEntry("s3://photos", "a.jpg")]


def test_list_of_addresses_is_one_whatever_its_name() -> None:
    assert read("s3://photos/a,b.jpg") == [ManifestEntry("s3://photos", "a,b.jpg")]


def test_empty_list_has_no_entries() -> None:
    for name in (CSV, LIST):
        assert read("\n\n", name=name) == []
    assert read(INVENTORY_HEADER) == []


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (CSV, "photos,a.jpg\nphotos", "line 2 .* has 1 fields"),
        (CSV, "photos\n", "line 1 .* has 1 fields"),
        (CSV, "photos,a,b,c\nphotos,a,b", "line 2 .* has 3 fields instead of 4"),
        (CSV, "photos,a.jpg\n\nPhotos!,b.jpg", "line 3 .* is no bucket's name"),
        (CSV, "photos,", "line 1 .* names no object"),
        (CSV, "# comment\nphotos,a.jpg", "line 1 .* has 1 fields"),
        (CSV, 'photos,"a.jpg', "line 1 .* is no CSV"),
        (CSV, "photos,a%00.jpg", "line 1 .* NUL"),
        (CSV, "photos,%ff.jpg", "line 1 .* not URL-encoded UTF-8"),
        (CSV, "Bucket,Key,Size\nphotos,a.jpg,-5", "line 2 .* its size is '-5'"),
        (LIST, "a.jpg\ns3://photos", "line 2 .* names no object"),
        (LIST, "https://photos.s3.amazonaws.com/a.jpg", "line 1 .* begins with neither"),
        (LIST, "file:///mnt/../etc/passwd", "line 1 .* segment"),
        (LIST, "a\0.jpg", "line 1 .* NUL"),
        (LIST, b"a.jpg\ncaf\xe9.jpg", "line 2 .* is not UTF-8"),
        (LIST, "a.jpg\n".encode("utf-16"), "line 1 .* is not UTF-8"),
        (LIST, "a.jpg\n" + "x" * (MAX_LINE_BYTES + 1), "line 2 .* has more than"),
    ],
)
def test_malformed_line_is_named(name: str, text: str | bytes, why: str) -> None:
    with pytest.raises(RequestRejected, match=why) as refusal:
        read(text, name=name)
    assert refusal.value.code == "job.manifest"
    assert "expected is bucket,key" in str(refusal.value)


def test_entries_before_a_malformed_line_are_given_first() -> None:
    given = entries([b"photos,a.jpg\n", b"photos\n"], name=CSV, root="s3://lists")
    assert next(given).key == "a.jpg"
    with pytest.raises(RequestRejected):
        next(given)


def test_memory_does_not_grow_with_the_list() -> None:
    def lines() -> Iterator[bytes]:
        return (b"photos,2019/%d.jpg,%s\n" % (number, VERSION.encode()) for number in count())

    def peak(entries_read: int) -> int:
        tracemalloc.start()
        for _, _ in zip(entries(lines(), name=CSV, root=""), range(entries_read), strict=False):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak(100)
    assert peak(5_000) < peak(100) + 20_000


def test_manifest_is_read_from_its_archive(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("2019/a.jpg\n2019/b.jpg")
    assert list(entries_of(f"file://{tmp_path}/list.txt", OpenedArchives(None))) == [
        ManifestEntry(f"file://{tmp_path}", "2019/a.jpg"),
        ManifestEntry(f"file://{tmp_path}", "2019/b.jpg"),
    ]


def test_files_are_named_as_find_names_them() -> None:
    assert read("./a.jpg\n/mnt/2019/b.jpg", name="file:///lists/a.txt", root="file:///lists") == [
        ManifestEntry("file:///lists", "a.jpg"),
        ManifestEntry("file:///mnt/2019", "b.jpg"),
    ]
    assert read("./a.jpg\n/b.jpg", name=LIST) == [
        ManifestEntry("s3://lists", "./a.jpg"),
        ManifestEntry("s3://lists", "/b.jpg"),
    ]


@pytest.mark.parametrize("name", ["list.csv.gz", "list.CSV"])
def test_gzipped_manifest_is_unpacked(tmp_path: Path, name: str) -> None:
    rows = "".join(f"photos,{number}.jpg\n" for number in range(1_000))
    (tmp_path / name).write_bytes(gzip.compress(rows.encode()))
    listed = entries_of(f"file://{tmp_path}/{name}", OpenedArchives(None))
    assert [entry.key for entry in listed] == [f"{number}.jpg" for number in range(1_000)]


@pytest.mark.parametrize("damage", [slice(0, -20), slice(0, 8)])
def test_damaged_gzip_is_refused(tmp_path: Path, damage: slice) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"photos,a.jpg\n" * 99)[damage])
    with pytest.raises(RequestRejected, match="gzip data is damaged") as refusal:
        list(entries_of(f"file://{tmp_path}/a.csv.gz", OpenedArchives(None)))
    assert refusal.value.code == "job.manifest"


def test_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(50_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(RequestRejected, match=r"line 1 .* has more than"):
        list(entries_of(f"file://{tmp_path}/a.csv.gz", OpenedArchives(None)))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRejected, match="there is no manifest") as refusal:
        entries_of(f"file://{tmp_path}/a.csv", OpenedArchives(None))
    assert refusal.value.code == "job.manifest"


def test_manifest_that_is_too_large_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse
    with pytest.raises(RequestRejected, match="at most 2000000000 are read") as refusal:
        entries_of(f"file://{tmp_path}/a.csv", OpenedArchives(None))
    assert refusal.value.code == "job.manifest"


def test_unaddressable_manifest_keeps_its_own_reason(tmp_path: Path) -> None:
    with pytest.raises(ObjectRejected) as refusal:
        entries_of(f"file://{tmp_path}/{'x' * 300}.csv", OpenedArchives(None))
    assert refusal.value.code == "object.unaddressable"
