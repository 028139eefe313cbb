"""A `multipart/form-data` body, parsed as it streams; nothing goes to disk."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.api.fields import FIELDS
from service.core.errors import PhotoRejected, RequestRejected

FILE = "file"
MAX_FIELD_BYTES = 16_384


class Form:
    """The part `file` and the text fields around it, in any order, each at most once."""

    def __init__(self, boundary: bytes, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: dict[str, list[bytes]] = {}
        self._name = ""
        self._bytes = 0
        self._header = bytearray()
        self._value = bytearray()
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._open,
                    "on_part_data": self._data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _malformed(error) from error

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(error) from error

    def finished(self) -> tuple[bytes, dict[str, str]]:
        """The photo's bytes and the text fields; raises `RequestRejected` for half a form."""
        if not self._complete:
            raise RequestRejected(
                "request.invalid", "the form ends before its last boundary; send it again"
            )
        if FILE not in self._parts:
            raise RequestRejected("field.invalid", "file: the form has no part with the photo")
        content = b"".join(self._parts.pop(FILE))
        return content, {name: _text(name, parts) for name, parts in self._parts.items()}

    def _begin(self) -> None:
        self._name, self._bytes = "", 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _open(self) -> None:
        if self._name not in (FILE, *FIELDS):
            raise RequestRejected(
                "field.invalid",
                f"{self._name[:60]!r} is no field of a photo; there are {FILE}, "
                f"{', '.join(FIELDS)}",
            )
        if self._name in self._parts:
            raise RequestRejected("field.invalid", f"{self._name} is given twice")
        self._parts[self._name] = []

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        if self._name != FILE and self._bytes > MAX_FIELD_BYTES:
            raise RequestRejected(
                "field.invalid", f"{self._name} has more than {MAX_FIELD_BYTES} bytes"
            )
        if self._bytes > self._max_bytes:
            raise PhotoRejected(
                "photo.too_large",
                f"the photo has more than the {self._max_bytes} bytes of METERCROP_MAX_BYTES",
            )
        self._parts[self._name].append(data[start:end])

    def _end(self) -> None:
        self._complete = True


def _text(name: str, parts: list[bytes]) -> str:
    try:
        return b"".join(parts).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestRejected("field.invalid", f"{name} is not in UTF-8") from error


def _malformed(error: FormParserError) -> RequestRejected:
    return RequestRejected("request.invalid", f"the form cannot be parsed: {error}")
