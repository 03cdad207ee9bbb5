"""What the demonstration tells its user while it runs."""

from datetime import datetime, time
from time import monotonic

import click

from coldtrail.demo.api import Api
from coldtrail.demo.county import ZONE, County
from coldtrail.demo.life import Life
from coldtrail.demo.showcase import Facts, announcement, find_example
from coldtrail.demo.tokens import AUDITOR, Tokens
from coldtrail.demo.trouble import trouble_of

_LOOK_EVERY = 1.0
_WAITING_EVERY = 10.0
_STATUS_EVERY = 30.0

_MORNING = (
    (time(8), "the first sites open"),
    (time(7, 50), "the supervisor has seen the excursion and lets the vaccine be given"),
    (time(7, 10), "trips leave for the sites"),
    (time(6, 45), "the county holds the vaccine, for its cold room is warm, and asks the manufacturer"),
    (time(6, 20), "the vaccine is in the county's cold room, whose compressor has stopped"),
    (time(6), "the vaccine is on its way from the city"),
)
"""Where the vaccine of the first day is, the latest first."""


class Teller:
    """Says what `ready` waits for, then `ready` and what to try, then now and then where the county stands."""

    def __init__(self, api: Api, tokens: Tokens, county: County, life: Life, facts: Facts) -> None:
        self._api = api
        self._tokens = tokens
        self._county = county
        self._life = life
        self._facts = facts
        self._is_ready = False
        self._carried_on = life.diary.day is not None
        self._look_at = self._tell_at = monotonic()

    def tell(self, now: datetime) -> None:
        """Say what is due; called often. Raises `Refused` and `Stopped`."""
        if not self._is_ready:
            self._look(now)
        if monotonic() < self._tell_at:
            return
        if self._is_ready:
            self._tell_in(_STATUS_EVERY)
            click.echo(status_line(self._county, self._life, now, self._overdue()))
        else:
            self._tell_in(_WAITING_EVERY)
            click.echo(waiting_line(now, self._life.tally.given))

    def _look(self, now: datetime) -> None:
        """Look for what the commands are to show, once there can be any."""
        if monotonic() < self._look_at or not (self._life.tally.given or self._carried_on):
            return
        self._look_at = monotonic() + _LOOK_EVERY
        example = find_example(self._api, self._tokens)
        today = now.astimezone(ZONE).date()
        if example is not None and (example.adverse_event or self._carried_on):
            self._is_ready = True
            self._tell_in(_STATUS_EVERY)
            for line in announcement(self._api.url, self._facts, self._tokens, example, today):
                click.echo(line)

    def _tell_in(self, seconds: float) -> None:
        self._tell_at = monotonic() + seconds

    def _overdue(self) -> int:
        """Doses past a deadline, used too late or still there."""
        page = self._api.get("/api/v1/deadlines?status=missed&limit=1000", self._tokens[AUDITOR])
        return sum(line["doses_left"] + line["doses_late"] for line in page["items"])


def status_line(county: County, life: Life, now: datetime, overdue: int) -> str:
    """Where the county stands: doses given in this run, doses past a deadline, readings, what goes wrong today."""
    local, tally = now.astimezone(ZONE), life.tally
    troubles = trouble_of(county, life.diary.index(local.date()), local.date()).told
    parts = [
        f"{local:%Y-%m-%d %H:%M}",
        f"{tally.given:,} doses given",
        f"{overdue:,} past a deadline",
        f"{tally.confirmed:,} of {tally.taken:,} readings confirmed",
    ]
    behind = int(life.behind.total_seconds()) // 60
    if behind > 1:
        parts.append(f"the service is {behind} min behind")
    if tally.refused:
        parts.append(f"{tally.refused} doses refused")
    if tally.movements_refused:
        parts.append(f"{tally.movements_refused} other requests refused")
    wrong = ", ".join(told for since, told in troubles if since <= now)
    return "; ".join([*parts, *([f"today: {wrong}"] if wrong else [])])


def waiting_line(now: datetime, given: int) -> str:
    """What `ready` waits for, and where the vaccine is meanwhile."""
    local = now.astimezone(ZONE)
    if given:
        return f"{local:%H:%M} in the county; waiting for an excursion on the way of a dose, and for a reaction to one"
    stage = next((told for since, told in _MORNING if local.time() >= since), "the county wakes up")
    return f"{local:%H:%M} in the county; waiting for the first doses, given from 08:00 on: {stage}"
