"""What is put off until an archived month is restored, because readings that lie there have a say in it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from inventory.persistence import months
from inventory.persistence.database import LostRace
from inventory.persistence.months import Month
from inventory.persistence.tables import ArchivedMonth, Unjudged


class PutOff(NamedTuple):
    """That what changed of a sensor from `first` to `last` waits to be judged; all after `first` where it is None."""

    sensor_id: UUID
    first: datetime
    last: datetime | None


def put_off(session: Session, sensor_id: UUID, month: Month, first: datetime, last: datetime | None) -> None:
    """Note that what changed of a claimed sensor waits for a month; together with what waits for it already."""
    _still_archived(session, month)
    key = months.bounds(month)[0]
    row = session.get(Unjudged, (sensor_id, key))
    if row is None:
        session.add(Unjudged(sensor_id=sensor_id, month=key, first=first, last=last))
    else:
        row.first = min(row.first, first)
        row.last = None if row.last is None or last is None else max(row.last, last)
    session.flush()


def taken_up(session: Session, month: Month) -> list[PutOff]:
    """What waited for a month that is being restored, and waits no more."""
    mine = Unjudged.month == months.bounds(month)[0]
    found = [_told(row) for row in session.scalars(select(Unjudged).where(mine))]
    session.execute(delete(Unjudged).where(mine), execution_options={"synchronize_session": "fetch"})
    return found


def waiting(session: Session, sensor_id: UUID) -> list[PutOff]:
    """What of a sensor waits for any month."""
    return [_told(row) for row in session.scalars(select(Unjudged).where(Unjudged.sensor_id == sensor_id))]


def _still_archived(session: Session, month: Month) -> None:
    """Have nobody restore the month before this is committed: he would not see what waits for it."""
    mine = ArchivedMonth.month == months.bounds(month)[0], ArchivedMonth.restored_at.is_(None)
    if session.scalar(select(ArchivedMonth.month).where(*mine).with_for_update(read=True)) is None:
        raise LostRace


def _told(row: Unjudged) -> PutOff:
    return PutOff(row.sensor_id, row.first, row.last)
