"""What a cumulative rule finds, said the slow way: every minute by itself, every window by itself."""

from collections.abc import Sequence
from datetime import timedelta

from inventory.domain.excursions import ExcursionRule
from inventory.domain.readings import Reading
from tests.properties.strategies import MINUTE

Found = tuple[int, int, int | None, int, int, int]
"""Started, alarmed and ended (None while it goes on) in minutes since the first reading; seen, unseen, extreme."""


def whole(time: timedelta) -> int:
    return time // MINUTE


class Minutes:
    """The temperature of every minute from the first reading to the last; None where nothing was seen."""

    def __init__(self, readings: Sequence[Reading], rule: ExcursionRule, hold: timedelta) -> None:
        self.rule = rule
        self.duration, self.window = whole(rule.duration), whole(rule.window or timedelta())
        at = {whole(each.measured_at - readings[0].measured_at): each.temperature for each in readings}
        self.end = max(at)
        self.last = readings[-1].temperature
        self.seen: list[int | None] = []
        for minute in range(self.end):
            near = range(minute, max(-1, minute - whole(hold)), -1)
            self.seen.append(next((at[each] for each in near if each in at), None))

    def beyond(self, minute: int) -> bool:
        temperature = self.seen[minute]
        return temperature is not None and self.rule.broken_by(temperature)

    def full(self, instant: int) -> set[int]:
        """The minutes beyond in the window that ends at an instant, if there are enough."""
        found = {each for each in range(max(0, instant - self.window), instant) if self.beyond(each)}
        return found if len(found) >= self.duration else set()


def expected(readings: Sequence[Reading], rule: ExcursionRule, hold: timedelta) -> list[Found]:
    """What the rule finds, by start; its duration is at least a minute, all times are whole minutes."""
    minutes = Minutes(readings, rule, hold)
    groups: list[tuple[int, set[int]]] = []
    stood = False
    for instant in range(minutes.end + 1):
        found = minutes.full(instant)
        if found and groups and (stood or groups[-1][1] & found):
            groups[-1][1].update(found)
        elif found:
            groups.append((instant, found))
        stood = bool(found)
    goes_on = bool(minutes.full(minutes.end)) and rule.broken_by(minutes.last)
    return [_told(minutes, *group, goes_on and group is groups[-1]) for group in groups]


def _told(minutes: Minutes, alarm: int, counted: set[int], goes_on: bool) -> Found:
    last = max(counted)
    until = next((each for each in range(last + 1, minutes.end) if minutes.seen[each] is not None), minutes.end)
    span = range(min(counted), minutes.end if goes_on else until)
    values = [value for each in counted if (value := minutes.seen[each]) is not None]
    if goes_on:
        values.append(minutes.last)
    unseen = sum(minutes.seen[each] is None for each in span)
    ended = None if goes_on or _still_beyond(minutes, last) else until
    worst = max(values) if minutes.rule.side == "above" else min(values)
    return span.start, alarm, ended, len(counted), unseen, worst


def _still_beyond(minutes: Minutes, last: int) -> bool:
    return last + 1 == minutes.end and minutes.rule.broken_by(minutes.last)
