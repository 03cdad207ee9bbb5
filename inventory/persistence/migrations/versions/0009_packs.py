"""Packs as a tree."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHILD = sa.text("parent_code IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("pack") as pack:
        pack.add_column(sa.Column("parent_code", sa.String(length=64), nullable=True))
        pack.add_column(sa.Column("level", sa.Integer(), nullable=False, server_default=sa.text("1")))
        pack.add_column(sa.Column("opened", sa.Boolean(), nullable=False, server_default=sa.false()))
        pack.alter_column("custody_id", existing_type=sa.Uuid(), nullable=True)
        pack.create_check_constraint(op.f("ck_pack_level"), "level > 0")
        pack.create_check_constraint(op.f("ck_pack_opened"), "NOT opened OR custody_id IS NULL")
        pack.create_foreign_key(
            op.f("fk_pack_parent_code_batch_id"), "pack", ["parent_code", "batch_id"], ["code", "batch_id"]
        )
    with op.batch_alter_table("pack") as pack:
        pack.alter_column("level", existing_type=sa.Integer(), server_default=None)
        pack.alter_column("opened", existing_type=sa.Boolean(), server_default=None)
    op.create_index(
        "ix_pack_parent", "pack", ["parent_code", "batch_id"], sqlite_where=CHILD, postgresql_where=CHILD
    )


def downgrade() -> None:
    """A pack without a custody of its own was no pack then; its doses are where they were."""
    op.drop_index("ix_pack_parent", "pack")
    with op.batch_alter_table("pack") as pack:
        pack.drop_constraint(op.f("fk_pack_parent_code_batch_id"), type_="foreignkey")
        pack.drop_constraint(op.f("ck_pack_opened"), type_="check")
        pack.drop_constraint(op.f("ck_pack_level"), type_="check")
    op.execute("DELETE FROM pack WHERE custody_id IS NULL")
    with op.batch_alter_table("pack") as pack:
        pack.alter_column("custody_id", existing_type=sa.Uuid(), nullable=False)
        pack.drop_column("opened")
        pack.drop_column("level")
        pack.drop_column("parent_code")
