"""Forms and fields that cannot be read, each refused by its name, and nothing stored."""

from __future__ import annotations

import httpx
import pytest

from tests.painted import painted_photo
from tests.problems import assert_problem

JPEG = {"Content-Type": "image/jpeg"}
BOUNDARY = "edge"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
FILE = 'Content-Disposition: form-data; name="file"; filename="m.jpg"'

pytestmark = pytest.mark.usefixtures("nothing_is_stored")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("no boundary in here", "cannot be parsed"),
        ("", "last boundary"),
        (f"--{BOUNDARY}\r\n{FILE}\r\n\r\nhalf a pho", "last boundary"),
        (f"--{BOUNDARY}\r\n{FILE}\r\n\r\nwhole\r\n--{BOUNDARY}\r\n", "last boundary"),
        (f"--{BOUNDARY}\r\nbad header\r\n\r\n\r\n--{BOUNDARY}--", "cannot be parsed"),
    ],
)
def test_malformed_form_is_refused(client: httpx.Client, body: str, says: str) -> None:
    answer = client.post("/v1/photos", content=body.encode(), headers=FORM)

    assert_problem(answer, 400, "request.invalid", names=says)


@pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'b' * 300}"])
def test_form_without_a_usable_boundary_is_refused(client: httpx.Client, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}

    assert_problem(client.post("/v1/photos", content=b"x", headers=headers), 400, "request.invalid")


def test_form_without_a_file_is_refused(client: httpx.Client) -> None:
    form = {"meter_id": (None, "G-1")}

    assert_problem(client.post("/v1/photos", files=form), 422, "field.invalid", names="file")


def test_form_with_two_files_is_refused(client: httpx.Client) -> None:
    files = [("file", painted_photo(1)), ("file", painted_photo(2))]

    assert_problem(client.post("/v1/photos", files=files), 422, "field.invalid", names="file")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("meter_idd", "G-1"),
        ("meter_id", "G" * 256),
        ("site", "no\x00where"),
        ("captured_at", "yesterday"),
        ("captured_at", "2026-03-01T09:35:21"),
        ("captured_at", "2026-03-01T09:35:21 01:00"),
        ("captured_at", "2026-02-30T09:35:21Z"),
        ("captured_at", "0001-01-01T00:00:00+23:00"),
        ("tags", "route 7"),
        ("tags", '["route"]'),
        ("tags", '{"route": 7}'),
        ("tags", '{"route": "a\\u0000b"}'),
        ("tags", '{"route": "\\ud800"}'),
        ("tags", "[" * 5000),
        ("tags", "{" + ",".join(f'"{i}": ""' for i in range(65)) + "}"),
    ],
)
def test_field_that_cannot_be_read_is_named(client: httpx.Client, field: str, value: str) -> None:
    raw = client.post("/v1/photos", content=painted_photo(), headers=JPEG, params={field: value})
    form = client.post("/v1/photos", files={"file": painted_photo(), field: (None, value.encode())})

    assert_problem(raw, 422, "field.invalid", names=field)
    assert_problem(form, 422, "field.invalid", names=field)


def test_field_given_twice_is_refused_wherever_it_was_given(client: httpx.Client) -> None:
    in_the_address = client.post(
        "/v1/photos?meter_id=1&meter_id=2", content=painted_photo(), headers=JPEG
    )
    in_both = client.post(
        "/v1/photos?meter_id=1", files={"file": painted_photo()}, data={"meter_id": "2"}
    )
    in_the_form = client.post(
        "/v1/photos",
        files=[("meter_id", (None, "1")), ("meter_id", (None, "2")), ("file", painted_photo())],
    )

    for answer in (in_the_address, in_both, in_the_form):
        assert_problem(answer, 422, "field.invalid", names="twice")


def test_field_of_a_form_that_is_too_long_or_no_utf_8_is_refused(client: httpx.Client) -> None:
    for value in (b"x" * 20_000, b"\xff\xfe"):
        answer = client.post("/v1/photos", files={"site": (None, value), "file": painted_photo()})

        assert_problem(answer, 422, "field.invalid", names="site")
