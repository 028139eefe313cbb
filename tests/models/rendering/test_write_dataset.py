from pathlib import Path

import numpy as np
import pytest

from models import datasets
from models.rendering import Difficulty, MeterKind, write_dataset


def test_written_folder_is_read_as_annotated_photos(tmp_path: Path) -> None:
    write_dataset(tmp_path, 4, seed=3, longer_px=456, kind=MeterKind.WATER)
    found = datasets.examples(tmp_path, datasets.Annotation.MASKS)
    assert len(found) == 4
    for example in found:
        square = datasets.square(example, 256)
        assert set(np.unique(square.mask).tolist()) == {0, 255}
        assert max(square.frame.width, square.frame.height) == 456


def test_photo_of_a_number_does_not_depend_on_the_count(tmp_path: Path) -> None:
    write_dataset(tmp_path / "two", 2, seed=9, longer_px=456, difficulty=Difficulty.PLAIN)
    write_dataset(tmp_path / "one", 1, seed=9, longer_px=456, difficulty=Difficulty.PLAIN)
    (first,) = (tmp_path / "one" / "images").iterdir()
    assert first.read_bytes() == (tmp_path / "two" / "images" / first.name).read_bytes()


def test_progress_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path, 1, seed=1, longer_px=456)
    assert "rendering" in capsys.readouterr().err
