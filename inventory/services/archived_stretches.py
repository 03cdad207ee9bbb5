"""What of a sensor's time can be made anew although the readings of some months are archived.

A reading that comes for an archived month, or so near to one that the readings there would have a say, is stored but
not judged: what was made of the whole month is better than what one reading says. Restoring the month judges it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.instants import FOREVER
from inventory.domain.limits import ExcursionRule
from inventory.domain.rollup import HOUR
from inventory.persistence import months
from inventory.services.affected import affected

Stretch = tuple[datetime, datetime | None]

_MOMENT = timedelta(microseconds=1)


def sure_stretch(
    session: Session,
    sensor_id: UUID,
    rules: Sequence[ExcursionRule],
    hold: timedelta,
    stretch: Stretch,
    last: datetime | None,
) -> Stretch | None:
    """The part of an affected stretch whose excursions can be found without archived readings; None where none can.

    It is cut at readings at which nothing goes on. Where an archived month lies in the middle, the later part is taken
    if `last`, the latest instant that changed, lies there or is None; the earlier one stays as it was.
    """
    since, until = stretch
    window = max((rule.window or timedelta() for rule in rules), default=timedelta())
    for gone, back in months.spans(months.archived(session)):
        if back <= since or gone >= (until or FOREVER):
            continue
        calm_before, calm_after = affected(session, sensor_id, rules, hold, gone, back + window - _MOMENT)
        if last is not None and last < gone:
            until = calm_before
            break
        if calm_after is None or (last is not None and last < calm_after):
            return None
        since = calm_after
    return (since, until) if until is None or since < until else None


def sure_runs(session: Session, instants: Iterable[datetime], hold: timedelta) -> list[tuple[datetime, datetime]]:
    """The first and the last of instants between which no month is archived; those too near to one are left out.

    Around them hours can be rolled up anew: no reading that is archived stands into these.
    """
    spans = months.spans(months.archived(session))
    runs: dict[int, list[datetime]] = {}
    for at in sorted(instants):
        if not any(gone - hold - HOUR <= at < back + hold + hold + HOUR for gone, back in spans):
            runs.setdefault(sum(back <= at for _, back in spans), []).append(at)
    return [(each[0], each[-1]) for each in runs.values()]
