"""What was said of packs when they were made known; those that are known are written down as they are now."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from uuid6 import uuid7

from inventory.persistence import columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "pack_registration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("packs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_pack_registration_batch_id")),
        sa.PrimaryKeyConstraint("id", "batch_id", name=op.f("pk_pack_registration")),
    )
    op.create_index("ix_pack_registration_batch_id", "pack_registration", ["batch_id"])
    for row in _known():
        op.get_bind().execute(made.insert().values(row))


def _known() -> Iterator[dict[str, Any]]:
    """A registration for each batch, of all its packs."""
    pack = sa.table(
        "pack",
        sa.column("batch_id", sa.Uuid()),
        *map(sa.column, ("code", "parent_code", "level", "doses")),
    )
    query = sa.select(*pack.c).order_by(pack.c.batch_id, pack.c.code).execution_options(yield_per=10_000)
    for batch_id, packs in groupby(op.get_bind().execute(query), key=lambda row: row.batch_id):
        lines = [[row.code, row.parent_code, row.level, row.doses] for row in packs]
        text = json.dumps(lines, separators=(",", ":"), ensure_ascii=False)
        yield {
            "id": UUID(int=uuid7().int),
            "batch_id": batch_id,
            "recorded_at": datetime.now(UTC),
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "packs": text,
        }


def downgrade() -> None:
    op.drop_table("pack_registration")
