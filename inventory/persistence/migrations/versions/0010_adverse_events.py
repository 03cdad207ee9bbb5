"""Adverse events."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KIND = sa.Enum(
    "general", "serious", "disability", "death", "cluster", "public-concern",
    name="adverseeventkind", native_enum=False, length=32,
)
NATURE = sa.Enum("first", "follow-up", "correction", "report", name="nature", native_enum=False, length=32)
INSTANT = columns.Instant(timezone=True)


def upgrade() -> None:
    op.create_table(
        "adverse_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("nature", NATURE, nullable=False),
        sa.Column("administration_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("onset_at", INSTANT, nullable=False),
        sa.Column("heard_at", INSTANT, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("reported_at", INSTANT, nullable=True),
        sa.Column("reported_to", sa.String(length=100), nullable=True),
        sa.Column("clock_opened_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("met_at", INSTANT, nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint("(version = 1) = (first_id = id)", name=op.f("ck_adverse_event_first")),
        sa.CheckConstraint("(nature = 'report') = (reported_at IS NOT NULL)", name=op.f("ck_adverse_event_report")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_adverse_event_batch_id")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_adverse_event_facility_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["token.id"], name=op.f("fk_adverse_event_actor_id")),
        sa.ForeignKeyConstraint(
            ["administration_id", "batch_id"], ["stock_event.id", "stock_event.batch_id"],
            name=op.f("fk_adverse_event_administration_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["first_id", "batch_id"], ["adverse_event.id", "adverse_event.batch_id"],
            name=op.f("fk_adverse_event_first_id_batch_id"),
        ),
        sa.PrimaryKeyConstraint("id", "batch_id", name=op.f("pk_adverse_event")),
        sa.UniqueConstraint("first_id", "version", "batch_id", name=op.f("uq_adverse_event_first_id_version_batch_id")),
    )
    op.create_index("ix_adverse_event_administration", "adverse_event", ["administration_id", "batch_id"])
    op.create_index("ix_adverse_event_due", "adverse_event", ["due_at", "first_id"])


def downgrade() -> None:
    op.drop_table("adverse_event")
