"""What the demonstration tells its user while it runs."""

from datetime import datetime

from coldtrail.demo.county import ZONE, County
from coldtrail.demo.diary import Diary
from coldtrail.demo.tally import Tally
from coldtrail.demo.trouble import trouble_of


def status_line(county: County, diary: Diary, tally: Tally, now: datetime, overdue: int) -> str:
    """Where the county stands: doses given in this run, doses past their deadline, readings, troubles."""
    local = now.astimezone(ZONE)
    troubles = trouble_of(county, diary.index(local.date()), local.date()).told
    parts = [
        f"{local:%Y-%m-%d %H:%M}",
        f"{tally.given:,} doses given",
        f"{overdue:,} past a deadline",
        f"{tally.confirmed:,} of {tally.taken:,} readings confirmed",
    ]
    behind = int(tally.behind.total_seconds()) // 60
    if behind > 1:
        parts.append(f"the service is {behind} min behind")
    if tally.refused:
        parts.append(f"{tally.refused} doses refused")
    return "; ".join([*parts, *(told for since, told in troubles if since <= now)])


def waiting_line(now: datetime, given: int) -> str:
    """What `ready` waits for."""
    awaited = "an excursion on the way of a dose" if given else "the first doses, which sites give from 08:00 on"
    return f"{now.astimezone(ZONE):%H:%M} in the county; waiting for {awaited}"
