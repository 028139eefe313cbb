import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.adapters.sql.engine import for_writing
from service.adapters.sql.ledger import SqlLedger
from service.core.record import Capture
from tests.records import cropped_record
from tests.servers.postgres import opened
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    """With photos of the first of March and April, each of 1000 bytes stored in 100."""
    with opened(sqlite_url) as engine:
        for month in (3, 4):
            record = cropped_record(
                f"photo of {month}",
                received_at=datetime(2026, month, 1, tzinfo=UTC),
                original_bytes=1_000,
                stored_bytes=100,
            )
            SqlLedger(engine).record(record)
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=sqlite_url)


def totals(workplace: Workplace, *arguments: str) -> dict[str, Any]:
    done = workplace.call("savings", "--json", *arguments)
    assert done.exit_code == 0, done.output
    document: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return document["totals"]


def test_all_photos_are_counted_without_a_period(workplace: Workplace) -> None:
    counted = totals(workplace)
    assert (counted["photos"], counted["saved_bytes"]) == (2, 1_800)
    assert counted["saved_fraction"] == 0.9


@pytest.mark.parametrize(
    ("period", "photos"),
    [
        (("--from", "2026-03-01", "--to", "2026-04-01"), 1),
        (("--from", "2026-03-01", "--to", "2026-04-02"), 2),
        (("--from", "2026-03-01T00:00:01Z"), 1),
        (("--from", "2026-03-01T01:00:00+01:00", "--to", "2026-03-01T01:00:01+01:00"), 1),
        (("--to", "2026-03-01"), 0),
    ],
    ids=str,
)
def test_period_begins_with_its_first_day_and_ends_before_its_last(
    period: tuple[str, ...], photos: int, workplace: Workplace
) -> None:
    assert totals(workplace, *period)["photos"] == photos


def test_json_is_what_the_api_answers(workplace: Workplace) -> None:
    document = json.loads(workplace.call("savings", "--json", "--from", "2026-03-01").stdout)
    assert list(document)[:5] == ["from", "to", "group_by", "totals", "groups"]
    assert (document["from"], document["to"]) == ("2026-03-01T00:00:00Z", None)


def test_money_follows_the_price(workplace: Workplace) -> None:
    money = totals(workplace, "--price-per-gb-month", "1000000")["money_per_month"]
    assert money == pytest.approx(1_800 / 1e9 * 1e6)


def test_table_says_it_in_words(workplace: Workplace) -> None:
    lines = workplace.call("savings").stdout.splitlines()
    shown = {line.rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[1] for line in lines}
    assert shown["photos"].strip() == "2"
    assert any(line.startswith("saved ") and line.endswith("1.8 kB  90.0%") for line in lines)


def test_empty_service_has_saved_nothing(tmp_path: Path) -> None:
    done = workplace_in(tmp_path).call("savings")
    assert done.exit_code == 0
    assert "0 B  0.0%" in done.stdout


def test_groups_are_a_table_with_their_sum_below(workplace: Workplace) -> None:
    done = workplace.call("savings", "--group-by", "month")

    assert done.exit_code == 0, done.output
    head, *rows, below = done.stdout.splitlines()
    assert head.split()[:3] == ["month", "photos", "kept"]
    assert [row.split()[:2] for row in rows] == [["2026-03", "1"], ["2026-04", "1"]]
    assert below.split()[:2] == ["all", "2"]


def test_name_from_outside_does_nothing_to_the_terminal(
    workplace: Workplace, sqlite_url: str
) -> None:
    with opened(sqlite_url) as engine:
        capture = Capture(site="[red]\x1b[31mnorth\n[/]")
        SqlLedger(engine).record(cropped_record("sly", capture=capture))

    done = workplace.call("savings", "--group-by", "site")

    assert "\x1b" not in done.stdout
    assert "[red]\\x1b[31m" in done.stdout
    assert "(no site)" in done.stdout


def test_csv_is_what_the_api_answers(workplace: Workplace) -> None:
    done = workplace.call("savings", "--csv", "--group-by", "day")

    head, *rows = done.stdout.splitlines()
    assert head.startswith("key,photos,cropped,kept_original,original_bytes,stored_bytes,")
    assert [row.split(",")[:3] for row in rows] == [
        ["2026-03-01", "1", "1"],
        ["2026-04-01", "1", "1"],
    ]


def test_period_that_is_set_counts_where_none_is_given(workplace: Workplace) -> None:
    assert totals(workplace, "--savings-days", "1", "--to", "2026-03-02")["photos"] == 1
    assert totals(workplace, "--savings-days", "1", "--to", "2026-03-03")["photos"] == 0


def test_currency_is_said_with_the_money(workplace: Workplace) -> None:
    done = workplace.call("savings", "--currency", "EUR", "--price-per-gb-month", "1000000")
    assert "1.80 EUR" in done.stdout
    wrong = workplace.call("savings", "--currency", "euro")
    assert wrong.exit_code == 2
    assert "--currency: must be three capital letters such as EUR, is euro" in wrong.stderr


def test_table_says_where_small_objects_cost_more_than_they_hold(workplace: Workplace) -> None:
    assert "as it is billed" not in workplace.call("savings").stdout
    done = workplace.call("savings", "--min-billable-bytes", "900")
    assert re.search(r"^freed as it is billed +200 B$", done.stdout, re.MULTILINE)


def test_rebuilding_says_that_all_is_well(workplace: Workplace) -> None:
    done = workplace.call("savings", "--rebuild")

    assert done.exit_code == 0, done.output
    assert "all as the records say" in done.stdout


def test_rebuilding_ends_with_one_where_sums_were_wrong(
    workplace: Workplace, sqlite_url: str
) -> None:
    workplace.call("savings", "--rebuild")
    with opened(sqlite_url) as engine, for_writing(engine).begin() as connection:
        connection.execute(text("update savings_sums set photos = 5 where dimension = 'all'"))
    assert totals(workplace)["photos"] != 2

    done = workplace.call("savings", "--rebuild", "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout)["wrong"] > 0
    assert not json.loads(done.stdout)["agreed"]
    assert totals(workplace)["photos"] == 2
    assert workplace.call("savings", "--rebuild").exit_code == 0


def test_rebuilding_with_a_minimum_makes_its_reports_quick(workplace: Workplace) -> None:
    workplace.call("savings", "--rebuild", "--min-billable-bytes", "900")

    told = workplace.call("savings", "--min-billable-bytes", "900")

    assert "other_minimum" not in told.stderr
    again = workplace.call("savings", "--json")
    assert "other_minimum" in again.stderr
    assert json.loads(again.stdout)["totals"]["photos"] == 2


def test_new_service_is_set_up_for_its_minimum(tmp_path: Path) -> None:
    workplace = workplace_in(tmp_path, METERCROP_MIN_BILLABLE_BYTES="128000")
    workplace.call("savings")
    with opened(f"sqlite:///{tmp_path / 'metercrop-data' / 'metercrop.db'}") as engine:
        SqlLedger(engine).record(cropped_record("first"))

    assert "other_minimum" not in workplace.call("savings").stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("--group-by", "reader"),
        ("--from", "yesterday"),
        ("--csv", "--json"),
        ("--rebuild", "--csv"),
        ("--rebuild", "--from", "2026-03-01"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two(wrong: tuple[str, ...], workplace: Workplace) -> None:
    assert workplace.call("savings", *wrong).exit_code == 2
