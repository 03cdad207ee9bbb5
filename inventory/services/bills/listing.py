"""Listing bills: those of a facility, a batch or a shipment, or of one event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain import bills
from inventory.domain.bills import BillType, Direction, Document, DoseGivenBill, InOutBill, Note
from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.transport import TransportRecord
from inventory.domain.words import EventKind, Outcome
from inventory.persistence.database import Database
from inventory.services import events
from inventory.services.bills.facts import Facts, facts_of
from inventory.services.bills.parts import BILLED, SENT, Part, parts_of
from inventory.services.events import Event, EventFilter
from inventory.services.paging import Page


@dataclass(frozen=True)
class Bill:
    """A bill in the platform's shape, `in_out` or `dose_given`, with what that shape has no room for.

    Attributes:
        event: what it is of; of a cancellation, the correction.
        bill_code: the number of the bill, also of the one that a cancellation is of.
        cancelled_by: the correction by which a bill is void.
        doses_without_trace_code: those of `doses` that no code of 20 digits says the packs of.
        other_codes: packs that were scanned and have a code of another kind.
        from_bills: the numbers of the bills by which the doses were sent here.
        notes: what has to be known before it is uploaded anywhere.
    """

    event: UUID
    kind: EventKind
    document: Document
    bill_code: str
    bill_type: BillType
    facility: str
    gtin: str
    batch: str
    doses: int
    doses_without_trace_code: int
    other_codes: tuple[str, ...]
    shipment: UUID | None
    from_bills: tuple[str, ...]
    cancelled_by: UUID | None
    cancel_reason: str | None
    notes: tuple[Note, ...]
    in_out: InOutBill | None = None
    dose_given: DoseGivenBill | None = None

    @property
    def official(self) -> bool:
        """Never: nobody has certified this shape."""
        return False

    @property
    def direction(self) -> Direction:
        """Which way the doses go."""
        return self.bill_type.direction

    @property
    def in_vaccine_interface(self) -> bool:
        """Whether the vaccine interface takes such a bill."""
        return self.bill_type.in_vaccine_interface


def list_bills(database: Database, wanted: EventFilter, after: str | None, limit: int) -> Page[Bill]:
    """The bills of `limit` events at most, in the order in which these happened; one event may have none or several.

    Raises:
        Invalid: as `events.list_events`.
    """
    with database.read() as session:
        found = events.page_of_events(session, replace(wanted, kinds=BILLED), after, limit)
        return Page(_bills(session, found.items), found.next)


def event_bills(database: Database, event: UUID) -> list[Bill]:
    """The bills of one event; NotFound `not_found`."""
    with database.read() as session:
        return _bills(session, [one_event(session, event)])


def one_event(session: Session, event: UUID) -> Event:
    """An event by its id; NotFound `not_found`."""
    found = events.events_of(session, [event])
    if event not in found:
        raise NotFound(Code.NOT_FOUND, "event", event, N_("the id of an event"))
    return found[event]


def _bills(session: Session, found: Sequence[Event]) -> list[Bill]:
    reversed_ids = {each.reverses for each in found if each.reverses}
    originals = events.events_of(session, reversed_ids)
    facts = facts_of(session, [*found, *originals.values()])
    return [bill for each in found for bill in _documents(each, originals, facts)]


def _documents(event: Event, originals: dict[UUID, Event], facts: Facts) -> list[Bill]:
    """An event's bills; of a correction, that the bills of what it reversed are void."""
    if event.reverses is None:
        return _bills_of(event, facts)
    return [_cancelled(bill, event) for bill in _bills_of(originals[event.reverses], facts)]


def _cancelled(bill: Bill, correction: Event) -> Bill:
    in_out = replace(bill.in_out, cancel_reason_des=correction.reason) if bill.in_out else None
    return replace(
        bill,
        event=correction.id,
        kind=correction.kind,
        document=Document.CANCELLATION,
        cancelled_by=correction.id,
        cancel_reason=correction.reason,
        in_out=in_out,
    )


def _bills_of(event: Event, facts: Facts) -> list[Bill]:
    parts = parts_of(event, facts)
    of_packs = next((part for part in parts if part.scanned), parts[0] if parts else None)
    return [_bill(event, part, facts, event.details.get("packs", {}) if part is of_packs else {}) for part in parts]


def _bill(event: Event, part: Part, facts: Facts, packs: dict[str, int]) -> Bill:
    codes = bills.trace_codes(packs)
    sources = _sources(part, facts)
    bill = Bill(
        event=event.id,
        kind=event.kind,
        document=Document.BILL,
        bill_code=bills.bill_code(part.type, event.id),
        bill_type=part.type,
        facility=event.facility,
        gtin=event.gtin,
        batch=event.batch,
        doses=part.doses,
        doses_without_trace_code=max(part.doses - sum(packs[code] for code in codes), 0),
        other_codes=tuple(sorted(set(packs) - set(codes))),
        shipment=part.trip.id if part.trip else event.shipment,
        from_bills=tuple(code for code, _ in sources),
        cancelled_by=event.corrected_by,
        cancel_reason=None,
        notes=(),
    )
    bill = replace(bill, notes=_notes(bill, event, part, codes))
    if part.type is BillType.DOSE_GIVEN:
        return replace(bill, dose_given=_dose_given(event, bill, codes))
    return replace(bill, in_out=_in_out(event, part, bill, codes, [reason for _, reason in sources]))


def _sources(part: Part, facts: Facts) -> list[tuple[str, str | None]]:
    """The bills by which doses that came in by a shipment were sent, and the reasons of these."""
    if part.trip is None or part.type.direction is not Direction.IN:
        return []
    sent = {facts.put_aboard(line.from_custody) for line in part.movements if line.from_custody}
    kind = SENT[part.trip.purpose]
    return [(bills.bill_code(kind, each), facts.reasons[each]) for each in sorted(sent - {None}, key=str) if each]


def _notes(bill: Bill, event: Event, part: Part, codes: tuple[str, ...]) -> tuple[Note, ...]:
    held = event.details.get("outcome") == Outcome.HOLD and bill.direction is Direction.IN
    true = {
        Note.NO_TRACE_CODES: not codes,
        Note.DOSES_WITHOUT_TRACE_CODES: bool(codes) and bill.doses_without_trace_code > 0,
        Note.CODES_OF_ANOTHER_KIND: bool(bill.other_codes),
        Note.SEVERAL_OUTGOING_BILLS: len(bill.from_bills) > 1,
        Note.OUTSIDE_VACCINE_INTERFACE: not bill.in_vaccine_interface,
        Note.GOODS_HELD: held,
        Note.ON_THEIR_WAY: part.on_the_way,
        Note.EXPLAINED_AFTERWARDS: "explanation" in event.details,
    }
    return tuple(note for note, holds in true.items() if holds)


def _dose_given(event: Event, bill: Bill, codes: tuple[str, ...]) -> DoseGivenBill:
    return DoseGivenBill(
        trace_codes=codes,
        bill_code=bill.bill_code,
        bill_time=bills.bill_time(event.occurred_at),
        ref_user_id=event.facility,
        customer_id_type=bills.OTHER_DOCUMENT if event.recipient else None,
        customer_id=event.recipient,
    )


def _in_out(event: Event, part: Part, bill: Bill, codes: tuple[str, ...], reasons: Sequence[str | None]) -> InOutBill:
    transport = part.transport or TransportRecord()
    return InOutBill(
        trace_codes=codes,
        bill_code=bill.bill_code,
        bill_time=bills.bill_time(event.occurred_at),
        bill_type=part.type,
        physic_type=bills.physic_type(codes),
        ref_user_id=event.facility,
        from_user_id=part.sender,
        to_user_id=part.receiver,
        oper_ic_name=event.actor,
        return_reason_des=_why_returned(event, part, reasons),
        cancel_reason_des=_why_destroyed(event) if part.type is BillType.DESTROY_OUT else None,
        from_bill_code=bill.from_bills[0] if len(bill.from_bills) == 1 else None,
        from_person=transport.handed_over_by,
        to_person=transport.taken_by,
    )


def _why_returned(event: Event, part: Part, reasons: Sequence[str | None]) -> str | None:
    """What was said when the doses went back, or when they were found where they had been sent from."""
    if not part.type.of_a_return:
        return None
    if part.type is BillType.RETURN_OUT or "explanation" in event.details:
        return event.reason
    return "; ".join(sorted({each for each in reasons if each})) or None


def _why_destroyed(event: Event) -> str | None:
    """The cause in our word, and what was said beside it."""
    return ": ".join(text for text in (event.cause, event.reason) if text) or None
