"""Readings at speed: months of readings, states of sensors, hourly roll-ups, versions of excursions, device alarms."""

import sqlalchemy as sa
from alembic import op

from inventory.persistence import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SIDE = sa.Enum("above", "below", "silence", name="side", native_enum=False, length=32)
REASON = sa.Enum(
    "found", "ended", "resumed", "extended", "shortened", "split", "merged", "cancelled", "watch-changed",
    name="versionreason", native_enum=False, length=32,
)


def upgrade() -> None:
    _readings(partitioned=True)
    _rollups()
    _devices()
    _versions()


def _readings(*, partitioned: bool) -> None:
    """The table anew, for a table cannot be made one of months, nor lose a foreign key on SQLite, where it stands."""
    op.rename_table("reading", "reading_before")
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute("ALTER TABLE reading_before RENAME CONSTRAINT pk_reading TO pk_reading_before")
    key = [] if partitioned else [sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name="fk_reading_sensor_id")]
    op.create_table(
        "reading",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("temperature", sa.Integer(), nullable=False),
        sa.Column("received_at", columns.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sensor_id", "measured_at", name=op.f("pk_reading")),
        *key,
        postgresql_partition_by="RANGE (measured_at)" if partitioned else None,
    )
    if postgres and partitioned:
        _months()
    op.execute("INSERT INTO reading SELECT sensor_id, measured_at, temperature, received_at FROM reading_before")
    op.drop_table("reading_before")


def _months() -> None:
    found = op.get_bind().execute(
        sa.text("SELECT DISTINCT date_trunc('month', measured_at AT TIME ZONE 'UTC') AS month FROM reading_before")
    )
    for (month,) in found.all():
        following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        op.execute(
            f"CREATE TABLE reading_{month:%Y_%m} PARTITION OF reading "
            f"FOR VALUES FROM ('{month:%Y-%m-%d} 00:00:00+00') TO ('{following:%Y-%m-%d} 00:00:00+00')"
        )


def _rollups() -> None:
    op.create_table(
        "reading_hour",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("hour", columns.Instant(timezone=True), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("lowest", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("above", sa.BigInteger(), nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("kinetic", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sensor_id", "hour", name=op.f("pk_reading_hour")),
    )
    op.create_table(
        "sensor_state",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("latest_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("latest", sa.Integer(), nullable=True),
        sa.Column("open_hour", sa.Text(), nullable=True),
        sa.Column("runs", sa.Text(), nullable=True),
        sa.Column("self_alarming", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_sensor_state_sensor_id")),
        sa.PrimaryKeyConstraint("sensor_id", name=op.f("pk_sensor_state")),
    )


def _devices() -> None:
    op.create_table(
        "gateway_state",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("said_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("birth", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("lag", sa.BigInteger(), nullable=True),
        sa.Column("least_lag", sa.BigInteger(), nullable=True),
        sa.Column("lag_since", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_gateway_state_gateway_id")),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_gateway_state")),
    )
    op.create_table(
        "device_alarm",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("at", columns.Instant(timezone=True), nullable=False),
        sa.Column("side", SIDE, nullable=True),
        sa.Column("received_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sensor_id"], ["sensor.id"], name=op.f("fk_device_alarm_sensor_id")),
        sa.PrimaryKeyConstraint("sensor_id", "code", "at", name=op.f("pk_device_alarm")),
    )


def _versions() -> None:
    op.add_column("excursion_rule", sa.Column("window_seconds", sa.Integer(), nullable=True))
    op.add_column("excursion", sa.Column("window_seconds", sa.Integer(), nullable=True))
    op.add_column("excursion", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("excursion") as table:
        table.alter_column("version", server_default=None)
    op.create_table(
        "excursion_version",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("excursion_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", REASON, nullable=False),
        sa.Column("started_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("alarm_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("ended_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("seen_seconds", sa.BigInteger(), nullable=False),
        sa.Column("unseen_seconds", sa.BigInteger(), nullable=False),
        sa.Column("extreme", sa.Integer(), nullable=True),
        sa.Column("recorded_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["excursion_id", "sensor_id"], ["excursion.id", "excursion.sensor_id"],
            name=op.f("fk_excursion_version_excursion_id_sensor_id"),
        ),
        sa.PrimaryKeyConstraint("sensor_id", "excursion_id", "version", name=op.f("pk_excursion_version")),
    )
    op.execute(
        "INSERT INTO excursion_version SELECT sensor_id, id, 1, "
        "CASE WHEN cancelled_at IS NULL THEN 'found' ELSE 'cancelled' END, "
        "started_at, alarm_at, ended_at, seen_seconds, unseen_seconds, extreme, changed_at FROM excursion"
    )


def downgrade() -> None:
    for table in ("excursion_version", "device_alarm", "gateway_state", "sensor_state", "reading_hour"):
        op.drop_table(table)
    for table, column in (("excursion", "version"), ("excursion", "window_seconds"), ("excursion_rule", "window_seconds")):
        op.drop_column(table, column)
    _readings(partitioned=False)
