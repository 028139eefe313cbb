"""Lists of objects, as people, S3 Batch Operations or S3 Inventory write them, line by line.

A plain list has an address or a key on each line, as it is. CSV is told by its name's ending or its
header; its keys are URL-encoded, with a plus sign for a space, as S3 writes and asks for them.
Without a header it is `bucket,key[,version id]`, or an Inventory in the order of S3's own columns.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import chain
from urllib.parse import unquote_plus

from service.core.archive import object_of
from service.core.errors import RequestRejected
from service.core.fields import check_text
from service.ports import Archives

MAX_BYTES = 2_000_000_000
"""It is in memory as a whole, packed where it is gzipped; its entries never are."""
MAX_LINE_BYTES = 65_536
MAX_SIZE_DIGITS = 13
"""S3's largest object has 5 TB; a longer number is a version's id."""

CSV_ENDINGS = (".csv", ".csv.gz")
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

BATCH = ("bucket", "key", "versionid")
INVENTORY_OF_VERSIONS = (*BATCH, "islatest", "isdeletemarker")
FLAGS = {"true", "false"}

Line = tuple[int, str]  # its number, counted from 1, and its text


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """An object, and what the list says of it; None is what it does not say."""

    root: str
    key: str
    version_id: str = ""
    bytes: int | None = None
    etag: str | None = None


def entries_of(
    address: str, archives: Archives, *, root: str | None = None
) -> Iterator[ManifestEntry]:
    """Of the manifest that lies there; keys without an address are below `root`, or beside it.

    Raises `RequestRejected`, and what its archive raises.
    """
    beside, _ = object_of(address)
    return entries(manifest_lines(address, archives), name=address, root=root or beside)


def manifest_lines(address: str, archives: Archives) -> Iterator[bytes]:
    """Unpacked where it is gzipped; raises `RequestRejected` `job.manifest`."""
    root, key = object_of(address)
    archive = archives.opened(root)
    found = archive.find(key)
    if found is None:
        raise _unusable(f"there is no manifest {address}; put it there, or correct its address")
    if found.bytes > MAX_BYTES:
        raise _unusable(
            f"the manifest {address} has {found.bytes} bytes, and at most {MAX_BYTES} are read; "
            "send it gzipped, or in parts"
        )
    return _lines(archive.read(found))


def entries(lines: Iterable[bytes], *, name: str, root: str) -> Iterator[ManifestEntry]:
    """In the list's order, one at a time; `root` is that of keys without an address.

    An Inventory's delete markers, folder markers and old versions are left out. Raises
    `RequestRejected` `job.manifest` that names the line and what was expected.
    """
    numbered = _numbered(lines)
    first = next(numbered, None)
    if first is None:
        return
    header = _header(first[1])
    if header is not None:
        yield from _rows(numbered, header)
    elif name.lower().endswith(CSV_ENDINGS) and not ADDRESS.match(first[1]):
        yield from _rows(chain([first], numbered), _columns_of_s3(_fields(first)))
    else:
        yield from _listed(chain([first], numbered), root)


def _lines(content: bytes) -> Iterator[bytes]:
    try:
        with BytesIO(content) as plain:
            file = gzip.GzipFile(fileobj=plain) if content.startswith(GZIP) else plain
            yield from iter(partial(file.readline, MAX_LINE_BYTES + 1), b"")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _unusable(f"the manifest's gzip data is damaged ({error}); send it anew") from error


def _numbered(lines: Iterable[bytes]) -> Iterator[Line]:
    """Text of all lines that are not blank, without line ends and byte order mark."""
    for number, line in enumerate(lines, start=1):
        content = (line.removeprefix(BOM) if number == 1 else line).rstrip(b"\r\n")
        if len(content) > MAX_LINE_BYTES:
            raise _malformed(number, f"it has more than {MAX_LINE_BYTES} bytes")
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise _malformed(number, f"it is not UTF-8 ({error.reason})") from error
        if text.strip():
            yield number, text


def _header(text: str) -> tuple[str, ...] | None:
    """Names of the columns, in small letters alone; None where it names none."""
    names = tuple(re.sub("[^a-z]", "", name.lower()) for name in text.split(","))
    return names if {"bucket", "key"} <= set(names) else None


def _columns_of_s3(row: list[str]) -> tuple[str, ...]:
    """What S3 gives without a header: Inventory's optional columns, in any order, stay unread."""
    if len(row) >= len(INVENTORY_OF_VERSIONS) and {row[3].lower(), row[4].lower()} <= FLAGS:
        known: tuple[str, ...] = INVENTORY_OF_VERSIONS
    elif len(row) > len(BATCH) or (len(row) == len(BATCH) and _is_size(row[2])):
        known = BATCH[:2]
    else:
        return BATCH
    return known + ("",) * (len(row) - len(known))


def _is_size(field: str) -> bool:
    return field.isdecimal() and len(field) <= MAX_SIZE_DIGITS


def _rows(lines: Iterator[Line], columns: tuple[str, ...]) -> Iterator[ManifestEntry]:
    for line in lines:
        row = _fields(line)
        without_version = columns == BATCH and len(row) == len(BATCH) - 1
        if len(row) != len(columns) and not without_version:
            expected = "bucket,key or bucket,key,version id" if columns == BATCH else len(columns)
            raise _malformed(line[0], f"it has {len(row)} fields instead of {expected}")
        entry = _row_entry(line[0], dict(zip(columns, row, strict=False)))
        is_folder_marker = entry is not None and columns != BATCH and entry.key.endswith("/")
        if entry is not None and not is_folder_marker:
            yield entry


def _fields(line: Line) -> list[str]:
    try:
        return next(csv.reader([line[1]], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise _malformed(line[0], f"it is no CSV ({error})") from error


def _row_entry(number: int, row: Mapping[str, str]) -> ManifestEntry | None:
    """None for what can't be read any more: a delete marker, or an old version."""
    if (
        row.get("isdeletemarker", "").lower() == "true"
        or row.get("islatest", "").lower() == "false"
    ):
        return None
    size = row.get("size", "")
    if size and not size.isdecimal():
        raise _malformed(number, f"its size is {size[:30]!a}")
    try:
        key = unquote_plus(row["key"], errors="strict")
        place = object_of(f"s3://{row['bucket']}/{key}")
    except UnicodeDecodeError as error:
        raise _malformed(number, "its key is not URL-encoded UTF-8") from error
    except RequestRejected as error:
        raise _malformed(number, str(error)) from error
    return ManifestEntry(
        *place,
        version_id=row.get("versionid", ""),
        bytes=int(size) if size else None,
        etag=row.get("etag", "").strip('"') or None,
    )


def _listed(lines: Iterator[Line], root: str) -> Iterator[ManifestEntry]:
    for number, text in lines:
        if text.startswith("#"):
            continue
        try:
            place = _listed_place(text, root)
        except RequestRejected as error:
            raise _malformed(number, str(error)) from error
        yield ManifestEntry(*place)


def _listed_place(text: str, root: str) -> tuple[str, str]:
    """Beside a list of files, paths are as `find` writes them: absolute, or from `./` on."""
    if ADDRESS.match(text):
        return object_of(text)
    if root.startswith("file://") and text.startswith("/"):
        return object_of(f"file://{text}")
    check_text("the key", text)
    return root, text.removeprefix("./") if root.startswith("file://") else text


def _malformed(number: int, why: str) -> RequestRejected:
    return _unusable(
        f"line {number} of the manifest can't be used, as {why}; expected is "
        "bucket,key[,version id] with the key URL-encoded, an Inventory's CSV, or a plain list "
        "of addresses or keys"
    )


def _unusable(message: str) -> RequestRejected:
    return RequestRejected("job.manifest", message)
