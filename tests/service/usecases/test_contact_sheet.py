from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import pytest

from service.core.archive import ArchivedObject
from service.core.crop import Reason
from service.core.job import (
    Forecast,
    Item,
    ItemState,
    Job,
    JobCounts,
    JobPlan,
    JobState,
    Mode,
    SamplePicture,
)
from service.usecases.contact_sheet import contact_sheet, content_policy
from tests import photos

CROPPED, KEPT, FAILED = ItemState.CROPPED, ItemState.KEPT_ORIGINAL, ItemState.FAILED
FORECAST = Forecast(
    sampled=200,
    objects=1_204_331,
    original_bytes=4_100_000_000_000,
    saved_fraction=0.614,
    saved_fraction_low=0.583,
    saved_fraction_high=0.642,
    kept_fraction=0.045,
    failed_fraction=0.005,
    money_per_month=57.9,
    duration_s=273_600,
    transferred_bytes=7_300_000_000_000,
)
PICTURE = photos.jpeg(width=32, height=24)


def dry_run(
    *,
    forecast: Forecast | None = FORECAST,
    source: str = "s3://archive/2024",
    mode: Mode = Mode.COPY,
    destination: str = "",
    counts: JobCounts | None = None,
) -> Job:
    plan = JobPlan(source, None, mode, destination, dry_run=True, sample=200)
    return Job(
        UUID(int=7),
        plan,
        JobState.COMPLETE,
        datetime(2026, 3, 1, 9, 35, tzinfo=UTC),
        counts=counts or JobCounts(),
        forecast=forecast,
    )


def item(
    number: int,
    state: ItemState,
    *,
    key: str = "meter.jpg",
    code: str | None = None,
    message: str | None = None,
) -> Item:
    found = ArchivedObject("s3://archive", key, 1_633_413, "etag")
    stored = 96_120 if state is CROPPED else 1_633_413
    return Item(
        number, found, state, code=code, message=message, original_bytes=1_633_413,
        stored_bytes=stored,
    )  # fmt: skip


def sheet(job: Job, *items: Item) -> str:
    """With a picture of each item that has not failed."""
    pictures = [SamplePicture(each.number, PICTURE) for each in items if each.state is not FAILED]
    return contact_sheet(job, pictures, {each.number: each for each in items})


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, and the words seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag: str) -> Sequence[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_forecast_is_told_in_numbers_people_read() -> None:
    text = Page(sheet(dry_run())).text
    for told in (
        "Dry run of s3://archive/2024",
        "200 of 1,204,331 objects, drawn at random",
        "61%58 to 64%, 19 times of 20",
        "57.90",
        "1.6 TBof 4.1 TB now",
        "4.5%of the photos",
        "0.5%of the objects",
        "3 d 4 h",
        "7.3 TB",
    ):
        assert told in text


def test_close_bounds_are_told_with_a_decimal() -> None:
    close = replace(FORECAST, saved_fraction_low=0.609, saved_fraction_high=0.618)
    assert "61.4%60.9 to 61.8%, 19 times of 20" in Page(sheet(dry_run(forecast=close))).text


def test_dry_run_of_everything_has_no_bounds() -> None:
    exact = replace(
        FORECAST, sampled=50, objects=50, saved_fraction_low=0.614, saved_fraction_high=0.614
    )
    text = Page(sheet(dry_run(forecast=exact))).text
    assert "All 50 objects were tried" in text
    assert "61.4%of all bytes" in text


def test_dry_run_that_goes_on_says_how_far_it_is() -> None:
    counts = JobCounts(total=200, cropped=40, failed=2)
    text = Page(sheet(dry_run(forecast=None, counts=counts), item(3, CROPPED))).text
    assert "42 of 200 objects" in text
    assert "no forecast yet" in text
    assert "1.6 MB" in text


@pytest.mark.parametrize(
    ("mode", "destination", "told"),
    [
        (Mode.COPY, "", "written to the store of this service. The archive is not touched"),
        (Mode.COPY, "s3://crops/<new>", "written to s3://crops/<new>. The archive is not touched"),
        (Mode.REPLACE, "", "beside its photo, read back and compared; 30 days later"),
        (Mode.REPLACE, "s3://crops/new", "written to s3://crops/new, read back and compared"),
    ],
)
def test_page_says_what_the_job_would_do(mode: Mode, destination: str, told: str) -> None:
    assert told in Page(sheet(dry_run(mode=mode, destination=destination))).text


def test_cropped_photo_is_shown_with_key_bytes_and_saving() -> None:
    page = Page(sheet(dry_run(), item(3, CROPPED, key="2024/05/meter 7.jpg")))
    (image,) = page.all("img")
    assert "1.6 MB → 96.1 kB94% saved2024/05/meter 7.jpg" in page.text
    assert image["alt"] == "Photo 2024/05/meter 7.jpg, with what would be stored of it outlined"
    assert b64decode((image["src"] or "").removeprefix("data:image/jpeg;base64,")) == PICTURE


@pytest.mark.parametrize("reason", Reason)
def test_kept_photo_is_shown_with_its_reason(reason: Reason) -> None:
    page = Page(sheet(dry_run(), item(3, KEPT, code=reason)))
    assert re.search(r"1\.6 MB, [a-z' ]{6,}meter\.jpg", page.text)
    assert page.all("img")[0]["alt"] == "Photo meter.jpg, kept whole"


def test_headings_say_how_many_there_are_and_how_many_are_shown() -> None:
    counts = JobCounts(total=200, cropped=190, kept_original=1, skipped=9)
    items = (item(1, CROPPED), item(2, CROPPED), item(3, KEPT, code="no_region"))
    text = Page(sheet(dry_run(counts=counts), *items)).text
    assert "Cropped: 190, 2 of them shown" in text
    assert "Kept whole: 1 " in text
    assert "Skipped: 9" in text


def test_failed_objects_are_listed_by_code_at_the_end() -> None:
    page = Page(
        sheet(
            dry_run(),
            item(1, FAILED, key="b.jpg", code="photo.truncated", message="it is cut short"),
            item(2, FAILED, key="c.jpg", code="object.gone", message="it vanished"),
            item(3, CROPPED),
            item(4, FAILED, key="a.jpg", code="photo.truncated", message="it ends early"),
        )
    )
    assert len(page.all("img")) == 1
    assert (
        "Failed: 3codekeymessageobject.gonec.jpgit vanished"
        "photo.truncateda.jpgit ends earlyphoto.truncatedb.jpgit is cut short"
    ) in page.text


def test_long_list_of_failures_ends_with_where_the_rest_is() -> None:
    failed = [item(number, FAILED, code="object.gone") for number in range(300)]
    page = Page(sheet(dry_run(counts=JobCounts(total=900, failed=450)), *failed))
    assert len(page.all("tr")) == 201
    assert "Failed: 450" in page.text
    assert "250 more are in the job's report" in page.text


def test_picture_of_an_item_that_is_not_there_is_left_out() -> None:
    html = contact_sheet(dry_run(), [SamplePicture(8, PICTURE)], {})
    assert Page(html).all("img") == []
    assert "no pictures" in html


EVIL = "<script>alert(1)</script>\"' onerror=x $policy &amp; \u202egpj.\0\udcff"
SHOWN = "<script>alert(1)</script>\"' onerror=x $policy &amp; \\u202egpj.\\x00\\udcff"


def test_foreign_text_is_shown_and_never_taken_for_markup() -> None:
    html = sheet(
        dry_run(source=EVIL, destination=EVIL),
        item(1, CROPPED, key=EVIL),
        item(2, KEPT, key=EVIL, code="no_region"),
        item(3, KEPT, key=EVIL, code=EVIL),
        item(4, FAILED, key=EVIL, code=EVIL, message=EVIL),
    )
    page = Page(html)
    assert page.all("script") == []
    assert page.text.count(SHOWN) == 10
    assert page.all("img")[0]["alt"] == f"Photo {SHOWN}, with what would be stored of it outlined"
    assert all(set(image) == {"src", "alt"} for image in page.all("img"))
    assert html.encode()


def test_page_needs_nothing_else_and_may_do_nothing_else() -> None:
    items = (item(1, CROPPED), item(2, KEPT, code="no_region"), item(3, FAILED, code="object.gone"))
    html = sheet(dry_run(), *items)
    page = Page(html)
    assert page.open == []
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "a", "form"})
    assert not re.search(r"url\(|@import|https?:|\sstyle=|\son\w+=", html)
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy == content_policy()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in content_policy()


def test_page_can_be_read_aloud() -> None:
    items = (item(1, CROPPED), item(2, KEPT, code="no_region"), item(3, FAILED, code="object.gone"))
    page = Page(sheet(dry_run(), *items))
    assert page.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in page.all("img"))
    assert [head["scope"] for head in page.all("th")] == ["col"] * 3
    assert len(page.all("h1")) == 1
    assert len(page.all("h2")) == 4
