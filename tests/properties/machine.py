"""What every state machine of the ledger does: send an order, hold its answer against the oracle, keep both."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import count
from typing import ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import func, select

from inventory.domain.errors import ColdtrailError
from inventory.domain.words import Outcome, Paper
from inventory.persistence import tables
from inventory.services.posting import Posted, PostedList, Request
from tests.counties import CountyTemplate
from tests.county import HOUR, NOW, ONE, TWO
from tests.properties.oracle import OWNER, THAWING, Happened, Held, Lot, Oracle
from tests.properties.oracle_orders import Plan, settled

FRIDGE = {"CITY": "CITY-ROOM", "COUNTY": "COUNTY-ROOM", "SITE-A": "A-FRIDGE", "SITE-B": "B-FRIDGE"}
LOTS = (
    Lot(ONE, "FRESH", date(2026, 6, 30)),
    Lot(TWO, "FRESH", date(2026, 6, 30)),
    Lot(ONE, "OLD", date(2026, 1, 4)),  # yesterday there: only back-dated orders may give it
    Lot(THAWING, "FROZEN", date(2026, 6, 30)),
)
NEVER = Lot(ONE, "NEVER", date(2026, 6, 30))
STAFF = ("chief", "keeper", "county", "nurse-a", "nurse-b", "auditor")
EVERYBODY = st.sampled_from([*["admin"] * 26, *STAFF])
DOSES = st.sampled_from([2, 2, 4, 4, 1, 3, 6, 12])
SOME = st.none() | DOSES
WHICH = st.integers(0, 999)
TIMES = st.sampled_from([*(NOW - hours * HOUR for hours in (0, 0, 0, 1, 1, 2, 3, 5, 11, 13, 26)), NOW + HOUR])
LATER = st.sampled_from([hours * HOUR for hours in (1, 0, 0, 0, 1, 2, 2, 5, 7, 9, 13, 24, 25, -1)])
"""How long after its doses came an order is dated; at times before."""

FIRST = NOW - 30 * HOUR
"""When the stores got their first goods: every lot can be dispatched from the first step on."""

WARMTH = st.sampled_from([*[450] * 20, 200, 800, 801, 199, None])
OUTCOMES = st.sampled_from([*[Outcome.ACCEPT] * 5, Outcome.HOLD, Outcome.REFUSE])
ALL_PAPERS = frozenset({Paper.LOT_RELEASE, Paper.DELIVERY_NOTE, Paper.TEMPERATURE_RECORD})
PAPERS = st.sampled_from([*[ALL_PAPERS] * 4, ALL_PAPERS - {Paper.LOT_RELEASE}, frozenset({Paper.LOT_RELEASE})])
WRONG = st.sampled_from([*[None] * 21, "facility", "batch", "custody"])
"""What is wrong in an order: doses are at another facility, of a batch that never came, or of another custody."""

NOBODYS = UUID(int=7)

Order = Callable[[Request], Posted]


class Ledger(RuleBasedStateMachine):
    """A county and its oracle."""

    template: ClassVar[CountyTemplate]

    def __init__(self) -> None:
        super().__init__()
        self.copy = self.template.fresh()
        county = self.copy.__enter__()
        self.database = county.database
        self.actors = {who: county.actor(who) for who in ("admin", *STAFF)}
        self.oracle = Oracle()
        self.keys = count()
        self.steps = 0
        self.rows: tuple[int, ...] = ()
        self.written = False
        self.last: tuple[Callable[[], Posted | PostedList], Posted | PostedList] | None = None
        self.done: Counter[str] = Counter()

    def teardown(self) -> None:
        self.copy.__exit__(None, None, None)

    def request(self, who: str) -> Request:
        """A request under a new key."""
        return Request(self.actors[who], NOW, str(next(self.keys)))

    def post(self, who: str, plan: Plan, send: Order) -> Posted | None:
        """Send an order; it has to be answered as planned."""
        plan = settled(self.oracle, plan)
        answer = outcome(send, request := self.request(who))
        self.written = self.wrote()
        if isinstance(answer, ColdtrailError):
            assert answer.code in plan.faults, (answer.code, str(answer), plan)
            assert not self.written, answer
            self.done[answer.code] += 1
            return None
        assert not plan.faults, (answer, plan)
        self.last = (lambda: send(request)), answer
        self.oracle.take_over(who, answer, plan.events)
        self.done.update(event.kind for event in answer.events)
        return answer

    def wrote(self) -> bool:
        """Whether the ledger has grown since this was asked before."""
        before, ledger = self.rows, (tables.StockEvent, tables.Movement, tables.Custody, tables.IdempotencyKey)
        with self.database.read() as session:
            counted = [select(func.count()).select_from(table).scalar_subquery() for table in ledger]
            self.rows = tuple(session.execute(select(*counted)).one())
        return self.rows != before

    def some(self, which: int, wanted: Callable[[Held], bool] = lambda _: True) -> Held:
        """A custody: one with doses left that fits if there is one, else any."""
        every = list(self.oracle.held.values())
        alive = [each for each in every if each.left and wanted(each)]
        found = alive if alive and which % 17 else every
        return found[-1 - which % len(found)]

    def facility_of(self, held: Held, wrong: str | None) -> str:
        """Where a custody is, or at which end of its trip; or elsewhere."""
        if wrong == "facility":
            return {"SITE-A": "COUNTY", "COUNTY": "SITE-B"}.get(self.oracle.facilities_of(held.spot)[0], "SITE-A")
        return self.oracle.facilities_of(held.spot)[-1]

    def event(self, which: int) -> Happened | None:
        """An event, mostly one of the last."""
        events = list(self.oracle.events.values())
        return events[-1 - which % min(len(events), 4 if which % 3 else 99)] if events else None


def outcome(send: Order, request: Request) -> Posted | ColdtrailError:
    """What an order was answered."""
    try:
        return send(request)
    except ColdtrailError as error:
        return error


def lot_of(held: Held, wrong: str | None) -> Lot:
    """The batch of a custody, or one that never came."""
    return NEVER if wrong == "batch" else held.lot


def appliance_of(held: Held) -> str | None:
    """The appliance that a custody is in."""
    return held.spot.of if isinstance(held.spot.of, str) and held.spot.of in OWNER else None
