"""What a service that takes in many thousands of photos holds of the memory.

Takes some twenty minutes, so `make test` leaves it out; `make test-long` runs it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.archives import meter_photos, numbered
from tests.service.commands import Workplace
from tests.uploads import Body, serving

UPLOADS = int(os.environ.get("UPLOADS", "10000"))
CONNECTIONS = 4
EVERY = 1000
MOST_BYTES = 400_000_000
FLAT = 1.25
"""How much more than after the first thousand there may ever be: a leak of ten kilobytes a photo
would show. Some 50 MB are in use; what malloc keeps for the next photos goes up and down."""


def test_memory_is_flat_from_the_thousandth_photo_on() -> None:
    photo = meter_photos(longer_px=4000, folder=Path("none, so that photos are rendered"))[0]

    def body(number: int) -> Body:
        return Body(numbered(photo, number))

    resident: list[int] = []
    with TemporaryDirectory() as folder:
        place = Workplace(Path(folder), {"METERCROP_DEVICE": "cpu"})
        with serving(place) as service:
            for begun in range(0, UPLOADS, EVERY):
                service.taken(body, range(begun, begun + EVERY), connections=CONNECTIONS)
                resident.append(service.resident_bytes)
                sys.stdout.write(f"after {begun + EVERY:6,}: {resident[-1] / 1e6:.0f} MB\n")
    assert max(resident) < MOST_BYTES
    assert max(resident) < FLAT * resident[0]
