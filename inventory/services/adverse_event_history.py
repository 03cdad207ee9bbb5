"""What was said of adverse events: the newest statement of each, or all of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select

from inventory.domain.adverse_events import AdverseEventKind, Nature, Reporting
from inventory.domain.errors import N_, Code, NotFound
from inventory.persistence.database import Database
from inventory.persistence.tables import AdverseEvent, Batch, Facility, StockEvent, Token
from inventory.services import lookups
from inventory.services.ledger import stands
from inventory.services.paging import Page, page
from inventory.services.reporting_clocks import is_newest


@dataclass(frozen=True)
class Statement:
    """What was said of an adverse event, by whom, and from when on it was known."""

    version: int
    nature: Nature
    reference: str
    kind: AdverseEventKind
    onset_at: datetime
    heard_at: datetime
    note: str | None
    reported_at: datetime | None
    reported_to: str | None
    reporting: Reporting
    actor: str
    recorded_at: datetime


@dataclass(frozen=True)
class AdverseEventView:
    """An adverse event: the dose that it followed, and its newest statement.

    `corrected`: the administration was taken back, so that nobody was given that dose.
    """

    id: UUID
    facility: str
    administration: UUID
    given_at: datetime
    gtin: str
    batch: str
    corrected: bool
    newest: Statement


@dataclass(frozen=True)
class AdverseEventHistory(AdverseEventView):
    """The same with every statement, the first one first."""

    history: tuple[Statement, ...]


def list_adverse_events(
    database: Database, facility: str | None, administration: UUID | None, after: str | None, limit: int
) -> Page[AdverseEventView]:
    """Adverse events with what was said last of each, in the order in which they were recorded."""
    query = _views().where(is_newest())
    if administration is not None:
        query = query.where(AdverseEvent.administration_id == administration)
    with database.read() as session:
        if facility is not None:
            query = query.where(AdverseEvent.facility_id == lookups.facility(session, facility).id)
        return page(session, query, [AdverseEvent.first_id], after, limit).map(_view)


def get_adverse_event(database: Database, adverse_event: UUID) -> AdverseEventHistory:
    """One adverse event with its history; NotFound `not_found`."""
    with database.read() as session:
        rows = session.execute(
            _views().where(AdverseEvent.first_id == adverse_event).order_by(AdverseEvent.version)
        ).all()
    if not rows:
        raise unknown(adverse_event)
    return AdverseEventHistory(**vars(_view(rows[-1])), history=tuple(map(_statement, rows)))


def unknown(adverse_event: UUID) -> NotFound:
    """The refusal of an id that no adverse event has."""
    return NotFound(Code.NOT_FOUND, "adverse_event", adverse_event, N_("the id of an adverse event"))


def _views() -> Select[*tuple[Any, ...]]:
    return (
        select(
            AdverseEvent,
            Facility.code.label("facility"),
            StockEvent.occurred_at.label("given_at"),
            Batch.gtin,
            Batch.number,
            (~stands(AdverseEvent.administration_id, AdverseEvent.batch_id)).label("corrected"),
            Token.name.label("actor"),
        )
        .join(Facility, Facility.id == AdverseEvent.facility_id)
        .join(
            StockEvent,
            and_(StockEvent.id == AdverseEvent.administration_id, StockEvent.batch_id == AdverseEvent.batch_id),
        )
        .join(Batch, Batch.id == AdverseEvent.batch_id)
        .join(Token, Token.id == AdverseEvent.actor_id)
    )


def _view(row: Any) -> AdverseEventView:
    said: AdverseEvent = row[0]
    return AdverseEventView(
        said.first_id, row.facility, said.administration_id, row.given_at, row.gtin, row.number, row.corrected,
        _statement(row),
    )  # fmt: skip


def _statement(row: Any) -> Statement:
    said: AdverseEvent = row[0]
    return Statement(
        said.version, said.nature, said.reference, said.kind, said.onset_at, said.heard_at, said.note,
        said.reported_at, said.reported_to, Reporting(said.clock_opened_at, said.due_at, said.met_at),
        row.actor, said.recorded_at,
    )  # fmt: skip
