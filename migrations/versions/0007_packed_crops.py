"""How crops lie in the store, where not as they are served."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNPACKED = (
    "stored_at_rest is null and crop_left is not null and stored_media_type = 'image/jpeg'"
    " and stored_key not like '%://%'"
)
INDEX = "ix_photos_unpacked_id"


def upgrade() -> None:
    op.add_column("photos", sa.Column("stored_at_rest", sa.Text()))
    op.add_column("photos", sa.Column("stored_unpacked_bytes", sa.BigInteger()))
    where = sa.text(UNPACKED)
    op.create_index(INDEX, "photos", ["id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """What is packed by then, the version before would serve packed: unpack it first."""
    op.drop_index(INDEX, "photos")
    op.drop_column("photos", "stored_unpacked_bytes")
    op.drop_column("photos", "stored_at_rest")
