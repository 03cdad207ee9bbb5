"""Events of every kind at one moment on PostgreSQL: one of two wins, nothing is lost, and no recall is escaped."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from inventory.persistence.database import Database
from inventory.services.verification import verify
from tests.county import NOW, ONE, TWO, build
from tests.crowd import CROWD, at_once, codes, held, in_vials, insist, left, statuses
from tests.http import Answer, Client, Server, new_key, serving
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, stated
from tests.services import PostgresTemplate, SqliteTemplate

ROUNDS = 8


@pytest.fixture(scope="module")
def server(postgresql_template: PostgresTemplate) -> Iterator[Server]:
    with postgresql_template.clone() as url:
        database = Database(url)
        with serving(build(database), connections=CROWD) as found:
            yield found
        database.close()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A client; the ledger has to be whole after each test."""
    yield server.client
    verdict = verify(server.county.database)
    assert verdict.holds, verdict


def stock(batch: str, doses: int | None = None, facility: str = "SITE-A", **more: Any) -> Json:
    """An order about doses in one place."""
    order = {"facility": facility, "gtin": ONE, "batch": batch, "occurred_at": stated(NOW)} | more
    return order if doses is None else order | {"doses": doses}


def reversal() -> Json:
    """Why an event is undone."""
    return {"occurred_at": stated(NOW), "reason": "a slip"}


def recalled(batch: str) -> Json:
    """The recall of a batch by the county."""
    return stock(batch, facility="COUNTY", reason="the maker says so")


def sent(client: Client, batch: str, doses: int = 10) -> tuple[str, str]:
    """A shipment to site A, and the event of its dispatch."""
    posted = client.post("/shipments", dispatch(batch, doses)).ok()
    return posted["shipment"], posted["events"][0]["id"]


def test_one_event_posted_sixteen_times_under_one_key_is_one_of_every_kind(client: Client) -> None:
    batch = at_site(client, 10)
    for path, order in (
        ("/wastages", stock(batch, 1, cause="broken")),
        ("/holds", stock(batch, 1, reason="a doubt")),
        ("/releases", stock(batch, 1, reason="looked at")),
        ("/counts", stock(batch, appliance="A-FRIDGE", counted=8, reason="counted twice")),
        ("/returns", {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "too many",
                      "lines": [{"gtin": ONE, "batch": batch, "doses": 1}]}),
        ("/recalls", recalled(batch)),
    ):  # fmt: skip
        key = new_key()

        def send(_: int, path: str = path, order: Json = order, key: str = key) -> Answer:
            return insist(lambda: client.post(path, order, key=key))

        answers = at_once(send)
        assert statuses(answers) == {201: CROWD}, path
        assert len({answer.content for answer in answers}) == 1, path
    assert held(client, batch) == {"quarantine": 8}


def test_a_receipt_against_the_correction_of_its_dispatch_only_one_of_them_is_true(client: Client) -> None:
    for _ in range(ROUNDS):
        batch = at_county(client, 10)
        shipment, event = sent(client, batch)
        sends: list[Callable[[], Answer]] = [
            lambda shipment=shipment: client.post(f"/shipments/{shipment}/receipts", arrival()),  # type: ignore[misc]
            lambda event=event: client.post(f"/events/{event}/reversal", reversal()),  # type: ignore[misc]
        ]
        received, undone = at_once(lambda number: insist(sends[number]), 2)  # noqa: B023  (used up in this round)
        assert sorted((received.status, undone.status)) == [201, 409]
        assert codes([received, undone]) <= {"not_enough_doses", "custody_touched"}
        line = client.get(f"/shipments/{shipment}").ok()
        assert (line["arrived_at"] is not None) == (received.status == 201)
        assert held(client, batch) == {"storage": 10}


def test_a_second_part_against_the_correction_of_the_first_the_shipment_has_arrived(client: Client) -> None:
    part = {"gtin": ONE, "doses": 3}
    for _ in range(ROUNDS):
        batch = at_county(client, 10)
        shipment, _ = sent(client, batch)
        order = arrival(lines=[part | {"batch": batch}])
        first = client.post(f"/shipments/{shipment}/receipts", order).ok()["events"][0]["id"]

        def act(number: int, shipment: str = shipment, order: Json = order, first: str = first) -> Answer:
            if number % 2:
                return insist(lambda: client.post(f"/shipments/{shipment}/receipts", order))
            return insist(lambda: client.post(f"/events/{first}/reversal", reversal()))

        assert statuses(at_once(act, 2)) == {201: 2}
        found = client.get(f"/shipments/{shipment}").ok()
        assert (found["lines"][0]["received"], found["shortfall"]) == (3, 7)
        assert found["arrived_at"] is not None


def test_one_event_is_corrected_once_by_sixteen(client: Client) -> None:
    batch = at_site(client, 10)
    event = client.post("/administrations", administration(batch, 4)).ok()["events"][0]["id"]
    answers = at_once(lambda _: insist(lambda: client.post(f"/events/{event}/reversal", reversal())))
    assert statuses(answers) == {201: 1, 409: 15}
    assert codes(answers) == {"already_reversed"}
    assert left(client, batch) == 10


def test_nothing_escapes_a_recall(client: Client) -> None:
    """Doses that are sent, received, given, held and released in the moment of a recall: what is left is isolated."""
    for _ in range(ROUNDS):
        batch = at_county(client, 60)
        there, _ = sent(client, batch, 20)
        client.post(f"/shipments/{there}/receipts", arrival()).ok()
        client.post("/holds", stock(batch, 8, reason="a doubt")).ok()
        on_its_way, _ = sent(client, batch, 10)
        acts: list[tuple[str, Json]] = [
            ("/administrations", administration(batch, 1)),
            ("/shipments", dispatch(batch, 5)),
            (f"/shipments/{on_its_way}/receipts", arrival()),
            ("/releases", stock(batch, 2, reason="looked at")),
        ]

        def act(number: int, batch: str = batch, acts: list[tuple[str, Json]] = acts) -> Answer:
            if number == 0:
                return insist(lambda: client.post("/recalls", recalled(batch), "chief"))
            key, (path, order) = new_key(), acts[number % len(acts)]
            return insist(lambda: client.post(path, order, key=key))

        answers = at_once(act)
        assert answers[0].status == 201
        # A receipt of an hour ago cannot be of doses that the recall has isolated since.
        assert codes(answers) <= {"batch_recalled", "not_enough_doses", "time_before_custody"}
        assert set(held(client, batch)) == {"quarantine"}


def test_two_counts_of_one_place_at_once_find_the_same_doses_missing_once(client: Client) -> None:
    batch = at_site(client, 10)
    order = stock(batch, appliance="A-FRIDGE", counted=7, reason="counted twice")
    answers = at_once(lambda _: insist(lambda: client.post("/counts", order, key=new_key())))
    assert statuses(answers) == {201: CROWD}
    tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
    assert (tree["on_hand"], tree["missing"], tree["found"]) == (7, 3, 0)


def test_a_hold_against_those_who_give_the_same_doses(client: Client) -> None:
    batch = at_site(client, 10)

    def act(number: int) -> Answer:
        key = new_key()
        if number == 0:
            return insist(lambda: client.post("/holds", stock(batch, 6, reason="a doubt"), key=key))
        return insist(lambda: client.post("/administrations", administration(batch), key=key))

    isolated, *given = at_once(act)
    doses = statuses(given)[201]
    assert codes([isolated, *given]) <= {"not_enough_doses"}
    if isolated.status == 201:
        assert held(client, batch) == Counter({"quarantine": 6, "storage": 4 - doses}) + Counter()
    else:
        assert held(client, batch) == Counter({"storage": 10 - doses}) + Counter()


def test_the_last_vial_is_opened_once_by_sixteen(client: Client) -> None:
    batch = in_vials(client, 2)
    answers = at_once(lambda _: insist(lambda: client.post("/openings", stock(batch, gtin=TWO), key=new_key())))
    assert statuses(answers) == {201: 1, 409: 15}
    assert codes(answers) == {"not_enough_doses"}


def test_the_last_two_doses_of_a_vial_are_given_to_two_of_sixteen(client: Client) -> None:
    batch = in_vials(client, 2)
    order = administration(batch, gtin=TWO)
    answers = at_once(lambda _: insist(lambda: client.post("/administrations", order, key=new_key())))
    assert statuses(answers) == {201: 2, 409: 14}
    tree = client.get(f"/batches/{TWO}/{batch}/trail").ok()
    assert (tree["administered"], tree["on_hand"]) == (2, 0)


class Storm:
    """A crowd that does for some seconds whatever comes to its mind with the same few doses."""

    def __init__(self, client: Client, seconds: float) -> None:
        self.client, self.seconds = client, seconds
        self.batches = sorted(at_county(client, 400) for _ in range(2))
        for _ in range(3):
            self.unload(self.both(40, self.batches))

    def both(self, doses: int, batches: list[str]) -> Json:
        """A dispatch of both batches, in the order that is given."""
        return dispatch("", lines=[{"gtin": ONE, "batch": batch, "doses": doses} for batch in batches])

    def unload(self, order: Json) -> Answer:
        """A shipment that is sent and received."""
        answer = self.client.post("/shipments", order)
        if answer.status != 201:
            return answer
        return self.client.post(f"/shipments/{answer.body['shipment']}/receipts", arrival())

    def blow(self, number: int) -> list[Answer]:
        """What one of the crowd was answered."""
        dice, until = random.Random(number), time.monotonic() + self.seconds
        answers = []
        while time.monotonic() < until:
            answers.append(self.act(dice, dice.choice(self.batches)))
        return answers

    def act(self, dice: random.Random, batch: str) -> Answer:
        """One event of some kind."""
        post, doses = self.client.post, dice.randint(1, 3)
        both = dice.sample(self.batches, 2)
        counted = stock(batch, appliance="A-FRIDGE", counted=dice.randint(20, 60), reason="once more")
        lines = {"administrations": [administration(each, doses) for each in both]}
        acts: list[Callable[[], Answer]] = [
            lambda: post("/administrations", administration(batch, doses)),
            lambda: post("/administration-lists", lines),
            lambda: self.unload(self.both(doses, both)),
            lambda: self.unload(self.both(doses, both)),
            lambda: post("/holds", stock(batch, doses, reason="a doubt")),
            lambda: post("/releases", stock(batch, doses, reason="looked at")),
            lambda: post("/wastages", stock(batch, 1, cause="broken")),
            lambda: post("/counts", counted),
            lambda: self.undone(post("/administrations", administration(batch, doses))),
            lambda: self.undone(post("/recalls", recalled(batch))) if dice.random() < 0.2 else post("/counts", counted),
        ]
        return dice.choice(acts)()

    def undone(self, answer: Answer) -> Answer:
        """The correction of what was answered, if it was carried out."""
        if answer.status != 201:
            return answer
        event = answer.body["events"][-1]["id"]
        return insist(lambda: self.client.post(f"/events/{event}/reversal", reversal()))


def test_a_storm_of_events_over_the_same_doses_knows_no_deadlock(postgresql_template: PostgresTemplate) -> None:
    with postgresql_template.clone() as url:
        database = Database(url)
        try:
            with serving(build(database), connections=CROWD) as server:
                storm = Storm(server.client, 5)
                answers = [answer for each in at_once(storm.blow) for answer in each]
            found = statuses(answers)
            assert set(found) <= {200, 201, 409, 503}, found
            assert found[503] <= 0.01 * found.total(), found
            verdict = verify(database)
            assert verdict.holds, verdict
        finally:
            database.close()
        assert deadlocks(postgresql_template.server.admin_url, url) == 0, found


def deadlocks(admin_url: str, url: str) -> int:
    """How many deadlocks the server has had to break in a database, once its connections are closed."""
    with psycopg.connect(admin_url) as connection:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = %s"
        (found,) = connection.execute(query, [urlsplit(url).path[1:]]).fetchone() or (0,)
    return int(found)


def test_eight_writers_of_every_kind_queue_on_sqlite(sqlite_template: SqliteTemplate) -> None:
    with sqlite_template.clone() as url:
        database = Database(url)
        try:
            with serving(build(database), connections=8) as server:
                storm = Storm(server.client, 3)
                answers = [answer for each in at_once(storm.blow, 8) for answer in each]
            assert set(statuses(answers)) <= {200, 201, 409}, statuses(answers)
            assert not any("locked" in answer.content.decode() for answer in answers)
            assert verify(database).holds
        finally:
            database.close()
