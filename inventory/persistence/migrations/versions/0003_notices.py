"""The outbox of notices and its deliveries."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KIND = sa.Enum(
    "deadline-6h", "deadline-2h", "deadline-missed", "excursion", "silence", "shortfall", "refused-goods", "recall",
    name="noticekind", native_enum=False, length=32,
)
CHANNEL = sa.Enum("webhook", "mail", name="channel", native_enum=False, length=32)
OPEN = sa.text("next_attempt_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_notice_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index("ix_notice_created_at", "notice", ["created_at", "id"])
    op.create_index("ix_notice_facility", "notice", ["facility_id", "created_at", "id"])
    op.create_table(
        "notice_delivery",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("sent_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("gave_up_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "channel", name=op.f("pk_notice_delivery")),
    )
    op.create_index(
        "ix_notice_delivery_due",
        "notice_delivery",
        ["channel", "next_attempt_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_table("notice_delivery")
    op.drop_table("notice")
