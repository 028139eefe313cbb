"""The example dashboard asks for nothing that the service does not tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.segmenters import colour_segmenter
from tests.servers.postgres import opened
from tests.serving import client_of, parts_of, upload


@pytest.fixture
def dashboard() -> dict[str, Any]:
    text = files("service.dashboard").joinpath("grafana.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture
def told(tmp_path: Path, sqlite_url: str) -> Iterator[str]:
    """What `/metrics` answers once a photo has come in."""
    segmenter: OnnxSegmenter = colour_segmenter(tmp_path)
    with opened(sqlite_url) as engine:
        parts = parts_of(segmenter, FakeObjectStore(), FakeLedger(), jobs=SqlJobLedger(engine))
        with client_of(parts) as client:
            upload(client, painted_photo())
            yield client.get("/metrics").text


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def test_every_metric_that_is_asked_for_is_told(dashboard: dict[str, Any], told: str) -> None:
    asked = set(re.findall(r"metercrop_\w+", " ".join(expressions(dashboard))))
    known = set(re.findall(r"^(?:# TYPE )?(metercrop_\w+)", told, re.MULTILINE))

    assert len(asked) > 20
    assert asked <= known, asked - known


def test_drift_is_on_it(dashboard: dict[str, Any]) -> None:
    drift = [each for each in expressions(dashboard) if "metercrop_drift_" in each]
    assert len(drift) >= 5


def test_panels_have_ids_of_their_own_and_lie_beside_each_other(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
