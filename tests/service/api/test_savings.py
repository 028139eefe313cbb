"""What was saved, as JSON and CSV, and whether models drift."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.adapters.sql.ledger import SqlLedger
from service.api.parts import Parts
from service.core.record import Capture
from service.core.savings import GroupBy
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.records import NOON, cropped_record, kept_record
from tests.serving import client_of

FIGURES = [
    "photos",
    "cropped",
    "kept_original",
    "original_bytes",
    "stored_bytes",
    "saved_bytes",
    "freed_bytes",
    "saved_fraction",
    "mean_saved_bytes",
    "money_per_month",
    "billable_saved_bytes",
]
"""Those of the interface, then what the store bills for."""


def savings(client: httpx.Client, **asked: str) -> dict[str, Any]:
    answer = client.get("/v1/savings", params=asked)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def rows_of(client: httpx.Client, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/v1/savings.csv", params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def record_sites(ledger: FakeLedger) -> None:
    for n, site in enumerate(("north", "south", None, "north")):
        at = NOON + timedelta(days=n)
        ledger.record(cropped_record(f"{n}", received_at=at, capture=Capture(site=site)))
    ledger.record(kept_record("kept", capture=Capture(site="south")))


def test_savings_sum_up_what_was_taken_in(client: httpx.Client) -> None:
    cropped = client.post("/v1/photos", content=painted_photo(1)).json()
    kept = client.post("/v1/photos", content=painted_photo(2, regions=[])).json()

    answer = savings(client, **{"from": "2020-01-01T00:00:00Z"})

    totals = answer["totals"]
    assert list(answer) == [
        "from",
        "to",
        "group_by",
        "totals",
        "groups",
        "currency",
        "price_per_gb_month",
        "min_billable_bytes",
    ]
    assert (answer["from"], answer["to"]) == ("2020-01-01T00:00:00Z", None)
    assert (answer["group_by"], answer["groups"]) == (None, [])
    assert (answer["currency"], answer["price_per_gb_month"]) == ("USD", 0.023)
    assert list(totals) == FIGURES
    originals = cropped["original"]["bytes"] + kept["original"]["bytes"]
    assert (totals["photos"], totals["cropped"], totals["kept_original"]) == (2, 1, 1)
    assert totals["original_bytes"] == originals
    assert totals["saved_bytes"] == totals["freed_bytes"] == cropped["saved_bytes"]
    assert totals["saved_fraction"] == round(cropped["saved_bytes"] / originals, 4)
    assert totals["money_per_month"] == pytest.approx(cropped["saved_bytes"] / 1e9 * 0.023)


def test_savings_of_another_period_are_none(client: httpx.Client) -> None:
    client.post("/v1/photos", content=painted_photo())

    answer = savings(client, to="2020-01-01T00:00:00Z", group_by="site")

    assert set(answer["totals"].values()) == {0}
    assert answer["groups"] == []


def test_groups_carry_the_figures_of_totals_and_a_key(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    record_sites(ledger)

    answer = savings(client, group_by="site")

    assert answer["group_by"] == "site"
    assert [list(group) for group in answer["groups"]] == [["key", *FIGURES]] * 3
    assert [group["key"] for group in answer["groups"]] == ["north", None, "south"]
    for figure in ("photos", "kept_original", "saved_bytes", "freed_bytes"):
        assert sum(group[figure] for group in answer["groups"]) == answer["totals"][figure]


@pytest.mark.parametrize("group_by", GroupBy)
def test_each_grouping_can_be_asked_for(
    group_by: GroupBy, client: httpx.Client, ledger: FakeLedger
) -> None:
    record_sites(ledger)

    answer = savings(client, group_by=group_by)

    assert sum(group["photos"] for group in answer["groups"]) == 5


def test_unknown_grouping_is_refused_with_those_that_there_are(client: httpx.Client) -> None:
    answer = client.get("/v1/savings", params={"group_by": "reader"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "field.invalid"
    assert "meter_type" in answer.json()["detail"]


def test_period_may_be_of_any_zone(client: httpx.Client, ledger: FakeLedger) -> None:
    record_sites(ledger)

    answer = savings(client, **{"from": "2026-03-02T14:00:00+02:00", "group_by": "day"})

    assert answer["from"] == "2026-03-02T12:00:00Z"
    days = [group["key"] for group in answer["groups"]]
    assert days == ["2026-03-02", "2026-03-03", "2026-03-04"]


def test_currency_price_and_default_period_are_settings(parts: Parts, ledger: FakeLedger) -> None:
    record_sites(ledger)
    parts = replace(
        parts,
        currency="EUR",
        price_per_gb_month=1_000_000.0,
        min_billable_bytes=128_000,
        savings_days=2,
        intake=replace(parts.intake, clock=lambda: NOON + timedelta(days=4)),
    )
    with client_of(parts) as client:
        answer = savings(client)

    assert answer["from"] == "2026-03-03T00:00:00Z"
    assert answer["totals"]["photos"] == 2
    assert (answer["currency"], answer["min_billable_bytes"]) == ("EUR", 128_000)
    billable = 2 * (1_633_413 - 128_000)
    assert answer["totals"]["billable_saved_bytes"] == billable
    assert answer["totals"]["money_per_month"] == pytest.approx(billable / 1e3)


def test_csv_has_the_same_numbers(client: httpx.Client, ledger: FakeLedger) -> None:
    record_sites(ledger)
    for group_by in GroupBy:
        document = savings(client, group_by=group_by)
        rows = rows_of(client, group_by=group_by)

        assert [list(row) for row in rows] == [["key", *FIGURES, "currency"]] * len(rows)
        for row, group in zip(rows, document["groups"], strict=True):
            assert row["key"] == (group["key"] or "")
            assert {name: float(row[name]) for name in FIGURES} == {
                name: group[name] for name in FIGURES
            }


def test_csv_without_groups_is_one_row(client: httpx.Client, ledger: FakeLedger) -> None:
    record_sites(ledger)

    (row,) = rows_of(client)

    assert (row["key"], row["photos"], row["currency"]) == ("", "5", "USD")


def test_csv_is_a_file_with_a_name(client: httpx.Client) -> None:
    answer = client.get("/v1/savings.csv?group_by=day")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="savings-by-day.csv"'
    assert answer.text.count("\r\n") == 1


def test_site_is_no_formula_in_a_spreadsheet(client: httpx.Client, ledger: FakeLedger) -> None:
    sites = ('=HYPERLINK("http://evil")', "+1", "-1", "@a", "'quoted", "plain, with a comma")
    for site in sites:
        ledger.record(cropped_record(site, capture=Capture(site=site)))

    keys = {row["key"] for row in rows_of(client, group_by="site")}

    assert keys == {*(f"'{site}" for site in sites[:5]), sites[5]}


def drifting(ledger: FakeLedger, *, last_refused: int) -> None:
    """Six weeks of forty photos a day, of which the last has more refused."""
    chance = Random(1)
    for day in range(42):
        refused = last_refused if day == 41 else 4 + chance.randint(-1, 1)
        for n in range(40):
            at = NOON - timedelta(days=41 - day)
            of_kind = kept_record if n < refused else cropped_record
            record = of_kind(f"{day} {n}", received_at=at)
            ledger.record(replace(record, confidence=0.95))


def test_drift_shows_each_day_with_its_alarms(parts: Parts, ledger: FakeLedger) -> None:
    drifting(ledger, last_refused=20)
    later = replace(parts, intake=replace(parts.intake, clock=lambda: NOON + timedelta(hours=3)))
    with client_of(later) as client:
        answer = client.get("/v1/savings/drift").json()
        one_day = client.get("/v1/savings/drift?from=2026-03-01T05:00:00Z").json()

    assert (answer["from"], answer["to"]) == ("2026-02-02", "2026-03-02")
    assert len(answer["days"]) == 28
    last = answer["days"][-1]
    assert (last["day"], last["model"]) == ("2026-03-01", "attention-unet abababababab")
    assert (last["photos"], last["refused"], last["refused_fraction"]) == (40, 20, 0.5)
    assert last["mean_confidence"] == 0.95
    assert last["mean_region_fraction"] == pytest.approx(601 * 293 / 4000 / 2250, abs=1e-6)
    (alarm,) = last["alarms"]
    assert alarm["figure"] == "refused_fraction"
    assert alarm["sentence"].startswith("The share of photos refused was 50.0%, where")
    assert [day["day"] for day in answer["days"] if day["alarms"]] == ["2026-03-01"]
    assert one_day["days"] == [last]


def test_drift_of_the_calendars_ends_is_none(client: httpx.Client) -> None:
    for period in ("from=0001-01-01T00:00:00Z", "to=0001-01-01T00:00:00Z"):
        assert client.get(f"/v1/savings/drift?{period}").json()["days"] == []
    assert client.get("/v1/savings/drift?from=9999-12-31T23:00:00Z").json()["days"] == []


def metrics_of(client: httpx.Client) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and value of each sample, by its name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.mark.parametrize(("last_refused", "alarm"), [(4, 0.0), (30, 1.0)])
def test_metrics_tell_of_drift_and_of_the_archive(
    last_refused: int, alarm: float, parts: Parts, ledger: FakeLedger
) -> None:
    drifting(ledger, last_refused=last_refused)
    at_noon = replace(parts, intake=replace(parts.intake, clock=lambda: NOON + timedelta(hours=1)))
    with client_of(at_noon) as client:
        metrics = metrics_of(client)

    model = {"model": "attention-unet abababababab"}
    assert metrics["metercrop_drift_photos"] == [(model, 40.0)]
    assert metrics["metercrop_drift_refused_fraction"] == [(model, last_refused / 40)]
    assert metrics["metercrop_drift_mean_confidence"] == [(model, 0.95)]
    alarms = {labels["figure"]: value for labels, value in metrics["metercrop_drift_alarm"]}
    assert alarms == {
        "refused_fraction": alarm,
        "mean_confidence": 0.0,
        "mean_region_fraction": 0.0,
    }
    assert metrics["metercrop_archive_photos"] == [({}, 42.0 * 40)]


def test_alarm_of_yesterday_stays_until_today_has_photos_enough(
    parts: Parts, ledger: FakeLedger
) -> None:
    drifting(ledger, last_refused=30)
    ledger.record(cropped_record("the first of today", received_at=NOON + timedelta(days=1)))
    tomorrow = replace(parts, intake=replace(parts.intake, clock=lambda: NOON + timedelta(days=1)))
    with client_of(tomorrow) as client:
        metrics = metrics_of(client)

    assert metrics["metercrop_drift_photos"][0][1] == 1.0
    alarms = {labels["figure"]: value for labels, value in metrics["metercrop_drift_alarm"]}
    assert alarms["refused_fraction"] == 1.0


def test_rest_of_the_metrics_is_told_while_the_database_is_away(parts: Parts) -> None:
    from service.adapters.sql.engine import engine_for

    away = replace(parts, ledger=SqlLedger(engine_for("sqlite:////no/such/folder/photos.db")))
    with client_of(away) as client:
        metrics = metrics_of(client)

    assert "metercrop_info" in metrics
    assert "metercrop_archive_photos" not in metrics
