"""A count and an entry of an earlier time, at one moment on PostgreSQL: the book ends as if one had come first."""

import threading
from collections.abc import Callable, Iterator

import pytest

from inventory.persistence.database import Database
from tests.county import HOUR, MINUTE, NOW, ONE, build
from tests.http import Answer, Client, Server, serving
from tests.orders import Json, arrival, at_county, at_site, dispatch, stated
from tests.services import PostgresTemplate

ROUNDS = 10
Post = Callable[[], Answer]


@pytest.fixture(scope="module")
def server(postgresql_template: PostgresTemplate) -> Iterator[Server]:
    with postgresql_template.clone() as url:
        database = Database(url)
        with serving(build(database), connections=8) as found:
            yield found
        database.close()


@pytest.fixture
def client(server: Server) -> Client:
    return server.client


def together(*posts: Post) -> list[Answer]:
    """The answers to posts that are sent at one moment."""
    barrier, found = threading.Barrier(len(posts)), dict[int, Answer]()

    def send(number: int, post: Post) -> None:
        barrier.wait()
        found[number] = post()

    threads = [threading.Thread(target=send, args=each) for each in enumerate(posts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return [found[number] for number in range(len(posts))]


def counted(batch: str, doses: int, ago: int = 30, **more: object) -> Json:
    about = {"facility": "SITE-A", "appliance": "A-FRIDGE", "gtin": ONE, "batch": batch, "reason": "as counted"}
    return {**about, "counted": doses, "occurred_at": stated(NOW - ago * MINUTE), **more}


def stock(client: Client, batch: str) -> int:
    """In the fridge of site A, those that were found in its quarantine with them."""
    there = client.get("/stock", batch=batch, facility="SITE-A").items
    return sum(each["doses"] for each in there if each["place"]["appliance"] == "A-FRIDGE")


@pytest.mark.parametrize("path", ["/wastages", "/administrations"])
def test_doses_that_a_count_misses_do_not_leave_once_more(client: Client, path: str) -> None:
    for _ in range(ROUNDS):
        batch = at_site(client, 10)
        about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": 5}
        order = (
            about | {"occurred_at": stated(NOW - 40 * MINUTE)} | ({"cause": "broken"} if path == "/wastages" else {})
        )
        together(
            lambda order=order: client.post(path, order),  # type: ignore[misc]
            lambda batch=batch: client.post("/counts", counted(batch, 5)),  # type: ignore[misc]
        )
        assert stock(client, batch) == 5


def test_doses_that_come_are_not_found_once_more(client: Client) -> None:
    for _ in range(ROUNDS):
        batch = at_county(client, 10)
        shipment = client.post("/shipments", dispatch(batch, 5)).ok()["shipment"]
        path = f"/shipments/{shipment}/receipts"
        together(
            lambda path=path: client.post(path, arrival(occurred_at=stated(NOW - HOUR))),  # type: ignore[misc]
            lambda batch=batch: client.post("/counts", counted(batch, 5)),  # type: ignore[misc]
        )
        assert stock(client, batch) == 5


def test_two_who_find_the_same_doses_find_them_once(client: Client) -> None:
    for _ in range(ROUNDS):
        batch = at_county(client, 10)
        answers = together(*[lambda b=batch: client.post("/counts", counted(b, 5, held=True))] * 2)
        assert {each.status for each in answers} == {201}
        assert stock(client, batch) == 5


def test_a_count_that_is_undone_and_another_leave_what_was_counted(client: Client) -> None:
    for _ in range(ROUNDS):
        batch = at_site(client, 10)
        first = client.post("/counts", counted(batch, 8, 40)).ok()["events"][0]["id"]
        together(
            lambda e=first: client.post(f"/events/{e}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}),  # type: ignore[misc]
            lambda batch=batch: client.post("/counts", counted(batch, 8, 20)),  # type: ignore[misc]
        )
        assert stock(client, batch) == 8
