"""The CSV export of LogTag loggers (VaxTag+, UTRID-16, TRED30-16U): a header of pairs, and a table of readings.

A row of two cells is a pair of name and value, a row of more than three is index, date, time and temperature. The
logger writes local times without saying of which zone, as Berlinger's do (see `local_time`).

Of its limits the file has only the range without alert, not how long a temperature must lie outside before the logger
alerts. So the range is a limit without any duration: whatever lies outside it is an excursion.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from inventory.domain.temperature import centi
from inventory.services.messages import Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.fields import require_serial, shown
from mqtt_ingest.formats.local_time import instant

_TIME = "%Y-%m-%d %H:%M:%S"
_INTERVAL = re.compile(r"([0-9]{1,6}) (second|minute|hour)s?", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_RANGE = re.compile(r"([+-]?[0-9.]{1,7})\s+to\s+([+-]?[0-9.]{1,7})\s*\S{0,8}C")


@dataclass(frozen=True, slots=True)
class LogTagExport:
    """One exported file: `interval` in seconds, `low` and `high` in hundredths of a degree, all instants UTC.

    `unread` counts the rows in which the logger had no temperature.
    """

    serial: str
    interval: int
    low: int
    high: int
    readings: tuple[Measurement, ...]
    unread: int


def parse(text: str, zone: ZoneInfo) -> LogTagExport:
    """What an export says, its local times read in `zone`.

    Raises:
        BadPayload: it is not such an export, its unit is not Celsius, or a time never was in `zone`.
    """
    rows = _rows(text)
    header = {row[0]: row[1] for row in rows if len(row) == 2}
    serial = require_serial(_given(header, "Serial #"), "Serial #")
    low, high = _range(_given(header, "Non alert range"))
    table = list(_table(rows))
    return LogTagExport(
        serial=serial,
        interval=_interval(_given(header, "Reading interval")),
        low=low,
        high=high,
        readings=tuple(Measurement(serial, instant(at, zone, _TIME), _centi(t)) for at, t in table if t),
        unread=sum(not t for _, t in table),
    )


def _rows(text: str) -> list[list[str]]:
    try:
        lines = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
        return [[cell.strip() for cell in row] for row in lines]
    except csv.Error as error:
        raise BadPayload(f"file is no table of comma-separated values: {error}") from None


def _table(rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Local time and temperature of each row that has an index; before the first stands a heading."""
    begun = False
    for row in rows:
        if len(row) >= 3 and row[0].isdecimal():
            begun = True
            yield f"{row[1]} {row[2]}", _temperature(row[3]) if len(row) > 3 else ""
        elif begun and len(row) > 3:
            raise BadPayload(f"row {','.join(row)[:60]!r} has no index; expected index, date, time and temperature")


def _temperature(cell: str) -> str:
    """A row's temperature, or nothing where the logger had none and so wrote dashes, or left it out."""
    return "" if not cell.strip("-. ") else cell


def _given(header: Mapping[str, str], name: str) -> str:
    if not header.get(name):
        raise BadPayload(f"{name!r} is missing; expected a row of it and its value")
    return header[name]


def _interval(text: str) -> int:
    match = _INTERVAL.fullmatch(text)
    if match is None or not int(match[1]):
        raise BadPayload(f"Reading interval is {shown(text)}; expected one such as '10 minutes'")
    return int(match[1]) * _SECONDS[match[2].lower()]


def _range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise BadPayload(f"Non alert range is {shown(text)}; expected degrees Celsius such as '2.0  to  8.0 °C'")
    low, high = _centi(match[1]), _centi(match[2])
    if low > high:
        raise BadPayload(f"Non alert range is {shown(text)}; expected the lower limit before the higher")
    return low, high


def _centi(text: str) -> int:
    try:
        return centi(Decimal(text))
    except (ValueError, ArithmeticError):
        raise BadPayload(f"temperature is {shown(text)}; expected degrees Celsius such as 4.5") from None
