"""What an S3 store does beyond the contract: outages, refusals, prefixes, signed addresses."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from minio import Minio
from urllib3 import PoolManager

from service.adapters.s3 import S3Store, s3_store_from
from service.adapters.s3_client import Patience, S3Account
from service.core.errors import Misconfigured, Unavailable
from tests.servers.answers import address_of, answer, answering_server, md5
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from tests.serving import ANSWER_S

JPEG = "image/jpeg"
HASTE = Patience(connect_s=0.5, read_s=0.3)
KEY = "a/b.jpg"
SOON_S = 30.0
"""Far more than the limits, for a busy machine, and far less than for ever."""
A_DATE = "Sat, 21 Nov 2026 11:00:00 GMT"

Call = Callable[[S3Store], object]

EVERY_CALL: list[Call] = [
    lambda store: store.put(KEY, b"1", media_type=JPEG),
    lambda store: store.put(KEY, bytes(20_000_000), media_type=JPEG),
    lambda store: store.get(KEY),
    lambda store: store.get_range(KEY, start=0, length=1),
    lambda store: store.head(KEY),
    lambda store: store.delete(KEY),
    lambda store: list(store.objects()),
    lambda store: store.check(),
]


def fails(call: Call, store: S3Store, *, saying: str) -> float:
    """The seconds after which the call raised `Unavailable` with these words."""
    started = time.monotonic()
    with pytest.raises(Unavailable, match=saying) as caught:
        call(store)
    assert caught.value.code == "store.unavailable"
    return time.monotonic() - started


def test_outage_is_told_within_seconds_and_over_with_the_same_client(
    any_s3_server: S3Server,
) -> None:
    store = any_s3_server.store(f"s3://{any_s3_server.new_bucket()}")
    store.put(KEY, b"kept", media_type=JPEG)
    with any_s3_server.outage():
        for call in EVERY_CALL:
            assert fails(call, store, saying="METERCROP_S3_ENDPOINT runs") < SOON_S
    assert store.get(KEY) == b"kept"
    store.check()


def test_restart_between_two_calls_is_not_noticed(any_s3_server: S3Server) -> None:
    store = any_s3_server.store(f"s3://{any_s3_server.new_bucket()}")
    store.put(KEY, b"kept", media_type=JPEG)
    with any_s3_server.outage():
        pass
    store.put(KEY, b"again", media_type=JPEG)
    assert store.get(KEY) == b"again"


def test_server_that_never_answers_is_asked_once_and_given_up_after_the_read_timeout() -> None:
    for call in EVERY_CALL:
        with silent_server() as listener:
            store = store_at(address_of(listener))
            assert 0.25 < fails(call, store, saying="timed out") < SOON_S
            assert waiting_connections(listener) == 1


@pytest.mark.parametrize("hiccup", [b"", b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"])
def test_single_hiccup_of_the_server_is_not_noticed(hiccup: bytes) -> None:
    stored = answer("200 OK", b"photo", ETag=md5(b"photo"))
    with answering_server(hiccup, stored) as endpoint:
        assert store_at(endpoint).get(KEY) == b"photo"
    with answering_server(hiccup, answer("200 OK", b"", ETag=md5(b"photo"))) as endpoint:
        store_at(endpoint).put(KEY, b"photo", media_type=JPEG)


def test_object_that_arrives_changed_is_an_outage() -> None:
    with answering_server(answer("200 OK", b"", ETag=md5(b"other"))) as endpoint:
        store = store_at(endpoint)
        fails(lambda store: store.put(KEY, b"photo", media_type=JPEG), store, saying="other bytes")


def test_encrypted_object_whose_etag_is_no_md5_is_told_by_its_length() -> None:
    encrypted = {"x-amz-server-side-encryption": "aws:kms", "ETag": md5(b"ciphertext")}
    written = answer("200 OK", b"", **encrypted)
    whole, cut = (
        answer("200 OK", kept, **encrypted, **{"Last-Modified": A_DATE})
        for kept in (b"photo", b"pho")
    )
    with answering_server(written, whole) as endpoint:
        store_at(endpoint).put(KEY, b"photo", media_type=JPEG)
    with answering_server(written, cut) as endpoint:
        store = store_at(endpoint)
        fails(lambda store: store.put(KEY, b"photo", media_type=JPEG), store, saying="other bytes")


def test_server_that_stops_in_the_middle_of_an_object_is_an_outage() -> None:
    with answering_server(answer("200 OK", b"photo", ETag=md5(b"photo"))[:-1]) as endpoint:
        fails(lambda store: store.get(KEY), store_at(endpoint), saying="could not read 'a/b.jpg'")


def test_error_page_of_a_proxy_is_an_outage_and_no_missing_object() -> None:
    page = answer("404 Not Found", b"<html><body>404 no such host</body></html>")
    with answering_server(page) as endpoint:
        for call in EVERY_CALL:
            fails(call, store_at(endpoint), saying="could not")


def test_answer_that_is_not_s3_is_an_outage() -> None:
    with answering_server(answer("200 OK", b"<html><body>Log in<br></body></html>")) as endpoint:
        store = store_at(endpoint)
        fails(lambda store: list(store.objects()), store, saying="could not list")
        fails(lambda store: store.head(KEY), store, saying="could not look up")
        fails(lambda store: store.get(KEY), store, saying="not S3's")
        fails(lambda store: store.put(KEY, b"1", media_type=JPEG), store, saying="could not")


def test_host_without_an_address_is_an_outage() -> None:
    fails(lambda store: store.get(KEY), store_at("no-such-host.invalid"), saying="ENDPOINT")


def test_tls_to_a_server_without_it_names_the_setting(s3_server: S3Server) -> None:
    account = S3Account(s3_server.endpoint, "access", "secret", "us-east-1", secure=True)
    store = s3_store_from("s3://bucket", account, HASTE)
    fails(lambda store: store.get(KEY), store, saying="METERCROP_S3_SECURE")


@pytest.mark.parametrize(
    ("access_key", "secret_key"), [(ACCESS_KEY, "not-the-secret"), ("nobody", SECRET_KEY)]
)
def test_wrong_credentials_name_the_settings(
    any_s3_server: S3Server, access_key: str, secret_key: str
) -> None:
    bucket = any_s3_server.new_bucket()
    any_s3_server.store(f"s3://{bucket}").put(KEY, b"1", media_type=JPEG)
    stranger = replace(any_s3_server, access_key=access_key, secret_key=secret_key)
    store = stranger.store(f"s3://{bucket}")
    for call in EVERY_CALL:
        fails(call, store, saying="METERCROP_S3_ACCESS_KEY and METERCROP_S3_SECRET_KEY")


def test_missing_bucket_is_an_outage_and_says_what_to_do(any_s3_server: S3Server) -> None:
    store = any_s3_server.store("s3://never-created/archive")
    for call in EVERY_CALL:
        fails(
            call, store, saying="bucket does not exist: create it, or correct METERCROP_STORE_URL"
        )


def test_stores_with_other_prefixes_do_not_see_each_other(any_s3_server: S3Server) -> None:
    bucket = any_s3_server.new_bucket()
    here, there = (any_s3_server.store(f"s3://{bucket}/{name}") for name in ("site", "site-2"))
    here.put(KEY, b"here", media_type=JPEG)
    there.put(KEY, b"there", media_type=JPEG)
    there.put("only-there.jpg", b"1", media_type=JPEG)
    assert here.get(KEY) == b"here"
    assert here.get("only-there.jpg") is None
    assert [found.key for found in here.objects()] == [KEY]
    here.delete(KEY)
    assert there.get(KEY) == b"there"
    whole = any_s3_server.store(f"s3://{bucket}")
    assert [found.key for found in whole.objects()] == [f"site-2/{KEY}", "site-2/only-there.jpg"]


def test_listing_goes_on_behind_the_first_page(any_s3_server: S3Server) -> None:
    store = any_s3_server.store(f"s3://{any_s3_server.new_bucket()}")
    keys = [f"{number % 7}/{number:05}.jpg" for number in range(1_003)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda key: store.put(key, b"1", media_type=JPEG), keys))
    assert [found.key for found in store.objects()] == sorted(keys)


def test_presigned_address_serves_the_object_until_it_expires(any_s3_server: S3Server) -> None:
    store = any_s3_server.store(f"s3://{any_s3_server.new_bucket()}/archive")
    store.put("ü/photo 1.jpg", b"served", media_type=JPEG)
    url = store.presigned_url("ü/photo 1.jpg", expires_in=timedelta(minutes=10))
    brief = store.presigned_url("ü/photo 1.jpg", expires_in=timedelta(seconds=1))
    assert url is not None
    assert brief is not None
    answer = httpx.get(url, timeout=ANSWER_S)
    assert (answer.status_code, answer.content) == (200, b"served")
    assert answer.headers["content-type"] == JPEG
    assert httpx.URL(url).params["X-Amz-Expires"] == "600"
    assert httpx.get(url.replace("photo", "other"), timeout=ANSWER_S).status_code == 403
    time.sleep(2.1)
    assert httpx.get(brief, timeout=ANSWER_S).is_client_error


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
def test_presigned_address_for_ever_is_refused(s3_server: S3Server, seconds: int) -> None:
    store = s3_server.store("s3://bucket")
    with pytest.raises(ValueError, match="1 s to 7 days"):
        store.presigned_url(KEY, expires_in=timedelta(seconds=seconds))


def test_media_type_is_stored(any_s3_server: S3Server) -> None:
    bucket = any_s3_server.new_bucket()
    store = any_s3_server.store(f"s3://{bucket}")
    store.put("small.jpg", b"1", media_type=JPEG)
    store.put("large.jpg", bytes(20_000_000), media_type=JPEG)
    for key in ("small.jpg", "large.jpg"):
        assert any_s3_server.client().stat_object(bucket, key).content_type == JPEG


def test_object_labelled_as_compressed_comes_back_as_it_is_stored(any_s3_server: S3Server) -> None:
    bucket, content = any_s3_server.new_bucket(), gzip.compress(b"photo")
    any_s3_server.client().put_object(
        bucket, KEY, BytesIO(content), len(content), metadata={"Content-Encoding": "gzip"}
    )
    assert any_s3_server.store(f"s3://{bucket}").get(KEY) == content


def test_connections_are_given_back_whatever_the_answer(s3_server: S3Server) -> None:
    pool = PoolManager(maxsize=4)
    client = Minio(
        s3_server.endpoint,
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        secure=False,
        region=s3_server.region,
        http_client=pool,
    )
    store = S3Store(client, s3_server.new_bucket())
    for _ in range(20):
        store.put(KEY, b"0123456789", media_type=JPEG)
        store.get(KEY)
        store.get("missing.jpg")
        store.get_range(KEY, start=2, length=3)
        store.get_range(KEY, start=20, length=3)
        store.head("missing.jpg")
        next(store.objects())
    host, port = s3_server.endpoint.split(":")
    assert pool.connection_from_host(host, int(port), "http").num_connections == 1


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://UPPER/prefix",
        "s3://a",
        "s3://bucket?x=1/prefix",
        "s3://user:pw@bucket/prefix",
        "s3://bucket//prefix",
        "s3://bucket/a/../b",
        "http://bucket/prefix",
        "bucket/prefix",
        "",
    ],
)
def test_malformed_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(Misconfigured, match="is not s3://bucket") as caught:
        store_at("127.0.0.1:1", url)
    assert caught.value.code == "settings.store_url"


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9000", "host/path", "host:notaport"])
def test_malformed_endpoint_is_refused_at_the_start(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="METERCROP_S3_ENDPOINT") as caught:
        store_at(endpoint)
    assert caught.value.code == "settings.s3_endpoint"


def test_missing_credentials_are_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match="METERCROP_S3_SECRET_KEY") as caught:
        store_at("127.0.0.1:1", secret_key="")
    assert caught.value.code == "settings.s3_access_key"


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("s3://bucket", ""),
        ("s3://bucket/", ""),
        ("s3://bucket/a", "a/"),
        ("s3://bucket/a/b/", "a/b/"),
    ],
)
def test_prefix_is_a_folder(url: str, prefix: str) -> None:
    store = store_at("127.0.0.1:1", url)
    assert (store.bucket, store.prefix) == ("bucket", prefix)


def test_secret_is_not_printed_with_its_account() -> None:
    account = S3Account("host:1", "access", "the-very-secret", "us-east-1", secure=True)
    assert "access" in repr(account)
    assert "the-very-secret" not in repr(account)


def store_at(endpoint: str, url: str = "s3://bucket", *, secret_key: str = "secret") -> S3Store:
    account = S3Account(endpoint, "access", secret_key, "us-east-1", secure=False)
    return s3_store_from(url, account, HASTE)


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """Its kernel accepts connections, and nobody ever reads them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def waiting_connections(listener: socket.socket) -> int:
    listener.settimeout(0)
    for count in range(100):
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
    return 100
