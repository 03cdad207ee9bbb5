"""Writing stock events: facts first, the guarded updates last and in one order, so that writers cannot deadlock."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take, pick
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.words import Chosen, End, EventKind
from inventory.persistence.database import ATTEMPT, LostRace
from inventory.persistence.tables import Batch, Custody, Deadline, Facility, Movement, StockEvent
from inventory.services.ids import new_id
from inventory.services.posting import PostedEvent, PostedMovement, Request


@dataclass
class Draft:
    """One event of one batch while it is being put together."""

    kind: EventKind
    batch: Batch
    facility: Facility
    occurred_at: datetime
    shipment_id: UUID | None = None
    reason: str | None = None
    details: dict[str, Any] | None = None
    id: UUID = field(default_factory=new_id)
    movements: list[dict[str, Any]] = field(default_factory=list)
    custodies: list[dict[str, Any]] = field(default_factory=list)
    deadlines: list[dict[str, Any]] = field(default_factory=list)

    def open_custody(self, location_id: UUID, doses: int, clocks: Iterable[Clock], source: UUID | None = None) -> UUID:
        """Open a custody for doses that come from the custody `source`, or from a supplier."""
        custody_id = new_id()
        self.custodies.append(
            {
                "id": custody_id,
                "batch_id": self.batch.id,
                "event_id": self.id,
                "parent_id": source,
                "location_id": location_id,
                "opened_at": self.occurred_at,
                "doses": doses,
                "remaining": doses,
            }
        )
        for clock in clocks:
            self.deadlines.append(
                {
                    "custody_id": custody_id,
                    "batch_id": self.batch.id,
                    "name": clock.name,
                    "rule_set": clock.rule_set,
                    "opened_at": clock.opened_at,
                    "due_at": clock.due_at,
                }
            )
        return custody_id

    def move(
        self,
        source: UUID | None,
        doses: int,
        chosen: Chosen | None,
        *,
        to: UUID | None = None,
        end: End | None = None,
    ) -> None:
        """Move doses out of a custody, into another or to an end."""
        self.movements.append(
            {
                "id": new_id(),
                "batch_id": self.batch.id,
                "event_id": self.id,
                "from_custody_id": source,
                "to_custody_id": to,
                "end_kind": end,
                "doses": doses,
                "occurred_at": self.occurred_at,
                "chosen": chosen,
            }
        )

    def posted(self, request: Request) -> PostedEvent:
        """The event as it is recorded."""
        lines = tuple(
            PostedMovement(
                line["from_custody_id"],
                line["to_custody_id"],
                line["end_kind"],
                line["doses"],
                line["chosen"],
            )
            for line in self.movements
        )
        return PostedEvent(
            self.id,
            self.kind,
            self.facility.code,
            self.batch.gtin,
            self.batch.number,
            self.occurred_at,
            request.now,
            lines,
        )


def record(session: Session, request: Request, drafts: Sequence[Draft]) -> tuple[PostedEvent, ...]:
    """Write the drafts and take the doses out of their custodies.

    Raises:
        LostRace: another writer has taken the doses meanwhile; the transaction is to be run again.
    """
    session.execute(insert(StockEvent), [_event_row(draft, request) for draft in drafts])
    for table, rows in (
        (Custody, [row for draft in drafts for row in draft.custodies]),
        (Deadline, [row for draft in drafts for row in draft.deadlines]),
        (Movement, [row for draft in drafts for row in draft.movements]),
    ):
        if rows:
            session.execute(insert(table), rows)
    _take_out(session, drafts)
    return tuple(draft.posted(request) for draft in drafts)


def _event_row(draft: Draft, request: Request) -> dict[str, Any]:
    return {
        "id": draft.id,
        "batch_id": draft.batch.id,
        "kind": draft.kind,
        "facility_id": draft.facility.id,
        "shipment_id": draft.shipment_id,
        "occurred_at": draft.occurred_at,
        "recorded_at": request.now,
        "actor_id": request.actor.id,
        "reason": draft.reason,
        "details": draft.details,
    }


def _take_out(session: Session, drafts: Sequence[Draft]) -> None:
    taken: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
    for draft in drafts:
        for line in draft.movements:
            if line["from_custody_id"]:
                taken[draft.batch.id, line["from_custody_id"]] += line["doses"]
    for (batch_id, custody_id), doses in sorted(taken.items()):
        guarded = (
            update(Custody)
            .where(Custody.id == custody_id, Custody.batch_id == batch_id, Custody.remaining >= doses)
            .values(remaining=Custody.remaining - doses)
            .execution_options(synchronize_session=False)
        )
        if session.execute(guarded).rowcount != 1:  # type: ignore[attr-defined]
            raise LostRace


@dataclass(frozen=True)
class Wanted:
    """Doses of a batch wanted from some locations at an instant; `custody` where the caller names one."""

    batch: Batch
    doses: int
    locations: Sequence[UUID]
    at: datetime
    custody: UUID | None = None


def choose(session: Session, wanted: Wanted) -> tuple[list[Take], Chosen]:
    """The custodies to take from: the one that was named, or those whose turn it is.

    Raises:
        Conflict: `not_enough_doses`.
        Invalid: `wrong_custody` when the named one is not there, `time_before_custody` when it opened later.
    """
    if session.info.get(ATTEMPT):
        _hold(session, wanted)
    if wanted.custody is not None:
        return pick([_named(session, wanted)], wanted.doses), Chosen.NAMED
    there = _held(wanted).where(Custody.remaining > 0, Custody.opened_at <= wanted.at)
    return pick(_holdings(session, wanted, there), wanted.doses), Chosen.PICKED


def _hold(session: Session, wanted: Wanted) -> None:
    """Keep others from what could be chosen, after they were faster before: waiting is dearer than choosing freely."""
    candidates = select(Custody.id).where(
        Custody.batch_id == wanted.batch.id, Custody.location_id.in_(wanted.locations), Custody.remaining > 0
    )
    session.execute(candidates.order_by(Custody.id).with_for_update(key_share=True)).all()


def _held(wanted: Wanted) -> Any:
    """Custodies of the batch in those locations, each with its earliest deadline."""
    return (
        select(Custody.id, Custody.remaining, Custody.opened_at, func.min(Deadline.due_at).label("due_at"))
        .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
        .where(Custody.batch_id == wanted.batch.id, Custody.location_id.in_(wanted.locations))
        .group_by(Custody.id, Custody.batch_id)
    )


def _holdings(session: Session, wanted: Wanted, query: Any) -> list[Holding]:
    rows = session.execute(query).all()
    return [Holding(row.id, row.remaining, wanted.batch.expiry, row.due_at, row.opened_at) for row in rows]


def _named(session: Session, wanted: Wanted) -> Holding:
    found = _holdings(session, wanted, _held(wanted).where(Custody.id == wanted.custody))
    if not found:
        raise Invalid(Code.WRONG_CUSTODY, "custody", wanted.custody, N_("a custody of this batch at this place"))
    if found[0].opened_at > wanted.at:
        expected = N_("a time not before the custody's opening, %(opened)s")
        raise Conflict(
            Code.TIME_BEFORE_CUSTODY,
            "occurred_at",
            wanted.at.isoformat(),
            expected,
            opened=found[0].opened_at.isoformat(),
        )
    return found[0]


def clocks_on(session: Session, batch: Batch, custodies: Iterable[UUID]) -> dict[UUID, list[Clock]]:
    """The deadlines that run on custodies."""
    running: dict[UUID, list[Clock]] = defaultdict(list)
    query = select(Deadline).where(Deadline.batch_id == batch.id, Deadline.custody_id.in_(list(custodies)))
    for row in session.scalars(query):
        running[row.custody_id].append(Clock(row.rule_set, row.name, row.opened_at, row.due_at))
    return running
