"""One step of a day: a request that staff send at a simulated instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Lot:
    """Doses of a batch on a site's shelf."""

    gtin: str
    batch: str
    expiry: date
    doses: int


@dataclass(frozen=True, slots=True)
class Trip:
    """Loggers on a trip; who receives the trip sends what they saw."""

    loggers: tuple[str, ...]
    since: datetime
    until: datetime
    gateway: str


@dataclass(frozen=True, slots=True)
class Step:
    """A request to the ledger.

    Attributes:
        at: when it is sent, unless the county is late.
        key: its Idempotency-Key, and the name by which other steps know it.
        holder: whose token it is sent with.
        path: its address, with `{shipment}` where it is about the shipment that the step `follows` began.
        body: its JSON; `occurred_at` is `at` whenever it is sent.
        follows: the key of the dispatch that this step receives.
        trip: what ends with it.
        doses: how many people get one, 0 where it only moves doses.
    """

    at: datetime
    key: str
    holder: str
    path: str
    body: Mapping[str, object]
    follows: str | None = None
    trip: Trip | None = None
    doses: int = 0


def merged(steps: Iterable[Step]) -> list[Step]:
    """Doses of one batch at one site in one request: how sites catch up when they are far behind."""
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        groups.setdefault(tuple(step.body[name] for name in ("facility", "gtin", "batch")), []).append(step)
    return [_one(group) for group in groups.values()]


def _one(group: list[Step]) -> Step:
    """The group as it stands at the time of its last dose: all its doses were there by then."""
    doses = sum(step.doses for step in group)
    last = group[-1]
    return replace(last, key=group[0].key, body={**last.body, "doses": doses}, doses=doses)
