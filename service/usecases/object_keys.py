"""Where objects of the service's own store lie; names are hashes, so a retry meets its own."""

from __future__ import annotations

from service.core.photo import Photo


def original_key(photo: Photo) -> str:
    """Of an original, be it kept for good or for its grace."""
    return object_key("originals", photo.sha256, photo.format.extension)


def object_key(kind: str, name: str, extension: str) -> str:
    """Two levels of 256 folders keep any one folder of a file system small."""
    return f"{kind}/{name[:2]}/{name[2:4]}/{name}.{extension}"
