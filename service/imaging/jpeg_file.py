"""A JPEG file's segments (ITU-T T.81, annex B), read from untrusted bytes, no pixel decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from service.core.photo import PhotoFormat
from service.imaging.refusal import corrupt, truncated

SOI, EOI, SOS, DQT, DHT, DAC, DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD
APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2

_FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, DAC, 0xC8}
_TABLES = frozenset((DQT, DHT, DAC, DRI))
_WITHOUT_LENGTH = frozenset((0x01, SOI, *range(0xD0, 0xD8)))
_MAX_SEGMENTS = 10_000
"""Phones write some hundred; millions of empty ones would only fill the memory."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_SCAN_END = re.compile(rb"\xff(?!\xff*[\x00\xd0-\xd7])")


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker with its payload; `scan` is the entropy-coded data behind a start of scan."""

    marker: int
    payload: bytes
    scan: bytes = b""

    @property
    def encoded(self) -> bytes:
        length = (len(self.payload) + 2).to_bytes(2, "big")
        return bytes((0xFF, self.marker)) + length + self.payload + self.scan

    @property
    def is_jfif(self) -> bool:
        return self.marker == APP0 and self.payload.startswith(b"JFIF\0")

    @property
    def is_adobe(self) -> bool:
        return self.marker == APP14 and self.payload.startswith(b"Adobe")

    @property
    def is_exif(self) -> bool:
        return self.marker == APP1 and self.payload.startswith(b"Exif\0")

    @property
    def is_icc(self) -> bool:
        return self.marker == APP2 and self.payload.startswith(b"ICC_PROFILE\0")

    @property
    def needed_for_decoding(self) -> bool:
        """JFIF and Adobe segments say in which colour space the samples are."""
        if self.is_jfif or self.is_adobe or self.marker == SOS:
            return True
        return self.marker in _TABLES or self.marker in _FRAMES


@dataclass(frozen=True, slots=True)
class Component:
    """`across` and `down` are its sampling factors, `table` numbers its quantization table."""

    id: int
    across: int
    down: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What a start of frame says; `process` is its marker."""

    process: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def max_across(self) -> int:
        return max(component.across for component in self.components)

    @property
    def max_down(self) -> int:
        return max(component.down for component in self.components)


@dataclass(frozen=True)
class JpegFile:
    """Its segments up to the end of the first picture; what comes after is none of it."""

    segments: tuple[Segment, ...]
    ended: bool
    """Whether the marker for the end was there."""

    @cached_property
    def frame(self) -> Frame:
        """Raises `PhotoRejected` where there is not exactly one that makes sense."""
        frames = [segment for segment in self.segments if segment.marker in _FRAMES]
        if len(frames) != 1:
            raise corrupt(
                PhotoFormat.JPEG, f"it has {len(frames)} frame headers where one is right"
            )
        return _frame(frames[0])

    @property
    def scans(self) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.marker == SOS)

    @property
    def quantization(self) -> dict[int, tuple[int, ...]]:
        """Steps in zigzag order, by table number; of several with the same number the last."""
        tables = {}
        for payload in (segment.payload for segment in self.segments if segment.marker == DQT):
            at = 0
            while at < len(payload):
                width = 1 + (payload[at] >> 4)
                steps = payload[at + 1 : at + 1 + 64 * width]
                tables[payload[at] & 15] = tuple(
                    int.from_bytes(steps[step : step + width], "big")
                    for step in range(0, 64 * width, width)
                )
                at += 1 + 64 * width
        return tables

    @property
    def exif(self) -> bytes | None:
        """The first EXIF block's TIFF structure."""
        found = (segment.payload[6:] for segment in self.segments if segment.is_exif)
        return next(found, b"") or None

    @property
    def icc_profile(self) -> bytes | None:
        """Its parts put together (ICC.1, annex B.4), None where one is missing."""
        payloads = (segment.payload for segment in self.segments if segment.is_icc)
        parts = sorted((payload[12], payload[14:]) for payload in payloads if len(payload) > 14)
        if [number for number, _ in parts] != list(range(1, len(parts) + 1)):
            return None
        return b"".join(part for _, part in parts) or None

    @property
    def bare(self) -> bytes:
        """The same picture without anything that decoding has no need of, and well ended."""
        needed = (segment.encoded for segment in self.segments if segment.needed_for_decoding)
        return b"".join((b"\xff\xd8", *needed, b"\xff\xd9"))


def jpeg_header(content: bytes) -> JpegFile:
    """The segments before the first scan. Raises `PhotoRejected` where they cannot be read."""
    segments: list[Segment] = []
    for segment in _segments(content, with_scans=False):
        if segment.marker in (SOS, EOI):
            return JpegFile(tuple(segments), ended=False)
        segments.append(segment)
    raise truncated(PhotoFormat.JPEG, "before its picture data begins")


def jpeg_file(content: bytes) -> JpegFile:
    """All segments. Raises `PhotoRejected` where they cannot be read."""
    segments: list[Segment] = []
    for segment in _segments(content, with_scans=True):
        if segment.marker == EOI:
            return JpegFile(tuple(segments), ended=True)
        segments.append(segment)
    return JpegFile(tuple(segments), ended=False)


def _segments(content: bytes, *, with_scans: bool) -> Iterator[Segment]:
    """Skips what lies between segments, as every decoder does; a scan is most of the file."""
    found = _MARKER.search(content, 2)
    for _ in range(_MAX_SEGMENTS):
        if found is None:
            return
        marker, at = found[1][0], found.end()
        if marker == EOI:
            yield Segment(EOI, b"")
            return
        if marker not in _WITHOUT_LENGTH:
            payload = _payload(content, at)
            at += 2 + len(payload)
            scan = _scan(content, at) if with_scans and marker == SOS else b""
            at += len(scan)
            yield Segment(marker, payload, scan)
        found = _MARKER.search(content, at)
    raise corrupt(PhotoFormat.JPEG, f"it has more than {_MAX_SEGMENTS} segments")


def _payload(content: bytes, at: int) -> bytes:
    length = int.from_bytes(content[at : at + 2], "big")
    if at + max(length, 2) > len(content):
        raise truncated(PhotoFormat.JPEG, "within a header segment")
    if length < 2:
        raise corrupt(PhotoFormat.JPEG, "a segment claims to be shorter than its own length field")
    return content[at + 2 : at + length]


def _scan(content: bytes, at: int) -> bytes:
    end = _SCAN_END.search(content, at)
    return content[at:] if end is None else content[at : end.start()]


def _frame(segment: Segment) -> Frame:
    payload = segment.payload
    if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:
        raise corrupt(PhotoFormat.JPEG, "its frame header has the wrong length")
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    parts = [payload[at : at + 3] for at in range(6, len(payload), 3)]
    components = tuple(Component(id_, hv >> 4, hv & 15, table) for id_, hv, table in parts)
    factors = {factor for part in components for factor in (part.across, part.down)}
    if not (width and height and components and factors <= {1, 2, 3, 4}):
        raise corrupt(PhotoFormat.JPEG, "its frame header makes no sense")
    return Frame(segment.marker, payload[0], width, height, components)
