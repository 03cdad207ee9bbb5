"""Many at one moment: a crowd that begins together, and what each of it was answered."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from tests.county import TWO
from tests.http import Answer, Client
from tests.orders import arrival, at_county, dispatch

CROWD = 16
T = TypeVar("T")


def at_once(work: Callable[[int], T], crowd: int = CROWD) -> list[T]:
    """What each of a crowd got that began at one moment."""
    gate = Barrier(crowd)

    def begin(number: int) -> T:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(crowd) as pool:
        return list(pool.map(begin, range(crowd)))


def statuses(answers: Iterable[Answer]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(answer.status for answer in answers)


def codes(answers: Iterable[Answer]) -> set[str]:
    """The codes of those that were refused."""
    return {answer.body["code"] for answer in answers if answer.status >= 400}


def insist(send: Callable[[], Answer]) -> Answer:
    """Send once more while the answer is that too many write at this moment, as Retry-After asks."""
    answer = send()
    while answer.status == 503:
        answer = send()
    return answer


def held(client: Client, batch: str) -> Counter[str]:
    """How many doses of a batch lie in each kind of location."""
    found: Counter[str] = Counter()
    for item in client.get("/stock", batch=batch, limit=1000).items:
        found[item["place"]["kind"]] += item["doses"]
    return found


def left(client: Client, batch: str) -> int:
    """How many doses of a batch are somewhere."""
    return held(client, batch).total()


def in_vials(client: Client, doses: int) -> str:
    """A batch with so many doses in vials of two at site A."""
    batch = at_county(client, doses, gtin=TWO)
    lines = [{"gtin": TWO, "batch": batch, "doses": doses}]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch
