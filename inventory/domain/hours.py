"""When a facility works: the hours of each civil day in which doses are given, sent and taken in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from inventory.domain.instants import civil_day, end_of_day

OPENS = time(8)
CLOSES = time(18)
"""Where a facility states no end of its session."""

HORIZON = timedelta(days=100)
"""Further ahead nothing is reckoned: every clock has run out by then, that of a thaw of ten weeks included."""


@dataclass(frozen=True)
class WorkingDay:
    """The hours of a facility in its own zone: from 8 o'clock to its session's end, or 18 o'clock where none is stated.

    Nothing is done outside them: a site that is closed at night gives nothing, however long the night. A session that
    ends at or before 8 o'clock is one of the night and begins with the day; one that ends at 00:00 lasts to its end.
    """

    zone: str
    session_ends: str | None = None

    @property
    def closes(self) -> time:
        """When the day's work ends, on the facility's clock; midnight is the day's end."""
        return CLOSES if self.session_ends is None else time.fromisoformat(self.session_ends)

    @property
    def opens(self) -> time:
        """When the day's work begins, on the facility's clock."""
        return time() if self.closes <= OPENS else OPENS

    @property
    def length(self) -> timedelta:
        """The hours of a day on which no clock is changed."""
        ends = _since_midnight(self.closes) or timedelta(days=1)
        return ends - _since_midnight(self.opens)

    def span(self, day: date) -> tuple[datetime, datetime]:
        """The first and the last instant of a civil day's work."""
        return _span(self.zone, self.opens, self.closes, day)

    def span_of(self, at: datetime) -> tuple[datetime, datetime]:
        """The work of the civil day of an instant."""
        return self.span(civil_day(at, self.zone))

    def worked(self, since: datetime, until: datetime) -> timedelta:
        """The working time between two instants, reckoned at most to the horizon; none where they do not go forward."""
        return sum((ends - begins for begins, ends in self._stretches(since, until)), timedelta())

    def after(self, since: datetime, work: timedelta) -> datetime | None:
        """The instant at which so much has been worked since another; None where that is beyond the horizon."""
        left = work
        if not left:
            return since
        for begins, ends in self._stretches(since, since + HORIZON):
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
        return None

    def _stretches(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of work that begin before `until` and end after `since`, none of them before `since`."""
        day, end = civil_day(since, self.zone), min(until, since + HORIZON)
        while True:
            begins, ends = self.span(day)
            if begins >= end or end <= since:
                return
            if ends > since:
                yield max(begins, since), min(ends, end)
            day += timedelta(days=1)


@lru_cache(maxsize=10_000)
def _span(zone: str, opens: time, closes: time, day: date) -> tuple[datetime, datetime]:
    """Kept, for the same few days are asked for with every line of a board."""
    begins = datetime.combine(day, opens, ZoneInfo(zone)).astimezone(UTC)
    if closes == time():
        return begins, end_of_day(day, zone)
    return begins, datetime.combine(day, closes, ZoneInfo(zone)).astimezone(UTC)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)
