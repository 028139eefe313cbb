"""The context picture of a crop, put into the store."""

from __future__ import annotations

from service.core.photo import Photo, PhotoFormat, sha256_of
from service.core.record import ContextPicture
from service.ports import ObjectStore
from service.usecases.object_keys import object_key
from service.usecases.optimize import Optimized, Optimizer


def put_context(
    store: ObjectStore, optimizer: Optimizer, photo: Photo, optimized: Optimized
) -> ContextPicture | None:
    """Always in the service's own store, wherever the crop goes: archives get nothing but crops.

    It is not read back as crops are, since no original is given up for it. None where the photo has
    none. Raises `Unavailable`.
    """
    context = optimized.context
    if context is None:
        return None
    name = f"{optimizer.fingerprint(photo.sha256)}-{optimizer.context_px}"
    key = object_key("context", name, PhotoFormat.WEBP.extension)
    store.put(key, context.content, media_type=PhotoFormat.WEBP)
    return ContextPicture(
        sha256=sha256_of(context.content),
        bytes=len(context.content),
        media_type=PhotoFormat.WEBP,
        width=context.width,
        height=context.height,
        key=key,
    )
