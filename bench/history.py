"""History written straight into the tables, as the ledger would have written it; `coldtrail verify` finds it whole.

Each delivery is received at the county, dispatched, received at a site, and there given dose by dose.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg

from bench import county

SIZE = 100
"""Doses of a delivery that was used up."""

OPEN = 2_000
"""Custodies of the county that hold doses when a run begins."""

SHELVES = 4
"""Batches of which every site has more than a run can use up, among the open ones; each has its share of history."""


ENDLESS = 1_000_000
"""Doses of each of those custodies."""


@dataclass(frozen=True)
class Deliveries:
    """`count` deliveries from a number on, the first received at `since` and the last before `until`."""

    first: int
    count: int
    doses: int
    given: int
    batches: tuple[int, int]
    since: datetime
    until: datetime


def used_up(doses: int, now: datetime) -> Deliveries:
    """Deliveries of so many doses in the year before `now`, all of which were given."""
    days = timedelta(days=1)
    return Deliveries(0, doses // SIZE, SIZE, SIZE, (0, county.BATCHES), now - 365 * days, now - 3 * days)


def still_open(now: datetime) -> list[Deliveries]:
    """Deliveries of the last day, of which most is left; some are late, but none that the benchmarks give from."""
    hour = timedelta(hours=1)
    shelves = SHELVES * county.SITES
    return [
        Deliveries(1 << 40, shelves, ENDLESS, 0, (0, SHELVES), now - 8 * hour, now - 4 * hour),
        Deliveries(1 << 41, OPEN - shelves, SIZE, 2, (SHELVES, county.BATCHES), now - 32 * hour, now - 4 * hour),
    ]


def write(url: str, deliveries: Deliveries) -> None:
    """Write deliveries and all that came of them."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
            connection.execute("SET session_replication_role = replica")  # foreign keys: true by construction
        connection.execute(_KEY)
        connection.execute(_DELIVERY, deliveries.__dict__ | _known(deliveries))
        for statement in _STATEMENTS:
            connection.execute(statement)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def _known(deliveries: Deliveries) -> dict[str, object]:
    low, high = deliveries.batches
    names = {"clerk": county.CLERK, "store": county.STORE, "gtin": county.GTIN, "sites": county.SITES}
    step = (deliveries.until - deliveries.since) / deliveries.count
    return names | {"low": low, "many": high - low, "step": step}


_KEY: LiteralString = """
CREATE FUNCTION pg_temp.key(kind int, number bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
     || '8' || lpad(to_hex(number), 15, '0'))::uuid
"""
"""An id like those of the ledger: ordered by time, so that what is written together lies together."""

_DELIVERY: LiteralString = """
CREATE TEMPORARY TABLE delivery ON COMMIT DROP AS
SELECT nth AS number, doses, given, received_at, sent_at, arrived_at,
       batch.id AS batch_id, batch.gtin, batch.number AS batch, token.id AS actor_id,
       store.id AS store_id, site.id AS site_id, site.code AS site,
       room.id AS room_id, fridge.id AS fridge_id,
       pg_temp.key(1, nth, received_at) AS receipt, pg_temp.key(2, nth, sent_at) AS dispatch,
       pg_temp.key(3, nth, arrived_at) AS arrival, pg_temp.key(4, nth, received_at) AS at_store,
       pg_temp.key(5, nth, sent_at) AS on_the_way, pg_temp.key(6, nth, arrived_at) AS at_site,
       pg_temp.key(7, nth, sent_at) AS shipment, pg_temp.key(8, nth, sent_at) AS transit,
       pg_temp.key(9, nth, sent_at) AS quarantine, NULL::json AS packed
  FROM (SELECT n, %(first)s::bigint + n AS nth, %(doses)s::bigint AS doses, %(given)s::int AS given,
               at AS received_at, at + interval '1 h' AS sent_at, at + interval '2 h' AS arrived_at
          FROM generate_series(0, %(count)s::bigint - 1) AS n,
               LATERAL (SELECT %(since)s::timestamptz + n * %(step)s::interval) AS time (at)) AS each
  JOIN batch ON batch.gtin = %(gtin)s AND batch.number = 'B' || (%(low)s + n / %(sites)s %% %(many)s)
  JOIN facility AS site ON site.code = 'SITE-' || lpad((n %% %(sites)s)::text, 2, '0')
  JOIN facility AS store ON store.code = %(store)s
  JOIN token ON token.name = %(clerk)s
  JOIN appliance AS cold ON cold.facility_id = site.id
  JOIN location AS fridge ON fridge.appliance_id = cold.id AND fridge.kind = 'storage'
  JOIN appliance AS cold_room ON cold_room.facility_id = store.id
  JOIN location AS room ON room.appliance_id = cold_room.id AND room.kind = 'storage'
 ORDER BY nth
"""

DELIVERED: tuple[LiteralString, ...] = (
    """
INSERT INTO shipment (id, from_facility_id, to_facility_id, purpose, dispatched_at, arrived_at)
SELECT shipment, store_id, site_id, 'supply', sent_at, arrived_at FROM delivery
""",
    """
INSERT INTO location (id, kind, shipment_id)
SELECT transit, 'transit', shipment FROM delivery UNION ALL SELECT quarantine, 'quarantine', shipment FROM delivery
""",
    """
INSERT INTO stock_event (id, batch_id, kind, facility_id, shipment_id, occurred_at, recorded_at, actor_id, details)
SELECT receipt, batch_id, 'receive', store_id, NULL, received_at, received_at, actor_id, packed FROM delivery UNION ALL
SELECT dispatch, batch_id, 'dispatch', store_id, shipment, sent_at, sent_at, actor_id,
       json_build_object('to', site, 'purpose', 'supply', 'transport', NULL) FROM delivery UNION ALL
SELECT arrival, batch_id, 'receive', site_id, shipment, arrived_at, arrived_at, actor_id, NULL FROM delivery
""",
    """
INSERT INTO custody (id, batch_id, event_id, parent_id, location_id, origin, opened_at, doses, remaining)
SELECT at_store, batch_id, receipt, NULL, room_id, 'supplied', received_at, doses, 0 FROM delivery UNION ALL
SELECT on_the_way, batch_id, dispatch, at_store, transit, NULL, sent_at, doses, 0 FROM delivery UNION ALL
SELECT at_site, batch_id, arrival, on_the_way, fridge_id, NULL, arrived_at, doses, doses - given FROM delivery
""",
    """
INSERT INTO deadline (custody_id, batch_id, name, rule_set, opened_at, due_at)
SELECT at_store, batch_id, 'deliver', 'double-24', received_at, received_at + interval '24 h' FROM delivery UNION ALL
SELECT on_the_way, batch_id, 'deliver', 'double-24', received_at, received_at + interval '24 h' FROM delivery UNION ALL
SELECT at_site, batch_id, 'use', 'double-24', arrived_at, arrived_at + interval '24 h' FROM delivery
""",
)
"""What a table `delivery` brings, whatever else is in it: shipments and their places, events, custodies, clocks."""

_STATEMENTS: tuple[LiteralString, ...] = (
    *DELIVERED,
    """
INSERT INTO movement (id, batch_id, event_id, from_custody_id, to_custody_id, doses, occurred_at, chosen)
SELECT pg_temp.key(10, number, received_at), batch_id, receipt, NULL, at_store, doses, received_at, NULL
  FROM delivery UNION ALL
SELECT pg_temp.key(11, number, sent_at), batch_id, dispatch, at_store, on_the_way, doses, sent_at, 'picked'
  FROM delivery UNION ALL
SELECT pg_temp.key(12, number, arrived_at), batch_id, arrival, on_the_way, at_site, doses, arrived_at, 'named'
  FROM delivery
""",
    """
INSERT INTO stock_event (id, batch_id, kind, facility_id, occurred_at, recorded_at, actor_id)
SELECT pg_temp.key(13, number * 1000 + n, at), batch_id, 'administer', site_id, at, at, actor_id
  FROM delivery, generate_series(1, given) AS n, LATERAL (SELECT arrived_at + n * interval '1 min') AS time (at)
""",
    """
INSERT INTO movement (id, batch_id, event_id, from_custody_id, end_kind, doses, occurred_at, chosen)
SELECT pg_temp.key(14, number * 1000 + n, at), batch_id, pg_temp.key(13, number * 1000 + n, at), at_site,
       'administered', 1, at, 'picked'
  FROM delivery, generate_series(1, given) AS n, LATERAL (SELECT arrived_at + n * interval '1 min') AS time (at)
""",
    """
INSERT INTO idempotency_key (actor_id, key, digest, outcome, recorded_at)
SELECT actor_id, id::text, md5(id::text) || md5(at::text),
       format('{"events": [{"id": "%s", "kind": "administer", "facility": "%s", "gtin": "%s", "batch": "%s", '
              '"occurred_at": "%s", "recorded_at": "%s", "movements": [{"from_custody": "%s", "to_custody": null, '
              '"end": "administered", "doses": 1, "chosen": "picked"}], "reason": null}], "shipment": null, '
              '"return_shipment": null}', id, site, gtin, batch, at, at, at_site)::json, at
  FROM delivery, generate_series(1, given) AS n, LATERAL (SELECT arrived_at + n * interval '1 min') AS time (at),
       LATERAL (SELECT pg_temp.key(13, number * 1000 + n, at)) AS event (id)
""",
)
