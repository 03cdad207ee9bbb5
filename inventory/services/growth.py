"""Open excursions that go on: what was seen of them grows with each reading, which is no new verdict."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.persistence.bulk import Row, update_where
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Excursion
from inventory.services.following import Followed

_SECOND = timedelta(seconds=1)
_GROWN = ("seen_seconds", "unseen_seconds", "extreme", "changed_at")


def grow(session: Session, followed: Mapping[UUID, Followed], now: datetime) -> None:
    """Write how far the open excursions of some sensors have come, where their runs say that they go on."""
    query = select(Excursion.id, Excursion.sensor_id, Excursion.rule_name).where(
        Excursion.ended_at.is_(None), Excursion.cancelled_at.is_(None)
    )
    rows: list[Row] = []
    for row in rows_in(session, query, Excursion.sensor_id, sorted(followed)):
        each = followed[row.sensor_id]
        runs = each.track.runs or {}
        if row.rule_name in each.grown:
            run = runs[row.rule_name]
            rows.append((row.sensor_id, row.id, run.seen // _SECOND, run.unseen // _SECOND, run.extreme, now))
    update_where(session, Excursion, ["sensor_id", "id"], _GROWN, rows)
