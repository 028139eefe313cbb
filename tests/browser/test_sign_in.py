"""Signing in with a real browser: its cookie jar, its `Sec-Fetch-Site`, its idea of a site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.browser.conftest import browsed_parts
from tests.jobs import archive_of, job_over
from tests.painted import painted_photo
from tests.serving import add_key, bearer

KEY = "mc_of-the-tests"
COOKIE = "metercrop"


@pytest.fixture
def parts(tmp_path: Path, segmenter: OnnxSegmenter) -> Iterator[Parts]:
    """A key is asked for, and there is one that may do everything."""
    with browsed_parts(tmp_path, segmenter, rule=AuthRule.ALWAYS) as parts:
        add_key(parts.ledger, KEY, Scope.ADMIN)
        yield parts


def sign_in(tab: Watched, key: str = KEY) -> None:
    tab.page.get_by_label("API key").fill(key)
    tab.page.get_by_role("button", name="Sign in").click()


def forgive(tab: Watched, status: int) -> None:
    """The browser notes each refused page on its console; this one was asked for."""
    assert tab.complaints
    assert all(f"status of {status}" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_is_accessible_and_fits_the_screen(
    size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    tab = open_tab("/sign-in", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sign_in(tab, "guessed")
    expect(tab.page.get_by_role("alert")).to_be_visible()
    tab.page.wait_for_load_state()
    tab.expect_no_findings()
    tab.expect_width(size[0])
    forgive(tab, 401)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_refused_key_is_told_and_the_right_one_leads_to_the_page_that_was_asked_for(
    scripts: bool,  # noqa: FBT001 - of the parameters
    open_tab: Callable[..., Watched],
) -> None:
    tab = open_tab("/health?from=a-colleague", scripts=scripts)
    expect(tab.page).to_have_title("Sign in · metercrop")
    expect(tab.page.get_by_role("navigation")).to_have_count(0)

    sign_in(tab, "guessed")
    expect(tab.page.get_by_role("alert")).to_have_text("The key is not known, or has been revoked.")
    forgive(tab, 401)
    sign_in(tab)

    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")
    expect(tab.page).to_have_url(re.compile(r"/health\?from=a-colleague$"))
    expect(tab.page.get_by_role("button", name="Sign out")).to_be_visible()


def test_signing_out_closes_the_pages_and_the_cookie_is_gone(
    open_tab: Callable[..., Watched],
) -> None:
    tab = open_tab("/sign-in?next=/health")
    sign_in(tab)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")
    (cookie,) = tab.page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Lax")
    assert tab.page.evaluate("document.cookie") == ""

    tab.page.get_by_role("button", name="Sign out").click()

    expect(tab.page).to_have_title("Sign in · metercrop")
    assert tab.page.context.cookies() == []
    tab.page.goto("/health")
    expect(tab.page).to_have_title("Sign in · metercrop")


def test_pictures_of_the_page_ride_on_the_session(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    record = website.client.post("/v1/photos", content=painted_photo(), headers=bearer(KEY)).json()
    tab = open_tab("/sign-in?next=/health")
    sign_in(tab)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")

    shown = tab.page.evaluate(
        """address => new Promise(done => {
             const picture = new Image();
             picture.onload = () => done(picture.naturalWidth);
             picture.onerror = () => done(0);
             picture.src = address;
           })""",
        f"/v1/photos/{record['id']}/content",
    )

    assert shown == record["stored"]["width"]


def test_link_from_another_site_opens_the_page_but_its_form_does_nothing(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    """`localhost` is another site than `127.0.0.1`, and serves pages of its own."""
    tab = open_tab("/sign-in?next=/health")
    sign_in(tab)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")
    elsewhere = website.url.replace("127.0.0.1", "localhost")
    tab.page.goto(f"{elsewhere}/sign-in")
    tab.complaints.clear()  # the other host was what we went for

    tab.page.evaluate(
        """address => {
             const link = document.createElement("a");
             link.href = `${address}/health`;
             document.body.append(link);
             link.click();
           }""",
        website.url,
    )
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")

    refused = tab.page.context.request.post(
        f"{website.url}/sign-out", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert refused.status == 403
    tab.page.goto("/health")
    expect(tab.page.get_by_role("button", name="Sign out")).to_be_visible()
    tab.complaints.clear()


def test_revoked_key_ends_the_session_of_an_open_page(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    job_over(website.parts.jobs, archive_of(1))  # while one goes on, the list renews itself
    tab = open_tab("/sign-in?next=/jobs")
    sign_in(tab)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Jobs")

    (key,) = website.parts.ledger.keys()
    website.parts.ledger.revoke_key(key.id, at=datetime.now(UTC))

    expect(tab.page).to_have_title("Sign in · metercrop")
    expect(tab.page).to_have_url(re.compile(r"/sign-in\?next=%2Fjobs$"))
    forgive(tab, 401)


def test_key_without_the_scope_is_told_so_and_sees_what_it_may(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    add_key(website.parts.ledger, "camera", Scope.UPLOAD)
    tab = open_tab("/health")
    sign_in(tab, "camera")

    expect(tab.page.get_by_role("main")).to_contain_text("lacks the scope read")
    expect(tab.page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Try a photo", "API"]
    )
    tab.page.wait_for_load_state()
    tab.expect_no_findings()
    forgive(tab, 403)
