import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.ledger import SqlLedger
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
    assert list(document) == ["from", "to", "group_by", "totals", "groups"]
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
