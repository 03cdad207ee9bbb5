"""GS1 keys of places and sensors, and EPCIS events that were captured."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEYS = (("facility", "gln", 13), ("sensor", "giai", 30))


def upgrade() -> None:
    for table, column, length in KEYS:
        op.add_column(table, sa.Column(column, sa.String(length), nullable=True))
        op.create_index(f"uq_{table}_{column}", table, [column], unique=True)
    op.create_table(
        "captured_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(400), nullable=False),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("captured_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("advice", sa.String(400), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("posted", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["token.id"], name=op.f("fk_captured_event_actor_id")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_captured_event_facility_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_captured_event_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captured_event")),
    )
    op.create_index("uq_captured_event_event_id", "captured_event", ["event_id"], unique=True)
    op.create_index("ix_captured_event_advice", "captured_event", ["advice"])
    op.create_index("ix_captured_event_facility_time", "captured_event", ["facility_id", "captured_at"])


def downgrade() -> None:
    op.drop_table("captured_event")
    for table, column, _ in KEYS:
        op.drop_index(f"uq_{table}_{column}", table)
        op.drop_column(table, column)
