"""How fast the ledger is told as EPCIS: `python -m bench.epcis` prints one JSON line.

Ten thousand stock events, a quarter of them receipts of shipments on which a sensor measured every five minutes, are
written as one document, each event with its hash; `seconds` is that, `cpu_seconds` what of it this process worked, the
rest PostgreSQL and others, `megabytes` what it had at most. It exits with 1 where it takes longer than `most` seconds.
"""

import json
import resource
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

import click
import psycopg

from bench import county, history
from bench.databases import Server
from bench.history import Deliveries
from bench.ledger import SERVER
from inventory.domain.epcis.documents import streamed
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.services.epcis.history import Span, stream_epcis

DELIVERIES = 2_500
"""Each is four stock events: received, dispatched, received at a site, and one dose given."""

MOST = 20.0
"""Seconds; what is aimed at is a few of them, on a machine that does nothing else."""

_SENSORS = """
WITH sensors AS (
    INSERT INTO sensor (id, serial, interval_seconds, profile_code)
    SELECT gen_random_uuid(), 'S-' || n, 300, 'strict-2-8' FROM generate_series(0, 49) AS n RETURNING id, serial
), trips AS (
    SELECT id, dispatched_at, arrived_at, 'S-' || (row_number() OVER (ORDER BY dispatched_at) % 50) AS serial
      FROM shipment
), watches AS (
    INSERT INTO sensor_assignment (sensor_id, since, until, shipment_id)
    SELECT sensors.id, dispatched_at, arrived_at, trips.id FROM trips JOIN sensors USING (serial)
    RETURNING sensor_id, since, until
)
INSERT INTO reading (sensor_id, measured_at, temperature, received_at)
SELECT sensor_id, at, 400 + extract(minute FROM at)::int, at FROM watches, generate_series(since, until, '5 min') AS at
ON CONFLICT DO NOTHING
"""


@click.command()
@click.option("--most", type=float, default=MOST, show_default=True, help="seconds that it may take")
def main(most: float) -> None:
    """Measure, and say it in a line."""
    with Server(SERVER).temporary("epcis") as url:
        now = datetime.now(UTC)
        _fill(url, now)
        database = Database(url)
        began, worked = perf_counter(), process_time()
        wanted = Span(since=now - timedelta(days=30), until=now)
        size = events = 0
        for part in streamed(stream_epcis(database, wanted), now):
            size += len(part)
            events += '"eventID"' in part
        seconds, worked = perf_counter() - began, process_time() - worked
        database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"bench": "epcis", "stock_events": 4 * DELIVERIES, "epcis_events": events, "seconds": round(seconds, 2)}
    told["cpu_seconds"] = round(worked, 2)
    click.echo(json.dumps(told | {"characters": size, "megabytes": round(peak), "most": most, "met": seconds <= most}))
    sys.exit(seconds > most)


def _fill(url: str, now: datetime) -> None:
    county.build(url)
    since = now - timedelta(days=20)
    database = Database(url)
    months.ensure(database, [since, now])
    database.close()
    history.write(url, Deliveries(0, DELIVERIES, 100, 1, (0, county.BATCHES), since, now - timedelta(days=3)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SENSORS)
        connection.execute("VACUUM (ANALYZE)")


if __name__ == "__main__":
    main()
