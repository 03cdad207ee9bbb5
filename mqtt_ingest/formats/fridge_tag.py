"""The text export of Berlinger Fridge-tag 2, 2 L and UL: a tree by indentation, and on the loggers a table.

The devices write local minutes without saying of which zone, so the zone is an argument. Where the clocks go
back, a local time that comes twice is taken as its first occurrence. Where they go forward, a local time that never
was is refused: the device does not follow that zone, and every reading of half a year would lie an hour off. Such
a device wants a zone of fixed offset (`Etc/GMT-1`).

Only what bears on temperature is read; certificate and signature are not verified, for how they are made is not
published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from inventory.domain.temperature import celsius, centi
from inventory.domain.words import Side
from inventory.services.messages import AlarmState, Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.fields import require_serial
from mqtt_ingest.formats.indented import Branch, branch, branches, leaf, tree
from mqtt_ingest.formats.local_time import civil, instant

_NO_READING = "--.-"
_TIME = "%Y-%m-%d %H:%M"
_NAMES = {Side.BELOW: "LOW", Side.ABOVE: "HIGH"}
_SIDES = (("0", Side.BELOW), ("1", Side.ABOVE))


@dataclass(frozen=True, slots=True)
class DeviceLimit:
    """The device alarms after `minutes` in a row strictly on `side` of `threshold` (hundredths of a degree)."""

    side: Side
    threshold: int
    minutes: int


@dataclass(frozen=True, slots=True)
class DeviceAlarm:
    """What the device itself counted on a civil day of its zone.

    `limit` is 0 for the lower and 1 for the higher limit. `minutes` are those of that day beyond the limit, in a row
    or not; `alarmed_at` (UTC) is when a run of them reached the limit's minutes, midnight where it was carried over,
    None where it did not come to an alarm.
    """

    day: date
    limit: int
    minutes: int
    alarmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FridgeTagExport:
    """One exported file. `interval` is in seconds, None and no readings from a device of daily summaries only.

    `unread` counts the rows in which the device had no temperature. All instants are UTC.
    """

    device: str
    serial: str
    interval: int | None
    limits: tuple[DeviceLimit, ...]
    activated_at: datetime
    reported_at: datetime
    readings: list[Measurement]
    unread: int
    alarms: tuple[DeviceAlarm, ...]

    def stated(self) -> tuple[AlarmState, ...]:
        """The alarms of the device's own limits, each at the moment at which it says that one stood.

        The code is of the form `HIGH +8.0/600`: the side, the limit and its minutes. An alarm that was carried over
        from the day before stands at midnight. When the device was activated there was none, which is said too, so
        that it is known to tell of its alarms even where it never had one.
        """
        codes: dict[datetime, list[str]] = {self.activated_at: []}
        for alarm in self.alarms:
            if alarm.alarmed_at is not None:
                codes.setdefault(alarm.alarmed_at, []).append(self._code(_SIDES[alarm.limit][1]))
        return tuple(AlarmState(self.serial, at, tuple(codes[at])) for at in sorted(codes))

    def _code(self, side: Side) -> str:
        limits = (f" {celsius(each.threshold):+.1f}/{each.minutes}" for each in self.limits if each.side is side)
        return _NAMES[side] + next(limits, "")


def parse(text: str, zone: ZoneInfo) -> FridgeTagExport:
    """What an export says, its local times read in `zone`.

    Raises:
        BadPayload: it is not such an export, its unit is not Celsius, or a time never was in `zone`.
    """
    head, _, table = text.removeprefix("\ufeff").replace("\r\n", "\n").partition("\nData:\n")
    root = tree(head)
    conf, hist = branch(root, "Conf"), branch(root, "Hist")
    _require_celsius(conf)
    serial = require_serial(leaf(conf, "Serial"), "Serial")
    rows = list(_rows(table))
    return FridgeTagExport(
        device=leaf(root, "Device"),
        serial=serial,
        interval=_whole(leaf(conf, "Logging Interval")) * 60 if "Logging Interval" in conf else None,
        limits=tuple(_limits(branch(conf, "Alarm"))),
        activated_at=_instant(leaf(hist, "TS Actv"), zone),
        reported_at=_instant(leaf(hist, "TS Report Creation"), zone),
        readings=[Measurement(serial, _instant(at, zone), _centi(t)) for at, t in rows if t != _NO_READING],
        unread=sum(t == _NO_READING for _, t in rows),
        alarms=tuple(alarm for day in branches(hist) for alarm in _alarms(day, zone)),
    )


def _require_celsius(conf: Branch) -> None:
    if leaf(conf, "Temp unit") != "C":
        raise BadPayload(f"Temp unit is {leaf(conf, 'Temp unit')!r}; expected 'C'")


def _limits(alarm: Branch) -> Iterator[DeviceLimit]:
    for index, side in _SIDES:
        if index in alarm:
            limit = branch(alarm, index)
            yield DeviceLimit(side, _centi(leaf(limit, "T AL")), _whole(leaf(limit, "t AL")))


def _alarms(day: Branch, zone: ZoneInfo) -> Iterator[DeviceAlarm]:
    name = leaf(day, "Date")
    for index, _ in _SIDES:
        counted = branch(branch(day, "Alarm"), index)
        minutes = _whole(leaf(counted, "t Acc"))
        if minutes or "TS A" in counted:
            at = _instant(f"{name} {leaf(counted, 'TS A')}", zone) if "TS A" in counted else None
            yield DeviceAlarm(civil(f"{name} 00:00", _TIME).date(), int(index), minutes, at)


def _rows(table: str) -> Iterator[tuple[str, str]]:
    """Local time and temperature of each row, until the table ends; its first row is a heading."""
    for line in table.split("\n")[1:]:
        if not line.startswith("\t"):
            return
        cells = line.split("\t")
        if len(cells) < 3:
            raise BadPayload(f"row {line!r} has no temperature; expected time and temperature after tabs")
        yield cells[1], cells[2]


def _instant(text: str, zone: ZoneInfo) -> datetime:
    return instant(text, zone, _TIME)


def _centi(text: str) -> int:
    try:
        return centi(Decimal(text))
    except (ValueError, ArithmeticError):
        raise BadPayload(f"temperature is {text[:40]!r}; expected degrees Celsius such as +4.5") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadPayload(f"number is {text[:40]!r}; expected whole minutes")
    return int(text)
