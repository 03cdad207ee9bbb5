"""What a trail is of: an administration or a batch, with the band and the budgets of its product."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Budget, Measures
from inventory.domain.exposure import Band
from inventory.domain.words import EventKind
from inventory.persistence.prepared import Prepared
from inventory.persistence.tables import (
    Batch,
    ExposureBudget,
    Facility,
    Movement,
    Product,
    StockEvent,
    StorageProfile,
    Token,
)
from inventory.services.ledger import stands

_BUDGET = (
    ExposureBudget.name.label("budget"),
    ExposureBudget.low.label("budget_low"),
    ExposureBudget.high.label("budget_high"),
    ExposureBudget.allowed_seconds,
)
_GIVEN = Prepared(
    select(
        StockEvent.id,
        StockEvent.batch_id,
        StockEvent.kind,
        StockEvent.occurred_at,
        StockEvent.recorded_at,
        StockEvent.details,
        Token.name.label("actor"),
        Batch.gtin,
        Batch.number,
        StorageProfile.low,
        StorageProfile.high,
        Facility.code.label("facility"),
        (~stands(StockEvent.id, Batch.id)).label("corrected"),
        Movement.id.label("line"),
        Movement.from_custody_id.label("custody"),
        Movement.doses,
        Movement.occurred_at.label("left_at"),
        Movement.end_kind,
        Movement.chosen,
        *_BUDGET,
    )
    .join(Token, Token.id == StockEvent.actor_id)
    .join(Batch, Batch.id == StockEvent.batch_id)
    .join(Product, Product.gtin == Batch.gtin)
    .join(StorageProfile, StorageProfile.code == Product.profile_code)
    .join(Facility, Facility.id == StockEvent.facility_id)
    .join(Movement, and_(Movement.event_id == StockEvent.id, Movement.batch_id == StockEvent.batch_id))
    .outerjoin(ExposureBudget, ExposureBudget.profile_code == StorageProfile.code)
    .where(StockEvent.id == bindparam("id"), StockEvent.kind == EventKind.ADMINISTER)
    .order_by(Movement.id, ExposureBudget.name)
)
_BATCH = Prepared(
    select(Batch.gtin, Batch.number, Batch.expiry, StorageProfile.low, StorageProfile.high, *_BUDGET)
    .join(Product, Product.gtin == Batch.gtin)
    .join(StorageProfile, StorageProfile.code == Product.profile_code)
    .outerjoin(ExposureBudget, ExposureBudget.profile_code == StorageProfile.code)
    .where(Batch.id == bindparam("id"))
    .order_by(ExposureBudget.name)
)


def administration(session: Session, event_id: UUID) -> Sequence[Any]:
    """An administration: a row for each of its lines and each budget of its product; none where there is none."""
    return _GIVEN.rows(session, id=event_id)


def batch(session: Session, batch_id: UUID) -> Sequence[Any]:
    """A batch: a row for each budget of its product, or the only one without."""
    return _BATCH.rows(session, id=batch_id)


def measures_of(rows: Sequence[Any]) -> Measures:
    """The band and the budgets of a product, of which there is one in each row, or none in the only one."""
    budgets = tuple(
        Budget(row.budget, row.budget_low, row.budget_high, timedelta(seconds=row.allowed_seconds))
        for row in rows
        if row.budget is not None
    )
    return Measures(Band(rows[0].low, rows[0].high), budgets)
