"""Sums over photos for the savings report, made from the records that there are.

And an index for a status or a reason alone: the one for both together served neither.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SUMS = (
    "photos",
    "cropped",
    "original_bytes",
    "stored_bytes",
    "retained_bytes",
    "billable_original_bytes",
    "billable_stored_bytes",
    "billable_retained_bytes",
    "refused",
    "confidence_millionths",
    "region_millionths",
)
DIMENSIONS = {
    "all": "null",
    "site": "site",
    "meter_type": "meter_type",
    "model": "model_name",
    "model_version": "model_name || ' ' || substr(model_sha256, 1, 12)",
    "reason": "reason",
    "source": "source",
}
KEPT = "case when retained_key is null then 0 else original_bytes end"
REFUSED = "case when status <> 'cropped' and coalesce(reason, '') <> 'restored' then 1 else 0 end"
REGION = (
    "coalesce(cast(region_right - region_left as bigint) * (region_bottom - region_top) * 1000000"
    " / (cast(original_width as bigint) * original_height), 0)"
)
WITH_A_REASON = "reason is not null"


def upgrade() -> None:
    op.create_table("savings_sums", *_sum_columns(), sqlite_with_rowid=False)
    op.create_table("savings_changes", *_change_columns())
    basis = op.create_table(
        "savings_basis",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("min_billable_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_savings_basis"),
    )
    op.bulk_insert(basis, [{"id": 1, "min_billable_bytes": 0}])
    for dimension, key in DIMENSIONS.items():
        op.execute(_days(dimension, key))
    op.execute(_months())
    op.drop_index("ix_photos_status_reason_received_at_id", "photos")
    op.create_index("ix_photos_status_received_at_id", "photos", ["status", "received_at", "id"])
    op.create_index(
        "ix_photos_reason_received_at_id",
        "photos",
        ["reason", "received_at", "id"],
        sqlite_where=sa.text(WITH_A_REASON),
        postgresql_where=sa.text(WITH_A_REASON),
    )


def downgrade() -> None:
    op.drop_index("ix_photos_reason_received_at_id", "photos")
    op.drop_index("ix_photos_status_received_at_id", "photos")
    op.create_index(
        "ix_photos_status_reason_received_at_id",
        "photos",
        ["status", "reason", "received_at", "id"],
    )
    for table in ("savings_basis", "savings_changes", "savings_sums"):
        op.drop_table(table)


def _sum_columns() -> list[SchemaItem]:
    return [
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("dimension", "grain", "start", "key", name="pk_savings_sums"),
    ]


def _change_columns() -> list[SchemaItem]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [
        sa.Column("id", number, sa.Identity(), nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("site", sa.String(255)),
        sa.Column("meter_type", sa.String(255)),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("cropped", sa.SmallInteger(), nullable=False),
        sa.Column("refused", sa.SmallInteger(), nullable=False),
        sa.Column("retained", sa.SmallInteger(), nullable=False),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("context_bytes", sa.BigInteger()),
        sa.Column("confidence_millionths", sa.BigInteger(), nullable=False),
        sa.Column("region_millionths", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_savings_changes"),
    ]


def _days(dimension: str, key: str) -> str:
    """Nothing of it comes from outside; sums are those of a billable minimum of 0."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    day = "date(received_at)" if is_sqlite else "cast(received_at at time zone 'UTC' as date)"
    whole = "cast({} as integer)" if is_sqlite else "cast(trunc({}) as bigint)"
    stored = "stored_bytes + coalesce(context_bytes, 0)"
    summed = (
        "1",
        "case when status = 'cropped' then 1 else 0 end",
        "original_bytes",
        stored,
        KEPT,
        "original_bytes",
        stored,
        KEPT,
        REFUSED,
        whole.format("confidence * 1000000"),
        REGION,
    )
    sums = ", ".join(f"sum({value})" for value in summed)
    kept_key = f"coalesce('=' || {key}, '')"
    return (
        f"insert into savings_sums (dimension, grain, start, key, {', '.join(SUMS)}) "  # noqa: S608
        f"select '{dimension}', 'day', {day}, {kept_key}, {sums} from photos group by 3, 4"
    )


def _months() -> str:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    month = (
        "date(start, 'start of month')" if is_sqlite else "cast(date_trunc('month', start) as date)"
    )
    sums = ", ".join(f"sum({name})" for name in SUMS)
    return (
        f"insert into savings_sums (dimension, grain, start, key, {', '.join(SUMS)}) "  # noqa: S608
        f"select dimension, 'month', {month}, key, {sums} from savings_sums group by 1, 3, 4"
    )
