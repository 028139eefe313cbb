"""Small forms that pages send: a key, a job, a button that was pressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from service.api.body import small_body
from service.api.running import Here
from service.core.errors import RequestRejected

MAX_FORM_BYTES = 100_000
MAX_FIELDS = 100


async def submitted(request: Request, running: Here) -> Mapping[str, str]:
    """The fields by name, without spaces around them; of one that is sent twice the last counts.

    Raises `RequestRejected` `request.too_large`, `request.timeout` and `request.invalid`.
    """
    content = await small_body(
        request,
        max_bytes=MAX_FORM_BYTES,
        memory=running.memory,
        instead="send less in one form",
    )
    try:
        pairs = parse_qsl(
            content.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError as error:  # of the encoding, or too many fields
        raise RequestRejected(
            "request.invalid", f"the form cannot be parsed: {error}; send it from its page"
        ) from error
    return {name: value.strip() for name, value in pairs}


Submitted = Annotated[Mapping[str, str], Depends(submitted)]
