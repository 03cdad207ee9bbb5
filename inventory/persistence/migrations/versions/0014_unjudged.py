"""What cannot be judged whole before an archived month is back."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unjudged",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("month", columns.Instant(timezone=True), nullable=False),
        sa.Column("first", columns.Instant(timezone=True), nullable=False),
        sa.Column("last", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_unjudged_sensor_id")),
        sa.PrimaryKeyConstraint("sensor_id", "month", name=op.f("pk_unjudged")),
    )


def downgrade() -> None:
    op.drop_table("unjudged")
