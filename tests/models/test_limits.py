from dataclasses import replace
from pathlib import Path

import pytest

from models.evaluate import Outcome
from models.limits import kept_table
from models.metrics import Agreement
from models.recipe import read_recipe
from models.release import provenance_of
from service.core.crop import Reason

CROPPED = Outcome(
    name="photo",
    agreement=Agreement(1, 0, 1, 2),
    box_iou=1.0,
    confidence=0.9,
    reason=None,
    held=True,
    exact=True,
    original_bytes=100,
    stored_bytes=25,
)


def kept(reason: Reason) -> Outcome:
    return replace(CROPPED, reason=reason, stored_bytes=100)


def test_kept_originals_are_counted_by_source_and_reason() -> None:
    found = {
        "water": [CROPPED, CROPPED, kept(Reason.NO_REGION)],
        "gas": [kept(Reason.LOW_CONFIDENCE), kept(Reason.LOW_CONFIDENCE)],
    }
    assert kept_table(found).splitlines() == [
        "| on | photos | cropped | no region | low confidence |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| water | 3 | 2 | 1 | 0 |",
        "| gas | 2 | 0 | 0 | 2 |",
    ]


def test_photos_to_show_must_be_of_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \['cellar'\] to show; the recipe has water, gas_640"):
        provenance_of(
            read_recipe("mao"), Path("mao.toml"), data=tmp_path, terms="", shown=["cellar"]
        )
