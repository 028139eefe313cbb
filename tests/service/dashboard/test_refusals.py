"""Photos that were kept whole, by reason and period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import Reason
from service.core.record import Capture
from service.dashboard.reasons import EXPLAINED
from tests.fakes import FakeLedger, FakeObjectStore
from tests.records import NOON, cropped_record, kept_record
from tests.service.dashboard.pages import Page, read
from tests.serving import client_of, parts_of

REASONS = (
    *(Reason.NO_REGION,) * 3,
    *(Reason.LOW_CONFIDENCE,) * 2,
    Reason.SEVERAL_REGIONS,
    Reason.REGION_AT_BORDER,
)


@pytest.fixture
def client(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    """Seven kept and one cropped, a day apart up to now; none was brought back."""
    for days, reason in enumerate(REASONS):
        ago = NOON - timedelta(days=days)
        capture = Capture(meter_id=f"G-{days}")
        ledger.record(kept_record(f"{days}", received_at=ago, reason=reason, capture=capture))
    ledger.record(cropped_record("cropped", received_at=NOON))
    with client_of(parts_of(segmenter, store, ledger, clock=lambda: NOON)) as client:
        yield client


def counts(page: Page) -> str:
    """The line of tabs."""
    return page.text.partition(" Show ")[2]


@pytest.mark.parametrize("period", [{}, {"from": "2026-02-26T00:00:00Z"}], ids=["all", "some"])
def test_counts_are_those_of_the_savings_by_reason(
    client: httpx.Client, period: dict[str, str]
) -> None:
    everything = {"from": "1970-01-01T00:00:00Z"} | period
    groups = client.get("/v1/savings", params={**everything, "group_by": "reason"}).json()["groups"]
    photos = {group["key"]: group["photos"] for group in groups if group["key"] is not None}

    page = read(client.get("/refusals", params=period))

    line = " ".join(f"{EXPLAINED[each].name} {photos.get(each, 0)}" for each in Reason)
    assert photos
    assert counts(page).startswith(f"All {sum(photos.values())} {line}")


def test_photos_of_a_reason_are_shown_under_its_sentence(client: httpx.Client) -> None:
    page = read(client.get("/refusals?reason=low_confidence"))

    assert EXPLAINED[Reason.LOW_CONFIDENCE].why in page.text
    assert EXPLAINED[Reason.LOW_CONFIDENCE].advice in page.text
    assert meters(page) == ["G-3", "G-4"]
    navigation, *period_and_tab = page.current
    assert navigation == "/refusals"
    assert period_and_tab == ["/refusals?reason=low_confidence"] * 2
    assert counts(page).startswith("All 7 ")


def test_all_are_shown_with_reason_and_confidence_newest_first(client: httpx.Client) -> None:
    page = read(client.get("/refusals"))

    assert meters(page) == [f"G-{days}" for days in range(7)]
    for reason in set(REASONS):
        assert f"{EXPLAINED[reason].name} confidence 0.0 {EXPLAINED[reason].why}" in page.text
    assert all("size=medium" in address for address in page.values("img", "src"))


def test_period_is_kept_from_tab_to_tab_and_reason_from_period_to_period(
    client: httpx.Client,
) -> None:
    page = read(client.get("/refusals?reason=no_region&from=2026-02-28"))

    hrefs = page.values("a", "href")
    assert meters(page) == ["G-0", "G-1"]
    assert "/refusals?reason=several_regions&from=2026-02-28" in hrefs
    assert "/refusals?reason=no_region&from=2026-02-23" in hrefs  # seven days, today is one
    assert "/refusals?reason=no_region" in hrefs
    assert "/photos?status=kept_original&from=2026-02-28" in hrefs
    assert {"no_region", "2026-02-28"} <= set(page.values("input", "value"))


def test_period_that_is_shown_is_marked(client: httpx.Client) -> None:
    page = read(client.get("/refusals?from=2026-02-23"))

    assert page.current == ["/refusals", "/refusals?from=2026-02-23", "/refusals?from=2026-02-23"]


def test_pages_are_turned_by_links_that_keys_find(client: httpx.Client, ledger: FakeLedger) -> None:
    for number in range(20):
        ledger.record(kept_record(f"more {number}", received_at=NOON - timedelta(days=30)))

    first = read(client.get("/refusals?reason=no_region"))
    older = first.link(rel="next")
    assert older is not None
    second = read(client.get(older))

    assert (cards(first), cards(second)) == (12, 11)
    assert second.link(rel="prev") == "/refusals?reason=no_region"
    assert second.link(rel="next") is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("reason=restored", "No photo was kept as “Brought back”."),
        ("from=2027-01-01", "No photo was kept whole in this period."),
    ],
)
def test_page_without_photos_says_why(client: httpx.Client, asked: str, told: str) -> None:
    page = read(client.get(f"/refusals?{asked}"))

    assert told in page.text


def test_page_of_a_new_service_is_at_ease(segmenter: OnnxSegmenter, store: FakeObjectStore) -> None:
    with client_of(parts_of(segmenter, store, FakeLedger())) as client:
        assert "No photo was kept whole" in read(client.get("/refusals")).text


def test_what_cannot_be_asked_for_is_refused(client: httpx.Client) -> None:
    for asked in ("reason=bad", "site=Trento", "from=never", "cursor=x"):
        page = read(client.get(f"/refusals?{asked}"), status=422)

        assert asked.partition("=")[0] in page.text


def meters(page: Page) -> list[str]:
    """Of the cards, in order."""
    return [word for word in page.text.split() if word.startswith("G-")]


def cards(page: Page) -> int:
    return sum(each.attributes.get("class") == "card" for each in page.elements)
