"""What speaks against doses, as far as the database knows: their way, standing overrides, the programme's policies.

An administration asks this before it is carried out, so one statement answers what is usually all there is to ask: the
chain of the custodies that were chosen, with the excursions that touched it and the clocks that ran on it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    and_,
    bindparam,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from inventory.domain.deadlines import LIMITS
from inventory.domain.reasons import STANDING, Reason, ReasonCode
from inventory.domain.usability import Doses, Exposed, Override, Past, Policies, Ran, check
from inventory.domain.words import EventKind
from inventory.persistence import arrays
from inventory.persistence.prepared import Prepared
from inventory.persistence.tables import (
    Custody,
    Deadline,
    Excursion,
    Facility,
    Location,
    Product,
    Programme,
    Sensor,
    SensorAssignment,
    StockEvent,
)
from inventory.services.ledger import stands
from inventory.services.rules import line_of_supply


class Doubts:
    """What one request has found out about doses: each custody's way, each site's overrides, asked for once."""

    def __init__(self, session: Session, until: datetime) -> None:
        """`until`: no dose of this request is given later."""
        self._session, self._until = session, until
        self._pasts: dict[UUID, Past] = {}
        self._overrides: dict[tuple[UUID, UUID], list[Override]] = {}

    def look_ahead(self, custodies: Collection[tuple[UUID, UUID]]) -> None:
        """Ask at once for the ways of custodies, each after its batch; only PostgreSQL can be asked so."""
        self._pasts |= _pasts(self._session, sorted(custodies), self._until)

    def past(self, batch_id: UUID, custodies: Collection[UUID]) -> Past:
        """The ways of these custodies of a batch, taken together."""
        missing = [each for each in custodies if each not in self._pasts]
        if arrays.are_taken(self._session):
            self.look_ahead([(batch_id, each) for each in missing])
        else:
            self._pasts |= {each: _past(self._session, batch_id, each, self._until) for each in missing}
        return _together([self._pasts[each] for each in custodies])

    def reasons(
        self, doses: Doses, batch_id: UUID, product: Product, facility: Facility, at: datetime
    ) -> tuple[Reason, ...]:
        """The check before use; overrides and policies are looked up only where the way of the doses gives cause."""
        past = doses.past.at(at)
        if not past.exposures and not past.clocks:
            return check(doses, at, Policies())
        programme = self._session.get_one(Programme, product.programme_code)
        policies = Policies(programme.on_exposure, programme.on_missed)
        return check(doses, at, policies, self._standing(batch_id, facility))

    def _standing(self, batch_id: UUID, facility: Facility) -> list[Override]:
        key = (batch_id, facility.id)
        if key not in self._overrides:
            self._overrides[key] = _overrides(self._session, batch_id, line_of_supply(self._session, facility))
        return self._overrides[key]


def _overrides(session: Session, batch_id: UUID, line: Iterable[UUID]) -> list[Override]:
    """The overrides for all doses of a batch, of a facility or one above it, that were not corrected."""
    query = select(StockEvent.id, StockEvent.occurred_at, StockEvent.recorded_at, StockEvent.details).where(
        StockEvent.batch_id == batch_id,
        StockEvent.kind == EventKind.OVERRIDE,
        StockEvent.kind.in_([literal_column("'recall'"), literal_column("'override'")]),  # the small index's own words
        StockEvent.facility_id.in_(line),
        StockEvent.details["administration"].as_string().is_(None),
        stands(StockEvent.id, StockEvent.batch_id),
    )
    return [
        Override(row.id, frozenset(map(ReasonCode, row.details["covers"])) & STANDING, row.occurred_at, row.recorded_at)
        for row in session.execute(query.order_by(StockEvent.id))
    ]


def _past(session: Session, batch_id: UUID, custody: UUID, until: datetime) -> Past:
    """The way of one custody, for a database that cannot be asked for several at once."""
    rows = _WAY.rows(session, batch=batch_id, custody=custody, until=until)
    return _past_of(rows, _serials(session, rows))


def _pasts(session: Session, custodies: Sequence[tuple[UUID, UUID]], until: datetime) -> dict[UUID, Past]:
    """The ways of custodies, each after its batch, in one statement."""
    if not custodies:
        return {}
    batches, ids = (arrays.packed(each, Custody.id.type) for each in zip(*custodies, strict=True))
    rows = _WAYS.rows(session, batches=batches, custodies=ids, until=until)
    serials = _serials(session, rows)
    of: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        of[row.leaf].append(row)
    return {custody: _past_of(of[custody], serials) for _, custody in custodies}


def _past_of(rows: Sequence[Any], serials: Mapping[UUID, str]) -> Past:
    return Past(
        tuple(found for row in rows if row.name is None and (found := _exposed(row, serials[row.sensor_id]))),
        tuple(Ran(row.name, row.rule_set, row.due_at, row.left_at) for row in rows if row.name is not None),
    )


def _together(pasts: Sequence[Past]) -> Past:
    """Each excursion once, from when it first touched the doses; each clock once, until it ended for the last."""
    exposures = sorted((each for past in pasts for each in past.exposures), key=lambda each: each.since, reverse=True)
    clocks = sorted((each for past in pasts for each in past.clocks), key=lambda each: each.until)
    by_excursion = {each.excursion: each for each in exposures}
    by_clock = {(each.name, each.rule_set, each.due_at): each for each in clocks}
    return Past(
        tuple(sorted(by_excursion.values(), key=lambda each: (each.started_at, each.excursion))),
        tuple(sorted(by_clock.values(), key=lambda each: (each.due_at, each.name))),
    )


def _serials(session: Session, rows: Iterable[Any]) -> dict[UUID, str]:
    sensors = {row.sensor_id for row in rows if row.sensor_id}
    if not sensors:
        return {}
    found = session.execute(select(Sensor.id, Sensor.serial).where(Sensor.id.in_(sensors)))
    return {row.id: row.serial for row in found}


def _exposed(row: Any, serial: str) -> Exposed | None:
    """The excursion, if doses, watch and excursion were there together for any time."""
    since = max(row.came_at, row.since, row.started_at)
    if since >= min(each for each in (row.left_at, row.until, row.ended_at) if each is not None):
        return None
    return Exposed(row.excursion, serial, row.side, row.rule_name, row.started_at, row.ended_at, row.changed_at, since)


def _chain(leaf: ColumnElement[bool]) -> CTE:
    """Custodies and those above them, with the time that the doses were there."""
    first = select(
        Custody.id.label("leaf"),
        Custody.id,
        Custody.batch_id,
        Custody.parent_id,
        Custody.location_id,
        Custody.opened_at.label("came_at"),
        bindparam("until", type_=Custody.opened_at.type).label("left_at"),
    ).where(leaf)
    chain = first.cte("chain", recursive=True)
    above = select(
        chain.c.leaf,
        Custody.id,
        Custody.batch_id,
        Custody.parent_id,
        Custody.location_id,
        Custody.opened_at,
        chain.c.came_at,
    ).where(Custody.id == chain.c.parent_id, Custody.batch_id == chain.c.batch_id)
    return chain.union_all(above)


def _way(leaf: ColumnElement[bool]) -> CompoundSelect[*tuple[Any, ...]]:
    """The excursions of the places on the chain while the doses were there, and the clocks that the doses came to miss.

    The limits of opened and thawed vials are not among these clocks: they go on with the doses, and are checked there.
    """
    chain = _chain(leaf)
    of_excursion = {
        "excursion": Excursion.id,
        "sensor_id": Excursion.sensor_id,
        "side": Excursion.side,
        "rule_name": Excursion.rule_name,
        "started_at": Excursion.started_at,
        "ended_at": Excursion.ended_at,
        "changed_at": Excursion.changed_at,
        "since": SensorAssignment.since,
        "until": SensorAssignment.until,
    }
    of_clock = {"name": Deadline.name, "rule_set": Deadline.rule_set, "due_at": Deadline.due_at}
    stay = (chain.c.leaf, chain.c.came_at, chain.c.left_at)
    watch = or_(
        SensorAssignment.appliance_id == Location.appliance_id, SensorAssignment.shipment_id == Location.shipment_id
    )
    touched = (
        select(*stay, *_named(of_excursion), *_nothing(of_clock))
        .join(Location, Location.id == chain.c.location_id)
        .join(SensorAssignment, and_(watch, SensorAssignment.since < chain.c.left_at))
        .join(Excursion, Excursion.sensor_id == SensorAssignment.sensor_id)
        .where(
            or_(SensorAssignment.until.is_(None), SensorAssignment.until > chain.c.came_at),
            Excursion.cancelled_at.is_(None),
            Excursion.started_at < chain.c.left_at,
            or_(Excursion.ended_at.is_(None), Excursion.ended_at > chain.c.came_at),
        )
    )
    ran = select(*stay, *_nothing(of_excursion), *_named(of_clock)).where(
        Deadline.custody_id == chain.c.id,
        Deadline.batch_id == chain.c.batch_id,
        Deadline.due_at < chain.c.left_at,
        *(Deadline.name != limit for limit in sorted(LIMITS)),
    )
    return touched.union_all(ran)


def _named(columns: dict[str, Any]) -> list[Any]:
    return [column.label(name) for name, column in columns.items()]


def _nothing(columns: dict[str, Any]) -> list[Any]:
    return [type_coerce(null(), column.type).label(name) for name, column in columns.items()]


_WAY = Prepared(_way((Custody.batch_id == bindparam("batch")) & (Custody.id == bindparam("custody"))))
_asked = arrays.rows(batches=Custody.batch_id.type, custodies=Custody.id.type)
_WAYS = Prepared(_way((Custody.batch_id == _asked.c.batches) & (Custody.id == _asked.c.custodies)))
