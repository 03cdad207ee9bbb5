"""Taking EPCIS events in: each once, by its id, as the order to the ledger that it stands for.

An event is claimed first, then carried out under a key that is made of its id, then its outcome is written beside it:
whoever dies in between and sends it again finds what the ledger has already. So only who claimed it goes on with it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from inventory.domain.epcis.capture import CaptureState, Movement, events_in, is_movement, movement
from inventory.domain.epcis.goods import Around, around
from inventory.domain.epcis.hashing import namespaces_of
from inventory.domain.errors import N_, Code, ColdtrailError, Conflict, Invalid, Unavailable
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_unless_there
from inventory.persistence.tables import CapturedEvent, Facility, StockEvent
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.deliveries import ArrivalOrder, receive_shipment
from inventory.services.epcis.orders import REASON, Order, order_of, parties_of
from inventory.services.ids import new_id
from inventory.services.posting import Fault, Posted, Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, dispatch, return_doses


class Outcome(StrEnum):
    """What was made of an event of a document."""

    POSTED = "posted"
    ANNOUNCED = "announced"
    KNOWN = "known"
    CORRECTED = "corrected"
    NOT_TAKEN = "not-taken"
    """Neither a shipping nor a receiving, or the declaration of an error in what was never taken in."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Captured:
    """What was made of one event: by which stock events, for which shipment, or why not."""

    event_id: str | None
    outcome: Outcome
    posted: tuple[UUID, ...] = ()
    shipment: UUID | None = None
    fault: Fault | None = None


def capture(database: Database, request: Request, document: Any) -> list[Captured]:
    """Take the events of a document in, one by one; one that is refused leaves the others as they are.

    Raises:
        Invalid: `malformed` for what is no EPCISDocument, naming the path.
    """
    document = _plain(document)
    events = events_in(document)
    namespaces = namespaces_of(document.get("@context"))
    beside = around(events)
    return [
        _capture(database, request, event, namespaces, beside, f"epcisBody.eventList[{place}]")
        for place, event in enumerate(events)
    ]


def _plain(document: Any) -> Any:
    """A document as JSON columns take it, with numbers as floats.

    Raises:
        Invalid: `malformed` for a number that is beyond them.
    """
    return json.loads(json.dumps(document, default=_float)) if isinstance(document, dict | list) else None


def _float(number: Decimal) -> float:
    found = float(number)
    if not isfinite(found):
        raise Invalid(Code.MALFORMED, "document", number, N_("numbers below 10 to the power of 308"))
    return found


def _capture(
    database: Database,
    request: Request,
    event: Any,
    namespaces: Mapping[str, str],
    beside: Around,
    path: str,
) -> Captured:
    stated = event.get("eventID") if isinstance(event, Mapping) else None
    if not is_movement(event):
        return Captured(stated, Outcome.NOT_TAKEN)
    try:
        told = movement(event, namespaces, path)
        return _Capture(database, request, told, event).done(beside)
    except ColdtrailError as error:
        return Captured(stated, Outcome.REFUSED, fault=Fault.of(error))


class _Capture:
    """One event on its way into the ledger."""

    def __init__(self, database: Database, request: Request, told: Movement, event: Mapping[str, Any]) -> None:
        self._database, self._told, self._event = database, told, event
        self._request = Request(request.actor, request.now, _key(told))

    def done(self, beside: Around) -> Captured:
        """What is made of it."""
        with self._database.read() as session:
            if _is_ours(session, self._told):
                return Captured(self._told.event_id, Outcome.KNOWN)
            known = _known(session, self._told)
        declared_at = self._told.declared_at
        if declared_at is not None:
            return self._corrected(known, declared_at) if known is not None else self._never()
        if known is not None and known.state is not CaptureState.TAKEN:
            return _as_before(known)
        with self._database.read() as session:
            owner, order = order_of(session, self._told, beside)
        if order is None:
            self._request.actor.may_write_for(owner)
        self._claim(owner, CaptureState.TAKEN if order else CaptureState.ANNOUNCED)
        if order is None:
            return Captured(self._told.event_id, Outcome.ANNOUNCED)
        return self._posted(order)

    def _claim(self, owner: Facility, state: CaptureState) -> None:
        """Write that it is taken in; another's claim stands in the way until he has gone on with it."""
        row = {
            "id": new_id(),
            "event_id": self._told.event_id,
            "digest": self._told.digest,
            "state": state,
            "captured_at": self._request.now,
            "actor_id": self._request.actor.id,
            "facility_id": owner.id,
            "advice": self._told.advice,
            "shipment_id": None,
            "document": self._event,
            "posted": [],
        }

        def work(session: Session) -> None:
            if not insert_unless_there(session, CapturedEvent, [row]):
                found = _known(session, self._told)
                if found is not None and found.actor_id != self._request.actor.id:
                    raise Conflict(
                        Code.ALREADY_EXISTS, "eventID", self._told.event_id, N_("to be sent again by who sent it first")
                    )

        self._database.write(work)

    def _posted(self, order: Order) -> Captured:
        try:
            posted = _carried_out(self._database, self._request, order)
        except Unavailable:  # it may have been carried out all the same: the claim stays with who made it
            raise
        except ColdtrailError:
            self._database.write(lambda session: session.execute(delete(CapturedEvent).where(*self._mine)))
            raise
        events = tuple(each.id for each in posted.events)
        self._database.write(lambda session: self._keep(session, events, posted.shipment))
        return Captured(self._told.event_id, Outcome.POSTED, events, posted.shipment)

    def _keep(self, session: Session, events: Sequence[UUID], shipment: UUID | None) -> None:
        """Write what it became; goods that were announced under the same advice have arrived."""
        done = {"state": CaptureState.POSTED, "posted": [str(each) for each in events], "shipment_id": shipment}
        session.execute(update(CapturedEvent).where(CapturedEvent.event_id == self._told.event_id).values(**done))
        if self._told.step == "receiving" and self._told.advice is not None:
            announced = (CapturedEvent.advice == self._told.advice) & (CapturedEvent.state == CaptureState.ANNOUNCED)
            session.execute(update(CapturedEvent).where(announced).values(state=CaptureState.ARRIVED))

    @property
    def _mine(self) -> tuple[Any, ...]:
        """The claim, as long as nothing came of it."""
        return CapturedEvent.event_id == self._told.event_id, CapturedEvent.state == CaptureState.TAKEN

    def _never(self) -> Captured:
        """Of an event that was declared an error before it came here nothing is to come, should it come after all."""
        with self._database.read() as session:
            owner = parties_of(session, self._told).owner
        self._request.actor.may_write_for(owner)
        self._claim(owner, CaptureState.WITHDRAWN)
        return Captured(self._told.event_id, Outcome.NOT_TAKEN)

    def _corrected(self, known: CapturedEvent, declared_at: datetime) -> Captured:
        """What was posted of the event is reversed; its declaration has the same id."""
        if known.state in {CaptureState.ANNOUNCED, CaptureState.WITHDRAWN}:
            return self._withdrawn()
        if known.state is CaptureState.TAKEN:  # its order may have been carried out: who sent it has to go on with it
            expected = N_("to be sent again without its declaration first, for it was not taken in to the end")
            raise Conflict(Code.ALREADY_EXISTS, "eventID", self._told.event_id, expected)
        corrections: list[UUID] = []
        for each in known.posted:
            request = Request(self._request.actor, self._request.now, f"{self._request.key}:{each}")
            order = CorrectionOrder(UUID(each), declared_at, REASON)
            corrections += [event.id for event in correct(self._database, request, order).events]
        return Captured(self._told.event_id, Outcome.CORRECTED, tuple(corrections), known.shipment_id)

    def _withdrawn(self) -> Captured:
        """An announcement is awaited no longer, unless the goods came meanwhile."""

        def work(session: Session) -> None:
            mine = CapturedEvent.event_id == self._told.event_id
            facility = session.scalars(
                select(Facility).join(CapturedEvent, CapturedEvent.facility_id == Facility.id).where(mine)
            ).one()
            self._request.actor.may_write_for(facility)
            announced = mine & (CapturedEvent.state == CaptureState.ANNOUNCED)
            session.execute(update(CapturedEvent).where(announced).values(state=CaptureState.WITHDRAWN))

        self._database.write(work)
        return Captured(self._told.event_id, Outcome.CORRECTED)


def _carried_out(database: Database, request: Request, order: Order) -> Posted:
    if isinstance(order, ReceiptOrder):
        return receive_goods(database, request, order)
    if isinstance(order, ArrivalOrder):
        return receive_shipment(database, request, order)
    if isinstance(order, DispatchOrder):
        return dispatch(database, request, order)
    return return_doses(database, request, order)


def _is_ours(session: Session, told: Movement) -> bool:
    """Whether it tells of a stock event of this very ledger."""
    try:
        stated = UUID(str(told.stated.get("event")))
    except ValueError:
        return False
    return session.scalars(select(StockEvent.id).where(StockEvent.id == stated)).first() is not None


def _known(session: Session, told: Movement) -> CapturedEvent | None:
    """The event as it was taken in before.

    Raises:
        Conflict: `already_exists` where the same id stands for something else.
    """
    found = session.scalars(select(CapturedEvent).where(CapturedEvent.event_id == told.event_id)).one_or_none()
    if found is not None and found.digest != told.digest:
        raise Conflict(Code.ALREADY_EXISTS, "eventID", told.event_id, N_("another id, for this one has other content"))
    return found


def _as_before(known: CapturedEvent) -> Captured:
    announced = known.state in {CaptureState.ANNOUNCED, CaptureState.ARRIVED}
    outcome = Outcome.ANNOUNCED if announced else Outcome.KNOWN
    return Captured(known.event_id, outcome, tuple(map(UUID, known.posted)), known.shipment_id)


def _key(told: Movement) -> str:
    """The key under which the ledger knows the order; a declaration of an error is another order."""
    kind = "epcis-error" if told.declared_at else "epcis"
    return f"{kind}:{hashlib.sha256(told.event_id.encode()).hexdigest()}"
