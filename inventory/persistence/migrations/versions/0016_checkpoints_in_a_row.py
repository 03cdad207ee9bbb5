"""The state of the log says which checkpoint is the newest, so that one that is gone is missed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    none = sa.text("0")
    with op.batch_alter_table("log_state") as state:
        state.add_column(sa.Column("signed", sa.BigInteger(), nullable=False, server_default=none))
    op.execute("UPDATE log_state SET signed = coalesce((SELECT max(size) FROM log_checkpoint), 0)")
    with op.batch_alter_table("log_state") as state:
        state.alter_column("signed", existing_type=sa.BigInteger(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("log_state") as state:
        state.drop_column("signed")
