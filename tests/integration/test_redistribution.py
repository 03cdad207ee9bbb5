"""What will be late at one site and could be given at another: the forecast, the proposal, and what comes of it."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.county import HOUR, MINUTE, NOW, ONE, TWO, ZONE
from tests.http import Client, Server
from tests.orders import administration, arrival, dispatch, new_batch, receipt, stated

_numbers = count(1)


@dataclass(frozen=True)
class Network:
    """A store of its own, with sites that state how many doses they give in a day."""

    client: Client
    store: str

    def site(self, name: str, daily_capacity: int | None, **other: Any) -> str:
        """A new site with a fridge; its code."""
        code = f"{self.store}-{name}"
        facility = {"code": code, "name": code, "kind": "fixed-site", "zone": ZONE, "supplied_by": self.store}
        self.client.post("/facilities", facility | {"daily_capacity": daily_capacity} | other).ok()
        self.appliance(code)
        return code

    def appliance(self, code: str) -> None:
        fridge = {"code": f"{code}-FRIDGE", "facility": code, "name": code, "kind": "fridge"}
        self.client.post("/appliances", fridge).ok()

    def deliver(self, site: str, doses: int, gtin: str = ONE) -> str:
        """Doses of a new batch that arrived at a site an hour ago; the batch."""
        batch = new_batch()
        fridge = f"{self.store}-FRIDGE"
        self.client.post("/receipts", receipt(batch, doses, facility=self.store, appliance=fridge, gtin=gtin)).ok()
        sent = dispatch(
            batch, from_facility=self.store, to_facility=site, lines=[{"gtin": gtin, "batch": batch, "doses": doses}]
        )
        shipment = self.client.post("/shipments", sent).ok()["shipment"]
        self.client.post(f"/shipments/{shipment}/receipts", arrival(appliance=f"{site}-FRIDGE")).ok()
        return batch

    def proposed(self, **query: object) -> Any:
        return self.client.get("/redistributions", facility=self.store, **query).ok()

    def late(self) -> int:
        """How many doses the board expects to be late at the store's sites."""
        lines = self.client.get("/deadlines", limit=1000).items
        mine = [each for each in lines if (each["place"]["facility"] or "").startswith(self.store)]
        return sum(each["forecast"]["doses_late"] or 0 for each in mine)


def network(client: Client) -> Network:
    code = f"STORE-{next(_numbers)}"
    facility = {"code": code, "name": code, "kind": "county-store", "zone": ZONE, "supplied_by": "CITY"}
    client.post("/facilities", facility).ok()
    found = Network(client, code)
    found.appliance(code)
    return found


def line_of(client: Client, batch: str, name: str = "use") -> Any:
    (line,) = [
        each for each in client.get("/deadlines", limit=1000).items if (each["batch"], each["name"]) == (batch, name)
    ]
    return line


def test_before_there_is_a_pace_the_capacity_of_a_working_day_is_reckoned_with(client: Client) -> None:
    county = network(client)
    batch = county.deliver(county.site("A", 100), 150)
    # Ten doses an hour from noon to 18, and from 8 to 11 on the morrow, when they are due.
    assert line_of(client, batch)["forecast"] == {
        "doses_per_hour": 10.0,
        "basis": "capacity",
        "done_at": "2026-01-06T09:00:00Z",
        "doses_late": 60,
    }


def test_a_pace_is_what_was_given_since_the_first_dose(client: Client) -> None:
    county = network(client)
    site = county.site("A", 100)
    batch = county.deliver(site, 100)
    for minutes in (40, 30, 20, 10):
        given = administration(batch, 10, facility=site, occurred_at=stated(NOW - minutes * MINUTE))
        event = client.post("/administrations", given).ok()["events"][0]["id"]
    forecast = line_of(client, batch)["forecast"]
    assert (forecast["basis"], forecast["doses_per_hour"], forecast["done_at"]) == (
        "pace",
        60.0,
        "2026-01-05T05:00:00Z",
    )
    client.post(f"/events/{event}/reversal", {"reason": "entered twice", "occurred_at": stated(NOW)}).ok()
    assert line_of(client, batch)["forecast"]["doses_per_hour"] == 45.0


def test_doses_wait_in_their_turn(client: Client) -> None:
    county = network(client)
    site = county.site("A", 100)
    first, second = county.deliver(site, 20), county.deliver(site, 20)
    found = sorted(line_of(client, batch)["forecast"]["done_at"] for batch in (first, second))
    assert found == ["2026-01-05T06:00:00Z", "2026-01-05T08:00:00Z"]


def test_where_nothing_is_known_nothing_is_foretold(server: Server) -> None:
    client = server.client
    county = network(client)
    batch = county.deliver(county.site("A", None), 5)
    nothing = {"doses_per_hour": None, "basis": "none", "done_at": None, "doses_late": None}
    assert line_of(client, batch)["forecast"] == nothing
    server.clock.at = NOW + 23 * HOUR + MINUTE
    assert line_of(client, batch)["forecast"] == nothing | {"doses_late": 5}
    assert county.proposed()["proposals"] == []


def test_held_doses_are_given_by_nobody_and_hold_up_nobody(client: Client) -> None:
    county = network(client)
    site = county.site("A", 100)
    held, free = county.deliver(site, 30), county.deliver(site, 10)
    order = {"facility": site, "gtin": ONE, "batch": held, "reason": "dropped", "occurred_at": stated(NOW)}
    client.post("/holds", order).ok()
    assert line_of(client, held)["forecast"]["basis"] == "none"
    assert line_of(client, free)["forecast"]["done_at"] == "2026-01-05T05:00:00Z"


def test_what_a_store_sent_is_expected_at_the_pace_at_which_it_arrives(client: Client) -> None:
    county = network(client)
    county.deliver(county.site("A", 100), 60)
    batch = new_batch()
    goods = receipt(batch, 30, facility=county.store, appliance=f"{county.store}-FRIDGE")
    client.post("/receipts", goods).ok()
    forecast = line_of(client, batch, "deliver")["forecast"]
    assert (forecast["basis"], forecast["doses_per_hour"]) == ("pace", 60.0)
    assert (forecast["done_at"], forecast["doses_late"]) == ("2026-01-05T04:30:00Z", 0)


def test_a_proposal_is_sent_as_it_is_and_then_fewer_doses_are_late(server: Server) -> None:
    client = server.client
    county = network(client)
    slow, fast = county.site("SLOW", 100), county.site("FAST", 1000)
    batch = county.deliver(slow, 150)
    assert county.late() == 60
    found = county.proposed()
    assert (found["doses_late"], found["doses_late_after"], found["proven"], found["still_late"]) == (60, 0, True, [])
    (proposal,) = found["proposals"]
    assert (proposal["from_facility"], proposal["to_facility"], proposal["doses"]) == (slow, fast, 60)
    (line,) = proposal["lines"]
    assert (line["batch"], line["due_at"], line["done_at"]) == (batch, "2026-01-06T03:00:00Z", "2026-01-05T05:36:00Z")
    order = proposal["dispatch"] | {"occurred_at": stated(NOW)}
    shipment = client.post("/shipments", order).ok()["shipment"]
    assert county.late() == 0
    assert county.proposed()["proposals"] == []
    server.clock.at = NOW + HOUR
    there = arrival(appliance=f"{fast}-FRIDGE", occurred_at=stated(NOW + HOUR))
    client.post(f"/shipments/{shipment}/receipts", there).ok()
    lines = [each for each in client.get("/deadlines", facility=fast, limit=1000).items if each["batch"] == batch]
    (moved,) = lines
    assert (moved["doses_left"], moved["due_at"], moved["forecast"]["doses_late"]) == (60, "2026-01-06T03:00:00Z", 0)


def test_only_whole_vials_are_sent_and_only_to_who_can_give_them(client: Client) -> None:
    county = network(client)
    slow = county.site("SLOW", 10)
    county.site("BUSY", 10)
    county.site("STRANGER", None)
    county.deliver(slow, 20, TWO)
    # One dose an hour: nine are in time here, and what leaves now can be given in eight hours of the other site.
    found = county.proposed()
    assert (found["doses_late"], found["doses_late_after"]) == (11, 3)
    assert [(each["to_facility"][-4:], each["doses"]) for each in found["proposals"]] == [("BUSY", 8)]
    assert [each["doses_late"] for each in found["still_late"]] == [3]
    assert county.proposed(handling_minutes=24 * 60)["proposals"] == []


def test_only_a_store_redistributes(client: Client) -> None:
    answer = client.get("/redistributions", facility="SITE-A")
    assert (answer.status, answer.body["code"]) == (422, "wrong_facility_kind")
