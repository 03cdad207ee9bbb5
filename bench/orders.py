"""The requests of the benchmarks, nearly ready to be sent: all but their Idempotency-Key is made beforehand."""

import json
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg

from bench import county
from bench.county import Nurse
from bench.history import ENDLESS, SHELVES

_run, _keys = secrets.token_hex(4).encode(), count()

LIST = 100
"""Lines of a list of administrations."""

Next = Callable[[], bytes]
"""Gives the next request to send."""


def administrations(nurses: Sequence[Nurse]) -> Next:
    """One dose at a time, at any site, of any batch on its shelves."""
    at = _stated()
    return _posts(
        (nurse, "/api/v1/administrations", _dose(nurse.site, batch, at)) for nurse in nurses for batch in range(SHELVES)
    )


def lists(nurses: Sequence[Nurse]) -> Next:
    """A list of doses at any one site, of all the batches on its shelves."""
    at = _stated()
    return _posts(
        (
            nurse,
            "/api/v1/administration-lists",
            {"administrations": [_dose(nurse.site, line % SHELVES, at) for line in range(LIST)]},
        )
        for nurse in nurses
    )


def by_hand(url: str, nurses: Sequence[Nurse]) -> Next:
    """The same doses for the handler that asks nothing: with every id that Coldtrail would look up."""
    query = """
        SELECT facility.code, batch.number, facility.id, batch.id, custody.id, token.id
          FROM custody JOIN batch ON batch.id = custody.batch_id JOIN location ON location.id = custody.location_id
          JOIN appliance ON appliance.id = location.appliance_id JOIN facility ON facility.id = appliance.facility_id
          JOIN token_facility ON token_facility.facility_id = facility.id JOIN token ON token.id = token_id
         WHERE custody.doses = %s"""
    at = _stated()
    of_site = {nurse.site: nurse for nurse in nurses}
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, (ENDLESS,)).fetchall()
    names = ("facility_id", "batch_id", "custody_id", "actor_id")
    return _posts(
        (
            of_site[site],
            "/administrations",
            _dose(site, int(batch[1:]), at) | dict(zip(names, map(str, ids), strict=True)),
        )
        for site, batch, *ids in rows
    )


def board(nurse: Nurse) -> Next:
    """The countdown board, as somebody at the county looks at it."""
    request = f"GET /api/v1/deadlines HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {nurse.secret}\r\n\r\n".encode()
    return lambda: request


def _dose(site: str, batch: int, at: str) -> dict[str, Any]:
    return {"facility": site, "gtin": county.GTIN, "batch": f"B{batch}", "doses": 1, "occurred_at": at}


def _stated() -> str:
    """When the doses are given: a little ago, for no clock is to be ahead of the server's."""
    return (datetime.now(UTC) - timedelta(seconds=5)).isoformat()


def _posts(orders: Any) -> Next:
    ready = [_ready(nurse, path, json.dumps(order).encode()) for nurse, path, order in orders]
    choose = random.Random(1).choice

    def following() -> bytes:
        head, body = choose(ready)
        return b"%bIdempotency-Key: %b-%d\r\n\r\n%b" % (head, _run, next(_keys), body)

    return following


def _ready(nurse: Nurse, path: str, body: bytes) -> tuple[bytes, bytes]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {nurse.secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode(), body
