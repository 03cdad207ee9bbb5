"""The foundation: reference data, the ledger, monitoring and access."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deadline_rule",
        sa.Column("rule_set", sa.String(length=64), nullable=False),
        sa.Column(
            "name", sa.Enum("deliver", "use", name="rulename", native_enum=False, length=32), nullable=False
        ),
        sa.Column("window", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("rule_set", "name", name=op.f("pk_deadline_rule")),
    )
    op.create_table(
        "facility",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "supplier",
                "city-store",
                "county-store",
                "fixed-site",
                "temporary-site",
                "mobile-site",
                name="facilitykind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("supplied_by_id", sa.Uuid(), nullable=True),
        sa.Column("daily_capacity", sa.Integer(), nullable=True),
        sa.Column("stations", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["supplied_by_id"], ["facility.id"], name=op.f("fk_facility_supplied_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
        sa.UniqueConstraint("code", name=op.f("uq_facility_code")),
    )
    op.create_table(
        "rejected_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "bad_topic",
                "malformed",
                "unknown_gateway",
                "wrong_shard",
                "unknown_sensor",
                "foreign_sensor",
                "time_in_future",
                "time_too_old",
                name="rejectreason",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("received_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_message")),
        sa.UniqueConstraint("digest", name=op.f("uq_rejected_message_digest")),
    )
    with op.batch_alter_table("rejected_message", schema=None) as batch_op:
        batch_op.create_index("ix_rejected_message_received_at", ["received_at", "id"], unique=False)

    op.create_table(
        "storage_profile",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_storage_profile")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum("admin", "staff", "auditor", "gateway", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("revoked_at", columns.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(
            "uq_token_living_name",
            ["name"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )

    op.create_table(
        "appliance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "fridge",
                "freezer",
                "cold-room",
                "cold-box",
                name="appliancekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_appliance_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appliance")),
        sa.UniqueConstraint("code", name=op.f("uq_appliance_code")),
    )
    with op.batch_alter_table("appliance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appliance_facility_id"), ["facility_id"], unique=False)

    op.create_table(
        "excursion_rule",
        sa.Column("profile_code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "side",
            sa.Enum("above", "below", "silence", name="side", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_code"], ["storage_profile.code"], name=op.f("fk_excursion_rule_profile_code")
        ),
        sa.PrimaryKeyConstraint("profile_code", "name", name=op.f("pk_excursion_rule")),
    )
    op.create_table(
        "gateway",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_gateway_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
        sa.UniqueConstraint("code", name=op.f("uq_gateway_code")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("recorded_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["token.id"], name=op.f("fk_idempotency_key_actor_id")),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "product",
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("doses_per_vial", sa.Integer(), nullable=False),
        sa.Column("profile_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_code"], ["storage_profile.code"], name=op.f("fk_product_profile_code")
        ),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_product")),
    )
    op.create_table(
        "shipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_facility_id", sa.Uuid(), nullable=False),
        sa.Column("to_facility_id", sa.Uuid(), nullable=False),
        sa.Column("dispatched_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("arrived_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_facility_id"], ["facility.id"], name=op.f("fk_shipment_from_facility_id")
        ),
        sa.ForeignKeyConstraint(["to_facility_id"], ["facility.id"], name=op.f("fk_shipment_to_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_from_facility_id"), ["from_facility_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_to_facility_id"), ["to_facility_id"], unique=False)

    op.create_table(
        "token_facility",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_token_facility_facility_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_token_facility_token_id")),
        sa.PrimaryKeyConstraint("token_id", "facility_id", name=op.f("pk_token_facility")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["gtin"], ["product.gtin"], name=op.f("fk_batch_gtin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("gtin", "number", name=op.f("uq_batch_gtin_number")),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("storage", "quarantine", "transit", name="locationkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("appliance_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(appliance_id IS NULL) <> (shipment_id IS NULL)", name=op.f("ck_location_one_place")
        ),
        sa.ForeignKeyConstraint(["appliance_id"], ["appliance.id"], name=op.f("fk_location_appliance_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_location_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("appliance_id", "kind", name=op.f("uq_location_appliance_id_kind")),
        sa.UniqueConstraint("shipment_id", name=op.f("uq_location_shipment_id")),
    )
    op.create_table(
        "message_ahead",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_message_ahead_gateway_id")),
        sa.PrimaryKeyConstraint("gateway_id", "boot", "seq", name=op.f("pk_message_ahead")),
    )
    op.create_table(
        "message_stream",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("committed_seq", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_message_stream_gateway_id")),
        sa.PrimaryKeyConstraint("gateway_id", "boot", name=op.f("pk_message_stream")),
    )
    op.create_table(
        "sensor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        sa.Column("profile_code", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_sensor_gateway_id")),
        sa.ForeignKeyConstraint(
            ["profile_code"], ["storage_profile.code"], name=op.f("fk_sensor_profile_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor")),
        sa.UniqueConstraint("serial", name=op.f("uq_sensor_serial")),
    )
    op.create_table(
        "excursion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("above", "below", "silence", name="side", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rule_name", sa.String(length=64), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=True),
        sa.Column("inclusive", sa.Boolean(), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("started_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("alarm_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("ended_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("seen_seconds", sa.BigInteger(), nullable=False),
        sa.Column("unseen_seconds", sa.BigInteger(), nullable=False),
        sa.Column("extreme", sa.Integer(), nullable=True),
        sa.Column("recorded_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("changed_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("cancelled_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_excursion_sensor_id")),
        sa.PrimaryKeyConstraint("id", "sensor_id", name=op.f("pk_excursion")),
    )
    with op.batch_alter_table("excursion", schema=None) as batch_op:
        batch_op.create_index("ix_excursion_sensor", ["sensor_id", "started_at"], unique=False)
        batch_op.create_index("ix_excursion_started_at", ["started_at", "id"], unique=False)

    op.create_table(
        "reading",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("temperature", sa.Integer(), nullable=False),
        sa.Column("received_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_reading_sensor_id")),
        sa.PrimaryKeyConstraint("sensor_id", "measured_at", name=op.f("pk_reading")),
    )
    op.create_table(
        "reading_conflict",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("temperature", sa.Integer(), nullable=False),
        sa.Column("received_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_reading_conflict_sensor_id")),
        sa.PrimaryKeyConstraint("sensor_id", "measured_at", "temperature", name=op.f("pk_reading_conflict")),
    )
    op.create_table(
        "sensor_assignment",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("since", columns.Instant(timezone=True), nullable=False),
        sa.Column("until", columns.Instant(timezone=True), nullable=True),
        sa.Column("appliance_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(appliance_id IS NULL) <> (shipment_id IS NULL)", name=op.f("ck_sensor_assignment_one_place")
        ),
        sa.CheckConstraint("until IS NULL OR until >= since", name=op.f("ck_sensor_assignment_forward")),
        sa.ForeignKeyConstraint(
            ["appliance_id"], ["appliance.id"], name=op.f("fk_sensor_assignment_appliance_id")
        ),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_sensor_assignment_sensor_id")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_sensor_assignment_shipment_id")
        ),
        sa.PrimaryKeyConstraint("sensor_id", "since", name=op.f("pk_sensor_assignment")),
    )
    with op.batch_alter_table("sensor_assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sensor_assignment_appliance_id"), ["appliance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sensor_assignment_shipment_id"), ["shipment_id"], unique=False)

    op.create_table(
        "stock_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("receive", "dispatch", "administer", name="eventkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["token.id"], name=op.f("fk_stock_event_actor_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_stock_event_batch_id")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_stock_event_facility_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_stock_event_shipment_id")),
        sa.PrimaryKeyConstraint("id", "batch_id", name=op.f("pk_stock_event")),
    )
    op.create_table(
        "custody",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("doses", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("doses > 0", name=op.f("ck_custody_doses")),
        sa.CheckConstraint("remaining >= 0 AND remaining <= doses", name=op.f("ck_custody_remaining")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_custody_batch_id")),
        sa.ForeignKeyConstraint(
            ["event_id", "batch_id"],
            ["stock_event.id", "stock_event.batch_id"],
            name=op.f("fk_custody_event_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_custody_location_id")),
        sa.ForeignKeyConstraint(
            ["parent_id", "batch_id"],
            ["custody.id", "custody.batch_id"],
            name=op.f("fk_custody_parent_id_batch_id"),
        ),
        sa.PrimaryKeyConstraint("id", "batch_id", name=op.f("pk_custody")),
    )
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(
            "ix_custody_location_batch_left", ["location_id", "batch_id", "remaining"], unique=False
        )
        batch_op.create_index("ix_custody_parent", ["parent_id", "batch_id"], unique=False)

    op.create_table(
        "deadline",
        sa.Column("custody_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column(
            "name", sa.Enum("deliver", "use", name="rulename", native_enum=False, length=32), nullable=False
        ),
        sa.Column("rule_set", sa.String(length=64), nullable=False),
        sa.Column("opened_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("due_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_deadline_batch_id")),
        sa.ForeignKeyConstraint(
            ["custody_id", "batch_id"],
            ["custody.id", "custody.batch_id"],
            name=op.f("fk_deadline_custody_id_batch_id"),
        ),
        sa.PrimaryKeyConstraint("custody_id", "batch_id", "name", name=op.f("pk_deadline")),
    )
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.create_index("ix_deadline_due", ["due_at", "custody_id"], unique=False)

    op.create_table(
        "movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("from_custody_id", sa.Uuid(), nullable=True),
        sa.Column("to_custody_id", sa.Uuid(), nullable=True),
        sa.Column(
            "end_kind", sa.Enum("administered", name="end", native_enum=False, length=32), nullable=True
        ),
        sa.Column("doses", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", columns.Instant(timezone=True), nullable=False),
        sa.Column(
            "chosen",
            sa.Enum("scanned", "named", "picked", name="chosen", native_enum=False, length=32),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(to_custody_id IS NULL) <> (end_kind IS NULL)", name=op.f("ck_movement_one_way_out")
        ),
        sa.CheckConstraint("doses > 0", name=op.f("ck_movement_doses")),
        sa.CheckConstraint(
            "from_custody_id IS NOT NULL OR to_custody_id IS NOT NULL", name=op.f("ck_movement_somewhere")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_movement_batch_id")),
        sa.ForeignKeyConstraint(
            ["event_id", "batch_id"],
            ["stock_event.id", "stock_event.batch_id"],
            name=op.f("fk_movement_event_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["from_custody_id", "batch_id"],
            ["custody.id", "custody.batch_id"],
            name=op.f("fk_movement_from_custody_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["to_custody_id", "batch_id"],
            ["custody.id", "custody.batch_id"],
            name=op.f("fk_movement_to_custody_id_batch_id"),
        ),
        sa.PrimaryKeyConstraint("id", "batch_id", name=op.f("pk_movement")),
    )
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.create_index("ix_movement_event", ["event_id", "batch_id"], unique=False)
        batch_op.create_index("ix_movement_from_custody", ["from_custody_id", "batch_id"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.drop_index("ix_movement_from_custody")
        batch_op.drop_index("ix_movement_event")

    op.drop_table("movement")
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.drop_index("ix_deadline_due")

    op.drop_table("deadline")
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.drop_index("ix_custody_parent")
        batch_op.drop_index("ix_custody_location_batch_left")
        batch_op.drop_index(batch_op.f("ix_custody_batch_id"))

    op.drop_table("custody")
    op.drop_table("stock_event")
    with op.batch_alter_table("sensor_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sensor_assignment_shipment_id"))
        batch_op.drop_index(batch_op.f("ix_sensor_assignment_appliance_id"))

    op.drop_table("sensor_assignment")
    op.drop_table("reading_conflict")
    op.drop_table("reading")
    with op.batch_alter_table("excursion", schema=None) as batch_op:
        batch_op.drop_index("ix_excursion_started_at")
        batch_op.drop_index("ix_excursion_sensor")

    op.drop_table("excursion")
    op.drop_table("sensor")
    op.drop_table("message_stream")
    op.drop_table("message_ahead")
    op.drop_table("location")
    op.drop_table("batch")
    op.drop_table("token_facility")
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_to_facility_id"))
        batch_op.drop_index(batch_op.f("ix_shipment_from_facility_id"))

    op.drop_table("shipment")
    op.drop_table("product")
    op.drop_table("idempotency_key")
    op.drop_table("gateway")
    op.drop_table("excursion_rule")
    with op.batch_alter_table("appliance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appliance_facility_id"))

    op.drop_table("appliance")
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_token_living_name",
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )

    op.drop_table("token")
    op.drop_table("storage_profile")
    with op.batch_alter_table("rejected_message", schema=None) as batch_op:
        batch_op.drop_index("ix_rejected_message_received_at")

    op.drop_table("rejected_message")
    op.drop_table("facility")
    op.drop_table("deadline_rule")
