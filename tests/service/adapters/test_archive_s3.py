"""What a bucket of somebody's objects does beyond the contract: refusals, outages, pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.adapters.archive_s3 import S3Archive
from service.adapters.s3_client import Patience, S3Account, s3_client
from service.adapters.s3_listing import newest_objects
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected, Unavailable
from service.ports import Archive
from tests.servers.answers import answer, answering_server, md5
from tests.servers.archives import BucketOwner, archives_at
from tests.servers.s3 import SECRET_KEY, S3Server

JPEG = "image/jpeg"
KEY = "a/b.jpg"
PHOTO = b"photo"
ETAG = md5(PHOTO).strip('"')
FOUND = ArchivedObject("s3://bucket", KEY, len(PHOTO), ETAG)
LAST_MODIFIED = {"Last-Modified": "Sat, 21 Nov 2026 11:00:00 GMT"}
NO_VERSIONING = answer(
    "200 OK", b"<VersioningConfiguration></VersioningConfiguration>", **{"Content-Type": "text/xml"}
)

Call = Callable[[Archive], object]

EVERY_CALL: list[Call] = [
    lambda archive: list(archive.objects()),
    lambda archive: archive.find(KEY),
    lambda archive: archive.read(FOUND),
    lambda archive: archive.create(KEY, PHOTO, media_type=JPEG),
    lambda archive: archive.delete(FOUND),
]


def archive_at(endpoint: str) -> S3Archive:
    account = S3Account(endpoint, "access", "secret", "us-east-1", secure=False)
    return S3Archive(s3_client(account, Patience(connect_s=0.5, read_s=0.5)), "bucket")


def refusal(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>as it is</Message></Error>"
    return answer(status, body.encode(), **{"Content-Type": "application/xml"})


def listing_page(*keys: str, is_truncated: str = "false") -> bytes:
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-21T11:00:00Z</LastModified>"
        "<ETag>e</ETag><Size>1</Size></Contents>"
        for key in keys
    )
    body = (
        "<ListBucketResult><Name>bucket</Name><EncodingType>url</EncodingType>"
        f"<IsTruncated>{is_truncated}</IsTruncated>{contents}</ListBucketResult>"
    )
    return answer("200 OK", body.encode(), **{"Content-Type": "application/xml"})


def object_answer(content: bytes = PHOTO) -> bytes:
    return answer("200 OK", content, ETag=md5(content), **LAST_MODIFIED)


def head_answer(**headers: str) -> bytes:
    described = answer("200 OK", PHOTO, ETag=md5(PHOTO), **LAST_MODIFIED, **headers)
    return described.removesuffix(PHOTO)


def refused(code: str) -> pytest.RaisesExc[ObjectRejected]:
    return pytest.raises(ObjectRejected, check=lambda error: error.code == code)


def test_outage_is_told_and_over_with_the_same_archive(any_s3_server: S3Server) -> None:
    owner = BucketOwner(any_s3_server.client(), any_s3_server.new_bucket())
    archive = archives_at(any_s3_server).opened(owner.root)
    owner.put(KEY, PHOTO)
    with any_s3_server.outage():
        for call in EVERY_CALL:
            with pytest.raises(Unavailable, match="METERCROP_S3_ENDPOINT runs"):
                call(archive)
    (found,) = archive.objects()
    assert archive.read(found) == PHOTO


def test_wrong_credentials_are_no_fault_of_the_objects(any_s3_server: S3Server) -> None:
    owner = BucketOwner(any_s3_server.client(), any_s3_server.new_bucket())
    owner.put(KEY, PHOTO)
    stranger = replace(any_s3_server, secret_key=SECRET_KEY[::-1])
    archive = archives_at(stranger).opened(owner.root)
    for call in EVERY_CALL:
        with pytest.raises(Unavailable, match="METERCROP_S3_SECRET_KEY"):
            call(archive)


@pytest.mark.parametrize("page_keys", [1, 2, 3, 100])
def test_listing_goes_on_behind_each_page(any_s3_server: S3Server, page_keys: int) -> None:
    owner = BucketOwner(any_s3_server.client(), any_s3_server.new_bucket())
    keys = ["a b.jpg", "a+b+.jpg", "a+c.jpg", "a/b.jpg", "b%20c.jpg", "é+ü.jpg"]
    for key in keys:
        owner.put(key, b"1")
    for behind in ("", "a+b+.jpg", "é+ü.jpg"):
        listed = newest_objects(
            owner.client, owner.bucket, prefix="", after=behind, page_keys=page_keys
        )
        assert [found.object_name for found in listed] == [key for key in keys if key > behind]


def test_server_that_begins_with_the_key_behind_which_it_was_to_begin_is_understood() -> None:
    with answering_server(NO_VERSIONING, listing_page("a", "b")) as endpoint:
        listed = archive_at(endpoint).objects(after="a")
        assert [found.key for found in listed] == ["b"]


@pytest.mark.parametrize("keys", [(), ("a",)])
def test_listing_that_does_not_get_further_is_an_outage_and_not_endless(
    keys: tuple[str, ...],
) -> None:
    page = listing_page(*keys, is_truncated="true")
    with (
        answering_server(NO_VERSIONING, page) as endpoint,
        pytest.raises(Unavailable, match="does not get further"),
    ):
        list(archive_at(endpoint).objects())


@pytest.mark.parametrize("code", ["AccessDenied", "MethodNotAllowed", "NotImplemented"])
def test_server_that_cannot_tell_of_versions_is_listed_without(code: str) -> None:
    with answering_server(refusal("501 No", code), listing_page(KEY)) as endpoint:
        (found,) = archive_at(endpoint).objects()
    assert (found.key, found.version_id) == (KEY, "")


def test_key_with_a_nul_is_listed_as_text_and_refused_alone() -> None:
    answers = (NO_VERSIONING, listing_page("a%00b"), refusal("404 No", "NoSuchKey"))
    with answering_server(*answers) as endpoint:
        archive = archive_at(endpoint)
        (found,) = archive.objects()
        assert found.key == "a\\x00b"
        with refused("object.unaddressable"):
            archive.read(found)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("403 Forbidden", "AccessDenied", "object.access_denied"),
        ("403 Forbidden", "InvalidObjectState", "object.access_denied"),  # to be restored first
        ("400 Bad Request", "InvalidRequest", "object.access_denied"),  # its owner has the key
        ("400 Bad Request", "KMS.DisabledException", "object.access_denied"),
        ("400 Bad Request", "KeyTooLongError", "object.unaddressable"),
        ("404 Not Found", "NoSuchKey", "object.gone"),
    ],
)
def test_object_that_cannot_be_read_is_refused_alone(status: str, code: str, expected: str) -> None:
    with answering_server(refusal(status, code)) as endpoint, refused(expected):
        archive_at(endpoint).read(FOUND)


@pytest.mark.parametrize("code", ["InvalidArgument", "MethodNotAllowed", "NotImplemented"])
def test_version_that_is_none_is_gone(code: str) -> None:
    with answering_server(refusal("400 Bad Request", code)) as endpoint:
        archive = archive_at(endpoint)
        assert archive.find(KEY, version_id="1") is None
        with refused("object.gone"):
            archive.read(replace(FOUND, version_id="1"))


def test_server_without_versions_does_not_take_another_object_for_one(s3_server: S3Server) -> None:
    owner = BucketOwner(s3_server.client(), s3_server.new_bucket())
    owner.put(KEY, PHOTO)
    archive = archives_at(s3_server).opened(owner.root)
    (found,) = archive.objects()
    assert archive.find(KEY, version_id="1") is None
    with refused("object.gone"):
        archive.read(replace(found, version_id="1"))


def test_answer_of_a_proxy_is_an_outage_and_no_missing_object() -> None:
    page = answer("404 Not Found", b"<html><body>404 no such host</body></html>")
    for call in EVERY_CALL:
        with answering_server(page) as endpoint, pytest.raises(Unavailable, match="could not"):
            call(archive_at(endpoint))


def test_object_that_is_cut_short_on_its_way_is_an_outage() -> None:
    with (
        answering_server(object_answer()[:-1]) as endpoint,
        pytest.raises(Unavailable, match="could not read"),
    ):
        archive_at(endpoint).read(FOUND)


MISSING, LOST = refusal("404 No", "NoSuchKey"), refusal("412 No", "PreconditionFailed")
WRITTEN = answer("200 OK", b"", ETag=md5(PHOTO))


def test_server_that_keeps_the_first_is_not_asked_before_each_writing() -> None:
    with answering_server(MISSING, WRITTEN, NO_VERSIONING, LOST, WRITTEN) as endpoint:
        archive = archive_at(endpoint)
        for key in (KEY, f"{KEY}.2", f"{KEY}.3"):  # a look would find something else there
            archive.create(key, PHOTO, media_type=JPEG, read_back=False)


def test_server_that_knows_no_conditions_is_asked_before_each_writing() -> None:
    answers = (MISSING, WRITTEN, NO_VERSIONING, WRITTEN, MISSING, WRITTEN, object_answer())
    with answering_server(*answers) as endpoint:
        archive = archive_at(endpoint)
        for key in (KEY, f"{KEY}.2"):
            archive.create(key, PHOTO, media_type=JPEG, read_back=False)
        with refused("object.exists"):
            archive.create(f"{KEY}.3", b"other", media_type=JPEG, read_back=False)


def test_bucket_that_keeps_versions_is_asked_before_each_writing() -> None:
    versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    versions = answer("200 OK", versioning, **{"Content-Type": "text/xml"})
    with answering_server(MISSING, WRITTEN, versions, MISSING, WRITTEN) as endpoint:
        archive = archive_at(endpoint)
        for key in (KEY, f"{KEY}.2"):
            archive.create(key, PHOTO, media_type=JPEG, read_back=False)


def test_no_object_is_written_over_whatever_was_written_before(any_s3_server: S3Server) -> None:
    owner = BucketOwner(any_s3_server.client(), any_s3_server.new_bucket())
    archive = archives_at(any_s3_server).opened(owner.root)
    for number in range(3):
        archive.create(f"{number}.jpg", PHOTO, media_type=JPEG, read_back=False)
    owner.put(KEY, b"theirs")
    with refused("object.exists"):
        archive.create(KEY, PHOTO, media_type=JPEG, read_back=False)
    assert owner.content(KEY) == b"theirs"
    archive.create("0.jpg", PHOTO, media_type=JPEG, read_back=False)


def test_created_object_that_comes_back_with_other_bytes_is_an_outage() -> None:
    for read_back in (object_answer(b"other"), object_answer(b"longer"), MISSING):
        with (
            answering_server(MISSING, WRITTEN, NO_VERSIONING, LOST, read_back) as endpoint,
            pytest.raises(Unavailable, match="other bytes were read back"),
        ):
            archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG)


def test_where_nothing_is_read_back_the_servers_md5_is_compared() -> None:
    with answering_server(MISSING, WRITTEN, NO_VERSIONING, LOST) as endpoint:
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG, read_back=False)
    other = answer("200 OK", b"", ETag=md5(b"other"))
    with (
        answering_server(MISSING, other, NO_VERSIONING, LOST) as endpoint,
        pytest.raises(Unavailable, match="other bytes were read back"),
    ):
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG, read_back=False)


@pytest.mark.parametrize("etag", [f"{'0' * 32}-1", "made up"])
def test_server_that_tells_no_md5_is_read_back_all_the_same(etag: str) -> None:
    written = answer("200 OK", b"", ETag=etag)
    with (
        answering_server(
            MISSING, written, NO_VERSIONING, LOST, object_answer(b"other")
        ) as endpoint,
        pytest.raises(Unavailable, match="other bytes were read back"),
    ):
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG, read_back=False)


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_of_two_that_create_in_the_same_moment_the_later_looks_at_what_is_there(code: str) -> None:
    lost, other = refusal("412 No", code), object_answer(b"other")
    with answering_server(MISSING, lost, object_answer()) as endpoint:
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG)
    with answering_server(MISSING, lost, other) as endpoint, refused("object.exists"):
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG)
    with answering_server(MISSING, lost, MISSING) as endpoint, pytest.raises(Unavailable):
        archive_at(endpoint).create(KEY, PHOTO, media_type=JPEG)


@pytest.mark.parametrize("until", ["2126-11-21T11:00:00.123456789Z", "2126-11-21", "whenever"])
def test_retention_that_lasts_or_cannot_be_read_is_a_lock(until: str) -> None:
    locked = head_answer(**{"x-amz-object-lock-retain-until-date": until})
    with answering_server(locked, NO_VERSIONING) as endpoint:
        assert archive_at(endpoint).delete(FOUND) is Removal.LOCKED


@pytest.mark.parametrize(
    ("code", "message"), [("ObjectLocked", ""), ("AccessDenied", "forbidden by object lock")]
)
def test_lock_that_only_the_deletion_meets_is_told_as_such(code: str, message: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    refuses = answer("403 Forbidden", body, **{"Content-Type": "application/xml"})
    with answering_server(head_answer(), NO_VERSIONING, refuses) as endpoint:
        assert archive_at(endpoint).delete(FOUND) is Removal.LOCKED


def test_version_that_may_not_be_looked_at_is_not_taken_for_freed() -> None:
    of_a_version = head_answer(**{"x-amz-version-id": "v1"})
    deleted, denied = answer("204 No Content", b""), refusal("403 Forbidden", "AccessDenied")
    with answering_server(of_a_version, deleted, denied) as endpoint:
        assert archive_at(endpoint).delete(FOUND) is Removal.MARKED
