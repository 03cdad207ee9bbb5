"""Hourly roll-ups: added where hours are over, and made anew where readings came late."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from inventory.domain.exposure import Band
from inventory.domain.instants import counted, instant
from inventory.domain.readings import Reading as Measured
from inventory.domain.rollup import HOUR, Hour, Rolling, go_on, hour_of, roll_up
from inventory.persistence.bulk import Row, insert_certain
from inventory.persistence.tables import Reading, ReadingHour

_COLUMNS = ("sensor_id", "hour", "readings", "lowest", "highest", "above", "below", "seen", "kinetic")


def add(session: Session, over: Sequence[tuple[UUID, int, Hour]]) -> None:
    """Write hours (microseconds since 1970) that are over for their sensors, and have no roll-up yet."""
    insert_certain(session, ReadingHour, _COLUMNS, [_row(sensor, instant(at), hour) for sensor, at, hour in over])


def close(session: Session, sensor: UUID, held: int, band: Band, before: Rolling) -> None:
    """Write the hour that was open, and those that its last reading stood into, now that there are readings behind it.

    `held` is in microseconds. What else has changed of these hours is for `renew`.
    """
    behind = (
        select(Reading.measured_at, Reading.temperature)
        .where(Reading.sensor_id == sensor, Reading.measured_at > instant(before.at))
        .order_by(Reading.measured_at)
        .limit(1)
    )
    following = session.execute(behind).one()
    _, over = go_on(before, [(counted(following.measured_at), following.temperature)], held, band)
    hours = [instant(at) for at, _ in over]
    session.execute(delete(ReadingHour).where(ReadingHour.sensor_id == sensor, ReadingHour.hour.in_(hours)))
    add(session, [(sensor, at, hour) for at, hour in over])


def renew(
    session: Session,
    sensor: UUID,
    hold: timedelta,
    band: Band,
    changed: Sequence[tuple[datetime, datetime]],
    newest: Measured,
    before: Rolling | None,
) -> Rolling:
    """Make a sensor's roll-ups right again in stretches of hours, whose first and last are given, by time.

    Returns the newest reading with the roll-up of its hour, which is not over: as it was `before`, where nothing of it
    has changed.
    """
    open_hour = hour_of(newest.measured_at)
    hours: dict[datetime, Hour] = {}
    for since, last in changed:
        until = min(last, open_hour)
        hours |= rolled(session, sensor, hold, band, since, until, newest)
        within = ReadingHour.hour.between(since, until)
        session.execute(delete(ReadingHour).where(ReadingHour.sensor_id == sensor, within))
    add(session, [(sensor, counted(hour), each) for hour, each in hours.items() if hour != open_hour])
    if open_hour not in hours:
        if before is not None and before.at == counted(newest.measured_at):
            return before
        hours = rolled(session, sensor, hold, band, open_hour, open_hour, newest)
    return Rolling(counted(newest.measured_at), newest.temperature, counted(open_hour), hours[open_hour])


def rolled(
    session: Session, sensor: UUID, hold: timedelta, band: Band, since: datetime, until: datetime, newest: Measured
) -> dict[datetime, Hour]:
    """The roll-ups of the hours from `since` to `until`, both included, as the readings give them."""
    query = select(Reading.measured_at, Reading.temperature).where(
        Reading.sensor_id == sensor, Reading.measured_at >= since - hold, Reading.measured_at < until + HOUR + hold
    )
    found = [Measured(row.measured_at, row.temperature) for row in session.execute(query.order_by(Reading.measured_at))]
    if found and found[-1].measured_at < newest.measured_at:
        found.append(newest)
    return {hour: each for hour, each in roll_up(found, hold, band).items() if since <= hour <= until}


def extent(session: Session, sensor: UUID) -> tuple[datetime, Measured]:
    """When the readings of a sensor begin, and the newest of them; there must be one."""
    mine = select(Reading.measured_at, Reading.temperature).where(Reading.sensor_id == sensor)
    newest = session.execute(mine.order_by(Reading.measured_at.desc()).limit(1)).one()
    first = session.execute(mine.order_by(Reading.measured_at).limit(1)).one()
    return first.measured_at, Measured(newest.measured_at, newest.temperature)


def _row(sensor: UUID, at: datetime, hour: Hour) -> Row:
    return (sensor, at, hour.readings, hour.lowest, hour.highest, hour.above, hour.below, hour.seen, hour.kinetic)
