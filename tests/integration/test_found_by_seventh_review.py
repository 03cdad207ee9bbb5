"""Faults of what goes in and out: EPCIS told out of turn, trips into an archive, and a hostile file of proofs."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.domain.checkpoints import Checkpoint
from inventory.domain.epcis.events import CONTEXT
from inventory.domain.errors import Code, Unavailable
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.services.archive import archive_month
from inventory.services.epcis import capturing
from inventory.services.epcis.history import Span, list_epcis
from inventory.services.log import audit, keys
from tests.county import HOUR, MINUTE, NOW, build
from tests.http import Client
from tests.integration.test_batch_trees import Staff
from tests.integration.test_epcis_capture import MEASURED, PAPERS, commissioned, event
from tests.orders import Json, new_batch
from tests.readings_of_months import feed
from tests.services import Template

MAY = (2024, 5)
_, END = months.bounds(MAY)


def document(*events: Json) -> Json:
    body = {"eventList": list(events)}
    stated: Json = {"@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0"}
    return stated | {"creationDate": "2026-01-05T04:00:00Z", "epcisBody": body}


def told(client: Client, *events: Json, who: str = "admin") -> list[str]:
    results = client.post("/epcis/capture", document(*events), who).ok()["results"]
    return [each["outcome"] for each in results if each["outcome"] != "not-taken"]


def stock(client: Client, batch: str) -> int:
    return sum(each["doses"] for each in client.get("/stock", batch=batch).items)


def test_an_event_that_was_declared_an_error_beforehand_posts_nothing(client: Client) -> None:
    batch = new_batch()
    receiving = event("receiving", batch, 10, **MEASURED, **PAPERS)
    declared = receiving | {"errorDeclaration": {"declarationTime": "2026-01-05T04:00:00Z"}}
    assert told(client, commissioned(batch), declared) == []
    assert told(client, commissioned(batch), receiving) == ["known"]
    assert stock(client, batch) == 0


def test_the_case_of_a_uuid_makes_no_other_event(client: Client) -> None:
    batch = new_batch()
    receiving = event("receiving", batch, 10, **MEASURED, **PAPERS)
    name = receiving["eventID"].removeprefix("urn:uuid:")
    assert told(client, commissioned(batch), receiving, receiving | {"eventID": f"urn:uuid:{name.upper()}"}) == [
        "posted",
        "known",
    ]
    assert stock(client, batch) == 10


def test_what_may_have_been_posted_stays_with_who_sent_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection dies under a commit that was carried out."""
    real, died = capturing._carried_out, list[bool]()  # noqa: SLF001

    def dying(*order: Any) -> Any:
        posted = real(*order)
        if not died:
            died.append(True)
            raise Unavailable(Code.DATABASE_AWAY, "database", "away", "a database that answers")
        return posted

    monkeypatch.setattr(capturing, "_carried_out", dying)
    batch = new_batch()
    sent = commissioned(batch), event("receiving", batch, 10, **MEASURED, **PAPERS)
    assert [told(client, *sent, who=who) for who in ("admin", "chief", "admin")] == [
        ["refused"],
        ["refused"],
        ["posted"],
    ]
    assert stock(client, batch) == 10


def test_a_trip_into_an_archive_is_told_whole(database_template: Template, tmp_path: Path) -> None:
    with database_template.clone() as url, closing(Database(url)) as database:
        staff = Staff(build(database))
        staff.receive("B1", 10, END - 30 * HOUR)
        shipment = staff.send("B1", "SITE-A", 10, END - 3 * HOUR, ("S-BOX",))
        staff.arrive("B1", shipment, "A-FRIDGE", 10, END + 2 * HOUR)
        feed(database, "S-BOX", END - 3 * HOUR, [500] * 12 + [2500] * 12 + [500] * 36, 5 * MINUTE)

        def seen() -> tuple[Any, ...]:
            events = list_epcis(database, Span(shipment=shipment), None, 100).items
            (each,) = [each for every in events for each in every.get("sensorElementList", [])]
            (report,) = [each for each in each["sensorReport"] if "maxValue" in each]
            return each["sensorMetadata"]["startTime"], report["minValue"], report["maxValue"], report.get("meanValue")

        *before, mean = seen()
        assert mean is not None
        archive_month(database, MAY, tmp_path, NOW)
        assert [*seen()] == [*before, None]


@pytest.mark.parametrize("size", ["1E+1000000", "1E+99999999999", "-1", "0.5", '"7"', "true", "1" + "0" * 39])
def test_a_size_that_no_log_has_is_refused_at_once(tmp_path: Path, size: str) -> None:
    key = keys.generate("example.org/county")
    note = Checkpoint(key.verifier.name, 0, bytes(32), datetime.now(UTC)).signed(key.verifier, key.sign)
    head = {"format": audit.FORMAT, "subject": {"of": "log"}, "checkpoint": note}
    file = tmp_path / "hostile.proof"
    proof = json.dumps(head | {"consistency": {"from": "SIZE", "hashes": []}}).replace('"SIZE"', size)
    file.write_text(proof + "\n", encoding="utf-8")
    with pytest.raises(audit.BadFile):
        audit.audit(file, [key.verifier])
