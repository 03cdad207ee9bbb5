"""One step of a day: a request that staff send at a simulated instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

LISTS = "/api/v1/administration-lists"

LONGEST = 500
"""Steps in one list: there may be lists among them, and the service takes a thousand doses at most."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lot:
    """Doses of a batch on a shelf."""

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
        path: its address, with `{shipment}`, `{way_back}` or `{event}` where it is about what the step that it
            follows began: a shipment, the one that takes back what was refused, or its last event.
        body: its JSON; its `occurred_at` stays as planned however late it is sent.
        follows: the key of that step.
        names: the field of the body that has to name that step's event.
        trip: what ends with it.
        looks_at: the sensors whose readings up to then have to be in before it is decided, and their excursions over.
        doses: how many people get one, 0 where it only moves doses.
        awaited: others follow it, so that its answer is needed.
    """

    at: datetime
    key: str
    holder: str
    path: str
    body: Body
    follows: str | None = None
    names: str | None = None
    trip: Trip | None = None
    looks_at: tuple[str, ...] = ()
    doses: int = 0
    awaited: bool = False

    @property
    def is_alone(self) -> bool:
        """Whether it is sent by itself, after all that was sent before: a movement, or what others follow."""
        return self.awaited or not self.doses

    @property
    def administrations(self) -> Sequence[Body]:
        """The lines of a list, or the one administration."""
        return self.body["administrations"] if self.path == LISTS else (self.body,)

    @property
    def site(self) -> str:
        """Where its doses are given."""
        return str(self.administrations[0]["facility"])


def in_lists(steps: Iterable[Step]) -> list[list[Step]]:
    """Doses by the site where they were given: a site sends its own in one list when it is far behind."""
    by_site: dict[str, list[Step]] = {}
    for step in steps:
        by_site.setdefault(step.site, []).append(step)
    return [group[first : first + LONGEST] for group in by_site.values() for first in range(0, len(group), LONGEST)]


def as_list(group: Sequence[Step]) -> Step:
    """One request for the doses of a site; the same doses always make the same request."""
    if len(group) == 1:
        return group[0]
    lines = [line for step in group for line in step.administrations]
    key = f"{group[0].key}-and-{len(group) - 1}"
    return replace(group[0], key=key, path=LISTS, body={"administrations": lines}, doses=len(lines))
