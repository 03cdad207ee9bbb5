"""Somebody is unwell soon after a dose: the site hears of it while it watches its people, and reports it in time."""

from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.steps import Step
from coldtrail.demo.story.agenda import Agenda, holder_of

_ONSET, _HEARD, _REPORTED = timedelta(minutes=4), timedelta(minutes=6), timedelta(hours=3)


def plan_reaction(agenda: Agenda, site: str, dose: str, given: datetime) -> None:
    """After the dose of a key; people stay half an hour for it (一观察)."""
    agenda.plan(given + _HEARD, partial(_hear, agenda, site, dose, given + _ONSET))


def _hear(agenda: Agenda, site: str, dose: str, onset: datetime, at: datetime) -> None:
    body = {
        "reference": f"AEFI-{agenda.day:%Y%m%d}-1",
        "kind": "serious",
        "facility": site,
        "onset_at": onset.isoformat(),
        "heard_at": at.isoformat(),
        "note": "short of breath and a rash; treated on site, under observation",
    }
    key = f"{agenda.day}-reaction-{site}"
    agenda.add(Step(at, key, holder_of(site), "/api/v1/adverse-events", body, follows=dose, names="administration"))
    agenda.plan(at + _REPORTED, partial(_report, agenda, site, key))


def _report(agenda: Agenda, site: str, reaction: str, at: datetime) -> None:
    path = "/api/v1/adverse-events/{adverse_event}/reports"
    body = {"reported_at": at.isoformat(), "reported_to": "the county CDC"}
    agenda.add(Step(at, f"{reaction}-reported", holder_of(site), path, body, follows=reaction))
