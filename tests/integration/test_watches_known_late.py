"""Law 4 where what a sensor watched becomes known late: the excursions are those of having known it at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.deliveries import ArrivalOrder, receive_shipment
from inventory.services.excursions import list_excursions
from inventory.services.posting import Posted, Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from tests.county import COOL, EXPIRY, HOUR, MINUTE, NOW, ONE, PAPERS, County, build, series
from tests.services import Template

LEAVES, ARRIVES = NOW - 4 * HOUR, NOW - 2 * HOUR
Step = Callable[["Trip"], None]


class Trip:
    """A shipment to site A with the sensor S-BOX in its cold box."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.keys = count()
        self.sent: Posted | None = None
        order = ReceiptOrder("COUNTY", "MAKER", ONE, "B1", EXPIRY, 10, "COUNTY-ROOM", NOW - 6 * HOUR, PAPERS, COOL)
        receive_goods(county.database, self.request(), order)

    def request(self) -> Request:
        return Request(self.county.actor("admin"), NOW, str(next(self.keys)))

    def leave(self) -> None:
        order = DispatchOrder("COUNTY", "SITE-A", LEAVES, (Line(ONE, "B1", 10),), ("S-BOX",))
        self.sent = dispatch(self.county.database, self.request(), order)

    def arrive(self) -> None:
        assert self.sent is not None
        assert self.sent.shipment is not None
        order = ArrivalOrder(self.sent.shipment, "A-FRIDGE", ARRIVES)
        receive_shipment(self.county.database, self.request(), order)

    def warm(self, since: int, until: int) -> Step:
        """Readings at 12 degrees from so many minutes after the dispatch to so many, and then a calm one."""
        temperatures = [1200] * ((until - since) // 5) + [450]
        chunk = [series("S-BOX", LEAVES + since * MINUTE, temperatures)]
        return lambda _: void(monitoring.record(self.county.database, chunk, NOW))

    @property
    def excursions(self) -> list[tuple[object, ...]]:
        found = list_excursions(self.county.database, "S-BOX", True, None, 100).items
        return [(each.rule, each.started_at, each.alarm_at, each.ended_at, each.seen, each.unseen) for each in found]


def void(_: object) -> None:
    """Nothing of it."""


@pytest.fixture
def trips(database_template: Template) -> Iterator[Callable[[], Trip]]:
    """Makes trips, each in a county of its own."""
    with ExitStack() as stack:

        def begin() -> Trip:
            database = Database(stack.enter_context(database_template.clone()))
            stack.callback(database.close)
            return Trip(build(database))

        yield begin


@pytest.mark.parametrize(
    ("since", "until"),
    [(30, 90), (90, 200), (150, 230), (-60, 60), (-90, -20), (-90, 200)],
    ids=["on the road", "over the arrival", "after it", "over the dispatch", "before it", "over all of it"],
)
@pytest.mark.parametrize("known", ["after both", "between them"])
def test_readings_first_or_watch_first_is_the_same(
    trips: Callable[[], Trip], since: int, until: int, known: str
) -> None:
    at_once, late = trips(), trips()
    at_once.leave()
    at_once.arrive()
    at_once.warm(since, until)(at_once)
    if known == "between them":
        late.leave()
        late.warm(since, until)(late)
    else:
        late.warm(since, until)(late)
        late.leave()
    late.arrive()
    assert late.excursions == at_once.excursions
