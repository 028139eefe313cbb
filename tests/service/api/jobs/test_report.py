"""The report of a batch job over HTTP: a row for each object."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from io import StringIO

import httpx

from service.api.job_report import csv_chunks
from service.api.job_schemas import ItemAnswer
from service.core.job import (
    Item,
    ItemState,
)
from service.ports import JobLedger
from tests.service.api.jobs.asked import created, end_items, item


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode(), newline="")))


def many_items(count: int) -> Iterator[Item]:
    return (item(number, ItemState.CROPPED) for number in range(count))


def peak_bytes(chunks: Iterator[bytes]) -> int:
    """What memory they took at most while they were read."""
    tracemalloc.start()
    try:
        for _ in chunks:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_report_has_a_row_for_each_object_with_the_fields_of_items(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = created(client)
    end_items(
        jobs,
        job,
        item(0, ItemState.CROPPED),
        item(1, ItemState.FAILED, code="photo.corrupt"),
        item(2, ItemState.PENDING),
    )

    answer = client.get(f"/v1/jobs/{job['id']}/report.csv")

    listed = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    as_text = [
        {name: "" if value is None else str(value) for name, value in each.items()}
        for each in listed
    ]
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"job-{job['id']}.csv" in answer.headers["Content-Disposition"]
    assert "Content-Length" not in answer.headers
    assert rows(answer) == as_text


def test_report_gives_keys_back_exactly_as_they_are(client: httpx.Client, jobs: JobLedger) -> None:
    keys = ['=cmd|"/c calc"!A1', "+1.jpg", "-1.jpg", "@sum.jpg", 'a "b", c\r\n.jpg', "ä/é 🙂.jpg"]
    job = created(client)
    end_items(jobs, job, *(item(n, ItemState.CROPPED, key=key) for n, key in enumerate(keys)))

    answer = client.get(f"/v1/jobs/{job['id']}/report.csv")

    assert [row["key"] for row in rows(answer)] == keys


def test_report_takes_no_more_memory_for_more_objects() -> None:
    few, many = (peak_bytes(csv_chunks(many_items(count))) for count in (2_000, 20_000))

    assert many < 1.2 * few


def test_report_of_a_job_without_objects_names_its_columns(client: httpx.Client) -> None:
    answer = client.get(f"/v1/jobs/{created(client)['id']}/report.csv")

    assert answer.text == ",".join(ItemAnswer.model_fields) + "\r\n"
