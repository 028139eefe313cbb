"""Batch jobs with their items, workers, the history of photos, and why originals are retained."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

IN_GRACE = "retention = 'grace'"
OF_A_PHOTO = "photo_id is not null"
OF_JOBS = ("workers", "job_pictures", "job_items", "job_freed", "job_chunks")


def upgrade() -> None:
    op.add_column(
        "photos", sa.Column("retained_version", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("photos", sa.Column("retention", sa.Text()))
    op.add_column("photos", sa.Column("fingerprint", sa.String(64)))
    op.execute("update photos set retention = 'grace' where retained_key is not null")
    op.create_index(
        "ix_photos_retained_until",
        "photos",
        ["retained_until"],
        sqlite_where=sa.text(IN_GRACE),
        postgresql_where=sa.text(IN_GRACE),
    )
    op.create_index("ix_photos_stored_sha256", "photos", ["stored_sha256"])
    op.create_table("photo_events", *_event_columns())
    op.create_table("jobs", *_job_columns())
    op.create_index("ix_jobs_created_at_id", "jobs", ["created_at", "id"])
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_table("job_chunks", *_chunk_columns())
    op.create_table("job_freed", *_freed_columns())
    op.create_table("job_items", *_item_columns())
    op.create_index("ix_job_items_job_id_state_number", "job_items", ["job_id", "state", "number"])
    op.create_index(
        "ix_job_items_photo_id",
        "job_items",
        ["photo_id"],
        sqlite_where=sa.text(OF_A_PHOTO),
        postgresql_where=sa.text(OF_A_PHOTO),
    )
    op.create_table("job_pictures", *_picture_columns())
    op.create_table("workers", *_worker_columns())


def downgrade() -> None:
    for table in (*OF_JOBS, "jobs", "photo_events"):
        op.drop_table(table)
    op.drop_index("ix_photos_stored_sha256", "photos")
    op.drop_index("ix_photos_retained_until", "photos")
    for column in ("fingerprint", "retention", "retained_version"):
        op.drop_column("photos", column)


def _event_columns() -> list[SchemaItem]:
    return [
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("photo_id", "number", name="pk_photo_events"),
    ]


def _job_columns() -> list[SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("manifest", sa.Text()),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.Integer()),
        sa.Column("confirm", sa.Boolean(), nullable=False),
        sa.Column("max_failed_fraction", sa.Double(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("max_per_second", sa.Double()),
        sa.Column("keep_originals_days", sa.Integer(), nullable=False),
        sa.Column("listed_after", sa.Text(), nullable=False),
        sa.Column("found_objects", sa.BigInteger(), nullable=False),
        sa.Column("found_bytes", sa.BigInteger(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("forecast", _json()),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    ]


def _chunk_columns() -> list[SchemaItem]:
    counts = ("total", "cropped", "kept_original", "failed", "skipped")
    sums = ("original_bytes", "stored_bytes")
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_chunks"),
        _of_job("job_chunks"),
    ]


def _freed_columns() -> list[SchemaItem]:
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "chunk", name="pk_job_freed"),
        _of_job("job_freed"),
    ]


def _item_columns() -> list[SchemaItem]:
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("listed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_key", sa.Text()),
        sa.Column("photo_id", sa.Uuid()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_items"),
        sa.UniqueConstraint(
            "key", "root", "version_id", "job_id", name="uq_job_items_key_root_version_id_job_id"
        ),
        _of_job("job_items"),
    ]


def _picture_columns() -> list[SchemaItem]:
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_pictures"),
        _of_job("job_pictures"),
    ]


def _worker_columns() -> list[SchemaItem]:
    return [
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    ]


def _of_job(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["job_id"], ["jobs.id"], name=f"fk_{table}_job_id_jobs", ondelete="CASCADE"
    )


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON().with_variant(JSONB(), "postgresql")
