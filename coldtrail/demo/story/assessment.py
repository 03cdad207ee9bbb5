"""The county's cold room fails with the day's vaccine in it: the doses are held, assessed, and given free again."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from coldtrail.demo.county import COLD_ROOMS, COUNTY
from coldtrail.demo.steps import Lot
from coldtrail.demo.story.agenda import MINUTE, Agenda, about
from coldtrail.demo.tokens import SUPERVISOR

_ALARM, _ASSESSED = 25 * MINUTE, 45 * MINUTE
"""How long after the failure the doses are held, and how long after it they may go on."""

_COLD_AGAIN = 30 * MINUTE
"""How long after the failure the room has been cold for some minutes: what there is to know is known."""


def plan_assessment(agenda: Agenda) -> None:
    """The doses may travel before the first trip leaves, and be given before the first site opens."""
    for failure in agenda.trouble.failures:
        if failure.appliance == COLD_ROOMS[COUNTY]:
            agenda.plan(failure.since + _ALARM, partial(_hold, agenda, failure.until + _COLD_AGAIN))
            agenda.plan(failure.since + _ASSESSED, partial(_release, agenda))


def _hold(agenda: Agenda, decided_at: datetime, at: datetime) -> None:
    lots = agenda.shelves[COUNTY].held
    for lot in lots:
        body = {**about(COUNTY, lot), "reason": "the compressor of the cold room stands still"}
        agenda.send(f"hold-{COUNTY}-{lot.batch}", at, "/holds", body)
    agenda.plan(decided_at, partial(_override, agenda, lots))


def _release(agenda: Agenda, at: datetime) -> None:
    for lot in agenda.shelves[COUNTY].held:
        reason = "may travel: the manufacturer says that two hours at 15 degrees do no harm"
        body = {**about(COUNTY, lot), "reason": reason}
        agenda.send(f"release-{COUNTY}-{lot.batch}", at, "/releases", body)


def _override(agenda: Agenda, lots: Sequence[Lot], at: datetime) -> None:
    """The supervisor has seen the whole excursion, and its impact; without her word no site may give these doses."""
    sensors = tuple(probe.serial for probe in agenda.county.probes if probe.appliance == COLD_ROOMS[COUNTY])
    for lot in lots:
        reason = "67 minutes above 8 degrees, at most 15: within what the manufacturer's stability data allow"
        body = {**about(COUNTY, lot), "covers": ["exposure"], "reason": reason}
        agenda.send(f"override-{lot.batch}", at, "/overrides", body, holder=SUPERVISOR, looks_at=sensors)
