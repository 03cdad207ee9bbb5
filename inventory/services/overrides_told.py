"""What supervisors answered for, as a trail tells it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.reasons import ReasonCode
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Facility, StockEvent, Token
from inventory.services.chains import Step
from inventory.services.ledger import stands


@dataclass(frozen=True)
class OverrideLine:
    """A supervisor's word that an administration relied on: who and when, for what, why; and whether it stands."""

    step: Step
    facility: str
    covers: tuple[ReasonCode, ...]
    reason: str
    corrected: bool


def overrides_of(session: Session, batch_id: UUID, details: dict[str, Any] | None) -> tuple[OverrideLine, ...]:
    """The overrides that the details of an administration name, the first of them first."""
    named = [UUID(each) for each in (details or {}).get("overrides", ())]
    rows = rows_in(session, _NAMED.params(batch=batch_id), StockEvent.id, named) if named else ()
    return tuple(sorted((_line(*row) for row in rows), key=lambda each: (each.step.occurred_at, each.step.event)))


_NAMED = (
    select(StockEvent, Token.name, Facility.code, (~stands(StockEvent.id, StockEvent.batch_id)).label("corrected"))
    .join(Token, Token.id == StockEvent.actor_id)
    .join(Facility, Facility.id == StockEvent.facility_id)
    .where(StockEvent.batch_id == bindparam("batch"))
)


def _line(event: StockEvent, actor: str, facility: str, corrected: bool) -> OverrideLine:
    step = Step(event.id, event.kind, event.occurred_at, event.recorded_at, actor)
    covers = tuple(map(ReasonCode, (event.details or {})["covers"]))
    return OverrideLine(step, facility, covers, event.reason or "", corrected)
