"""A job from its form to its end, over a folder, with a real worker beside the service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from service.adapters.sql.engine import for_writing
from service.adapters.sql.tables import JobRow
from service.core.job import ENDED, Job, JobState
from tests.archives import numbered
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.jobs import archive_of, batch_record, cropped, failed, job_over
from tests.painted import painted_photo
from tests.servers.postgres import opened
from tests.service.commands import TIMEOUT_S, workplace_in
from tests.serving import now_in_utc
from tests.sites import PAINTED

PHOTOS = 80
ASK_NOW = """() => htmx.ajax(
  "GET", `${location.pathname}/live`, {target: "#live", swap: "outerHTML"})"""
"""What the page does every two seconds."""


def filled_archive(folder: Path) -> Path:
    """With one that is broken."""
    archive = folder / "archive" / "2026"
    archive.mkdir(parents=True)
    photo = painted_photo(size=(320, 240), regions=(PAINTED,))
    for number in range(PHOTOS - 1):
        (archive / f"{number:05}.jpg").write_bytes(numbered(photo, number))
    (archive / "broken.jpg").write_bytes(photo[:2_000])
    return archive


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """On the database and the store of `website`, which lie in the same folder."""
    place = workplace_in(folder, METERCROP_HOME=f"{folder}", METERCROP_DEVICE="cpu")
    with (folder / "worker.log").open("w") as log:
        process = place.start("worker", output=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT_S)


def hurry(folder: Path, job: Job) -> None:
    """Its rate left time for a pause; the rest needs none."""
    quickly = update(JobRow).where(JobRow.id == job.id).values(max_per_second=None)
    url = f"sqlite:///{folder}/metercrop.db"
    with opened(url) as engine, for_writing(engine).begin() as connection:
        connection.execute(quickly)


def job_now(website: Website, tab: Watched) -> Job:
    """The one whose page it is."""
    job = website.parts.jobs.job(UUID(tab.page.url.rpartition("/")[2]))
    assert job is not None
    return job


def test_job_is_followed_from_its_form_through_a_pause_to_its_end(
    open_tab: Callable[..., Watched], website: Website, tmp_path: Path
) -> None:
    archive = filled_archive(tmp_path)
    tab = open_tab("/jobs/new")
    page = tab.page
    page.get_by_label("Source").fill(f"file://{archive}")
    page.get_by_label("Dry run").uncheck()
    page.get_by_text("Limits and priority").click()
    page.get_by_label("Objects a second").fill("2")
    page.get_by_role("button", name="Create the job").click()
    expect(page.get_by_role("main")).to_contain_text("No worker is there")
    tab.expect_no_findings()

    with worker(tmp_path):
        expect(page.get_by_role("main")).not_to_contain_text("No worker")
        cropped_so_far = page.locator(".outcomes div").first.get_by_role("link")
        expect(cropped_so_far).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("It rests until somebody resumes it")).to_be_visible()
        resting = job_now(website, tab)
        assert resting.state is JobState.PAUSED
        assert 0 < resting.counts.finished < PHOTOS
        tab.expect_no_findings()

        hurry(tmp_path, resting)
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("All of it is dealt with")).to_be_visible()
        expect(page.locator("#told")).to_have_text("The job is now complete.")

    ended = job_now(website, tab)
    assert ended.state in ENDED
    assert (ended.counts.cropped, ended.counts.failed) == (PHOTOS - 1, 1)
    figures = page.locator(".outcomes dd")
    expect(figures).to_have_text([f"{PHOTOS - 1}", "0", "0", "1", "0"])
    expect(page.get_by_role("main")).to_contain_text("photo.truncated")
    expect(page.get_by_role("button", name="Try the failed again")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Pause|Resume|Cancel"))).to_have_count(0)
    with page.expect_download() as report:
        page.get_by_role("link", name="Report as CSV").click()
    assert report.value.path().read_text().count("\n") == PHOTOS + 1
    tab.expect_no_findings()


def test_button_keeps_the_keyboard_while_the_page_renews_itself(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    job, items = job_over(website.parts.jobs, archive_of(3))
    website.parts.jobs.move(job.id, to=JobState.RUNNING, only_from=set(JobState), at=now_in_utc())
    tab = open_tab(f"/jobs/{job.id}")
    tab.page.get_by_role("button", name="Cancel").focus()

    website.parts.jobs.settle(job.id, [cropped(items[0], batch_record("one"))])

    expect(tab.page.get_by_text("1 of 3 objects")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Cancel")).to_be_focused()


def test_button_is_not_replaced_while_it_is_pressed(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    job, items = job_over(website.parts.jobs, archive_of(3))
    website.parts.jobs.move(job.id, to=JobState.RUNNING, only_from=set(JobState), at=now_in_utc())
    page = open_tab(f"/jobs/{job.id}").page
    website.parts.jobs.settle(job.id, [cropped(items[0], batch_record("one"))])

    page.get_by_role("button", name="Cancel").hover()
    page.mouse.down()
    page.evaluate(ASK_NOW)
    page.mouse.up()

    expect(page.get_by_text("cancelling", exact=True)).to_be_visible()
    expect(page.get_by_text("1 of 3 objects")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_jobs_are_accessible_and_fit_the_screen(
    size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched], website: Website
) -> None:
    job, items = job_over(website.parts.jobs, archive_of(3))
    website.parts.jobs.settle(job.id, [cropped(items[0], batch_record("one")), failed(items[1])])
    tab = open_tab("/jobs", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    pages = ["/jobs", "/jobs/new", f"/jobs/{job.id}", f"/jobs/{job.id}/items"]
    for path in pages:
        tab.page.goto(path)
        tab.expect_no_findings()
        tab.expect_width(size[0])
        expect(tab.page.locator("h1")).to_have_count(1)


def test_form_says_what_is_wrong_and_keeps_what_was_typed(
    open_tab: Callable[..., Watched],
) -> None:
    tab = open_tab("/jobs/new")
    page = tab.page
    page.get_by_label("Source").fill("gopher://archive")
    page.get_by_label("Replace").check()
    page.get_by_role("button", name="Create the job").click()

    expect(page.get_by_role("alert")).to_contain_text("The job was not created")
    expect(page.get_by_label("Source")).to_have_value("gopher://archive")
    expect(page.get_by_label("Source")).to_have_accessible_description(re.compile("s3://"))
    expect(page.get_by_label("Replace")).to_be_checked()
    expect(page.get_by_label("Dry run")).to_be_checked()
    tab.expect_no_findings()
    assert all("status of 422" in complaint for complaint in tab.complaints)
    tab.complaints.clear()
