"""A county with sensors in every place, and its deliveries straight in the tables, as the ledger would write them.

Each delivery stands a while in the store, travels with a logger, and is given dose by dose at a site, where a pack of
it is left unopened in its case. `coldtrail verify` finds it whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from bench import county
from bench.history import DELIVERED
from inventory.domain.rollup import HOUR_MICROSECONDS, kinetic

PACKED = 10
"""Doses of the pack that is left of each delivery."""

STEP = 10
"""Minutes between readings."""


@dataclass(frozen=True)
class History:
    """`deliveries` to `sites`, of `given` doses each and of so many batches, the first received at `since`."""

    deliveries: int
    given: int
    sites: int
    batches: int
    since: datetime
    until: datetime
    stands: timedelta = timedelta(hours=20)
    travels: timedelta = timedelta(hours=2)
    lasts: timedelta = timedelta(hours=40)


def write(url: str, told: History) -> None:
    """Make the county known and write its history."""
    county.build(url)
    step = (told.until - told.stands - told.travels - told.lasts - told.since) / max(told.deliveries, 1)
    facts = told.__dict__ | {
        "step": step,
        "store": county.STORE,
        "clerk": county.CLERK,
        "gtin": county.GTIN,
        "packed": PACKED,
        "apart": timedelta(minutes=STEP),
        "known_sites": county.SITES,
        "known_batches": county.BATCHES,
        "each": told.lasts / (told.given + 1),
        "full": HOUR_MICROSECONDS,
    }
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # guards and foreign keys: true by construction
        connection.execute(_KEY)
        connection.execute("CREATE TEMPORARY TABLE warmth (value int, kinetic bigint) ON COMMIT DROP")
        rows = [(value, 60 // STEP * kinetic(value, STEP * 60_000_000)) for value in range(450, 850, 50)]
        connection.cursor().executemany("INSERT INTO warmth VALUES (%s, %s)", rows)
        with _unindexed(connection):
            for statement in (*_PLACES, *_months(told), *_READINGS, *_LEDGER):
                connection.execute(statement, facts if b"%(" in statement.encode() else None)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _unindexed(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Without the indexes of the two long tables, which are made at the end: that takes a fraction of the time."""
    for setting in ("maintenance_work_mem = '512MB'", "work_mem = '256MB'", "jit = off"):
        connection.execute(sql.SQL("SET LOCAL " + setting))
    found = connection.execute(_INDEXES).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in found:
        connection.execute(definition.encode())


_INDEXES: LiteralString = """
SELECT index.indexname, index.indexdef FROM pg_indexes AS index
 WHERE index.tablename IN ('stock_event', 'movement') AND index.schemaname = current_schema()
   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = index.indexname)
"""


def _months(told: History) -> list[LiteralString]:
    """The partitions of the months that readings lie in."""
    found: list[LiteralString] = []
    at = told.since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while at <= told.until + timedelta(days=1):
        following = (at + timedelta(days=32)).replace(day=1)
        name = f"reading_{at:%Y_%m}"
        found.append(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF reading FOR VALUES FROM ('{at}') TO ('{following}')"
        )
        at = following
    return found


def doses(url: str, count: int) -> list[str]:
    """The ids of administrations from all over the history, the first to the last of their delivery in turn."""
    query = """
        SELECT event_id FROM movement WHERE end_kind = 'administered' AND (from_custody_id, batch_id) =
               (SELECT custody_id, batch_id FROM pack WHERE code = %s) ORDER BY occurred_at"""
    with psycopg.connect(url) as connection:
        given = [connection.execute(query, (f"CASE-{each}",)).fetchall() for each in _spread(connection, count)]
        return [str(rows[number % len(rows)][0]) for number, rows in enumerate(given)]


def packs(url: str, count: int, among: int) -> list[str]:
    """The codes of packs in cases, of the newest `among` deliveries: what is asked of a pack grows with its age."""
    with psycopg.connect(url) as connection:
        return [f"PACK-{each}" for each in _spread(connection, count, among)]


def _spread(connection: psycopg.Connection[Any], count: int, among: int | None = None) -> list[int]:
    """The numbers of so many deliveries, evenly spread over all, or over the newest."""
    (all_of_them,) = connection.execute("SELECT count(*) FROM shipment").fetchone() or (0,)
    newest = all_of_them if among is None else min(among, all_of_them)
    return [all_of_them - newest + newest * each // count for each in range(count)]


_KEY: LiteralString = """
CREATE OR REPLACE FUNCTION pg_temp.key(kind int, number bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
     || '8' || lpad(to_hex(number), 15, '0'))::uuid
"""

_PLACES: tuple[LiteralString, ...] = (
    """
INSERT INTO facility (id, code, name, kind, zone, supplied_by_id)
SELECT gen_random_uuid(), 'SITE-' || n, 'Site ' || n, kind, zone, supplied_by_id
  FROM facility, generate_series(%(known_sites)s, %(sites)s - 1) AS n WHERE code = 'SITE-00'
""",
    """
INSERT INTO appliance (id, code, facility_id, name, kind)
SELECT gen_random_uuid(), code || '-COLD', id, 'Cold', 'fridge' FROM facility
 WHERE starts_with(code, 'SITE-') AND NOT EXISTS (SELECT 1 FROM appliance WHERE facility_id = facility.id)
""",
    """
INSERT INTO location (id, kind, appliance_id)
SELECT gen_random_uuid(), each.kind, appliance.id FROM appliance, (VALUES ('storage'), ('quarantine')) AS each (kind)
 WHERE NOT EXISTS (SELECT 1 FROM location WHERE appliance_id = appliance.id)
""",
    """
INSERT INTO batch (id, gtin, number, expiry)
SELECT gen_random_uuid(), %(gtin)s, 'B' || n, DATE '2040-01-01'
  FROM generate_series(%(known_batches)s, %(batches)s - 1) AS n
""",
    """
INSERT INTO sensor (id, serial, interval_seconds, profile_code)
SELECT gen_random_uuid(), code, 600, 'strict-2-8' FROM appliance UNION ALL
SELECT gen_random_uuid(), 'BOX-' || n, 600, 'strict-2-8' FROM generate_series(0, %(sites)s - 1) AS n
""",
    """
INSERT INTO sensor_assignment (sensor_id, since, appliance_id)
SELECT sensor.id, %(since)s::timestamptz, appliance.id FROM sensor JOIN appliance ON appliance.code = sensor.serial
""",
)
_READINGS: tuple[LiteralString, ...] = (
    """
INSERT INTO reading (sensor_id, measured_at, temperature, received_at)
SELECT sensor.id, at, 450 + (extract(epoch FROM at)::bigint / 3600 %% 8)::int * 50, at
  FROM sensor, generate_series(date_trunc('hour', %(since)s::timestamptz), %(until)s::timestamptz, %(apart)s) AS at
""",
    """
INSERT INTO reading_hour (sensor_id, hour, readings, lowest, highest, above, below, seen, kinetic)
SELECT sensor.id, at, 6, value, value, CASE WHEN value > 800 THEN %(full)s ELSE 0 END, 0, %(full)s, kinetic
  FROM sensor, generate_series(date_trunc('hour', %(since)s::timestamptz),
                               date_trunc('hour', %(until)s::timestamptz) - interval '1 h', interval '1 h') AS at
  JOIN warmth ON value = 450 + (extract(epoch FROM at)::bigint / 3600 %% 8)::int * 50
""",
    """
INSERT INTO sensor_state (sensor_id, version, latest_at, latest, open_hour, runs, self_alarming)
SELECT sensor_id, 1, measured_at, temperature, json_build_array(date_trunc('hour', measured_at), 1, temperature,
       temperature, 0, 0, 0, 0)::text, '{}', false
  FROM (SELECT DISTINCT ON (sensor_id) * FROM reading WHERE measured_at > %(until)s::timestamptz - interval '2 h'
         ORDER BY sensor_id, measured_at DESC) AS newest
""",
)
_LEDGER: tuple[LiteralString, ...] = (
    """
CREATE TEMPORARY TABLE delivery ON COMMIT DROP AS
SELECT each.number, %(given)s::int AS given, (%(given)s + %(packed)s)::bigint AS doses, received_at, sent_at,
       arrived_at,
       batch.id AS batch_id, token.id AS actor_id, store.id AS store_id, site.id AS site_id, room.id AS room_id,
       fridge.id AS fridge_id, box.id AS box_id, pg_temp.key(1, each.number, received_at) AS receipt,
       pg_temp.key(2, each.number, sent_at) AS dispatch, pg_temp.key(3, each.number, arrived_at) AS arrival,
       pg_temp.key(4, each.number, received_at) AS at_store, pg_temp.key(5, each.number, sent_at) AS on_the_way,
       pg_temp.key(6, each.number, arrived_at) AS at_site, pg_temp.key(7, each.number, sent_at) AS shipment,
       pg_temp.key(8, each.number, sent_at) AS transit, pg_temp.key(9, each.number, sent_at) AS quarantine,
       site.code AS site,
       json_build_object('packs', json_build_object('CASE-' || each.number, %(packed)s::int), 'pack_places',
         json_build_object(pg_temp.key(4, each.number, received_at), json_build_array('CASE-' || each.number)))
         AS packed
  FROM (SELECT n AS number, at AS received_at, at + %(stands)s AS sent_at, at + %(stands)s + %(travels)s AS arrived_at
          FROM generate_series(0, %(deliveries)s::bigint - 1) AS n,
               LATERAL (SELECT %(since)s::timestamptz + n * %(step)s::interval) AS time (at)) AS each
 CROSS JOIN LATERAL (SELECT each.number %% %(sites)s) AS place (nth)
  JOIN batch ON batch.gtin = %(gtin)s AND batch.number = 'B' || (each.number * %(batches)s / %(deliveries)s)
  JOIN facility AS site ON site.code = 'SITE-' || CASE WHEN nth < 10 THEN '0' ELSE '' END || nth
  JOIN facility AS store ON store.code = %(store)s
  JOIN token ON token.name = %(clerk)s
  JOIN sensor AS box ON box.serial = 'BOX-' || nth
  JOIN appliance AS cold ON cold.facility_id = site.id
  JOIN location AS fridge ON fridge.appliance_id = cold.id AND fridge.kind = 'storage'
  JOIN appliance AS cold_room ON cold_room.facility_id = store.id
  JOIN location AS room ON room.appliance_id = cold_room.id AND room.kind = 'storage'
 ORDER BY each.number
""",
    *DELIVERED,
    """
INSERT INTO sensor_assignment (sensor_id, since, until, shipment_id)
SELECT box_id, sent_at, arrived_at, shipment FROM delivery
""",
    """
INSERT INTO movement (id, batch_id, event_id, from_custody_id, to_custody_id, doses, occurred_at, chosen)
SELECT pg_temp.key(10, number, received_at), batch_id, receipt, NULL, at_store, doses, received_at, NULL
  FROM delivery UNION ALL
SELECT pg_temp.key(11, number, sent_at), batch_id, dispatch, at_store, on_the_way, doses, sent_at, 'named'
  FROM delivery UNION ALL
SELECT pg_temp.key(12, number, arrived_at), batch_id, arrival, on_the_way, at_site, doses, arrived_at, 'named'
  FROM delivery
""",
    """
INSERT INTO pack (code, batch_id, parent_code, level, custody_id, opened, doses, remaining)
SELECT 'CASE-' || number, batch_id, NULL, 2, at_site, false, %(packed)s, %(packed)s FROM delivery UNION ALL
SELECT 'PACK-' || number, batch_id, 'CASE-' || number, 1, NULL, false, %(packed)s, %(packed)s FROM delivery
""",
    """
INSERT INTO pack_registration (id, batch_id, recorded_at, digest, packs)
SELECT gen_random_uuid(), batch_id, %(since)s, encode(sha256(convert_to(packs, 'UTF8')), 'hex'), packs
  FROM (SELECT batch_id, json_agg(json_build_array(code, parent_code, level, doses))::text AS packs
          FROM pack GROUP BY batch_id) AS said
""",
    """
INSERT INTO stock_event (id, batch_id, kind, facility_id, occurred_at, recorded_at, actor_id)
SELECT pg_temp.key(13, number * 10000 + n, at), batch_id, 'administer', site_id, at, at, actor_id
  FROM delivery, generate_series(1, given) AS n, LATERAL (SELECT arrived_at + n * %(each)s::interval) AS time (at)
 ORDER BY at
""",
    """
INSERT INTO movement (id, batch_id, event_id, from_custody_id, end_kind, doses, occurred_at, chosen)
SELECT pg_temp.key(14, number * 10000 + n, at), batch_id, pg_temp.key(13, number * 10000 + n, at), at_site,
       'administered', 1, at, 'picked'
  FROM delivery, generate_series(1, given) AS n, LATERAL (SELECT arrived_at + n * %(each)s::interval) AS time (at)
 ORDER BY at
""",
)
