"""Following sensors through a chunk of readings: those that come in order cost nothing but themselves.

Readings are (microseconds since 1970, hundredths of a degree). What comes late, contradicts, or lies where it is not
sure which watch it belongs to, is settled the slow way (inventory.services.settling).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from inventory.domain import following, rollup
from inventory.domain.excursions import ExcursionRule
from inventory.domain.exposure import Band
from inventory.domain.following import Runs, Step
from inventory.domain.instants import OLDEST, counted, instant
from inventory.domain.readings import Reading
from inventory.domain.rollup import Hour, Rolling
from inventory.services.states import Track

Measured = following.Counted

BEGINNING = counted(OLDEST) - 1


@dataclass(frozen=True, slots=True)
class Known:
    """A sensor as the ingest knows it: `hold` is for how long its readings stand, `calm` what breaks no rule."""

    id: UUID
    serial: str
    gateway_id: UUID | None
    hold: timedelta
    held: int
    band: Band
    rules: tuple[ExcursionRule, ...]
    calm: following.Band


class Followed(NamedTuple):
    """A sensor after more readings: its track, the hours that are over, and what is to be done of excursions.

    `must_judge` says that one is found, ended or otherwise changed; `grown` names the rules whose open one goes on.
    """

    track: Track
    over: Sequence[tuple[int, Hour]]
    must_judge: bool
    grown: frozenset[str]


def follow(known: Known, track: Track | None, readings: Sequence[Measured]) -> Followed | None:
    """Follow a sensor through readings, as they came; None where they must be settled the slow way."""
    if track is not None and track.is_new and track.runs is not None:
        return _begin(known, track, readings)
    if track is None or track.rolling is None or track.runs is None or not _in_order(track.rolling.at, readings):
        return None
    on_duty = _on_duty(track, track.rolling.at)
    if on_duty is None:
        return None
    rolling, over = rollup.go_on(track.rolling, readings, known.held, known.band)
    step = _judged(known, track.runs, track.rolling, readings) if on_duty else _CALM
    return Followed(track.gone_on(rolling, step.runs), over, step.must_judge, step.grown)


def _begin(known: Known, track: Track, readings: Sequence[Measured]) -> Followed | None:
    """Follow a sensor from its first reading on, unless it watches a place, which may have been unheard until then."""
    if track.first_watch is not None or not _in_order(BEGINNING, readings):
        return None
    rolling, over = rollup.go_on(rollup.begin(*readings[0]), readings[1:], known.held, known.band)
    step = following.go_on({}, None, _as_readings(readings), known.rules, known.hold)
    return Followed(track.gone_on(rolling, step.runs), over, step.must_judge, step.grown)


_CALM = Step({}, must_judge=False, grown=frozenset())


def _in_order(newest: int, readings: Sequence[Measured]) -> bool:
    for at, _ in readings:
        if at <= newest:
            return False
        newest = at
    return True


def _on_duty(track: Track, newest: int) -> bool | None:
    """Whether what follows the newest reading is judged; None where a watch begins or ends behind it."""
    at = instant(newest)
    if track.watch is not None:
        return True if track.watch <= at else None
    if track.first_watch is None:
        return True
    return False if track.watched_until is not None and track.watched_until <= at else None


def _judged(known: Known, runs: Runs, newest: Rolling, readings: Sequence[Measured]) -> Step:
    if not runs and following.calm((newest.at, newest.value), readings, known.calm, known.held):
        return _CALM
    latest = Reading(instant(newest.at), newest.value)
    return following.go_on(runs, latest, _as_readings(readings), known.rules, known.hold)


def _as_readings(readings: Sequence[Measured]) -> list[Reading]:
    return [Reading(instant(at), value) for at, value in readings]
