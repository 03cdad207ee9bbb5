"""The table of events walked whole: each kind from each kind of place, at each kind of facility, by each role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from inventory.domain.handling import HANDLING
from inventory.domain.words import EventKind, FacilityKind, LocationKind, Role
from inventory.persistence.tables import Base
from inventory.services.access import create_token
from inventory.services.verification import verify
from tests.county import HOUR, MIDNIGHT, NOW, TWO, County
from tests.http import Answer, Client, Server, serving
from tests.orders import Json, arrival, dispatch, new_batch, receipt, stated

AT = {
    FacilityKind.SUPPLIER: "MAKER",
    FacilityKind.CITY_STORE: "CITY",
    FacilityKind.COUNTY_STORE: "COUNTY",
    FacilityKind.FIXED_SITE: "SITE-A",
    FacilityKind.TEMPORARY_SITE: "SITE-C",
    FacilityKind.MOBILE_SITE: "SITE-B",
}
SPARE = {code: f"SPARE-{code}" for code in AT.values()}
"""An appliance of each facility beside the one where its doses are."""

FRIDGE = {
    "CITY": "CITY-ROOM",
    "COUNTY": "COUNTY-ROOM",
    "SITE-A": "A-FRIDGE",
    "SITE-B": "B-FRIDGE",
    "SITE-C": "C-FRIDGE",
}
STORAGE, QUARANTINE, TRANSIT, HELD_ON_ITS_WAY = "storage", "quarantine", "transit", "held on its way"
PLACES = {
    STORAGE: LocationKind.STORAGE,
    QUARANTINE: LocationKind.QUARANTINE,
    TRANSIT: LocationKind.TRANSIT,
    HELD_ON_ITS_WAY: LocationKind.QUARANTINE,
}
ABOARD = {TRANSIT, HELD_ON_ITS_WAY}
OFF_BOARD = {EventKind.RECEIVE, EventKind.WASTE, EventKind.HOLD, EventKind.RELEASE, EventKind.RECALL, EventKind.CORRECT}
"""What may happen to doses on their way: they are received, wasted, held and given free, and nothing else."""

HOLDERS = {
    Role.ADMIN: "admin",
    Role.SUPERVISOR: "supervisor everywhere",
    Role.STAFF: "staff everywhere",
    Role.AUDITOR: "auditor",
    Role.GATEWAY: "gateway",
}


@pytest.fixture(scope="module")
def served(county: County) -> Iterator[Server]:
    """The county with a temporary site, a spare appliance everywhere, and staff who write for all."""
    with serving(county, connections=4) as server:
        client = server.client
        site = {"name": "Hall", "kind": "temporary-site", "zone": "Asia/Shanghai", "supplied_by": "COUNTY"}
        client.post("/facilities", site | {"code": "SITE-C"}).ok()
        for code, owner in [("C-FRIDGE", "SITE-C"), *((spare, owner) for owner, spare in SPARE.items())]:
            client.post("/appliances", {"code": code, "facility": owner, "name": code, "kind": "fridge"}).ok()
        for role in (Role.STAFF, Role.SUPERVISOR):
            name = HOLDERS[role]
            county.tokens[name] = create_token(county.database, name, role, tuple(AT.values()), MIDNIGHT)
        yield server


@dataclass(frozen=True)
class Doses:
    """Ten doses of a batch in vials of two, in a place of a facility."""

    facility: str
    place: str
    batch: str
    custody: str
    shipment: str | None = None

    def order(self, **more: Any) -> Json:
        """An order about two of them, named."""
        return self.batch_order(doses=2, custody=self.custody, **more)

    def batch_order(self, **more: Any) -> Json:
        """An order about their batch."""
        return {"facility": self.facility, "gtin": TWO, "batch": self.batch, "occurred_at": stated(NOW)} | more

    @property
    def lines(self) -> list[Json]:
        """Two of them as the line of an order."""
        return [{"gtin": TWO, "batch": self.batch, "doses": 2, "custody": self.custody}]


def put(client: Client, facility: str, place: str) -> Doses:
    """Doses in a place; a supplier has none, so for one they are at the county."""
    owner = "COUNTY" if facility == "MAKER" else facility
    sender = "CITY" if owner == "COUNTY" else "COUNTY"
    stored_at = sender if place in ABOARD or owner not in {"CITY", "COUNTY"} else owner
    batch = new_batch()
    goods = receipt(batch, 10, gtin=TWO, facility=stored_at, appliance=FRIDGE[stored_at])
    custody = opened(client.post("/receipts", goods).ok())
    shipment = None
    if stored_at != owner:
        lines = [{"gtin": TWO, "batch": batch, "doses": 10}]
        trip = client.post(
            "/shipments", dispatch(batch, lines=lines, from_facility=sender, to_facility=owner)
        ).ok()  # fmt: skip
        custody, shipment = opened(trip), trip["shipment"]
    if place not in ABOARD and shipment:
        custody = opened(client.post(f"/shipments/{shipment}/receipts", arrival(appliance=FRIDGE[owner])).ok())
    doses = Doses(owner, place, batch, custody, shipment)
    if PLACES[place] is LocationKind.QUARANTINE:
        hold = doses.batch_order(custody=custody, reason="a doubt", occurred_at=stated(NOW - HOUR / 2))
        custody = opened(client.post("/holds", hold).ok())
    return Doses(facility, place, batch, custody, shipment)


def opened(posted: Json) -> str:
    """The custody that an order opened."""
    found: str = posted["events"][0]["movements"][0]["to_custody"]
    return found


Request = tuple[str, Json] | None


def _receive(client: Client, doses: Doses) -> Request:
    if doses.facility == "MAKER":
        return "/receipts", receipt(doses.batch, 2, gtin=TWO, facility="MAKER", appliance=SPARE["MAKER"])
    shipment = doses.shipment if doses.place in ABOARD else put(client, doses.facility, TRANSIT).shipment
    return f"/shipments/{shipment}/receipts", arrival(
        lines=doses.lines, appliance=FRIDGE[doses.facility], occurred_at=stated(NOW)
    )


def _dispatch(_: Client, doses: Doses) -> Request:
    to = "SITE-A" if doses.facility == "SITE-B" else "SITE-B"
    return "/shipments", dispatch(
        doses.batch, from_facility=doses.facility, to_facility=to, lines=doses.lines, occurred_at=stated(NOW)
    )


def _return(_: Client, doses: Doses) -> Request:
    to = {"to_facility": "MAKER"} if doses.facility == "CITY" else {}
    held = PLACES[doses.place] is LocationKind.QUARANTINE
    order = {"facility": doses.facility, "occurred_at": stated(NOW), "lines": doses.lines, "reason": "too many"}
    return "/returns", order | {"held": held} | to


def _count(_: Client, doses: Doses) -> Request:
    """What is on its way is in no appliance that could be counted."""
    if doses.place in ABOARD:
        return None
    fridge = FRIDGE.get(doses.facility, SPARE[doses.facility])
    held = doses.place == QUARANTINE
    return "/counts", doses.batch_order(appliance=fridge, counted=8, held=held, reason="counted twice")


def _correct(client: Client, doses: Doses) -> Request:
    """A supplier has no event of its own that could be corrected."""
    if doses.facility == "MAKER":
        return None
    wasted = client.post("/wastages", doses.order(cause="broken")).ok()["events"][0]["id"]
    return f"/events/{wasted}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}


CASES: dict[EventKind, Callable[[Client, Doses], Request]] = {
    EventKind.RECEIVE: _receive,
    EventKind.DISPATCH: _dispatch,
    EventKind.MOVE: lambda _, doses: ("/moves", doses.order(to_appliance=SPARE[doses.facility])),
    EventKind.OPEN: lambda _, doses: ("/openings", doses.order()),
    EventKind.ADMINISTER: lambda _, doses: ("/administrations", doses.order()),
    EventKind.WASTE: lambda _, doses: ("/wastages", doses.order(cause="broken")),
    EventKind.HOLD: lambda _, doses: ("/holds", doses.order(reason="a doubt")),
    EventKind.RELEASE: lambda _, doses: ("/releases", doses.order(reason="looked at")),
    EventKind.COUNT: _count,
    EventKind.RETURN: _return,
    EventKind.RECALL: lambda _, doses: ("/recalls", doses.batch_order(reason="the maker says so")),
    EventKind.OVERRIDE: lambda _, doses: (
        "/overrides", doses.batch_order(covers=["deadline"], reason="the doctor decides"),
    ),
    EventKind.CORRECT: _correct,
}  # fmt: skip


def rows(server: Server) -> tuple[int, ...]:
    """How many rows each table has."""
    sizes = [select(func.count()).select_from(table).scalar_subquery() for table in Base.metadata.sorted_tables]
    with server.county.database.read() as session:
        return tuple(session.execute(select(*sizes)).one())


def in_custody(client: Client, doses: Doses) -> int:
    """What is left in the custody that an order names."""
    lines = client.get("/stock", batch=doses.batch).items
    return sum(line["doses"] for line in lines if line["custody"] == doses.custody)


def expected(kind: EventKind, facility: FacilityKind, place: str) -> set[str]:
    """The codes that an order may be refused with; none where it has to be accepted."""
    rule = HANDLING[kind]
    if facility not in rule.facilities:
        return {"wrong_facility_kind"}
    if kind in {EventKind.RECALL, EventKind.OVERRIDE}:
        return set()
    if kind is EventKind.RECEIVE and place not in ABOARD:
        return {"wrong_custody", "wrong_location"}
    if PLACES[place] not in rule.sources or (place in ABOARD and kind not in OFF_BOARD):
        return {"wrong_location"}
    return set()


def test_every_kind_of_event_has_a_case_here() -> None:
    assert set(CASES) == set(HANDLING) == set(EventKind)


def test_every_kind_of_facility_location_and_role_has_its_place_here() -> None:
    assert (set(AT), set(PLACES.values()), set(HOLDERS)) == (set(FacilityKind), set(LocationKind), set(Role))


@pytest.mark.parametrize("facility", FacilityKind)
@pytest.mark.parametrize("kind", EventKind)
def test_an_event_is_accepted_exactly_where_the_table_says(
    server: Server, kind: EventKind, facility: FacilityKind
) -> None:
    for place in PLACES:
        doses = put(server.client, AT[facility], place)
        request = CASES[kind](server.client, doses)
        if request is not None:
            walk(server, kind, expected(kind, facility, place), doses, request)
    assert verify(server.county.database).holds


def walk(server: Server, kind: EventKind, refusals: set[str], doses: Doses, request: tuple[str, Json]) -> None:
    """Post it: it is written and takes from where the table allows, or it is refused and nothing is written."""
    written, before = rows(server), in_custody(server.client, doses)
    answer = server.client.post(*request)
    taken = before - in_custody(server.client, doses)
    if refusals:
        refused(answer, refusals, f"{kind} from {doses}")
        assert (rows(server), taken) == (written, 0)
        return
    assert answer.status == 201, (kind, doses, answer.content)
    takes = PLACES[doses.place] in HANDLING[kind].sources
    if kind is EventKind.CORRECT:
        assert taken == -2
    else:
        assert (taken > 0) == takes, (kind, doses)


def refused(answer: Answer, refusals: set[str], what: str) -> None:
    """It was refused as it should."""
    assert answer.status in {403, 409, 422}, (what, answer.content)
    assert answer.body["code"] in refusals, (what, answer.content)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", EventKind)
def test_an_event_is_posted_by_exactly_the_roles_of_the_table(server: Server, kind: EventKind, role: Role) -> None:
    rule = HANDLING[kind]
    facility = "SITE-A" if FacilityKind.FIXED_SITE in rule.facilities else "COUNTY"
    place = next((place for place in PLACES if PLACES[place] in rule.sources), STORAGE)
    if kind is EventKind.RECEIVE:
        place = TRANSIT
    doses = put(server.client, facility, place)
    request = CASES[kind](server.client, doses)
    assert request is not None
    written = rows(server)
    answer = server.client.post(*request, HOLDERS[role])
    if role in rule.roles:
        assert answer.status == 201, answer.content
    else:
        refused(answer, {"forbidden"}, f"{kind} by {role}")
        assert rows(server) == written


@pytest.mark.parametrize("kind", EventKind)
def test_staff_post_no_event_for_a_facility_that_is_not_theirs(server: Server, kind: EventKind) -> None:
    rule = HANDLING[kind]
    who = "nurse-b" if Role.STAFF in rule.roles else "supervisor of B"
    if who not in server.county.tokens:
        secret = create_token(server.county.database, who, Role.SUPERVISOR, ("SITE-B",), MIDNIGHT)
        server.county.tokens[who] = secret
    place = TRANSIT if kind is EventKind.RECEIVE else QUARANTINE if kind is EventKind.RELEASE else STORAGE
    facility = "SITE-A" if FacilityKind.FIXED_SITE in rule.facilities else "COUNTY"
    request = CASES[kind](server.client, put(server.client, facility, place))
    assert request is not None
    written = rows(server)
    refused(server.client.post(*request, who), {"not_your_facility"}, f"{kind} by {who}")
    assert rows(server) == written
