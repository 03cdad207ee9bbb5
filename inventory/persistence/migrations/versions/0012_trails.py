"""Exposure budgets, which trails read."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exposure_budget",
        sa.Column("profile_code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("allowed_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_code"], ["storage_profile.code"], name=op.f("fk_exposure_budget_profile_code")
        ),
        sa.PrimaryKeyConstraint("profile_code", "name", name=op.f("pk_exposure_budget")),
    )


def downgrade() -> None:
    op.drop_table("exposure_budget")
