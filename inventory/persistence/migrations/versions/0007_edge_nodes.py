"""What the births of Sparkplug edge nodes said."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edge_node",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("births", sa.JSON(), nullable=False),
        sa.Column("missed", sa.BigInteger(), nullable=False),
        sa.Column("unread", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_edge_node_gateway_id")),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_edge_node")),
    )


def downgrade() -> None:
    op.drop_table("edge_node")
