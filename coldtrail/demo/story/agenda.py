"""The agenda of a day: acts by their time, each of which may change shelves, send a request or plan more."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count

from coldtrail.demo.county import COUNTY, STORES, ZONE, County, Product, Site
from coldtrail.demo.shelf import Shelf
from coldtrail.demo.steps import Body, Lot, Step, Trip
from coldtrail.demo.tokens import SITES
from coldtrail.demo.trouble import Trouble

Act = Callable[[datetime], None]

MINUTE = timedelta(minutes=1)

COLD_AGAIN = timedelta(hours=1)
"""How long after a failure the fridge is trusted again."""


class Agenda:
    """A day that is played through, so that nobody takes what is not there.

    Attributes:
        shelves: what each facility has in storage.
    """

    def __init__(self, county: County, day: date, trouble: Trouble, opening: Mapping[str, Sequence[Lot]]) -> None:
        self.county, self.day, self.trouble = county, day, trouble
        codes = (COUNTY, *(site.code for site in county.sites))
        self.shelves = {code: Shelf.of(opening.get(code, ())) for code in codes}
        self._steps: list[Step] = []
        self._waiting: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    def clock(self, hour: int, minute: int = 0, second: int = 0) -> datetime:
        """A local time of the day."""
        return datetime.combine(self.day, time(hour, minute, second), ZONE)

    def plan(self, at: datetime, act: Act) -> None:
        """Something happens at an instant, after what was planned for the same instant before."""
        heapq.heappush(self._waiting, (at, next(self._numbers), act))

    def play(self) -> list[Step]:
        """Let everything happen; the requests that were sent, by time."""
        while self._waiting:
            at, _, act = heapq.heappop(self._waiting)
            act(at)
        return sorted(self._steps, key=lambda step: step.at)

    def send(
        self,
        name: str,
        at: datetime,
        path: str,
        body: Body,
        *,
        holder: str | None = None,
        follows: str | None = None,
        trip: Trip | None = None,
        looks_at: tuple[str, ...] = (),
        doses: int = 0,
        awaited: bool = False,
    ) -> str:
        """A request of this day; the key by which others follow it.

        Without a holder it is sent by the facility that it is about. What does not say when it occurred, did at `at`.
        """
        key = f"{self.day}-{name}"
        by = holder or holder_of(str(body["facility"]))
        stated = {**body, "occurred_at": body.get("occurred_at", at.isoformat())}
        self._steps.append(Step(at, key, by, f"/api/v1{path}", stated, follows, None, trip, looks_at, doses, awaited))
        return key

    def add(self, step: Step) -> None:
        """A request that is complete."""
        self._steps.append(step)

    def fridge(self, site: Site, product: Product, at: datetime) -> str:
        """Where a site keeps a product: in the other fridge while its own is not trusted."""
        own = site.appliance(product)
        failed = any(
            failure.appliance == own and failure.since <= at < failure.until + COLD_AGAIN
            for failure in self.trouble.failures
        )
        others = [each for each in site.appliances if each != own]
        return others[0] if failed and others else own


def holder_of(facility: str) -> str:
    """Whose token a facility's staff hold."""
    return facility if facility in STORES else SITES


def about(facility: str, lot: Lot) -> dict[str, object]:
    """A request about a batch at a facility."""
    return {"facility": facility, "gtin": lot.gtin, "batch": lot.batch}


def line_of(lot: Lot) -> dict[str, object]:
    """A line of a shipment."""
    return {"gtin": lot.gtin, "batch": lot.batch, "doses": lot.doses}
