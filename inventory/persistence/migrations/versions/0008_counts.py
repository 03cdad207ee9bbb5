"""A small index of counts, which every administration asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNT = sa.text("kind = 'count'")


def upgrade() -> None:
    op.create_index(
        "ix_stock_event_count", "stock_event", ["batch_id", "facility_id", "occurred_at"],
        sqlite_where=COUNT, postgresql_where=COUNT,
    )


def downgrade() -> None:
    op.drop_index("ix_stock_event_count", "stock_event")
