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
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from inventory.domain.temperature import centi
from inventory.domain.words import Side
from inventory.services.messages import Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.indented import Branch, branch, branches, leaf, tree

_NO_READING = "--.-"
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

    `limit` is an index of the export's limits. `minutes` are those of that day beyond the limit, in a row or not;
    `alarmed_at` (UTC) is when a run of them reached the limit's minutes, midnight where it was carried over, None
    where it did not come to an alarm.
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


def parse(text: str, zone: ZoneInfo) -> FridgeTagExport:
    """What an export says, its local times read in `zone`.

    Raises:
        BadPayload: it is not such an export, its unit is not Celsius, or a time never was in `zone`.
    """
    head, _, table = text.removeprefix("\ufeff").replace("\r\n", "\n").partition("\nData:\n")
    root = tree(head)
    conf, hist = branch(root, "Conf"), branch(root, "Hist")
    _require_celsius(conf)
    serial = leaf(conf, "Serial")
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
            yield DeviceAlarm(_local(f"{name} 00:00").date(), int(index), minutes, at)


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
    local = _local(text).replace(tzinfo=zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise BadPayload(f"time {text!r} never was in {zone.key}; expected the zone that the device's clock follows")
    return at


def _local(text: str) -> datetime:
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007  (the file says no zone)
    except ValueError:
        raise BadPayload(f"time is {text[:40]!r}; expected one such as 2026-01-05 08:00") from None
    if not 1 < local.year < 9999:
        raise BadPayload(f"time {text!r} is out of all range")
    return local


def _centi(text: str) -> int:
    try:
        return centi(Decimal(text))
    except (ValueError, ArithmeticError):
        raise BadPayload(f"temperature is {text[:40]!r}; expected degrees Celsius such as +4.5") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadPayload(f"number is {text[:40]!r}; expected whole minutes")
    return int(text)
