"""The JSON schema of a WHO delivery (PQS E006 DS01, cce-interop 0.8.1) as code: all that breaks it, with its path.

It asks what the published schema asks, neither more nor less; what else it takes to read one stands in `cce_rules`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mqtt_ingest.formats.absolute_time import ABST
from mqtt_ingest.formats.cce_objects import AMID, DLST, EMS, OF_RECORD, OF_REPORT, RTM, SHAPES, Shape, Thing
from mqtt_ingest.formats.fields import CODE, shown

_META = ("schemaVersion", "transferType", "transferId", "transferSrc", "transferredAt")
_SENSOR = ("SID", "SMFR", "SMOD")
_TRANSFERRED_AT = re.compile(r"2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z")


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong at a path such as `data[0].records[3].TVC`; the message goes on from the path."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path} {self.message}"


Violations = Iterator[Violation]
"""Told one by one: a hostile delivery could have millions."""


def schema(envelope: object) -> Violations:
    """Where a delivery breaks the published schema; its numbers are int or Decimal, as `strict_json.loads` gives."""
    if not isinstance(envelope, dict):
        yield _wrong("envelope", envelope, "an object")
        return
    yield from _missing(envelope, ("meta", "data"), "")
    if "meta" in envelope:
        yield from _meta(envelope["meta"])
    if "data" in envelope:
        yield from _listed(envelope["data"], "data")
        shape = _shape(envelope.get("meta"))
        for path, report in _objects(envelope["data"], "data"):
            yield from _report(report, shape, path)


def _shape(meta: object) -> Shape:
    """The schema takes for a logger's whatever does not say otherwise."""
    kind = meta.get("transferType", "ems") if isinstance(meta, dict) else "ems"
    return RTM if isinstance(kind, str) and kind != "ems" else EMS


def _meta(meta: object) -> Violations:
    if not isinstance(meta, dict):
        yield _wrong("meta", meta, "an object")
        return
    yield from _missing(meta, _META, "meta.")
    for name in _META:
        if name not in meta:
            continue
        if not isinstance(meta[name], str):
            yield _wrong(f"meta.{name}", meta[name], "a text")
        elif name == "transferType" and meta[name] not in SHAPES:
            yield _wrong("meta.transferType", meta[name], "rtm or ems")
        elif name == "transferredAt" and not _TRANSFERRED_AT.fullmatch(meta[name]):
            yield _wrong("meta.transferredAt", meta[name], "a UTC time such as 2026-01-05T08:00:00Z")


def _report(report: Mapping[str, object], shape: Shape, path: str) -> Violations:
    yield from _missing(report, shape.report, f"{path}.")
    yield from _values(report, OF_REPORT, f"{path}.")
    if shape is RTM:
        yield from _monitor(report, path)
    if "records" in report:
        yield from _listed(report["records"], f"{path}.records")
        yield from _once(report, shape, path)
        for each, record in _objects(report["records"], f"{path}.records"):
            yield from _record(record, shape, each)


def _monitor(report: Mapping[str, object], path: str) -> Violations:
    """What only a remote temperature monitor's report has: its appliance, and its sensors in DLST."""
    yield from _values(report, {"AMID": AMID}, f"{path}.")
    if "DLST" in report:
        yield from _sensors(report["DLST"], f"{path}.DLST")


def _sensors(sensors: object, path: str) -> Violations:
    if not isinstance(sensors, dict):
        yield _wrong(path, sensors, "an object")
        return
    yield from _missing(sensors, ("TVC",), f"{path}.")
    yield from _unknown(sensors, DLST, path)
    for name, sensor in sensors.items():
        yield from _sensor(sensor, f"{path}.{name[:CODE]}")


def _sensor(sensor: object, path: str) -> Violations:
    if not isinstance(sensor, dict):
        yield _wrong(path, sensor, "an object")
        return
    yield from _missing(sensor, _SENSOR, f"{path}.")
    yield from _unknown(sensor, (*_SENSOR, "SDOP"), path)
    for name in (*_SENSOR, "SDOP"):
        if not isinstance(sensor.get(name, ""), str):
            yield _wrong(f"{path}.{name}", sensor[name], "a text")


def _once(report: Mapping[str, object], shape: Shape, path: str) -> Violations:
    records = report["records"]
    listed = records if isinstance(records, list) else []
    for name in shape.once:
        in_each = all(name in record for record in listed if isinstance(record, dict))
        if in_each and name in report:
            yield Violation(f"{path}.{name}", "stands in the report and in every record; expected it in one of them")
        elif not in_each and name not in report:
            yield Violation(f"{path}.{name}", "is missing; expected it in the report or in every record")


def _record(record: Mapping[str, object], shape: Shape, path: str) -> Violations:
    yield from _missing(record, shape.record, f"{path}.")
    yield from _values(record, OF_RECORD, f"{path}.")
    at = record.get("ABST")
    if isinstance(at, str) and not ABST.fullmatch(at):
        yield _wrong(f"{path}.ABST", at, "a UTC time such as 20260105T080000Z")
    if shape is EMS:
        yield from _power(record, path)
        yield from _vaccine(record, path)
    elif not record.keys() & {"TVC", "TFRZ", "TAMB"}:
        yield Violation(path, "has no TVC, TFRZ or TAMB; expected at least one")


def _power(record: Mapping[str, object], path: str) -> Violations:
    mains, solar = "SVA" in record, {"DCSV", "DCCD"} <= record.keys()
    if mains and solar:
        yield Violation(path, "has SVA and both DCSV and DCCD; expected SVA (mains), or DCSV and DCCD (solar)")
    elif not mains and not solar:
        yield Violation(path, "has no supply; expected SVA (mains), or DCSV and DCCD (solar)")


def _vaccine(record: Mapping[str, object], path: str) -> Violations:
    """A logger that has no temperature must say why."""
    if record.get("TVC") is None and not ("TVC" in record and isinstance(record.get("LERR"), str) and record["LERR"]):
        yield Violation(f"{path}.TVC", "is missing or null without LERR; expected a number, or null and an error code")


def _values(holder: Mapping[str, object], things: Mapping[str, Thing], path: str) -> Violations:
    for name, value in holder.items():
        thing = things.get(name)
        if thing is not None and not thing.admits(value):
            yield _wrong(f"{path}{name}", value, thing.expected)


def _missing(holder: Mapping[str, object], names: Collection[str], path: str) -> Violations:
    return (Violation(f"{path}{name}", "is missing") for name in sorted(names) if name not in holder)


def _unknown(holder: Mapping[str, object], names: Collection[str], path: str) -> Violations:
    for name in holder:
        if name not in names:
            yield Violation(path, f"holds {shown(name)}; expected only {', '.join(names)}")


def _listed(value: object, path: str) -> Violations:
    if not isinstance(value, list) or not value:
        yield _wrong(path, value, "an array of at least one")
        return
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            yield _wrong(f"{path}[{index}]", each, "an object")


def _objects(value: object, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    listed = value if isinstance(value, list) else []
    return ((f"{path}[{index}]", each) for index, each in enumerate(listed) if isinstance(each, dict))


def _wrong(path: str, value: object, expected: str) -> Violation:
    return Violation(path, f"is {shown(value)}; expected {expected}")
