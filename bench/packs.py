"""What it costs to dispatch a case of 12,000 vials, against one vial: `python -m bench.packs` prints one JSON line.

Both are packs that came with a receipt of their own, and both are sent by their codes, in turns in one session. It
exits with 1 where a case takes more than 1.5 times what a vial takes.
"""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from typing import LiteralString

import click
import psycopg

from bench import county, rounds
from bench.databases import Server
from bench.ledger import SERVER
from inventory.domain.packs import PackLine
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Paper, Role
from inventory.persistence.database import Database
from inventory.services import access
from inventory.services.access import Actor
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch

CARTONS, VIALS = 100, 120
"""What is in a case: cartons, and vials in each."""

AT_MOST = 1.5
PAIRS = 60
"""Cases, and as many vials, that are sent and counted."""

WARM_UP = 5
"""Of each, that are sent before and not counted."""

_keys = count()

_INSIDE: tuple[LiteralString, ...] = (
    """
INSERT INTO pack (code, batch_id, parent_code, level, custody_id, opened, doses, remaining)
SELECT %(case)s || '-' || carton, id, %(case)s, 2, NULL, false, %(vials)s, %(vials)s
  FROM batch, generate_series(1, %(cartons)s) AS carton WHERE number = %(batch)s
""",
    """
INSERT INTO pack (code, batch_id, parent_code, level, custody_id, opened, doses, remaining)
SELECT pack.code || '-' || vial, batch_id, pack.code, 1, NULL, false, 1, 1
  FROM pack, generate_series(1, %(vials)s) AS vial WHERE parent_code = %(case)s
""",
)


class _County:
    """A store that has received cases and vials, each in a receipt of its own."""

    def __init__(self, url: str) -> None:
        self._url, self._database = url, Database(url)
        self._now = datetime.now(UTC)
        secret = access.create_token(self._database, "bench", Role.ADMIN, (), self._now)
        self._actor: Actor = access.authenticate(self._database, secret)

    def receive(self, code: str, batch: str, doses: int) -> None:
        """A pack of so many doses comes."""
        order = ReceiptOrder(
            county.STORE,
            "MAKER",
            county.GTIN,
            batch,
            (self._now + timedelta(days=5 * 365)).date(),
            doses,
            f"{county.STORE}-COLD",
            self._now - timedelta(hours=1),
            tuple(Paper),
            TransportRecord(arrival_temperature=450),
            packs=(PackLine(code, doses),),
        )
        receive_goods(self._database, self._request(), order)

    def fill(self, case: str, batch: str) -> None:
        """The cartons and vials in a case, as an association file would have announced them."""
        facts = {"case": case, "batch": batch, "cartons": CARTONS, "vials": VIALS}
        with psycopg.connect(self._url) as connection:
            for statement in _INSIDE:
                connection.execute(statement, facts)

    def send(self, code: str, batch: str) -> float:
        """The seconds of a dispatch."""
        line = Line(county.GTIN, batch, packs=(code,))
        order = DispatchOrder(county.STORE, county.site(0), self._now - timedelta(minutes=30), (line,))
        begun = time.perf_counter()
        dispatch(self._database, self._request(), order)
        return time.perf_counter() - begun

    def settle(self) -> None:
        """What was written is on the disk, and the planner knows it."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def close(self) -> None:
        """No connection stays open."""
        self._database.close()

    def _request(self) -> Request:
        return Request(self._actor, self._now, f"bench-{next(_keys)}")


def measure(admin_url: str, pairs: int = PAIRS) -> dict[str, object]:
    """The time of a case for that of a vial, sent in turns: the median of the pairs, and their quartiles."""
    server = Server(admin_url)
    server.template("packs", county.build)
    with server.copy("packs") as url:
        here = _County(url)
        try:
            found = _sent(here, pairs)
        finally:
            here.close()
    return {**_told(found), "pairs": pairs, "vials": CARTONS * VIALS}


def _sent(here: _County, pairs: int) -> list[tuple[float, float]]:
    """The seconds of each pair, the case first in every other one."""
    cases, vials = (
        [(f"{name}-{each}", f"{name[0]}{each}") for each in range(pairs + WARM_UP)] for name in ("CASE", "VIAL")
    )
    for case, vial in zip(cases, vials, strict=True):
        here.receive(*case, CARTONS * VIALS)
        here.fill(*case)
        here.receive(*vial, 1)
    here.settle()
    found = []
    for number, (case, vial) in enumerate(zip(cases, vials, strict=True)):
        if number % 2:
            later = here.send(*vial)
            found.append((here.send(*case), later))
        else:
            found.append((here.send(*case), here.send(*vial)))
    return found[WARM_UP:]


def _told(pairs: Sequence[tuple[float, float]]) -> dict[str, object]:
    ratios = sorted(case / vial for case, vial in pairs)
    ratio = median(ratios)
    return {
        "ratio": round(ratio, 3),
        "spread": [round(ratios[len(ratios) // 4], 3), round(ratios[3 * len(ratios) // 4], 3)],
        "milliseconds": {
            "case": round(1000 * median(case for case, _ in pairs), 2),
            "vial": round(1000 * median(vial for _, vial in pairs), 2),
        },
        "at_most": AT_MOST,
        "holds": ratio <= AT_MOST,
    }


@click.command()
@click.option("--server", "url", default=SERVER, help="a PostgreSQL server, where databases may be created")
@click.option("--pairs", default=PAIRS, show_default=True, help="of a case and a vial")
def main(url: str, pairs: int) -> None:
    """Measure it; exits with 1 where the bound is not met."""
    line = {"measure": "packs", **measure(url, pairs), "machine": rounds.machine(Server(url).version())}
    click.echo(json.dumps(line))
    raise SystemExit(0 if line["holds"] else 1)


if __name__ == "__main__":
    main()
