"""Which months of readings were moved to files."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archived_month",
        sa.Column("month", columns.Instant(timezone=True), nullable=False),
        sa.Column("archived_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("restored_at", columns.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("month", "archived_at", name=op.f("pk_archived_month")),
    )


def downgrade() -> None:
    op.drop_table("archived_month")
