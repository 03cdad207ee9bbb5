"""A shipment arrives: whole or in part, damaged, refused, or with more than was sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain import arrivals, deadlines
from inventory.domain.custody import Take, divided
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import stated
from inventory.domain.products import whole_vials
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Chosen, EventKind, LocationKind, Origin, Outcome, Purpose
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Batch,
    Custody,
    Facility,
    Location,
    SensorAssignment,
    Shipment,
    StorageProfile,
)
from inventory.services import assignments, choice, ledger, lookups, packs, shipments, tidings, vials
from inventory.services.holdings import Wanted, Within
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules
from inventory.services.shipments import Line, Trip
from inventory.services.transports import loaded, stored


@dataclass(frozen=True)
class ArrivalLine(Line):
    """Doses of a batch that came: `doses` are dealt with as the order says, whatever the rest is.

    `damaged` are isolated, `refused` go back to the sender, `surplus` came though nobody sent them. `packs` are of
    `doses`, which are what is in them unless more are stated.
    """

    doses: int = 0
    damaged: int = 0
    refused: int = 0
    surplus: int = 0


@dataclass(frozen=True)
class ArrivalOrder:
    """What of a shipment arrived and went into an appliance; no lines mean all that was still on its way."""

    shipment: UUID
    appliance: str
    occurred_at: datetime
    lines: tuple[ArrivalLine, ...] = ()
    outcome: Outcome = Outcome.ACCEPT
    reason: str | None = None
    transport: TransportRecord | None = None


def receive_shipment(database: Database, request: Request, order: ArrivalOrder) -> Posted:
    """Receive what arrived. What was sent and is not received stays in transit, where it can be seen.

    What is held, damaged, recalled or returned goes into quarantine; what is refused goes back as a shipment.

    Raises:
        Forbidden: `forbidden`; `not_your_facility`, for a shipment to somebody else.
        NotFound: `not_found`, for a shipment that is not known.
        Invalid: `wrong_appliance`, `time_before_shipment`, `not_whole_vials`, `wrong_custody`, `repeated_line`;
            `malformed` for a transport that arrives before it left, or a line of no doses.
        Conflict: `not_enough_doses` for more than is still on its way, `no_temperature_record`,
            `temperature_out_of_range`, `idempotency_key_reused`.
    """
    return post(database, request, order, _receive_shipment)


def _receive_shipment(session: Session, request: Request, order: ArrivalOrder) -> Posted:
    may_post(EventKind.RECEIVE, request.actor.role)
    arrival = _Arrival(session, request, order)
    drafts = [arrival.unload(known, line) for known, line in arrival.known_lines()]
    _arrived(session, arrival.shipment, order, arrival.at, request.now)
    events = ledger.record(session, request, drafts)
    tidings.tell_arrival(session, arrival.shipment, events[0], arrival.way_back_id, request.now)
    return Posted(events, arrival.shipment.id, arrival.way_back_id)


@dataclass(frozen=True)
class _Parts:
    """How the doses of a line are dealt with, once the order's outcome is applied."""

    good: int
    damaged: int
    refused: int
    surplus: int

    @staticmethod
    def of(line: ArrivalLine, outcome: Outcome) -> "_Parts":
        """An order that refuses refuses what would have been good."""
        refuses = outcome is Outcome.REFUSE
        good, refused = (0, line.refused + line.doses) if refuses else (line.doses, line.refused)
        return _Parts(good, line.damaged, refused, line.surplus)

    @property
    def told(self) -> dict[str, int]:
        """What was not in order."""
        parts = {"damaged": self.damaged, "refused": self.refused, "surplus": self.surplus}
        return {name: doses for name, doses in parts.items() if doses}


class _Arrival:
    """One shipment at the door: who receives it, into what, and what goes back."""

    def __init__(self, session: Session, request: Request, order: ArrivalOrder) -> None:
        self._session, self._order = session, order
        self.at = stated("occurred_at", order.occurred_at, request.now)
        self.shipment = lookups.shipment(session, order.shipment, hold=True)
        self.receiver = session.get_one(Facility, self.shipment.to_facility_id)
        request.actor.may_write_for(self.receiver)
        happens_at(EventKind.RECEIVE, self.receiver.kind, self.receiver.code)
        if self.at < self.shipment.dispatched_at:
            sent, at = self.shipment.dispatched_at.isoformat(), self.at.isoformat()
            expected = N_("a time not before the dispatch, %(dispatched)s")
            raise Invalid(Code.TIME_BEFORE_SHIPMENT, "occurred_at", at, expected, dispatched=sent)
        loaded(self.shipment.departure, stored(order.transport))  # else nobody could read the shipment's record
        self._appliance = lookups.appliance_of(session, order.appliance, self.receiver)
        self._way_back: Trip | None = None

    @property
    def way_back_id(self) -> UUID | None:
        """The shipment that takes back what was refused."""
        return self._way_back.shipment.id if self._way_back else None

    def known_lines(self) -> Sequence[tuple[KnownBatch, ArrivalLine]]:
        """The lines, or one for each custody on its way."""
        lines = self._order.lines or _on_its_way(self._session, self.shipment)
        return shipments.known_lines(self._session, lines)  # type: ignore[return-value]

    def unload(self, known: KnownBatch, line: ArrivalLine) -> ledger.Draft:
        """One line's doses into the places where they belong."""
        order = self._order
        with shipments.in_line(order.lines, line):
            scanned, asked = self._scanned(known, line)
        parts = _Parts.of(asked, order.outcome)
        self._check(known, parts)
        draft = ledger.Draft(
            EventKind.RECEIVE, known.batch, self.receiver, self.at, self.shipment.id, order.reason,
            details={"outcome": order.outcome, "transport": stored(order.transport), **parts.told},
        )  # fmt: skip
        with shipments.in_line(order.lines, line):
            good, damaged, back, chosen = self._divided(known, asked, parts, scanned)
        self._put(draft, known, good, chosen, held=order.outcome is Outcome.HOLD)
        self._put(draft, known, damaged, chosen, held=True)
        if back:
            shipments.send_on(draft, back, chosen, self._trip_back())
        if parts.surplus:
            self._found(draft, known, parts.surplus)
        return draft

    def _check(self, known: KnownBatch, parts: "_Parts") -> None:
        """Some doses, whole vials, a reason for what is not in order, and for the rest the temperature at the door.

        A line of no doses would make a shipment arrive of which nothing came. What comes back to a store is looked at
        in quarantine, whatever its temperature.
        """
        if not (parts.good or parts.told):
            expected = N_("at least one dose, the damaged, refused and surplus ones counted")
            raise Invalid(Code.MALFORMED, "doses", 0, expected)
        for name, doses in parts.told.items():
            whole_vials(name, doses, known.product.doses_per_vial)
        if parts.told:
            arrivals.reason_given(self._order.reason)
        if parts.good and self.shipment.purpose is not Purpose.RETURN:
            profile = self._session.get_one(StorageProfile, known.product.profile_code)
            temperature = self._order.transport.arrival_temperature if self._order.transport else None
            goods = arrivals.Goods(temperature, profile.low, profile.high, watched=self._watched)
            arrivals.check(self._order.outcome, goods, self._order.reason)

    @cached_property
    def _watched(self) -> bool:
        watch = select(SensorAssignment.sensor_id).where(SensorAssignment.shipment_id == self.shipment.id)
        return self._session.scalars(watch.limit(1)).first() is not None

    def _scanned(self, known: KnownBatch, line: ArrivalLine) -> tuple[list[Take], ArrivalLine]:
        """The packs of a line, and the line with the doses that are in them."""
        if not line.packs:
            return [], line
        scanned, beside = packs.choose(self._session, self._wanted(known, line, line.doses or None), line.packs)
        return scanned, replace(line, doses=beside + sum(take.doses for take in scanned))

    def _divided(
        self, known: KnownBatch, line: ArrivalLine, parts: _Parts, scanned: list[Take]
    ) -> tuple[list[Take], list[Take], list[Take], Chosen]:
        """What is good, damaged and refused; what was scanned is good, or refused with the whole order."""
        packed = sum(take.doses for take in scanned)
        good, back = (parts.good - packed, parts.refused) if parts.good else (0, parts.refused - packed)
        takes, chosen = self._takes(known, line, good + parts.damaged + back, scanned)
        free, damaged, refused = divided(takes, (good, parts.damaged, back))
        if parts.good:
            return [*scanned, *free], damaged, refused, chosen
        return free, damaged, [*scanned, *refused], chosen

    def _takes(
        self, known: KnownBatch, line: ArrivalLine, doses: int, scanned: Sequence[Take]
    ) -> tuple[list[Take], Chosen]:
        if not doses:
            return [], Chosen.PICKED
        wanted = replace(self._wanted(known, line, doses), beside=tuple(scanned))
        return choice.choose_on_board(self._session, wanted, doses)

    def _wanted(self, known: KnownBatch, line: ArrivalLine, doses: int | None) -> Wanted:
        within = Within(self.receiver, shipment_id=self.shipment.id)
        return Wanted(EventKind.RECEIVE, known, doses, within, self.at, line.custody)

    def _put(
        self, draft: ledger.Draft, known: KnownBatch, takes: Sequence[Take], chosen: Chosen, *, held: bool
    ) -> None:
        rules = deadline_rules(self._session, known.product.programme_code, self.receiver, self.at) if takes else []
        returned = self.shipment.purpose is Purpose.RETURN
        for take in takes:
            clocks = deadlines.on_arrival(
                () if returned else rules, self.receiver.kind, self.receiver.zone, self.at, take.holding.clocks
            )
            clocks = vials.put_into(self._appliance.kind, known.product, self.at, clocks)
            isolated = held or returned or known.recalled or take.holding.location_kind is LocationKind.QUARANTINE
            draft.pass_on(take, chosen, self._location(isolated=isolated), clocks)

    def _found(self, draft: ledger.Draft, known: KnownBatch, doses: int) -> None:
        """More came than was sent: nobody knows what it has seen, so it is isolated."""
        rules = deadline_rules(self._session, known.product.programme_code, self.receiver, self.at)
        clocks = deadlines.on_arrival(rules, self.receiver.kind, self.receiver.zone, self.at, ())
        draft.open_root(self._location(isolated=True), doses, Origin.FOUND, clocks)

    def _location(self, *, isolated: bool) -> UUID:
        kind = LocationKind.QUARANTINE if isolated else LocationKind.STORAGE
        return lookups.location_of(self._session, self._appliance, kind)

    def _trip_back(self) -> Trip:
        if self._way_back is None:
            sender = self._session.get_one(Facility, self.shipment.from_facility_id)
            self._way_back = shipments.new_trip(self._session, self.receiver, sender, Purpose.RETURN, self.at)
        return self._way_back


def _on_its_way(session: Session, shipment: Shipment) -> list[ArrivalLine]:
    query = (
        select(Batch.gtin, Batch.number, Custody.remaining, Custody.id)
        .join(Custody, Custody.batch_id == Batch.id)
        .join(Location, Location.id == Custody.location_id)
        .where(Location.shipment_id == shipment.id, Custody.remaining > 0)
        .order_by(Custody.id)
    )
    lines = [ArrivalLine(row.gtin, row.number, row.remaining, row.id) for row in session.execute(query)]
    if not lines:
        raise Conflict(Code.NOT_ENOUGH_DOSES, "shipment", "empty", N_("a shipment with doses still on their way"))
    return lines


def _arrived(session: Session, shipment: Shipment, order: ArrivalOrder, at: datetime, now: datetime) -> None:
    """The first receipt is the arrival: the cold boxes' sensors have watched until then."""
    first = (
        update(Shipment)
        .where(Shipment.id == shipment.id, Shipment.arrived_at.is_(None))
        .values(arrived_at=at, arrival=stored(order.transport))
    )
    if session.execute(first).rowcount:  # type: ignore[attr-defined]
        assignments.end_watch(session, shipment.id, at, now)
