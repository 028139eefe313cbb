"""Listings of other people's buckets: any key, any number of them, a page of them in memory.

The SDK goes on from the marker that the server names at a page's end. Ceph writes it unencoded: of
a key with a plus sign the SDK then makes one with a space, and may list the same for ever; one
with a control character is no XML. Here each page goes on behind the last key of the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.datatypes import Object, parse_list_objects
from urllib3 import BaseHTTPResponse, HTTPResponse

MAX_KEYS = 1000  # more is not answered
ENCODED_KEYS = b"<EncodingType>url<"
NO_XML = re.compile(rb"&#x[01]?[0-9a-fA-F];|\xef\xbf[\xbe\xbf]")


def newest_objects(
    client: Minio, bucket: str, *, prefix: str, after: str, page_keys: int = MAX_KEYS
) -> Iterator[Object]:
    """In key order, from behind `after` on. Raises what the SDK does."""
    is_truncated = True
    while is_truncated:
        query = {"list-type": "2", "prefix": prefix, "start-after": after}
        page, is_truncated, _ = _page(client, bucket, query, page_keys)
        yield from (found for found in page if found.object_name != after)
        if is_truncated:
            (after,) = _further((_last_key(page),), than=(after,))


def newest_versions(
    client: Minio, bucket: str, *, prefix: str, after: str, page_keys: int = MAX_KEYS
) -> Iterator[Object]:
    """As `newest_objects`, with version ids; what a delete marker hides is left out."""
    key, version, is_truncated = after, "", True
    while is_truncated:
        query = {"versions": "", "prefix": prefix, "key-marker": key, "version-id-marker": version}
        page, is_truncated, next_version = _page(client, bucket, query, page_keys)
        for found in page:
            # Servers disagree on whether a page begins with the marker's own key.
            if _is_newest(found) and found.object_name not in (None, after):
                after = found.object_name
                yield found
        if is_truncated:
            last = _last_key(page)
            is_of_last = any((o.object_name, o.version_id) == (last, next_version) for o in page)
            going_on = (last, next_version if is_of_last and next_version else "")
            key, version = _further(going_on, than=(key, version))


def _is_newest(found: Object) -> bool:
    return found.is_latest == "true" and not found.is_delete_marker


def _page(
    client: Minio, bucket: str, query: dict[str, str], page_keys: int
) -> tuple[list[Object], bool, str | None]:
    """Objects, whether more follow, and the version id that the next page may begin behind."""
    asked = {name: value for name, value in query.items() if value or name == "versions"}
    always = {"delimiter": "", "encoding-type": "url", "max-keys": str(page_keys)}
    response = client._execute("GET", bucket, query_params={**always, **asked})  # noqa: SLF001  the SDK's own paging is what is to be avoided
    page, is_truncated, _, version = _parsed(response)
    return page, is_truncated, version


def _parsed(
    response: BaseHTTPResponse,
) -> tuple[list[Object], bool, str | None, str | None]:
    try:
        return parse_list_objects(response)
    except ParseError:
        if ENCODED_KEYS not in response.data:
            raise
        # Keys are encoded, so only what echoes the request or names a marker is left incomplete.
        return parse_list_objects(HTTPResponse(body=NO_XML.sub(b"", response.data)))


def _last_key(page: list[Object]) -> str:
    """The SDK has sorted delete markers behind versions, each of the two still in order."""
    markers = [found for found in page if found.is_delete_marker]
    objects = [found for found in page if not found.is_delete_marker]
    ends = [found.object_name or "" for found in (*objects[-1:], *markers[-1:])]
    return max(ends, default="")


def _further(marker: tuple[str, ...], *, than: tuple[str, ...]) -> tuple[str, ...]:
    if marker == than or not marker[0]:
        raise ValueError(f"the server's listing does not get further than {than}")
    return marker
