"""What a WHO delivery must be to be taken: what the schema asks, and what it takes to read it.

Beyond the schema are names of a length that can be stored, an ABST that is a day of the calendar, alarm codes, and
the compressor's run time in the unit of its schema version. Production dates, which the schema leaves to the makers,
are left to them here too, and so are members that are not the standard's, whether or not they begin with z.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from inventory.strict_json import BadPayload
from mqtt_ingest.formats import alarms
from mqtt_ingest.formats.absolute_time import moment
from mqtt_ingest.formats.cce_schema import Violation, schema
from mqtt_ingest.formats.fields import CODE, TRANSFER_ID, shown

MOST = 1000
"""The most violations that are told of one delivery."""

_LENGTHS = {"schemaVersion": CODE, "transferId": TRANSFER_ID, "transferSrc": 2000}
_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4})?")
_SECONDS_SINCE = (0, 8)
_LONGEST_MINUTES = 15


def violations(envelope: object, most: int = MOST) -> list[Violation]:
    """All that is wrong with a delivery, up to `most`; where there is nothing, it can be read.

    Where the schema is broken only that is told.

    Args:
        envelope: the delivery as `strict_json.loads` gives it, its numbers int or Decimal.
        most: where to stop.
    """
    found = list(islice(schema(envelope), most))
    if found or not isinstance(envelope, dict):
        return found
    return list(islice(chain(_meta(envelope["meta"]), _reports(envelope)), most))


def in_minutes(schema_version: str) -> bool:
    """Whether the compressor's run time is in minutes, at most 15, as it was before 0.8.0; since, it is in seconds."""
    match = _VERSION.fullmatch(schema_version)
    return match is not None and (int(match[1]), int(match[2])) < _SECONDS_SINCE


def run_seconds(run_time: Decimal | int | None, schema_version: str) -> Decimal | int | None:
    """CMPR or CMPR2 in seconds, whatever the schema version of its delivery."""
    return run_time * 60 if run_time is not None and in_minutes(schema_version) else run_time


def sensor_of(report: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """The serial that a report's readings are of, and its path in the report: the logger, or the sensor for TVC."""
    if kind == "ems":
        return report["LSER"], "LSER"
    return report["DLST"]["TVC"]["SID"], "DLST.TVC.SID"


def _meta(meta: Mapping[str, Any]) -> Iterator[Violation]:
    for name, longest in _LENGTHS.items():
        yield from _length(meta[name], f"meta.{name}", longest)


def _reports(envelope: Mapping[str, Any]) -> Iterator[Violation]:
    meta = envelope["meta"]
    minutes = in_minutes(meta["schemaVersion"])
    for index, report in enumerate(envelope["data"]):
        sensor, path = sensor_of(report, meta["transferType"])
        yield from _length(sensor, f"data[{index}].{path}", CODE)
        for number, record in enumerate(report["records"]):
            yield from _record(record, f"data[{index}].records[{number}]", minutes)


def _record(record: Mapping[str, Any], path: str, minutes: bool) -> Iterator[Violation]:
    if moment(record["ABST"]) is None:
        yield Violation(f"{path}.ABST", f"is {shown(record['ABST'])}; expected a UTC time such as 20260105T080000Z")
    try:
        alarms.codes(record["ALRM"])
    except BadPayload as error:
        yield Violation(f"{path}.ALRM", error.detail)
    for name in ("CMPR", "CMPR2"):
        if minutes and (record.get(name) or 0) > _LONGEST_MINUTES:
            yield Violation(f"{path}.{name}", f"is {record[name]}; expected at most {_LONGEST_MINUTES} minutes")


def _length(text: str, path: str, longest: int) -> Iterator[Violation]:
    if not 1 <= len(text) <= longest:
        yield Violation(path, f"is {shown(text)}; expected a text of 1 to {longest} characters")
