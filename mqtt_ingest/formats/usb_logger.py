"""The files that a WHO logger writes to a USB stick (PQS E006 DS01): records dated by a clock that nobody has set.

A record says for how long the logger had been running (RELT), and which of its time bases that was counted in (RTCW,
which changes when its clock is reset or starves). The name of a file, `<logger>_CURRENT_DATA_<RELT>_<ABST>.json`, says
what both clocks showed when it was written: so the logger started at ABST - RELT, in the time base of the last record.
Where several files say it of one time base, the earliest start holds, so that give all files of a logger at once.

Records of a time base that no file dates are counted and kept out: a wrong instant is worse than none.
"""

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from inventory.domain.temperature import centi
from inventory.services.messages import AlarmState, Measurement
from inventory.strict_json import BadPayload, loads
from mqtt_ingest.formats import alarms, fields
from mqtt_ingest.formats.absolute_time import duration, instant
from mqtt_ingest.formats.cce_objects import OBJECTS

LONGEST_FILE = 64 << 20
"""The largest file that is read, in bytes: some years of one logger."""

_NAME = re.compile(r".*_(?:CURRENT_)?DATA_(P[0-9DTHMS]+)_([0-9]{8}T[0-9]{6}Z)\.json", re.IGNORECASE)
_USUAL_INTERVAL = 900


@dataclass(frozen=True, slots=True)
class UsbLog:
    """What the files of one logger say together.

    `interval` is in seconds. `started_at` (UTC) is the earliest start that a file tells, None where none does.
    `unread` counts the records without a temperature, `undated` those of each time base (RTCW) that no file dates.
    """

    serial: str
    interval: int
    started_at: datetime | None
    readings: tuple[Measurement, ...]
    alarms: tuple[AlarmState, ...]
    unread: int
    undated: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Record:
    base: str
    running: timedelta
    temperature: int | None
    alarms: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _File:
    serial: str
    records: tuple[_Record, ...]
    start: datetime | None


def parse(files: Sequence[tuple[str, bytes]]) -> UsbLog:
    """What files, each with its name and content, say of their one logger.

    Raises:
        BadPayload: one of them is no such file, or they are of several loggers.
    """
    read = [_file(name, content) for name, content in files]
    serial = _one_serial(read)
    starts = _starts(read)
    records = dict.fromkeys(record for each in read for record in each.records)
    dated = sorted(_dated(records, starts), key=lambda each: each[0])
    return UsbLog(
        serial=serial,
        interval=_interval([at for at, _ in dated]),
        started_at=min(starts.values(), default=None),
        readings=tuple(Measurement(serial, at, one.temperature) for at, one in dated if one.temperature is not None),
        alarms=tuple(AlarmState(serial, at, one.alarms) for at, one in dated if one.alarms is not None),
        unread=sum(one.temperature is None for _, one in dated),
        undated=Counter(record.base for record in records if record.base not in starts),
    )


def _one_serial(files: Sequence[_File]) -> str:
    serials = sorted({each.serial for each in files})
    if len(serials) != 1:
        raise BadPayload(f"files are of {len(serials)} loggers ({', '.join(serials)[:200]}); expected one")
    return serials[0]


def _file(name: str, content: bytes) -> _File:
    try:
        document = fields.mapping(loads(content.removeprefix(BOM_UTF8), LONGEST_FILE), "file")
        listed = fields.array(document, "records")
        records = tuple(_record(each, f"records[{index}].") for index, each in enumerate(listed))
        return _File(fields.text(document, "LSER"), records, _start(name))
    except BadPayload as error:
        raise BadPayload(f"{name[:200]}: {error.detail}") from None


def _start(name: str) -> datetime | None:
    """When the logger started, by a file's name; None for a name that does not say it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return instant(match[2].upper(), "ABST of the name") - duration(match[1].upper(), "RELT of the name")
    except OverflowError:
        raise BadPayload(f"RELT of the name is {match[1]}; expected one since which the calendar goes") from None


def _record(value: object, path: str) -> _Record:
    record = fields.mapping(value, path[:-1])
    for name in ("TVC", "ALRM"):
        if not OBJECTS[name].admits(record.get(name)):
            raise fields.refusal(path + name, record[name], OBJECTS[name].expected)
    return _Record(
        base=fields.text(record, "RTCW", path),
        running=duration(fields.text(record, "RELT", path), f"{path}RELT"),
        temperature=_temperature(record),
        alarms=_alarms(record, path),
    )


def _temperature(record: Mapping[str, object]) -> int | None:
    celsius = record.get("TVC")
    return centi(celsius) if isinstance(celsius, int | Decimal) else None


def _alarms(record: Mapping[str, object], path: str) -> tuple[str, ...] | None:
    """The alarms that a record states; None where it does not speak of them."""
    stated = record.get("ALRM")
    try:
        return alarms.codes(stated if isinstance(stated, str) else None) if "ALRM" in record else None
    except BadPayload as error:
        raise BadPayload(f"{path}ALRM {error.detail}") from None


def _starts(files: Sequence[_File]) -> dict[str, datetime]:
    """When the logger started, by time base: a file tells it of the base of its last record."""
    starts: dict[str, datetime] = {}
    for each in files:
        if each.start is not None:
            base = each.records[-1].base
            starts[base] = min(starts.get(base, each.start), each.start)
    return starts


def _dated(records: Iterable[_Record], starts: Mapping[str, datetime]) -> Iterator[tuple[datetime, _Record]]:
    return ((starts[each.base] + each.running, each) for each in records if each.base in starts)


def _interval(instants: Sequence[datetime]) -> int:
    """The commonest distance of two records, in seconds."""
    steps = Counter(int((later - at).total_seconds()) for at, later in pairwise(instants) if later > at)
    return max(1, steps.most_common(1)[0][0]) if steps else _USUAL_INTERVAL
