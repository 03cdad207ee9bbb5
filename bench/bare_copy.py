"""What storing readings costs at the least: binary COPY and INSERT ... ON CONFLICT by hand, 1,000 rows a commit."""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import psycopg

Row = tuple[UUID, datetime, int, datetime]

A_COMMIT = 1000

_COLUMNS = "sensor_id, measured_at, temperature, received_at"


def store(url: str, rows: Sequence[Row]) -> float:
    """Store rows in a table like ours that nothing else is in; how many a second."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMP TABLE staged (LIKE bare_reading)")
        connection.commit()
        began = time.perf_counter()
        for start in range(0, len(rows), A_COMMIT):
            _store(connection, rows[start : start + A_COMMIT])
        return len(rows) / (time.perf_counter() - began)


def prepare(url: str) -> None:
    """The table, empty."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS bare_reading")
        connection.execute(
            "CREATE TABLE bare_reading (sensor_id uuid, measured_at timestamptz, temperature integer NOT NULL,"
            " received_at timestamptz NOT NULL, PRIMARY KEY (sensor_id, measured_at))"
        )


def _store(connection: psycopg.Connection, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE staged")
        with cursor.copy(f"COPY staged ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "timestamptz", "int4", "timestamptz"])
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO bare_reading ({_COLUMNS}) SELECT {_COLUMNS} FROM staged ON CONFLICT DO NOTHING"  # noqa: S608
        )
    connection.commit()
