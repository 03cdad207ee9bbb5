"""Packs that many reach for at one moment go once, and nobody is told to come back for it."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from inventory.persistence.database import Database
from inventory.services.verification import verify
from tests.county import NOW, ONE, build
from tests.http import Answer, Client, Server, serving
from tests.orders import administration, arrival, dispatch, new_batch, receipt, stated
from tests.packed import Case
from tests.services import PostgresTemplate

CROWD = 16


@pytest.fixture(scope="module")
def server(postgresql_template: PostgresTemplate) -> Iterator[Server]:
    with postgresql_template.clone() as url:
        database = Database(url)
        with serving(build(database), connections=CROWD) as server:
            yield server
        database.close()


@pytest.fixture
def client(server: Server) -> Client:
    return server.client


@pytest.fixture(autouse=True)
def whole(server: Server) -> Iterator[None]:
    yield
    assert verify(server.county.database).holds


def at_once(work: Callable[[int], Answer], crowd: int = CROWD) -> Counter[tuple[int, str | None]]:
    """What a crowd was told that began at one moment: each status and code, and how often."""
    gate = Barrier(crowd)

    def begin(number: int) -> tuple[int, str | None]:
        gate.wait()
        answer = work(number)
        return answer.status, answer.body.get("code")

    with ThreadPoolExecutor(crowd) as pool:
        return Counter(pool.map(begin, range(crowd)))


def packed(client: Client, number: int, doses: int = 10) -> tuple[str, list[str]]:
    """A batch at the county in so many packs."""
    batch = new_batch()
    codes = [f"{batch}-{each}" for each in range(number)]
    packs = [{"code": code, "doses": doses} for code in codes]
    here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "packs": packs}
    client.post("/receipts", receipt(batch, number * doses, **here)).ok()
    return batch, codes


def send(client: Client, batch: str, *packs: str) -> Answer:
    return client.post("/shipments", dispatch(batch, lines=[{"gtin": ONE, "batch": batch, "packs": list(packs)}]))


def place(client: Client, code: str) -> Any:
    return client.get(f"/packs/{code}").ok()


def test_the_same_pack_dispatched_by_sixteen_at_once_goes_once(client: Client) -> None:
    batch, codes = packed(client, 4)
    told = at_once(lambda _: send(client, batch, codes[0]))
    assert told == {(201, None): 1, (409, "pack_elsewhere"): 15}
    assert place(client, codes[1])["custody_remaining"] == 30


def test_packs_of_one_custody_dispatched_at_once_in_every_order_all_go(client: Client) -> None:
    batch, codes = packed(client, 2 * CROWD)
    pairs = [(codes[2 * each], codes[2 * each + 1])[:: (-1) ** each] for each in range(CROWD)]
    assert at_once(lambda number: send(client, batch, *pairs[number])) == {(201, None): CROWD}
    assert {place(client, code)["custody_remaining"] for code in codes} == {20}


def test_one_pack_given_by_sixteen_at_once_gives_what_is_in_it(client: Client) -> None:
    batch, (code,) = packed(client, 1)
    shipment = send(client, batch, code).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    told = at_once(lambda _: client.post("/administrations", administration(batch, pack=code)))
    assert told[201, None] == 10
    assert sum(told.values()) == CROWD
    assert place(client, code)["remaining"] == 0


def test_a_pack_scanned_and_a_custody_emptied_at_once_leave_it_where_its_doses_are(client: Client) -> None:
    for _ in range(4):
        batch, codes = packed(client, 2)

        def reach(number: int, batch: str = batch, code: str = codes[0]) -> Answer:
            if number % 2:
                return send(client, batch, code)
            held = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "Odd"}
            return client.post("/holds", held)

        told = at_once(reach)
        assert {status for status, _ in told} <= {201, 409}
        found = [place(client, code) for code in codes]
        assert all(each["remaining"] <= each["custody_remaining"] for each in found)


def test_a_code_received_in_sixteen_batches_at_once_is_in_one(client: Client) -> None:
    pack = {"code": "ONLY-ONCE", "doses": 5}
    told = at_once(lambda _: client.post("/receipts", receipt(new_batch(), 5, packs=[pack])))
    assert told == {(201, None): 1, (409, "already_exists"): 15}


def give(case: Case, code: str) -> Answer:
    return case.client.post("/administrations", administration(case.batch, pack=code))


def test_a_case_dispatched_by_sixteen_at_once_goes_once(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    assert at_once(lambda _: case.send(case.code)) == {(201, None): 1, (409, "pack_elsewhere"): 15}
    assert case.places(case.vials[0]) == {"transit"}


def test_cartons_dispatched_at_once_open_their_case_once_and_all_go(client: Client) -> None:
    case = Case(client, cartons=CROWD, vials=1)
    case.receive().ok()
    assert at_once(lambda number: case.send(case.cartons[number])) == {(201, None): CROWD}
    assert case.places(case.cartons) == {"transit"}
    assert case.get(case.code)["remaining"] == CROWD


def test_a_case_dispatched_while_its_carton_is_goes_whole_or_not_at_all(client: Client) -> None:
    for _ in range(4):
        case = Case(client)
        case.receive().ok()
        told = at_once(lambda number, case=case: case.send(case.code if number % 2 else case.cartons[0]), 4)  # type: ignore[misc]
        assert told == {(201, None): 1, (409, "pack_elsewhere"): 3}
        places = [case.place(each) for each in case.cartons]
        assert places in [["transit", "transit"], ["transit", "COUNTY-ROOM"]]
        assert {case.get(each)["custody"] for each in case.vials[0]} == {case.get(case.cartons[0])["custody"]}


def test_vials_of_cases_in_one_custody_sent_at_once_in_every_order_all_go(client: Client) -> None:
    case = Case(client, cartons=CROWD, vials=2)
    case.receive().ok()

    def pair(number: int) -> list[str]:
        other = (number + 1) % CROWD
        return [case.vials[number][0], case.vials[other][1]][:: (-1) ** number]

    assert at_once(lambda number: case.send(*pair(number))) == {(201, None): CROWD}
    assert case.places([vial for vials in case.vials for vial in vials]) == {"transit"}


def test_vials_of_a_case_given_at_once_are_each_given_once(client: Client) -> None:
    case = Case(client, cartons=2, vials=4).at_site()
    vials = [*case.vials[0], *case.vials[1]]
    told = at_once(lambda number: give(case, vials[number % 8]))
    assert told[201, None] == 8
    assert sum(told.values()) == CROWD
    assert {case.get(each)["remaining"] for each in [*vials, case.code]} == {0}


def test_a_case_recalled_while_it_is_opened_is_in_one_place(client: Client) -> None:
    for _ in range(4):
        case = Case(client)
        case.receive().ok()
        where = {"facility": "COUNTY", "gtin": case.gtin, "batch": case.batch, "occurred_at": stated(NOW)}

        def reach(number: int, case: Case = case, where: dict[str, Any] = where) -> Answer:
            if number == 0:
                return case.client.post("/recalls", where | {"reason": "By the maker"})
            return case.send(case.vials[number % 2][number // 2])

        told = at_once(reach, 5)
        assert {status for status, _ in told} <= {201, 409}
        assert case.places([vial for vials in case.vials for vial in vials]) == {"quarantine"}


def test_a_case_received_by_sixteen_at_once_comes_once(client: Client) -> None:
    case = Case(client)
    told = at_once(lambda number: case.receive(case.cartons[number % 2], doses=3) if number % 4 else case.receive())
    assert told[201, None] in {1, 2}
    assert told[409, "already_exists"] == CROWD - told[201, None]


def test_a_receipt_corrected_while_the_other_carton_comes_leaves_the_case_as_it_is(client: Client) -> None:
    for _ in range(4):
        case = Case(client)
        event = case.receive(case.cartons[0], doses=3).ok()["events"][0]["id"]

        def reach(number: int, case: Case = case, event: str = event) -> Answer:
            if number:
                return case.receive(case.cartons[1], doses=3)
            order = {"occurred_at": stated(NOW), "reason": "A slip"}
            return case.client.post(f"/events/{event}/reversal", order)

        assert at_once(reach, 2) == {(201, None): 2}
        assert (case.get(case.code)["opened"], case.place(case.cartons[0])) == (True, None)


def test_one_file_of_packs_sent_by_sixteen_at_once_is_known_once(client: Client) -> None:
    case = Case(client)
    assert at_once(lambda _: client.post("/pack-files", case.file(), "keeper")) == {(200, None): CROWD}
    other = case.file() | {"batch": new_batch()}
    case.receive().ok()
    assert client.post("/pack-files", other, "keeper").body["code"] == "already_exists"
