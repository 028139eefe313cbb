"""The way of a photo gone once before the first one comes, since codecs load when they are used."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from PIL import Image

from service.core.crop import Crop
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame
from service.usecases.optimize import Optimized, Optimizer

_SIZE = (640, 480)
_REGION = Box(280, 200, 360, 260)


def rehearse(optimizer: Optimizer) -> tuple[Optimized, ...]:
    """A cut with its context picture, natively and by the library; nothing is stored.

    From a cold disk the first cut takes most of a second: libjpeg, WebP and the native code are
    read from it. Raises what the model raises.
    """
    photo = photo_of(_drawn(), Limits())
    judged = optimizer.judged(photo)
    crop = Crop(box=_REGION, region=_REGION, confidence=1.0)
    frames = (judged.frame, RawFrame(photo))
    return tuple(
        optimizer.carried_out(photo, replace(judged, frame=frame, decision=crop))
        for frame in frames
    )


def _drawn() -> bytes:
    """A JPEG with a little of everything in it, so that it is larger than its cut."""
    file = BytesIO()
    Image.effect_noise(_SIZE, 40).convert("RGB").save(file, "JPEG")
    return file.getvalue()
