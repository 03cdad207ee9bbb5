"""What changes in the verdict on an excursion, and by what name that goes down in its history.

A verdict is taken back or added to as readings come late or a watch becomes known. What was said once stays readable,
so that whoever acted on it can be shown what he knew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.domain.instants import FOREVER
from inventory.domain.words import Side, VersionReason


@dataclass(frozen=True)
class Verdict:
    """What is said of an excursion; times that it was seen and unseen are whole seconds, as they are stored."""

    side: Side
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None

    @property
    def gravity(self) -> tuple[timedelta, timedelta, int, timedelta]:
        """The greater, the worse: how long it is, how much of that was seen, how far beyond, how early its alarm."""
        extreme = self.extreme or 0
        length = (self.ended_at or FOREVER) - self.started_at
        return length, self.seen, -extreme if self.side is Side.BELOW else extreme, FOREVER - self.alarm_at

    def shared(self, other: "Verdict") -> timedelta:
        """How much time two have in common; not more than nothing where they merely touch."""
        end = min(self.ended_at or FOREVER, other.ended_at or FOREVER)
        return end - max(self.started_at, other.started_at)

    def overlaps(self, other: "Verdict") -> bool:
        """Whether two have time in common."""
        return self.shared(other) > timedelta()


@dataclass(frozen=True)
class Circumstances:
    """What else is known of a change.

    `given` is the reason that its caller knows. `split` says that the old verdict is now several excursions, `merged`
    that the new one was several before, `absorbed` that what is gone is part of another now, `was_cancelled` that
    the old verdict had been taken back.
    """

    given: VersionReason | None = None
    split: bool = False
    merged: bool = False
    absorbed: bool = False
    was_cancelled: bool = False


PLAIN = Circumstances()


def reason(old: Verdict | None, new: Verdict | None, known: Circumstances = PLAIN) -> VersionReason | None:
    """Why a verdict is another now; None where it is not, or merely goes on (see `goes_on`).

    What an excursion became goes before why: that it was found, that it is gone or is there again. Of the others the
    caller's reason comes first, then what happened to several, then to its end, then to its size.
    """
    if old is None:
        return None if new is None else VersionReason.FOUND
    if new is None:
        return VersionReason.MERGED if known.absorbed else VersionReason.CANCELLED
    if known.was_cancelled:
        return VersionReason.RESUMED
    return None if old == new or goes_on(old, new) else known.given or _of_a_change(old, new, known)


def goes_on(old: Verdict, new: Verdict) -> bool:
    """Whether an open excursion has only grown: nothing is taken back of what was said of it."""
    worse = (new.extreme or 0) >= (old.extreme or 0)
    if new.side is Side.BELOW:
        worse = (new.extreme or 0) <= (old.extreme or 0)
    return (
        old.ended_at is None
        and new.ended_at is None
        and (new.started_at, new.alarm_at) == (old.started_at, old.alarm_at)
        and new.seen >= old.seen
        and new.unseen >= old.unseen
        and worse
    )


def _of_a_change(old: Verdict, new: Verdict, known: Circumstances) -> VersionReason:
    if known.merged:
        return VersionReason.MERGED
    if known.split:
        return VersionReason.SPLIT
    if old.ended_at is None and new.ended_at is not None:
        return VersionReason.ENDED
    if old.ended_at is not None and new.ended_at is None:
        return VersionReason.RESUMED
    return VersionReason.EXTENDED if new.gravity > old.gravity else VersionReason.SHORTENED
