"""Photos, the keys that senders repeat requests with, and API keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("photos", *_photo_columns())
    for columns in (
        ["received_at", "id"],
        ["meter_id", "received_at", "id"],
        ["site", "received_at", "id"],
        ["status", "reason", "received_at", "id"],
    ):
        op.create_index(f"ix_photos_{'_'.join(columns)}", "photos", columns)
    op.create_table("idempotency_keys", *_idempotency_key_columns())
    op.create_index("ix_idempotency_keys_original_sha256", "idempotency_keys", ["original_sha256"])
    op.create_table("api_keys", *_api_key_columns())


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("photos")


def _photo_columns() -> list[SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("exif", sa.LargeBinary()),
        sa.Column("meter_id", sa.String(255)),
        sa.Column("site", sa.String(255)),
        sa.Column("meter_type", sa.String(255)),
        sa.Column("reader_id", sa.String(255)),
        sa.Column("captured_at", sa.DateTime(timezone=True)),
        sa.Column("tags", _json(), nullable=False),
        sa.Column("original_sha256", sa.String(64), nullable=False),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("original_media_type", sa.Text(), nullable=False),
        sa.Column("original_width", sa.Integer(), nullable=False),
        sa.Column("original_height", sa.Integer(), nullable=False),
        sa.Column("exif_orientation", sa.BigInteger(), nullable=False),
        sa.Column("retained_until", sa.DateTime(timezone=True)),
        sa.Column("retained_key", sa.Text()),
        sa.Column("stored_sha256", sa.String(64), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_media_type", sa.Text(), nullable=False),
        sa.Column("stored_width", sa.Integer(), nullable=False),
        sa.Column("stored_height", sa.Integer(), nullable=False),
        sa.Column("stored_key", sa.Text(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        *(sa.Column(f"{box}_{side}", sa.Integer()) for box in BOXES for side in SIDES),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("model_provider", sa.Text(), nullable=False),
        *(sa.Column(f"{step}_ms", sa.Double(), nullable=False) for step in STEPS),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.UniqueConstraint("original_sha256", name="uq_photos_original_sha256"),
    ]


def _idempotency_key_columns() -> list[SchemaItem]:
    return [
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("original_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(
            ["original_sha256"],
            ["photos.original_sha256"],
            name="fk_idempotency_keys_original_sha256_photos",
            ondelete="CASCADE",
        ),
    ]


def _api_key_columns() -> list[SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("scopes", _json(), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_keys_secret_sha256"),
    ]


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON().with_variant(JSONB(), "postgresql")


BOXES = ("crop", "region")
SIDES = ("left", "top", "right", "bottom")
STEPS = ("decode", "segment", "crop", "store", "total")
