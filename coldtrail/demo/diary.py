"""Where the county is in its time, kept on disk so that a second run goes on from there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from coldtrail.demo.plan import begin_of
from coldtrail.demo.steps import Lot


@dataclass
class Diary:
    """The county's own notes.

    Attributes:
        began: the first day.
        shown: the simulated time at which the next run goes on.
        kept: the simulated time at which this was written.
        done_until: the time before which every step has been carried out.
        read_until: the minute up to which sensors have been read.
        day: the day that is planned, once it is.
        opening: what the county's store and each site held when that day began.
        lists: the keys of the doses in each list that was sent and may not have been answered.
    """

    began: date
    shown: datetime
    kept: datetime
    done_until: datetime
    read_until: datetime
    day: date | None = None
    opening: dict[str, list[Lot]] = field(default_factory=dict)
    lists: list[list[str]] = field(default_factory=list)

    @classmethod
    def begin(cls, today: date) -> Self:
        """The notes of a county that begins at six in the morning."""
        six = begin_of(today)
        return cls(today, six, six, six, six - timedelta(minutes=1))

    @classmethod
    def load(cls, file: Path, today: date) -> Self:
        """The notes in a file, or new ones that begin today where there is no file."""
        if not file.exists():
            return cls.begin(today)
        return cls(**_read(json.loads(file.read_text(encoding="utf-8"))))

    def save(self, file: Path) -> None:
        """Write the notes, whole or not at all."""
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), default=_text, indent=1), encoding="utf-8")
        fresh.replace(file)

    def index(self, day: date) -> int:
        """Which day of the county a day is; the first is 0."""
        return (day - self.began).days


def _text(value: date) -> str:
    return value.isoformat()


def _read(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "began": date.fromisoformat(stored["began"]),
        **{name: datetime.fromisoformat(stored[name]) for name in ("shown", "kept", "done_until", "read_until")},
        "day": date.fromisoformat(stored["day"]) if stored["day"] else None,
        "opening": {facility: _lots(lots) for facility, lots in stored["opening"].items()},
        "lists": stored["lists"],
    }


def _lots(stored: Sequence[Mapping[str, Any]]) -> list[Lot]:
    return [Lot(**{**lot, "expiry": date.fromisoformat(lot["expiry"])}) for lot in stored]
