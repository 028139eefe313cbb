"""`GET /`: what was saved, as the API says it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from service.core.crop import Reason
from service.core.figures import money, share, size
from service.core.record import Capture
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.records import cropped_record, kept_record
from tests.serving import add_key, bearer, client_of, parts_of, upload

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def parts(segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger) -> Parts:
    return parts_of(segmenter, store, ledger, clock=lambda: NOW)


def page_of(client: httpx.Client, address: str = "/") -> str:
    """As one line, so that where a template breaks its lines does not matter."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def chart_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="savings-chart">(.*?)</script>', page)
    chart: dict[str, Any] = json.loads(text)
    return chart


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def add_months(ledger: FakeLedger) -> None:
    """Photos of three months, none in February."""
    for number, days in enumerate((80, 60, 2, 1, 0)):
        ledger.record(cropped_record(f"photo-{number}", received_at=days_ago(days)))


def add_day(ledger: FakeLedger, at: datetime, *, refused: int) -> None:
    """Thirty photos, as many as it takes for a day to be judged."""
    for number in range(30):
        make = kept_record if number < refused else cropped_record
        ledger.record(make(f"{at} {number}", received_at=at))


def test_headline_has_the_numbers_of_the_api(client: httpx.Client, ledger: FakeLedger) -> None:
    add_months(ledger)
    ledger.record(kept_record("kept", received_at=NOW))

    answer = client.get("/v1/savings").json()
    page, totals = page_of(client), answer["totals"]

    assert f"{money(totals['money_per_month'])} {answer['currency']}" in page
    assert f"<dd>{size(totals['saved_bytes'])}" in page
    assert f"<dd>{share(totals['saved_fraction'])}" in page
    assert "5 cropped, 1 kept whole" in page
    assert "all of it freed" in page


def test_chart_has_the_groups_of_the_api_and_no_holes(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    add_months(ledger)

    groups = client.get("/v1/savings?group_by=month").json()["groups"]
    page = page_of(client, "/?group_by=month")
    chart = chart_of(page)

    assert [group["key"] for group in groups] == ["2025-12-01", "2026-01-01", "2026-03-01"]
    assert chart["labels"] == ["Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026"]
    original, stored = chart["series"]
    assert original["values"] == [
        *(group["original_bytes"] for group in groups[:2]),
        0,
        3 * 1633413,
    ]
    assert stored["values"] == [*(group["stored_bytes"] for group in groups[:2]), 0, 3 * 96120]
    assert stored["texts"] == [size(count) for count in stored["values"]]
    assert "/v1/savings.csv?group_by=month" in page


def test_table_beside_the_chart_has_the_same_numbers(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    add_months(ledger)

    page = page_of(client, "/?group_by=month")
    body = page[page.index("<details>") : page.index("</details>")]

    rows = re.findall(r'<th scope="row">.*?>([^<]+)</time></th>(.*?)</tr>', body)
    cells = {month: re.findall(r">([^<]+)</td>", row) for month, row in rows}
    assert cells["Jan 2026"][:4] == ["1", "1.6 MB", "96.1 kB", "1.5 MB"]
    assert cells["Feb 2026"] == ["0", "0 B", "0 B", "0 B", "0.0%", "0"]


def test_period_of_the_address_selects_photos(client: httpx.Client, ledger: FakeLedger) -> None:
    add_months(ledger)

    page = page_of(client, "/?from=2026-03-18&to=2026-03-20")
    as_moments = page_of(client, "/?from=2026-03-18T00:00:00Z&to=2026-03-20T00:00:00%2B00:00")

    assert "photos received from 18 Mar 2026 to 19 Mar 2026" in page
    assert "2 cropped, 0 kept whole" in page
    assert chart_of(page)["labels"] == ["18 Mar 2026", "19 Mar 2026"]
    assert chart_of(as_moments) == chart_of(page)
    assert 'href="/v1/savings.csv?from=2026-03-18T00%3A00%3A00Z&amp;to=2026-03-20' in page
    assert 'name="from" value="2026-03-18" type="date"' in page


def test_preset_keeps_what_else_is_chosen_and_is_marked(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    add_months(ledger)

    page = page_of(client, "/?by=model")
    (week,) = re.findall(r'href="([^"]+)">7 days<', page)
    chosen = page_of(client, week.replace("&amp;", "&"))

    assert week == "/?from=2026-03-14&amp;by=model"
    assert f'href="{week}" aria-current="true">7 days<' in chosen
    assert len(chart_of(chosen)["labels"]) == 7
    assert "3 cropped, 0 kept whole" in chosen
    assert 'href="/?by=model" aria-current="true">Everything<' in page


def test_everything_can_be_asked_for_where_reports_go_back_some_days(
    parts: Parts, ledger: FakeLedger
) -> None:
    add_months(ledger)
    with client_of(replace(parts, savings_days=30)) as client:
        page = page_of(client)
        everything = page_of(client, "/?from=1970-01-01")

    assert "3 cropped" in page
    assert 'value="2026-02-18"' in page
    assert 'href="/?from=1970-01-01">Everything<' in page
    assert "5 cropped" in everything
    assert chart_of(everything)["labels"][0] == "29 Dec 2025"


@pytest.mark.parametrize("end", ["from", "to"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_period_may_touch_the_ends_of_the_calendar(
    client: httpx.Client, ledger: FakeLedger, end: str, day: str
) -> None:
    add_months(ledger)

    assert page_of(client, f"/?{end}={day}")


def test_empty_fields_of_the_form_select_nothing(client: httpx.Client, ledger: FakeLedger) -> None:
    add_months(ledger)

    assert "5 cropped" in page_of(client, "/?from=&to=&group_by=&by=site")


@pytest.mark.parametrize(
    "address", ["/?from=yesterday", "/?group_by=site", "/?by=day", "/?top=3", "/?form=2026-01-01"]
)
def test_address_that_cannot_be_read_is_answered_with_a_page_that_says_so(
    client: httpx.Client, address: str
) -> None:
    answer = client.get(address)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "A field cannot be read" in answer.text


def test_rows_of_the_breakdown_lead_to_their_photos(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    site = Capture(site="Old Town & <Quay>")
    ledger.record(cropped_record("a", received_at=NOW, capture=site))
    ledger.record(kept_record("b", received_at=NOW, reason=Reason.NO_REGION))

    by_site = page_of(client, "/?from=2026-03-20")
    by_reason = page_of(client, "/?by=reason")

    link = "/photos?site=Old+Town+%26+%3CQuay%3E&amp;from=2026-03-20"
    assert f'<a href="{link}">Old Town &amp; &lt;Quay&gt;</a>' in by_site
    assert '<th scope="row">No site named</th>' in by_site
    assert '<a href="/refusals?reason=no_region">No meter seen</a>' in by_reason
    assert '<a href="/photos?status=cropped">Cropped</a>' in by_reason
    for address in (link.replace("&amp;", "&"), "/refusals?reason=no_region"):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("by", ["site", "meter_type", "model", "reason", "source"])
def test_breakdown_has_the_groups_of_the_api(
    client: httpx.Client, ledger: FakeLedger, by: str
) -> None:
    ledger.record(cropped_record("a", received_at=NOW, capture=Capture(site="A", meter_type="gas")))
    ledger.record(kept_record("b", received_at=NOW))

    groups = client.get(f"/v1/savings?group_by={by}").json()["groups"]
    page = page_of(client, f"/?by={by}")
    body = page[page.index('<table class="breakdown">') :]

    assert body.count("<tr>") == len(groups) + 2  # and the head and the foot
    for group in groups:
        assert f">{size(group['stored_bytes'])}</td>" in body
    assert f"/v1/savings.csv?group_by={by}" in body


def test_many_rows_are_summed_up_until_all_are_asked_for(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    for number in range(14):
        at_site = Capture(site=f"site-{number:02}")
        ledger.record(cropped_record(f"{number}", received_at=NOW, capture=at_site))

    page, whole = page_of(client), page_of(client, "/?top=all")

    assert '<a href="/?top=all#by">4 others</a>' in page
    assert "site-09" in page
    assert "site-10" not in page
    assert "others" not in whole
    assert "site-13" in whole


def test_page_says_why_less_is_freed_than_saved(client: httpx.Client, ledger: FakeLedger) -> None:
    ledger.record(cropped_record("gone", received_at=NOW, original_bytes=5_000_000))
    ledger.record(cropped_record("grace", received_at=NOW, retained_key="originals/grace.jpg"))

    totals = client.get("/v1/savings").json()["totals"]
    page = page_of(client)

    assert f"{size(totals['freed_bytes'])} freed so far" in page
    assert "The other 1.6 MB are originals that are still stored and paid for" in page


def test_page_says_where_more_is_stored_than_came_in(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    ledger.record(cropped_record("grace", received_at=NOW, retained_key="originals/grace.jpg"))

    page = page_of(client)

    assert "Nothing is freed yet: 1.6 MB of originals are still stored" in page
    assert "for now 96.1 kB more are stored than came in" in page


def test_page_says_what_the_billable_minimum_takes(parts: Parts, ledger: FakeLedger) -> None:
    ledger.record(cropped_record("small", received_at=NOW))
    with client_of(replace(parts, min_billable_bytes=128_000, currency="EUR")) as client:
        totals = client.get("/v1/savings").json()["totals"]
        page = page_of(client)

    assert f"{money(totals['money_per_month'])} EUR" in page
    assert "bills every object as at least 128 kB" in page
    assert "shrinks by 1.5 MB, which is 31.9 kB less than what is freed" in page


def test_page_says_where_the_billable_minimum_costs_more_than_crops_save(
    parts: Parts, ledger: FakeLedger
) -> None:
    small = cropped_record("tiny", received_at=NOW, original_bytes=90_000, stored_bytes=30_000)
    ledger.record(replace(small, context=cropped_record("x", context_bytes=5_000).context))
    with client_of(replace(parts, min_billable_bytes=128_000)) as client:
        page = page_of(client)

    assert "the bill grows by 128 kB." in page


def test_alarm_of_a_model_is_told_until_it_has_had_a_good_day(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    for day in range(2, 18):
        add_day(ledger, days_ago(day), refused=1)
    add_day(ledger, days_ago(1), refused=15)
    alarmed = page_of(client)
    add_day(ledger, NOW, refused=1)
    calm = page_of(client)

    assert "On 2026-03-19: The share of photos refused was 50.0%" in alarmed
    assert "The model may see something new" not in calm


def test_last_photos_lead_to_their_pages(client: httpx.Client) -> None:
    record = upload(client, painted_photo(), meter_id="G-1047")

    page = page_of(client)

    assert f'href="/photos/{record["id"]}"' in page
    assert "G-1047" in page
    assert f"{share(record['saved_fraction'])} saved" in page


def test_empty_service_says_how_to_begin(client: httpx.Client) -> None:
    page = page_of(client)

    assert "No photo has come in yet" in page
    assert f"curl -F file=@meter.jpg {client.base_url}/v1/photos".replace("//v1", "/v1") in page
    assert 'href="/try"' in page
    assert "<canvas" not in page


def test_period_without_photos_leads_to_all(client: httpx.Client, ledger: FakeLedger) -> None:
    add_months(ledger)

    page = page_of(client, "/?to=2020-01-01")

    assert "No photo was received in this period" in page
    assert '<a class="button" href="/">Show everything</a>' in page


def test_page_writes_what_senders_said_as_text(client: httpx.Client, ledger: FakeLedger) -> None:
    named = Capture(meter_id="<script>alert(1)", site="</script><script>alert(2)")
    ledger.record(cropped_record("a", received_at=NOW, capture=named))

    page = client.get("/").text

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_nothing_is_inline_and_nothing_from_elsewhere(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    add_months(ledger)

    answer = client.get("/")
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)

    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", answer.text)
    assert all(address.startswith("/") for address in loaded)
    for address in loaded:
        if address.startswith("/static/"):
            assert client.get(address).status_code == 200


def test_head_is_answered_like_get_without_a_body(client: httpx.Client) -> None:
    answer = client.head("/")

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.fixture
def locked(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        yield client


def test_photos_are_shown_only_to_those_who_may_read(
    locked: httpx.Client, ledger: FakeLedger
) -> None:
    add_key(ledger, "secret-read", Scope.READ)
    ledger.record(cropped_record("a", received_at=NOW, capture=Capture(meter_id="G-SECRET")))

    nobody = locked.get("/")
    reader = locked.get("/", headers=bearer("secret-read"))

    assert (nobody.status_code, nobody.headers["Location"]) == (303, "/sign-in?next=%2F")
    assert "G-SECRET" in reader.text


def test_first_command_names_the_key_where_one_is_asked_for(
    locked: httpx.Client, ledger: FakeLedger
) -> None:
    add_key(ledger, "secret-read", Scope.READ)

    page = locked.get("/", headers=bearer("secret-read")).text

    assert 'curl -F file=@meter.jpg -H "Authorization: Bearer YOUR-KEY"' in page
