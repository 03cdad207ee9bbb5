"""Whatever happened, what is told of it is valid EPCIS, has the hash of what it says, and its doses add up."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from inventory.domain.epcis import uris
from inventory.domain.epcis.documents import document
from inventory.domain.epcis.events import NAMESPACES
from inventory.domain.epcis.hashing import event_hash
from inventory.domain.words import LocationKind
from inventory.services.epcis.history import Span, stream_epcis
from inventory.services.stock import list_stock
from tests.counties import CountyTemplate
from tests.county import HOUR, NOW
from tests.epcis import require_schema, valid
from tests.properties.machine_shelf import Shelf
from tests.properties.machine_trips import Trips
from tests.properties.test_ledger import equipped as equipped

EVERYTHING = Span(since=NOW - 1000 * HOUR, until=NOW + 1000 * HOUR)
Json = dict[str, Any]


class Told(Trips, Shelf):
    """Every order there is; at the end the whole ledger is told."""

    def teardown(self) -> None:
        events = list(stream_epcis(self.database, EVERYTHING))
        valid(document(events, NOW))
        for event in events:
            assert event["eventID"] == event_hash(event, NAMESPACES)
        standing = self.standing(events)
        assert balance(standing) == self.in_stock()
        super().teardown()

    @staticmethod
    def standing(events: list[Json]) -> list[Json]:
        """Events that nobody declared an error; a declaration has the id of what it takes back."""
        wrong = {event["eventID"] for event in events if "errorDeclaration" in event}
        assert len({event["eventID"] for event in events}) == len(events) - sum("errorDeclaration" in e for e in events)
        return [event for event in events if event["eventID"] not in wrong]

    def in_stock(self) -> Mapping[str, int]:
        """What the ledger has, by batch, on its way or at a place."""
        found: Counter[str] = Counter()
        for line in list_stock(self.database, None, None, None, 1000).items:
            found[uris.batch(line.gtin, line.batch)] += line.doses
            assert line.place.kind in LocationKind
        return {batch: doses for batch, doses in found.items() if doses}


def balance(events: list[Json]) -> Mapping[str, int]:
    """What is there by what is told alone: what was added less what was deleted or given back to a supplier."""
    found: Counter[str] = Counter()
    for event in events:
        sign = {"ADD": 1, "DELETE": -1}.get(event["action"], 0)
        if event["bizStep"] == "shipping" and event["destinationList"][0]["destination"].endswith(":MAKER"):
            sign = -1
        for each in event["quantityList"]:
            found[each["epcClass"]] += sign * each.get("quantity", 0)
    return {batch: doses for batch, doses in found.items() if doses}


@pytest.mark.parametrize("equipped", ["sqlite", "postgresql"], indirect=True)
def test_every_history_is_told_whole(equipped: CountyTemplate) -> None:
    require_schema()
    few = {"sqlite": 8, "postgresql": 2}[equipped.engine]

    class Here(Told):
        template = equipped

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=few, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
