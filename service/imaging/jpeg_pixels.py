"""JPEG to pixels, strictly: libjpeg only warns of damaged picture data and fills in grey.

Picture data that is missing or contradicts itself is refused; what real cameras get wrong without
harm (stray bytes between segments, padding, trailers) is not. JPEG has no check sum, so damage that
happens to be valid code passes: no decoder can tell.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import simplejpeg
from PIL import Image, JpegImagePlugin

from service.core.errors import PhotoRejected
from service.core.photo import PhotoFormat
from service.imaging.jpeg_file import EOI, PROGRESSIVE, SOS, JpegFile, jpeg_file
from service.imaging.refusal import corrupt, truncated

_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_HARMLESS = ("Invalid SOS parameters", "JFIF revision", "color transform code")
_BEYOND_THE_STRICT_DECODER = ("subsampling level", "Unsupported color")
_MISSING_END = "premature end of data"
_MAX_SCANS = 100
"""Each scan goes over the whole picture: thousands of empty ones would keep a processor busy."""
_MAX_STRAY_BYTES = 4
"""So many bytes of anything may stand behind picture data, and padding of one value without end:
where damage makes a decoder finish early, it leaves more."""


def jpeg_pixels(content: bytes) -> Image.Image:
    """The raw frame, `L`, `RGB` or `CMYK`, with its ICC profile in `info`.

    Raises `PhotoRejected` `photo.truncated` or `photo.corrupt`.
    """
    file = jpeg_file(content)
    _require_all_scans(file)
    image = _decoded(file)
    if file.icc_profile is not None:
        image.info["icc_profile"] = file.icc_profile
    return image


def _require_all_scans(file: JpegFile) -> None:
    """Without the end marker only a single scan can be known to be all there was."""
    if len(file.scans) > _MAX_SCANS:
        raise _rejected(f"{len(file.scans)} scans, cameras write about ten", file)
    several = len(file.scans) != 1 or file.frame.process == PROGRESSIVE
    if not file.ended and several:
        raise _rejected(_MISSING_END, file)
    scanned = {id_ for scan in file.scans for id_ in scan.payload[1 : 1 + 2 * scan.payload[0] : 2]}
    if not scanned.issuperset(component.id for component in file.frame.components):
        raise _rejected("a colour component has no picture data", file)


def _decoded(file: JpegFile, *, tries: int = 3) -> Image.Image:
    """A stray tail is looked at and taken off before the next try."""
    try:
        return _strictly_decoded(file)
    except ValueError as error:
        warning, cause = str(error), error
    if any(sign in warning for sign in _HARMLESS):
        return _with_pillow(file)
    if any(sign in warning for sign in _BEYOND_THE_STRICT_DECODER):
        return _of_rare_sampling(file)
    trimmed = _without_stray_tail(file, warning)
    if trimmed is None or tries == 1:
        raise _rejected(warning, file) from cause
    return _decoded(trimmed, tries=tries - 1)


def _strictly_decoded(file: JpegFile) -> Image.Image:
    """Raises ValueError with libjpeg's first warning."""
    match len(file.frame.components):
        case 1:
            return Image.fromarray(simplejpeg.decode_jpeg(file.bare, "GRAY")[:, :, 0])
        case 3:
            return Image.fromarray(simplejpeg.decode_jpeg(file.bare, "RGB"))
        case _:  # Pillow knows how Adobe inverts CMYK, this decode only looks for damage
            simplejpeg.decode_jpeg(file.bare, "CMYK", min_factor=8)
            return _with_pillow(file)


def _of_rare_sampling(file: JpegFile) -> Image.Image:
    """What the strict decoder does not know; of damage only a missing end can be told here."""
    if not file.ended:
        raise _rejected(_MISSING_END, file)
    return _with_pillow(file)


def _with_pillow(file: JpegFile) -> Image.Image:
    try:
        image = JpegImagePlugin.JpegImageFile(BytesIO(file.bare))
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise _rejected(str(error), file) from error
    return image


def _without_stray_tail(file: JpegFile, warning: str) -> JpegFile | None:
    """The file without the bytes that the warning is about, None where they look like damage."""
    found = _EXTRANEOUS.search(warning)
    if found is None:
        return None
    count, before = int(found[1]), int(found[2], 16)
    needed = [segment for segment in file.segments if segment.needed_for_decoding]
    followers = [segment.marker for segment in needed[1:]] + [EOI]
    for index, (segment, follower) in enumerate(zip(needed, followers, strict=True)):
        tail = segment.scan[-count:]
        found_here = segment.marker == SOS and follower == before and len(tail) == count
        if found_here and _is_harmless(tail):
            needed[index] = replace(segment, scan=segment.scan[:-count])
            return JpegFile(tuple(needed), ended=file.ended)
    return None


def _is_harmless(tail: bytes) -> bool:
    return len(tail) <= _MAX_STRAY_BYTES or len(set(tail)) == 1


def _rejected(what: str, file: JpegFile) -> PhotoRejected:
    if "remature end" in what and not file.ended:
        return truncated(PhotoFormat.JPEG, what)
    return corrupt(PhotoFormat.JPEG, what)
