"""A small picture of the whole photo beside its crop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in _context_columns():
        op.add_column("photos", column)
    op.add_column(
        "job_items", sa.Column("context_bytes", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("job_items", "context_bytes")
    for column in reversed(_context_columns()):
        op.drop_column("photos", column.name)


def _context_columns() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("context_sha256", sa.String(64)),
        sa.Column("context_bytes", sa.BigInteger()),
        sa.Column("context_media_type", sa.Text()),
        sa.Column("context_width", sa.Integer()),
        sa.Column("context_height", sa.Integer()),
        sa.Column("context_key", sa.Text()),
    ]
