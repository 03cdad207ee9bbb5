"""The clocks by which facilities have to report adverse events on: where they stand, and who is told of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.adverse_events import ReportClock
from inventory.domain.deadlines import SOON, Status
from inventory.domain.notices import NoticeKind, key, stage
from inventory.persistence.tables import AdverseEvent, Batch, Facility, Product
from inventory.services import outbox
from inventory.services.outbox import Post
from inventory.services.paging import Page, page

_OPEN = AdverseEvent.met_at.is_(None)


def is_newest() -> ColumnElement[bool]:
    """A condition on statements: no later one was made of the same adverse event."""
    later = aliased(AdverseEvent)
    return ~exists().where(
        later.first_id == AdverseEvent.first_id,
        later.batch_id == AdverseEvent.batch_id,
        later.version == AdverseEvent.version + 1,
    )


def list_clocks(
    session: Session, facility: Facility | None, wanted: Status | None, now: datetime, after: str | None, limit: int
) -> Page[Any]:
    """Clocks by when they are due, with the key of the countdown board; without a wanted status, those that run."""
    query = _clocks().where(_is(wanted, now))
    if facility is not None:
        query = query.where(AdverseEvent.facility_id == facility.id)
    key = (
        AdverseEvent.due_at,
        AdverseEvent.first_id,
        AdverseEvent.batch_id,
        literal(ReportClock.REPORT.value).label("clock"),
    )
    return page(session, query, key, after, limit)


def tell(session: Session, now: datetime) -> int:
    """Put a notice for each clock that has come into a stage and that nobody was told of; how many are new."""
    query = _clocks().where(_OPEN, AdverseEvent.due_at < now + SOON).order_by(AdverseEvent.due_at, AdverseEvent.id)
    return sum(_tell(session, row, now) for row in session.execute(query).all())


def tell_urgent(session: Session, said: AdverseEvent, now: datetime) -> None:
    """Tell at once of a clock of two hours, which is too short to be warned of."""
    if said.kind.is_urgent and said.met_at is None:
        row = session.execute(_clocks().where(AdverseEvent.id == said.id)).one()
        kind = NoticeKind.REPORT_DUE if now <= said.due_at else NoticeKind.REPORT_MISSED
        _put(session, kind, row, now)


def _clocks() -> Select[*tuple[Any, ...]]:
    """The newest statement of each adverse event, with whose clock runs on it, and what dose it followed."""
    return (
        select(
            AdverseEvent,
            Facility.code.label("facility"),
            Facility.zone,
            Batch.gtin,
            Batch.number,
            Product.name.label("product"),
        )
        .join(Facility, Facility.id == AdverseEvent.facility_id)
        .join(Batch, Batch.id == AdverseEvent.batch_id)
        .join(Product, Product.gtin == Batch.gtin)
        .where(is_newest())
    )


def _is(wanted: Status | None, now: datetime) -> ColumnElement[bool]:
    """`domain.adverse_events.Reporting.status` in SQL."""
    due_at = AdverseEvent.due_at
    return {
        None: _OPEN,
        Status.OPEN: and_(_OPEN, due_at >= now + SOON),
        Status.DUE_SOON: and_(_OPEN, due_at < now + SOON, due_at >= now),
        Status.MISSED: or_(and_(_OPEN, due_at < now), AdverseEvent.met_at > due_at),
        Status.MET: AdverseEvent.met_at <= due_at,
    }[wanted]


def _tell(session: Session, row: Any, now: datetime) -> bool:
    said: AdverseEvent = row[0]
    found = stage(said.clock_opened_at, said.due_at, now)
    if found is None:
        return False
    kind = NoticeKind.REPORT_MISSED if found is NoticeKind.MISSED else NoticeKind.REPORT_DUE
    return _put(session, kind, row, now)


def _put(session: Session, kind: NoticeKind, row: Any, now: datetime) -> bool:
    """A clock is told of once as running and once as missed; what made it shorter made it another."""
    said: AdverseEvent = row[0]
    facts = {
        "adverse_event": said.first_id,
        "adverse_event_kind": said.kind,
        "administration": said.administration_id,
        "gtin": row.gtin,
        "product": row.product,
        "batch": row.number,
        "opened_at": said.clock_opened_at,
        "due_at": said.due_at,
    }
    post = Post(said.facility_id, row.facility, row.zone)
    return outbox.put(session, kind, key(kind, said.first_id, said.due_at), post, facts, now)
