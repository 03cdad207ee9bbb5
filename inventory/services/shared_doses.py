"""The doses that shared something with another, line by line: where they are, or how they ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, null, select, union_all
from sqlalchemy.orm import Session

from inventory.domain.words import End
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Custody, Location, Movement, StockEvent
from inventory.services.fates import Doses
from inventory.services.paging import Page, page
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class SharedDoses:
    """Doses that shared something: where they are since `at`, or how and from where they ended then (`end`)."""

    gtin: str
    batch: str
    custody: UUID
    place: Place
    doses: int
    end: End | None
    at: datetime
    event: UUID | None
    recipient: str | None


def page_of_doses(
    session: Session,
    doses: Doses,
    batch_id: UUID,
    own_events: Collection[UUID],
    same_batch: bool | None,
    after: str | None,
    limit: int,
) -> Page[SharedDoses]:
    """A page of doses, by when they ended or came where they are, without those that some events gave.

    Those of a batch where `same_batch`, of all others where it is False, and all of them where it is None.
    """
    line = _lines(doses, own_events).subquery("line")
    query = select(line)
    if same_batch is not None:
        same = line.c.batch_id == batch_id
        query = query.where(same if same_batch else ~same)
    found = page(session, query, [line.c.at, line.c.id], after, limit)
    return found.map(_Told(session, found.items).doses)


def _lines(doses: Doses, own_events: Collection[UUID]) -> Any:
    """The ends of doses and the custodies that hold the others, as one table; what was corrected cancels itself out."""
    undone = select(StockEvent.reverses_id).where(
        StockEvent.reverses_id == Movement.event_id, StockEvent.batch_id == Movement.batch_id
    )
    ends: Select[*tuple[Any, ...]] = doses.ends(
        Movement.occurred_at.label("at"),
        Movement.id.label("id"),
        Movement.batch_id.label("batch_id"),
        Movement.from_custody_id.label("custody_id"),
        Movement.end_kind.label("end_kind"),
        Movement.doses.label("doses"),
        Movement.event_id.label("event_id"),
    ).where(Movement.reverses_id.is_(None), ~undone.exists(), Movement.event_id.not_in(own_events))
    left = doses.left(Custody.opened_at, Custody.id, Custody.batch_id, Custody.id, null(), Custody.remaining, null())
    return union_all(ends, left)


class _Told:
    """What is told of the lines of a page, each kind of it asked for once: the lines themselves may be very many."""

    def __init__(self, session: Session, lines: Sequence[Any]) -> None:
        custodies = with_place(
            select(Custody.id, Batch.gtin, Batch.number)
            .join(Batch, Batch.id == Custody.batch_id)
            .join(Location, Location.id == Custody.location_id)
        )
        found = rows_in(session, custodies, Custody.id, {line.custody_id for line in lines})
        self._custodies = {row.id: row for row in found}
        events = select(StockEvent.id, StockEvent.details)
        given = rows_in(session, events, StockEvent.id, {line.event_id for line in lines if line.event_id})
        self._recipients = {row.id: (row.details or {}).get("recipient") for row in given}

    def doses(self, line: Any) -> SharedDoses:
        """One line."""
        custody = self._custodies[line.custody_id]
        return SharedDoses(
            custody.gtin,
            custody.number,
            custody.id,
            place_of(custody),
            line.doses,
            line.end_kind,
            line.at,
            line.event_id,
            self._recipients.get(line.event_id),
        )
