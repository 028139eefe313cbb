"""Whether this process can do its work right now: one real round trip through each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from service.core.errors import MetercropError
from service.ports import Ledger, ObjectStore, Segmenter


@dataclass(frozen=True, slots=True)
class Check:
    """`failure` is None where the part works."""

    part: str
    failure: str | None


def attempts(
    segmenter: Segmenter, store: ObjectStore, ledger: Ledger
) -> Mapping[str, Callable[[], None]]:
    """An inference, a store round trip and a database round trip, each to be `checked`."""
    return {
        "model": lambda: _inference(segmenter),
        "store": store.check,
        "database": ledger.check,
    }


def checked(part: str, attempt: Callable[[], None]) -> Check:
    try:
        attempt()
    except MetercropError as error:
        return Check(part, str(error))
    except Exception as error:  # noqa: BLE001  a broken GPU raises what it likes; here it is told
        return Check(part, f"{type(error).__name__}: {error}")
    return Check(part, None)


def _inference(segmenter: Segmenter) -> None:
    side = segmenter.description.side
    segmenter.probabilities(np.zeros((side, side, 3), dtype=np.uint8))
