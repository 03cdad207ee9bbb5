"""The yardstick: a Flask handler that writes by hand, with psycopg, what one administration writes, and asks nothing.

It is told every id and checks neither token nor order; it has the inserts, the guarded update and the answer.
"""

import hashlib
import os
import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
from flask import Flask, request
from psycopg.types.json import Json

from inventory.services.ids import new_id

app = Flask("bare")
_of_thread = threading.local()

_EVENT = """INSERT INTO stock_event (id, batch_id, kind, facility_id, occurred_at, recorded_at, actor_id)
            VALUES (%s, %s, 'administer', %s, %s, %s, %s)"""
_MOVEMENT = """INSERT INTO movement (id, batch_id, event_id, from_custody_id, end_kind, doses, occurred_at, chosen)
               VALUES (%s, %s, %s, %s, 'administered', %s, %s, 'picked')"""
_TAKE = "UPDATE custody SET remaining = remaining - %s WHERE id = %s AND batch_id = %s AND remaining >= %s"
_KEY = "INSERT INTO idempotency_key (actor_id, key, digest, outcome, recorded_at) VALUES (%s, %s, %s, %s, %s)"


@app.post("/administrations")
def post_administration() -> tuple[dict[str, Any], int]:
    """Give doses."""
    order = request.get_json()
    now = datetime.now(UTC)
    event, batch, custody, doses = new_id(), order["batch_id"], order["custody_id"], order["doses"]
    answer = _answer(order, event, now)
    connection = _connection()
    with connection.transaction():
        at = order["occurred_at"]
        connection.execute(_EVENT, (event, batch, order["facility_id"], at, now, order["actor_id"]))
        connection.execute(_MOVEMENT, (new_id(), batch, event, custody, doses, at))
        digest = hashlib.sha256(request.get_data()).hexdigest()
        connection.execute(_KEY, (order["actor_id"], request.headers["Idempotency-Key"], digest, Json(answer), now))
        if connection.execute(_TAKE, (doses, custody, batch, doses)).rowcount != 1:
            raise RuntimeError("not enough doses")
    return answer, 201


def _connection() -> "psycopg.Connection[Any]":
    """The connection of this thread."""
    if not hasattr(_of_thread, "connection"):
        _of_thread.connection = psycopg.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True)
    found: psycopg.Connection[Any] = _of_thread.connection
    return found


def _answer(order: dict[str, Any], event: object, now: datetime) -> dict[str, Any]:
    """What Coldtrail answers."""
    movement = {
        "from_custody": order["custody_id"],
        "to_custody": None,
        "end": "administered",
        "doses": order["doses"],
        "chosen": "picked",
    }
    posted = {
        "id": str(event),
        "kind": "administer",
        "facility": order["facility"],
        "gtin": order["gtin"],
        "batch": order["batch"],
        "occurred_at": order["occurred_at"],
        "recorded_at": now.isoformat(),
        "movements": [movement],
        "reason": None,
    }
    return {"events": [posted], "shipment": None, "return_shipment": None}
