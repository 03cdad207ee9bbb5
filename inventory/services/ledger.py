"""Writing stock events: facts first, the guarded updates last and in one order, so that writers cannot deadlock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, bindparam, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from inventory.domain.custody import Take
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.words import Chosen, End, EventKind, Origin, WasteReason
from inventory.persistence import arrays
from inventory.persistence.database import LostRace
from inventory.persistence.statements import core, rows_with
from inventory.persistence.tables import Batch, Custody, Deadline, Facility, Movement, StockEvent
from inventory.persistence.together import Change, Rows, changed_one_each, insert_and_change
from inventory.services import pack_log
from inventory.services.ids import new_id
from inventory.services.pack_log import PackLog
from inventory.services.posting import PostedEvent, PostedMovement, Request
from inventory.services.settled import Touched, refuse_before_a_count


@dataclass
class Draft:
    """One event of one batch while it is being put together."""

    kind: EventKind
    batch: Batch
    facility: Facility
    occurred_at: datetime
    shipment_id: UUID | None = None
    reason: str | None = None
    cause: WasteReason | None = None
    reverses_id: UUID | None = None
    details: dict[str, Any] | None = None
    id: UUID = field(default_factory=new_id)
    movements: list[dict[str, Any]] = field(default_factory=list)
    custodies: list[dict[str, Any]] = field(default_factory=list)
    deadlines: list[dict[str, Any]] = field(default_factory=list)
    packs: PackLog = field(default_factory=PackLog)
    places: set[UUID] = field(default_factory=set)
    undone_at: datetime | None = None

    def open_root(self, location_id: UUID, doses: int, origin: Origin, clocks: Iterable[Clock]) -> UUID:
        """Open a custody for doses that come from no other."""
        custody_id = self._open(location_id, doses, clocks, origin=origin)
        self.places.add(location_id)
        self._move(None, doses, None, to=custody_id)
        return custody_id

    def pass_on(self, take: Take, chosen: Chosen, location_id: UUID, clocks: Iterable[Clock]) -> UUID:
        """Take doses out of a custody into a new one."""
        custody_id = self._open(location_id, take.doses, clocks, parent=take.custody_id)
        self._move(take.custody_id, take.doses, Chosen.SCANNED if take.scans else chosen, to=custody_id)
        self._pass(take, location_id)
        self.packs.move(take, custody_id)
        return custody_id

    def end(self, take: Take, chosen: Chosen, end: End) -> None:
        """Take doses out of a custody for good."""
        self._move(take.custody_id, take.doses, Chosen.SCANNED if take.scans else chosen, end=end)
        self._pass(take, None)
        self.packs.use(take)

    def reverse(self, line: Movement, located: Mapping[UUID, UUID]) -> None:
        """Undo a movement: the same line, its doses negative, at its own time; `located` says where custodies are."""
        ends = {located[each] if each else None for each in (line.from_custody_id, line.to_custody_id)}
        self.places |= {place for place in ends if place and len(ends) > 1}
        self.undone_at = line.occurred_at
        row = self._line(line.from_custody_id, -line.doses, line.chosen, line.to_custody_id, line.end_kind)
        self.movements.append(row | {"occurred_at": line.occurred_at, "reverses_id": line.id})
        self.packs.undo(line.from_custody_id, line.to_custody_id)

    def _pass(self, take: Take, location_id: UUID | None) -> None:
        """Doses leave a place, unless they stay where they are: as those of an opened vial."""
        if take.holding.location_id != location_id:
            self.places |= {place for place in (take.holding.location_id, location_id) if place}

    @property
    def touched(self) -> Touched:
        """The places that it changes, and when: a correction's lines are of its original's time."""
        at = self.undone_at or self.occurred_at
        return Touched(self.batch.id, self.facility.id, at, frozenset(self.places), self.reverses_id)

    def _open(
        self,
        location_id: UUID,
        doses: int,
        clocks: Iterable[Clock],
        *,
        parent: UUID | None = None,
        origin: Origin | None = None,
    ) -> UUID:
        custody_id = new_id()
        self.custodies.append(
            {
                "id": custody_id,
                "batch_id": self.batch.id,
                "event_id": self.id,
                "parent_id": parent,
                "location_id": location_id,
                "origin": origin,
                "opened_at": self.occurred_at,
                "doses": doses,
                "remaining": doses,
            }
        )
        self.deadlines += [
            {
                "custody_id": custody_id,
                "batch_id": self.batch.id,
                "name": clock.name,
                "rule_set": clock.rule_set,
                "opened_at": clock.opened_at,
                "due_at": clock.due_at,
            }
            for clock in clocks
        ]
        return custody_id

    def _move(
        self, source: UUID | None, doses: int, chosen: Chosen | None, *, to: UUID | None = None, end: End | None = None
    ) -> None:
        self.movements.append(self._line(source, doses, chosen, to, end))

    def _line(
        self, source: UUID | None, doses: int, chosen: Chosen | None, to: UUID | None, end: End | None
    ) -> dict[str, Any]:
        return {
            "id": new_id(),
            "batch_id": self.batch.id,
            "event_id": self.id,
            "from_custody_id": source,
            "to_custody_id": to,
            "end_kind": end,
            "doses": doses,
            "occurred_at": self.occurred_at,
            "chosen": chosen,
            "reverses_id": None,
        }

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
            self.reason,
        )


_JUST_NOW = timedelta(minutes=1)
"""Of what happened within it and a count of the same minute nobody can say which was first."""


def record(session: Session, request: Request, drafts: Sequence[Draft]) -> tuple[PostedEvent, ...]:
    """Write the drafts and take the doses out of their custodies.

    Raises:
        Conflict: `time_before_count`, see `settled`.
        LostRace: another writer has taken the doses meanwhile; the transaction is to be run again.
    """
    refuse_before_a_count(session, [draft.touched for draft in drafts])
    return record_together(session, [(request, draft) for draft in drafts])


def record_together(session: Session, entries: Sequence[tuple[Request, Draft]]) -> tuple[PostedEvent, ...]:
    """Write the drafts of several requests; as `record`, but nobody looks first whether a count has settled their time.

    That is looked for once the custodies are held, for a count may have been faster. A recall takes what is there.
    """
    drafts = [draft for _, draft in entries]
    rows: Rows = {
        StockEvent: [_event_row(draft, request) for request, draft in entries],
        Custody: [row for draft in drafts for row in draft.custodies],
        Deadline: [row for draft in drafts for row in draft.deadlines],
        Movement: [row for draft in drafts for row in draft.movements],
    }
    changes = _changes(drafts)
    if rows[Custody]:
        _hold(session, changes)
    if insert_and_change(session, rows, changes[0] if changes else None) != len(changes[:1]):
        raise LostRace
    for draft in drafts:
        pack_log.place(session, draft.batch.id, draft.packs)
    if not changed_one_each(session, changes[1:]):
        raise LostRace
    pack_log.apply(session, [(draft.batch.id, draft.packs) for draft in drafts])
    if arrays.are_taken(session):  # SQLite lets nobody be faster
        touched = [(draft.touched, request) for request, draft in entries if draft.kind is not EventKind.RECALL]
        refuse_before_a_count(session, [each for each, request in touched if each.at < request.now - _JUST_NOW])
    return tuple(draft.posted(request) for request, draft in entries)


def _hold(session: Session, changes: Sequence[Change]) -> None:
    """Custodies are held before the places that new ones come into, which their foreign keys hold: see `counts`."""
    if len(changes) > 1 and arrays.are_taken(session):
        keys = [(each["batch"], each["custody"]) for _, each in changes]
        query = select(Custody.id).order_by(Custody.batch_id, Custody.id).with_for_update(key_share=True)
        rows_with(session, query, [Custody.batch_id, Custody.id], keys)


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
        "cause": draft.cause,
        "reason": draft.reason,
        "reverses_id": draft.reverses_id,
        "details": (draft.details or {}) | draft.packs.details() or None,
    }


def _changes(drafts: Sequence[Draft]) -> list[Change]:
    """The guarded updates: out of a custody only what is there, and back out of a voided one only all of it."""
    taken: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
    voided: dict[tuple[UUID, UUID], int] = {}
    for draft in drafts:
        for line in draft.movements:
            if line["from_custody_id"]:
                taken[draft.batch.id, line["from_custody_id"]] += line["doses"]
            if line["reverses_id"] and line["to_custody_id"]:
                voided[draft.batch.id, line["to_custody_id"]] = -line["doses"]
        for custody in draft.packs.sources:
            taken[draft.batch.id, custody] += 0  # its row is held all the same
    changes = {key: (_TAKE, doses) for key, doses in taken.items()}
    changes |= {key: (_VOID, doses) for key, doses in voided.items()}
    return [
        (change, {"custody": custody, "batch": batch, "taken": doses})
        for (batch, custody), (change, doses) in sorted(changes.items(), key=lambda each: each[0])
    ]


def _guarded(enough: ColumnElement[bool]) -> Update:
    mine = (_custody.c.id == bindparam("custody")) & (_custody.c.batch_id == bindparam("batch"))
    return update(_custody).where(mine, enough).values(remaining=_custody.c.remaining - _taken)


_custody = core(Custody)
_taken = bindparam("taken", type_=_custody.c.remaining.type)
_TAKE = _guarded(_custody.c.remaining.between(_taken, _custody.c.doses + _taken))
_VOID = _guarded(_custody.c.remaining == _custody.c.doses)


def stands(event_id: ColumnElement[UUID] | InstrumentedAttribute[UUID], batch_id: Any) -> ColumnElement[bool]:
    """A condition: the event was not corrected."""
    reversal = aliased(StockEvent)
    return ~exists().where(reversal.reverses_id == event_id, reversal.batch_id == batch_id)
