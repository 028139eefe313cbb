"""How folders are listed: in key order, from any key on, in parts where they are large."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.folder_files import walk

SEGMENTS = st.sampled_from(["a", "b", "a-", "a.", "a0", "ab", "é", "￿", "📷", "A", " "])
KEYS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def written(folder: Path, keys: set[str]) -> list[str]:
    """Those that a file system can hold together, in key order."""
    fitting: list[str] = []
    for key in sorted(keys):
        if any(key.startswith(f"{other}/") for other in fitting):
            continue
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        fitting.append(key)
    return fitting


@given(
    keys=st.sets(KEYS, max_size=25),
    prefix=st.one_of(st.just(""), KEYS),
    after=st.one_of(st.just(""), KEYS, KEYS.map("{}/".format)),
    names_at_once=st.integers(1, 5),
)
def test_listing_is_what_sorting_and_comparing_all_keys_gives(
    keys: set[str], prefix: str, after: str, names_at_once: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        there = written(folder, keys)
        listed = walk(folder, prefix=prefix, after=after, names_at_once=names_at_once)
        expected = [key for key in there if key.startswith(prefix) and key > after]
        assert [key for key, _ in listed] == expected


def test_names_that_are_no_utf_8_are_shown_with_escapes(tmp_path: Path) -> None:
    for name in (b"caf\xe9.jpg", b"caf\xe8.jpg", "café.jpg".encode()):
        (tmp_path / os.fsdecode(name)).touch()
    assert [key for key, _ in walk(tmp_path)] == ["caf\\xe8.jpg", "caf\\xe9.jpg", "café.jpg"]


@pytest.mark.parametrize("names_at_once", [1, 3, 100])
def test_file_that_vanishes_while_the_folder_is_listed_is_left_out(
    tmp_path: Path, names_at_once: int
) -> None:
    for name in ("a", "b", "c/d", "e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listed = walk(tmp_path, names_at_once=names_at_once)
    assert next(listed)[0] == "a"
    (tmp_path / "b").unlink()
    (tmp_path / "c/d").unlink()
    (tmp_path / "c").rmdir()
    assert [key for key, _ in listed] == ["e"]
