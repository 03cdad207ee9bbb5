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
        body: its JSON; its `occurred_at` stays as planned however late it is sent.
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
    """The group's first step with what the last one says: by its time all these doses were there."""
    doses = sum(step.doses for step in group)
    return replace(group[0], body={**group[-1].body, "doses": doses}, doses=doses)
