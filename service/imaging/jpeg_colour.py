"""What a JPEG's samples mean, told apart as libjpeg does, and their colours as RGB."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from service.imaging.jpeg_file import JpegFile

Samples = NDArray[np.float32]
_MIDDLE = np.float32(128.0)
_ADOBE_TRANSFORM = 11


class _Colour(Enum):
    GREY = auto()
    YCC = auto()
    RGB = auto()
    CMYK = auto()
    YCCK = auto()


def rgb_of_samples(file: JpegFile, samples: Sequence[Samples]) -> NDArray[np.uint8]:
    """(height, width, 3), of one array a component."""
    match _colour(file):
        case _Colour.GREY:
            rgb = (samples[0],) * 3
        case _Colour.RGB:
            rgb = samples[0], samples[1], samples[2]
        case _Colour.YCC:
            rgb = _rgb_of_ycc(samples)
        case _Colour.CMYK:
            rgb = _under_black(samples, samples[3])
        case _Colour.YCCK:
            ink = [np.float32(255.0) - light for light in _rgb_of_ycc(samples)]
            rgb = _under_black(ink, samples[3])
    return (np.stack(rgb, axis=2) + np.float32(0.5)).clip(0.0, 255.0).astype(np.uint8)


def _colour(file: JpegFile) -> _Colour:
    ids = bytes(component.id for component in file.frame.components)
    transform = _adobe_transform(file)
    match len(ids):
        case 1:
            return _Colour.GREY
        case 4:
            return _Colour.CMYK if transform in (None, 0) else _Colour.YCCK
        case _ if any(segment.is_jfif for segment in file.segments):
            return _Colour.YCC
        case _:
            is_rgb = ids == b"RGB" if transform is None else transform == 0
            return _Colour.RGB if is_rgb else _Colour.YCC


def _adobe_transform(file: JpegFile) -> int | None:
    """The last one counts."""
    found = [part.payload for part in file.segments if part.is_adobe]
    return found[-1][_ADOBE_TRANSFORM] if found and len(found[-1]) > _ADOBE_TRANSFORM else None


def _rgb_of_ycc(samples: Sequence[Samples]) -> tuple[Samples, Samples, Samples]:
    """JFIF's: ITU-R BT.601, full range."""
    light, blue, red = samples[0], samples[1] - _MIDDLE, samples[2] - _MIDDLE
    green = light - np.float32(0.344136) * blue - np.float32(0.714136) * red
    return light + np.float32(1.402) * red, green, light + np.float32(1.772) * blue


def _under_black(ink: Sequence[Samples], black: Samples) -> tuple[Samples, Samples, Samples]:
    """Adobe's inverted ink on paper."""
    red, green, blue = (
        part.clip(0.0, 255.0) * black.clip(0.0, 255.0) / np.float32(255.0) for part in ink[:3]
    )
    return red, green, blue
