"""Small indexes of the shipments that are under way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNDER_WAY = sa.text("arrived_at IS NULL")


def upgrade() -> None:
    for end in ("from", "to"):
        op.create_index(
            f"ix_shipment_under_way_{end}", "shipment", [f"{end}_facility_id"],
            sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY,
        )


def downgrade() -> None:
    for end in ("from", "to"):
        op.drop_index(f"ix_shipment_under_way_{end}", "shipment")
