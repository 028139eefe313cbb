"""A comparison for machines; shares are 0..1, times milliseconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from models.comparison.comparison import Comparison, Row, over_seeds


def as_json(compared: Comparison) -> dict[str, Any]:
    return {
        "machine": asdict(compared.machine),
        "folders": {
            one.title: {"photos": len(one.examples), "sha256": one.sha256}
            for one in compared.folders
        },
        "rows": [_row_json(row) for row in compared.rows],
    }


def _row_json(row: Row) -> dict[str, Any]:
    entrant = row.entrant
    return {
        "name": row.name,
        "files": [] if entrant is None else [str(file) for file in entrant.files],
        "trained": [] if entrant is None else [asdict(origin) for origin in entrant.origins],
        "min_confidences": [] if entrant is None else list(entrant.min_confidences),
        "parameters": None if entrant is None else entrant.cost.parameters,
        "bytes": None if entrant is None else entrant.bytes,
        "gflop": None if entrant is None else entrant.cost.gflop,
        "cpu_ms": row.cpu_ms,
        "gpu_ms": row.gpu_ms,
        "scores": {
            title: {name: asdict(one) for name, one in over_seeds(scores).items()}
            for title, scores in row.scores.items()
        },
    }
