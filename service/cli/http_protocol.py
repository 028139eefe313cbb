"""uvicorn's HTTP protocol, with fewer copies of a photo on its way in."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class WholeChunks(HttpToolsProtocol):
    """Hands a body's chunk on as it came, where nothing of the body waits already.

    uvicorn copies every chunk into a `bytearray` and that into `bytes` again: for a photo of 3 MB a
    fifth of what its receiving takes. Adding to empty `bytes` gives the very chunk instead.
    """

    def on_body(self, body: bytes) -> None:
        cycle: Any = self.cycle  # its body is to be either of the two types
        if not cycle.body:
            cycle.body = b""
        elif isinstance(cycle.body, bytes):  # many small chunks are only cheap to add to these
            cycle.body = bytearray(cycle.body)
        super().on_body(body)
