"""Which folders a job may name; those that are there may name any, as they could."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("jobs", sa.Column("folders", names, nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "folders")
