"""The ledger complete: every kind of event, corrections, programmes, packs."""

import uuid

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POLICY = sa.Enum("flag", "ask", name="policy", native_enum=False, length=32)
ORIGIN = sa.Enum("supplied", "found", name="origin", native_enum=False, length=32)
PURPOSE = sa.Enum("supply", "return", "transfer", name="purpose", native_enum=False, length=32)
CAUSE = sa.Enum(
    "broken", "opened-not-used", "expired", "heat", "frozen", "lost", "other",
    name="wastereason", native_enum=False, length=32,
)
LEFT, REVERSES = sa.text("remaining > 0"), sa.text("reverses_id IS NOT NULL")
RARE, SHIPPED = sa.text("kind IN ('recall', 'override')"), sa.text("shipment_id IS NOT NULL")


def upgrade() -> None:
    _programmes()
    _packs()
    _ledger()
    _reference()
    _quarantine_of_shipments()


def _programmes() -> None:
    programme = op.create_table(
        "programme",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("on_missed", POLICY, nullable=False),
        sa.Column("on_exposure", POLICY, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_programme")),
    )
    op.bulk_insert(
        programme, [{"code": "routine", "name": "Routine immunisation", "on_missed": "flag", "on_exposure": "ask"}]
    )
    op.create_table(
        "rule_assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_set", sa.String(length=64), nullable=False),
        sa.Column("programme_code", sa.String(length=64), nullable=True),
        sa.Column("facility_id", sa.Uuid(), nullable=True),
        sa.Column("effective_from", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_rule_assignment_facility_id")),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["programme.code"], name=op.f("fk_rule_assignment_programme_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_assignment")),
    )


def _packs() -> None:
    op.create_table(
        "pack",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("custody_id", sa.Uuid(), nullable=False),
        sa.Column("doses", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining >= 0 AND remaining <= doses", name=op.f("ck_pack_remaining")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_pack_batch_id")),
        sa.ForeignKeyConstraint(
            ["custody_id", "batch_id"], ["custody.id", "custody.batch_id"], name=op.f("fk_pack_custody_id_batch_id")
        ),
        sa.PrimaryKeyConstraint("code", "batch_id", name=op.f("pk_pack")),
    )
    op.create_index("ix_pack_custody", "pack", ["custody_id", "batch_id"])


def _ledger() -> None:
    op.add_column("custody", sa.Column("origin", ORIGIN, nullable=True))
    op.execute("UPDATE custody SET origin = 'supplied' WHERE parent_id IS NULL")
    op.drop_index("ix_custody_location_batch_left", "custody")
    op.create_index(
        "ix_custody_left", "custody", ["location_id", "batch_id"], sqlite_where=LEFT, postgresql_where=LEFT
    )
    with op.batch_alter_table("movement") as movement:
        movement.add_column(sa.Column("reverses_id", sa.Uuid(), nullable=True))
        movement.drop_constraint(op.f("ck_movement_doses"), type_="check")
        movement.create_check_constraint(
            op.f("ck_movement_doses"), "doses <> 0 AND (doses < 0) = (reverses_id IS NOT NULL)"
        )
    op.add_column("stock_event", sa.Column("cause", CAUSE, nullable=True))
    op.add_column("stock_event", sa.Column("reverses_id", sa.Uuid(), nullable=True))
    op.create_index("ix_stock_event_facility_time", "stock_event", ["facility_id", "occurred_at"])
    op.create_index("ix_stock_event_batch_time", "stock_event", ["batch_id", "occurred_at"])
    op.create_index(
        "ix_stock_event_shipment", "stock_event", ["shipment_id"], sqlite_where=SHIPPED, postgresql_where=SHIPPED
    )
    op.create_index(
        "ix_stock_event_standing", "stock_event", ["batch_id", "kind"], sqlite_where=RARE, postgresql_where=RARE
    )
    for table in ("movement", "stock_event"):
        op.create_index(
            f"uq_{table}_reverses", table, ["reverses_id", "batch_id"], unique=True,
            sqlite_where=REVERSES, postgresql_where=REVERSES,
        )


def _reference() -> None:
    op.add_column("facility", sa.Column("session_ends", sa.String(length=5), nullable=True))
    with op.batch_alter_table("product") as product:
        product.add_column(sa.Column("programme_code", sa.String(length=64), nullable=False, server_default="routine"))
        product.add_column(sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
        product.add_column(sa.Column("open_vial_hours", sa.Integer(), nullable=True))
        product.add_column(sa.Column("open_vial_session", sa.Boolean(), nullable=False, server_default=sa.false()))
        product.add_column(sa.Column("thaw_hours", sa.Integer(), nullable=True))
        product.create_foreign_key(op.f("fk_product_programme_code"), "programme", ["programme_code"], ["code"])
    op.execute("UPDATE product SET open_vial_hours = 6, open_vial_session = (1 = 1) WHERE doses_per_vial > 1")
    with op.batch_alter_table("shipment") as shipment:
        shipment.add_column(sa.Column("purpose", PURPOSE, nullable=False, server_default="supply"))
        shipment.add_column(sa.Column("departure", sa.JSON(), nullable=True))
        shipment.add_column(sa.Column("arrival", sa.JSON(), nullable=True))
    for table, names in (("product", ("programme_code", "imported", "open_vial_session")), ("shipment", ("purpose",))):
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.alter_column(name, server_default=None)


def _quarantine_of_shipments() -> None:
    """What is held on its way lies in the shipment's own quarantine."""
    with op.batch_alter_table("location") as location:
        location.drop_constraint(op.f("uq_location_shipment_id"), type_="unique")
        location.create_unique_constraint(op.f("uq_location_shipment_id_kind"), ["shipment_id", "kind"])
    location_table = sa.table(
        "location", sa.column("id", sa.Uuid()), sa.column("kind", sa.String()), sa.column("shipment_id", sa.Uuid())
    )
    shipments = op.get_bind().execute(sa.select(sa.column("id", sa.Uuid())).select_from(sa.table("shipment")))
    rows = [{"id": uuid.uuid4(), "kind": "quarantine", "shipment_id": row.id} for row in shipments]
    op.bulk_insert(location_table, rows)


def downgrade() -> None:
    op.execute("DELETE FROM location WHERE kind = 'quarantine' AND shipment_id IS NOT NULL")
    with op.batch_alter_table("location") as location:
        location.drop_constraint(op.f("uq_location_shipment_id_kind"), type_="unique")
        location.create_unique_constraint(op.f("uq_location_shipment_id"), ["shipment_id"])
    with op.batch_alter_table("shipment") as shipment:
        for name in ("arrival", "departure", "purpose"):
            shipment.drop_column(name)
    with op.batch_alter_table("product") as product:
        product.drop_constraint(op.f("fk_product_programme_code"), type_="foreignkey")
        for name in ("thaw_hours", "open_vial_session", "open_vial_hours", "imported", "programme_code"):
            product.drop_column(name)
    op.drop_column("facility", "session_ends")
    for table in ("movement", "stock_event"):
        op.drop_index(f"uq_{table}_reverses", table)
    op.drop_index("ix_stock_event_standing", "stock_event")
    op.drop_index("ix_stock_event_shipment", "stock_event")
    op.drop_index("ix_stock_event_batch_time", "stock_event")
    op.drop_index("ix_stock_event_facility_time", "stock_event")
    op.drop_column("stock_event", "reverses_id")
    op.drop_column("stock_event", "cause")
    with op.batch_alter_table("movement") as movement:
        movement.drop_constraint(op.f("ck_movement_doses"), type_="check")
        movement.create_check_constraint(op.f("ck_movement_doses"), "doses > 0")
        movement.drop_column("reverses_id")
    op.drop_index("ix_custody_left", "custody")
    op.create_index("ix_custody_location_batch_left", "custody", ["location_id", "batch_id", "remaining"])
    op.drop_column("custody", "origin")
    for table in ("pack", "rule_assignment", "programme"):
        op.drop_table(table)
