"""A county with a bit of everything that becomes a leaf, and a log over it that was signed twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from inventory.domain.checkpoints import Note
from inventory.persistence.database import Database
from inventory.persistence.tables import LogLeaf
from inventory.services.log import bundle, checkpoints, keys, sequencer, tree
from inventory.services.log.bundle import Wanted
from inventory.services.log.keys import SigningKey
from tests.county import EXPIRY, HOUR, MIDNIGHT, MINUTE, NOW, ONE, build
from tests.http import Server, serving
from tests.orders import administration, at_site, override, stated
from tests.readings_of_months import feed

ORIGIN = "coldtrail.example.org/county"
FIRST, SECOND = NOW + MINUTE, NOW + 3 * HOUR + MINUTE
"""When the log was signed."""


@dataclass(frozen=True)
class Logged:
    """The county, its log's key, the checkpoints, a batch, and one of its administrations."""

    server: Server
    key: SigningKey
    notes: tuple[Note, ...]
    batch: str
    administration: str

    @property
    def database(self) -> Database:
        """Where it is."""
        return self.server.county.database

    def leaves(self) -> list[LogLeaf]:
        """Its leaves."""
        with self.database.read() as session:
            return list(session.scalars(select(LogLeaf).order_by(LogLeaf.number)))


def _signed(database: Database, key: SigningKey, at: Any) -> Note:
    sequencer.append(database, at)
    note = checkpoints.sign(database, key, at)
    assert note is not None
    return Note.parse(note)


@contextmanager
def logged(url: str) -> Iterator[Logged]:
    """A log with tiles of four, so that few leaves have nodes on two levels above them."""
    database, key = Database(url), keys.generate(ORIGIN)
    with pytest.MonkeyPatch.context() as patch, serving(build(database)) as server:
        patch.setattr(tree, "HEIGHT", 2)
        patch.setattr(tree, "WIDTH", 4)
        client = server.client
        feed(database, "S-A", MIDNIGHT, [500] * 7 + [900] * 20 + [500] * 9, 5 * MINUTE)
        batch = at_site(client, 20)
        packs = [{"code": f"{batch}-CARTON"}, {"code": f"{batch}-VIAL", "parent": f"{batch}-CARTON"}]
        file = {"gtin": ONE, "batch": batch, "expiry": EXPIRY.isoformat(), "packs": packs}
        client.post("/pack-files", file, "keeper").ok()
        client.post("/overrides", override(batch), "chief").ok()
        given = client.post("/administrations", administration(batch, 2), "nurse-a").ok()["events"][0]["id"]
        statement = {"reference": "AEFI-1", "administration": given, "kind": "serious", "onset_at": stated(NOW),
                     "heard_at": stated(NOW), "note": "a rash"}  # fmt: skip
        heard = client.post("/adverse-events", statement, "nurse-a").ok()["adverse_event"]
        report = {"reported_at": stated(NOW), "reported_to": "the county CDC"}
        client.post(f"/adverse-events/{heard}/reports", report, "nurse-a").ok()
        client.post("/administrations", administration(batch), "nurse-a").ok()
        first = _signed(database, key, FIRST)
        server.clock.at = NOW + 3 * HOUR
        later = client.post("/administrations", administration(batch, 3), "nurse-a").ok()["events"][0]["id"]
        wrong = {"occurred_at": stated(NOW + HOUR), "reason": "a slip of the finger"}
        client.post(f"/events/{later}/reversal", wrong, "nurse-a").ok()
        for _ in range(11):
            client.post("/administrations", administration(batch), "nurse-a").ok()
        second = _signed(database, key, SECOND)
        try:
            yield Logged(server, key, (first, second), batch, given)
        finally:
            database.close()


def exported(there: Logged, folder: Path, wanted: Wanted) -> Path:
    """A file of a trail with its proofs."""
    file = folder / "trail.proof"
    with file.open("wb") as made:
        made.writelines(bundle.lines(there.database, wanted))
    return file
