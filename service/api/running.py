"""One running application: its parts, and what it counts and limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import anyio
from anyio import CapacityLimiter
from fastapi import Depends, Request

from service.api.admission import Admission
from service.api.body import FORM_OVERHEAD_BYTES
from service.api.metrics import Metrics
from service.api.parts import Parts
from service.api.readiness import Readiness
from service.core.budget import Budget
from service.core.photo import Photo
from service.imaging.probe import photo_of

Answer = TypeVar("Answer")

WORKERS = 16
"""Threads for photos; their own, so that uploads never keep a read from being answered."""
PATIENCE_S = 3.0
"""How long a photo waits for others to finish before it is refused."""
BODY_BYTES_PER_PIXEL = 4
"""Bodies may fill this much beside the pixels that are worked on: a camera writes half a byte."""


@dataclass(frozen=True, slots=True)
class Running:
    parts: Parts
    metrics: Metrics
    readiness: Readiness
    admission: Admission
    memory: Budget
    workers: CapacityLimiter

    async def worked(self, content: bytes, work: Callable[[Photo], Answer]) -> Answer:
        """What `work` makes of the photo, in a thread of its own, once there is room for it.

        Raises `PhotoRejected` before any room is taken, `Unavailable` `service.busy`, and what
        `work` raises.
        """
        photo = await self.in_thread(lambda: photo_of(content, self.parts.limits))
        async with self.admission.admitted(photo.raw_width * photo.raw_height):
            return await self.in_thread(lambda: work(photo))

    async def in_thread(self, work: Callable[[], Answer]) -> Answer:
        return await anyio.to_thread.run_sync(work, limiter=self.workers)


def running_with(parts: Parts) -> Running:
    pixels = max(1, int(parts.max_concurrent_megapixels * 1e6))
    admission = Admission(Budget(pixels), patience_s=PATIENCE_S)
    one_body = parts.limits.max_bytes + FORM_OVERHEAD_BYTES
    memory = Budget(max(one_body, pixels * BODY_BYTES_PER_PIXEL))
    return Running(
        parts,
        Metrics(parts.segmenter.description, admission=admission.budget, memory=memory),
        Readiness(parts.segmenter, parts.store, parts.ledger),
        admission,
        memory,
        CapacityLimiter(WORKERS),
    )


async def running_of(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


Here = Annotated[Running, Depends(running_of)]
